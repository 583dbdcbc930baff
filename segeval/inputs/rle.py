"""Run lengths of one image: read from text, checked, and turned into a mask.

Runs are counted through the image column by column, or row by row. What competitions write is
``start length`` pairs; what COCO writes is alternating counts.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from segeval.errors import MaskError
from segeval.settings import RleOrder
from segeval.text import quoted

NOTHING: Final = {b"", b"-", b"-1"}  # how tables write a mask without any pixel
WHOLE: Final = b"0123456789 "
LARGEST: Final = 1 << 53  # no pixel has such a number

FIRST, BITS, FIVE, SIGN, MORE = 48, 5, 31, 16, 32  # of the characters of COCO
MOST_CHARACTERS: Final = 12  # of a number: 60 bits

Shape = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Runs:
    """The foreground of an image as N runs, ascending and apart.

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
    background : int
        What all other pixels hold.
    """

    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    values: NDArray[np.int64]
    shape: Shape
    order: RleOrder
    background: int = 0

    def mask(self) -> NDArray[Any]:
        """Return the mask, (H, W), in the smallest type that holds its values."""
        edges = np.column_stack((self.starts, self.ends)).ravel()
        lengths = np.diff(edges, prepend=0, append=self.shape[0] * self.shape[1])
        held = [self.background, *(self.values.min(initial=0), self.values.max(initial=0))]
        kind = np.uint8 if min(held) >= 0 and max(held) < 256 else np.int64
        values = np.full(lengths.size, self.background, kind)
        values[1::2] = self.values
        flat = np.repeat(values, lengths)
        if self.order == "row":
            return flat.reshape(self.shape)
        return np.ascontiguousarray(flat.reshape(self.shape[::-1]).T)

    @classmethod
    def of(cls, mask: NDArray[Any], order: RleOrder, background: int = 0) -> Self:
        """Return the runs of equal values other than the background of a mask, (H, W)."""
        flat = mask.ravel(order="F" if order == "column" else "C")
        edges = np.flatnonzero(np.append(True, flat[1:] != flat[:-1])[: flat.size])
        values = flat[edges].astype(np.int64)
        ends = np.append(edges[1:], flat.size)
        held = values != background
        shape: Shape = (mask.shape[0], mask.shape[1])
        return cls(
            starts=edges[held],
            ends=ends[held],
            values=values[held],
            shape=shape,
            order=order,
            background=background,
        )

    def having(self, held: NDArray[np.bool_]) -> Self:
        """Return some of the runs, chosen by N truth values."""
        return replace(
            self, starts=self.starts[held], ends=self.ends[held], values=self.values[held]
        )

    def with_values(self, changed: NDArray[np.bool_], value: int) -> Self:
        """Return the same runs, of which some, by N truth values, hold another value."""
        return replace(self, values=np.where(changed, value, self.values))

    def only(self, value: int | None = None) -> Self:
        """Return the mask of one value, or of all, as 1 on 0; no run touches the next one."""
        held = slice(None) if value is None else self.values == value
        starts, ends = self.starts[held], self.ends[held]
        apart = starts[1:] != ends[:-1]
        starts = starts[np.append(True, apart)[: starts.size]]
        ends = ends[np.append(apart, True)[: ends.size]]
        values = np.ones(starts.size, np.int64)
        return replace(self, starts=starts, ends=ends, values=values, background=0)

    def pairs(self, base: int, *, relative: bool = False) -> str:
        """Write the runs as ``start length`` pairs, whatever they hold; see `parse_pairs`."""
        if relative:
            edges = np.column_stack((self.starts, self.ends)).ravel()
            return " ".join(map(str, np.diff(edges, prepend=-base).tolist()))
        numbers = np.column_stack((self.starts + base, self.ends - self.starts)).ravel()
        return " ".join(map(str, numbers.tolist()))

    def counts(self) -> NDArray[np.int64]:
        """Return the lengths of background and foreground in turn, as COCO writes them.

        The first is that of the background, which may be 0; runs must not touch, see `only`.
        """
        edges = np.column_stack((self.starts, self.ends)).ravel()
        counts = np.diff(edges, prepend=0, append=self.shape[0] * self.shape[1])
        return counts[:-1] if counts.size > 1 and counts[-1] == 0 else counts


def spans_of_counts(counts: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return starts and ends of the foreground of background and foreground in turn."""
    edges = np.cumsum(counts)
    starts, ends = edges[: edges.size - 1 : 2], edges[1::2]
    held = ends > starts
    return starts[held], ends[held]


def counts_of_text(text: bytes) -> NDArray[np.int64]:
    """Return the counts that COCO writes as text.

    A character is 48 and six bits: five of a number, the lowest first, and one that says that more
    follow; the last character holds the sign in its fifth bit. From the fourth number on, numbers
    are differences to the count two before.
    """
    codes = np.frombuffer(text, np.uint8).astype(np.int64) - FIRST
    if codes.size == 0:
        return codes
    if codes.min() < 0 or codes.max() > MORE | FIVE:
        wrong = codes[(codes < 0) | (codes > (MORE | FIVE))][0] + FIRST
        raise MaskError(f"its run lengths hold the character {chr(wrong)!r}, which COCO has not")
    last = (codes & MORE) == 0
    ends = np.flatnonzero(last)
    starts = np.append(0, ends[:-1] + 1)
    lengths = ends - starts + 1
    if not last[-1] or lengths.max() > MOST_CHARACTERS:
        raise MaskError("its run lengths break off within a number")
    shift = BITS * (np.arange(codes.size) - np.repeat(starts, lengths))
    numbers = np.add.reduceat((codes & FIVE) << shift, starts)
    numbers -= np.where(codes[ends] & SIGN, np.int64(1) << (BITS * lengths), 0)
    numbers[1::2] = np.cumsum(numbers[1::2])
    numbers[2::2] = np.cumsum(numbers[2::2])
    return numbers


def text_of_counts(counts: NDArray[np.int64]) -> bytes:
    """Write counts as COCO does; see `counts_of_text`."""
    numbers = counts.astype(np.int64)
    numbers[3:] -= counts[1:-2]
    size = np.where(numbers < 0, ~numbers, numbers)  # fits into the bits below the sign
    places = np.arange(MOST_CHARACTERS)
    lengths = 1 + (size[:, None] >> (BITS * places[1:] - 1) != 0).sum(axis=1)
    used = places < lengths[:, None]
    codes = (numbers[:, None] >> (BITS * places)) & FIVE
    codes |= np.where(places < lengths[:, None] - 1, MORE, 0)
    return bytes((codes[used] + FIRST).astype(np.uint8))


def parse_pairs(
    text: bytes, base: int, *, relative: bool = False
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Parse ``start length`` pairs into starts, counted from 0, and ends; a MaskError if not so.

    Relative starts are counted from the end of the run before.

    >>> [each.tolist() for each in parse_pairs(b"1 3 10 5", 1, relative=True)]
    [[0, 13], [3, 18]]
    """
    if text in NOTHING:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    if stray := text.translate(None, WHOLE):
        for word in text.split():
            if not word.isdigit():
                shown = quoted(word.decode(errors="replace"))
                raise MaskError(f"{shown} is no whole number of 0 or more")
        raise MaskError(f"{chr(stray[0])!r} stands between its numbers, where a space should")
    numbers = np.fromstring(text, np.int64, sep=" ")
    if numbers.max(initial=0) > LARGEST:  # what has more than 64 bits is read as the largest
        raise MaskError("it holds a number that is larger than any image has pixels")
    if numbers.size % 2:
        raise MaskError(
            f"it holds {numbers.size} numbers, which is odd; runs are pairs of start and length"
        )
    if relative:
        if numbers.sum(dtype=np.float64) > LARGEST:
            raise MaskError("its numbers add up to more than any image has pixels")
        edges = np.cumsum(numbers) - base
        return edges[::2], edges[1::2]
    starts = numbers[::2] - base
    return starts, starts + numbers[1::2]


def check_runs(
    starts: NDArray[np.int64], ends: NDArray[np.int64], shape: Shape, base: int
) -> Iterator[str]:
    """Say what is wrong with the runs of one row, in an image of some height and width."""
    pixels = shape[0] * shape[1]
    if not starts.size or (
        starts[0] >= 0
        and ends[-1] <= pixels
        and (ends > starts).all()
        and (starts[1:] >= ends[:-1]).all()
    ):
        return

    def shown(number: int | np.intp) -> str:
        start = int(starts[number])
        return f"run {start + base} {int(ends[number]) - start}"

    if (empty := np.flatnonzero(ends <= starts)).size:
        yield f"{shown(empty[0])} has no pixel"
    if starts.min() < 0:
        yield (
            f"{shown(starts.argmin())} starts before the first pixel, which is 1; type --rle-base "
            "0 if pixels are numbered from 0"
        )
    if ends.max() > pixels:
        yield (
            f"{shown(ends.argmax())} ends at pixel {int(ends.max()) - 1 + base}, and the last of "
            f"an image of height {shape[0]} and width {shape[1]} is {pixels - 1 + base}"
        )
    if (back := np.flatnonzero(starts[1:] < starts[:-1])).size:
        yield (
            f"{shown(back[0] + 1)} stands behind {shown(back[0])}; sort the runs by their starts, "
            "or type --rle-starts relative if they count from the end of the run before"
        )
    ranks = np.argsort(starts, kind="stable")
    if (over := np.flatnonzero(starts[ranks][1:] < ends[ranks][:-1])).size:
        one, other = ranks[over[0]], ranks[over[0] + 1]
        twice = starts[one] == starts[other] and ends[one] == ends[other]
        together = f"{shown(one)} and {shown(other)} overlap"
        yield f"{shown(one)} stands there twice" if twice else together


Span = tuple[NDArray[np.int64], NDArray[np.int64], int]  # starts and ends of runs, and a value


def unite(rows: Sequence[Span], shape: Shape, order: RleOrder, background: int = 0) -> Runs:
    """Put the runs of several rows into one mask, each with its value; later rows win."""
    how: dict[str, Any] = {"shape": shape, "order": order, "background": background}
    if len(rows) == 1:
        ((starts, ends, value),) = rows
        values = np.full(starts.size, value, np.int64)
        return Runs(starts=starts, ends=ends, values=values, **how)
    if not rows:
        return unite([(np.empty(0, np.int64), np.empty(0, np.int64), 0)], shape, order, background)
    starts = np.concatenate([row[0] for row in rows])
    ranks = starts.argsort(kind="stable")
    starts, ends = starts[ranks], np.concatenate([row[1] for row in rows])[ranks]
    values = np.repeat([row[2] for row in rows], [row[0].size for row in rows])[ranks]
    if (starts[1:] < ends[:-1]).any():
        starts, ends, values = _paint(rows)
    return Runs(starts=starts, ends=ends, values=values, **how)


def _paint(
    rows: Sequence[Span],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Lay rows upon each other: between any two neighbouring edges the last row wins."""
    edges = np.unique(np.concatenate([side for row in rows for side in row[:2]]))
    last = np.full(edges.size, -1)  # the row that wins
    for number, (starts, ends, _) in enumerate(rows):
        if starts.size:
            begins, stops = np.searchsorted(edges, starts), np.searchsorted(edges, ends)
            steps = np.zeros(stops[-1] - begins[0] + 1, np.int64)
            steps[begins - begins[0]] += 1
            steps[stops - begins[0]] -= 1
            last[begins[0] : stops[-1] + 1][np.cumsum(steps) > 0] = number
    filled = np.flatnonzero(last[:-1] >= 0)
    values = np.array([row[2] for row in rows], np.int64)[last[filled]]
    return edges[filled], edges[filled + 1], values
