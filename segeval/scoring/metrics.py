"""What each score is, as data: formula, range, symmetry, source.

Adding a score is adding a row to `METRICS` or `OVERALL`: documents, gates, intervals, comparisons
and the CSV of images hold every row; ``shown`` says where else people see it.
"""

from __future__ import annotations

import math
import re
from collections import ChainMap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from segeval.counting.confusion import ClassCounts

ROUNDING: Final = 1e-12  # scores that differ by less are equal: 0.8 - 0.79 is above 0.01 in floats


Place = Literal["classes", "breakdown", "summary", "brief", "curves", "files"]
"""Where people see a score.

``classes``: a column of each table of classes, a caption, a choice of ``segeval plot --metric``.
``breakdown``: its classes one by one, in the CSV of images and of groups, in JUnit files and in the
page of a comparison. ``summary``: its mean in the summary of tables and pages. ``brief``: its mean
where there is room for a few numbers only, as of one image, beside losses, below Markdown.
``curves``: at every threshold of grey predictions. ``files``: its classes in files for programs
alone, CSV and JUnit, as there is no room elsewhere.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A score of one class: a ratio of counts, undefined where both terms are 0."""

    name: str
    title: str
    formula: str  # in the words of `ClassCounts`
    terms: Callable[[ClassCounts], tuple[NDArray[Any], NDArray[Any]]]
    symmetric: bool = False  # in truth and prediction
    swapped: str = ""  # what it is when these are exchanged, if anything
    smoothed: bool = False  # a convention may add to both terms
    negatives: bool = False  # true negatives are in it, so it is defined on one side too
    signed: bool = False  # its formula holds in every case, as of a difference, which is 0 at best
    range: tuple[float, float] = (0.0, 1.0)  # least and greatest value
    reference: str
    shown: frozenset[Place] = frozenset()  # the score, or its mean over classes

    @property
    def mean(self) -> str:
        """Name of its mean over classes in documents."""
        return f"m{self.name}"

    @property
    def mean_title(self) -> str:
        """Name of its mean over classes on the screen."""
        return f"m{self.title[:1].upper()}{self.title[1:]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class OverallMetric:
    """A score of all classes together; most as in `Metric`."""

    name: str
    title: str
    formula: str
    value: Callable[[ClassCounts], NDArray[np.float64]]  # (..., K) -> (...)
    symmetric: bool = False
    range: tuple[float, float] = (0.0, 1.0)  # least and greatest value
    ordered: bool = False  # in the places of the classes
    reference: str
    shown: frozenset[Place] = frozenset()

    def score(self, counts: ClassCounts) -> NDArray[np.float64]:
        """Score (...) pools; NaN where undefined, as wherever a pixel may be of several classes."""
        return np.full(counts.total.shape, np.nan) if counts.overlap else self.value(counts)


def ratio(numerator: NDArray[np.generic], denominator: NDArray[np.generic]) -> NDArray[np.float64]:
    """Divide in float64; NaN where the denominator is 0."""
    top, bottom = np.asarray(numerator, np.float64), np.asarray(denominator, np.float64)
    result = np.full(np.broadcast_shapes(top.shape, bottom.shape), np.nan)
    np.divide(top, bottom, out=result, where=bottom != 0)
    return result


def _pixel_accuracy(counts: ClassCounts) -> NDArray[np.float64]:
    return ratio(counts.tp.sum(axis=-1), counts.total)


def _frequency_weighted_iou(counts: ClassCounts) -> NDArray[np.float64]:
    iou = np.nan_to_num(ratio(counts.tp, counts.tp + counts.fp + counts.fn))
    return ratio((counts.support * iou).sum(axis=-1), counts.total)


def _kappa(counts: ClassCounts) -> NDArray[np.float64]:
    total = counts.total.astype(np.float64)
    expected = ratio((counts.support.astype(np.float64) * counts.predicted).sum(axis=-1), total**2)
    return ratio(_pixel_accuracy(counts) - expected, 1 - expected)


def _matthews(counts: ClassCounts) -> NDArray[np.float64]:
    total, support = counts.total.astype(np.float64), counts.support.astype(np.float64)
    predicted = counts.predicted.astype(np.float64)
    unknown = total - predicted.sum(axis=-1)
    both = (support * predicted).sum(axis=-1)
    spread = total**2 - (support**2).sum(axis=-1)
    spread_predicted = total**2 - (predicted**2).sum(axis=-1) - unknown**2
    return ratio(counts.tp.sum(axis=-1) * total - both, np.sqrt(spread * spread_predicted))


def _quadratic_kappa(counts: ClassCounts) -> NDArray[np.float64]:
    if counts.squares is None:
        return np.full(counts.total.shape, np.nan)
    place = np.arange(counts.tp.shape[-1])
    (known, first, second), (seen, mean, square) = (
        [(side.astype(np.float64) * place**power).sum(axis=-1) for power in range(3)]
        for side in (counts.support, counts.predicted)
    )
    expected = np.where(seen == known, seen * second + known * square - 2 * first * mean, 0.0)
    return ratio(expected - counts.squares * known, expected)


def _against_rest(counts: ClassCounts) -> tuple[NDArray[np.float64], ...]:
    return tuple(part.astype(np.float64) for part in (counts.tp, counts.fp, counts.fn, counts.tn))


def _class_kappa(counts: ClassCounts) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    tp, fp, fn, tn = _against_rest(counts)
    return 2 * (tp * tn - fp * fn), (tp + fp) * (fp + tn) + (tp + fn) * (fn + tn)


def _class_matthews(counts: ClassCounts) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    tp, fp, fn, tn = _against_rest(counts)
    spread = np.sqrt((tp + fp) * (fp + tn)) * np.sqrt((tp + fn) * (fn + tn))
    return tp * tn - fp * fn, spread


METRICS: Final = {
    metric.name: metric
    for metric in (
        Metric(
            name="iou",
            title="IoU",
            formula="tp / (tp + fp + fn)",
            terms=lambda c: (c.tp, c.tp + c.fp + c.fn),
            symmetric=True,
            swapped="iou",
            smoothed=True,
            reference="Jaccard 1912, doi:10.1111/j.1469-8137.1912.tb05611.x",
            shown=frozenset({"classes", "breakdown", "summary", "brief", "curves"}),
        ),
        Metric(
            name="dice",
            title="Dice",
            formula="2 tp / (2 tp + fp + fn)",
            terms=lambda c: (2 * c.tp, 2 * c.tp + c.fp + c.fn),
            symmetric=True,
            swapped="dice",
            smoothed=True,
            reference="Dice 1945, doi:10.2307/1932409; equals F1 on hard masks",
            shown=frozenset({"classes", "summary", "brief", "curves"}),
        ),
        Metric(
            name="precision",
            title="precision",
            formula="tp / (tp + fp)",
            terms=lambda c: (c.tp, c.predicted),
            swapped="recall",
            reference="van Rijsbergen 1979, Information Retrieval, chapter 7",
            shown=frozenset({"classes", "curves"}),
        ),
        Metric(
            name="recall",
            title="recall",
            formula="tp / (tp + fn)",
            terms=lambda c: (c.tp, c.support),
            swapped="precision",
            reference="van Rijsbergen 1979, Information Retrieval, chapter 7",
            shown=frozenset({"classes", "curves"}),
        ),
        Metric(
            name="specificity",
            title="specificity",
            formula="tn / (tn + fp)",
            terms=lambda c: (c.tn, c.tn + c.fp),
            negatives=True,
            reference="Yerushalmy 1947, doi:10.2307/4586294",
            shown=frozenset({"curves"}),
        ),
        Metric(
            name="accuracy",
            title="accuracy",
            formula="(tp + tn) / total",
            terms=lambda c: (c.tp + c.tn, np.broadcast_to(c.total[..., None], c.tp.shape)),
            symmetric=True,
            swapped="accuracy",
            negatives=True,
            reference="Sokolova & Lapalme 2009, doi:10.1016/j.ipm.2009.03.002",
        ),
        Metric(
            name="kappa",
            title="kappa",
            formula="2 (tp tn - fp fn) / ((tp + fp) (fp + tn) + (tp + fn) (fn + tn))",
            terms=_class_kappa,
            symmetric=True,
            swapped="kappa",
            negatives=True,
            range=(-1.0, 1.0),
            reference="Cohen 1960, doi:10.1177/001316446002000104, of a class against the rest",
        ),
        Metric(
            name="mcc",
            title="MCC",
            formula="(tp tn - fp fn) / sqrt((tp + fp) (tp + fn) (tn + fp) (tn + fn))",
            terms=_class_matthews,
            symmetric=True,
            swapped="mcc",
            negatives=True,
            range=(-1.0, 1.0),
            reference="Matthews 1975, doi:10.1016/0005-2795(75)90109-9",
        ),
        Metric(
            name="volume_similarity",
            title="volume similarity",
            formula="1 - |fp - fn| / (2 tp + fp + fn)",
            terms=lambda c: (2 * np.minimum(c.support, c.predicted), c.support + c.predicted),
            symmetric=True,
            swapped="volume_similarity",
            reference="Taha & Hanbury 2015, doi:10.1186/s12880-015-0068-x",
        ),
        Metric(
            name="relative_volume_difference",
            title="relative volume difference",
            formula="(fp - fn) / (tp + fn)",
            terms=lambda c: (c.predicted - c.support, c.support),
            signed=True,
            range=(-1.0, np.inf),
            reference="Heimann et al. 2009, doi:10.1109/TMI.2009.2013851",
        ),
    )
}  # scores of a class, by name, in the order in which they are shown

OVERALL: Final = {
    metric.name: metric
    for metric in (
        OverallMetric(
            name="pixel_accuracy",
            title="pixel accuracy",
            formula="sum tp / total",
            value=_pixel_accuracy,
            symmetric=True,
            reference="Long et al. 2015, doi:10.1109/CVPR.2015.7298965",
            shown=frozenset({"summary", "brief"}),
        ),
        OverallMetric(
            name="fwiou",
            title="fwIoU",
            formula="sum support * iou / total",
            value=_frequency_weighted_iou,
            reference="Long et al. 2015, doi:10.1109/CVPR.2015.7298965",
            shown=frozenset({"summary"}),
        ),
        OverallMetric(
            name="kappa",
            title="kappa",
            formula="(p - q) / (1 - q), p = sum tp / total, q = sum support * predicted / total^2",
            value=_kappa,
            symmetric=True,
            range=(-1.0, 1.0),
            reference="Cohen 1960, doi:10.1177/001316446002000104",
        ),
        OverallMetric(
            name="mcc",
            title="MCC",
            formula="(sum tp * total - sum support * predicted) / "
            "sqrt((total^2 - sum support^2) (total^2 - sum predicted^2))",
            value=_matthews,
            symmetric=True,
            range=(-1.0, 1.0),
            reference="Gorodkin 2004, doi:10.1016/j.compbiolchem.2004.09.006",
        ),
        OverallMetric(
            name="quadratic_kappa",
            title="quadratic kappa",
            formula="1 - sum (i - j)^2 M[i, j] / sum (i - j)^2 support[i] predicted[j] / total, "
            "i and j the places of the classes; undefined with unknown predictions",
            value=_quadratic_kappa,
            symmetric=True,
            range=(-1.0, 1.0),
            ordered=True,
            reference="Cohen 1968, doi:10.1037/h0026256",
        ),
    )
}  # scores of all classes together, by name


class _Measured(dict[str, Metric]):
    """Scores of classes by name, of which each may be measured in several ways: ``name@way``."""

    def __missing__(self, key: str) -> Metric:
        name, at, way = key.partition("@")
        if not at or name not in self:
            raise KeyError(key)
        return replace(self[name], name=key, title=f"{self[name].title} {way}", shown=frozenset())


MEASURED: Final = _Measured(
    boundary_iou=replace(
        METRICS["iou"],
        name="boundary_iou",
        title="boundary IoU",
        formula="tp / (tp + fp + fn) of the pixels in the bands along the edges",
        swapped="boundary_iou",
        smoothed=False,
        reference="Cheng et al. 2021, doi:10.1109/CVPR46437.2021.01508",
        shown=frozenset({"classes", "breakdown", "summary", "brief"}),
    ),
    **{
        f"trimap_{plain}": replace(
            METRICS[plain],
            name=f"trimap_{plain}",
            title=f"trimap {METRICS[plain].title}",
            formula=f"{METRICS[plain].formula} of the pixels near an edge of the truth",
            symmetric=False,
            swapped="",
            smoothed=False,
            reference="Csurka et al., BMVC 2013; Kohli et al., IJCV 2009",
            shown=frozenset({"classes", "breakdown", "summary"} if plain == "iou" else {"files"}),
        )
        for plain in ("iou", "dice", "precision", "recall")
    },
    boundary_f=Metric(
        name="boundary_f",
        title="boundary F",
        formula="mean over images of 2 P R / (P + R) of edges that are matched within a disk",
        terms=lambda c: (c.tp, c.support),  # the sum of F, and of how many images
        signed=True,
        reference="Perazzi et al. 2016, doi:10.1109/CVPR.2016.85",
        shown=frozenset({"classes", "breakdown"}),
    ),
    cldice=Metric(
        name="cldice",
        title="clDice",
        formula="mean over images of 2 P R / (P + R), P and R the shares of each skeleton that lie "
        "in the other mask",
        terms=lambda c: (c.tp, c.support),
        signed=True,
        reference="Shit et al. 2021, doi:10.1109/CVPR46437.2021.01629",
        shown=frozenset({"classes", "breakdown"}),
    ),
    **{
        f"betti{number}_error": Metric(
            name=f"betti{number}_error",
            title=f"Betti {number} error",
            formula=f"mean over images of |{what} of the truth - {what} of the prediction|",
            terms=lambda c: (c.tp, c.support),
            signed=True,
            range=(0.0, math.inf),
            reference="Hu et al., NeurIPS 2019, arXiv:1906.05404",
            shown=frozenset({"files"}),
        )
        for number, what in enumerate(("parts", "holes", "cavities"))
    },
)
"""Scores of a class whose counts are measured in the pixels, by name, as far as they are asked for.

`ClassCounts.measured` holds these counts.
"""
OPTIONS: Final = {name: f"--{name.partition('_')[0]}" for name in MEASURED} | {
    "boundary_f": "--boundary-f",
    **dict.fromkeys(("cldice", "betti0_error", "betti1_error", "betti2_error"), "--topology"),
}
"""What asks for each of them."""
KNOWN: Final = ChainMap(MEASURED, METRICS)
"""All scores of a class, by name; those of pixels first."""

Row = TypeVar("Row", Metric, OverallMetric)


def metrics_of(counts: ClassCounts) -> list[Metric]:
    """Return the scores that counts of classes have: those of pixels, and what is measured."""
    return [*METRICS.values(), *(MEASURED[name] for name in counts.measured)]


def shown(table: Mapping[str, Row], *places: Place) -> list[Row]:
    """Return the rows of `METRICS` or `OVERALL` that are seen at any of some places, in order.

    >>> [metric.title for metric in shown(METRICS, "summary")]
    ['IoU', 'Dice']
    """
    return [row for row in table.values() if row.shown.intersection(places)]


def mean_titles(place: Place) -> dict[str, str]:
    """Return the titles of the means and overall scores that are seen at a place, by name.

    >>> mean_titles("brief")
    {'miou': 'mIoU', 'mdice': 'mDice', 'pixel_accuracy': 'pixel accuracy'}
    """
    means = {metric.mean: metric.mean_title for metric in shown(METRICS, place)}
    return means | {overall.name: overall.title for overall in shown(OVERALL, place)}


def class_scores(label: str) -> list[str]:
    """Name the scores of a class that people see where means are summed up, as gates name them.

    >>> class_scores("tumour")
    ['iou.tumour', 'dice.tumour']
    """
    return [f"{metric.name}.{label}" for metric in shown(METRICS, "summary")]


def metric_of(mean: str) -> Metric:
    """Return the metric of a mean, or of the mean of its worst share.

    >>> metric_of("miou").name, metric_of("mdice_worst1").name
    ('iou', 'dice')
    """
    return KNOWN[mean.partition("_worst")[0].removeprefix("m")]


def is_error(score: str) -> bool:
    """Whether a score is to be low, as gates name it.

    >>> [is_error(name) for name in ("mbetti0_error", "betti1_error.vessel", "miou", "iou.error")]
    [True, True, False, False]
    """
    name = re.split("[.@]", score, maxsplit=1)[0].removeprefix("m")
    return name in MEASURED and MEASURED[name].range[1] == math.inf


def title_of(score: str) -> str:
    """Return the title of a mean, of its worst share, of an overall score, or of a class score.

    >>> title_of("mdice_worst1"), title_of("mcc"), title_of("iou.tumour"), title_of("iou.1")
    ('mDice worst 1 %', 'MCC', 'IoU of tumour', 'IoU of class 1')
    """
    if score in OVERALL:
        return OVERALL[score].title
    metric, _, label = score.partition(".")
    if label:
        return f"{KNOWN[metric].title} of {'class ' if label.isdigit() else ''}{label}"
    share = score.partition("_worst")[2]
    return metric_of(score).mean_title + (f" worst {share} %" if share else "")
