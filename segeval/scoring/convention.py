"""Conventions: what is done where the field disagrees, and the words for its axes.

A convention touches no count; but ``outside`` says which pixels are counted.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field, fields, replace
from typing import Any, Final, get_args

import numpy as np
from numpy.typing import NDArray

from segeval.counting.confusion import ClassCounts
from segeval.errors import SettingError
from segeval.scoring.metrics import METRICS, Metric, ratio
from segeval.scoring.pooling import POOLINGS
from segeval.settings import (
    Absent,
    Classes,
    Ends,
    Outside,
    Pooling,
    Treatment,
    Unseen,
    VoidImage,
    Weighting,
    Weightless,
    Weights,
)
from segeval.text import listed


@dataclass(frozen=True, slots=True)
class Case:
    """A class of which no pixel is hit: its sides, and words, without and with its name."""

    noun: str
    verb: str
    _: KW_ONLY
    truth: bool
    predicted: bool

    def holds(self, counts: ClassCounts) -> NDArray[np.bool_]:
        """Return for which of the (..., K) classes it holds."""
        truth, predicted = counts.support > 0, counts.predicted > 0
        return np.asarray((truth == self.truth) & (predicted == self.predicted) & (counts.tp == 0))


CASES: Final = {
    "absent": Case("a class in neither", "is on neither side", truth=False, predicted=False),
    "pred_only": Case(
        "a class only predicted", "is predicted but not true", truth=False, predicted=True
    ),
    "truth_only": Case(
        "a class never predicted", "is true but not predicted", truth=True, predicted=False
    ),
    "disjoint": Case(
        "a class never hit", "is on both sides and never hit", truth=True, predicted=True
    ),
}  # the cases on which tools differ; they exclude each other


@dataclass(frozen=True, slots=True)
class TreatmentRow:
    """What replaces a score that is undefined, or the formula, and the words for it."""

    of_class: str
    of_classes: str
    there: str
    _: KW_ONLY
    score: float = np.nan
    propagates: bool = False  # to means, as SciPy's ``nan_policy`` has it


TREATMENTS: Final = {
    "formula": TreatmentRow(
        "scores by the formula", "score by the formula", "scored by the formula there"
    ),
    "skip": TreatmentRow("is left out", "not in the means", "left out there"),
    "zero": TreatmentRow("counts as 0", "count as 0", "counted as 0 there", score=0.0),
    "one": TreatmentRow("counts as 1", "count as 1", "counted as 1 there", score=1.0),
    "undefined": TreatmentRow(
        "makes the mean undefined",
        "make the means undefined",
        "which makes the mean undefined",
        propagates=True,
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightsRow:
    """How classes weigh in a mean, in words; the ``least`` weight where it is their true pixels."""

    least: int | None = None
    words: str
    effect: str


WEIGHTS: Final = {
    "none": WeightsRow(words="classes not weighted", effect="all classes weigh the same"),
    "support": WeightsRow(
        least=0,
        words="classes weighted by true pixels",
        effect="classes weigh as much as they have true pixels",
    ),
    "support-or-one": WeightsRow(
        least=1,
        words="classes weighted by true pixels, at least one",
        effect="classes weigh as much as they have true pixels",
    ),
}
GIVEN_WEIGHTS: Final = WeightsRow(words="classes weighted as told", effect="classes weigh as told")
"""Weights that are numbers, one a class."""

CHOICES: Final[Mapping[str, Collection[str]]] = {
    "pooling": POOLINGS,
    "absent": get_args(Absent),
    "pred_only": TREATMENTS,
    "truth_only": TREATMENTS,
    "disjoint": TREATMENTS,
    "classes": get_args(Classes),
    "empty": get_args(Absent),
    "nothing": get_args(Absent),
    "weightless": get_args(Weightless),
    "generalized": get_args(Weighting),
    "unseen": get_args(Unseen),
    "void_image": get_args(VoidImage),
    "ends": get_args(Ends),
    "outside": get_args(Outside),
}
UNNAMED: Final = ("exclude", "worst", "overrides", "like", "origin")
"""Fields that are no departures from a preset, or are named in another way."""

ELSEWHERE: Final = ("like", "pooling", "absent", "classes", "exclude", "worst", "headline")
"""Fields that the signature states in a place of their own, or the names of the scores do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Convention:
    """How counts become scores and scores become means.

    ``skip`` leaves a value out of the means; ``undefined`` makes the whole mean undefined.

    Attributes
    ----------
    pooling : {"dataset", "image", "class", "pair", "micro", "image-micro", "group", \
    "dataset-mm3", "track", "track-decay"}
        What is summed and averaged first; the formulas stand in ``segeval.scoring.means``.
    absent : {"skip", "zero", "one", "undefined"}
        How a class is treated that is in neither the truth nor the prediction of its pool.
    pred_only, truth_only, disjoint : {"zero", "skip", "one", "undefined", "formula"}
        The same of a class only predicted there, never predicted, or on both sides and never hit.
    overrides : tuple of (metric, case, treatment)
        What holds for one metric only, e.g. ``("precision", "truth_only", "skip")``.
    smoothing : float
        Added to numerator and denominator of the metrics that are ``smoothed``: IoU and Dice.
    floor : float
        Class scores below it count as 0, under any pooling before they are averaged.
    thresholds : tuple of float
        If any, a class score becomes the share of them that it exceeds.
    classes : {"all", "foreground"}
        Classes of the means; the foreground is all but `LabelMap.background`.
    exclude : tuple of str
        Classes left out of the means; their pixels still count as errors of the others.
    weights : {"none", "support", "support-or-one"} or tuple of float or of (str, float)
        Weights of the classes in a mean over classes: their true pixels, or numbers
        by index, or each with a name.
    weightless : {"skip", "zero", "mean"}
        The mean over classes if all that are defined weigh nothing.
    empty : {"skip", "zero", "one", "undefined"}
        How an image is treated, or a class under ``class`` pooling, that has no defined value.
    nothing : {"undefined", "zero", "one"}
        The mean if there is no defined value at all.
    void_image : {"score", "skip"}
        Whether an image without judged pixels is scored like any other, or left out.
    ends : {"score", "skip"}
        Whether the first and the last frame of a sequence are scored, where its objects are.
    outside : {"unknown", "ignore"}
        Whether ``unknown`` holds for pixels that are no class on a side, or they are not judged.
    generalized : {"none", "simple", "square", "uniform"}
        Whether the mean Dice is the generalised Dice, and how its weights fall with true pixels.
    unseen : {"largest", "zero"}
        Weight of a class without true pixels in the generalised Dice.
    worst : float, optional
        For ``image`` and ``class`` pooling also the mean of so many percent of the lowest values.
    headline, like : str
        Name of the mean that stands for all others, and of the preset that this is.
    origin : Convention, optional
        The preset itself: ``like`` also names the axes on which this departs from it.
    """

    pooling: Pooling = "dataset"
    absent: Absent = "skip"
    pred_only: Treatment = "zero"
    truth_only: Treatment = "zero"
    disjoint: Treatment = "formula"
    overrides: tuple[tuple[str, str, Treatment], ...] = ()
    smoothing: float = 0.0
    floor: float = 0.0
    thresholds: tuple[float, ...] = ()
    classes: Classes = "all"
    exclude: tuple[str, ...] = ()
    weights: Weights | tuple[float, ...] | tuple[tuple[str, float], ...] = "none"
    weightless: Weightless = "skip"
    empty: Absent = "skip"
    nothing: Absent = "undefined"
    void_image: VoidImage = "score"
    ends: Ends = "score"
    outside: Outside = "unknown"
    generalized: Weighting = "none"
    unseen: Unseen = "largest"
    worst: float | None = None
    headline: str = "miou"
    like: str = ""
    origin: Convention | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Refuse what is not on the axes, and name what departs from a preset."""
        if self.origin is not None and self.like:
            object.__setattr__(self, "like", "".join([self.origin.like, *self._departures()]))
        choices = [(getattr(self, name), allowed) for name, allowed in CHOICES.items()]
        if isinstance(self.weights, str):
            choices.append((self.weights, WEIGHTS))
        for override in self.overrides:
            choices += zip(override, (METRICS, CASES, TREATMENTS), strict=True)
        for value, allowed in choices:
            if value not in allowed:
                raise SettingError(f"{value!r} is none of {', '.join(allowed)}")
        if not isinstance(self.exclude, tuple):
            raise SettingError(f"exclude is a tuple of class names, not {self.exclude!r}")
        self._check_numbers()

    def _check_numbers(self) -> None:
        if not self.smoothing >= 0:
            raise SettingError(f"smoothing is 0 or more, not {self.smoothing}")
        if not all(0 <= level <= 1 for level in (self.floor, *self.thresholds)):
            raise SettingError("floor and thresholds are scores, 0 to 1")
        if self.worst is not None and not 0 < self.worst <= 100:
            raise SettingError(f"worst is a percentage above 0 and up to 100, not {self.worst}")
        if self.worst is not None and not POOLINGS[self.pooling].has_worst:
            able = [name for name, pooling in POOLINGS.items() if pooling.has_worst]
            raise SettingError(f"the worst share needs pooling by {' or by '.join(able)}")

    def _departures(self) -> Iterator[str]:
        """Yield the axes that differ from the preset, but for those that change no other number."""
        dropped = {case for _, case, _ in getattr(self.origin, "overrides", ())}
        dropped -= {case for _, case, _ in self.overrides}
        for axis in fields(self):
            value = getattr(self, axis.name)
            if axis.name not in UNNAMED and (
                value != getattr(self.origin, axis.name) or axis.name in dropped
            ):
                yield f"+{axis.name}:{value}" if isinstance(value, str) else f"+{axis.name}"
        if set(self.overrides) - set(getattr(self.origin, "overrides", ())):
            yield "+overrides"

    def for_classes(self, names: Sequence[str]) -> Convention:
        """Return the convention with the weights of classes by place, where it has them by name.

        A `SettingError`, if a class has no weight, or the pooling has no mean over classes.
        """
        weights = dict(pair for pair in self.weights if isinstance(pair, tuple))
        if not weights:
            return self
        wrong = [f"class {name} has no weight" for name in names if name not in weights]
        wrong += [f"no class is called {name!r}" for name in weights if name not in names]
        if wrong:
            raise SettingError(f"--weights: {listed(wrong, 3)}; give one to each class")
        if "mean classes" not in POOLINGS[self.pooling].steps:
            raise SettingError(f"--weights: pooling by {self.pooling} takes no mean over classes")
        return replace(self, weights=tuple(weights[name] for name in names))

    def treatment(self, metric: str, case: str) -> Treatment:
        """Return how a metric treats a class in one of `CASES`."""
        special = {(name, which): treatment for name, which, treatment in self.overrides}
        general: Treatment = getattr(self, case)
        return special.get((metric, case), general)

    def score_classes(self, metric: Metric, counts: ClassCounts) -> NDArray[np.float64]:
        """Score every class of every pool; (..., K) values, NaN where undefined.

        By default a class that occurs on one side only scores 0, so that all scores are defined for
        the same classes. Specificity follows its formula there, and is 0 where that is undefined.
        A signed score follows its formula everywhere, as 0 is the best there is.
        """
        top, bottom = metric.terms(counts)
        added = self.smoothing if metric.smoothed else 0
        scores = ratio(top + added, bottom + added)
        if metric.signed:
            return scores
        for name, case in CASES.items():
            treatment = self.treatment(metric.name, name)
            if treatment != "formula":
                replaced = case.holds(counts)
                if metric.negatives and treatment == "zero" and name != "absent":
                    replaced &= np.isnan(scores)
                scores[replaced] = TREATMENTS[treatment].score
        return self._reached(scores)

    def _reached(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return what the floor and the thresholds make of scores; NaN stays NaN."""
        if self.floor:  # else scores below 0, as kappa may be, stay as they are
            scores = np.where(scores < self.floor, 0.0, scores)
        if self.thresholds:
            exceeded = sum(scores > level for level in self.thresholds)
            scores = np.where(np.isnan(scores), np.nan, exceeded / len(self.thresholds))
        return scores

    def propagates(self, metric: Metric, counts: ClassCounts) -> NDArray[np.bool_]:
        """Return which scores are undefined in such a way that their means are undefined too."""
        propagates = np.zeros(counts.tp.shape, np.bool_)
        for name, case in () if metric.signed else CASES.items():
            if TREATMENTS[self.treatment(metric.name, name)].propagates:
                propagates |= case.holds(counts)
        return propagates

    def deviations(self) -> dict[str, Any]:
        """Return the axes on which this differs from the default, by name."""
        return {
            axis.name: getattr(self, axis.name)
            for axis in fields(self)
            if axis.name != "origin" and getattr(self, axis.name) != axis.default
        }

    def settings(self) -> dict[str, Any]:
        """Return the usual axes and those that deviate, as plain data."""
        usual = {"pooling": self.pooling, "absent": self.absent, "exclude": None, "worst": None}
        deviating = {**usual, **self.deviations(), "exclude": self.exclude}
        return {name: _plain(value) for name, value in deviating.items()}

    def signature_parts(self) -> list[str]:
        """Return the parts of the signature that say what is done."""
        first = "all" if self.classes == "all" else self.classes
        parts = [
            *([f"like:{self.like}"] if self.like else []),
            f"pooling:{self.pooling}",
            f"absent:{self.absent}",
            f"mean:{first}{''.join(f'-{name}' for name in self.exclude)}",
        ]
        for axis, value in self.deviations().items():
            if axis == "overrides":
                parts += [f"{metric}.{case}:{value}" for metric, case, value in self.overrides]
            elif axis in {"weights", "thresholds"} and isinstance(value, tuple):
                parts.append(f"{axis}:{','.join(f'{number:g}' for number in value)}")
            elif axis not in ELSEWHERE:
                parts.append(f"{axis}:{value:g}" if isinstance(value, float) else f"{axis}:{value}")
        return parts


def _plain(value: Any) -> Any:
    return [_plain(item) for item in value] if isinstance(value, tuple) else value
