"""Pairs of volumes -> counts, some slices at a time."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segeval.counting.contingency import EMPTY, ContingencyTable, count_values
from segeval.counting.numbering import Numbering
from segeval.counting.run import ImageCounts, ImageInfo
from segeval.errors import MaskError, Problem
from segeval.inputs.pairing import Pair
from segeval.inputs.regions import within
from segeval.inputs.volumes import VolumeFile, check_opens, kind_of
from segeval.settings import Reading


def are_volumes(pair: Pair, starts: Sequence[bytes]) -> bool:
    """Whether masks that start so are volumes; a MaskError if some are, and others are none."""
    masks = [mask for mask, start in zip(pair.masks, starts, strict=True) if not kind_of(start)]
    if masks and len(masks) < len(pair.masks):
        check_opens(masks[0])
        others = ", ".join(str(mask) for mask in pair.masks if mask not in masks)
        raise MaskError(
            f"{masks[0]} is no volume, but {others} is; give volumes on both sides, e.g. .nii.gz"
        )
    return not masks


def count_volumes(
    pair: Pair, reading: Reading, *, fingerprints: bool, numbering: Numbering | None = None
) -> ImageCounts | Problem:
    """Count a pair of volumes, which must be of one size and lie in one place.

    Objects are told apart in whole volumes, all else is counted slab by slab.
    """
    with ExitStack() as stack:
        files = {
            side: stack.enter_context(VolumeFile(mask, reading.max_pixels))
            for side in ("truth", "roi", "prediction")
            if isinstance(mask := getattr(pair, side), Path)
        }
        truth, prediction = files["truth"], files.get("prediction")
        for side, file in files.items():
            found = list(file.volume.geometry.differences(truth.volume.geometry))
            sized = bool(found) and file.volume.shape != truth.volume.shape
            if found and (sized or not reading.ignore_geometry):
                return _elsewhere(pair, side, found, sized=sized)
        table = _count(files, numbering)
        marks = [file.fingerprint() for file in files.values()] if fingerprints else []
        form = "" if prediction is None else prediction.volume.form
        forms = truth.volume.form, form
        info = ImageInfo.of(pair, truth.volume.shape, forms, "\n".join(marks))
        return ImageCounts(info=info, table=table)


def _count(files: dict[str, VolumeFile], numbering: Numbering | None) -> ContingencyTable:
    if numbering is not None:
        whole = {side: np.concatenate([*file.slabs()]) for side, file in files.items()}
        return _count_sides(whole, numbering)
    slabs = zip(*(file.slabs() for file in files.values()), strict=True)
    return sum((_count_sides(dict(zip(files, each, strict=True))) for each in slabs), EMPTY)


def _count_sides(
    sides: dict[str, NDArray[Any]], numbering: Numbering | None = None
) -> ContingencyTable:
    truth, prediction = sides["truth"], sides.get("prediction")
    if "roi" in sides:
        truth = within(truth, sides["roi"])
    if numbering is not None:
        truth = numbering(truth, "truth")
        prediction = None if prediction is None else numbering(prediction, "prediction")
    return count_values(truth=truth, prediction=prediction)


def _elsewhere(pair: Pair, side: str, found: list[str], *, sized: bool) -> Problem:
    """Say in what a volume differs from its truth, and what to do."""
    advice = "resample it onto the voxels of the truth"
    if not sized:
        advice += ", or type --ignore-geometry to compare voxel by voxel all the same"
    detail = (
        f"{getattr(pair, side)} does not lie where its truth {pair.truth} lies: "
        f"{'; '.join(found)}; {advice}"
    )
    kind = "sizes differ" if sized else "volumes lie elsewhere"
    return Problem(name=pair.name, kind=kind, detail=detail)
