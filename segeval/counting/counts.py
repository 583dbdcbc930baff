"""The contingency tables of many images as columns, kept as narrow as their numbers allow.

A run of a million images has a hundred million rows, so none of them is an object, and whoever goes
over all rows does so in blocks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segeval.counting.contingency import ContingencyTable, ranked
from segeval.values import class_values, is_object

BLOCK: Final = 1 << 16  # rows that are looked at together; an image is never cut
WIDTHS: Final = (np.uint8, np.uint16, np.int32, np.int64)  # each holds what those before it hold

Column = Literal["image", "truth", "prediction", "pixels"]
COLUMNS: Final[tuple[Column, ...]] = ("image", "truth", "prediction", "pixels")


class Counts:
    """The tables of all images of a run, end to end, as four columns of equal length N.

    Every column is given as int64, made when it is asked for. The images are positions in
    ``CountedRun.images``, in ascending order.
    """

    __slots__ = ("columns",)

    def __init__(
        self, *, image: ArrayLike, truth: ArrayLike, prediction: ArrayLike, pixels: ArrayLike
    ) -> None:
        self.columns = [narrowed(column) for column in (image, truth, prediction, pixels)]

    @classmethod
    def of_columns(cls, columns: Sequence[NDArray[Any]]) -> Counts:
        """Take four columns that are narrow already."""
        counts = cls.__new__(cls)
        counts.columns = [*columns]
        return counts

    @classmethod
    def joined(cls, parts: Iterable[Counts]) -> Counts:
        """Put counts end to end; parts that come one by one are never held twice as a whole."""
        columns: list[list[NDArray[Any]]] = [[np.empty(0, WIDTHS[0])] for _ in COLUMNS]
        for part in parts:
            for column, own in zip(columns, part.columns, strict=True):
                column.append(own)
        whole: list[NDArray[Any]] = []
        for column in columns:
            whole.append(np.concatenate(column))
            column.clear()
        return cls.of_columns(whole)

    @property
    def image(self) -> NDArray[np.int64]:
        """The position of the image of each row."""
        return self.column("image")

    @property
    def truth(self) -> NDArray[np.int64]:
        """The value of the truth in each row."""
        return self.column("truth")

    @property
    def prediction(self) -> NDArray[np.int64]:
        """The predicted value in each row."""
        return self.column("prediction")

    @property
    def pixels(self) -> NDArray[np.int64]:
        """How many pixels hold both values of each row."""
        return self.column("pixels")

    def column(self, name: Column) -> NDArray[np.int64]:
        """Return one column."""
        return self.columns[COLUMNS.index(name)].astype(np.int64, copy=False)

    def __len__(self) -> int:
        """Return the number of rows."""
        return self.columns[0].size

    def starts(self, images: int) -> NDArray[np.intp]:
        """Return where the rows of each of so many images begin, and where the last ones end."""
        column = self.columns[0]
        sizes = np.zeros(images + 1, np.intp)
        for start in range(0, column.size, BLOCK):
            part = column[start : start + BLOCK]
            first = int(part[0])
            found = np.bincount(part - part[0])
            sizes[first + 1 : first + 1 + found.size] += found
        return np.cumsum(sizes)

    def table_of(self, rows: slice) -> ContingencyTable:
        """Return the rows of one image as its table."""
        part = self.select(rows)
        return ContingencyTable(truth=part.truth, prediction=part.prediction, pixels=part.pixels)

    def table(self, image: int) -> ContingencyTable:
        """Return the table of one image."""
        column = self.columns[0]
        if image > np.iinfo(column.dtype).max:
            return self.table_of(slice(0))
        number = column.dtype.type(image)
        first, end = (int(np.searchsorted(column, number, side)) for side in ("left", "right"))
        return self.table_of(slice(first, end))

    def select(self, chosen: NDArray[Any] | slice) -> Counts:
        """Return the rows that are chosen by a mask, by their positions, or by a slice."""
        return self.of_columns([column[chosen] for column in self.columns])

    def blocks(self) -> Iterator[Counts]:
        """Yield the rows of some whole images at a time."""
        start, column = 0, self.columns[0]
        while start < column.size:
            end = min(start + BLOCK, column.size)
            if end < column.size:
                end = int(np.searchsorted(column, column[end]))
            if end <= start:
                end = int(np.searchsorted(column, column[start], "right"))
            yield self.select(slice(start, end))
            start = end

    def values(self, side: Column) -> NDArray[np.int64]:
        """Return the distinct values of a column in ascending order."""
        column = self.columns[COLUMNS.index(side)]
        starts = range(0, column.size, BLOCK)
        found = [ranked(column[start : start + BLOCK])[0] for start in starts]
        return ranked(np.concatenate([np.empty(0, np.int64), *found]))[0]

    def with_values(
        self,
        *,
        truth: NDArray[np.int64] | None = None,
        prediction: NDArray[np.int64] | None = None,
    ) -> Counts:
        """Return the counts with other values in the place of those of a side."""
        sides = {1: truth, 2: prediction}
        changed = [
            column if (new := sides.get(place)) is None else narrowed(new)
            for place, column in enumerate(self.columns)
        ]
        return self.of_columns(changed)

    def of_classes(self) -> Counts | None:
        """Return the counts without the ids of objects, or None if there are no objects."""
        sides = self.columns[1:3]
        if not any(c.dtype == np.int64 and bool(is_object(c).any()) for c in sides):
            return None
        return Counts.joined(map(_of_classes, self.blocks()))

    def renumbered(self, places: NDArray[np.intp]) -> Counts:
        """Return the counts with images at other places, -1 of those that are left out."""
        if np.array_equal(places, np.arange(places.size)):
            return self

        def moved(block: Counts) -> Counts:
            image = places[block.image]
            kept = block.select(image >= 0)
            return self.of_columns([narrowed(image[image >= 0]), *kept.columns[1:]])

        return Counts.joined(map(moved, self.blocks())).ordered()

    def ordered(self) -> Counts:
        """Bring the rows into the order of their images; those of one image keep their order."""
        column = self.columns[0]
        if bool((column[1:] >= column[:-1]).all()):
            return self
        first = np.flatnonzero(np.concatenate([[True], column[1:] != column[:-1]]))
        order = np.argsort(column[first], kind="stable")  # of the runs of rows of one image
        starts, sizes = first[order], np.diff(first, append=column.size)[order]
        return self.of_columns([_in_runs(each, starts, sizes) for each in self.columns])


def _in_runs(
    column: NDArray[Any], starts: NDArray[np.intp], sizes: NDArray[np.intp]
) -> NDArray[Any]:
    """Put runs of rows one after the other; the places of all rows are never held at once."""
    moved, ends = np.empty_like(column), np.cumsum(sizes)
    first = 0
    while first < sizes.size:
        done = int(ends[first] - sizes[first])
        last = max(first + 1, int(np.searchsorted(ends, done + BLOCK, "right")))
        own, end = sizes[first:last], int(ends[last - 1])
        shift = starts[first:last] - (ends[first:last] - own)
        moved[done:end] = column[np.arange(done, end) + np.repeat(shift, own)]
        first = last
    return moved


def _of_classes(block: Counts) -> Counts:
    keys = [block.image, class_values(block.truth), class_values(block.prediction)]
    order = np.lexsort(keys[::-1])
    image, truth, prediction = (key[order] for key in keys)
    new = np.ones(order.size, np.bool_)
    new[1:] = (
        (np.diff(image) != 0) | (truth[1:] != truth[:-1]) | (prediction[1:] != prediction[:-1])
    )
    starts = np.flatnonzero(new)
    pixels = np.add.reduceat(block.pixels[order], starts)
    return Counts(
        image=image[starts], truth=truth[starts], prediction=prediction[starts], pixels=pixels
    )


def narrowed(column: ArrayLike) -> NDArray[Any]:
    """Return integers in the narrowest type of ours that holds them all."""
    numbers = np.asarray(column)
    low, high = (int(numbers.min()), int(numbers.max())) if numbers.size else (0, 0)
    fitting = (w for w in WIDTHS if np.iinfo(w).min <= low and high <= np.iinfo(w).max)
    return numbers.astype(next(fitting), copy=False)
