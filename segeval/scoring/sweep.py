"""Every threshold of a grey prediction at once, from the counts of a run.

A run of grey predictions holds each grey level, so a threshold is a view of it: the curves below
need no second pass over the masks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from segeval.counting.confusion import ClassCounts
from segeval.counting.contingency import NO_PREDICTION
from segeval.counting.run import CountedRun
from segeval.errors import DataError, SettingError
from segeval.labels.classify import explained, translate_truth
from segeval.labels.labelmap import LabelMap
from segeval.scoring.convention import Convention
from segeval.scoring.metrics import METRICS, ratio, shown
from segeval.scoring.score import write_signature
from segeval.values import COLOR, FLOAT, NOT_FINITE, STEPS, as_numbers, is_float

FIRST: Final = ("precision", "recall", "dice", "iou")
"""The order of the curves; others follow."""

CELLS: Final = 1 << 20
"""Cells (image, threshold) worked on at a time."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sweep:
    """Scores of the foreground at every threshold.

    Attributes
    ----------
    thresholds : (T,) int64 or float64 array
        Every value that a prediction holds, ascending: foreground where value >= threshold. Of
        floats every k/255 that they reach.
    dataset, image : mapping of str to (T,) float64 array
        Each of `curve_names`, of counts summed over images, and as the mean over images. NaN where
        undefined.
    average_precision : float
        Sum of precision times the gain in recall, from the highest threshold down; NaN if there is
        no foreground in the truth.
    auroc : float
        Area under recall against false-positive rate; NaN if truth holds one class only.
    beta2 : float
        Squared beta of ``fbeta``.
    """

    thresholds: NDArray[np.int64] | NDArray[np.float64]
    dataset: Mapping[str, NDArray[np.float64]]
    image: Mapping[str, NDArray[np.float64]]
    average_precision: float
    auroc: float
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


def sweep(run: CountedRun, labels: LabelMap, *, beta2: float = 1.0) -> Sweep:
    """Score the foreground at every threshold of grey predictions against binary truths.

    Of the label map, background and foreground, only the truth side is used. ``beta2`` is the
    squared beta of the F-beta score: the weight of recall against precision.

    Raises
    ------
    DataError
        If the run has problems, or the truth holds values that are neither class nor void.
    SettingError
        If the map has not two classes, or ``beta2`` is not positive.

    References
    ----------
    F-beta: van Rijsbergen 1979. Per-image averages of its curve: Achanta et al. 2009,
    doi:10.1109/CVPR.2009.5206596.
    """
    labels = labels.two_classes("a sweep")
    if not beta2 > 0:
        raise SettingError(f"--beta2 must be above 0, not {beta2}")
    levels = _levels(run, labels)
    names = curve_names()
    shape = len(names), levels.thresholds.size
    sums, defined = np.zeros(shape), np.zeros(shape)
    above, pixels = np.zeros((2, shape[1]), np.int64), np.zeros(2, np.int64)
    for above_each, pixels_each in _blocks(levels, len(run.images)):
        curves = np.array([*_curves(above_each, pixels_each, beta2).values()])
        defined += np.count_nonzero(~np.isnan(curves), axis=1)
        sums += np.nan_to_num(curves).sum(axis=1)
        above += above_each.sum(axis=1)
        pixels += pixels_each.sum(axis=1)
    dataset = {
        n: values[0] for n, values in _curves(above[:, None], pixels[:, None], beta2).items()
    }
    return Sweep(
        thresholds=levels.thresholds,
        dataset=dataset,
        image=dict(zip(names, ratio(sums, defined), strict=True)),
        average_precision=_average_precision(dataset, int(pixels[1])),
        auroc=_auroc(above, pixels),
        beta2=beta2,
        signature=write_signature(run, labels, ["absent:skip", f"beta2:{beta2:g}"]),
    )


def curve_names() -> list[str]:
    """Return the names of the curves in their order, F-beta last.

    >>> curve_names()
    ['precision', 'recall', 'dice', 'iou', 'specificity', 'fbeta']
    """
    names = [metric.name for metric in shown(METRICS, "curves")]
    return [*sorted(names, key=lambda n: [*FIRST, n].index(n)), "fbeta"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Levels:
    """Judged pixels by image, threshold reached (-1: none at all) and truth."""

    thresholds: NDArray[np.int64] | NDArray[np.float64]
    image: NDArray[np.int64]
    level: NDArray[np.int64]
    positive: NDArray[np.bool_]
    pixels: NDArray[np.int64]


def _levels(run: CountedRun, labels: LabelMap) -> Levels:
    """Look at the truth through the label map, and at the prediction as it is."""
    truth, problems = translate_truth(run, labels)
    if run.provenance.problems or problems:
        grey = replace(labels, prediction_threshold=0.0)
        raise DataError((*run.provenance.problems, *explained(problems, run, grey)))
    judged = truth >= 0
    rows = run.counts.select(judged)
    if NOT_FINITE in rows.prediction:
        raise SettingError("the predictions hold NaN or infinity on judged pixels; mend the maps")
    thresholds, level = np.unique(_on_grid(rows.prediction), return_inverse=True)
    if thresholds.size and thresholds[0] == NO_PREDICTION:
        thresholds, level = thresholds[1:], level - 1
    if not thresholds.size:
        raise SettingError("there is no predicted value on a judged pixel to sweep over")
    if thresholds[-1] >= COLOR:
        raise SettingError("the predictions hold colours; a sweep needs grey levels")
    if is_float(thresholds).any() and not is_float(thresholds).all():
        raise SettingError("some predictions hold floats and some integers; store them alike")
    return Levels(
        thresholds=as_numbers(thresholds) if is_float(thresholds).any() else thresholds,
        image=rows.image,
        level=level,
        positive=truth[judged] == 1,
        pixels=rows.pixels,
    )


def _on_grid(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """Cut floats to steps of 1/255, so that a sweep has as many thresholds as of 8-bit masks."""
    step = STEPS // 255
    return np.where(is_float(values), values - (values - FLOAT) % step, values)


def _blocks(levels: Levels, images: int) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Yield, for some images at a time, their pixels at or above each threshold, and in all.

    The first axis is negative and positive truth: (2, n, T) and (2, n) arrays.
    """
    width = levels.thresholds.size + 1
    step = max(1, CELLS // width)
    for first in range(0, images, step):
        count = min(step, images - first)
        start, end = np.searchsorted(levels.image, [first, first + count])
        part = slice(start, end)
        cells = levels.positive[part] * count + levels.image[part] - first
        cells = cells * width + levels.level[part] + 1
        histogram = np.bincount(cells, levels.pixels[part], 2 * count * width)
        counted = histogram.astype(np.int64).reshape(2, count, width)
        above = counted[..., ::-1].cumsum(axis=-1)[..., ::-1]
        yield above[..., 1:], above[..., 0]


def _curves(
    above: NDArray[np.int64], pixels: NDArray[np.int64], beta2: float
) -> dict[str, NDArray[np.float64]]:
    """Score the foreground of each image at each threshold: (n, T) arrays by name of curve."""
    fp, tp = above
    support = np.broadcast_to(pixels[1][:, None], tp.shape)
    total = np.broadcast_to(pixels.sum(axis=0)[:, None], tp.shape)
    counts = ClassCounts(
        tp=tp[..., None], support=support[..., None], predicted=(tp + fp)[..., None], total=total
    )
    curves: dict[str, NDArray[np.float64]] = {
        name: Convention().score_classes(METRICS[name], counts)[..., 0]
        for name in curve_names()[:-1]
    }
    precision, recall = curves["precision"], curves["recall"]
    weighted = ratio((1 + beta2) * precision * recall, beta2 * precision + recall)
    curves["fbeta"] = np.where(np.isnan(precision), np.nan, np.nan_to_num(weighted))
    return curves


def _average_precision(curves: Mapping[str, NDArray[np.float64]], support: int) -> float:
    """Sum precision times the gain in recall, from the highest threshold down."""
    if not support:
        return float("nan")
    recall, precision = (np.nan_to_num(curves[name][::-1]) for name in ("recall", "precision"))
    return float(np.sum(np.diff(recall, prepend=0.0) * precision))


def _auroc(above: NDArray[np.int64], pixels: NDArray[np.int64]) -> float:
    """Area under true-positive rate against false-positive rate, by trapezoids from (0, 0)."""
    false, true = ratio(np.c_[above[:, ::-1], pixels[:, None]], pixels[:, None])
    return float(np.trapezoid(np.r_[0.0, true], np.r_[0.0, false]))
