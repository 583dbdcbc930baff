"""Counts of pairs of raw file values: the one hot kernel of segeval.

Nothing here knows of classes, names or void. Masks are piecewise constant, so pixels are counted
in runs: stretches along which neither mask changes. Every path gives the same exact integers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["NO_PREDICTION", "ContingencyTable", "count_values"]

NO_PREDICTION: Final = int(np.iinfo(np.int64).min)
"""Reserved predicted value of a pixel for which there is no prediction at all."""

BLOCK: Final = 1 << 18
"""Pixels counted at a time; the buffers of a block stay in the processor's cache."""

NOISE: Final = 6
"""With more than one run in so many pixels, counting pixels is faster than counting runs."""

PENDING: Final = 1 << 20
"""Runs kept before they are added up, which bounds the memory that a huge mask takes."""

CODES: Final = 1 << 16


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
        for array in (self.truth, self.prediction, self.pixels):
            array.flags.writeable = False

    def __add__(self, other: ContingencyTable) -> ContingencyTable:
        """Add the counts of two tables."""
        if not isinstance(other, ContingencyTable):
            return NotImplemented
        return _tabulate(
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
        return mask.view(np.uint8)
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
) -> Iterator[tuple[NDArray[Any], NDArray[Any], NDArray[np.intp]]]:
    """Yield each block of both masks with the positions at which its runs end."""
    width = min(BLOCK, truth.size)
    changed, changed_prediction = np.empty(width, np.bool_), np.empty(width, np.bool_)
    for start in range(0, truth.size, BLOCK):
        t, p = truth[start : start + BLOCK], prediction[start : start + BLOCK]
        ends, other = changed[: t.size], changed_prediction[: t.size]
        np.not_equal(t[1:], t[:-1], out=ends[:-1])
        np.not_equal(p[1:], p[:-1], out=other[:-1])
        np.logical_or(ends[:-1], other[:-1], out=ends[:-1])
        ends[-1] = True
        yield t, p, np.flatnonzero(ends)


def _count_bytes(truth: NDArray[np.uint8], prediction: NDArray[np.uint8]) -> ContingencyTable:
    """Count two byte masks: runs, weighted by their length, or pixels where a block is noise."""
    counts = np.zeros(CODES, np.int64)
    codes: list[NDArray[np.uint16]] = []
    lengths: list[NDArray[np.intp]] = []
    pending = 0

    def settle() -> None:
        if codes:  # float64 holds the sums of run lengths exactly, up to 2**53 pixels
            sums = np.bincount(np.concatenate(codes), np.concatenate(lengths))
            counts[: sums.size] += sums.astype(np.int64)
            codes.clear()
            lengths.clear()

    for t, p, ends in _blocks(truth, prediction):
        if ends.size * NOISE > t.size:
            sums = np.bincount(_code(t, p))
            counts[: sums.size] += sums
            continue
        codes.append(_code(t[ends], p[ends]))
        lengths.append(np.diff(ends, prepend=-1))
        pending += ends.size
        if pending > PENDING:
            settle()
            pending = 0
    settle()
    found = np.flatnonzero(counts)
    return ContingencyTable(truth=found >> 8, prediction=found & 0xFF, pixels=counts[found])


def _code(truth: NDArray[np.uint8], prediction: NDArray[np.uint8]) -> NDArray[np.uint16]:
    """Join two bytes into one 16-bit code."""
    code = truth.astype(np.uint16)
    code <<= 8
    code |= prediction
    return code


def _count_wide(truth: NDArray[Any], prediction: NDArray[Any]) -> ContingencyTable:
    """Count masks whose values need more than a byte, by the values at the ends of runs."""
    tables = [
        _tabulate(t[ends].astype(np.int64), p[ends].astype(np.int64), np.diff(ends, prepend=-1))
        for t, p, ends in _blocks(truth, prediction)
    ]
    return _tabulate(
        *(
            np.concatenate([np.empty(0, np.int64), *(getattr(table, field) for table in tables)])
            for field in ("truth", "prediction", "pixels")
        )
    )


def _tabulate(
    truth: NDArray[np.int64], prediction: NDArray[np.int64], pixels: NDArray[Any]
) -> ContingencyTable:
    """Add up the pixels of equal pairs."""
    truths, t = np.unique(truth, return_inverse=True)
    predictions, p = np.unique(prediction, return_inverse=True)
    codes, pair = np.unique(t * predictions.size + p, return_inverse=True)
    sums = np.zeros(codes.size, np.int64)
    np.add.at(sums, pair, pixels)
    width = max(1, predictions.size)
    return ContingencyTable(
        truth=truths[codes // width], prediction=predictions[codes % width], pixels=sums
    )
