"""What is kept of the distances of an image, as bytes, and of all images, as columns."""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from segeval.errors import RunError

HEAD: Final = struct.Struct("<4B2I")  # version, axes, flags, types; rows, entries
VERSION: Final = 1
CUT: Final = 1  # flag: void was next to a border
FLOATS: Final = 2  # flag: distances as floats, no squared numbers of pixels
SPACED: Final = 4  # flag: pixels have a size
NUMBERS: Final = tuple(np.dtype(f"<{name}") for name in ("u1", "u2", "u4", "f8"))
ROW: Final = 6  # class, size of either border, whether masks meet, entries of either direction


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClassDistances:
    """A class of an image: the distances of either border to the other, each with its weight."""

    index: int
    sizes: tuple[int, int]  # of the borders of truth and prediction
    shared: bool  # whether the masks have a pixel in common
    values: tuple[NDArray[Any], NDArray[Any]]  # from the truth, from the prediction; ascending
    counts: tuple[NDArray[Any], NDArray[Any]]


def encode(
    classes: Sequence[ClassDistances],
    shape: tuple[int, ...],
    spacing: Sequence[float],
    *,
    cut: bool,
    spaced: bool,
) -> bytes:
    """Write the distances of an image; integers take no more bytes than the largest needs.

    They are squared numbers of pixels where these are as long along each axis.
    """
    floats = len(set(spacing)) > 1
    values, counts = (
        np.concatenate(
            [np.empty(0), *(getattr(each, name)[side] for side in (0, 1) for each in classes)]
        )
        for name in ("values", "counts")
    )
    rows = [
        (each.index, *each.sizes, each.shared, *(part.size for part in each.values))
        for each in classes
    ]
    types = [
        _narrowest(values, floats=floats),
        _narrowest(counts, floats=not (counts % 1 == 0).all()),
    ]
    flags = CUT * cut | FLOATS * floats | SPACED * spaced
    head = HEAD.pack(VERSION, len(shape), flags, types[0] << 4 | types[1], len(rows), values.size)
    parts = [
        np.array(shape, "<u4"),
        np.array(spacing, "<f8"),
        np.array(rows, "<u4"),
        *(part.astype(NUMBERS[kind]) for part, kind in zip((values, counts), types, strict=True)),
    ]
    return head + b"".join(part.tobytes() for part in parts)


def _narrowest(numbers: NDArray[np.float64], *, floats: bool) -> int:
    """Return which type holds all numbers."""
    most = numbers.max(initial=0)
    return 3 if floats or most >= 1 << 32 else sum(most >= 1 << bits for bits in (8, 16))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Entries:
    """Distances from one border to the other of R rows, ascending within each row."""

    sizes: NDArray[np.int64]  # (R,); entries of each row, none where a side has no border
    distance: NDArray[np.float64]  # (E,)
    weight: NDArray[Any]  # (E,); how many elements are so far, or their area


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DistanceTable:
    """The distances of N images and K classes, a row for each class that an image holds."""

    count: int  # K
    image: NDArray[np.int64]  # (R,)
    kind: NDArray[np.int64]  # (R,); class
    sizes: NDArray[np.int64]  # (R, 2); of the borders of truth and prediction
    shared: NDArray[np.bool_]  # (R,); whether the masks have a pixel in common
    truth: Entries  # from the border of the truth
    prediction: Entries
    diagonal: NDArray[np.float64]  # (N,)
    cut: NDArray[np.bool_]  # (N,); void is in the image
    spaced: NDArray[np.bool_]  # (N,); the spacing is a size, no number of pixels
    spacing: tuple[tuple[float, ...], ...]  # (N,)

    @classmethod
    def of(cls, blobs: Sequence[bytes], count: int) -> DistanceTable:
        """Read what is kept of every image."""
        images = [_Decoded.of(blob) for blob in blobs]
        rows = np.concatenate([np.empty((0, ROW), np.uint32), *(each.rows for each in images)])
        rows = rows.astype(np.int64)
        truth, prediction = (
            Entries(
                sizes=rows[:, 4 + side],
                distance=np.concatenate([np.empty(0), *(each.distance[side] for each in images)]),
                weight=np.concatenate(
                    [np.empty(0, np.uint8), *(each.weight[side] for each in images)]
                ),
            )
            for side in (0, 1)
        )
        return cls(
            count=count,
            image=np.repeat(np.arange(len(images)), [len(each.rows) for each in images]),
            kind=rows[:, 0],
            sizes=rows[:, 1:3],
            shared=rows[:, 3] > 0,
            truth=truth,
            prediction=prediction,
            diagonal=np.array([each.diagonal for each in images]),
            cut=np.array([each.cut for each in images], np.bool_),
            spaced=np.array([each.spaced for each in images], np.bool_),
            spacing=tuple(each.spacing for each in images),
        )

    def arranged(self, order: NDArray[np.int64]) -> DistanceTable:
        """Return the classes at other places: which each was, -1 if it is in no mask."""
        places = np.zeros(self.count, np.int64)
        places[order[order >= 0]] = np.flatnonzero(order >= 0)
        return replace(self, count=len(order), kind=places[self.kind])

    def unspaced(self) -> DistanceTable:
        """Return distances in voxels, of images whose voxels are as long along each axis."""
        step = np.array([steps[0] for steps in self.spacing])
        truth, prediction = (
            replace(part, distance=part.distance / np.repeat(step[self.image], part.sizes))
            for part in (self.truth, self.prediction)
        )
        return replace(
            self,
            truth=truth,
            prediction=prediction,
            diagonal=self.diagonal / step,
            spaced=np.zeros(len(step), np.bool_),
            spacing=tuple((1.0,) * len(steps) for steps in self.spacing),
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Decoded:
    rows: NDArray[Any]
    distance: Sequence[NDArray[Any]]  # of either direction
    weight: Sequence[NDArray[Any]]
    diagonal: float
    cut: bool
    spaced: bool
    spacing: tuple[float, ...]

    @classmethod
    def of(cls, blob: bytes) -> _Decoded:
        try:
            return cls._read(blob)
        except (ValueError, IndexError, struct.error) as error:
            raise RunError("the distances of the run are damaged; score the masks again") from error

    @classmethod
    def _read(cls, blob: bytes) -> _Decoded:
        version, axes, flags, types, rows, entries = HEAD.unpack_from(blob)
        if version != VERSION:
            raise ValueError(version)
        at, parts = HEAD.size, []
        for kind, size in (("<u4", axes), ("<f8", axes), ("<u4", rows * ROW)):
            parts.append(np.frombuffer(blob, kind, size, at))
            at += parts[-1].nbytes
        for number in (types >> 4, types & 15):
            parts.append(np.frombuffer(blob, NUMBERS[number], entries, at))
            at += parts[-1].nbytes
        shape, spacing, table, values, counts = parts
        table = table.reshape(-1, ROW)
        if at != len(blob) or table[:, 4:].sum(dtype=np.int64) != entries:
            raise ValueError(at)
        distance = values if flags & FLOATS else np.sqrt(values, dtype=np.float64) * spacing[0]
        half = int(table[:, 4].sum(dtype=np.int64))
        return cls(
            rows=table,
            distance=(distance[:half], distance[half:]),
            weight=(counts[:half], counts[half:]),
            diagonal=math.sqrt(sum((shape * spacing) ** 2)),
            cut=bool(flags & CUT),
            spaced=bool(flags & SPACED),
            spacing=tuple(spacing.tolist()),
        )
