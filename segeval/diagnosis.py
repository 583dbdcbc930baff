"""Which classes are these? Label maps chosen by the user, or found in the values of a run.

Masks are scored without a label map only where their values leave no doubt. Anything else is
stopped, with what was found and the command to type.
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from segeval.contingency import NO_PREDICTION
from segeval.errors import LabelError, SettingError
from segeval.labelfiles import builtin_names, load_labels
from segeval.labels import numbered
from segeval.values import COLOR, describe_value, describe_values, plain_values

if TYPE_CHECKING:
    from collections.abc import Collection

    from segeval.labels import LabelMap, Side
    from segeval.run import Run
    from segeval.settings import LabelChoice

__all__ = ["choose_labels", "values_of"]

FOUND_IGNORE: Final = 255
"""The value that is void where nothing else is said."""

MOST_FOUND: Final = 256
"""More values than this are no classes but grey levels or instances."""

GREY_LEVELS: Final = 20
"""A prediction with more values than this, and with so many times those of the truth, is grey."""

GREY_SHARE: Final = 4
TELLING_COLORS: Final = 4
"""Colours beside black and white that a built-in map must know before it is proposed."""


def choose_labels(run: Run, choice: LabelChoice) -> LabelMap:
    """Return the label map that the user chose, or the classes found in the run.

    Raises
    ------
    LabelError
        If no map was chosen and the values leave doubt; says what to type.
    SettingError
        If the choice contradicts itself.
    """
    if choice.labels is not None and choice.classes is not None:
        raise SettingError("--labels and --classes both name the classes; give one of them")
    if choice.prediction_labels is not None and choice.labels is None:
        raise SettingError("--pred-labels needs --labels for the truths")
    labels = _classes(run, choice)
    return labels.categories() if choice.level == "category" else labels


def _classes(run: Run, choice: LabelChoice) -> LabelMap:
    """Return the classes, before they are grouped."""
    void = choice.ignore or ()
    if choice.threshold is not None or choice.truth_threshold is not None:
        return _thresholded(choice)
    if choice.labels is not None:
        labels = load_labels(choice.labels)
        if choice.prediction_labels is not None:
            labels = labels.predicting(load_labels(choice.prediction_labels))
        return labels.ignoring(void) if void else labels
    if choice.classes is not None:
        if choice.classes < 1:
            raise SettingError(f"--classes must be 1 or more, not {choice.classes}")
        return numbered("indices", range(choice.classes), void=void)
    return _found(run, choice.ignore)


def _thresholded(choice: LabelChoice) -> LabelMap:
    if choice.classes is not None or choice.prediction_labels is not None:
        raise SettingError("--threshold makes masks binary; it does not go with other classes")
    labels = load_labels(choice.labels or "binary")
    if len(labels.labels) != 2:
        raise SettingError(
            f"--threshold makes masks binary, but {labels.name} has {len(labels.labels)} classes"
        )
    labels = labels.ignoring(choice.ignore or ())
    return replace(
        labels,
        prediction_threshold=choice.threshold,
        truth_threshold=choice.truth_threshold,
    )


def values_of(run: Run, side: Side) -> set[int]:
    """Return the values found on one side; three equal channels count as one."""
    columns = run.counts
    values = np.unique(columns.truth if side == "truth" else columns.prediction)
    return set(plain_values(values[values != NO_PREDICTION]).tolist())


def _found(run: Run, ignore: tuple[int, ...] | None) -> LabelMap:
    """Take every value but void for a class, if that cannot mislead."""
    truth, prediction = values_of(run, "truth"), values_of(run, "prediction")
    if any(value >= COLOR for value in truth | prediction):
        raise LabelError(_colors_found(truth, prediction))
    if truth | prediction <= {0, 255} and 255 not in (ignore or ()):
        return replace(load_labels("binary"), name="binary(found)").ignoring(ignore or ())
    void = (FOUND_IGNORE,) if ignore is None else ignore
    judged, predicted = truth - set(void), prediction - set(void)
    stated = (truth, prediction) if ignore is None else (judged, predicted)
    doubts = (
        doubt(judged, predicted, *stated)
        for doubt in (_binary_doubt, _many_values, _mixed_maps, _nothing_common)
    )
    message = next(filter(None, doubts), "") or _shifted(run, void)
    if message:
        raise LabelError(f"{_holds(truth, prediction)}: {message}")
    classes = sorted((truth | prediction) - set(void))
    if not truth - set(void):
        raise LabelError(f"{_holds(truth, prediction)}: every pixel of the truth is void")
    return numbered("found", classes, void=void)


def _holds(truth: set[int], prediction: set[int]) -> str:
    return (
        f"prediction holds {describe_values(prediction) or 'nothing'}, "
        f"truth holds {describe_values(truth) or 'nothing'}"
    )


def _colors_found(truth: set[int], prediction: set[int]) -> str:
    """List the colours, and name the built-in map that knows most of them."""
    colors = sorted(value for value in truth | prediction if value >= COLOR)
    shown = ", ".join(describe_value(value) for value in colors[:12])
    more = f" and {len(colors) - 12} more" if len(colors) > 12 else ""
    telling = set(colors) - {COLOR, COLOR + 0xFFFFFF}
    fits = {n: len(telling & load_labels(n).known("truth").keys()) for n in builtin_names()}
    most = max(fits.values())
    advice = "type --labels FILE with a CSV of name,r,g,b"
    if most >= TELLING_COLORS and most * 2 > len(telling):
        best = " or ".join(f"--labels {name}" for name, fit in fits.items() if fit == most)
        advice = f"type {best} (knows {most} of them), or " + advice[5:]
    return f"the masks hold colours ({shown}{more}), and no label map says what they mean; {advice}"


def _binary_doubt(
    truth: set[int], prediction: set[int], all_truth: set[int], all_prediction: set[int]
) -> str:
    """Recognise two spellings of binary masks, and grey predictions against a binary truth."""
    spellings = [side <= {0, 255} and 255 in side for side in (all_truth, all_prediction)]
    others = (all_prediction, all_truth)
    if any(spelt and other <= {0, 1} for spelt, other in zip(spellings, others, strict=True)):
        return "these are binary masks, stored in two ways; type --labels binary"
    binary_truth = all_truth <= {0, 255} or all_truth <= {0, 1}
    if len(prediction) > GREY_LEVELS and len(prediction) > len(truth) * GREY_SHARE:
        also = "" if binary_truth else " and --truth-threshold V, as the truth is grey as well"
        return (
            "the prediction is grey; if these are probabilities of one class, type --threshold V "
            f"(foreground where value >= V, e.g. --threshold 128){also}; if they are classes, "
            "name them with --labels or --classes"
        )
    if spellings[0]:
        return (
            "is 255 foreground or void in the truth? Type --labels binary or --threshold V if it "
            "is foreground, --classes N --ignore 255 if it is void"
        )
    if spellings[1] and not spellings[0] and 255 not in all_truth:
        return "255 in the prediction is no class of the truth; type --labels or --unknown"
    return ""


def _many_values(truth: set[int], prediction: set[int], *_: set[int]) -> str:
    if len(truth | prediction) <= MOST_FOUND:
        return ""
    return (
        f"{len(truth | prediction)} different values are no classes but grey levels or instances; "
        "name the classes with --labels or --classes"
    )


def _mixed_maps(truth: set[int], prediction: set[int], *_: set[int]) -> str:
    """Recognise a truth and a prediction stored as different ids of the same classes."""
    common, united = truth & prediction, truth | prediction
    if not united or len(common) * 2 >= len(united):
        return ""
    maps = [load_labels(name) for name in builtin_names()]
    fits = [
        (of_truth.name, of_prediction.name)
        for of_truth, of_prediction in itertools.permutations(maps, 2)
        if _fit(of_truth, of_prediction, truth, prediction)
    ]
    if not fits:
        return ""
    ours, theirs = max(fits, key=lambda names: names[1].startswith(names[0]))
    return (
        f"these look like {theirs} and {ours} values of the same classes; "
        f"type --labels {ours} --pred-labels {theirs}"
    )


def _fit(
    of_truth: LabelMap, of_prediction: LabelMap, truth: set[int], prediction: set[int]
) -> bool:
    """Whether two maps of the same classes explain the two sides, and neither explains both."""
    if of_truth.names != of_prediction.names:
        return False
    if not (
        truth <= of_truth.known("truth").keys()
        and prediction <= of_prediction.known("truth").keys()
    ):
        return False
    return not any(_explains(labels, truth, prediction) for labels in (of_truth, of_prediction))


def _explains(labels: LabelMap, truth: set[int], prediction: set[int]) -> bool:
    """Whether one map explains both sides, and most of the truth is not void under it."""
    classes = labels.known("prediction").keys()
    known = truth <= labels.known("truth").keys() and prediction <= classes
    return known and len(truth & classes) * 2 >= len(truth)


def _shifted(run: Run, void: Collection[int]) -> str:
    """Recognise classes counted from 0 against classes counted from 1, by the pixels."""
    columns = run.counts
    judged = ~np.isin(columns.truth, list(void))
    pixels = columns.pixels[judged]
    offset = columns.truth[judged] - columns.prediction[judged]
    equal, shifted = int(pixels[offset == 0].sum()), int(pixels[offset == 1].sum())
    if shifted <= pixels.sum() / 2 or equal * 2 > shifted:
        return ""
    return (
        f"{shifted} of {pixels.sum()} pixels agree if 1 is added to the prediction, {equal} as "
        "they are: the truth counts its classes from 1, the prediction from 0; name them with "
        "--labels FILE (TOML with truth_values and prediction_values)"
    )


def _nothing_common(truth: set[int], prediction: set[int], *_: set[int]) -> str:
    if not truth or not prediction or truth & prediction:
        return ""
    return (
        "the two sides have no value in common; name the classes with --labels FILE "
        "(TOML with truth_values and prediction_values) or convert one side"
    )
