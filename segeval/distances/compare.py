"""Two runs over the same images -> what changed in their distances, and whether by chance."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from segeval.distances.means import Cells, Means, mean_cells
from segeval.distances.measure import along_axes
from segeval.distances.result import DistanceScores, score_distances
from segeval.distances.rules import DistanceRules
from segeval.distances.values import Values
from segeval.errors import SettingError
from segeval.scoring.compare import Difference, RunComparison, difference, minus
from segeval.scoring.resampling import Units, changed, draw, swap

SAME: Final = 1e-6  # share by which rounding may change the size of a pixel


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DistanceComparison:
    """Differences of every score of distances, by its name in gates."""

    sides: tuple[DistanceScores, DistanceScores]
    means: Mapping[str, Difference]  # of the means over classes
    classes: Mapping[str, Difference]  # (K,)


def compare_distances(comparison: RunComparison, rules: DistanceRules) -> DistanceComparison:
    """Compare the distances of two runs that are compared, by the same resamples and swaps."""
    one, two = (score_distances(s, rules) for s in (comparison.baseline, comparison.scores))
    _check_spacing(one, two)
    units, how = comparison.units, comparison.resampling
    if units.unit.size != len(one.names):  # groups are averaged; here, images are drawn by group
        units = Units.of(comparison.scores.group_names)
    pooling = comparison.scores.convention.pooling
    kept, both = list(one.kept), Cells.joined(one.cells, two.cells)

    def rounds(sides: tuple[Cells, Cells], pairs: Iterable[Iterable[Values]]) -> list[list[Means]]:
        return [
            [mean_cells(c, kept, pooling, d) for c, d in zip(sides, draws, strict=True)]
            for draws in pairs
        ]

    drawn = rounds((one.cells, two.cells), ((draws, draws) for draws in draw(units, how)))
    swapped = rounds((both, both), (changed(coins) for coins in swap(units, how)))
    found: dict[str, dict[str, Difference]] = {}
    for part in ("whole", "classes"):
        found[part] = {
            name: difference(
                getattr(one.means, part)[name][0],
                getattr(two.means, part)[name][0],
                _deltas(drawn, part, name),
                _deltas(swapped, part, name),
            )
            for name in getattr(one.means, part)
        }
    return DistanceComparison(sides=(one, two), means=found["whole"], classes=found["classes"])


def _check_spacing(one: DistanceScores, two: DistanceScores) -> None:
    """Refuse images whose pixels are of one size in a run and of another in the other."""
    for name, steps, others in zip(one.names, one.spacing, two.spacing, strict=True):
        if not np.allclose(steps, others, rtol=SAME, atol=0):
            baseline = along_axes(steps)
            raise SettingError(
                f"{name}: a pixel is {baseline} large in the distances of the baseline, and "
                f"{along_axes(others)} in those of the run; type the same score command with "
                f"--distances --spacing {baseline}, -o RUN and --resume to measure them alike"
            )


def _deltas(rounds: list[list[Means]], part: str, name: str) -> Values:
    """Subtract the first side from the second, in every round."""
    pairs = [[getattr(side, part)[name] for side in pair] for pair in rounds]
    return np.concatenate([minus(two, one) for one, two in pairs])
