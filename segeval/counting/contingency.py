"""Counts of pairs of raw file values: the one hot kernel of segeval.

Nothing here knows of classes, names or void. Masks are piecewise constant, so pixels are counted
in runs: stretches along which neither mask changes. Every path gives the same exact integers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from segeval.values import NO_PREDICTION, as_zero_one, read_only

BLOCK: Final = 1 << 18  # pixels counted at a time, so that buffers stay in the cache; 8 divides it
NOISE: Final = 8  # above one run in so many pixels, counting pixels is faster
PENDING: Final = 1 << 20  # runs kept before they are added up, to bound the memory of huge masks
CODES: Final = 1 << 16
FEW: Final = 1 << 14  # fewer runs than this are added up without a table of all codes
WORD: Final = 8  # flags looked at together
CELLS: Final = 4  # cells a row up to which rows are added up in a table of all values


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ContingencyTable:
    """How often each pair of raw values occurs in a pair of masks.

    Attributes
    ----------
    truth, prediction : (P,) int64 arrays
        The pairs of values, each pair once, in ascending order (truth first).
    pixels : (P,) int64 array
        How many pixels hold the pair; always at least 1.

    Examples
    --------
    >>> import numpy as np
    >>> table = count_values(truth=np.array([[7, 7, 8]]), prediction=np.array([[7, 8, 8]]))
    >>> list(zip(table.truth.tolist(), table.prediction.tolist(), table.pixels.tolist()))
    [(7, 7, 1), (7, 8, 1), (8, 8, 1)]
    """

    truth: NDArray[np.int64]
    prediction: NDArray[np.int64]
    pixels: NDArray[np.int64]

    def __post_init__(self) -> None:
        """Make the arrays read-only: a table never changes."""
        for name in ("truth", "prediction", "pixels"):
            object.__setattr__(self, name, read_only(getattr(self, name)))

    def __add__(self, other: ContingencyTable) -> ContingencyTable:
        """Add the counts of two tables."""
        if not isinstance(other, ContingencyTable):
            return NotImplemented
        return tabulate(
            np.concatenate((self.truth, other.truth)),
            np.concatenate((self.prediction, other.prediction)),
            np.concatenate((self.pixels, other.pixels)),
        )

    def __eq__(self, other: object) -> bool:
        """Compare pair by pair."""
        if not isinstance(other, ContingencyTable):
            return NotImplemented
        return (
            np.array_equal(self.truth, other.truth)
            and np.array_equal(self.prediction, other.prediction)
            and np.array_equal(self.pixels, other.pixels)
        )

    __hash__ = None  # type: ignore[assignment]  # compared by content, like an array

    @property
    def total(self) -> int:
        """Number of pixels counted."""
        return int(self.pixels.sum())


def count_values(*, truth: NDArray[Any], prediction: NDArray[Any] | None) -> ContingencyTable:
    """Count the pairs of values of two masks, exactly.

    Parameters
    ----------
    truth : integer or boolean array, any shape
        Ground-truth mask.
    prediction : integer or boolean array of the same shape, or None
        Predicted mask; None counts every pixel against `NO_PREDICTION`.

    Returns
    -------
    ContingencyTable
        Its pixels add up to ``truth.size``; it is empty for empty masks.

    Raises
    ------
    TypeError
        If an array holds anything but integers or booleans.
    ValueError
        If the shapes differ, or a value lies beyond the range of int64.
    """
    truth = _as_values(truth, "truth")
    if prediction is None:
        prediction = np.broadcast_to(np.int64(NO_PREDICTION), truth.shape)
    prediction = _as_values(prediction, "prediction")
    if truth.shape != prediction.shape:
        message = f"truth has shape {truth.shape}, prediction has shape {prediction.shape}"
        raise ValueError(message)
    if truth.dtype == prediction.dtype == np.uint8:
        return _count_bytes(truth.ravel(), prediction.ravel())
    return _count_wide(truth.ravel(), prediction.ravel())


def _as_values(mask: NDArray[Any], side: str) -> NDArray[Any]:
    """Check the dtype, and narrow to uint8 where every value fits."""
    if mask.dtype == np.bool_:
        return as_zero_one(mask)
    if mask.dtype.kind not in "iu":
        message = f"{side} must hold integers, not {mask.dtype}"
        raise TypeError(message)
    if mask.dtype == np.uint8 or mask.size == 0:
        return mask
    low, high = mask.min(), mask.max()
    if high > np.iinfo(np.int64).max:
        message = f"{side} holds {high}, which is beyond the range of int64"
        raise ValueError(message)
    return mask.astype(np.uint8) if low >= 0 and high <= np.iinfo(np.uint8).max else mask


def _blocks(
    truth: NDArray[Any], prediction: NDArray[Any]
) -> Iterator[tuple[NDArray[Any], NDArray[Any], NDArray[np.bool_]]]:
    """Yield each block of both masks, and flags (padded to whole words) of the ends of its runs."""
    width = min(BLOCK, -(-truth.size // WORD) * WORD)
    flags, other = np.empty(width, np.bool_), np.empty(width, np.bool_)
    for start in range(0, truth.size, BLOCK):
        t, p = truth[start : start + BLOCK], prediction[start : start + BLOCK]
        last = t.size - 1
        np.not_equal(t[1:], t[:-1], out=flags[:last])
        np.not_equal(p[1:], p[:-1], out=other[:last])
        np.logical_or(flags[:last], other[:last], out=flags[:last])
        flags[last] = True
        flags[t.size :] = False
        yield t, p, flags


def _positions(flags: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Return where the flags are set; looking at words first is twice as fast as flatnonzero."""
    words = flags.view(np.uint64)
    set_words = np.flatnonzero(words != 0)
    within = np.flatnonzero(words[set_words].view(np.bool_))
    set_words <<= 3
    positions = set_words.take(within >> 3)
    within &= 7
    positions += within
    return positions


def _count_bytes(truth: NDArray[np.uint8], prediction: NDArray[np.uint8]) -> ContingencyTable:
    """Count two byte masks: runs, weighted by their length, or pixels where a block is noise."""
    counts: NDArray[Any] = np.zeros(0)
    capacity = min(PENDING, truth.size // NOISE + BLOCK // NOISE)
    codes, lengths, held = np.empty(capacity, np.intp), np.empty(capacity), 0
    for t, p, flags in _blocks(truth, prediction):
        runs = int(np.count_nonzero(flags))
        if runs * NOISE > t.size:
            counts = _sum(counts, np.bincount(_code(t, p)).astype(np.float64))
            continue
        if held + runs > capacity:
            counts = _sum(counts, np.bincount(codes[:held], lengths[:held]))
            held = 0
        ends = _positions(flags)
        codes[held : held + runs] = _code(t.take(ends), p.take(ends))
        lengths[held : held + runs] = _lengths(ends)
        held += runs
    if held < FEW and not counts.size:
        return _count_few(codes[:held], lengths[:held])
    counts = _sum(counts, np.bincount(codes[:held], lengths[:held]))
    found = np.flatnonzero(counts != 0)
    pixels = counts[found].astype(np.int64)
    return ContingencyTable(truth=found >> 8, prediction=found & 0xFF, pixels=pixels)


def _count_few(codes: NDArray[np.intp], lengths: NDArray[np.float64]) -> ContingencyTable:
    """Add up few runs by the rank of their code, which spares a table of all codes."""
    found, rank = ranked(codes)
    pixels = np.bincount(rank, lengths).astype(np.int64)
    return ContingencyTable(truth=found >> 8, prediction=found & 0xFF, pixels=pixels)


def _sum(a: NDArray[Any], b: NDArray[Any]) -> NDArray[Any]:
    """Add counts of codes; float64 holds them exactly, up to 2**53 pixels."""
    longer, shorter = (a, b) if a.size >= b.size else (b, a)
    longer[: shorter.size] += shorter
    return longer


def _lengths(ends: NDArray[np.intp]) -> NDArray[np.float64]:
    lengths = np.empty(ends.size, np.float64)
    lengths[0] = ends[0] + 1
    np.subtract(ends[1:], ends[:-1], out=lengths[1:])
    return lengths


def _code(truth: NDArray[np.uint8], prediction: NDArray[np.uint8]) -> NDArray[np.intp]:
    """Join two bytes into one code of 16 bits, in the type that bincount takes."""
    code = truth.astype(np.intp)
    code <<= 8
    code |= prediction
    return code


EMPTY: Final = ContingencyTable(
    truth=np.empty(0, np.int64), prediction=np.empty(0, np.int64), pixels=np.empty(0, np.int64)
)
"""The table of no pixel, to which others are added."""


def _count_wide(truth: NDArray[Any], prediction: NDArray[Any]) -> ContingencyTable:
    """Count masks whose values need more than a byte, by the values at the ends of runs."""
    tables = [EMPTY]
    for t, p, flags in _blocks(truth, prediction):
        ends = _positions(flags)
        tables.append(tabulate(t[ends], p[ends], _lengths(ends)))
    return tabulate(
        np.concatenate([table.truth for table in tables]),
        np.concatenate([table.prediction for table in tables]),
        np.concatenate([table.pixels for table in tables]),
    )


def tabulate(
    truth: NDArray[Any], prediction: NDArray[Any], pixels: NDArray[Any]
) -> ContingencyTable:
    """Add up the pixels of equal pairs of values."""
    (first, rows), (start, width) = _reach(truth), _reach(prediction)
    if rows * width <= CELLS * truth.size:
        codes = (truth.astype(np.intp) - first) * width + (prediction.astype(np.intp) - start)
        sums, held = np.zeros(rows * width, np.int64), np.zeros(rows * width, np.bool_)
        np.add.at(sums, codes, pixels.astype(np.int64))
        held[codes] = True
        cells = np.flatnonzero(held)
        t, p = np.divmod(cells.astype(np.int64), width)
        return ContingencyTable(truth=t + first, prediction=p + start, pixels=sums[cells])
    truths, t = ranked(truth)
    predictions, p = ranked(prediction)
    codes, pair = ranked(t * predictions.size + p)
    sums = np.zeros(codes.size, np.int64)
    np.add.at(sums, pair, pixels.astype(np.int64))
    width = max(1, predictions.size)
    return ContingencyTable(
        truth=truths[codes // width].astype(np.int64),
        prediction=predictions[codes % width].astype(np.int64),
        pixels=sums,
    )


def _reach(values: NDArray[Any]) -> tuple[int, int]:
    """Return the lowest value, and how many there are from it to the highest."""
    low = int(values.min(initial=0))
    return low, int(values.max(initial=low)) - low + 1


def ranked(values: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.intp]]:
    """Return the distinct integers, ascending, and the rank of every value among them.

    Where they lie close together nothing is sorted, which is ten times as fast.
    """
    low, high = (int(values.min()), int(values.max())) if values.size else (0, 0)
    if high - low >= CODES:
        return np.unique(values, return_inverse=True)
    places = values.astype(np.intp)
    places -= low
    used = np.zeros(high - low + 1, np.bool_)
    used[places] = True
    found = np.flatnonzero(used)
    rank = np.empty(used.size, np.intp)
    rank[found] = np.arange(found.size)
    return found + low, rank[places]
