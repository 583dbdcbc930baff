"""Scores beside those of pixels, as of objects: their intervals and comparisons, by the same draws.

Scores are functions of a side, the images of a run in whatever form, and of how often each image
is drawn. So a comparison scores the images of both runs behind each other, when it swaps them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from segeval.scoring.compare import Difference, RunComparison, difference
from segeval.scoring.gates import BOUNDS
from segeval.scoring.means import Summary
from segeval.scoring.resampling import Units, changed, draw, percentile_interval, swap
from segeval.scoring.score import Scores

Weights = NDArray[np.float64]
Side = TypeVar("Side")
Score = Callable[[Side, Weights], Summary]
"""The scores of the N images of a side, each as often as drawn, (R, N)."""


class Rules(Protocol):
    """How scores are made."""

    def signature_parts(self) -> list[str]:
        """Return what defines them."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Contrast:
    """Differences of scores beside those of pixels, by their names in gates."""

    rules: Rules
    kinds: tuple[str, ...]  # names of the K classes
    means: Mapping[str, Difference]  # of the means over classes
    classes: Mapping[str, Difference]  # (K,)


def once(images: int) -> Weights:
    """Return the weights of so many images, each drawn once."""
    return np.ones((1, images))


def bounds_of(scores: Scores, score: Callable[[Weights], Summary]) -> Summary | None:
    """Return the intervals, (2,) and (2, K), by the resamples of the scores, if there are some."""
    if scores.intervals is None:
        return None
    units = _of_images(scores.intervals.units, scores)
    rounds = Summary.concatenate(map(score, draw(units, scores.intervals.resampling)))
    return rounds.map(percentile_interval)


def name_scores(values: Summary, bounds: Summary | None, kinds: Sequence[str]) -> dict[str, float]:
    """Return scores and their bounds by their names in gates: ``pq``, ``pq.cell``, ``pq.low``."""
    rounds = {"": values}
    if bounds is not None:
        rounds |= {f".{end}": bounds.map(itemgetter(at)) for end, at in BOUNDS.items()}
    found: dict[str, float] = {}
    for end, part in rounds.items():
        found |= {f"{score}{end}": float(value) for score, value in part.means.items()}
        for score, of_kinds in part.classes.items():
            names = (f"{score}.{kind}{end}" for kind in kinds)
            found |= dict(zip(names, of_kinds.tolist(), strict=True))
    return found


def contrast(
    comparison: RunComparison,
    sides: tuple[Side, Side],
    both: Side,
    score: Score[Side],
    *,
    rules: Rules,
    kinds: tuple[str, ...],
) -> Contrast:
    """Compare two runs by further scores; `both` are the images of the one, then of the other."""
    units, how = _of_images(comparison.units, comparison.scores), comparison.resampling

    def rounds(pair: tuple[Side, Side], draws: Iterable[Iterable[Weights]]) -> Summary:
        scored = ([score(s, d) for s, d in zip(pair, each, strict=True)] for each in draws)
        return Summary.concatenate(two.minus(one) for one, two in scored)

    drawn = rounds(sides, ((draws, draws) for draws in draw(units, how)))
    swapped = rounds((both, both), (changed(coins) for coins in swap(units, how)))
    values = [score(side, once(len(comparison.scores.run))) for side in sides]
    means, classes = (
        {
            name: difference(
                getattr(values[0], part)[name][0],
                getattr(values[1], part)[name][0],
                getattr(drawn, part)[name],
                getattr(swapped, part)[name],
            )
            for name in getattr(drawn, part)
        }
        for part in ("means", "classes")
    )
    return Contrast(rules=rules, kinds=kinds, means=means, classes=classes)


def _of_images(units: Units, scores: Scores) -> Units:
    """Return what is drawn, of images: where groups are averaged, these are drawn as a whole."""
    return units if units.unit.size == len(scores.run) else Units.of(scores.group_names)
