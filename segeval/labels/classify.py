"""Run + label map -> counts between classes: values become classes here, on the counts alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, get_args

import numpy as np
from numpy.typing import NDArray

from segeval.counting.confusion import ClassCounts, ConfusionMatrix
from segeval.counting.run import CountedRun, Counts
from segeval.errors import Problem, SettingError
from segeval.labels.diagnose import explain_unknown
from segeval.labels.labelmap import UNKNOWN, LabelMap, Side
from segeval.settings import Unknown
from segeval.text import counted
from segeval.values import COLOR, NO_PREDICTION, describe_value, plain_values

MISSED: Final = -3  # index of a pixel without a prediction: a miss for its truth class
LISTED: Final = 20  # unknown values named one by one in an error


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClassifiedRun:
    """The counts of a run in terms of classes."""

    confusion: ConfusionMatrix
    images: ClassCounts  # (N, K), and (N,) judged pixels
    pixels: NDArray[np.int64]  # (N,); all pixels of each image
    unknown_predictions: int  # judged pixels whose predicted value is no class
    ignored_predictions: int  # not judged for that reason (unknown="ignore")
    problems: tuple[Problem, ...]  # values that the label map does not know


def classify(run: CountedRun, labels: LabelMap, *, unknown: Unknown = "error") -> ClassifiedRun:
    """Translate the values of a run into classes; values that cannot be are its problems.

    ``unknown`` says what a predicted value is, on a judged pixel, that is no class: a problem, a
    miss for the true class, or a reason not to judge the pixel.
    """
    if unknown not in get_args(Unknown):
        raise SettingError(f"{unknown!r} is none of {', '.join(get_args(Unknown))}")
    columns, size = run.counts, (len(run.images), len(labels.labels))
    truth, problems = translate_truth(run, labels)
    prediction = _translate(columns.prediction, labels, "prediction")
    judged = truth >= 0
    unseen = judged & (prediction < 0) & (prediction != MISSED)
    strange = int(columns.pixels[unseen].sum())
    if unknown == "error":
        problems += _unknown_values(run, columns, unseen, "prediction")
    elif unknown == "ignore":
        judged &= ~unseen
    found = judged & (prediction >= 0)
    squares = columns.pixels * (truth.astype(np.int64) - prediction) ** 2
    return ClassifiedRun(
        confusion=_confusion(truth, prediction, columns.pixels, judged, size[1]),
        images=ClassCounts(
            tp=_sums(columns, truth, judged & (truth == prediction), size),
            support=_sums(columns, truth, judged, size),
            predicted=_sums(columns, prediction, found, size),
            total=_pixels(columns.image[judged], columns.pixels[judged], size[0]),
            squares=_pixels(columns.image[found], squares[found], size[0]),
        ),
        pixels=_pixels(columns.image, columns.pixels, size[0]),
        unknown_predictions=strange,
        ignored_predictions=strange if unknown == "ignore" else 0,
        problems=explained(problems, run, labels),
    )


def of_whole(run: CountedRun, labels: LabelMap) -> tuple[CountedRun, LabelMap]:
    """Decide over a whole run whether grey colours are levels, for whoever reads parts of it."""
    columns: dict[Side, NDArray[np.int64]] = {
        "truth": run.counts.truth,
        "prediction": run.counts.prediction,
    }
    for side, values in columns.items():
        if (values >= COLOR).any():
            distinct, position = np.unique(values, return_inverse=True)
            columns[side] = plain_values(distinct, labels.known(side))[position]
    counts = replace(run.counts, truth=columns["truth"], prediction=columns["prediction"])
    return replace(run, counts=counts), replace(labels, plain=True)


def void_outside(run: CountedRun, labels: LabelMap) -> LabelMap:
    """Return the classes with every value of the truth that is none of them as void."""
    values = np.unique(run.counts.truth)
    outside = values[translate_values(values, labels, "truth") == UNKNOWN]
    return replace(labels, void=(*labels.void, *outside.tolist())) if outside.size else labels


def explained(
    problems: Sequence[Problem], run: CountedRun, labels: LabelMap
) -> tuple[Problem, ...]:
    """Put what explains unknown values before the first of them, and in place of the others."""
    if problems and (doubt := explain_unknown(run, labels)):
        first, of = problems[0], " is no class"
        found = replace(first, detail=first.detail.partition(f"{of}; ")[0] + of)
        return Problem(name="labels", kind="classes in doubt", detail=doubt), found
    return tuple(problems)


def translate_truth(run: CountedRun, labels: LabelMap) -> tuple[NDArray[np.int32], list[Problem]]:
    """Translate the truth of every row of counts; what is neither class nor void is a problem."""
    truth = _translate(run.counts.truth, labels, "truth")
    return truth, _unknown_values(run, run.counts, truth == UNKNOWN, "truth")


def _translate(values: NDArray[np.int64], labels: LabelMap, side: Side) -> NDArray[np.int32]:
    distinct, position = np.unique(values, return_inverse=True)
    return translate_values(distinct, labels, side).astype(np.int32)[position]


def translate_values(values: NDArray[np.int64], labels: LabelMap, side: Side) -> NDArray[np.int64]:
    """Translate all values of a side, on which is decided whether grey colours are indices."""
    index = labels.index(values, side)
    if side == "prediction":
        index[values == NO_PREDICTION] = MISSED
    return index


def _sums(
    columns: Counts, index: NDArray[np.int32], chosen: NDArray[np.bool_], size: tuple[int, int]
) -> NDArray[np.int64]:
    """Add up the chosen pixels by image and class; exact, as sums stay below 2**53."""
    cells = columns.image[chosen] * size[1] + index[chosen]
    sums = np.bincount(cells, columns.pixels[chosen], size[0] * size[1])
    return sums.astype(np.int64).reshape(size)


def _pixels(image: NDArray[np.int64], pixels: NDArray[np.int64], images: int) -> NDArray[np.int64]:
    return np.bincount(image, pixels, images).astype(np.int64)


def _confusion(
    truth: NDArray[np.int32],
    prediction: NDArray[np.int32],
    pixels: NDArray[np.int64],
    judged: NDArray[np.bool_],
    classes: int,
) -> ConfusionMatrix:
    """Add up pixels by truth class and predicted class, the last column for no class at all."""
    column = np.where(prediction < 0, classes, prediction)[judged]
    counts = np.zeros((classes, classes + 1), np.int64)
    np.add.at(counts, (truth[judged], column), pixels[judged])
    return ConfusionMatrix(counts=counts[:, :classes].copy(), unknown=counts[:, classes].copy())


def _unknown_values(
    run: CountedRun, columns: Counts, where: NDArray[np.bool_], side: Side
) -> list[Problem]:
    """Describe the values of one side that are no class: which, how many pixels, in which files."""
    values = (columns.truth if side == "truth" else columns.prediction)[where]
    image, pixels = columns.image[where], columns.pixels[where]
    distinct = np.unique(values)
    problems = []
    for value in distinct[:LISTED].tolist():
        at = np.unique(image[values == value])
        first = run.images[at[0]]
        path = first.truth_path if side == "truth" else first.prediction_path
        more = f" and {at.size - 1} more" if at.size > 1 else ""
        count = counted(int(pixels[values == value].sum()), "pixel")
        shown = describe_value(value)
        detail = f"{path}{more}: {shown} on {count} is no class; {_advice(side, shown)}"
        problems.append(
            Problem(name=first.name, kind=f"unknown value in the {side}", detail=detail)
        )
    if distinct.size > LISTED:
        detail = f"{distinct.size - LISTED} more {side} values are no class either"
        problems.append(Problem(name=side, kind=f"unknown value in the {side}", detail=detail))
    return problems


def _advice(side: Side, value: str) -> str:
    if side == "truth":
        return f"type --ignore {value} if it is void, or name the classes with --labels"
    return (
        "type --pred-labels if the prediction stores other values than the truth, --unknown ignore "
        "if such pixels are not judged, or --unknown wrong if they are misses"
    )
