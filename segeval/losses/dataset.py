"""Probability maps and truths -> losses, calibration and hard scores of a data set, in one pass."""

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial, reduce
from typing import Final

import numpy as np
from numpy.typing import NDArray

from segeval.counting.dataset import NOTHING, count_pair, map_pairs, pair_up, provenance_of
from segeval.counting.run import CountedRun, ImageCounts
from segeval.counting.workers import default_workers
from segeval.errors import DataError, SettingError
from segeval.inputs.pairing import Pairing
from segeval.labels.choose import refuse_doubts
from segeval.labels.labelmap import LabelMap
from segeval.losses.calibration import Calibration, calibrate
from segeval.losses.classes import FirstMap, first_map, map_labels
from segeval.losses.pair import ImageValues, LossTask, evaluate_pair
from segeval.losses.table import LOSSES, applicable_losses, stated_options, sums_images
from segeval.scoring.score import Scores, score_run, write_signature
from segeval.settings import LabelChoice, LossChoice, Reading, Source

HEAVY: Final = 8  # pairs of masks that take as long as a pair with a probability map, at least


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LossScores:
    """The losses of a data set; NaN if no pixel is judged."""

    summary: Mapping[str, float]  # by name, over all judged pixels or over images
    images: Mapping[str, NDArray[np.float64]]  # (N,) of each image by itself; 0 if so chosen
    judged: NDArray[np.int64]  # (N,); judged pixels
    averaged: int  # images that enter the means over images
    calibration: Calibration
    scores: Scores  # of the most probable classes
    binary: bool  # the maps hold the foreground only
    choice: LossChoice
    signature: str


def evaluate_losses(
    source: Source,
    labels: LabelChoice,
    choice: LossChoice | None = None,
    reading: Reading | None = None,
    *,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> LossScores:
    """Value the losses of every pair of a data set, to the same bits for any number of workers.

    Maps are the predictions of the source. If nothing is said of the classes, they are the indices
    0…K-1 of K channels, and 255 is void; a truth of nothing but 0 and 255 is binary.
    """
    choice, reading = choice or LossChoice(), reading or Reading()
    _check_settings(source, choice)
    pairing = pair_up(source)
    if not pairing.pairs:
        raise DataError(pairing.problems or [NOTHING])
    if workers is None:
        workers = default_workers(len(pairing.pairs) * HEAVY)
    first = first_map(pairing, choice, reading)
    task = _make_task(first, map_labels(source, labels, first, reading, workers), choice, reading)
    _refuse_first(pairing, task.labels, labels, reading)
    images: list[ImageValues] = []
    faults = map_pairs(
        partial(evaluate_pair, task=task),
        pairing.pairs,
        images.append,
        workers=workers,
        progress=progress,
    )
    provenance = provenance_of(source, reading, pairing, faults)
    decided = choice.decision if task.binary else "argmax"
    waivers = (*provenance.waivers, f"prediction:{decided}")
    run = CountedRun.of([image.counts for image in images], replace(provenance, waivers=waivers))
    if not run.images:
        raise DataError(faults or provenance.problems)
    refuse_doubts(run, task.labels, labels)
    return _add_up(images, score_run(run, task.labels), task)


def _check_settings(source: Source, choice: LossChoice) -> None:
    """Refuse what no loss of a data set is defined for."""
    if source.annotations.per_class.template:
        raise SettingError("a loss needs one class a pixel; leave out --per-class")
    if source.missing == "worst":
        raise SettingError("a prediction that is missing has no loss; type --missing skip")
    if sums_images(choice) and choice.void_image == "zero":
        raise SettingError(
            "--void-image zero is of means over images, of which --pooling dataset has none; "
            "leave it out"
        )


def _refuse_first(
    pairing: Pairing, labels: LabelMap, choice: LabelChoice, reading: Reading
) -> None:
    """Stop before the pass where the first truth alone holds values of two meanings."""
    pair = next(pair for pair in pairing.pairs if pair.prediction is not None)
    counts = count_pair(replace(pair, prediction=None), reading)
    if labels.threshold("truth") is None and isinstance(counts, ImageCounts):
        refuse_doubts(CountedRun.of([counts]), labels, choice, ("truth",))


def _make_task(first: FirstMap, labels: LabelMap, choice: LossChoice, reading: Reading) -> LossTask:
    """Say what is asked of every pair, if the losses are defined on these maps."""
    if choice.threshold is not None and not first.binary:
        raise SettingError(
            f"--threshold is of maps of one foreground, and these hold {first.classes} classes "
            f"({first.path}), of which the most probable is taken; leave it out"
        )
    names = applicable_losses(choice, binary=first.binary)
    if len(choice.alpha) not in {0, 1, first.classes}:
        raise SettingError(f"--alpha takes 1 number, or {first.classes}: one for each class")
    if len(choice.class_weights) not in {0, first.classes}:
        raise SettingError(f"--class-weights takes {first.classes} numbers: one for each class")
    return LossTask(
        reading=reading,
        labels=labels,
        choice=choice,
        names=names,
        binary=first.binary,
        first=first.path,
        listed=labels.positions(choice.loss_classes),
    )


def _add_up(images: Sequence[ImageValues], scores: Scores, task: LossTask) -> LossScores:
    """Take the means, over pixels or over images, of exact sums."""
    judged = np.array([image.judged for image in images])
    entering = (judged > 0) | (task.choice.void_image == "zero")
    averaged = int(np.count_nonzero(entering))
    total = int(judged.sum())
    columns = zip(*(image.values for image in images), strict=True)
    divisors = zip(*(image.divisors for image in images), strict=True)
    summary, each = {}, {}
    for name, column, shares in zip(task.names, columns, divisors, strict=True):
        values, divisor = np.array(column), np.array(shares, np.float64)
        whole = math.fsum(divisor[entering]) or 1  # weights that are all 0 make a loss of 0
        summary[name] = math.fsum(values[entering]) / whole if total else math.nan
        row = LOSSES[name]
        if total and (ratio := row.pooled(task.choice)):
            squared = row.squared(task.choice)
            sums = reduce(operator.add, (image.overlaps[squared] for image in images))
            summary[name] = ratio(sums, task.choice)
        each[name] = np.where(entering, values / np.where(divisor > 0, divisor, 1), np.nan)
    return LossScores(
        summary=summary,
        images=each,
        judged=judged,
        averaged=averaged,
        calibration=calibrate([image.evidence for image in images]),
        scores=scores,
        binary=task.binary,
        choice=task.choice,
        signature=write_signature(scores.run, task.labels, _facts(task)),
    )


def _facts(task: LossTask) -> list[str]:
    """Write down the parameters that the losses depend on."""
    choice = task.choice
    return [
        f"maps:{'logits' if choice.logits else 'probabilities'}",
        f"alpha:{','.join(f'{value:g}' for value in choice.alpha) or 'none'}",
        f"gamma:{choice.gamma:g}",
        f"smooth:{choice.smooth:g}",
        *(f"tversky:{a:g},{b:g}" for a, b in filter(None, [choice.tversky])),
        f"pooling:{choice.pooling}",
        f"classes-mode:{choice.classes_mode or 'usual'}",
        *(["void-image:zero"] if choice.void_image == "zero" else []),
        f"bins:{choice.bins}",
        *(f"{name.replace('_', '-')}:{_said(choice, name)}" for name in stated_options(choice)),
    ]


def _said(choice: LossChoice, name: str) -> str:
    """Write down an option of a few losses."""
    value = getattr(choice, name)
    if isinstance(value, tuple):
        return ",".join(each if isinstance(each, str) else f"{each:g}" for each in value)
    return "yes" if value is True else f"{value:g}"
