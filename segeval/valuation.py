"""Probability maps and truths -> losses, calibration and hard scores of a data set, in one pass."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np

from segeval.calibration import weigh
from segeval.diagnosis import values_of
from segeval.errors import DataError, LabelError, MaskError, Problem, SettingError
from segeval.evaluation import NOTHING, count_pair, gather, pair_up, write_facts
from segeval.imagevalues import Task, value_pair
from segeval.inputs.probabilities import read_probabilities
from segeval.labelchoice import stated_labels
from segeval.labels import Label, LabelMap, numbered
from segeval.lossvalues import LOSSES, applicable_losses
from segeval.run import Run
from segeval.scoring import score_run, write_signature
from segeval.settings import LossChoice, Reading
from segeval.values import describe_values

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from segeval.calibration import Calibration
    from segeval.imagevalues import ImageValues
    from segeval.inputs.pairing import Pair
    from segeval.run import ImageCounts
    from segeval.scoring import Scores
    from segeval.settings import LabelChoice, Source

__all__ = ["Valuation", "value_losses"]

FOUND_VOID: Final = 255
"""Truth value that is void where nothing else is said."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Valuation:
    """The losses of a data set.

    Attributes
    ----------
    summary : mapping of str to float
        Each loss by name: the mean over all judged pixels, or over images; see `LOSSES`. NaN if
        no pixel is judged.
    images : mapping of str to (N,) float64 array
        The same of every image by itself; 0 if it has no judged pixel.
    judged : (N,) int64 array
        Judged pixels of every image.
    calibration : Calibration
        Whether the probabilities come true.
    scores : Scores
        Scores of the most probable classes, with the run that they come from.
    binary : bool
        Whether the maps hold the foreground only.
    choice : LossChoice
        Parameters of the losses.
    signature : str
        The definition of these numbers in one line.
    """

    summary: Mapping[str, float]
    images: Mapping[str, NDArray[np.float64]]
    judged: NDArray[np.int64]
    calibration: Calibration
    scores: Scores
    binary: bool
    choice: LossChoice
    signature: str


def value_losses(
    source: Source,
    labels: LabelChoice,
    choice: LossChoice | None = None,
    reading: Reading | None = None,
    *,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Valuation:
    """Value the losses of every pair of a data set.

    Parameters
    ----------
    source : Source
        Where the maps (as predictions) and the truths are.
    labels : LabelChoice
        The classes, in the order of the channels. If nothing is said, they are the indices 0…K-1
        of K channels, and 255 is void; a truth of nothing but 0 and 255 is binary.
    choice : LossChoice, optional
        What the maps hold, which losses are valued, and their parameters.
    reading : Reading, optional
        How files are read.
    workers, progress
        As in `evaluate`.

    Returns
    -------
    Valuation
        The same bits for any number of workers: sums over images are exact before they are rounded.

    Raises
    ------
    DataError
        If there are problems: all of them.
    LabelError, SettingError
        If it is unclear what the values mean, or a loss is not defined on these maps.
    """
    choice, reading = choice or LossChoice(), reading or Reading()
    if source.missing == "worst":
        raise SettingError("a prediction that is missing has no loss; type --missing skip")
    pairing = pair_up(source)
    if not pairing.pairs:
        raise DataError(pairing.problems or [NOTHING])
    task = _task(pairing.pairs, labels, choice, reading, workers)
    images: list[ImageValues] = []
    faults = gather(
        partial(value_pair, task=task),
        pairing.pairs,
        images.append,
        workers=workers,
        progress=progress,
    )
    facts = write_facts(source, reading, pairing, faults)
    decided = f"p>={choice.threshold:g}" if task.binary else "argmax"
    facts = replace(facts, waivers=(*facts.waivers, f"prediction:{decided}"))
    images.sort(key=lambda image: image.counts.name)
    run = Run.of([image.counts for image in images], facts)
    if not run.images:
        raise DataError(run.problems or [NOTHING])
    return _add_up(images, score_run(run, task.labels), task)


def _task(
    pairs: Sequence[Pair],
    labels: LabelChoice,
    choice: LossChoice,
    reading: Reading,
    workers: int | None,
) -> Task:
    """Find out what the maps hold, from the first one that can be read, and which classes."""
    channels = _channels(pairs, choice, reading)
    binary = channels is None
    stated = stated_labels(labels)
    if stated is None and channels is not None:
        usual = (FOUND_VOID,) if channels <= FOUND_VOID else ()
        void = usual if labels.ignore is None else labels.ignore
        stated = replace(numbered("channels", range(channels)), void=tuple(sorted(void)))
    stated = stated or _found_binary(pairs, labels.ignore, reading, workers)
    if binary and len(stated.labels) != 2:
        raise SettingError(
            f"the maps hold the foreground only, but {stated.name} names {len(stated.labels)} "
            "classes; give maps of all classes, or a label map of two"
        )
    if len(choice.alpha) not in {0, 1, len(stated.labels)}:
        raise SettingError(f"--alpha takes 1 number, or {len(stated.labels)}: one for each class")
    names = applicable_losses(choice, binary=binary)
    return Task(reading=reading, labels=stated, choice=choice, names=names, binary=binary)


def _channels(pairs: Sequence[Pair], choice: LossChoice, reading: Reading) -> int | None:
    """Return the number of classes of the first map that can be read; None for the foreground."""
    problems = []
    for pair in pairs:
        if pair.prediction is None:
            continue
        try:
            maps = read_probabilities(pair.prediction, choice, max_pixels=reading.max_pixels)
        except MaskError as error:
            problems.append(Problem(name=pair.name, kind="unreadable file", detail=str(error)))
        else:
            return maps.values.shape[0] if maps.values.ndim == 3 else None
    raise DataError(problems)


def _found_binary(
    pairs: Sequence[Pair], ignore: tuple[int, ...] | None, reading: Reading, workers: int | None
) -> LabelMap:
    """Find out from all truths which value is the foreground.

    Raises
    ------
    LabelError
        If they hold anything but 0 and 1, or 0 and 255, beside what is void.
    """
    alone = [replace(pair, prediction=pair.truth) for pair in pairs]
    images: list[ImageCounts] = []
    count = partial(count_pair, reading=reading)
    gather(count, alone, images.append, workers=workers, progress=None)
    found = values_of(Run.of(images), "truth")
    if found <= {0, FOUND_VOID} and FOUND_VOID not in (ignore or ()):
        return _binary("binary(found)", FOUND_VOID, ignore or ())
    void = (FOUND_VOID,) if ignore is None else ignore
    if found - set(void) <= {0, 1}:
        return _binary("found", 1, void)
    raise LabelError(
        f"the maps hold the foreground only, and truth holds {describe_values(found)}: which is "
        "the foreground? Type --labels with a label map of two classes, --truth-threshold V for "
        "grey truths, or --ignore for what is void"
    )


def _binary(name: str, foreground: int, void: Sequence[int]) -> LabelMap:
    names = {"background": 0, "foreground": foreground}
    labels = tuple(
        Label(name=word, truth_values=(value,), prediction_values=(value,))
        for word, value in names.items()
    )
    return LabelMap(name=name, labels=labels, void=tuple(sorted(void)))


def _add_up(images: Sequence[ImageValues], scores: Scores, task: Task) -> Valuation:
    """Take the means, over pixels or over images, of exact sums."""
    judged = np.array([image.judged for image in images])
    total = int(judged.sum())
    columns = zip(*(image.values for image in images), strict=True)
    summary, each = {}, {}
    for name, column in zip(task.names, columns, strict=True):
        by_pixel = LOSSES[name].mean == "pixels"
        count = total if by_pixel else len(images)
        summary[name] = math.fsum(column) / count if total else math.nan
        each[name] = np.array(column) / (np.maximum(judged, 1) if by_pixel else 1)
    return Valuation(
        summary=summary,
        images=each,
        judged=judged,
        calibration=weigh([image.evidence for image in images]),
        scores=scores,
        binary=task.binary,
        choice=task.choice,
        signature=write_signature(scores.run, task.labels, _facts(task)),
    )


def _facts(task: Task) -> list[str]:
    """Write down the parameters that the losses depend on."""
    choice = task.choice
    return [
        f"maps:{'logits' if choice.logits else 'probabilities'}",
        f"alpha:{','.join(f'{value:g}' for value in choice.alpha) or 'none'}",
        f"gamma:{choice.gamma:g}",
        f"smooth:{choice.smooth:g}",
        *(f"tversky:{a:g},{b:g}" for a, b in filter(None, [choice.tversky])),
        f"classes-mode:{choice.classes_mode or 'usual'}",
        f"bins:{choice.bins}",
    ]
