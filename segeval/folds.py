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
    """Average the lowest so many percent of the defined values of each column, at least one.

    Parameters
    ----------
    values : (N, M) float64 array
        NaN where undefined.
    percent : float
        Share of the values, rounded down to a whole number of them.
    spoilt : (N, M) bool array, optional
        Undefined values that take part as the highest ones.
    draws : (B, N) float64 array, optional
        How often each row is drawn; None is once, and B = 1.

    Returns
    -------
    (B, M) float64 array
        NaN where no value is defined, or where the share reaches a spoilt one.

    References
    ----------
    Wang et al. 2023, Revisiting Evaluation Metrics for Semantic Segmentation, NeurIPS.
    """
    drawn = np.ones((1, values.shape[0])) if draws is None else draws
    last = 0.0 if spoilt is None else add_up(drawn, spoilt)
    defined = add_up(drawn, ~np.isnan(values))
    count = np.maximum(1, ((defined + last) * percent / 100).astype(np.int64))
    columns = [
        _sum_of_lowest(column, number, draws)
        for column, number in zip(values.T, count.T, strict=True)
    ]
    means = ratio(np.stack(columns, axis=-1), np.minimum(count, defined))
    return np.where((count > defined) & (np.asarray(last) > 0), np.nan, means)


def _sum_of_lowest(
    values: NDArray[np.float64], count: NDArray[np.int64], draws: NDArray[np.float64] | None
) -> NDArray[np.float64]:
    """Add up, in each of B drawings of (N,) values, the lowest ones, so many as (B,) say."""
    order = np.argsort(values)[: np.count_nonzero(~np.isnan(values))]
    if draws is None:
        return np.asarray(values[order[: count[0]]].sum(keepdims=True))
    reach, most = 2 * int(count.max()), order.size
    while reach < most and (draws[:, order[:reach]].sum(axis=1) < count).any():
        reach *= 2
    order = order[:reach]
    times = draws[:, order]
    before = times.cumsum(axis=1) - times
    return add_up(np.clip(count[:, None] - before, 0, times), values[order])
