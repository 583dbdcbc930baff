"""Scores of images and classes -> means of them, of all images or of resamples of these."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from segeval.distances.kept import DistanceTable
from segeval.distances.names import RATES
from segeval.distances.rules import DistanceRules
from segeval.distances.values import Values, score_cells
from segeval.scoring.means import Summary
from segeval.scoring.pooling import POOLINGS, Step
from segeval.scoring.sample import exact_weighted_sum


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cells:
    """What is known of N images and K classes, (N, K) each."""

    scores: Mapping[str, Values]  # NaN where undefined
    true: NDArray[np.bool_]  # the truth holds the class
    predicted: NDArray[np.bool_]

    @classmethod
    def of(cls, table: DistanceTable, rules: DistanceRules) -> Cells:
        """Score all images and classes of a table."""
        there = np.zeros((2, len(table.diagonal), table.count), np.bool_)
        for side in (0, 1):
            there[side, table.image, table.kind] = table.sizes[:, side] > 0
        return cls(scores=score_cells(table, rules), true=there[0], predicted=there[1])

    @classmethod
    def joined(cls, one: Cells, two: Cells) -> Cells:
        """Put the images of two runs behind each other."""
        scores = {
            name: np.concatenate([values, two.scores[name]]) for name, values in one.scores.items()
        }
        true, predicted = (
            np.concatenate([getattr(one, name), getattr(two, name)])
            for name in ("true", "predicted")
        )
        return cls(scores=scores, true=true, predicted=predicted)


def mean_cells(cells: Cells, weights: Values, *, kept: Sequence[int], pooling: str) -> Summary:
    """Average over images, then over classes; where the pooling says so, the other way round.

    Undefined scores are left out of a mean, and infinite ones make it infinite. A class missed is
    a share of the images whose truth holds it, a false alarm one of those whose truth does not.
    """
    kept = list(kept)
    classes = {name: over_images(weights, values) for name, values in cells.scores.items()}
    average = ORDERS[order_of(pooling)]
    whole = {
        name: average(weights, values[:, kept], classes[name][:, kept])
        for name, values in cells.scores.items()
    }
    rates = _rates(weights, cells)
    whole |= {name: mean_defined(rate[:, kept]) for name, rate in rates.items()}
    return Summary(means=whole, classes=classes | rates)


def order_of(pooling: str) -> Step:
    """Return what is averaged last: sums over images have no distances, which are means there."""
    steps = [step for step in POOLINGS[pooling].steps if step.startswith("mean")]
    return steps[-1] if steps else "mean classes"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sums:
    """Values of N images that are averaged, (N, …): of the finite ones, and how many are not."""

    total: Values
    number: NDArray[np.int64]
    infinite: NDArray[np.int64]

    @classmethod
    def of(cls, values: Values) -> Sums:
        """Take every value that is defined for itself."""
        infinite = np.isinf(values)
        finite = ~np.isnan(values) & ~infinite
        number, endless = finite.astype(np.int64), infinite.astype(np.int64)
        return cls(total=np.where(finite, values, 0.0), number=number, infinite=endless)

    def map(self, change: Callable[[NDArray[Any]], NDArray[Any]]) -> Sums:
        """Apply a function to each part."""
        parts = {name: change(getattr(self, name)) for name in self.__dataclass_fields__}
        return Sums(**parts)

    @classmethod
    def joined(cls, one: Sums, two: Sums) -> Sums:
        """Put the images of two runs behind each other."""
        names = cls.__dataclass_fields__
        return cls(**{n: np.concatenate([getattr(one, n), getattr(two, n)]) for n in names})

    def drawn(self, weights: Values) -> Values:
        """Average over all images, each as often as drawn: (R, …), NaN where none is defined."""
        return self.map(partial(exact_weighted_sum, weights)).mean

    @property
    def mean(self) -> Values:
        """The mean of each place; infinite ones make it infinite."""
        some = self.number > 0
        mean = np.where(some, self.total / np.where(some, self.number, 1), np.nan)
        return np.where(self.infinite > 0, np.inf, mean)


def over_images(weights: Values, values: Values) -> Values:
    """Average (N, …) values over the images in which they are defined: (R, …)."""
    return Sums.of(values).drawn(weights)


def mean_defined(values: Values) -> Values:
    """Average the last axis, where defined."""
    number = (~np.isnan(values)).sum(axis=-1)
    total = np.nansum(values, axis=-1)
    return np.where(number > 0, total / np.where(number > 0, number, 1), np.nan)


def _pairs(weights: Values, values: Values, _: Values) -> Values:
    """Average over all classes of all images at once."""
    defined = ~np.isnan(values)
    sums = [np.nansum(values, axis=1), defined.sum(axis=1)]
    number = over_images(weights, sums[1].astype(np.float64))
    return over_images(weights, sums[0]) / np.where(number > 0, number, np.nan)


ORDERS: Final[dict[str, Callable[[Values, Values, Values], Values]]] = {
    "mean classes": lambda _, __, classes: mean_defined(classes),
    "mean images": lambda weights, values, _: over_images(weights, mean_defined(values)),
    "mean pairs": _pairs,
}


def _rates(weights: Values, cells: Cells) -> dict[str, Values]:
    """Return the shares of images in which a class is missed, or is a false alarm: (R, K)."""
    cases = (cells.true, ~cells.predicted), (~cells.true, cells.predicted)
    rates = {}
    for name, (asked, wrong) in zip(RATES, cases, strict=True):
        of, found = (_sum(weights, part) for part in (asked, asked & wrong))
        rates[name] = np.where(of > 0, found / np.where(of > 0, of, 1), np.nan)
    return rates


def _sum(weights: Values, part: NDArray[np.bool_]) -> NDArray[Any]:
    return exact_weighted_sum(weights, part.astype(np.int64))
