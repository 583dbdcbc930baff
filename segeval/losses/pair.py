"""One pair of probability map and truth -> its losses, its hard counts and its calibration."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from segeval.counting.dataset import count_masks, resize, sizes_differ
from segeval.counting.run import ImageCounts
from segeval.errors import MaskError, Problem
from segeval.inputs.pairing import Pair
from segeval.inputs.probabilities import read_probabilities, sum_tolerance
from segeval.inputs.regions import read_truth
from segeval.labels.doubts import threshold_doubt
from segeval.labels.labelmap import LabelMap
from segeval.losses.arrays import clip_logits, sigmoid, softmax
from segeval.losses.calibration import ReliabilityBins, bin_probabilities
from segeval.losses.overlap import Overlap
from segeval.losses.table import IGNORED, LOSSES, LossInput, sums_images
from segeval.settings import HALF, LossChoice, Reading
from segeval.text import counted
from segeval.values import SLACK, color_value

LEVELS: Final = {"uint8": 255, "uint16": 65535}  # highest level of maps of integers


@dataclass(frozen=True, slots=True, kw_only=True)
class LossTask:
    """What is asked of every pair; the first map told whether all are binary."""

    reading: Reading
    labels: LabelMap
    choice: LossChoice
    names: tuple[str, ...]
    binary: bool
    first: str
    listed: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ImageValues:
    """What one pair comes to; the counts are of the classes with the highest probability."""

    counts: ImageCounts
    judged: int  # pixels that are not void
    values: tuple[float, ...]  # by loss: sum over judged pixels, or value
    divisors: tuple[float, ...]
    evidence: ReliabilityBins
    overlaps: Mapping[
        bool, Overlap
    ]  # where losses are of sums over the data set, as in `LossInput`


def evaluate_pair(pair: Pair, task: LossTask) -> ImageValues | Problem:
    """Read one pair and value its losses; what stands in the way comes back as a problem."""
    reading, choice = task.reading, task.choice
    if pair.prediction is None:
        raise ValueError(f"{pair.name} has no prediction")
    try:
        truth = read_truth(pair, max_pixels=reading.max_pixels)
        maps = read_probabilities(pair.prediction, choice, max_pixels=reading.max_pixels)
    except MaskError as error:
        return Problem(name=pair.name, kind="unreadable file", detail=str(error))
    problem = _wrong_shape(pair, task, maps.values.shape, truth.values.shape)
    if problem is not None:
        return problem
    index = _class_index(truth.values, task.labels)
    values = _without_void(resize(maps.values, truth.values.shape), index < 0, choice)
    doubt = _doubt(values, maps.stored, choice)
    if doubt:
        detail = f"{pair.prediction}: {doubt}"
        return Problem(name=pair.name, kind="not what was said", detail=detail)
    given = _given(values, index, task)
    hard = _decide(given, task, maps.stored)
    counts = count_masks(pair, truth, _as_values(hard, task.labels), maps.form)
    losses, likelihood = _value_losses(given, task)
    rows = [LOSSES[name] for name in task.names]
    return ImageValues(
        counts=counts,
        judged=int(np.count_nonzero(index >= 0)),
        values=losses,
        divisors=tuple(row.divisor(given) if row.mean == "pixels" else 1 for row in rows),
        evidence=_evidence(given, hard, task, likelihood),
        overlaps=given.overlaps if sums_images(choice) else {},
    )


def _wrong_shape(
    pair: Pair, task: LossTask, found: tuple[int, ...], wanted: tuple[int, ...]
) -> Problem | None:
    classes, several = len(task.labels.labels), len(found) == 3
    if several == task.binary or (several and found[0] != classes):
        first = f"the first map {task.first}"
        expected = (
            f"{wanted} of the foreground, as in {first}"
            if task.binary
            else f"{(classes, *wanted)}: {task.labels.name} has {classes} classes"
        )
        if task.labels.name == "channels":
            expected += f", as {first} has"
        if several and found[:2] == wanted and task.choice.channels == "first":
            expected += ", or type --channels last"
        detail = f"{pair.prediction} is of shape {found}; expected {expected}"
        return Problem(name=pair.name, kind="wrong number of classes", detail=detail)
    fits = found[-2:] == wanted or task.reading.resize_prediction
    return None if fits else sizes_differ(pair, wanted, found[-2:])


def _class_index(values: NDArray[Any], labels: LabelMap) -> NDArray[np.int16]:
    """Translate a truth; what is no class is left to `classify`, and here as good as void."""
    distinct, position = np.unique(values, return_inverse=True)
    index = np.maximum(labels.index(distinct.astype(np.int64), "truth"), IGNORED)
    return index.astype(np.int16)[position].reshape(values.shape)


def _without_void(
    values: NDArray[Any], void: NDArray[np.bool_], choice: LossChoice
) -> NDArray[Any]:
    """Blank void pixels, which may hold anything, with values that raise no doubt."""
    if not void.any():
        return values
    blank = 0 if choice.logits else 1 / (values.shape[0] if values.ndim == 3 else 2)
    return np.where(void, values.dtype.type(blank), values)


def _doubt(values: NDArray[Any], stored: str, choice: LossChoice) -> str:
    low, high = float(values.min()), float(values.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        odd = _count(~np.isfinite(values))
        return f"NaN or infinity on {counted(odd, 'judged pixel')}; mend the map"
    if choice.logits:
        return ""
    if low < -SLACK or high > 1 + SLACK:
        outside = (values < -SLACK) | (values > 1 + SLACK)
        found, pixels = values[outside], counted(_count(outside), "judged pixel")
        return (
            f"values outside [0, 1] on {pixels}, from {found.min():g} to {found.max():g}; "
            "type --logits if they are logits, or scale them"
        )
    if values.ndim == 3 or choice.threshold is None:
        return _wrong_sums(values, stored) if values.ndim == 3 else ""
    whole = stored in LEVELS
    numbers = np.rint(values * LEVELS[stored]) if whole else values
    return threshold_doubt(numbers, choice.threshold, whole=whole)


def _count(odd: NDArray[np.bool_]) -> int:
    return int(np.count_nonzero(odd.any(axis=0) if odd.ndim == 3 else odd))


def _wrong_sums(values: NDArray[Any], stored: str) -> str:
    tolerance = sum_tolerance(stored, values.shape[0])
    sums = values.sum(axis=0)
    odd = sums[np.abs(sums - 1) > tolerance]
    if not odd.size:
        return ""
    return (
        f"the classes do not sum to 1 (tolerance {tolerance:g}) on "
        f"{counted(odd.size, 'judged pixel')}, but to {odd.min():g} to {odd.max():g}; type "
        "--logits if they are logits, or divide by the sum"
    )


def _given(values: NDArray[Any], index: NDArray[np.int16], task: LossTask) -> LossInput:
    probabilities, choice = values, task.choice
    if choice.logits:
        values = clip_logits(np, values)
        probabilities = softmax(np, values, axis=0) if values.ndim == 3 else sigmoid(np, values)
    return LossInput(
        values=values, probabilities=probabilities, truth=index, choice=choice, listed=task.listed
    )


def _value_losses(given: LossInput, task: LossTask) -> tuple[tuple[float, ...], float]:
    """Value the losses of the task, each function once, and the likelihood beside them."""
    likelihood = LOSSES["bce" if task.binary else "cross_entropy"].value
    wanted = [LOSSES[name].value for name in task.names]
    values = {function: function(given) for function in dict.fromkeys((*wanted, likelihood))}
    losses = tuple(values[function] for function in wanted)
    usual = replace(given.choice, positive_weight=None, class_weights=(), label_smoothing=0.0)
    if usual != given.choice:
        return losses, likelihood(replace(given, choice=usual))
    return losses, values[likelihood]


def _decide(given: LossInput, task: LossTask, stored: str) -> NDArray[np.integer[Any]]:
    """Return the class of each pixel: by the threshold, or the first of the most probable."""
    if task.binary:
        stated = task.choice.threshold
        threshold = HALF if stated is None else stated / LEVELS.get(stored, 1)
        return (given.probabilities >= threshold).astype(np.uint8)
    best = given.values[0].copy()
    hard = np.zeros(best.shape, np.min_scalar_type(given.values.shape[0]))
    for number, plane in enumerate(given.values[1:], 1):
        better = plane > best
        hard[better] = number
        np.copyto(best, plane, where=better)
    return hard


def _as_values(hard: NDArray[np.integer[Any]], labels: LabelMap) -> NDArray[Any]:
    """Write classes by the values that mean them in the files of predictions."""
    values = [
        label.prediction_values[0]
        if label.prediction_values
        else color_value(label.colors_of("prediction")[0])
        for label in labels.labels
    ]
    small = np.int64 if min(values) < 0 else np.min_scalar_type(max(values))
    table: NDArray[Any] = np.array(values, small)
    return table.take(hard)


def _evidence(
    given: LossInput, hard: NDArray[np.integer[Any]], task: LossTask, likelihood: float
) -> ReliabilityBins:
    """Hold the probabilities of judged pixels against the truth."""
    judged = given.truth >= 0
    truth, confidence = given.truth[judged], given.probabilities
    if task.binary:
        confidence = confidence[judged]
        correct = truth == 1
        towards = np.where(correct, confidence, 1 - confidence)
        squared = (1 - towards.astype(np.float64)) ** 2
    else:
        squared = np.zeros(judged.shape)
        for number, plane in enumerate(given.probabilities):
            squared += (plane - (given.truth == number)) ** 2
        squared = squared[judged]
        towards = np.take_along_axis(confidence, np.maximum(given.truth, 0)[None], 0)[0][judged]
        confidence = np.take_along_axis(confidence, hard[None].astype(np.int64), 0)[0][judged]
        correct = hard[judged] == truth
    return bin_probabilities(
        confidence,
        correct,
        task.choice.bins,
        squared=float(squared.sum()),
        nll=likelihood,
        impossible=0 if task.choice.logits else int(np.count_nonzero(towards <= 0)),
    )
