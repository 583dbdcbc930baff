"""Fields of view: masks beside the truths, which say where anything is judged."""

import shlex
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from segeval.errors import MaskError, Problem
from segeval.files import real_path
from segeval.inputs.annotations import Annotation, Masked, Shape
from segeval.inputs.folders import index_folder
from segeval.inputs.masks import Mask, read_mask
from segeval.inputs.pairing import Pair, Pairing, common_ends
from segeval.storage.path import is_file, is_folder, located
from segeval.values import COLOR, FLOAT, OUTSIDE

FOLDERS: Final = "mask", "masks", "fov", "roi"  # where fields of view lie, beside the truths


def add_regions(pairing: Pairing, folder: Path, suffix: str) -> Pairing:
    """Give pairs the fields of view of their names; the folder may be the file of a single pair."""
    problems, pairs = list(pairing.problems), pairing.pairs
    if is_file(folder) and len(pairs) == 1:
        return replace(pairing, pairs=(replace(pairs[0], roi=folder),))
    index = index_folder(folder, "--roi", suffix)
    regions = index.files
    problems += index.problems
    if regions:
        problems += _absent(folder, [p.name for p in pairs if p.name not in regions], regions)
    found = tuple(replace(pair, roi=regions.get(pair.name)) for pair in pairs)
    return replace(pairing, pairs=found, problems=tuple(problems))


def _absent(folder: Path, names: list[str], regions: Mapping[str, Path]) -> Iterator[Problem]:
    """Say which images have no field of view; once, if the end of the names explains them all."""
    end = _end(names, regions)
    advice = f"type --roi-suffix {shlex.quote(end)}" if end else "add it"
    for name in names[:1] if end else names:
        detail = (
            f"{folder} holds no mask called {name!r}; names there are like {min(regions)!r}; "
            f"{advice}"
        )
        yield Problem(name=name, kind="missing field of view", detail=detail)


def _end(names: list[str], regions: Mapping[str, Path]) -> str | None:
    """Return what turns the name of every image into that of its field of view, or None."""
    _, end = common_ends(names, list(regions)) or ("", "")
    return end if names and all(f"{name}{end}" in regions for name in names) else None


def propose_regions(truth: Path, prediction: Path, names: list[str], first: Masked) -> str:
    """Name a folder beside the truths that may hold the fields of view, or return nothing.

    It holds a mask for every image by its name, and the truth of the first, a file, is of one value
    where that holds 0, a value that occurs elsewhere as well.
    """
    sides = {real_path(truth), real_path(prediction)}
    for folder in (located(truth.parent / name) for name in FOLDERS):
        if not is_folder(folder) or real_path(folder) in sides:
            continue
        regions = index_folder(folder, "--roi").files
        end = _end(names, regions)
        if end is not None and _is_region(regions[f"{names[0]}{end}"], first):
            option = f" --roi-suffix {shlex.quote(end)}" if end else ""
            return (
                f"{folder} holds a mask for every image; if these are fields of view, outside "
                f"which nothing is judged, type --roi {shlex.quote(str(folder))}{option}"
            )
    return ""


def _is_region(region: Path, truth: Masked) -> bool:
    """Whether a truth is of one value where a mask holds 0, and of that one elsewhere as well."""
    with suppress(MaskError):
        inside = _inside(read_mask(region).values)
        values = read_mask(truth).values
        if values.shape == inside.shape and inside.any():
            outside = np.unique(values[~inside])
            return outside.size == 1 and bool((values[inside] == outside).any())
    return False


def _inside(region: NDArray[Any]) -> NDArray[np.bool_]:
    """Return where a field of view is judged: where it holds neither 0 nor black."""
    return ~np.isin(region, (0, COLOR, FLOAT))


def within(truth: NDArray[Any], region: NDArray[Any]) -> NDArray[np.int64]:
    """Return a truth that is `OUTSIDE` where its field of view, of the same shape, says so."""
    return np.where(_inside(region), truth.astype(np.int64), OUTSIDE)


def read_pair(
    pair: Pair,
    *,
    max_pixels: int,
    fingerprints: bool = False,
    lossy: bool = False,
    objects: bool = False,
    volumes: bool = False,
) -> tuple[Mask, Mask | None]:
    """Read both masks of a pair, the truth as `read_truth`; None for no prediction.

    An annotation that states no size has that of the other side.
    """
    how: dict[str, Any] = {
        "max_pixels": max_pixels,
        "fingerprints": fingerprints,
        "objects": objects,
        "volumes": volumes,
    }
    prediction, shape = None, None
    if isinstance(pair.truth, Annotation) and isinstance(pair.prediction, Path):
        prediction = read_mask(pair.prediction, **how, lossy=lossy)
        shape = prediction.values.shape
    elif isinstance(pair.prediction, Annotation):
        shape = pair.prediction.size
    truth = read_truth(pair, **how, shape=shape)
    if pair.prediction is not None and prediction is None:
        shape = truth.values.shape
        prediction = read_mask(pair.prediction, **how, lossy=lossy, shape=shape)
    return truth, prediction


def read_truth(
    pair: Pair, *, shape: Shape | None = None, objects: bool = False, **how: Any
) -> Mask:
    """Read the truth of a pair; where its field of view holds 0 or black, it is `OUTSIDE`."""
    truth = read_mask(pair.truth, **how, shape=shape, objects=objects)
    if pair.roi is None:
        return truth
    region = read_mask(pair.roi, **how)
    if region.values.shape != truth.values.shape:
        sizes = [f"{mask.values.shape[1]}×{mask.values.shape[0]}" for mask in (region, truth)]
        raise MaskError(
            f"the field of view {pair.roi} is {sizes[0]} pixels, its truth {pair.truth} is "
            f"{sizes[1]}; save it at the size of the truth"
        )
    return replace(
        truth,
        values=within(truth.values, region.values),
        fingerprint=f"{truth.fingerprint}\n{region.fingerprint}",
    )
