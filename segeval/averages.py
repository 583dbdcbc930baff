"""Counts of images and classes -> one number a drawing, in the order that a convention says.

Every mean is made of folds: over the classes of an image, over the images of a class, over all. A
sample may draw its images many times over; the scores of a data set are those of one drawing, of
every image once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from segeval.conventions import VALUE
from segeval.errors import SettingError
from segeval.folds import Values, add_classes, fold, mean_of_worst
from segeval.generalized import generalized_dice
from segeval.pools import chosen_classes, over_classes, scored

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from segeval.conventions import Convention
    from segeval.counting.confusion import ClassCounts
    from segeval.metrics import Metric
    from segeval.pools import Sample
    from segeval.settings import Absent

__all__ = [
    "averaged_classes",
    "class_means",
    "entered_values",
    "image_means",
    "mean_over_images",
    "total_means",
    "worst_means",
]


def mean_over_images(values: NDArray[np.float64], sample: Sample) -> NDArray[np.float64]:
    """Average the defined ones of the (N,) values of the images; (B,), NaN where there is none."""
    scores = Values(scores=values, spoilt=np.zeros(values.shape, np.bool_))
    return fold(scores, sample.add).scores


def total_means(
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
    sample = scored(convention, sample)
    if convention.pooling == "pair":
        values = _class_values(convention, metric, sample.images).without(excluded)
        total = fold(values, sample.add_all)
    elif convention.pooling == "class":
        values = _folded_images(convention, metric, sample).without(excluded)
        weights = _weights(convention, sample.pool)
        total = fold(values, add_classes, weights=weights, weightless=convention.weightless)
    else:
        total = _image_values(convention, metric, sample, excluded)
        if convention.pooling not in {"dataset", "micro"}:
            total = fold(total, sample.add)
    nothing = np.isnan(total.scores) & ~total.spoilt
    return np.where(nothing, VALUE[convention.nothing], total.scores)


def image_means(
    convention: Convention, metric: Metric, images: ClassCounts, excluded: Sequence[int]
) -> NDArray[np.float64]:
    """Average a metric over the classes of each image; (N,) values, NaN where undefined."""
    pool = over_classes(images, excluded) if "micro" in convention.pooling else images
    return _over_pool(convention, metric, pool, excluded, empty="skip").scores


def class_means(convention: Convention, metric: Metric, sample: Sample) -> NDArray[np.float64]:
    """Score each class: of the summed counts, or its mean over the images in which it is defined.

    Returns
    -------
    (B, K) float64 array
        NaN where undefined.
    """
    sample = scored(convention, sample)
    if convention.pooling in {"dataset", "micro"}:
        return _class_values(convention, metric, sample.pool).scores
    return _folded_images(convention, metric, sample).scores


def worst_means(
    convention: Convention, metric: Metric, sample: Sample, excluded: Sequence[int]
) -> NDArray[np.float64]:
    """Average the worst share of the images, or the means of the worst share of each class."""
    sample, percent = scored(convention, sample), convention.worst or 100
    if convention.pooling == "image":
        of_images = _image_values(convention, metric, sample, excluded)
        scores, spoilt = of_images.scores[:, None], of_images.spoilt[:, None]
        return mean_of_worst(scores, percent, spoilt=spoilt, draws=sample.draws)[:, 0]
    values = _class_values(convention, metric, sample.images)
    scores = mean_of_worst(values.scores, percent, draws=sample.draws)
    empty = _folded_images(convention, metric, sample)
    scores = np.where(np.isnan(scores), empty.scores, scores)
    by_class = Values(scores=scores, spoilt=(sample.add(values.spoilt) > 0) | empty.spoilt)
    return fold(by_class.without(excluded), add_classes).scores


def averaged_classes(
    convention: Convention, metric: Metric, sample: Sample, excluded: Sequence[int]
) -> int:
    """Count the classes that enter the mean of a metric anywhere."""
    included = np.ones(sample.images.tp.shape[-1], np.bool_)
    included[list(excluded)] = False
    if "micro" in convention.pooling or _is_generalized(convention, metric):
        return int(included.sum())
    if convention.pooling == "class" and convention.empty != "skip":
        return int(included.sum())
    return int((_taken(convention, metric, sample).any(axis=0) & included).sum())


def entered_values(
    convention: Convention, metric: Metric, sample: Sample, excluded: Sequence[int]
) -> int:
    """Count the (class, image) values that enter a mean; values of classes if counts are pooled.

    Where classes are summed up, or the Dice is generalised, an image has one value; where all
    counts are, there is a single one.
    """
    sample = scored(convention, sample)
    if "micro" in convention.pooling or _is_generalized(convention, metric):
        values = _image_values(convention, metric, sample, excluded)
        return int(np.count_nonzero(~np.isnan(values.scores)))
    return int(np.delete(_taken(convention, metric, sample), excluded, axis=-1).sum())


def _taken(convention: Convention, metric: Metric, sample: Sample) -> NDArray[np.bool_]:
    """Return which values of the pools have a part in the means."""
    pool = sample.pool if convention.pooling == "dataset" else sample.images
    values = _class_values(convention, metric, pool)
    return (~np.isnan(values.scores) | values.spoilt) & (_weights(convention, pool) > 0)


def _image_values(
    convention: Convention, metric: Metric, sample: Sample, excluded: Sequence[int]
) -> Values:
    """Average over the classes of each image, or of each drawing as if it were one image."""
    pool = sample.pool if convention.pooling in {"dataset", "micro"} else sample.images
    if "micro" in convention.pooling:
        pool = over_classes(pool, excluded)
    return _over_pool(convention, metric, pool, excluded, empty=convention.empty)


def _over_pool(
    convention: Convention,
    metric: Metric,
    pool: ClassCounts,
    excluded: Sequence[int],
    *,
    empty: Absent,
) -> Values:
    """Average over the classes of each pool."""
    if _is_generalized(convention, metric):
        return _generalized(convention, chosen_classes(pool, excluded))
    values = _class_values(convention, metric, pool)
    if "micro" in convention.pooling:
        return fold(values, add_classes, empty=empty)
    return fold(
        values.without(excluded),
        add_classes,
        weights=_weights(convention, pool),
        weightless=convention.weightless,
        empty=empty,
    )


def _folded_images(convention: Convention, metric: Metric, sample: Sample) -> Values:
    """Average each class over the images."""
    empty = convention.empty if convention.pooling == "class" else "skip"
    return fold(_class_values(convention, metric, sample.images), sample.add, empty=empty)


def _class_values(convention: Convention, metric: Metric, counts: ClassCounts) -> Values:
    return Values(
        scores=convention.score_classes(metric, counts), spoilt=convention.spoilt(metric, counts)
    )


def _is_generalized(convention: Convention, metric: Metric) -> bool:
    return metric.name == "dice" and convention.generalized != "none"


def _generalized(convention: Convention, pool: ClassCounts) -> Values:
    """Score each pool by the generalised Dice; one without any class is worth what it is told."""
    scores = generalized_dice(pool, convention.generalized, unseen=convention.unseen)
    nothing = np.isnan(scores)
    scores[nothing] = VALUE[convention.absent]
    return Values(scores=scores, spoilt=nothing & (convention.absent == "undefined"))


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
