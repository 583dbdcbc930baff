"""Pairs of files -> counts of a data set."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from segeval.counting.contingency import count_values
from segeval.counting.native import count_files
from segeval.counting.numbering import Numbering
from segeval.counting.run import (
    ANYWHERE,
    RESIZED,
    CountedRun,
    Gathering,
    ImageCounts,
    ImageInfo,
    Provenance,
)
from segeval.counting.runfile import RunFile
from segeval.counting.runlengths import count_runs
from segeval.counting.slabs import are_volumes, count_volumes
from segeval.counting.windows import count_windows
from segeval.counting.workers import default_workers, ordered_map
from segeval.errors import DataError, MaskError, Problem
from segeval.inputs.annotations import Annotation
from segeval.inputs.masks import Mask, read_runs
from segeval.inputs.pairing import Pair, Pairing, find_pairs, read_pairs
from segeval.inputs.parts import start_of
from segeval.inputs.regions import add_regions, read_pair
from segeval.memory import keep_memory
from segeval.settings import Cluster, Reading, Source, parse_shard
from segeval.storage.path import look_again

NOTHING: Final = Problem(
    name="data", kind="nothing to score", detail="there is no pair of masks, or all were skipped"
)


Outcome = TypeVar("Outcome")


def pair_up(source: Source) -> Pairing:
    """Find the pairs of a source, or of its shard."""
    look_again()
    if source.pairs is not None:
        how: Any = {"include": source.include, "missing": source.missing}
        pairing = read_pairs(source.pairs, **how, columns=source.image_columns)
    else:
        pairing = find_pairs(
            prediction=source.prediction or Path(),
            truth=source.truth or Path(),
            pred_suffix=source.pred_suffix,
            truth_suffix=source.truth_suffix,
            match=source.match,
            include=source.include,
            missing=source.missing,
            annotations=source.annotations,
        )
    if source.annotations.within_files:
        from segeval.inputs.channels import in_channels, in_parts

        pairing = in_parts(in_channels(pairing, source.annotations), source.annotations)
    if source.roi is not None:
        pairing = add_regions(pairing, source.roi, source.roi_suffix)
    if source.shard is None:
        return pairing
    number, count = parse_shard(source.shard)
    return replace(pairing, pairs=pairing.pairs[number - 1 :: count])


def count_pair(
    pair: Pair,
    reading: Reading,
    *,
    fingerprints: bool = False,
    numbering: Numbering | None = None,
) -> ImageCounts | Problem:
    """Read and count one pair of masks; what stands in the way comes back as a problem."""
    how: dict[str, Any] = {"max_pixels": reading.max_pixels, "fingerprints": fingerprints}
    try:
        counted = _count_natively(pair, **how, numbering=numbering) or _count_in_parts(
            pair, reading, fingerprints=fingerprints, numbering=numbering
        )
        if counted is not None:
            return counted
        truth, mask = read_pair(pair, **how, lossy=reading.lossy, objects=numbering is None)
        shape = truth.values.shape
        marks, prediction, form = [truth.fingerprint], None, ""
        if mask is not None:
            prediction, form = mask.values, mask.form
            marks.append(mask.fingerprint)
            if reading.resize_prediction:
                prediction = resize(prediction, shape)
            if prediction.shape != shape:
                return sizes_differ(pair, shape, prediction.shape)
        if numbering is not None:
            truth = replace(truth, values=numbering(truth.values, "truth"))
            prediction = None if prediction is None else numbering(prediction, "prediction")
        return count_masks(pair, truth, prediction, form, fingerprints="\n".join(marks))
    except MaskError as error:
        return Problem(name=pair.name, kind="unreadable mask", detail=str(error))


def _count_in_parts(
    pair: Pair, reading: Reading, *, fingerprints: bool, numbering: Numbering | None
) -> ImageCounts | Problem | None:
    """Count a pair without all of its pixels at once, if it is of files that allow it."""
    starts = [start_of(mask) for mask in pair.masks]
    if are_volumes(pair, starts):
        return count_volumes(pair, reading, fingerprints=fingerprints, numbering=numbering)
    if numbering is not None:  # parts may reach from the first row to the last
        return None
    counted = _count_rows(pair, max_pixels=reading.max_pixels, fingerprints=fingerprints)
    if counted is not None or reading.resize_prediction:
        return counted
    return count_windows(pair, starts, reading, fingerprints=fingerprints)


def is_native(pair: Pair, max_pixels: int, numbering: Numbering | None = None) -> bool:
    """Whether the kernel counts a pair."""
    how: dict[str, Any] = {"max_pixels": max_pixels, "fingerprints": False}
    return _count_natively(pair, **how, numbering=numbering) is not None


def _count_natively(pair: Pair, **how: Any) -> ImageCounts | None:
    """Count a pair without its pixels, if it is of two files that the kernel is for."""
    if pair.prediction is None or pair.roi is not None:
        return None
    counted = count_files(pair.truth, pair.prediction, **how)
    if counted is None:
        return None
    info = ImageInfo.of(pair, counted.shape, counted.forms, counted.fingerprints)
    return ImageCounts(info=info, table=counted.table)


def _count_rows(pair: Pair, *, max_pixels: int, fingerprints: bool) -> ImageCounts | None:
    """Count a pair without its pixels, if both sides are run lengths of one size."""
    one, other = pair.truth, pair.prediction
    if pair.roi is not None or not (isinstance(one, Annotation) and isinstance(other, Annotation)):
        return None
    truth = read_runs(one, other.size, max_pixels, objects=True)
    if truth is None:
        return None
    prediction = read_runs(other, truth.shape, max_pixels, objects=True)
    table = None if prediction is None else count_runs(truth, prediction)
    if table is None:
        return None
    marks = f"{one.fingerprint()}\n{other.fingerprint()}" if fingerprints else ""
    info = ImageInfo.of(pair, truth.shape, (one.form, other.form), marks)
    return ImageCounts(info=info, table=table)


def count_masks(
    pair: Pair, truth: Mask, prediction: NDArray[Any] | None, form: str, *, fingerprints: str = ""
) -> ImageCounts:
    """Count a truth against a prediction that the files of a pair hold, stored in some form."""
    info = ImageInfo.of(pair, truth.values.shape, (truth.form, form), fingerprints)
    table = count_values(truth=truth.values, prediction=prediction)
    return ImageCounts(info=info, table=table)


def resize(mask: NDArray[Any], shape: tuple[int, int]) -> NDArray[Any]:
    """Bring (..., h, w) to another shape: each new pixel takes the value under its centre."""
    if mask.shape[-2:] == shape:
        return mask
    rows, columns = (
        ((2 * np.arange(new) + 1) * old // (2 * new))
        for new, old in zip(shape, mask.shape[-2:], strict=True)
    )
    resized: NDArray[Any] = mask[..., rows[:, None], columns]
    return resized


def sizes_differ(pair: Pair, truth: tuple[int, ...], prediction: tuple[int, ...]) -> Problem:
    """Say that a prediction, of shape (h, w), has not the shape (H, W) of its truth."""
    detail = (
        f"{pair.prediction} is {prediction[1]}×{prediction[0]} pixels, its truth {pair.truth} is "
        f"{truth[1]}×{truth[0]}; predict at full size, or type --resize-prediction (nearest)"
    )
    return Problem(name=pair.name, kind="sizes differ", detail=detail)


@contextmanager
def _resting_collector() -> Iterator[None]:
    """Let the garbage collector rest: pairs make no cycles, and each would be visited."""
    rests = not gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if not rests:
            gc.enable()


@_resting_collector()
def count_dataset(
    source: Source,
    reading: Reading | None = None,
    *,
    workers: int | None = None,
    cluster: Cluster | None = None,
    progress: Callable[[int, int], None] | None = None,
    file: RunFile | None = None,
    numbering: Numbering | None = None,
) -> CountedRun:
    """Count every pair of a data set, to the same counts for any number of workers.

    ``progress`` is called with the number of pairs done and of all that are to be counted. Counts
    are written to the file as they come; pairs that it holds unchanged are not read again. What
    could not be counted is in the problems of the provenance. A numbering tells objects apart. A
    cluster counts in the place of workers of this program.
    """
    reading, pairing = reading or Reading(), pair_up(source)
    if numbering is not None:
        pairing = replace(pairing, facts=(*pairing.facts, numbering.fact))
    pairs = pairing.pairs if file is None else _pending(file, pairing, source, reading)
    how: dict[str, Any] = {"fingerprints": file is not None, "numbering": numbering}
    count = partial(count_pair, reading=reading, **how)
    gathered = Gathering(None if file is None else file.kept)

    def keep(image: ImageCounts) -> None:
        if file is not None:
            file.add(image)
        gathered.add(image)

    several = cluster is not None or (workers or default_workers(len(pairs), threads=True)) > 1
    native = several and bool(pairs) and is_native(pairs[0], reading.max_pixels, numbering)
    # scan lines are counted without the lock, so threads serve; rows cost less than their sending
    rows = native and all(isinstance(mask, Annotation) for mask in pairs[0].masks)
    workers = 1 if rows and workers is None and cluster is None else workers
    engine: Any = {"workers": workers, "threads": native and not rows, "cluster": cluster}
    faults = map_pairs(count, pairs, keep, progress=progress, **engine)
    provenance = provenance_of(source, reading, pairing, faults)
    if file is not None:
        file.finish(provenance)
    return gathered.run(provenance)


def map_pairs(
    work: Callable[[Pair], Outcome | Problem],
    pairs: Sequence[Pair],
    keep: Callable[[Outcome], None],
    *,
    workers: int | None,
    progress: Callable[[int, int], None] | None,
    threads: bool = False,
    cluster: Cluster | None = None,
) -> list[Problem]:
    """Do the work of every pair, keep what comes of it in their order, and return the problems."""
    faults: list[Problem] = []
    keep_memory()
    engine: Any = {"workers": workers, "threads": threads, "cluster": cluster}
    with closing(ordered_map(work, pairs, **engine)) as outcomes:
        for done, outcome in enumerate(outcomes, 1):
            if isinstance(outcome, Problem):
                faults.append(outcome)
            else:
                keep(outcome)
            if progress is not None:
                progress(done, len(pairs))
    return faults


def _pending(file: RunFile, pairing: Pairing, source: Source, reading: Reading) -> Sequence[Pair]:
    """Return the pairs that a run file does not hold; a set without pairs leaves it untouched."""
    if not pairing.pairs and (pairing.problems or source.shard is None):
        raise DataError(pairing.problems or [NOTHING])
    begun = provenance_of(source, reading, replace(pairing, problems=()), [])
    return file.pending(pairing.pairs, begun)


def provenance_of(
    source: Source, reading: Reading, pairing: Pairing, faults: Sequence[Problem]
) -> Provenance:
    """Write down what happened, and which of it was waived."""
    skip = reading.on_error == "skip"
    problems = [*pairing.problems, *([] if skip else faults)]
    return Provenance(
        problems=tuple(problems),
        missing=pairing.missing,
        skipped=tuple(sorted(fault.name for fault in faults)) if skip else (),
        extra=pairing.extra,
        left_out=pairing.left_out,
        waivers=(*_waivers(source, reading), *pairing.facts),
        names={
            side: {str(value): name for value, name in names.items()}
            for side, names in pairing.names.items()
            if names
        },
        shards=() if source.shard is None else (source.shard,),
        source={
            "prediction": str(source.prediction or ""),
            "truth": str(source.truth or ""),
            "pairs": str(source.pairs or ""),
            **({} if source.roi is None else {"roi": str(source.roi)}),
        },
    )


def _waivers(source: Source, reading: Reading) -> tuple[str, ...]:
    stated = {
        f"missing:{source.missing}": source.missing != "error",
        f"on-error:{reading.on_error}": reading.on_error != "stop",
        RESIZED: reading.resize_prediction,
        ANYWHERE: reading.ignore_geometry,
        f"include:{source.include}": source.include is not None,
        "roi:0-is-void": source.roi is not None,
    }
    return tuple(fact for fact, holds in stated.items() if holds)
