"""Conventions: what is done where the field disagrees.

A convention decides which counts are pooled, what a class is worth that is missing on one side or
on both, which classes enter the mean and with which weights. It never touches a count. The means
themselves are in ``segeval.averages``; the conventions of other tools in ``segeval.presets``.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Final, get_args

import numpy as np
from numpy.typing import NDArray

from segeval.counting.confusion import ClassCounts
from segeval.errors import SettingError
from segeval.scoring.metrics import METRICS, Metric, ratio
from segeval.settings import (
    Absent,
    Classes,
    Pooling,
    Unseen,
    VoidImage,
    Weighting,
    Weightless,
    Weights,
    Worth,
)

CASES: Final = ("absent", "pred_only", "truth_only", "disjoint")
"""The cases on which tools differ; they exclude each other."""

VALUE: Final = {"skip": np.nan, "undefined": np.nan, "zero": 0.0, "one": 1.0}
"""Scores by what they are worth."""

CHOICES: Final = {
    "pooling": Pooling,
    "absent": Absent,
    "pred_only": Worth,
    "truth_only": Worth,
    "disjoint": Worth,
    "classes": Classes,
    "empty": Absent,
    "nothing": Absent,
    "weightless": Weightless,
    "generalized": Weighting,
    "unseen": Unseen,
    "void_image": VoidImage,
}
STATED: Final = ("like", "pooling", "absent", "classes", "exclude", "worst", "headline")
"""Fields that the signature states in a place of their own, or the names of the scores do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Convention:
    """How counts become scores and scores become means.

    ``skip`` leaves a value out of the means; ``undefined`` makes the whole mean undefined.

    Attributes
    ----------
    pooling : {"dataset", "image", "class", "pair", "micro", "image-micro"}
        ``dataset``: counts summed over images, mean over classes. ``image``: mean over images of
        the mean over classes. ``class``: mean over classes of the mean over images. ``pair``: mean
        over all (class, image) values. ``micro``: counts summed over images and classes.
        ``image-micro``: counts summed over classes, mean over images.
    absent : {"skip", "zero", "one", "undefined"}
        What a class is worth that is in neither the truth nor the prediction of its pool.
    pred_only, truth_only : {"zero", "skip", "one", "undefined", "formula"}
        What a class is worth that is predicted and not in the truth of its pool, or the reverse.
    disjoint : {"formula", "skip", "zero", "one", "undefined"}
        What a class is worth that is on both sides of its pool and never hit.
    overrides : tuple of (metric, case, worth)
        What holds for one metric only, e.g. ``("precision", "truth_only", "skip")``.
    smoothing : float
        Added to numerator and denominator of the metrics that are ``smoothed``: IoU and Dice.
    classes : {"all", "foreground"}
        Classes of the means; the foreground is all but the first class, if there is another.
    exclude : tuple of str
        Classes left out of the means; their pixels still count as errors of the others.
    weights : {"none", "support", "support-or-one"} or tuple of float
        Weights of the classes in a mean over classes: their true pixels, or numbers by index.
    weightless : {"skip", "zero", "mean"}
        What a mean over classes is worth if all that are defined weigh nothing.
    empty : {"skip", "zero", "one", "undefined"}
        What an image is worth, or a class under ``class`` pooling, that has no defined value.
    nothing : {"undefined", "zero", "one"}
        The mean if there is no defined value at all.
    void_image : {"score", "skip"}
        Whether an image without judged pixels is scored like any other, or left out.
    generalized : {"none", "simple", "square", "uniform"}
        Whether the mean Dice is the generalised Dice, and how its weights fall with true pixels.
    unseen : {"largest", "zero"}
        Weight of a class without true pixels in the generalised Dice.
    worst : float, optional
        For ``image`` and ``class`` pooling also the mean of so many percent of the lowest values.
    headline : str
        Name of the mean that stands for all others.
    like : str
        Name of the preset that this is.
    """

    pooling: Pooling = "dataset"
    absent: Absent = "skip"
    pred_only: Worth = "zero"
    truth_only: Worth = "zero"
    disjoint: Worth = "formula"
    overrides: tuple[tuple[str, str, Worth], ...] = ()
    smoothing: float = 0.0
    classes: Classes = "all"
    exclude: tuple[str, ...] = ()
    weights: Weights | tuple[float, ...] = "none"
    weightless: Weightless = "skip"
    empty: Absent = "skip"
    nothing: Absent = "undefined"
    void_image: VoidImage = "score"
    generalized: Weighting = "none"
    unseen: Unseen = "largest"
    worst: float | None = None
    headline: str = "miou"
    like: str = ""

    def __post_init__(self) -> None:
        """Refuse what is not on the axes."""
        choices = [(getattr(self, name), get_args(axis)) for name, axis in CHOICES.items()]
        if isinstance(self.weights, str):
            choices.append((self.weights, get_args(Weights)))
        for metric, case, worth in self.overrides:
            choices += [(metric, tuple(METRICS)), (case, CASES), (worth, get_args(Worth))]
        for value, allowed in choices:
            if value not in allowed:
                raise SettingError(f"{value!r} is none of {', '.join(allowed)}")
        if not isinstance(self.exclude, tuple):
            raise SettingError(f"exclude is a tuple of class names, not {self.exclude!r}")
        if not self.smoothing >= 0:
            raise SettingError(f"smoothing is 0 or more, not {self.smoothing}")
        if self.worst is not None and not 0 < self.worst <= 100:
            raise SettingError(f"worst is a percentage above 0 and up to 100, not {self.worst}")
        if self.worst is not None and self.pooling not in {"image", "class"}:
            raise SettingError("the worst share needs pooling by image or by class")

    def worth(self, metric: str, case: str) -> Worth:
        """Return what a class is worth to a metric in one of `CASES`."""
        stated = {(name, which): worth for name, which, worth in self.overrides}
        general: Worth = getattr(self, case)
        return stated.get((metric, case), general)

    def score_classes(self, metric: Metric, counts: ClassCounts) -> NDArray[np.float64]:
        """Score every class of every pool.

        By default a class that occurs on one side only scores 0, also where the formula alone is
        undefined, so that all scores are defined for the same classes.

        Returns
        -------
        (..., K) float64 array
            Values in [0, 1]; NaN where undefined.
        """
        top, bottom = metric.terms(counts)
        added = self.smoothing if metric.smoothed else 0
        scores = ratio(top + added, bottom + added)
        for case, where in _cases(counts).items():
            worth = self.worth(metric.name, case)
            if worth != "formula":
                scores[where] = VALUE[worth]
        return scores

    def propagates(self, metric: Metric, counts: ClassCounts) -> NDArray[np.bool_]:
        """Return which scores are undefined in such a way that their means are undefined too."""
        propagates = np.zeros(counts.tp.shape, np.bool_)
        for case, where in _cases(counts).items():
            if self.worth(metric.name, case) == "undefined":
                propagates |= where
        return propagates

    def deviations(self) -> dict[str, Any]:
        """Return the axes on which this differs from the default, by name."""
        return {
            axis.name: getattr(self, axis.name)
            for axis in fields(self)
            if getattr(self, axis.name) != axis.default
        }

    def settings(self) -> dict[str, Any]:
        """Return the usual axes and those that deviate, as plain data."""
        stated = {"pooling": self.pooling, "absent": self.absent, "exclude": None, "worst": None}
        deviating = {**stated, **self.deviations(), "exclude": self.exclude}
        return {name: _plain(value) for name, value in deviating.items()}

    def signature_parts(self) -> list[str]:
        """Return the parts of the signature that say what is done."""
        first = "all" if self.classes == "all" else self.classes
        facts = [
            *([f"like:{self.like}"] if self.like else []),
            f"pooling:{self.pooling}",
            f"absent:{self.absent}",
            f"mean:{first}{''.join(f'-{name}' for name in self.exclude)}",
        ]
        for axis, value in self.deviations().items():
            if axis == "overrides":
                facts += [f"{metric}.{case}:{worth}" for metric, case, worth in self.overrides]
            elif axis == "weights" and isinstance(value, tuple):
                facts.append(f"weights:{','.join(f'{weight:g}' for weight in value)}")
            elif axis not in STATED:
                facts.append(f"{axis}:{value:g}" if isinstance(value, float) else f"{axis}:{value}")
        return facts


def _cases(counts: ClassCounts) -> dict[str, NDArray[np.bool_]]:
    """Return where each of `CASES` holds."""
    in_truth, in_prediction = counts.support > 0, counts.predicted > 0
    return {
        "absent": ~in_truth & ~in_prediction,
        "pred_only": ~in_truth & in_prediction,
        "truth_only": in_truth & ~in_prediction,
        "disjoint": in_truth & in_prediction & (counts.tp == 0),
    }


def _plain(value: Any) -> Any:
    """Turn tuples into lists."""
    return [_plain(item) for item in value] if isinstance(value, tuple) else value
