"""The mean of a score over images and classes: what mIoU is.

Let s(c, n) be the score of class c in image n, and S(c) that of its counts summed over all images.
mIoU, and the mean of any other score of a class, is under each pooling

==============  ===================================================================
``dataset``     mean over c of S(c), the default
``image``       mean over n of the mean over c of s(c, n)
``class``       mean over c of the mean over n of s(c, n)
``pair``        mean over all pairs (c, n) of s(c, n)
``micro``       the score of the counts summed over all n and all c
``image-micro`` mean over n of the score of the counts of image n summed over all c
``group``       as ``image``, where n are groups of images, and their counts are summed
``track``       as ``pair``, where n are sequences, and s(c, n) is the mean over their frames
``track-decay`` as ``track``, where s(c, n) is the mean over the first quarter less the last
``dataset-mm3`` as ``dataset``, where each voxel counts as many times as it has mm³
==============  ===================================================================

`POOLINGS` holds these as steps, and `mean_score` runs them. A class, an image or a mean without a
score is NaN. Means omit NaN or propagate it, as SciPy calls it; the convention says which, or what
counts instead. A sample may be B resamples of the images; then there are B means.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from operator import itemgetter
from typing import Final

import numpy as np
from numpy.typing import NDArray

from segeval.counting.confusion import ClassCounts
from segeval.errors import SettingError
from segeval.scoring.convention import TREATMENTS, WEIGHTS, Convention
from segeval.scoring.metrics import (
    OVERALL,
    ROUNDING,
    Metric,
    OverallMetric,
    metric_of,
    metrics_of,
    ratio,
)
from segeval.scoring.pooling import POOLINGS, Step
from segeval.scoring.sample import (
    Axis,
    Sample,
    exact_weighted_sum,
    sum_classes,
    sum_over,
    without_classes,
    without_void_images,
)
from segeval.scoring.tracks import REDUCTIONS
from segeval.settings import Absent, Unseen, Weighting, Weightless

AXES: Final[dict[Step, Axis]] = {
    "sum classes": "classes",
    "mean classes": "classes",
    "mean images": "images",
    "mean pairs": "pairs",
}  # what scores are averaged over; where the counts of classes are summed, there is one of them
AT_ONCE: Final = 1 << 14  # images that are scored together, each by itself
OVER_IMAGES: Final = {"mean images", "mean pairs"}


def mean_score(
    convention: Convention, metric: Metric, sample: Sample, excluded: Sequence[int]
) -> NDArray[np.float64]:
    """Average a metric over images and classes: mIoU, if the metric is IoU; the formula is above.

    ``excluded`` are positions of classes left out. (B,) values in [0, 1]; NaN where undefined.
    """
    sample, pooling = without_void_images(convention, sample), POOLINGS[convention.pooling]
    mean = _run_steps(pooling.steps, convention, metric, sample, excluded)
    nothing = np.isnan(mean.scores) & ~mean.propagates
    return np.where(nothing, TREATMENTS[convention.nothing].score, mean.scores)


def _run_steps(
    steps: Sequence[Step],
    convention: Convention,
    metric: Metric,
    sample: Sample,
    excluded: Sequence[int],
) -> MaskedScores:
    """Run steps of the pooling: sum counts, score the classes, average the scores.

    What comes before a mean over images is the same for all that is drawn of them.
    """
    sample = sample.counted_for(metric.name)
    drawn = next((n for n, step in enumerate(steps) if step in OVER_IMAGES), len(steps))
    first = tuple(steps[:drawn])
    if "sum images" in first:
        values = _score_pools(first, convention, metric, sample.pool, excluded)
    else:
        values = sample.once(
            (first, convention, metric, tuple(excluded) if first else ()),
            lambda: _score_pools(first, convention, metric, sample.images, excluded),
        )
    for step in steps[drawn:]:
        values = _mean(step, convention, values, sample, excluded)
    return values


def _score_pools(
    steps: Sequence[Step],
    convention: Convention,
    metric: Metric,
    counts: ClassCounts,
    excluded: Sequence[int],
) -> MaskedScores:
    """Score the classes of each pool of counts, and average them if a step does so."""
    if "sum classes" in steps:
        counts, excluded = sum_classes(counts, excluded), ()
    over = next((step for step in steps if step in AXES), None)
    if over is not None and counts.total.ndim == 1 and _is_generalized(convention, metric):
        return _generalized(convention, without_classes(counts, excluded))
    values = _score(convention, metric, counts)
    pools = Sample(images=counts, pool=counts)
    return values if over is None else _mean(over, convention, values, pools, excluded)


def _mean(
    step: Step,
    convention: Convention,
    values: MaskedScores,
    sample: Sample,
    excluded: Sequence[int],
) -> MaskedScores:
    """Take the mean of a step; the counts of the pool weigh its classes."""
    return mean_of_defined(
        values.without(excluded) if step in {"mean classes", "mean pairs"} else values,
        AXES[step],
        draws=sample.draws,
        weights=_weights(convention, sample.pool) if step == "mean classes" else None,
        weightless=convention.weightless,
        empty=convention.empty if step == POOLINGS[convention.pooling].filled else "skip",
    )


def class_scores(convention: Convention, metric: Metric, sample: Sample) -> NDArray[np.float64]:
    """Score each class, of summed counts or as its mean over images; (B, K), NaN if undefined."""
    sample, pooling = without_void_images(convention, sample), POOLINGS[convention.pooling]
    return _run_steps((pooling.over_images,), convention, metric, sample, ()).scores


def image_scores(
    convention: Convention, metric: Metric, images: ClassCounts, excluded: Sequence[int]
) -> NDArray[np.float64]:
    """Average a metric over the classes of each image; (N,) values, NaN where undefined."""
    steps, how = (POOLINGS[convention.pooling].over_classes,), replace(convention, empty="skip")
    found = []
    for start in range(0, max(1, len(images.total)), AT_ONCE):
        sample = Sample.of(images.map(itemgetter(slice(start, start + AT_ONCE))))
        found.append(_run_steps(steps, how, metric, sample, excluded).scores)
    return np.concatenate(found)


def worst_mean(
    convention: Convention, metric: Metric, sample: Sample, excluded: Sequence[int]
) -> NDArray[np.float64]:
    """Average the worst share of the images, or the means of the worst share of each class."""
    sample, percent = without_void_images(convention, sample), convention.worst or 100
    if POOLINGS[convention.pooling].steps[-1] == "mean images":
        values = _run_steps(["mean classes"], convention, metric, sample, excluded)
        scores, propagates = values.scores[:, None], values.propagates[:, None]
        return mean_of_worst(scores, percent, propagates=propagates, draws=sample.draws)[:, 0]
    of_classes = _run_steps(["mean images"], convention, metric, sample, excluded)
    scores = convention.score_classes(metric, sample.images.of(metric.name))
    worst = mean_of_worst(scores, percent, draws=sample.draws)
    scores = np.where(np.isnan(worst), of_classes.scores, worst)
    return mean_of_defined(replace(of_classes, scores=scores).without(excluded), "classes").scores


def _score(convention: Convention, metric: Metric, counts: ClassCounts) -> MaskedScores:
    """Score the classes of pools, or, in the place of each, those of a sequence over its frames."""
    scores = convention.score_classes(metric, counts)
    propagates = convention.propagates(metric, counts)
    if scores.ndim > 2:
        over_frames = REDUCTIONS[POOLINGS[convention.pooling].frames]
        scores = over_frames(scores, ~np.isnan(counts.total))
        propagates = np.asarray(propagates.any(axis=1))
        scores[propagates] = np.nan
    return MaskedScores(scores=scores, propagates=propagates)


def _score_overall(overall: OverallMetric, counts: ClassCounts) -> NDArray[np.float64]:
    """Score all classes of pools together; objects of a sequence have no such score."""
    if counts.total.ndim > 1:
        return np.full(len(counts.total), np.nan)
    return overall.score(counts)


def _is_generalized(convention: Convention, metric: Metric) -> bool:
    return metric.name == "dice" and convention.generalized != "none"


def _generalized(convention: Convention, pool: ClassCounts) -> MaskedScores:
    """Score each pool by the generalised Dice; one without any class is treated as absent."""
    scores = generalized_dice(pool, convention.generalized, unseen=convention.unseen)
    nothing, absent = np.isnan(scores), TREATMENTS[convention.absent]
    scores[nothing] = absent.score
    return MaskedScores(scores=scores, propagates=nothing & absent.propagates)


def _weights(convention: Convention, counts: ClassCounts) -> NDArray[np.float64] | None:
    if isinstance(convention.weights, tuple):
        classes = counts.tp.shape[-1]
        if len(convention.weights) != classes:
            raise SettingError(f"{len(convention.weights)} weights do not fit {classes} classes")
        return np.broadcast_to(np.array(convention.weights, np.float64), counts.tp.shape)
    least = WEIGHTS[convention.weights].least
    return None if least is None else np.maximum(counts.support, least).astype(np.float64)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MaskedScores:
    """Scores, NaN where undefined, and which of these NaN propagate to the means."""

    scores: NDArray[np.float64]
    propagates: NDArray[np.bool_]

    def without(self, excluded: Sequence[int]) -> MaskedScores:
        """Return a copy in which the excluded classes are left out."""
        scores, propagates = self.scores.copy(), self.propagates.copy()
        scores[..., excluded], propagates[..., excluded] = np.nan, False
        return MaskedScores(scores=scores, propagates=propagates)


def mean_of_defined(
    values: MaskedScores,
    over: Axis,
    *,
    draws: NDArray[np.float64] | None = None,
    weights: NDArray[np.float64] | None = None,
    weightless: Weightless = "skip",
    empty: Absent = "skip",
) -> MaskedScores:
    """Average over an axis, see `sum_over`: omit NaN, or propagate it where the values say so.

    ``weightless`` is the mean of what weighs nothing, ``empty`` that where no value is defined.
    """
    defined = ~np.isnan(values.scores)
    scores, number = np.where(defined, values.scores, 0.0), sum_over(over, defined, draws)
    propagating = sum_over(over, values.propagates, draws)
    if weights is None:
        means = ratio(sum_over(over, scores, draws), number)
        propagates = propagating > 0
    else:
        weight = sum_over(over, np.where(defined, weights, 0.0), draws)
        means = ratio(sum_over(over, scores * weights, draws), weight)
        unweighed = (
            ratio(sum_over(over, scores, draws), number)
            if weightless == "mean"
            else TREATMENTS[weightless].score
        )
        means = np.where((number > 0) & (weight == 0), unweighed, means)
        propagates = sum_over(over, values.propagates & (weights > 0), draws) > 0
    without = number + propagating == 0
    means = np.where(without, TREATMENTS[empty].score, means)
    propagates |= without & TREATMENTS[empty].propagates
    return MaskedScores(scores=np.where(propagates, np.nan, means), propagates=propagates)


def mean_over_images(values: NDArray[np.float64], sample: Sample) -> NDArray[np.float64]:
    """Average the defined ones of the (N,) values of the images; (B,), NaN where there is none."""
    scores = MaskedScores(scores=values, propagates=np.zeros(values.shape, np.bool_))
    return mean_of_defined(scores, "images", draws=sample.draws).scores


def mean_of_worst(
    values: NDArray[np.float64],
    percent: float,
    *,
    propagates: NDArray[np.bool_] | None = None,
    draws: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Average the lowest q % of the defined values of each column, at least one.

    The share of the (N, M) values is rounded down to a whole number of them. (B, M) means; NaN
    where no value is defined, or where one that propagates is drawn.

    Wang et al. 2023, Revisiting Evaluation Metrics for Semantic Segmentation, NeurIPS.
    """
    drawn = np.ones((1, values.shape[0])) if draws is None else draws
    defined = exact_weighted_sum(drawn, ~np.isnan(values))
    count = np.maximum(1, (defined * percent / 100).astype(np.int64))
    columns = [
        _sum_of_lowest(column, number, draws)
        for column, number in zip(values.T, count.T, strict=True)
    ]
    means = ratio(np.stack(columns, axis=-1), np.minimum(count, defined))
    if propagates is None:
        return means
    return np.where(exact_weighted_sum(drawn, propagates) > 0, np.nan, means)


def _sum_of_lowest(
    values: NDArray[np.float64], count: NDArray[np.int64], draws: NDArray[np.float64] | None
) -> NDArray[np.float64]:
    """Sum the lowest of (N,) values in each of B resamples; ``count`` (B,) says how many."""
    order = np.argsort(values)[: np.count_nonzero(~np.isnan(values))]
    if draws is None:
        return np.asarray(values[order[: count[0]]].sum(keepdims=True))
    reach, most = 2 * int(count.max()), order.size
    while reach < most and (draws[:, order[:reach]].sum(axis=1) < count).any():
        reach *= 2
    order = order[:reach]
    times = draws[:, order]
    before = times.cumsum(axis=1) - times
    return exact_weighted_sum(np.clip(count[:, None] - before, 0, times), values[order])


POWER = {"uniform": 0, "simple": 1, "square": 2}


def generalized_dice(
    counts: ClassCounts, weighting: Weighting, *, unseen: Unseen
) -> NDArray[np.float64]:
    """Score all classes of each pool together: sum w 2 tp / sum w (support + predicted).

    By the weighting, w is 1 / support, 1 / support^2, or 1; that of a class without true pixels is
    that of the heaviest other class, or 0. Values in [0, 1]; NaN where no class is on either side.

    Sudre et al. 2017, doi:10.1007/978-3-319-67558-9_28.
    """
    support = counts.support.astype(np.float64)
    weights = ratio(np.ones_like(support), support ** POWER[weighting])
    if unseen == "largest":
        largest = np.nanmax(np.nan_to_num(weights), axis=-1, keepdims=True, initial=0.0)
        weights = np.where(np.isnan(weights), np.where(largest > 0, largest, 1.0), weights)
    weights = np.nan_to_num(weights)
    sizes = counts.support + counts.predicted
    scores = ratio(2 * (weights * counts.tp).sum(axis=-1), (weights * sizes).sum(axis=-1))
    return np.where(sizes.sum(axis=-1) > 0, np.nan_to_num(scores), np.nan)


def _classes_in_mean(
    convention: Convention, metric: Metric, sample: Sample, excluded: Sequence[int]
) -> int:
    included = np.ones(sample.images.tp.shape[-1], np.bool_)
    included[list(excluded)] = False
    by_class = POOLINGS[convention.pooling].filled == "mean images"
    if _scores_whole_pools(convention, metric) or (by_class and convention.empty != "skip"):
        return int(included.sum())
    return int((_enters_mean(convention, metric, sample).any(axis=0) & included).sum())


def count_classes_in_means(
    convention: Convention, sample: Sample, excluded: Sequence[int]
) -> dict[str, int]:
    """Count the classes that enter each mean anywhere."""
    metrics = metrics_of(sample.images)
    return {m.mean: _classes_in_mean(convention, m, sample, excluded) for m in metrics}


def depends_on_class_count(
    convention: Convention, images: ClassCounts, excluded: Sequence[int]
) -> bool:
    """Tell whether one more class that is in no mask would change the headline."""
    if isinstance(convention.weights, tuple) or POOLINGS[convention.pooling].frames:
        return False
    more = images.map(lambda part: np.pad(part, ((0, 0), (0, 1))), total=images.total)
    mean = worst_mean if "_worst" in convention.headline else mean_score
    metric = metric_of(convention.headline)
    before, after = (
        mean(convention, metric, Sample.of(each), excluded)[0] for each in (images, more)
    )
    return not np.isclose(before, after, rtol=0, atol=ROUNDING, equal_nan=True)


def count_images_in_means(
    convention: Convention, sample: Sample, excluded: Sequence[int]
) -> dict[str, int]:
    """Count the images that enter each mean and overall score; judged ones if counts are summed."""
    pooling, judged = POOLINGS[convention.pooling], int(np.count_nonzero(sample.images.total))
    metrics = metrics_of(sample.images)
    if "sum images" in pooling.steps:
        return dict.fromkeys([*(metric.mean for metric in metrics), *OVERALL], judged)
    chosen, steps = without_void_images(convention, sample), (pooling.over_classes,)
    means = {m.mean: _run_steps(steps, convention, m, chosen, excluded) for m in metrics}
    entering = {name: ~np.isnan(each.scores) | each.propagates for name, each in means.items()}
    overall = {row.name: ~np.isnan(_score_overall(row, sample.images)) for row in OVERALL.values()}
    return {name: int(np.count_nonzero(part)) for name, part in (entering | overall).items()}


def count_values_in_mean(
    convention: Convention, metric: Metric, sample: Sample, excluded: Sequence[int]
) -> int:
    """Count the values that enter a mean: of classes, images or both, as the pooling has them."""
    sample = without_void_images(convention, sample)
    if _scores_whole_pools(convention, metric):
        pooling = POOLINGS[convention.pooling]
        steps = [step for step in pooling.steps if step == "sum images"]
        values = _run_steps([*steps, pooling.over_classes], convention, metric, sample, excluded)
        return int(np.count_nonzero(~np.isnan(values.scores)))
    return int(np.delete(_enters_mean(convention, metric, sample), excluded, axis=-1).sum())


def _scores_whole_pools(convention: Convention, metric: Metric) -> bool:
    """Tell whether all classes of a pool have one score together."""
    summed = "sum classes" in POOLINGS[convention.pooling].steps
    return summed or _is_generalized(convention, metric)


def _enters_mean(convention: Convention, metric: Metric, sample: Sample) -> NDArray[np.bool_]:
    summed = "sum images" in POOLINGS[convention.pooling].steps
    sample = sample.counted_for(metric.name)
    counts = sample.pool if summed else sample.images
    values, weights = _score(convention, metric, counts), _weights(convention, counts)
    enters = ~np.isnan(values.scores) | values.propagates
    return enters if weights is None else enters & (weights > 0)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Summary:
    """Scores of B resamples of the images, NaN where undefined."""

    means: Mapping[str, NDArray[np.float64]]  # (B,) by name, overall scores as well
    classes: Mapping[str, NDArray[np.float64]]  # (B, K) by metric

    def minus(self, other: Summary) -> Summary:
        """Subtract the scores of another summary of as many resamples."""
        return Summary(
            means={name: minus(values, other.means[name]) for name, values in self.means.items()},
            classes={n: minus(values, other.classes[n]) for n, values in self.classes.items()},
        )

    def map(self, change: Callable[[NDArray[np.float64]], NDArray[np.float64]]) -> Summary:
        """Apply a function to the scores of every name."""
        parts = (self.means, self.classes)
        means, classes = ({n: change(values) for n, values in part.items()} for part in parts)
        return Summary(means=means, classes=classes)

    @classmethod
    def concatenate(cls, summaries: Iterable[Summary]) -> Summary:
        """Put the resamples of several summaries one after the other."""
        parts = list(summaries)
        return cls(
            means={n: np.concatenate([part.means[n] for part in parts]) for n in parts[0].means},
            classes={
                n: np.concatenate([part.classes[n] for part in parts]) for n in parts[0].classes
            },
        )


def minus(value: NDArray[np.float64], baseline: NDArray[np.float64]) -> NDArray[np.float64]:
    """Subtract scores; what is infinite on both sides has no difference, NaN."""
    with np.errstate(invalid="ignore"):
        return value - baseline


def summarize(convention: Convention, sample: Sample, excluded: Sequence[int]) -> Summary:
    """Score a sample under a convention; the excluded classes are left out of the means."""
    means: dict[str, NDArray[np.float64]] = {}
    classes: dict[str, NDArray[np.float64]] = {}
    for metric in metrics_of(sample.images):
        classes[metric.name] = class_scores(convention, metric, sample)
        means[metric.mean] = mean_score(convention, metric, sample, excluded)
        if convention.worst is not None:
            worst = worst_mean(convention, metric, sample, excluded)
            means[f"{metric.mean}_worst{convention.worst:g}"] = worst
    summed = "sum images" in POOLINGS[convention.pooling].steps
    for overall in OVERALL.values():
        if summed:
            means[overall.name] = overall.score(sample.pool)
        else:
            values = sample.once(overall.name, partial(_score_overall, overall, sample.images))
            means[overall.name] = mean_over_images(values, sample)
    return Summary(means=means, classes=classes)
