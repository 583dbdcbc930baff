"""Fields of view: masks beside the truths, which say where anything is judged."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from segeval.errors import MaskError, Problem
from segeval.inputs.masks import Mask, read_mask
from segeval.inputs.pairing import Pair, Pairing, index_folder
from segeval.values import COLOR, FLOAT, OUTSIDE


def add_regions(pairing: Pairing, folder: Path, suffix: str) -> Pairing:
    """Give pairs the fields of view of their names; the folder may be the file of a single pair."""
    problems, pairs = list(pairing.problems), pairing.pairs
    if folder.is_file() and len(pairs) == 1:
        return replace(pairing, pairs=(replace(pairs[0], roi=folder),))
    regions = index_folder(folder, "--roi", suffix, None, problems)
    absent = [pair.name for pair in pairs if pair.name not in regions] if regions else []
    example = f"; names there are like {min(regions)!r}" if regions else ""
    problems += [
        Problem(
            name=name,
            kind="missing field of view",
            detail=f"{folder} holds no mask called {name!r}{example}; add it, or type "
            "--roi-suffix for the end of these names",
        )
        for name in absent
    ]
    found = tuple(replace(pair, roi=regions.get(pair.name)) for pair in pairs)
    return replace(pairing, pairs=found, problems=tuple(problems))


def read_truth(pair: Pair, *, max_pixels: int, fingerprints: bool = False) -> Mask:
    """Read the truth of a pair; where its field of view holds 0 or black, it is `OUTSIDE`."""
    truth = read_mask(pair.truth, max_pixels=max_pixels, fingerprints=fingerprints)
    if pair.roi is None:
        return truth
    region = read_mask(pair.roi, max_pixels=max_pixels, fingerprints=fingerprints)
    if region.values.shape != truth.values.shape:
        sizes = [f"{mask.values.shape[1]}×{mask.values.shape[0]}" for mask in (region, truth)]
        raise MaskError(
            f"the field of view {pair.roi} is {sizes[0]} pixels, its truth {pair.truth} is "
            f"{sizes[1]}; save it at the size of the truth"
        )
    inside = ~np.isin(region.values, (0, COLOR, FLOAT))
    return replace(
        truth,
        values=np.where(inside, truth.values.astype(np.int64), OUTSIDE),
        fingerprint=f"{truth.fingerprint}\n{region.fingerprint}",
    )
