"""Two runs over the same images -> what changed in the scores of objects, and whether by chance."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from segeval.counting.run import CountedRun
from segeval.errors import RunError
from segeval.labels.ids import as_objects
from segeval.objects.components import components_of
from segeval.objects.counts import ObjectCounts, count_objects
from segeval.objects.names import name_values
from segeval.objects.result import FoundObjects
from segeval.objects.rules import ObjectRules
from segeval.objects.scores import Values, over_classes, summarize_objects
from segeval.scoring.compare import Difference, RunComparison, compare_runs, difference
from segeval.scoring.resampling import Units, changed, draw, swap
from segeval.settings import LabelChoice


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ObjectComparison:
    """Differences of every score of objects, by its name in gates."""

    rules: ObjectRules
    kinds: tuple[str, ...]  # names of the K classes of objects
    means: Mapping[str, Difference]  # of the means over classes
    classes: Mapping[str, Difference]  # (K,)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Sides:
    """The counts of both runs, or of one on either side, and how they are scored."""

    counts: tuple[ObjectCounts, ObjectCounts]
    rules: ObjectRules
    kept: list[int]

    def differences(self, rounds: Iterable[Iterable[Values]]) -> tuple[Any, Any]:
        """Score both sides as often as drawn, (R, N) each: the means, and (R, K) of classes."""
        blocks = []
        for pair in rounds:
            sides = [
                self.named(summarize_objects(counts, self.rules, draws))
                for counts, draws in zip(self.counts, pair, strict=True)
            ]
            blocks.append(
                [{n: two[n] - one[n] for n in one} for one, two in zip(*sides, strict=True)]
            )
        means, classes = zip(*blocks, strict=True)
        return _joined(means), _joined(classes)

    def named(self, values: Mapping[str, Values]) -> tuple[dict[str, Values], dict[str, Values]]:
        """Give scores their names: of the mean over classes, and of each class."""
        levels, kept = self.rules.thresholds, self.kept
        means = over_classes({name: each[:, kept] for name, each in values.items()})
        return name_values(means, levels), name_values(values, levels)


def _joined(blocks: Sequence[Mapping[str, Values]]) -> dict[str, Values]:
    return {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}


def compare_both(
    runs: Sequence[CountedRun], choice: LabelChoice, rules: ObjectRules | None, **how: Any
) -> tuple[list[RunComparison], list[ObjectComparison]]:
    """Compare runs by their pixels, and by their objects if there are rules; see `compare_runs`."""
    if rules is None:
        return compare_runs(runs, choice, **how), []
    objects = [as_objects(run, choice, rules.source) for run in runs]
    comparisons = compare_runs([run for run, _ in objects], objects[0][1], **how)
    return comparisons, [compare_objects(each, rules) for each in comparisons]


def compare_objects(comparison: RunComparison, rules: ObjectRules) -> ObjectComparison:
    """Compare the objects of two runs that are compared, by the same resamples and swaps."""
    both_sides = comparison.baseline, comparison.scores
    if len(held := {components_of(side.run) for side in both_sides}) > 1:
        raise RunError(
            f"components of the runs were counted in two ways: {', '.join(sorted(held))}"
        )
    found = [FoundObjects.of(side, rules) for side in both_sides]
    one, two = (
        count_objects(each.table, rules).map(lambda part: part.sum(axis=2)) for each in found
    )
    both = ObjectCounts.joined(one, two)
    kept = list(found[0].kept)
    units, how = comparison.units, comparison.resampling
    if units.unit.size != len(one.tp):  # groups are averaged; here, images are drawn by group
        units = Units.of(comparison.scores.group_names)
    sides = _Sides(counts=(one, two), rules=rules, kept=kept)
    drawn = sides.differences((draws, draws) for draws in draw(units, how))
    swapped = _Sides(counts=(both, both), rules=rules, kept=kept).differences(
        changed(coins) for coins in swap(units, how)
    )
    values = [sides.named(summarize_objects(side, rules)) for side in (one, two)]
    means, classes = (
        {
            name: difference(
                values[0][part][name][0], each[0], drawn[part][name], swapped[part][name]
            )
            for name, each in values[1][part].items()
        }
        for part in (0, 1)
    )
    return ObjectComparison(rules=rules, kinds=found[0].table.kinds, means=means, classes=classes)
