"""The label map that the user chose, in whichever way, or else the one found in the values."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from os import PathLike
from typing import Final

from segeval.counting.run import CountedRun
from segeval.errors import SettingError
from segeval.labels.infer import infer_labels
from segeval.labels.labelmap import LabelMap, numbered
from segeval.labels.load import load_labels
from segeval.settings import LabelChoice

MOST_CLASSES: Final = 4096


def choose_labels(run: CountedRun, choice: LabelChoice) -> LabelMap:
    """Return the label map that the user chose, or the classes found in the run."""
    return explicit_labels(choice) or _of_level(infer_labels(run, choice.ignore), choice)


def explicit_labels(choice: LabelChoice) -> LabelMap | None:
    """Return the label map that the user chose, or None if the classes are to be found.

    A choice that contradicts itself is a `SettingError`, a map that does not load a `LabelError`.
    """
    if choice.labels is not None and choice.classes is not None:
        raise SettingError("--labels and --classes both name the classes; give one of them")
    if choice.prediction_labels is not None and choice.labels is None:
        raise SettingError("--pred-labels needs --labels for the truths")
    void = choice.ignore or ()
    if choice.threshold is not None or choice.truth_threshold is not None:
        return _of_level(_thresholded(choice), choice)
    if choice.labels is not None:
        labels = _loaded(choice.labels)
        if choice.prediction_labels is not None:
            labels = labels.predicting(_loaded(choice.prediction_labels))
        return _of_level(labels.ignoring(void) if void else labels, choice)
    if choice.classes is not None:
        if not 1 <= choice.classes <= MOST_CLASSES:
            raise SettingError(f"--classes must be 1 to {MOST_CLASSES}, not {choice.classes}")
        return _of_level(numbered("indices", range(choice.classes), void=void), choice)
    return None


def check_names(choice: LabelChoice, names: Iterable[str]) -> None:
    """Refuse a name that is no class, as far as the classes are known before anything is read."""
    labels = explicit_labels(choice)
    if labels is not None:
        labels.positions(names)


def _loaded(labels: str | PathLike[str] | LabelMap) -> LabelMap:
    return labels if isinstance(labels, LabelMap) else load_labels(labels)


def _of_level(labels: LabelMap, choice: LabelChoice) -> LabelMap:
    return labels.categories() if choice.level == "category" else labels


def _thresholded(choice: LabelChoice) -> LabelMap:
    if choice.classes is not None or choice.prediction_labels is not None:
        raise SettingError("--threshold makes masks binary; it does not go with other classes")
    for value in (choice.threshold, choice.truth_threshold):
        if value is not None and not math.isfinite(value):
            raise SettingError(f"a threshold must be a finite number, not {value}")
    labels = _loaded(choice.labels or "binary").ignoring(choice.ignore or ())
    labels = labels.two_classes("--threshold")
    return replace(
        labels,
        prediction_threshold=choice.threshold,
        truth_threshold=choice.truth_threshold,
    )
