"""Run lengths of one image: read from text, checked, and turned into a mask.

Runs are counted through the image column by column, or row by row. What competitions write is
``start length`` pairs; what COCO writes is alternating counts.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from segeval.errors import MaskError
from segeval.settings import RleOrder
from segeval.text import quoted

NOTHING: Final = {b"", b"-", b"-1"}  # how tables write a mask without any pixel
WHOLE: Final = b"0123456789 "
TOO_LONG: Final = re.compile(rb"\d{17}")  # no pixel has such a number

Shape = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Runs:
    """The foreground of an image as N runs, ascending and apart; all else holds 0.

    Attributes
    ----------
    starts, ends : (N,) int64 arrays
        First pixel of each run and the one behind its last, counted from 0 in the order.
    values : (N,) int64 array
        What each run holds.
    shape : (int, int)
        Rows and columns of the image.
    order : {"column", "row"}
        Whether pixels are counted down the columns, or along the rows.
    """

    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    values: NDArray[np.int64]
    shape: Shape
    order: RleOrder

    def mask(self) -> NDArray[Any]:
        """Return the mask, (H, W), in the smallest type that holds its values."""
        edges = np.column_stack((self.starts, self.ends)).ravel()
        lengths = np.diff(edges, prepend=0, append=self.shape[0] * self.shape[1])
        kind = np.uint8 if not self.values.size or self.values.max() < 256 else np.int64
        values = np.zeros(lengths.size, kind)
        values[1::2] = self.values
        flat = np.repeat(values, lengths)
        if self.order == "row":
            return flat.reshape(self.shape)
        return np.ascontiguousarray(flat.reshape(self.shape[::-1]).T)


def parse_pairs(text: bytes, base: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Parse ``start length`` pairs into starts, counted from 0, and ends; a MaskError if not so."""
    if text in NOTHING:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    if text.translate(None, WHOLE):
        wrong = next(word for word in text.split() if not word.isdigit())
        raise MaskError(f"{quoted(wrong.decode(errors='replace'))} is no whole number of 0 or more")
    if TOO_LONG.search(text):
        raise MaskError("a number has more than 16 digits")
    numbers = np.fromstring(text, np.int64, sep=" ")
    if numbers.size % 2:
        raise MaskError(
            f"it holds {numbers.size} numbers, which is odd; runs are pairs of start and length"
        )
    starts = numbers[::2] - base
    return starts, starts + numbers[1::2]


def check_runs(
    starts: NDArray[np.int64], ends: NDArray[np.int64], pixels: int, base: int
) -> Iterator[str]:
    """Say what is wrong with the runs of one row, in an image of so many pixels."""
    if not starts.size:
        return

    def shown(number: int) -> str:
        start = int(starts[number])
        return f"run {start + base} {int(ends[number]) - start}"

    if (empty := np.flatnonzero(ends <= starts)).size:
        yield f"{shown(empty[0])} has no pixel"
    if starts.min() < 0:
        yield f"{shown(int(starts.argmin()))} starts before the first pixel, which is {base}"
    if (last := int(ends.argmax())) >= 0 and ends[last] > pixels:
        yield (
            f"{shown(last)} ends at pixel {int(ends[last]) - 1 + base} of an image of "
            f"{pixels} pixels"
        )
    if (back := np.flatnonzero(starts[1:] < starts[:-1])).size:
        yield f"{shown(back[0] + 1)} stands behind {shown(back[0])}; sort the runs by their starts"
    ranks = np.argsort(starts, kind="stable")
    over = np.flatnonzero(starts[ranks][1:] < ends[ranks][:-1])
    if over.size:
        one, other = int(ranks[over[0]]), int(ranks[over[0] + 1])
        twice = starts[one] == starts[other] and ends[one] == ends[other]
        yield (
            f"{shown(one)} stands there twice"
            if twice
            else (f"{shown(one)} and {shown(other)} overlap")
        )


def unite(
    rows: Sequence[tuple[NDArray[np.int64], NDArray[np.int64], int]], shape: Shape, order: RleOrder
) -> Runs:
    """Put the runs of several rows into one mask, each with its value; later rows win."""
    starts = np.concatenate([np.empty(0, np.int64), *(row[0] for row in rows)])
    ends = np.concatenate([np.empty(0, np.int64), *(row[1] for row in rows)])
    values = np.concatenate(
        [np.empty(0, np.int64), *(np.full(row[0].size, row[2], np.int64) for row in rows)]
    )
    ranks = np.argsort(starts, kind="stable")
    starts, ends, values = starts[ranks], ends[ranks], values[ranks]
    if (starts[1:] < ends[:-1]).any():
        starts, ends, values = _paint(rows)
    return Runs(starts=starts, ends=ends, values=values, shape=shape, order=order)


def _paint(
    rows: Sequence[tuple[NDArray[np.int64], NDArray[np.int64], int]],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Lay rows upon each other: between any two neighbouring edges the last row wins."""
    edges = np.unique(np.concatenate([side for row in rows for side in row[:2]]))
    held = np.zeros(edges.size, np.int64)
    for starts, ends, value in rows:
        steps = np.zeros(edges.size, np.int64)
        np.add.at(steps, np.searchsorted(edges, starts), 1)
        np.add.at(steps, np.searchsorted(edges, ends), -1)
        held[np.cumsum(steps) > 0] = value
    filled = np.flatnonzero(held[:-1])
    return edges[filled], edges[filled + 1], held[filled]
