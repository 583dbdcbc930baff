"""The label map that the user chose, in whichever way, or else the one found in the values."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterable, Sequence
from dataclasses import replace
from os import PathLike
from typing import Final

from segeval.counting.alignment import stack
from segeval.counting.run import CountedRun
from segeval.errors import LabelError, SettingError
from segeval.labels.annotated import found_labels, named_labels, with_background
from segeval.labels.bitsets import bit_labels
from segeval.labels.doubts import are_mixed, grey_kinds, side_doubt
from segeval.labels.infer import infer_labels, values_on_side
from segeval.labels.labelmap import (
    BACKGROUND,
    MOST_CLASSES,
    SIDES,
    WHITE,
    LabelMap,
    Side,
    add_offset,
    numbered,
)
from segeval.labels.load import load_labels
from segeval.labels.named import by_name
from segeval.labels.nodata import with_no_data
from segeval.settings import LabelChoice
from segeval.values import LIMIT, NO_PREDICTION, describe_values, is_float, plain_values

MOST_OFFSET: Final = 65535


def choose_labels(
    run: CountedRun, choice: LabelChoice, *, sides: tuple[Side, ...] = SIDES
) -> LabelMap:
    """Return the label map that the user chose, if it fits ``sides``, or the classes found."""
    lossy = any(form.startswith("JPEG") for form in run.images.column("prediction_form"))
    if lossy and choice.threshold is None and "prediction" in sides:
        raise LabelError(
            "the predictions are JPEG, which is lossy: type --threshold 128 or another level if "
            "they are grey maps, or save them as PNG from their source"
        )
    choice = with_no_data(choice, run)
    if (bits := bit_labels(run, choice)) is not None:
        return bits
    labels = explicit_labels(choice)
    if labels is None:
        return _of_level(with_background(_inferred(run, choice), run), choice)
    labels = by_name(run, labels)
    refuse_doubts(run, labels, choice, sides)
    return with_background(labels, run)


def choose_shared(runs: Sequence[CountedRun], choice: LabelChoice) -> LabelMap:
    """Return the label map of several runs over the same images, if one choice fits all of them."""
    if choice.threshold is not None:
        kinds = [grey_kinds(values_on_side(run, "prediction", floats=True)) for run in runs]
        if not any(map(are_mixed, kinds)) and are_mixed(ChainMap(*kinds)):
            held = [
                f"those of run {number} are {words}, which --threshold {level:g} fits"
                for number, each in enumerate(kinds, 1)
                for words, level in each.items()
            ]
            raise LabelError(
                f"predictions of two kinds: {'; '.join(held)}. One threshold does not mean the "
                "same on both, so save every run with its own, by `segeval losses PRED TRUTH "
                "--threshold V -o RUN`, and name these runs without --threshold"
            )
    return choose_labels(stack(runs), choice)


def refuse_doubts(
    run: CountedRun, labels: LabelMap, choice: LabelChoice, sides: tuple[Side, ...] = SIDES
) -> None:
    """Stop where a run holds values that the chosen map may read in another way than is meant."""
    for side in sides:
        grey = labels.threshold(side) is not None
        values = values_on_side(run, side, floats=grey)
        if doubt := side_doubt(labels, values, side, choice.ignore):
            raise LabelError(f"{side} holds {describe_values(values)}: {doubt}")


def _inferred(run: CountedRun, choice: LabelChoice) -> LabelMap:
    """Find the classes in the values, the predicted ones as they are with the offset."""
    annotated = named_labels(run, choice.ignore) or found_labels(run, choice.ignore)
    if annotated is not None:
        return annotated
    offset = choice.prediction_offset
    if not offset:
        return infer_labels(run, choice.ignore)
    void = (WHITE,) if choice.ignore is None else choice.ignore
    column = add_offset(plain_values(run.counts.prediction), offset, void)
    if (below := column[(column < 0) & (column != NO_PREDICTION) & ~is_float(column)]).size:
        raise LabelError(
            f"--pred-offset {offset} makes {below.min()} of a predicted {below.min() - offset}, "
            "which is no class; name the classes with --classes or --labels, or leave it out"
        )
    moved = replace(run, counts=run.counts.with_values(prediction=column))
    return replace(infer_labels(moved, choice.ignore), prediction_offset=offset)


def explicit_labels(choice: LabelChoice) -> LabelMap | None:
    """Return the label map that the user chose, or None if the classes are to be found."""
    if choice.labels is not None and choice.classes is not None:
        raise SettingError("--labels and --classes both name the classes; give one of them")
    if choice.prediction_labels is not None and choice.labels is None:
        raise SettingError("--pred-labels needs --labels for the truths")
    if abs(choice.prediction_offset) > MOST_OFFSET:
        raise SettingError(
            f"--pred-offset is -{MOST_OFFSET} to {MOST_OFFSET}, not {choice.prediction_offset}"
        )
    thresholds = [v for v in (choice.threshold, choice.truth_threshold) if v is not None]
    if thresholds:
        _check_thresholds(choice, thresholds)
    labels = _stated(replace(choice, labels=choice.labels or "binary") if thresholds else choice)
    if labels is None:
        return None
    if choice.prediction_offset:
        labels = replace(labels, prediction_offset=choice.prediction_offset)
    labels = _of_level(labels, choice)
    if not thresholds:
        return labels
    return replace(
        labels.two_classes("--threshold"),
        prediction_threshold=choice.threshold,
        truth_threshold=choice.truth_threshold,
    )


def _stated(choice: LabelChoice) -> LabelMap | None:
    void = choice.ignore or ()
    if choice.labels is not None:
        labels = _loaded(choice.labels)
        if choice.prediction_labels is not None:
            labels = labels.predicting(_loaded(choice.prediction_labels))
        return labels.ignoring(void) if void else labels
    if choice.classes is not None:
        if not 1 <= choice.classes <= MOST_CLASSES:
            raise SettingError(f"--classes must be 1 to {MOST_CLASSES}, not {choice.classes}")
        return numbered("indices", range(choice.classes), void=void)
    return None


def check_names(choice: LabelChoice, names: Iterable[str]) -> None:
    """Refuse a name that is no class, as far as the classes are known before anything is read."""
    labels = explicit_labels(choice)
    if labels is not None:
        labels.positions(name for name in names if name != BACKGROUND[0])


def _loaded(labels: str | PathLike[str] | LabelMap) -> LabelMap:
    return labels if isinstance(labels, LabelMap) else load_labels(labels)


def _of_level(labels: LabelMap, choice: LabelChoice) -> LabelMap:
    return labels.categories() if choice.level == "category" else labels


def _check_thresholds(choice: LabelChoice, thresholds: Iterable[float]) -> None:
    if (
        choice.classes is not None
        or choice.prediction_labels is not None
        or choice.prediction_offset
    ):
        raise SettingError("--threshold makes masks binary; it does not go with other classes")
    for value in thresholds:
        if not -LIMIT <= value <= LIMIT:
            raise SettingError(f"a threshold must be a number that masks can hold, not {value}")
