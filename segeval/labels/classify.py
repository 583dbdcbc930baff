"""Run + label map -> counts between classes: values become classes here, on the counts alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, get_args

import numpy as np
from numpy.typing import NDArray

from segeval.counting.confusion import CLASS_PARTS, ClassCounts, ConfusionMatrix
from segeval.counting.contingency import ranked
from segeval.counting.counts import Counts
from segeval.counting.run import CountedRun
from segeval.errors import Problem, SettingError
from segeval.labels.diagnose import explain_unknown
from segeval.labels.labelmap import UNKNOWN, LabelMap, Side
from segeval.labels.nodata import no_data_on_truth
from segeval.settings import Unknown
from segeval.text import counted
from segeval.values import COLOR, NO_PREDICTION, describe_value, is_float, plain_values

MISSED: Final = -3  # index of a pixel without a prediction: a miss for its truth class
LISTED: Final = 20  # unknown values named one by one in an error


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClassifiedRun:
    """The counts of a run in terms of classes."""

    confusion: ConfusionMatrix | None  # none where classes overlap
    images: ClassCounts  # (N, K), and (N,) judged pixels
    pixels: NDArray[np.int64]  # (N,); all pixels of each image
    unclassed: int  # judged pixels whose predicted value is no class, or that have none
    unknown_predictions: int  # judged pixels whose predicted value is no class
    ignored_predictions: int  # not judged for that reason (unknown="ignore")
    problems: tuple[Problem, ...]  # values that the label map does not know

    @property
    def classes(self) -> ClassCounts:
        """Counts of each class over all images."""
        return self.images.map(lambda part: part.sum(axis=0))


def classify(run: CountedRun, labels: LabelMap, *, unknown: Unknown = "error") -> ClassifiedRun:
    """Translate the values of a run into classes; values that cannot be are its problems.

    ``unknown`` says what a predicted value is, on a judged pixel, that is no class: a problem, a
    miss for the true class, or a reason not to judge the pixel. Classes that overlap are counted
    one by one, each against the rest.
    """
    if unknown not in get_args(Unknown):
        raise SettingError(f"{unknown!r} is none of {', '.join(get_args(Unknown))}")
    places = range(len(labels.labels)) if labels.overlap else ()
    several = [_classify(run, labels.against_rest(place), unknown) for place in places]
    one = several[0] if several else _classify(run, labels, unknown)
    if several:
        images = ClassCounts.against_rest([each.images for each in several])
        one = replace(one, confusion=None, images=images)
    return replace(one, problems=explained(one.problems, run, labels))


def _classify(run: CountedRun, labels: LabelMap, unknown: Unknown) -> ClassifiedRun:
    """Translate the values of a run into classes of which each value has one."""
    tally = _Tally(len(run.images), len(labels.labels))
    truths, predictions = (_Translation(run, labels, side) for side in get_args(Side))
    lost, strange = [], []  # rows whose truth, or whose prediction on a judged pixel, is no class
    for block in run.counts.blocks():
        truth, prediction = truths.of(block), predictions.of(block)
        judged = truth >= 0
        unseen = judged & (prediction < 0) & (prediction != MISSED)
        lost.append(block.select(truth == UNKNOWN))
        strange.append(block.select(unseen))
        if unknown == "ignore":
            judged &= ~unseen
        tally.add(block, truth, prediction, judged)
    problems = _unknown_values(run, Counts.joined(lost), "truth")
    unseen_rows = Counts.joined(strange)
    if unknown == "error":
        problems += _unknown_values(run, unseen_rows, "prediction")
    pixels = int(unseen_rows.pixels.sum())
    return ClassifiedRun(
        confusion=tally.confusion,
        images=tally.images,
        pixels=tally.pixels,
        unclassed=int(tally.confusion.unknown.sum()),
        unknown_predictions=pixels,
        ignored_predictions=pixels if unknown == "ignore" else 0,
        problems=tuple(problems),
    )


class _Translation:
    """Which class each value of one side of a run is, as is decided over the whole side."""

    def __init__(self, run: CountedRun, labels: LabelMap, side: Side) -> None:
        self.side: Side = side
        self.values = run.counts.values(side)
        self.index = translate_values(self.values, labels, side).astype(np.int32)

    def of(self, block: Counts) -> NDArray[np.int32]:
        """Return the class of every row."""
        return self.index[np.searchsorted(self.values, block.column(self.side))]


class _Tally:
    """The counts of classes, added up block by block; exact, as sums stay below 2**53."""

    def __init__(self, images: int, classes: int) -> None:
        self.pixels = np.zeros(images, np.int64)
        parts: dict[str, Any] = {n: np.zeros((images, classes), np.int64) for n in CLASS_PARTS}
        self.images = ClassCounts(
            **parts,
            total=np.zeros(images, np.int64),
            squares=np.zeros(images, np.int64),
        )
        self._cells = np.zeros((classes, classes + 1), np.int64)  # the last column for no class

    @property
    def confusion(self) -> ConfusionMatrix:
        """The pixels by truth class and predicted class."""
        cells = self._cells
        return ConfusionMatrix(counts=cells[:, :-1].copy(), unknown=cells[:, -1].copy())

    def add(
        self,
        block: Counts,
        truth: NDArray[np.int32],
        prediction: NDArray[np.int32],
        judged: NDArray[np.bool_],
    ) -> None:
        """Add the rows of some images, of which some are judged."""
        image, pixels = block.image, block.pixels
        first, last = int(image[0]), int(image[-1])
        image -= first
        part, size = slice(first, last + 1), (last + 1 - first, self._cells.shape[0])
        found = judged & (prediction >= 0)
        squares = pixels * (truth.astype(np.int64) - prediction) ** 2
        column = np.where(prediction < 0, size[1], prediction)
        self._cells += _sums(truth, column, pixels, judged, self._cells.shape)
        images = self.images
        right = judged & (truth == prediction)
        images.tp[part] += _sums(image, truth, pixels, right, size)
        images.support[part] += _sums(image, truth, pixels, judged, size)
        images.predicted[part] += _sums(image, prediction, pixels, found, size)
        images.total[part] += _pixels(image[judged], pixels[judged], size[0])
        if images.squares is not None:
            images.squares[part] += _pixels(image[found], squares[found], size[0])
        self.pixels[part] += _pixels(image, pixels, size[0])


def of_whole(run: CountedRun, labels: LabelMap) -> tuple[CountedRun, LabelMap]:
    """Decide over a whole run whether grey colours are levels, for whoever reads parts of it."""
    counts = run.counts
    for side in get_args(Side):
        values = counts.values(side)
        if (values >= COLOR).any() or is_float(values).any():
            plain = plain_values(values, labels.known(side))
            places = np.searchsorted(values, counts.column(side))
            counts = counts.with_values(**{side: plain[places]})
    return replace(run, counts=counts), replace(labels, plain=True)


def void_outside(run: CountedRun, labels: LabelMap) -> LabelMap:
    """Return the classes with every value of the truth that is none of them as void."""
    values = run.counts.values("truth")
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
    translation, parts, lost = _Translation(run, labels, "truth"), [np.empty(0, np.int32)], []
    for block in run.counts.blocks():
        parts.append(translation.of(block))
        lost.append(block.select(parts[-1] == UNKNOWN))
    return np.concatenate(parts), _unknown_values(run, Counts.joined(lost), "truth")


def translate_values(values: NDArray[np.int64], labels: LabelMap, side: Side) -> NDArray[np.int64]:
    """Translate all values of a side, on which is decided whether grey colours are indices."""
    index = labels.index(values, side)
    if side == "prediction":
        index[values == NO_PREDICTION] = MISSED
    return index


def _sums(
    row: NDArray[Any],
    column: NDArray[Any],
    pixels: NDArray[np.int64],
    chosen: NDArray[np.bool_],
    size: tuple[int, ...],
) -> NDArray[np.int64]:
    """Add up the chosen pixels by row and column."""
    cells = row[chosen].astype(np.int64) * size[1] + column[chosen]
    return _pixels(cells, pixels[chosen], size[0] * size[1]).reshape(size)


def _pixels(cell: NDArray[np.int64], pixels: NDArray[np.int64], cells: int) -> NDArray[np.int64]:
    return np.bincount(cell, pixels, cells).astype(np.int64)


def _unknown_values(run: CountedRun, rows: Counts, side: Side) -> list[Problem]:
    """Describe the values of one side that are no class: which, how many pixels, in which files."""
    values, image, pixels = rows.column(side), rows.image, rows.pixels
    distinct, problems = ranked(values)[0], []
    void = no_data_on_truth(run) if side == "truth" and distinct.size else set()
    for value in distinct[:LISTED].tolist():
        at = np.unique(image[values == value])
        first = run.images[at[0]]
        path = first.truth_path if side == "truth" else first.prediction_path
        more = f" and {at.size - 1} more" if at.size > 1 else ""
        count = counted(int(pixels[values == value].sum()), "pixel")
        shown = describe_value(value)
        advice = "type --ignore nodata, as the files name it so" if value in void else ""
        detail = f"{path}{more}: {shown} on {count} is no class; {advice or _advice(side, shown)}"
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
