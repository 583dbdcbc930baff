"""Kept distances -> the scores of every image and class, all at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property, partial
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from segeval.distances.kept import DistanceTable
from segeval.distances.names import score_names
from segeval.distances.rules import DIGITS, Case, CaseName, DistanceRules

Values = NDArray[np.float64]


class Sorted:
    """Distances of R parts, ascending within each; no part is empty."""

    def __init__(
        self, sizes: NDArray[np.int64], distance: NDArray[np.float64], weight: NDArray[Any]
    ) -> None:
        """Sum the weights once: what lies within any distance is a difference of two sums."""
        ends = np.cumsum(sizes)
        self.sizes, self.first, self.last = sizes, ends - sizes, ends - 1
        self.distance, self.weight = distance, weight.astype(np.float64)
        self.running = np.zeros(len(weight) + 1)
        np.cumsum(self.weight, out=self.running[1:])
        self.before = self.running[self.first]
        self.total = self.running[ends] - self.before

    @cached_property
    def mean(self) -> Values:
        """The mean distance of each part."""
        if not len(self.first):
            return np.zeros(0)
        return np.asarray(np.add.reduceat(self.distance * self.weight, self.first) / self.total)

    def within(self, tolerance: float) -> Values:
        """Return the weight within a tolerance."""
        near = np.flatnonzero(self.distance <= tolerance * (1 + DIGITS))
        until = np.searchsorted(near, self.last + 1) - np.searchsorted(near, self.first)
        return np.asarray(self.running[self.first + until] - self.before)

    def linear(self, percentile: float) -> Values:
        """Return a percentile of each part, between neighbours as `numpy.percentile` does."""
        if percentile == 100:
            return np.asarray(self.distance[self.last])
        place = percentile / 100 * (self.total - 1)
        below = np.floor(place)
        low, high = self._at(below), self._at(np.minimum(below + 1, self.total - 1))
        return np.asarray(low + (high - low) * (place - below))

    def _at(self, rank: Values) -> Values:
        found = np.searchsorted(self.running, self.before + rank, "right") - 1
        return np.asarray(self.distance[found])

    def covered(self, percentile: float) -> Values:
        """Return the smallest distance within which so large a share of each part lies."""
        wanted = self.before + percentile / 100 * self.total
        found = np.searchsorted(self.running, wanted, "left") - 1
        return np.asarray(self.distance[np.clip(found, self.first, self.last)])


class Directed:
    """The distances of R rows with a border on either side, both directions."""

    def __init__(self, table: DistanceTable) -> None:
        """Take the rows of a table that have entries."""
        self.truth, self.prediction = (
            Sorted(part.sizes[part.sizes > 0], part.distance, part.weight)
            for part in (table.truth, table.prediction)
        )

    @cached_property
    def pooled(self) -> Sorted:
        """The distances of both directions of each row."""
        sides = self.truth, self.prediction
        rows = np.concatenate([np.repeat(np.arange(len(s.sizes)), s.sizes) for s in sides])
        distance, weight = (
            np.concatenate([getattr(side, name) for side in sides])
            for name in ("distance", "weight")
        )
        order = np.lexsort((distance, rows))
        return Sorted(self.truth.sizes + self.prediction.sizes, distance[order], weight[order])


def score_cells(table: DistanceTable, rules: DistanceRules) -> dict[str, Values]:
    """Score every image and class, (N, K) each; NaN where undefined.

    Where one side has no border, distances are the diagonal of the image and the NSD is 0, or as
    the rules say; where neither has one, all are undefined, or as the rules say.
    """
    rows = np.flatnonzero(table.sizes.min(axis=1) > 0)
    apart = ~table.shared & (rules.disjoint == "missed")
    lone: dict[CaseName, NDArray[np.intp]] = {
        "missed": np.flatnonzero((table.sizes[:, 1] == 0) | apart),
        "false_alarm": np.flatnonzero(table.sizes[:, 0] == 0),
    }
    scores = {}
    families, values = score_names(rules), score_rows(table, rules)
    for name, family in families.items():
        cells = np.empty((len(table.diagonal), table.count))
        cells[:] = case_values(rules.case(family, "empty"), table.diagonal)[:, None]
        cells[table.image[rows], table.kind[rows]] = values[name]
        for case, at in lone.items():
            given = case_values(rules.case(family, case), table.diagonal)
            cells[table.image[at], table.kind[at]] = given[table.image[at]]
        scores[name] = cells
    return scores


def score_rows(table: DistanceTable, rules: DistanceRules) -> dict[str, Values]:
    """Score the rows of a table that have a border on either side, in their order."""
    return dict(zip(score_names(rules), _rows(Directed(table), rules), strict=True))


def case_values(case: Case, diagonal: Values) -> Values:
    """Return what a case counts in each image."""
    if case == "diagonal":
        return diagonal
    return np.full(len(diagonal), np.nan if case == "undefined" else case)


def _rows(directed: Directed, rules: DistanceRules) -> Iterator[Values]:
    """Yield the scores of rows with both borders, in the order of their names."""
    for level in (100.0, *(level for level in rules.percentiles if level != 100)):
        yield HAUSDORFF[rules.hausdorff](directed, partial(RANKS[rules.rank], percentile=level))
    yield ASSD[rules.assd](directed)
    yield _mean_of_two(directed)
    for tau in rules.tolerances:
        yield NSD[rules.nsd](directed, tau)


def _pooled_mean(directed: Directed) -> Values:
    one, two = directed.truth, directed.prediction
    return np.asarray((one.mean * one.total + two.mean * two.total) / (one.total + two.total))


def _mean_of_two(directed: Directed) -> Values:
    return np.asarray((directed.truth.mean + directed.prediction.mean) / 2)


def _share(directed: Directed, tau: float) -> Values:
    one, two = directed.truth, directed.prediction
    return np.asarray((one.within(tau) + two.within(tau)) / (one.total + two.total))


def _mean_share(directed: Directed, tau: float) -> Values:
    one, two = directed.truth, directed.prediction
    return np.asarray((one.within(tau) / one.total + two.within(tau) / two.total) / 2)


Ranked = Callable[[Sorted], Values]
RANKS: Final[dict[str, Callable[..., Values]]] = {
    "linear": Sorted.linear,
    "covered": Sorted.covered,
}
HAUSDORFF: Final[dict[str, Callable[[Directed, Ranked], Values]]] = {
    "max": lambda both, rank: np.maximum(rank(both.truth), rank(both.prediction)),
    "pooled": lambda both, rank: rank(both.pooled),
    "prediction": lambda both, rank: rank(both.prediction),
}
ASSD: Final[dict[str, Callable[[Directed], Values]]] = {
    "pooled": _pooled_mean,
    "of-two": _mean_of_two,
    "prediction": lambda both: both.prediction.mean,
}
NSD: Final[dict[str, Callable[..., Values]]] = {"counts": _share, "of-two": _mean_share}
