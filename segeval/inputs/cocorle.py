"""Counts of an annotation, as numbers or as text, and masks that lie upon each other."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from segeval.errors import MaskError
from segeval.inputs.rle import Runs, counts_of_text, spans_of_counts, unite
from segeval.text import quoted

Shape = tuple[int, int]
Counts = NDArray[np.int64]


def parse_counts(stated: object, shape: Shape) -> Counts:
    """Return the counts of an annotation, a list or a text; a MaskError if they do not fill it."""
    if isinstance(stated, str):
        if not stated.isascii():
            raise MaskError(f"its counts {quoted(stated)} hold more than ASCII, and COCO's do not")
        counts = counts_of_text(stated.encode())
    elif isinstance(stated, list) and all(type(count) is int for count in stated):
        if stated and min(stated) >= 0 and max(stated) > shape[0] * shape[1]:
            raise MaskError(f"a run of {quoted(max(stated))} is longer than the image")
        counts = np.array(stated, np.int64)
    else:
        raise MaskError(f"its counts are {quoted(stated)}; expected whole numbers, or a text")
    if counts.size and counts.min() < 0:
        raise MaskError(f"a run has {counts.min()} pixels")
    pixels = shape[0] * shape[1]
    if counts.size and (counts.max() > pixels or counts.sum() != pixels):
        raise MaskError(
            f"its runs have {sum(counts.tolist())} pixels, the image has {shape[0]}×{shape[1]} = "
            f"{pixels}"
        )
    return counts


def lay(pieces: Iterable[tuple[Counts, int]], shape: Shape, background: int) -> Runs:
    """Lay masks upon each other, each with its value: later ones win."""
    laid = unite(
        [(*spans_of_counts(counts), v) for counts, v in pieces], shape, "column", background
    )
    held = laid.values != background
    return laid if held.all() else laid.having(held)


def bounding_box(runs: Runs) -> list[int]:
    """Return column, row, width and height of the smallest box around runs down the columns."""
    height = runs.shape[0]
    first, last = runs.starts // height, (runs.ends - 1) // height
    left, right = int(first.min()), int(last.max())
    top, bottom = 0, height - 1
    if (first == last).all():  # else a run goes on at the top of the next column
        top, bottom = int((runs.starts % height).min()), int(((runs.ends - 1) % height).max())
    return [left, top, right - left + 1, bottom - top + 1]
