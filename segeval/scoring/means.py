"""Counts of images and classes -> one number a drawing, in the order that a convention says.

Every mean is made of folds: over the classes of an image, over the images of a class, over all. A
sample may draw its images many times over; the scores of a data set are those of one drawing, of
every image once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segeval.counting.confusion import ClassCounts
from segeval.errors import SettingError
from segeval.scoring.convention import VALUE, Convention
from segeval.scoring.metrics import METRICS, OVERALL, Metric, ratio
from segeval.scoring.sample import (
    Sample,
    exact_weighted_sum,
    sum_classes,
    without_classes,
    without_void_images,
)
from segeval.settings import Absent, Unseen, Weighting, Weightless


def mean_over_images(values: NDArray[np.float64], sample: Sample) -> NDArray[np.float64]:
    """Average the defined ones of the (N,) values of the images; (B,), NaN where there is none."""
    scores = MaskedScores(scores=values, propagates=np.zeros(values.shape, np.bool_))
    return mean_of_defined(scores, sample.add).scores


def mean_score(
    convention: Convention, metric: Metric, sample: Sample, excluded: Sequence[int]
) -> NDArray[np.float64]:
    """Average a metric over everything.

    Parameters
    ----------
    convention : Convention
        What is pooled, left out and weighed.
    metric : Metric
        Score of a class.
    sample : Sample
        Counts of each image and class, and how often the images are drawn.
    excluded : sequence of int
        Positions of the classes that are left out of the means.

    Returns
    -------
    (B,) float64 array
        In [0, 1]; NaN where undefined.
    """
    sample = without_void_images(convention, sample)
    if convention.pooling == "pair":
        values = _class_values(convention, metric, sample.images).without(excluded)
        total = mean_of_defined(values, sample.add_all)
    elif convention.pooling == "class":
        values = _mean_over_images(convention, metric, sample).without(excluded)
        weights = _weights(convention, sample.pool)
        total = mean_of_defined(
            values, add_classes, weights=weights, weightless=convention.weightless
        )
    else:
        total = _image_values(convention, metric, sample, excluded)
        if convention.pooling not in {"dataset", "micro"}:
            total = mean_of_defined(total, sample.add)
    nothing = np.isnan(total.scores) & ~total.propagates
    return np.where(nothing, VALUE[convention.nothing], total.scores)


def image_scores(
    convention: Convention, metric: Metric, images: ClassCounts, excluded: Sequence[int]
) -> NDArray[np.float64]:
    """Average a metric over the classes of each image; (N,) values, NaN where undefined."""
    pool = sum_classes(images, excluded) if "micro" in convention.pooling else images
    return _mean_over_classes(convention, metric, pool, excluded, empty="skip").scores


def class_scores(convention: Convention, metric: Metric, sample: Sample) -> NDArray[np.float64]:
    """Score each class: of the summed counts, or its mean over the images in which it is defined.

    Returns
    -------
    (B, K) float64 array
        NaN where undefined.
    """
    sample = without_void_images(convention, sample)
    if convention.pooling in {"dataset", "micro"}:
        return _class_values(convention, metric, sample.pool).scores
    return _mean_over_images(convention, metric, sample).scores


def worst_mean(
    convention: Convention, metric: Metric, sample: Sample, excluded: Sequence[int]
) -> NDArray[np.float64]:
    """Average the worst share of the images, or the means of the worst share of each class."""
    sample, percent = without_void_images(convention, sample), convention.worst or 100
    if convention.pooling == "image":
        of_images = _image_values(convention, metric, sample, excluded)
        scores, propagates = of_images.scores[:, None], of_images.propagates[:, None]
        return mean_of_worst(scores, percent, propagates=propagates, draws=sample.draws)[:, 0]
    values = _class_values(convention, metric, sample.images)
    scores = mean_of_worst(values.scores, percent, draws=sample.draws)
    empty = _mean_over_images(convention, metric, sample)
    scores = np.where(np.isnan(scores), empty.scores, scores)
    by_class = MaskedScores(
        scores=scores, propagates=(sample.add(values.propagates) > 0) | empty.propagates
    )
    return mean_of_defined(by_class.without(excluded), add_classes).scores


def count_classes_in_mean(
    convention: Convention, metric: Metric, sample: Sample, excluded: Sequence[int]
) -> int:
    """Count the classes that enter the mean of a metric anywhere."""
    included = np.ones(sample.images.tp.shape[-1], np.bool_)
    included[list(excluded)] = False
    if "micro" in convention.pooling or _is_generalized(convention, metric):
        return int(included.sum())
    if convention.pooling == "class" and convention.empty != "skip":
        return int(included.sum())
    return int((_enters_mean(convention, metric, sample).any(axis=0) & included).sum())


def count_values_in_mean(
    convention: Convention, metric: Metric, sample: Sample, excluded: Sequence[int]
) -> int:
    """Count the (class, image) values that enter a mean; values of classes if counts are pooled.

    Where classes are summed up, or the Dice is generalised, an image has one value; where all
    counts are, there is a single one.
    """
    sample = without_void_images(convention, sample)
    if "micro" in convention.pooling or _is_generalized(convention, metric):
        values = _image_values(convention, metric, sample, excluded)
        return int(np.count_nonzero(~np.isnan(values.scores)))
    return int(np.delete(_enters_mean(convention, metric, sample), excluded, axis=-1).sum())


def _enters_mean(convention: Convention, metric: Metric, sample: Sample) -> NDArray[np.bool_]:
    """Return which values of the pools have a part in the means."""
    pool = sample.pool if convention.pooling == "dataset" else sample.images
    values = _class_values(convention, metric, pool)
    return (~np.isnan(values.scores) | values.propagates) & (_weights(convention, pool) > 0)


def _image_values(
    convention: Convention, metric: Metric, sample: Sample, excluded: Sequence[int]
) -> MaskedScores:
    """Average over the classes of each image, or of each drawing as if it were one image."""
    pool = sample.pool if convention.pooling in {"dataset", "micro"} else sample.images
    if "micro" in convention.pooling:
        pool = sum_classes(pool, excluded)
    return _mean_over_classes(convention, metric, pool, excluded, empty=convention.empty)


def _mean_over_classes(
    convention: Convention,
    metric: Metric,
    pool: ClassCounts,
    excluded: Sequence[int],
    *,
    empty: Absent,
) -> MaskedScores:
    """Average over the classes of each pool."""
    if _is_generalized(convention, metric):
        return _generalized(convention, without_classes(pool, excluded))
    values = _class_values(convention, metric, pool)
    if "micro" in convention.pooling:
        return mean_of_defined(values, add_classes, empty=empty)
    return mean_of_defined(
        values.without(excluded),
        add_classes,
        weights=_weights(convention, pool),
        weightless=convention.weightless,
        empty=empty,
    )


def _mean_over_images(convention: Convention, metric: Metric, sample: Sample) -> MaskedScores:
    """Average each class over the images."""
    empty = convention.empty if convention.pooling == "class" else "skip"
    return mean_of_defined(
        _class_values(convention, metric, sample.images), sample.add, empty=empty
    )


def _class_values(convention: Convention, metric: Metric, counts: ClassCounts) -> MaskedScores:
    return MaskedScores(
        scores=convention.score_classes(metric, counts),
        propagates=convention.propagates(metric, counts),
    )


def _is_generalized(convention: Convention, metric: Metric) -> bool:
    return metric.name == "dice" and convention.generalized != "none"


def _generalized(convention: Convention, pool: ClassCounts) -> MaskedScores:
    """Score each pool by the generalised Dice; one without any class is worth what it is told."""
    scores = generalized_dice(pool, convention.generalized, unseen=convention.unseen)
    nothing = np.isnan(scores)
    scores[nothing] = VALUE[convention.absent]
    return MaskedScores(scores=scores, propagates=nothing & (convention.absent == "undefined"))


def _weights(convention: Convention, counts: ClassCounts) -> NDArray[np.float64]:
    """Return the weight of every class of every pool."""
    if isinstance(convention.weights, tuple):
        classes = counts.tp.shape[-1]
        if len(convention.weights) != classes:
            raise SettingError(f"{len(convention.weights)} weights do not fit {classes} classes")
        return np.broadcast_to(np.array(convention.weights, np.float64), counts.tp.shape)
    if convention.weights == "none":
        return np.ones(counts.tp.shape)
    least = 1 if convention.weights == "support-or-one" else 0
    return np.maximum(counts.support, least).astype(np.float64)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MaskedScores:
    """Scores, NaN where undefined, and which of these make the means undefined as well."""

    scores: NDArray[np.float64]
    propagates: NDArray[np.bool_]

    def without(self, excluded: Sequence[int]) -> MaskedScores:
        """Return a copy in which the excluded classes are left out."""
        scores, propagates = self.scores.copy(), self.propagates.copy()
        scores[..., excluded], propagates[..., excluded] = np.nan, False
        return MaskedScores(scores=scores, propagates=propagates)


def add_classes(values: NDArray[Any]) -> NDArray[Any]:
    """Add up over the classes of each pool."""
    return np.asarray(values.sum(axis=-1))


def mean_of_defined(
    values: MaskedScores,
    add: Callable[[NDArray[Any]], NDArray[Any]],
    *,
    weights: NDArray[np.float64] | None = None,
    weightless: Weightless = "skip",
    empty: Absent = "skip",
) -> MaskedScores:
    """Average what is defined, along the axis that is added up."""
    defined = ~np.isnan(values.scores)
    scores, number = np.where(defined, values.scores, 0.0), add(defined)
    if weights is None:
        means, propagates = ratio(add(scores), number), add(values.propagates) > 0
    else:
        weight = add(np.where(defined, weights, 0.0))
        means = ratio(add(scores * weights), weight)
        unweighed = (number > 0) & (weight == 0)
        plain = ratio(add(scores), number) if weightless == "mean" else VALUE[weightless]
        means = np.where(unweighed, plain, means)
        propagates = add(values.propagates & (weights > 0)) > 0
    without = add(defined | values.propagates) == 0
    means = np.where(without, VALUE[empty], means)
    propagates = propagates | (without & (empty == "undefined"))
    return MaskedScores(scores=np.where(propagates, np.nan, means), propagates=propagates)


def mean_of_worst(
    values: NDArray[np.float64],
    percent: float,
    *,
    propagates: NDArray[np.bool_] | None = None,
    draws: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Average the lowest so many percent of the defined values of each column, at least one.

    Parameters
    ----------
    values : (N, M) float64 array
        NaN where undefined.
    percent : float
        Share of the values, rounded down to a whole number of them.
    propagates : (N, M) bool array, optional
        Undefined values that take part as the highest ones.
    draws : (B, N) float64 array, optional
        How often each row is drawn; None is once, and B = 1.

    Returns
    -------
    (B, M) float64 array
        NaN where no value is defined, or where the share reaches a propagates one.

    References
    ----------
    Wang et al. 2023, Revisiting Evaluation Metrics for Semantic Segmentation, NeurIPS.
    """
    drawn = np.ones((1, values.shape[0])) if draws is None else draws
    last = 0.0 if propagates is None else exact_weighted_sum(drawn, propagates)
    defined = exact_weighted_sum(drawn, ~np.isnan(values))
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
    return exact_weighted_sum(np.clip(count[:, None] - before, 0, times), values[order])


POWER = {"uniform": 0, "simple": 1, "square": 2}


def generalized_dice(
    counts: ClassCounts, weighting: Weighting, *, unseen: Unseen
) -> NDArray[np.float64]:
    """Score all classes of each pool together: sum w 2 tp / sum w (support + predicted).

    Parameters
    ----------
    counts : ClassCounts
        (..., K) counts.
    weighting : {"simple", "square", "uniform"}
        w is 1 / support, 1 / support^2, or 1.
    unseen : {"largest", "zero"}
        w of a class without true pixels: that of the heaviest other class, or 0.

    Returns
    -------
    (...) float64 array
        Values in [0, 1]; NaN where no class is on either side.

    References
    ----------
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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Summary:
    """Scores of B drawings of the images, NaN where undefined.

    Attributes
    ----------
    means : mapping of str to (B,) float64 array
        Means and overall scores by name.
    classes : mapping of str to (B, K) float64 array
        Scores of each class by metric.
    """

    means: Mapping[str, NDArray[np.float64]]
    classes: Mapping[str, NDArray[np.float64]]

    def minus(self, other: Summary) -> Summary:
        """Subtract the scores of another summary of equally many drawings."""
        return Summary(
            means={name: values - other.means[name] for name, values in self.means.items()},
            classes={name: values - other.classes[name] for name, values in self.classes.items()},
        )


def concatenate(summaries: Iterable[Summary]) -> Summary:
    """Put the drawings of several summaries one after the other."""
    parts = list(summaries)
    return Summary(
        means={n: np.concatenate([part.means[n] for part in parts]) for n in parts[0].means},
        classes={n: np.concatenate([part.classes[n] for part in parts]) for n in parts[0].classes},
    )


def summarize(convention: Convention, sample: Sample, excluded: Sequence[int]) -> Summary:
    """Score a sample under a convention.

    Parameters
    ----------
    convention : Convention
        What is pooled, left out and weighed.
    sample : Sample
        Counts of each image and class, and how often the images are drawn.
    excluded : sequence of int
        Positions of the classes that are left out of the means.

    Returns
    -------
    Summary
    """
    means: dict[str, NDArray[np.float64]] = {}
    classes: dict[str, NDArray[np.float64]] = {}
    for metric in METRICS.values():
        classes[metric.name] = class_scores(convention, metric, sample)
        means[metric.mean] = mean_score(convention, metric, sample, excluded)
        if convention.worst is not None:
            worst = worst_mean(convention, metric, sample, excluded)
            means[f"{metric.mean}_worst{convention.worst:g}"] = worst
    together = convention.pooling in {"dataset", "micro"}
    for overall in OVERALL.values():
        if together:
            means[overall.name] = overall.score(sample.pool)
        else:
            means[overall.name] = mean_over_images(overall.score(sample.images), sample)
    return Summary(means=means, classes=classes)
