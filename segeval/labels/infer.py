"""Which classes are these? Label maps found in the values of a run.

Masks are scored without a label map only where their values leave no doubt. Anything else is
stopped, with what was found and the command to type.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection
from dataclasses import replace
from typing import Final

import numpy as np

from segeval.counting.contingency import NO_PREDICTION, ContingencyTable
from segeval.counting.run import CountedRun
from segeval.errors import LabelError
from segeval.labels.doubts import float_doubt, spelt_twice, void_doubt
from segeval.labels.labelmap import WHITE, LabelMap, Side, numbered
from segeval.labels.load import builtin_names, load_labels
from segeval.text import listed
from segeval.values import COLOR, describe_value, describe_values, plain_values

MOST_FOUND: Final = 256
"""More values than this are no classes but grey levels or instances."""

GREY_LEVELS: Final = 20
"""A prediction with more values than this, and with so many times those of the truth, is grey."""

GREY_SHARE: Final = 4
MORE: Final = 5
"""So many times as many pixels must agree after a shift; one in so many must agree at all."""

TELLING_COLORS: Final = 4
"""Colours beside black and white that a built-in map must know before it is proposed."""


def values_on_side(run: CountedRun, side: Side) -> set[int]:
    """Return the values found on one side; three equal channels count as one."""
    columns = run.counts
    values = np.unique(columns.truth if side == "truth" else columns.prediction)
    return set(plain_values(values[values != NO_PREDICTION]).tolist())


def infer_labels(run: CountedRun, ignore: tuple[int, ...] | None) -> LabelMap:
    """Take every value but void, by default 255, for a class, if that cannot mislead.

    The map is called ``"found"``, or ``"binary(found)"`` for masks of nothing but 0 and 255. If the
    values leave doubt, a `LabelError` says what was found and what to type.
    """
    truth, prediction = values_on_side(run, "truth"), values_on_side(run, "prediction")
    if any(value >= COLOR for value in truth | prediction):
        raise LabelError(_colors_found(truth, prediction))
    if _binary(truth, prediction, ignore):
        return replace(load_labels("binary"), name="binary(found)").ignoring(ignore or ())
    void = (WHITE,) if ignore is None else ignore
    judged, predicted = truth - set(void), prediction - set(void)
    stated = (truth, prediction) if ignore is None else (judged, predicted)
    pairs = _judged_pairs(run, void)
    doubt = void_doubt(truth, ignore)
    binary_truth = bool(doubt) or stated[0] <= {0, WHITE} or stated[0] <= {0, 1}
    grey = _grey_doubt(judged, predicted, binary_truth=binary_truth)
    message = (
        float_doubt(np.array(sorted(truth)), "truth")
        or float_doubt(np.array(sorted(prediction)), "prediction")
        or doubt + ("; " if doubt and grey else "") + grey
        or _binary_doubt(*stated)
        or ("every pixel of the truth is void" if truth and not judged else "")
        or _many_values(judged, predicted)
        or _mixed_maps(pairs, judged, predicted)
        or _nothing_common(judged, predicted)
        or _shifted(pairs)
    )
    if message:
        raise LabelError(
            f"prediction holds {describe_values(prediction) or 'nothing'}, "
            f"truth holds {describe_values(truth) or 'nothing'}: {message}"
        )
    classes = sorted((truth | prediction) - set(void))
    return numbered("found", classes, void=void)


def _binary(truth: set[int], prediction: set[int], ignore: tuple[int, ...] | None) -> bool:
    """Whether 255 is foreground on both sides, or in the prediction alone."""
    void = WHITE in (ignore or ())
    if truth | prediction <= {0, WHITE} and not void:
        return True
    stated = ignore == () or (void and WHITE in prediction)
    return stated and spelt_twice(truth, ignore) and prediction <= {0, 1, WHITE}


def _judged_pairs(run: CountedRun, void: Collection[int]) -> ContingencyTable:
    """Sum the tables of all images, without what is void in the truth or missing."""
    table = run.total()
    judged = ~np.isin(table.truth, list(void)) & (table.prediction != NO_PREDICTION)
    return ContingencyTable(
        truth=table.truth[judged], prediction=table.prediction[judged], pixels=table.pixels[judged]
    )


def _colors_found(truth: set[int], prediction: set[int]) -> str:
    """List the colours, and name the built-in map that knows most of them."""
    colors = sorted(value for value in truth | prediction if value >= COLOR)
    shown = listed([describe_value(value) for value in colors], 12, " and {} more")
    telling = set(colors) - {COLOR, COLOR + 0xFFFFFF}
    maps = [load_labels(name) for name in builtin_names()]
    known = {labels.name: len(telling & labels.known("truth").keys()) for labels in maps}
    most = max(known.values())
    best = [labels for labels in maps if known[labels.name] == most]
    clear = [f"--labels {labels.name}" for labels in best if not labels.repeated_color]
    advice = "type --labels FILE with a CSV of name,r,g,b"
    if most >= TELLING_COLORS and most * 2 > len(telling):
        advice = (
            f"type {' or '.join(clear)} (knows {most} of them), or {advice[5:]}"
            if clear
            else f"they look like {best[0].name}, whose colours are ambiguous "
            f"({best[0].repeated_color}); convert the masks to index values"
        )
    return f"the masks hold colours ({shown}), and no label map says what they mean; {advice}"


def _grey_doubt(truth: set[int], prediction: set[int], *, binary_truth: bool) -> str:
    """Recognise grey predictions."""
    if len(prediction) <= GREY_LEVELS or len(prediction) <= len(truth) * GREY_SHARE:
        return ""
    also = "" if binary_truth else " and --truth-threshold V, as the truth is grey as well"
    return (
        "the prediction is grey; if these are probabilities of one class, type --threshold V "
        f"(foreground where value >= V, e.g. --threshold 128){also}; if they are classes, "
        "name them with --labels or --classes"
    )


def _binary_doubt(truth: set[int], prediction: set[int]) -> str:
    """Recognise two spellings of binary masks."""
    spellings = [side <= {0, 255} and 255 in side for side in (truth, prediction)]
    others = (prediction, truth)
    if any(spelt and other <= {0, 1} for spelt, other in zip(spellings, others, strict=True)):
        return "these are binary masks, stored in two ways; type --labels binary"
    if spellings[0]:
        return (
            "is 255 foreground or void in the truth? Type --labels binary or --threshold V if it "
            "is foreground, --classes N --ignore 255 if it is void"
        )
    if spellings[1] and not spellings[0]:
        return (
            "the prediction stores its foreground as 255, the truth does not; name them with "
            "--labels FILE (TOML with truth_values and prediction_values)"
        )
    return ""


def _many_values(truth: set[int], prediction: set[int]) -> str:
    if len(truth | prediction) <= MOST_FOUND:
        return ""
    return (
        f"{len(truth | prediction)} different values are no classes but grey levels or instances; "
        "name the classes with --labels or --classes"
    )


def _mixed_maps(pairs: ContingencyTable, truth: set[int], prediction: set[int]) -> str:
    """Recognise a truth and a prediction stored as different ids of the same classes.

    Either the two sides hold mostly different values, or more pixels agree under two maps of the
    same classes than as they are.
    """
    unlike = len(truth & prediction) * 2 < len(truth | prediction)
    equal = int(pairs.pixels[pairs.truth == pairs.prediction].sum())
    if not unlike and equal * 2 >= pairs.total:
        return ""
    fits = [
        (
            _agreement(pairs, *maps),
            maps[1].name.startswith(maps[0].name),
            maps[0].name,
            maps[1].name,
        )
        for maps in itertools.permutations(map(load_labels, builtin_names()), 2)
        if maps[0].names == maps[1].names and _fit(*maps, truth, prediction)
    ]
    if not fits:
        return ""
    agreeing, _, of_truth, of_prediction = max(fits)
    if not unlike and agreeing <= equal:
        return ""
    return (
        f"these look like {of_prediction} and {of_truth} values of the same classes; "
        f"type --labels {of_truth} --pred-labels {of_prediction}"
    )


def _fit(
    of_truth: LabelMap, of_prediction: LabelMap, truth: set[int], prediction: set[int]
) -> bool:
    """Whether two maps explain the two sides, and neither explains both."""
    ours, theirs = of_truth.known("truth").keys(), of_prediction.known("truth").keys()
    if not (truth <= ours and prediction <= theirs):
        return False
    return not any(_explains(labels, truth, prediction) for labels in (of_truth, of_prediction))


def _explains(labels: LabelMap, truth: set[int], prediction: set[int]) -> bool:
    """Whether one map explains both sides, and most of the truth is not void under it."""
    classes = labels.known("prediction").keys()
    known = truth <= labels.known("truth").keys() and prediction <= classes
    return known and len(truth & classes) * 2 >= len(truth)


def _agreement(pairs: ContingencyTable, of_truth: LabelMap, of_prediction: LabelMap) -> int:
    """Count the pixels on which both sides mean the same class."""
    truth = of_truth.index(pairs.truth, "truth")
    same = truth == of_prediction.index(pairs.prediction, "prediction")
    return int(pairs.pixels[same & (truth >= 0)].sum())


def _shifted(pairs: ContingencyTable) -> str:
    """Recognise classes counted from 0 against classes counted from 1, by the pixels."""
    offset = pairs.truth - pairs.prediction
    equal, shifted = (int(pairs.pixels[offset == by].sum()) for by in (0, 1))
    if not shifted or shifted < equal * MORE or shifted * MORE < pairs.total:
        return ""
    return (
        f"{shifted} of {pairs.total} pixels agree if 1 is added to the prediction, {equal} as they "
        "are: the truth counts its classes from 1, the prediction from 0; name them with --labels "
        "FILE (TOML with truth_values and prediction_values)"
    )


def _nothing_common(truth: set[int], prediction: set[int]) -> str:
    if not truth - {0} or not prediction - {0} or (truth & prediction) - {0}:
        return ""
    return (
        "the two sides have no value but 0 in common; name the classes with --labels FILE "
        "(TOML with truth_values and prediction_values) or convert one side"
    )
