"""Counts between classes: one exact integer matrix, rows truth, columns prediction."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from segeval.counting.contingency import count_values
from segeval.values import read_only

CLASS_PARTS: Final = ("tp", "support", "predicted")  # those with an axis of classes
Change = Callable[[NDArray[np.int64]], NDArray[np.int64]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClassCounts:
    """What the score of a class is made of, for one pool of pixels or for many."""

    tp: NDArray[np.int64]  # (..., K); found
    support: NDArray[np.int64]  # (..., K); in the truth
    predicted: NDArray[np.int64]  # (..., K); in the prediction
    total: NDArray[np.int64]  # (...); judged pixels of the pool
    squares: NDArray[np.int64] | None = None  # (...); summed squared distances of places
    overlap: bool = False  # whether a pixel may be of several classes
    measured: Mapping[str, ClassCounts] = field(default_factory=dict)  # by score, of its own

    def of(self, score: str) -> ClassCounts:
        """Return the counts that a score is made of: of pixels, unless it is measured."""
        return self.measured.get(score, self)

    @property
    def fp(self) -> NDArray[np.int64]:
        """Pixels predicted as the class whose truth is another one."""
        return self.predicted - self.tp

    @property
    def fn(self) -> NDArray[np.int64]:
        """Pixels of the class that were predicted as anything else."""
        return self.support - self.tp

    @property
    def tn(self) -> NDArray[np.int64]:
        """Judged pixels that are of other classes on both sides."""
        return self.total[..., None] - self.tp - self.fp - self.fn

    def map(self, change: Change, *, total: NDArray[np.int64] | None = None) -> ClassCounts:
        """Change every part alike; those of pixels by class only, if there is another total."""
        parts: dict[str, Any] = {name: change(getattr(self, name)) for name in CLASS_PARTS}
        squares, measured = self.squares, {}
        if total is None:
            total, squares = change(self.total), None if squares is None else change(squares)
            measured = {name: each.map(change) for name, each in self.measured.items()}
        return ClassCounts(
            **parts, total=total, squares=squares, overlap=self.overlap, measured=measured
        )

    @classmethod
    def concatenate(cls, counts: Iterable[ClassCounts]) -> ClassCounts:
        """Put the pools of several counts one after the other."""
        several = list(counts)
        counted = all(part.squares is not None for part in several)
        columns = (*CLASS_PARTS, "total", *(["squares"] if counted else []))
        parts = {n: np.concatenate([getattr(part, n) for part in several]) for n in columns}
        names = several[0].measured
        measured = {
            name: cls.concatenate(part.measured[name] for part in several) for name in names
        }
        return cls(**parts, overlap=several[0].overlap, measured=measured)

    @classmethod
    def against_rest(cls, counts: Sequence[ClassCounts]) -> ClassCounts:
        """Put together classes that overlap, of the counts of each, its last, and of the rest."""
        parts: dict[str, Any] = {
            name: np.stack([getattr(part, name)[..., -1] for part in counts], axis=-1)
            for name in CLASS_PARTS
        }
        return cls(**parts, total=counts[0].total, overlap=True)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ConfusionMatrix:
    """Judged pixels by truth class and predicted class.

    Attributes
    ----------
    counts : (K, K) int64 array
        ``counts[i, j]``: pixels whose truth is class i and prediction class j. Read-only.
    unknown : (K,) int64 array
        Judged pixels of each truth class whose predicted value is no class. Read-only.

    Examples
    --------
    >>> truth, prediction = np.array([[0, 1, 1]]), np.array([[0, 1, 0]])
    >>> matrix = confusion_matrix(truth=truth, prediction=prediction, classes=2)
    >>> matrix.counts.tolist()
    [[1, 0], [1, 1]]
    >>> (matrix + matrix).total
    6
    """

    counts: NDArray[np.int64]
    unknown: NDArray[np.int64]

    def __post_init__(self) -> None:
        """Check the shape, and hold read-only copies."""
        classes = self.unknown.size
        if self.counts.shape != (classes, classes):
            message = f"counts of shape {self.counts.shape} do not fit {classes} classes"
            raise ValueError(message)
        for name in ("counts", "unknown"):
            object.__setattr__(self, name, read_only(getattr(self, name).copy()))

    def __add__(self, other: ConfusionMatrix) -> ConfusionMatrix:
        """Add the counts of two matrices of equally many classes."""
        if not isinstance(other, ConfusionMatrix):
            return NotImplemented
        if self.counts.shape != other.counts.shape:
            message = f"cannot add matrices of {self.unknown.size} and {other.unknown.size} classes"
            raise ValueError(message)
        return ConfusionMatrix(
            counts=self.counts + other.counts, unknown=self.unknown + other.unknown
        )

    def __array__(
        self, dtype: np.dtype[Any] | None = None, *, copy: bool | None = None
    ) -> NDArray[Any]:
        """Return the counts, so that NumPy takes the matrix for what it is."""
        return np.array(self.counts, dtype, copy=copy)

    @property
    def total(self) -> int:
        """Number of judged pixels."""
        return int(self.counts.sum() + self.unknown.sum())

    @property
    def classes(self) -> ClassCounts:
        """Counts of each class over the whole matrix."""
        places = np.arange(self.unknown.size)
        return ClassCounts(
            tp=self.counts.diagonal(),
            support=self.counts.sum(axis=1) + self.unknown,
            predicted=self.counts.sum(axis=0),
            total=np.asarray(self.total),
            squares=(self.counts * np.subtract.outer(places, places) ** 2).sum(),
        )


def confusion_matrix(
    *,
    truth: NDArray[Any],
    prediction: NDArray[Any],
    classes: int | None = None,
    ignore: Collection[int] = (),
) -> ConfusionMatrix:
    """Count two masks of class indices.

    Parameters
    ----------
    truth, prediction : integer arrays of equal shape
        Class indices 0…K-1.
    classes : int, optional
        The number of classes, K; by default one more than the largest value, ignored truth aside.
    ignore : collection of int
        Truth values that are not judged.

    Returns
    -------
    ConfusionMatrix
        Predicted values outside 0…K-1 are in its ``unknown``.

    Raises
    ------
    ValueError
        If the shapes differ, or a truth value is neither a class nor ignored.
    """
    table = count_values(truth=truth, prediction=prediction)
    judged = ~np.isin(table.truth, list(ignore))
    t, p, pixels = table.truth[judged], table.prediction[judged], table.pixels[judged]
    if classes is None:
        classes = int(max(t.max(initial=-1), p.max(initial=-1))) + 1
    outside = t[(t < 0) | (t >= classes)]
    if outside.size:
        message = f"truth holds {outside[0]}, which is neither a class 0..{classes - 1} nor ignored"
        raise ValueError(message)
    is_class = (p >= 0) & (p < classes)
    counts = np.zeros((classes, classes), np.int64)
    counts[t[is_class], p[is_class]] = pixels[is_class]
    unknown = np.zeros(classes, np.int64)
    np.add.at(unknown, t[~is_class], pixels[~is_class])
    return ConfusionMatrix(counts=counts, unknown=unknown)
