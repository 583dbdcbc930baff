"""Masks written as run lengths, and run lengths as masks: each undoes the other.

Masks are read by as many workers as count them, and written as they come. A file of run lengths is
put in place once all masks are in it; none is written where one of them cannot be read.
"""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from segeval.counting.dataset import NOTHING
from segeval.counting.workers import ordered_map
from segeval.errors import MaskError, OutputError, Problem, SettingError, WritingError
from segeval.files import write_bytes, written_whole
from segeval.inputs.annotations import Annotation, Masked
from segeval.inputs.files import named
from segeval.inputs.masks import read_mask, read_runs
from segeval.inputs.pairing import Pairing, find_pairs
from segeval.inputs.rle import Runs
from segeval.reports.rleforms import WRITERS, Encoding
from segeval.settings import MAX_PIXELS, AnnotationChoice, RleOrder
from segeval.text import reason_of
from segeval.values import OUTSIDE, UNANNOTATED

LARGEST: Final = 1 << 31  # values of classes are below it
NOT_WRITTEN: Final = "mask not written"
VOID: Final = "it holds void pixels (a crowd, or no segment)"
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoding:
    """What pixels become that no class is for: void, and what has no annotation."""

    void: int | None = None
    background: int | None = None  # None for 0, unless that is a class
    max_pixels: int = MAX_PIXELS


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A mask to decode, and its file, relative to the folder."""

    name: str
    mask: Masked
    target: str


def masks_of(
    place: Path, choice: AnnotationChoice, suffix: str = "", include: str | None = None
) -> Pairing:
    """Find the masks of a folder, or of a file of run lengths, as the truths of pairs."""
    if not place.exists():
        raise SettingError(f"{place} does not exist; check the path")
    pairing = find_pairs(
        prediction=place,
        truth=place,
        pred_suffix=suffix,
        truth_suffix=suffix,
        include=include,
        annotations=choice,
    )
    problems = [*dict.fromkeys(pairing.problems)]  # either side has them
    if problems or not pairing.pairs:
        raise WritingError(problems or [NOTHING])
    return pairing


def background_of(mask: Masked) -> int:
    """Return the value of pixels of no class, which are not written as run lengths."""
    return mask.background if isinstance(mask, Annotation) else 0


def encode(
    pairing: Pairing,
    out: Path,
    form: str,
    encoding: Encoding,
    *,
    workers: int | None = None,
    progress: Progress | None = None,
) -> None:
    """Write all masks into one file; a WritingError lists those that cannot be."""
    problems: list[Problem] = []
    masks = [(pair.name, pair.truth) for pair in pairing.pairs]
    order: RleOrder = "column" if form.startswith("coco") else encoding.choice.rle_order
    work = partial(_read, order=order, encoding=encoding)
    with written_whole(out) as file, closing(ordered_map(work, masks, workers=workers)) as read:
        writer = WRITERS[form](file, encoding)
        for done, (mask, found) in enumerate(zip(masks, read, strict=True), 1):
            try:
                if isinstance(found, MaskError):
                    raise found
                writer.add(mask[0], found)
            except MaskError as error:
                detail = str(error) if error is found else f"{mask[1]}: {error}"
                problems.append(Problem(name=mask[0], kind=NOT_WRITTEN, detail=detail))
            if progress is not None:
                progress(done, len(masks))
        if problems:
            raise WritingError(problems)
        writer.finish()


def _read(mask: tuple[str, Masked], order: RleOrder, encoding: Encoding) -> Runs | MaskError:
    """Read a mask as run lengths, or return why that cannot be."""
    try:
        return _runs_of(mask[1], order, encoding)
    except MaskError as error:
        return error


def _runs_of(mask: Masked, order: RleOrder, encoding: Encoding) -> Runs:
    """Return the run lengths of a mask of classes."""
    most = encoding.max_pixels
    runs = read_runs(mask, None, most) if isinstance(mask, Annotation) else None
    if runs is None or runs.order != order:
        runs = Runs.of(read_mask(mask, max_pixels=most).values, order, background_of(mask))
    if (void := runs.values == OUTSIDE).any():
        if encoding.void is None:
            raise MaskError(
                f"{mask}: {VOID}, and run lengths hold none; type --void 0 to leave them out, or "
                "--void 255 to write them as class 255"
            )
        runs = runs.having(~void) if encoding.void == 0 else runs.with_values(void, encoding.void)
    if runs.values.min(initial=0) < 0 or runs.values.max(initial=0) >= LARGEST:
        raise MaskError(
            f"{mask}: it holds colours, floats or numbers that are no classes; save it as indices"
        )
    return runs


def decode(
    jobs: Sequence[Job],
    out: Path,
    decoding: Decoding,
    *,
    workers: int | None = None,
    progress: Progress | None = None,
) -> None:
    """Write masks as index PNGs into a folder, all or none; a WritingError lists what cannot be."""
    problems: list[Problem] = []
    with _aside(out) as aside:
        work = partial(_decode, folder=aside, decoding=decoding)
        with closing(ordered_map(work, jobs, workers=workers)) as outcomes:
            for done, outcome in enumerate(outcomes, 1):
                problems += [] if outcome is None else [outcome]
                if progress is not None:
                    progress(done, len(jobs))
        if problems:
            raise WritingError(problems)
        for job in jobs:
            (out / job.target).parent.mkdir(parents=True, exist_ok=True)
            os.replace(aside / job.target, out / job.target)


@contextmanager
def _aside(folder: Path) -> Iterator[Path]:
    """Make a folder in another one, for files that are not whole yet; nothing is left of it."""
    try:
        new = not folder.exists()
        folder.mkdir(parents=True, exist_ok=True)
        try:
            with tempfile.TemporaryDirectory(prefix=".segeval-", dir=folder) as aside:
                yield Path(aside)
        finally:
            if new:
                with suppress(OSError):  # it holds masks
                    folder.rmdir()
    except OSError as error:
        raise OutputError(f"{folder}: masks cannot be written: {reason_of(error)}") from error


def _decode(job: Job, folder: Path, decoding: Decoding) -> Problem | None:
    try:
        values = read_mask(job.mask, max_pixels=decoding.max_pixels).values
        with named(str(job.mask)):
            content = png_of_indices(_filled(values, decoding, background_of(job.mask)))
    except MaskError as error:
        return Problem(name=job.name, kind=NOT_WRITTEN, detail=str(error))
    (folder / job.target).parent.mkdir(parents=True, exist_ok=True)
    write_bytes(folder / job.target, content)
    return None


def _filled(values: NDArray[Any], decoding: Decoding, background: int) -> NDArray[Any]:
    """Return a mask without values that no file holds, (H, W)."""
    if (void := values == OUTSIDE).any():
        if decoding.void is None:
            raise MaskError(f"{VOID}; type --void 255 to write them as 255")
        values = np.where(void, decoding.void, values)
    if background == UNANNOTATED:
        if decoding.background is None:
            raise MaskError(
                "0 is a class in this file, so pixels without an annotation need another value; "
                "type e.g. --background 254"
            )
        values = np.where(values == UNANNOTATED, decoding.background, values)
    return values


def png_of_indices(values: NDArray[Any]) -> bytes:
    """Write a mask as a grey PNG of 8 or 16 bits, which holds its values."""
    from PIL import Image

    low, high = int(values.min(initial=0)), int(values.max(initial=0))
    if low < 0 or high > np.iinfo(np.uint16).max:
        raise MaskError(f"it holds {low if low < 0 else high}, and a PNG holds 0 to 65535")
    kind = np.uint8 if high <= np.iinfo(np.uint8).max else np.uint16
    buffer = io.BytesIO()
    Image.fromarray(values.astype(kind)).save(buffer, "PNG")
    return buffer.getvalue()
