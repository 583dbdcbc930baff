"""Every threshold of a grey prediction at once, from the counts of a run.

A run holds each grey level, so no mask is read again. Thresholds are a grid of 256, so that models
compare: every level of 8 bits, every 257th of 16 bits, every k/255 of floats.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from segeval.counting.confusion import ClassCounts
from segeval.counting.run import CountedRun
from segeval.errors import DataError, SettingError
from segeval.labels.classify import explained, translate_truth
from segeval.labels.labelmap import LabelMap
from segeval.scoring.convention import Convention
from segeval.scoring.metrics import METRICS, Metric, ratio, shown
from segeval.scoring.score import write_signature
from segeval.settings import Scale
from segeval.values import (
    COLOR,
    FLOAT,
    NO_PREDICTION,
    NOT_FINITE,
    SLACK,
    STEPS,
    as_numbers,
    is_float,
)

FIRST: Final = ("precision", "recall", "dice", "iou")  # the order of the curves; others follow
LAST: Final = 255  # number of the last threshold; the first has number 0
TOPS: Final = tuple((1 << bits) - 1 for bits in (8, 16, 24, 32))
"""The last threshold is the least of these that no value exceeds."""

IMAGES: Final = 1 << 12  # images worked on at a time


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sweep:
    """Scores of the foreground at 256 thresholds, over the data set and as means over images."""

    thresholds: NDArray[np.int64] | NDArray[np.float64]  # (256,); foreground at or above
    predicted: NDArray[np.int64]  # (256,); pixels of the foreground over the data set
    dataset: Mapping[str, NDArray[np.float64]]  # (256,) by `curve_names`, NaN where undefined
    image: Mapping[str, NDArray[np.float64]]  # (256,)
    images: Mapping[str, int]  # in the mean of each curve, the same at every threshold
    average_precision: float  # of all values; NaN if there is no foreground in the truth
    auroc: float  # NaN if the truth holds one class only
    mae: Mapping[str, float]  # over all pixels (``dataset``), or as mean over images (``image``)
    adaptive: float  # mean ``fbeta`` at twice the mean value of an image, at most 1
    beta2: float
    signature: str

    def curves(self, pooling: str) -> Mapping[str, NDArray[np.float64]]:
        """Return the curves ``"dataset"`` or ``"image"``."""
        return {"dataset": self.dataset, "image": self.image}[pooling]

    def best(self, pooling: str, curve: str) -> tuple[float, float]:
        """Return the threshold at which a curve is highest, the lowest such one, and its value."""
        values = self.curves(pooling)[curve]
        if np.isnan(values).all():
            return self.thresholds[0].item(), float("nan")
        position = int(np.nanargmax(values))
        return self.thresholds[position].item(), float(values[position])


def sweep(
    run: CountedRun,
    labels: LabelMap,
    convention: Convention | None = None,
    *,
    beta2: float = 1.0,
    scale: Scale = "none",
) -> Sweep:
    """Score the foreground at every threshold of grey predictions against binary truths.

    Each curve is what `score_run` gives the class at that threshold, under the same convention,
    whose pooling and weights do not matter. But a mean over images runs over the same images along
    the whole curve: an image without a score at some thresholds only has that of the formula there,
    or 0. A missing prediction is wrong in every pixel, at every threshold, and its image scores 0.
    ``min-max`` first stretches the judged pixels of each image from their least to their greatest
    value; an image of one value stays as it is. Of the labels only the truth side is used.

    F-beta: van Rijsbergen 1979. Its averages over images, and the adaptive threshold: Achanta et
    al. 2009, doi:10.1109/CVPR.2009.5206596. Mean absolute error: Perazzi et al. 2012,
    doi:10.1109/CVPR.2012.6247743.
    """
    labels, convention = labels.two_classes("a sweep"), convention or Convention()
    if not beta2 > 0:
        raise SettingError(f"--beta2 must be above 0, not {beta2}")
    levels = _levels(run, labels, scale)
    metrics = {name: METRICS.get(name) or _fbeta(beta2) for name in curve_names()}
    sums, lost = np.zeros((2, len(metrics), LAST + 2))
    number, above, pixels = np.zeros(len(metrics), np.int64), 0, 0
    for above_each, pixels_each, missing in _blocks(levels):
        counts = _counts(above_each, pixels_each)
        for row, metric in enumerate(metrics.values()):
            scores, enters, propagates = _score_images(convention, metric, counts, missing)
            sums[row] += scores[enters].sum(axis=0)
            number[row] += np.count_nonzero(enters)
            lost[row] += propagates.any(axis=0)
        above = above + above_each[..., :-1].sum(axis=1, keepdims=True)
        pixels = pixels + pixels_each.sum(axis=1, keepdims=True)
    counts = _counts(np.asarray(above), np.asarray(pixels))
    average_precision, auroc = _areas(levels)
    image = dict(zip(metrics, np.where(lost, np.nan, ratio(sums, number[:, None])), strict=True))
    return Sweep(
        thresholds=levels.thresholds,
        predicted=counts.predicted[0],
        dataset={n: convention.score_classes(metric, counts)[0] for n, metric in metrics.items()},
        image={name: curve[:-1] for name, curve in image.items()},
        images=dict(zip(metrics, number.tolist(), strict=True)),
        average_precision=average_precision,
        auroc=auroc,
        mae=_mean_absolute_errors(levels),
        adaptive=float(image["fbeta"][-1]),
        beta2=beta2,
        signature=write_signature(run, labels, _signature_parts(convention, levels, beta2, scale)),
    )


def _signature_parts(
    convention: Convention, levels: Levels, beta2: float, scale: Scale
) -> Sequence[str]:
    """Say what the curves depend on; they have both poolings, and no mean over classes."""
    parts = convention.signature_parts()
    _, second, last = levels.thresholds[[0, 1, -1]].tolist()
    return [
        *(part for part in parts if not part.startswith(("pooling:", "mean:"))),
        *([f"scale:{scale}"] if scale != "none" else []),
        f"thresholds:0,{f'1/{LAST}..1' if last == 1 else f'{second}..{last}'}",
        f"beta2:{beta2:g}",
    ]


def curve_names() -> list[str]:
    """Return the names of the curves in their order, F-beta last.

    >>> curve_names()
    ['precision', 'recall', 'dice', 'iou', 'specificity', 'fbeta']
    """
    names = [metric.name for metric in shown(METRICS, "curves")]
    return [*sorted(names, key=lambda n: [*FIRST, n].index(n)), "fbeta"]


def _fbeta(beta2: float) -> Metric:
    """Return F-beta, which a convention treats as Dice: that is what it is if beta is 1."""

    def terms(counts: ClassCounts) -> tuple[NDArray[Any], NDArray[Any]]:
        weighted = (1 + beta2) * counts.tp
        return weighted, weighted + beta2 * counts.fn + counts.fp

    return replace(METRICS["dice"], terms=terms)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Levels:
    """Judged pixels by image, truth and predicted value."""

    thresholds: NDArray[np.int64] | NDArray[np.float64]
    image: NDArray[np.int64]
    share: NDArray[np.float64]  # of the highest level; infinite and wrong where missing
    positive: NDArray[np.bool_]
    pixels: NDArray[np.int64]
    missing: NDArray[np.bool_]  # by image

    def by_image(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """Sum a value of each row over its pixels, by image."""
        sums = np.bincount(self.image, self.pixels * values, self.missing.size)
        return np.asarray(sums, np.float64)


def _levels(run: CountedRun, labels: LabelMap, scale: Scale) -> Levels:
    """Look at the truth through the label map, and at the prediction as it is, or stretched."""
    truth, problems = translate_truth(run, labels)
    if run.provenance.problems or problems:
        grey = replace(labels, prediction_threshold=0.0)
        raise DataError((*run.provenance.problems, *explained(problems, run, grey)))
    judged, without = truth >= 0, run.counts.prediction == NO_PREDICTION
    rows, positive, unseen = run.counts.select(judged), truth[judged] == 1, without[judged]
    zero, step = _grid(rows.prediction[~unseen], scale)
    share = (rows.prediction - zero) / (step * LAST)
    if scale == "min-max":
        share = _stretched(share, rows.image, len(run.images))
    grid = np.arange(LAST + 1)
    return Levels(
        thresholds=grid / LAST if zero else grid * step,
        image=rows.image,
        share=np.where(unseen, np.where(positive, -np.inf, np.inf), share),
        positive=positive,
        pixels=rows.pixels,
        missing=np.bincount(run.counts.image, without, len(run.images)) > 0,
    )


def _grid(values: NDArray[np.int64], scale: Scale) -> tuple[int, int]:
    """Return the value of the threshold 0, and the step from each threshold to the next."""
    if not values.size:
        raise SettingError("there is no predicted value on a judged pixel to sweep over")
    if NOT_FINITE in values:
        raise SettingError("the predictions hold NaN or infinity on judged pixels; mend the maps")
    if values.max() >= COLOR:
        raise SettingError("the predictions hold colours; a sweep needs grey levels")
    floats, numbers = is_float(values), as_numbers(values)
    if floats.any() != floats.all():
        raise SettingError("some predictions hold floats and some integers; store them alike")
    low, high = numbers.min(), numbers.max()
    top = 1 + SLACK if floats.all() else TOPS[-1]
    if scale == "none" and (low < -SLACK or high > top):
        raise SettingError(
            f"the predictions go from {low:g} to {high:g}; a sweep needs floats from 0 to 1, or "
            "levels from 0 to 2^32 - 1 as integers; type --scale min-max to stretch each prediction"
        )
    if floats.all():
        return FLOAT, STEPS // LAST
    return 0, next((top for top in TOPS if high <= top), TOPS[-1]) // LAST


def _stretched(
    share: NDArray[np.float64], image: NDArray[np.int64], images: int
) -> NDArray[np.float64]:
    """Stretch each image from its least to its greatest value, if these differ."""
    low, high = np.full(images, np.inf), np.full(images, -np.inf)
    np.minimum.at(low, image, share)
    np.maximum.at(high, image, share)
    spans = (high - low)[image]
    stretched = share.copy()
    np.divide(share - low[image], spans, out=stretched, where=spans > 0)
    return stretched


def _blocks(
    levels: Levels,
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]]:
    """Yield, for some images at a time, pixels at or above each threshold and in all; the missing.

    (2, n, 257) and (2, n) arrays, negative truth first; the last threshold is that of an image.
    """
    width, images = LAST + 2, levels.missing.size
    level = np.floor(levels.share * LAST).clip(-1, LAST).astype(np.int64)
    finite = np.where(np.isfinite(levels.share), levels.share, 0.0)
    mean = ratio(levels.by_image(finite), levels.by_image(np.ones(1)))
    reaches = levels.share >= np.minimum(2 * mean, 1)[levels.image]
    adaptive = np.stack([levels.by_image(reaches & (levels.positive == side)) for side in (0, 1)])
    for first in range(0, images, IMAGES):
        count = min(IMAGES, images - first)
        part = slice(*np.searchsorted(levels.image, [first, first + count]))
        cells = levels.positive[part] * count + levels.image[part] - first
        cells = cells * width + level[part] + 1
        histogram = np.bincount(cells, levels.pixels[part], 2 * count * width)
        counted = histogram.astype(np.int64).reshape(2, count, width)
        above = counted[..., ::-1].cumsum(axis=-1)[..., ::-1]
        chosen = slice(first, first + count)
        at_mean = adaptive[:, chosen, None].astype(np.int64)
        yield np.append(above[..., 1:], at_mean, -1), above[..., 0], levels.missing[chosen]


def _counts(above: NDArray[np.int64], pixels: NDArray[np.int64]) -> ClassCounts:
    """Return counts of the foreground of each image, with a class for every threshold."""
    fp, tp = above
    support = np.broadcast_to(pixels[1][:, None], tp.shape)
    return ClassCounts(tp=tp, support=support, predicted=tp + fp, total=pixels.sum(axis=0))


def _score_images(
    convention: Convention, metric: Metric, counts: ClassCounts, missing: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_]]:
    """Score images at each threshold; those with a score at any enter at all, by formula or 0."""
    scores = convention.score_classes(metric, counts)
    propagates = convention.propagates(metric, counts)
    if convention.void_image == "skip":
        scores[counts.total == 0], propagates[counts.total == 0] = np.nan, False
    scores[missing], propagates[missing] = 0.0, False
    gaps = np.isnan(scores)
    filled = np.where(gaps, np.nan_to_num(ratio(*metric.terms(counts))), scores)
    return filled, np.asarray(~gaps.all(axis=1)), propagates


def _areas(levels: Levels) -> tuple[float, float]:
    """Return average precision, to which the missing add nothing, and area under the ROC curve."""
    share, rank = np.unique(levels.share, return_inverse=True)
    cells = levels.positive * share.size + rank
    pixels = np.bincount(cells, levels.pixels, 2 * share.size).reshape(2, -1)
    fp, tp = pixels[:, ::-1].cumsum(axis=1)
    false, true = ratio(fp, fp[-1:]), ratio(tp, tp[-1:])
    gains = np.diff(true, prepend=0.0) * ratio(tp, tp + fp)
    auroc = np.trapezoid(np.r_[0.0, true], np.r_[0.0, false])
    return float(gains[share[::-1] > -np.inf].sum()), float(auroc)


def _mean_absolute_errors(levels: Levels) -> dict[str, float]:
    """Average how far predictions are from the truth, as 0 or 1; a missing one is off by 1."""
    off = np.abs(levels.share - levels.positive)
    errors, pixels = levels.by_image(np.minimum(off, 1)), levels.by_image(np.ones(1))
    means = errors[pixels > 0] / pixels[pixels > 0]
    return {"dataset": float(errors.sum() / pixels.sum()), "image": float(means.mean())}
