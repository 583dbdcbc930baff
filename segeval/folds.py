"""Folds: the mean of what is defined along one axis, and of its lowest share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from segeval.conventions import VALUE
from segeval.metrics import ratio
from segeval.pools import add_up

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from numpy.typing import NDArray

    from segeval.settings import Absent, Weightless

__all__ = ["Values", "add_classes", "fold", "mean_of_worst"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Values:
    """Scores, NaN where undefined, and which of these make the means undefined as well."""

    scores: NDArray[np.float64]
    spoilt: NDArray[np.bool_]

    def without(self, excluded: Sequence[int]) -> Values:
        """Return a copy in which the excluded classes are left out."""
        scores, spoilt = self.scores.copy(), self.spoilt.copy()
        scores[..., excluded], spoilt[..., excluded] = np.nan, False
        return Values(scores=scores, spoilt=spoilt)


def add_classes(values: NDArray[Any]) -> NDArray[Any]:
    """Add up over the classes of each pool."""
    return np.asarray(values.sum(axis=-1))


def fold(
    values: Values,
    add: Callable[[NDArray[Any]], NDArray[Any]],
    *,
    weights: NDArray[np.float64] | None = None,
    weightless: Weightless = "skip",
    empty: Absent = "skip",
) -> Values:
    """Average what is defined, along the axis that is added up."""
    defined = ~np.isnan(values.scores)
    scores, number = np.where(defined, values.scores, 0.0), add(defined)
    if weights is None:
        means, spoilt = ratio(add(scores), number), add(values.spoilt) > 0
    else:
        weight = add(np.where(defined, weights, 0.0))
        means = ratio(add(scores * weights), weight)
        unweighed = (number > 0) & (weight == 0)
        plain = ratio(add(scores), number) if weightless == "mean" else VALUE[weightless]
        means = np.where(unweighed, plain, means)
        spoilt = add(values.spoilt & (weights > 0)) > 0
    without = add(defined | values.spoilt) == 0
    means = np.where(without, VALUE[empty], means)
    spoilt = spoilt | (without & (empty == "undefined"))
    return Values(scores=np.where(spoilt, np.nan, means), spoilt=spoilt)


def mean_of_worst(
    values: NDArray[np.float64],
    percent: float,
    *,
    spoilt: NDArray[np.bool_] | None = None,
    draws: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Average the lowest so many percent of the defined ones of (N,) values, at least one.

    Parameters
    ----------
    values : (N,) float64 array
        NaN where undefined.
    percent : float
        Share of the values, rounded down to a whole number of them.
    spoilt : (N,) bool array, optional
        Undefined values that take part as the highest ones.
    draws : (B, N) float64 array, optional
        How often each value is drawn; None is once, and B = 1.

    Returns
    -------
    (B,) float64 array
        NaN where no value is defined, or where the share reaches a spoilt one.

    References
    ----------
    Wang et al. 2023, Revisiting Evaluation Metrics for Semantic Segmentation, NeurIPS.
    """
    order = np.argsort(values)[: np.count_nonzero(~np.isnan(values))]
    lowest, drawn = values[order], np.ones((1, values.size)) if draws is None else draws
    times = drawn[:, order]
    last = 0.0 if spoilt is None else drawn[:, spoilt].sum(axis=1)
    defined = times.sum(axis=1)
    count = np.maximum(1, ((defined + last) * percent / 100).astype(np.int64))
    before = times.cumsum(axis=1) - times
    taken = np.clip(count[:, None] - before, 0, times)
    sums = lowest[taken[0] > 0].sum(keepdims=True) if draws is None else add_up(taken, lowest)
    reached = (count > defined) & (np.asarray(last) > 0)
    return np.where(reached, np.nan, ratio(sums, taken.sum(axis=1)))
