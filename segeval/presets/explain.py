"""The same counts under every tool's convention, and which rule makes the difference.

Rules are found by switching one axis at a time, on these very counts.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

from segeval.counting.run import CountedRun
from segeval.labels.classify import ClassifiedRun, classify, void_outside
from segeval.labels.labelmap import LabelMap
from segeval.presets.preset import find_preset, load_presets
from segeval.scoring.convention import CASES, Convention
from segeval.scoring.means import class_scores, count_values_in_mean, mean_score, worst_mean
from segeval.scoring.metrics import metric_of
from segeval.scoring.pooling import POOLINGS
from segeval.scoring.resampling import Units
from segeval.scoring.sample import Sample, excluded_indices
from segeval.scoring.tracks import ALONE, along_frames, sequence_names

AXES: Final = (
    "pooling",
    "classes",
    "absent",
    "pred_only",
    "truth_only",
    "disjoint",
    "weights",
    "weightless",
    "smoothing",
    "floor",
    "thresholds",
    "generalized",
    "unseen",
    "empty",
    "nothing",
    "void_image",
    "ends",
    "outside",
)  # axes in the order in which they are switched; the metric itself comes before or after them

GRAIN: Final = 2.0**50  # values are rounded to 1/GRAIN, so that floats add up exactly
NOTABLE: Final = 0.0005  # changes smaller than this are not worth a sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class PresetScore:
    """What a preset says of the counts; values are in [0, 1], or NaN if undefined."""

    preset: str
    metric: str  # the headline, e.g. miou
    value: float
    per_class: tuple[float, ...]
    entered: int  # (class, image) values in it; of classes if counts are pooled
    rules: tuple[Rule, ...]  # what moves it from the default, the largest first
    measured: bool = True  # whether the run holds what it needs; else it has no value

    @property
    def differs_by(self) -> str:
        """The axis that moves it most; empty if none does."""
        return self.rules[0].axis if self.rules else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """An axis on which a preset is not the default, and where it is."""

    axis: str
    setting: str
    change: float  # its value less that with this axis as in the default; NaN if one is undefined
    preset: str


@dataclass(frozen=True, kw_only=True, eq=False)
class PresetScorer:
    """Counts, and their classes; the run is needed if a preset judges fewer pixels."""

    counts: ClassifiedRun
    labels: LabelMap
    exclude: tuple[str, ...] = ()  # classes that a user leaves out of every mean
    run: CountedRun | None = None

    @cached_property
    def _known(self) -> dict[Convention, float]:
        return {}

    @cached_property
    def sample(self) -> Sample:
        """The images, each drawn once."""
        return Sample.of(self.counts.images)

    @cached_property
    def _inside(self) -> Sample:
        """The images without pixels whose truth or prediction is no class."""
        if self.run is None or not self.counts.unclassed:
            return self.sample
        labels = void_outside(self.run, self.labels)
        return Sample.of(classify(self.run, labels, unknown="ignore").images)

    def sample_of(self, convention: Convention) -> Sample:
        """Return the images with the pixels that a convention judges, or their sequences."""
        sample = self._inside if convention.outside == "ignore" else self.sample
        if not POOLINGS[convention.pooling].frames:
            return sample
        count = len(sample.images.total)
        names = [ALONE] * count if self.run is None else sequence_names(self.run, None)
        frames = along_frames(sample.images, Units.of(names).unit, ends=convention.ends == "score")
        return Sample.of(frames)

    def convention(self, name: str) -> Convention:
        """Return a preset with all that bears on its headline, where all others have it."""
        convention = find_preset(name).convention
        metric = metric_of(convention.headline)
        treatments: dict[str, Any] = {
            case: convention.treatment(metric.name, case) for case in CASES
        }
        return replace(
            convention,
            **treatments,
            overrides=(),
            exclude=self.exclude,
            smoothing=convention.smoothing if metric.smoothed else 0.0,
            generalized=convention.generalized if metric.name == "dice" else "none",
            like="",
        )

    def default(self, headline: str) -> Convention:
        """Return the default convention with the headline of another one."""
        return Convention(headline=headline.partition("_worst")[0], exclude=self.exclude)

    def value(self, convention: Convention) -> float:
        """Return the headline of a convention; each is computed once."""
        if convention not in self._known:
            mean = worst_mean if convention.worst is not None else mean_score
            excluded = excluded_indices(convention, self.labels)
            metric, sample = metric_of(convention.headline), self.sample_of(convention)
            total = float(mean(convention, metric, sample, excluded)[0])
            self._known[convention] = total if math.isnan(total) else round(total * GRAIN) / GRAIN
        return self._known[convention]


def explain(case: PresetScorer, names: Sequence[str] | None = None) -> list[PresetScore]:
    """Score counts under presets, by default all: the highest value first, undefined ones last."""
    rows = [_row(case, name) for name in (load_presets() if names is None else names)]
    return sorted(rows, key=lambda row: (math.isnan(row.value), -row.value, row.preset))


def _row(case: PresetScorer, name: str) -> PresetScore:
    convention = case.convention(name)
    metric, sample = metric_of(convention.headline), case.sample_of(convention)
    return PresetScore(
        preset=name,
        metric=convention.headline,
        value=case.value(convention),
        per_class=tuple(class_scores(convention, metric, sample)[0].tolist()),
        entered=count_values_in_mean(
            convention, metric, sample, excluded_indices(convention, case.labels)
        ),
        rules=tuple(_rules(case, convention, name)),
    )


def _rules(case: PresetScorer, convention: Convention, name: str) -> list[Rule]:
    default, rules = case.default(convention.headline), []
    for axis in differing_axes(convention, default):
        if axis == "pooling" and convention.worst is not None:
            continue
        value, other = case.value(convention), case.value(switched(convention, default, axis))
        if value == other or (math.isnan(value) and math.isnan(other)):
            continue
        setting = setting_of(convention, axis)
        rules.append(Rule(axis=axis, setting=setting, change=value - other, preset=name))
    sizes = {rule: math.inf if math.isnan(rule.change) else abs(rule.change) for rule in rules}
    return sorted(rules, key=lambda rule: (-sizes[rule], rule.setting != "undefined"))


def main_rules(rows: Sequence[PresetScore], most: int = 3) -> list[Rule]:
    """Return the rules that move any of the rows most, each setting of an axis once."""
    largest: dict[tuple[str, str], Rule] = {}
    for rule in (rule for row in rows for rule in row.rules if not math.isnan(rule.change)):
        known = largest.get((rule.axis, rule.setting))
        if known is None or abs(rule.change) > abs(known.change):
            largest[rule.axis, rule.setting] = rule
    rules = sorted(largest.values(), key=lambda rule: -abs(rule.change))
    return [rule for rule in rules if abs(rule.change) >= NOTABLE][:most]


def differing_axes(start: Convention, end: Convention) -> Iterator[str]:
    """Yield the axes on which conventions differ, in an order in which all steps are valid."""
    metric = ["metric"] if start.headline != end.headline else []
    axes = [axis for axis in AXES if getattr(start, axis) != getattr(end, axis)]
    yield from [*metric, *axes] if start.worst is not None else [*axes, *metric]


def switched(convention: Convention, other: Convention, axis: str) -> Convention:
    """Return a convention that is on one axis where another one is."""
    names = ("headline", "worst") if axis == "metric" else (axis,)
    changed: dict[str, Any] = {name: getattr(other, name) for name in names}
    return replace(convention, **changed)


def setting_of(convention: Convention, axis: str) -> str:
    """Write down where a convention is on an axis."""
    value = convention.headline if axis == "metric" else getattr(convention, axis)
    return f"{value:g}" if isinstance(value, float) else str(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Axes that are switched together, as a value between them is undefined, and what that adds."""

    axes: tuple[str, ...]
    before: tuple[str, ...]
    after: tuple[str, ...]
    value: float
    change: float


def steps_between(case: PresetScorer, first: str, last: str) -> list[Step]:
    """Go from one preset to another, one axis at a time; those that change nothing are left out.

    The changes add up to the difference exactly; empty if that is undefined, or if there is none.
    """
    start, end = case.convention(first), case.convention(last)
    if math.isnan(case.value(start)) or math.isnan(case.value(end)):
        return []
    steps: list[Step] = []
    held: list[str] = []
    here, value = start, case.value(start)
    for axis in differing_axes(start, end):
        here = switched(here, end, axis)
        held.append(axis)
        now = case.value(here)
        if math.isnan(now):
            continue
        if now != value:
            steps.append(
                Step(
                    axes=tuple(held),
                    before=tuple(setting_of(start, name) for name in held),
                    after=tuple(setting_of(end, name) for name in held),
                    value=now,
                    change=now - value,
                )
            )
        held, value = [], now
    return steps
