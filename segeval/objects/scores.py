"""Object counts -> scores: of each image, of the set, of resamples of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from segeval.objects.counts import ObjectCounts
from segeval.objects.names import name_values
from segeval.objects.rules import ObjectRules
from segeval.scoring.means import Summary
from segeval.scoring.sample import exact_weighted_sum

Values = NDArray[np.float64]

FILL: Final = {"skip": np.nan, "zero": 0.0, "one": 1.0}


def score_counts(counts: ObjectCounts, rules: ObjectRules) -> dict[str, Values]:
    """Return the scores of counts of any shape; those at thresholds have one axis more.

    Where neither side holds an object, all are undefined, or as the rules say. Where there is one,
    a score without a denominator is 0: what is missed cannot raise a mean. Predicted objects alone
    count as none where the rules say so.
    """
    tp, fp, fn, iou = counts.tp, counts.fp, counts.fn, counts.iou
    there = (tp + fn > 0) | ((fp > 0) & (rules.without_truth == "scored"))
    pq = _share(iou, tp + (fp + fn) / 2, there, rules)
    scores = {
        "precision": _share(tp, tp + fp, there, rules),
        "recall": _share(tp, tp + fn, there, rules),
        "f1": _share(2 * tp, 2 * tp + fp + fn, there, rules),
        "ap": _share(tp, tp + fp + fn, there, rules),
        "matched_iou": _share(iou, tp, there, rules),
        "object_dice": _share(counts.dice, tp + fp + fn, there, rules),
    }
    at = rules.panoptic
    scores |= {"pq": pq[..., at], "sq": scores["matched_iou"][..., at], "rq": scores["f1"][..., at]}
    return scores | {"aji": _share(counts.shared, counts.united, counts.united > 0, rules)}


def _share(part: NDArray[Any], whole: NDArray[Any], there: Any, rules: ObjectRules) -> Values:
    value = part / np.where(whole > 0, whole, 1)
    return np.where(there, value, FILL[rules.empty])


def summarize_classes(
    counts: ObjectCounts, weights: Values, *, rules: ObjectRules, kept: Sequence[int]
) -> Summary:
    """Score all images as `summarize_objects` does: every class, and means over those kept."""
    values = summarize_objects(counts, rules, weights)
    means = over_classes({name: each[:, list(kept)] for name, each in values.items()})
    return Summary(means=means, classes=values)


def named_summary(
    counts: ObjectCounts, weights: Values, *, rules: ObjectRules, kept: Sequence[int]
) -> Summary:
    """Give the same scores the names that they have in gates, those at thresholds as well."""
    return named_levels(
        summarize_classes(counts, weights, rules=rules, kept=kept), rules.thresholds
    )


def named_levels(scores: Summary, thresholds: Sequence[float]) -> Summary:
    """Give scores at thresholds, of which some have a last axis, names of their own."""
    means, classes = (name_values(each, thresholds) for each in (scores.means, scores.classes))
    return Summary(means=means, classes=classes)


def summarize_objects(
    counts: ObjectCounts, rules: ObjectRules, draws: Values | None = None
) -> dict[str, Values]:
    """Score all images, each once or as often as it is drawn: (R, …) for R resamples.

    Of the (N, …) counts, the sums are scored, or the scores are averaged over the images in which
    they are defined.
    """
    weights = np.ones((1, len(counts.tp))) if draws is None else draws
    return POOLED[rules.pooling](counts, rules, weights)


def _of_sums(counts: ObjectCounts, rules: ObjectRules, weights: Values) -> dict[str, Values]:
    return score_counts(counts.map(lambda part: _drawn(weights, part)), rules)


def _of_images(counts: ObjectCounts, rules: ObjectRules, weights: Values) -> dict[str, Values]:
    means = {}
    for name, values in score_counts(counts, rules).items():
        defined = ~np.isnan(values)
        total = _drawn(weights, np.where(defined, values, 0.0))
        number = _drawn(weights, defined.astype(np.int64))
        means[name] = np.where(number > 0, total / np.where(number > 0, number, 1), np.nan)
    return means


def _drawn(weights: Values, values: NDArray[Any]) -> Values:
    """Sum (N, …) values as often as each is drawn: (R, …)."""
    flat = values.reshape(len(values), -1)
    return exact_weighted_sum(weights, flat).reshape(len(weights), *values.shape[1:])


def over_classes(values: Mapping[str, Values], axis: int = 1) -> dict[str, Values]:
    """Average scores over the classes in which they are defined."""
    means = {}
    for name, each in values.items():
        number = (~np.isnan(each)).sum(axis=axis)
        total = np.nansum(each, axis=axis)
        means[name] = np.where(number > 0, total / np.where(number > 0, number, 1), np.nan)
    return means


POOLED: Final = {"dataset": _of_sums, "image": _of_images}
"""How the counts of images become scores, by pooling."""
