"""Two runs over the same images -> what changed in the scores of objects, and whether by chance."""

from functools import partial

from segeval.errors import RunError
from segeval.objects.components import components_of
from segeval.objects.counts import ObjectCounts, count_objects
from segeval.objects.result import FoundObjects
from segeval.objects.rules import ObjectRules
from segeval.objects.scores import named_summary
from segeval.scoring.beside import Contrast, contrast
from segeval.scoring.compare import RunComparison


def compare_objects(comparison: RunComparison, rules: ObjectRules) -> Contrast:
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
    kinds, both = found[0].table.kinds, ObjectCounts.joined(one, two)
    score = partial(named_summary, rules=rules, kept=found[0].kept)
    return contrast(comparison, (one, two), both, score, rules=rules, kinds=kinds)
