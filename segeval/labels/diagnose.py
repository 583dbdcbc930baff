"""Two sides that mean the same classes by different values: recognised by the pixels.

Each doubt ends in options to type, under which the pixels agree.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Collection, Iterator
from dataclasses import replace
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from segeval.counting.contingency import ContingencyTable
from segeval.counting.run import CountedRun
from segeval.labels.labelmap import MOST_CLASSES, UNKNOWN, WHITE, LabelMap, numbered
from segeval.labels.load import builtin_names, load_labels
from segeval.values import COLOR, NO_PREDICTION, OUTSIDE, describe_values, plain_values

MORE: Final = 5  # so many times as many pixels must agree after a change; one in so many at all
GREY_LEVELS: Final = 20  # more values may be grey levels; ids of classes up to this, objects
LARGE: Final = 16  # a map of so many classes is not fitted by chance where half of them occur


def judged_pairs(table: ContingencyTable, void: Collection[int]) -> ContingencyTable:
    """Leave out of a sum of tables what is void in the truth or missing."""
    truth, prediction = plain_values(table.truth), table.prediction
    seen = prediction != NO_PREDICTION
    judged = ~np.isin(truth, [*void, OUTSIDE]) & seen
    prediction = prediction.copy()
    prediction[seen] = plain_values(prediction[seen])
    return ContingencyTable(
        truth=truth[judged], prediction=prediction[judged], pixels=table.pixels[judged]
    )


@cache
def _builtin() -> tuple[LabelMap, ...]:
    return tuple(map(load_labels, builtin_names()))


def mixed_maps(pairs: ContingencyTable, truth: set[int], prediction: set[int]) -> str:
    """Recognise a truth and a prediction stored as different ids of the same classes.

    Their values mostly differ, or more pixels agree under two maps than as they are.
    """
    unlike = len(truth & prediction) * 2 < len(truth | prediction)
    equal = int(pairs.pixels[pairs.truth == pairs.prediction].sum())
    if not unlike and equal * 2 >= pairs.total:
        return ""
    fits = [
        (_agreement(pairs, ours, theirs), theirs.name.startswith(ours.name), ours.name, theirs.name)
        for ours, theirs in itertools.permutations(_builtin(), 2)
        if ours.names == theirs.names
        and _step(ours, theirs) is None
        and truth <= ours.known("truth").keys()
        and prediction <= theirs.known("truth").keys()
        and not any(_explains(labels, truth, prediction) for labels in (ours, theirs))
    ]
    if not fits:
        return ""
    agreeing, _, ours, theirs = max(fits)
    if not unlike and agreeing <= equal:
        return ""
    return (
        f"these look like {theirs} and {ours} values of the same classes; "
        f"type --labels {ours} --pred-labels {theirs}"
    )


def _step(ours: LabelMap, theirs: LabelMap) -> int | None:
    """How much higher all values of one map are than those of another; None if they differ."""
    values = [
        label.truth_values[0] - other.truth_values[0]
        for label, other in zip(ours.labels, theirs.labels, strict=True)
        if label.truth_values and other.truth_values
    ]
    return values[0] if len(set(values)) == 1 else None


def _explains(labels: LabelMap, truth: set[int], prediction: set[int]) -> bool:
    """Whether one map explains both sides, and most of the truth is not void under it."""
    classes = labels.known("prediction").keys()
    known = truth <= labels.known("truth").keys() and prediction <= classes
    return known and len(truth & classes) * 2 >= len(truth)


def _agreement(
    pairs: ContingencyTable, ours: LabelMap, theirs: LabelMap, *, several: bool = False
) -> int:
    """Count the pixels on which both sides mean the same class, or the same of several classes."""
    truth = ours.index(pairs.truth, "truth")
    same = (truth == theirs.index(pairs.prediction, "prediction")) & (truth >= 0)
    return 0 if several and not _several(truth[same]) else int(pairs.pixels[same].sum())


def _several(classes: NDArray[np.int64]) -> bool:
    """Whether there are two classes or more: one that agrees by chance is no evidence."""
    return np.unique(classes).size > 1


def shifted(pairs: ContingencyTable, truth: set[int], ignore: Collection[int] | None) -> str:
    """Recognise classes counted from 0 against classes counted from 1, by the pixels."""
    offset = pairs.truth - pairs.prediction
    equal, up, down = (int(pairs.pixels[offset == by].sum()) for by in (0, 1, -1))
    by, found = (1, up) if up >= down else (-1, down)
    few = found < equal * MORE or found * MORE < pairs.total
    if few or not _several(pairs.truth[offset == by]):
        return ""
    held, predicted = set(pairs.truth.tolist()), set(pairs.prediction.tolist())
    if by == -1 and 0 in predicted and max(predicted) <= max(held):
        return ""
    void = sorted((truth - held) | set(ignore or ()) | ({0} & held if by == 1 else set()))
    options = f"--pred-offset {by}"
    if by == -1 and 0 in predicted:
        options += f" --classes {max(held) + 1} --unknown wrong"
    if void and (ignore is None or void != sorted(ignore)):
        options += f" --ignore {','.join(map(str, void))}"
    maps = [
        f", or --labels {ours.name} --pred-labels {theirs.name} if that is what they are"
        for ours, theirs in itertools.permutations(_builtin(), 2)
        if ours.names == theirs.names
        and _step(ours, theirs) == by
        and _covers(ours, held)
        and predicted <= theirs.known("prediction").keys()
    ]
    return (
        f"{found} of {pairs.total} pixels agree if {by} is added to the prediction, {equal} as "
        f"they are; type {options}{''.join(maps)}"
    )


def _covers(labels: LabelMap, truth: set[int]) -> bool:
    """Whether a map knows all values of a truth, which holds half of its classes or more."""
    classes = labels.known("prediction").keys()
    return truth <= labels.known("truth").keys() and (
        len(truth & classes) * 2 >= len(labels.labels)
    )


def scaled(pairs: ContingencyTable, labels: LabelMap | None = None) -> str:
    """Recognise class numbers against multiples of them, by the pixels that are not 0.

    Without a chosen map, a 255 of the truth is void unless it agrees as a multiple.
    """
    ours, theirs = (int(np.gcd.reduce(side)) for side in (pairs.truth, pairs.prediction))
    if ours == theirs or not (ours and theirs) or pairs.prediction.min() < 0:
        return ""
    number, pixels = pairs.truth // ours, pairs.pixels
    agree, white = number == pairs.prediction // theirs, pairs.truth == WHITE
    white &= labels is None and bool(pixels[white & agree].sum() * 2 < pixels[white].sum())
    some = (pairs.truth > 0) & ~white
    found, equal, total = (
        int(pixels[some & rows].sum())
        for rows in (agree, pairs.truth == pairs.prediction, np.True_)
    )
    last = int(max(number[some].max(initial=0), pairs.prediction.max() // theirs))
    few = found < equal * MORE or found * MORE < total or not _several(number[some & agree])
    if few or last > WHITE // 2:
        return ""
    held = labels.labels if labels else ()
    names = {value: label.name for label in held for value in label.truth_values}
    classes = [
        f"name = {json.dumps(names.get(k * ours, str(k)))}, truth_values = {k * ours}, "
        f"prediction_values = {k * theirs}"
        for k in range(last + 1)
    ]
    void = ",".join(map(str, labels.void if labels else [WHITE] * bool(white.any())))
    ignored = f" --ignore {void}" if void else ""
    place = f" in place of {labels.name}" if labels else ""
    return (
        f"{found} of {total} pixels that are not 0 agree if the truth counts by {ours} and the "
        f"prediction by {theirs}; {label_file(classes, f'{ignored}{place}')}"
    )


def label_file(classes: list[str], more: str = "") -> str:
    """Propose a label file of one line, and what is typed beside it."""
    lines = ", ".join(f"{{{fields}}}" for fields in classes)
    return (
        f"type --labels labels.toml{more}, with this line in the file labels.toml: "
        f"labels = [{lines}]"
    )


def unpredicted_void(
    truth: set[int], prediction: set[int], ignore: Collection[int] | None, least: int = 0
) -> str:
    """Say which values a built-in map of some classes holds for void, and no prediction holds."""
    void = {WHITE} if ignore is None else set(ignore)
    judged, predicted = truth - void, prediction - void
    fits = []
    for labels in _builtin() if judged - predicted and predicted and ignore != () else ():
        unseen = set(labels.void) & judged
        fit = _covers(labels, judged) and predicted <= labels.known("prediction").keys()
        if unseen and fit and len(labels.labels) >= least:
            fits.append((len(unseen), -len(labels.labels), labels.name, unseen))
    if not fits:
        return ""
    *_, name, unseen = max(fits)
    white = " --ignore 255" * (255 in truth)
    return (
        f"no prediction holds {describe_values(unseen)} of the truth, which is void in {name}; "
        f"type --labels {name}{white} if these are its values, or --classes {max(judged) + 1}"
        f"{white} if all are classes"
    )


def explain_unknown(run: CountedRun, labels: LabelMap) -> str:
    """Say under which other options the values of a run make sense, or return nothing."""
    total = run.total()
    pairs = judged_pairs(total, labels.void)
    if labels.overlap or not pairs.total or max(pairs.truth.max(), pairs.prediction.max()) >= COLOR:
        return ""
    truth = labels.index(pairs.truth, "truth")
    prediction = labels.index(pairs.prediction, "prediction")
    unknown = (truth == UNKNOWN).any(), (prediction == UNKNOWN).any()
    if len(labels.labels) == 2:
        sides = (set(pairs.truth.tolist()), set(pairs.prediction.tolist()))
        doubt = _binary_advice(
            labels, *(s if u else set() for s, u in zip(sides, unknown, strict=True))
        )
        if doubt or labels.thresholds:
            return doubt
    now = int(pairs.pixels[(truth == prediction) & (truth >= 0)].sum())
    least = max(now if unknown[0] else now + 1 if unknown[1] else now * MORE, pairs.total / MORE)
    everything = judged_pairs(total, ())
    of_maps = any(waiver.startswith("prediction:") for waiver in run.provenance.waivers)
    others = _of_channels(labels) if of_maps else _others(labels, int(pairs.truth.max()) + 1)
    fits = [
        (_agreement(everything, other, other, several=True), likeness, options)
        for other, likeness, options in others
        if _knows(everything, other)
    ]
    found, _, options = max(fits, default=(0, 0, ""))
    if found < least:
        return scaled(pairs, labels)
    held = [describe_values(side.tolist()) for side in (pairs.prediction, pairs.truth)]
    return (
        f"prediction holds {held[0]}, truth holds {held[1]}: {now} of {pairs.total} pixels agree "
        f"under {labels.name}, and {found} if you type {options}"
    )


def _of_channels(labels: LabelMap) -> Iterator[tuple[LabelMap, int, str]]:
    """Yield the maps of as many classes, whose order the channels of probabilities may have."""
    for other in _builtin():
        if len(other.labels) == len(labels.labels):
            both = tuple(
                replace(theirs, prediction_values=ours.prediction_values)
                for theirs, ours in zip(other.labels, labels.labels, strict=True)
            )
            yield replace(other, labels=both), 0, f"--labels {other.name}"


def _others(labels: LabelMap, classes: int) -> Iterator[tuple[LabelMap, int, str]]:
    """Yield maps that a user may have meant, how alike their names are, and what is typed."""
    for by in (1, -1):
        offset = labels.prediction_offset + by
        yield replace(labels, prediction_offset=offset), 0, f"--pred-offset {offset}"
    if labels.name == "indices" and 1 < classes <= MOST_CLASSES:
        void = sorted({0, *labels.void})
        ignored = ",".join(map(str, void))
        yield (
            replace(numbered("indices", range(classes), void=void), prediction_offset=1),
            1,
            f"--classes {classes} --ignore {ignored} --pred-offset 1",
        )
    base = labels.name.split("/")[0]
    relatives = [other for other in _builtin() if other.names == labels.names]
    own = {value for other in relatives if other.name == base for value in other.void}
    for ours, theirs in itertools.product(relatives, repeat=2):
        both = ours if ours is theirs else ours.predicting(theirs)
        names = {
            ours.name: "--labels",
            theirs.name: "--labels" if both is ours else "--pred-labels",
        }
        options = " ".join(f"{option} {name}" for name, option in names.items())
        likeness = sum(name.startswith(base.removesuffix("-train")) for name in names)
        yield (
            both.ignoring(set(labels.void) - own),
            likeness * 2 - len(names),
            f"{options} in place of {labels.name}",
        )


def _knows(pairs: ContingencyTable, labels: LabelMap) -> bool:
    """Whether a map knows every value of the truth, and every predicted one on judged pixels."""
    truth = labels.index(pairs.truth, "truth")
    prediction = labels.index(pairs.prediction, "prediction")
    return bool((truth != UNKNOWN).all() and (prediction[truth >= 0] >= 0).all())


def _binary_advice(labels: LabelMap, truth: set[int], prediction: set[int]) -> str:
    """Propose thresholds for the sides that a map of two classes does not know."""
    sides = (
        ("--threshold", prediction, labels.prediction_threshold),
        ("--truth-threshold", truth, labels.truth_threshold),
    )
    levels = {name: threshold_of(held) for name, held, given in sides if held and given is None}
    if not levels or None in levels.values():
        return ""
    options = " ".join(f"{name} {level}" for name, level in levels.items())
    objects = truth - {0, 1, 255}
    if objects and 255 in truth and levels.get("--truth-threshold") == 1:
        options += " --ignore 255"
    place = " in place of --classes 2" if labels.name == "indices" else ""
    grey = any(level != 1 for level in levels.values())
    return (
        f"{labels.name} has two classes, and the masks hold more values; type {options}{place} if "
        f"{'they are grey levels' if grey else 'everything but 0 is foreground'}; classes are "
        "scored by `segeval score` with all of them named, or without --labels and thresholds"
    )


def threshold_of(values: Collection[int]) -> int | None:
    """Return what splits values into background and foreground, if they are ids or grey levels.

    >>> threshold_of([0, 255]), threshold_of([0, 1, 2, 3]), threshold_of(range(0, 256, 5))
    (1, 1, 128)
    >>> threshold_of([0, 1, 7])
    """
    ids = {1, *values} - {0, 255}
    if len(ids) == max(ids) <= GREY_LEVELS:
        return 1
    return 128 if len(values) > GREY_LEVELS else None
