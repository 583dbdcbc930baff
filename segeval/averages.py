"""Counts of images and classes -> one number, in the order that a convention says.

Every mean is made of folds: over the classes of an image, over the images of a class, over all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from segeval.conventions import VALUE
from segeval.errors import SettingError
from segeval.generalized import generalized_dice
from segeval.metrics import ratio
from segeval.pools import chosen_classes, over_classes, scored, summed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from segeval.confusion import ClassCounts
    from segeval.conventions import Convention
    from segeval.metrics import Metric
    from segeval.settings import Absent, Weightless

__all__ = [
    "averaged_classes",
    "class_means",
    "entered_values",
    "image_means",
    "mean_defined",
    "mean_of_worst",
    "total_mean",
    "worst_mean",
]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Values:
    """Scores, NaN where undefined, and which of these make the means undefined as well."""

    scores: NDArray[np.float64]
    spoilt: NDArray[np.bool_]

    def without(self, excluded: Sequence[int]) -> Values:
        """Return a copy in which the excluded classes are left out."""
        scores, spoilt = self.scores.copy(), self.spoilt.copy()
        scores[..., excluded], spoilt[..., excluded] = np.nan, False
        return Values(scores=scores, spoilt=spoilt)


def mean_defined(values: NDArray[np.float64], axis: int | None = None) -> NDArray[np.float64]:
    """Average the defined values; NaN where there is none."""
    defined = ~np.isnan(values)
    return ratio(np.where(defined, values, 0.0).sum(axis=axis), defined.sum(axis=axis))


def mean_of_worst(values: NDArray[np.float64], percent: float, *, spoilt: int = 0) -> float:
    """Average the lowest so many percent of the defined values, at least one; NaN if there is none.

    ``spoilt`` undefined values take part as the highest ones.

    References
    ----------
    Wang et al. 2023, Revisiting Evaluation Metrics for Semantic Segmentation, NeurIPS.
    """
    defined = np.sort(values[~np.isnan(values)])
    count = max(1, int((defined.size + spoilt) * percent / 100))
    if spoilt and count > defined.size:
        return float("nan")
    return float(mean_defined(defined[:count]))


def total_mean(
    convention: Convention, metric: Metric, images: ClassCounts, excluded: Sequence[int]
) -> float:
    """Average a metric over everything.

    Parameters
    ----------
    convention : Convention
        What is pooled, left out and weighed.
    metric : Metric
        Score of a class.
    images : ClassCounts
        (N, K) counts of each image and class.
    excluded : sequence of int
        Positions of the classes that are left out of the means.

    Returns
    -------
    float
        In [0, 1]; NaN if undefined.
    """
    images = scored(convention, images)
    if convention.pooling == "pair":
        values = _class_values(convention, metric, images).without(excluded)
        total = _fold(values, axis=None)
    elif convention.pooling == "class":
        values = _folded_images(convention, metric, images).without(excluded)
        weights = _weights(convention, summed(images)).reshape(-1)
        total = _fold(values, axis=0, weights=weights, weightless=convention.weightless)
    else:
        total = _fold(_image_values(convention, metric, images, excluded), axis=0)
    if np.isnan(total.scores) and not total.spoilt:
        return VALUE[convention.nothing]
    return float(total.scores)


def image_means(
    convention: Convention, metric: Metric, images: ClassCounts, excluded: Sequence[int]
) -> NDArray[np.float64]:
    """Average a metric over the classes of each image; (N,) values, NaN where undefined."""
    pool = over_classes(images, excluded) if "micro" in convention.pooling else images
    return _over_pool(convention, metric, pool, excluded, empty="skip").scores


def class_means(convention: Convention, metric: Metric, images: ClassCounts) -> NDArray[np.float64]:
    """Score each class: of the summed counts, or its mean over the images in which it is defined.

    Returns
    -------
    (K,) float64 array
        NaN where undefined.
    """
    images = scored(convention, images)
    if convention.pooling in {"dataset", "micro"}:
        return _class_values(convention, metric, summed(images)).scores.reshape(-1)
    return _folded_images(convention, metric, images).scores


def worst_mean(
    convention: Convention, metric: Metric, images: ClassCounts, excluded: Sequence[int]
) -> float:
    """Average the worst share of the images, or the means of the worst share of each class."""
    images, percent = scored(convention, images), convention.worst or 100
    if convention.pooling == "image":
        values = _image_values(convention, metric, images, excluded)
        return mean_of_worst(values.scores, percent, spoilt=int(values.spoilt.sum()))
    values = _class_values(convention, metric, images)
    worst = [mean_of_worst(column, percent) for column in values.scores.T]
    scores, empty = np.array(worst), _folded_images(convention, metric, images)
    scores[np.isnan(scores)] = empty.scores[np.isnan(scores)]
    by_class = Values(scores=scores, spoilt=values.spoilt.any(axis=0) | empty.spoilt)
    return float(_fold(by_class.without(excluded), axis=0).scores)


def averaged_classes(
    convention: Convention, metric: Metric, images: ClassCounts, excluded: Sequence[int]
) -> int:
    """Count the classes that enter the mean of a metric anywhere."""
    included = np.ones(images.tp.shape[-1], np.bool_)
    included[list(excluded)] = False
    if "micro" in convention.pooling or _is_generalized(convention, metric):
        return int(included.sum())
    if convention.pooling == "class" and convention.empty != "skip":
        return int(included.sum())
    return int((_taken(convention, metric, images).any(axis=0) & included).sum())


def entered_values(
    convention: Convention, metric: Metric, images: ClassCounts, excluded: Sequence[int]
) -> int:
    """Count the (class, image) values that enter a mean; values of classes if counts are pooled.

    Where classes are summed up, or the Dice is generalised, an image has one value; where all
    counts are, there is a single one.
    """
    images = scored(convention, images)
    if "micro" in convention.pooling or _is_generalized(convention, metric):
        values = _image_values(convention, metric, images, excluded)
        return int(np.count_nonzero(~np.isnan(values.scores)))
    return int(np.delete(_taken(convention, metric, images), excluded, axis=-1).sum())


def _taken(convention: Convention, metric: Metric, images: ClassCounts) -> NDArray[np.bool_]:
    """Return which values of the pools have a part in the means."""
    pool = summed(images) if convention.pooling == "dataset" else images
    values = _class_values(convention, metric, pool)
    return (~np.isnan(values.scores) | values.spoilt) & (_weights(convention, pool) > 0)


def _image_values(
    convention: Convention, metric: Metric, images: ClassCounts, excluded: Sequence[int]
) -> Values:
    """Average over the classes of each image, or of all images as if they were one."""
    pool = summed(images) if convention.pooling in {"dataset", "micro"} else images
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
        return _fold(values, axis=1, empty=empty)
    return _fold(
        values.without(excluded),
        axis=1,
        weights=_weights(convention, pool),
        weightless=convention.weightless,
        empty=empty,
    )


def _folded_images(convention: Convention, metric: Metric, images: ClassCounts) -> Values:
    """Average each class over the images."""
    empty = convention.empty if convention.pooling == "class" else "skip"
    return _fold(_class_values(convention, metric, images), axis=0, empty=empty)


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


def _fold(
    values: Values,
    *,
    axis: int | None,
    weights: NDArray[np.float64] | None = None,
    weightless: Weightless = "skip",
    empty: Absent = "skip",
) -> Values:
    """Average along an axis what is defined."""
    defined = ~np.isnan(values.scores)
    if weights is None:
        weights = np.ones(values.scores.shape)
    sums = np.where(defined, values.scores * weights, 0.0).sum(axis=axis)
    weight = np.where(defined, weights, 0.0).sum(axis=axis)
    means = np.asarray(ratio(sums, weight))
    spoilt = np.asarray((values.spoilt & (weights > 0)).any(axis=axis))
    without = np.asarray(~(defined | values.spoilt).any(axis=axis))
    unweighed = np.asarray(defined.any(axis=axis)) & (np.asarray(weight) == 0)
    plain = mean_defined(values.scores, axis=axis)
    means = np.where(unweighed, plain if weightless == "mean" else VALUE[weightless], means)
    means = np.where(without, VALUE[empty], means)
    spoilt = spoilt | (without & (empty == "undefined"))
    return Values(scores=np.where(spoilt, np.nan, means), spoilt=spoilt)


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
