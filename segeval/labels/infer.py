"""Which classes are these? Label maps found in the values of a run.

Values that leave a doubt are stopped, with what was found and the command to type.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from segeval.counting.run import CountedRun
from segeval.errors import LabelError
from segeval.inputs.forms import TABLE_FORMS
from segeval.labels.colors import explain_colors
from segeval.labels.diagnose import (
    GREY_LEVELS,
    LARGE,
    judged_pairs,
    mixed_maps,
    scaled,
    shifted,
    threshold_of,
    unpredicted_void,
)
from segeval.labels.doubts import float_doubt, spelt_twice, void_doubt
from segeval.labels.labelmap import WHITE, LabelMap, Side, numbered
from segeval.labels.load import load_labels
from segeval.values import (
    COLOR,
    LAST_FLOAT,
    NO_PREDICTION,
    NOT_FINITE,
    describe_values,
    is_float,
    plain_values,
)

MOST_FOUND: Final = 256  # more values than this are no classes but grey levels or instances
OBJECTS: Final = (
    "type --objects ids if each value is an object (--threshold 1 --truth-threshold 1 where there "
    "is no such option)"
)
GREY_SHARE: Final = 4  # a prediction with so many times the values of the truth is grey


def values_on_side(run: CountedRun, side: Side, *, floats: bool = False) -> set[int]:
    """Return the values found on one side; three equal channels count as one.

    Floats that are all whole numbers are integers, unless ``floats`` wants them as they are.
    """
    values = run.counts.values(side)
    values = values[values != NO_PREDICTION]
    kept = values[is_float(values)] if floats else values[:0]
    return {*plain_values(values[~np.isin(values, kept)]).tolist(), *kept.tolist()}


def infer_labels(run: CountedRun, ignore: tuple[int, ...] | None) -> LabelMap:
    """Take every value but void, by default 255, for a class of a map, if that cannot mislead."""
    truth, prediction = values_on_side(run, "truth"), values_on_side(run, "prediction")
    if any(value >= COLOR for value in truth | prediction):
        raise LabelError(explain_colors(run, ignore))
    if _binary(truth, prediction, ignore) or _binary_table(run, truth, prediction, ignore):
        return replace(load_labels("binary"), name="binary(found)").ignoring(ignore or ())
    void = (WHITE,) if ignore is None else ignore
    judged, predicted = truth - set(void), prediction - set(void)
    stated = (truth, prediction) if ignore is None else (judged, predicted)
    total = run.total()
    pairs = judged_pairs(total, void)
    doubt = void_doubt(truth, ignore)
    binary_truth = bool(doubt) or stated[0] <= {0, WHITE} or stated[0] <= {0, 1}
    grey = _grey_doubt(judged, predicted, binary_truth=binary_truth)
    message = (
        float_doubt(np.array(sorted(truth - set(ignore or ()))), "truth")
        or float_doubt(np.array(sorted(prediction)), "prediction")
        or doubt + ("; " if doubt and grey else "") + grey
        or _binary_doubt(*stated)
        or ("every pixel of the truth is void" if truth and not judged else "")
        or _many_values(judged, predicted)
        or mixed_maps(pairs, judged, predicted)
        or scaled(pairs if ignore is not None else judged_pairs(total, ()))
        or _nothing_common(judged, predicted)
        or shifted(pairs, truth, ignore)
        or unpredicted_void(truth, prediction, ignore, LARGE)
    )
    if message:
        raise LabelError(
            f"prediction holds {describe_values(prediction) or 'nothing'}, "
            f"truth holds {describe_values(truth) or 'nothing'}: {message}"
        )
    odd = {value for value in truth | prediction if NOT_FINITE <= value <= LAST_FLOAT}
    return numbered("found", sorted((truth | prediction) - set(void) - odd), void=void)


def _binary(truth: set[int], prediction: set[int], ignore: tuple[int, ...] | None) -> bool:
    """Whether 255 is foreground on both sides, or in the prediction alone."""
    void = WHITE in (ignore or ())
    if truth | prediction <= {0, WHITE} and not void:
        return True
    stated = ignore == () or (void and WHITE in prediction)
    return stated and spelt_twice(truth, ignore) and prediction <= {0, 1, WHITE}


def _binary_table(
    run: CountedRun, truth: set[int], prediction: set[int], ignore: tuple[int, ...] | None
) -> bool:
    """Whether one side is 255 in masks, and the other comes from tables without classes: 1."""
    forms = [run.images.column(name) for name in ("truth_form", "prediction_form")]
    kinds = [{form.partition(",")[0] for form in column if form} for column in forms]
    tables = [bool(each) and each <= TABLE_FORMS for each in kinds]
    spelt = [{0, 1} if table else {0, WHITE} for table in tables]
    held = all(side <= known for side, known in zip((truth, prediction), spelt, strict=True))
    return held and tables[0] != tables[1] and not ignore


def _grey_doubt(truth: set[int], prediction: set[int], *, binary_truth: bool) -> str:
    if len(prediction) <= GREY_LEVELS or len(prediction) <= len(truth) * GREY_SHARE:
        return ""
    also = "" if binary_truth else f" --truth-threshold {threshold_of(truth) or 128}"
    return (
        "the prediction is grey; if these are probabilities of one class, type --threshold 128"
        f"{also} or other levels (foreground where value >= level); if they are classes, name them "
        "with --labels or --classes"
    )


def _binary_doubt(truth: set[int], prediction: set[int]) -> str:
    spellings = [side <= {0, 255} and 255 in side for side in (truth, prediction)]
    others = (prediction, truth)
    if any(spelt and other <= {0, 1} for spelt, other in zip(spellings, others, strict=True)):
        return "these are binary masks, stored in two ways; type --labels binary, or --threshold 1"
    if spellings[0]:
        return (
            "is 255 foreground or void in the truth? Type --threshold 1 if it is foreground, "
            f"--classes {max(truth | prediction) + 1} --ignore 255 if it is void"
        )
    if spellings[1]:
        white = " --ignore 255" * (255 in truth)
        return (
            "the prediction stores its foreground as 255, the truth does not; type --threshold 1 "
            f"--truth-threshold 1{white} if everything but 0 is foreground in the truth, or name "
            "them with --labels FILE (TOML with truth_values and prediction_values)"
        )
    return ""


def _many_values(truth: set[int], prediction: set[int]) -> str:
    if len(truth | prediction) <= MOST_FOUND:
        return ""
    return (
        f"{len(truth | prediction)} different values are no classes but grey levels or instances; "
        f"{OBJECTS}, or name the classes with --labels or --classes"
    )


def _nothing_common(truth: set[int], prediction: set[int]) -> str:
    if not truth - {0} or not prediction - {0} or (truth & prediction) - {0}:
        return ""
    return (
        "the two sides have no value but 0 in common; name the classes with --labels FILE "
        f"(TOML with truth_values and prediction_values) or convert one side, or {OBJECTS}"
    )
