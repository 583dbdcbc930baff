"""Presets of distances: how other tools measure and average them, in ``tools/distances/``."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from functools import cache
from typing import Any, Final, get_args

import numpy as np

from segeval.distances.means import Cells, mean_cells
from segeval.distances.measure import DistanceMeasure
from segeval.distances.names import score_names
from segeval.distances.result import find_table
from segeval.distances.rules import CASES, DistanceRules, Family
from segeval.errors import SettingError
from segeval.presets.explain import PresetScore, Rule
from segeval.presets.preset import ToolCall, read_rows
from segeval.scoring.sample import excluded_indices
from segeval.scoring.score import Scores

AXES: Final = tuple(
    axis.name
    for axis in fields(DistanceRules)
    if axis.name not in {"percentiles", "tolerances", "exceptions", "steps", "like", "objects"}
)
"""What a preset decides; percentiles, tolerances and spacing are the user's."""


ONE_SIDED: Final = "one_sided"  # a missed class and a false alarm, where these are treated alike


@dataclass(frozen=True, slots=True, kw_only=True)
class DistancePreset(ToolCall):
    """What one call of a tool does with distances."""

    headline: str  # the score that the call returns
    rules: DistanceRules

    @property
    def title(self) -> str:
        """The headline, as gates name it."""
        return self.headline

    @property
    def facts(self) -> list[str]:
        """Every rule on which it is not the default."""
        usual = DistanceRules()
        stated = [
            f"{axis}:{getattr(self.rules, axis)}"
            for axis in AXES
            if getattr(self.rules, axis) != getattr(usual, axis)
        ]
        return stated + [f"{of}-{case}:{value}" for of, case, value in self.rules.exceptions]

    def differs(self, axis: str) -> bool:
        """Whether a rule is not the default."""
        return bool(getattr(self.rules, axis) != getattr(DistanceRules(), axis))


@cache
def load_distance_presets() -> Mapping[str, DistancePreset]:
    """Return all presets of distances by name, in alphabetical order."""
    return {row["name"]: _preset(row) for row in read_rows("distances")}


def _preset(row: dict[str, Any]) -> DistancePreset:
    """Part what a row tells of a tool from its rules."""
    texts = {each.name for each in fields(DistancePreset)} - {"rules"}
    of_objects = tuple(_rules(row.pop("objects", {})).items())
    stated = _rules(row)
    told = {k: v for k, v in row.items() if k not in {*AXES, *get_args(Family)}}
    if unknown := told.keys() - texts:
        raise ValueError(f"preset {row['name']}: nothing is called {', '.join(unknown)}")
    rules = DistanceRules(**stated, objects=of_objects, like=told["name"])
    return DistancePreset(**told, rules=rules)


def _rules(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the rules that a row states, what single families count among them."""
    tables = {name: value for name, value in row.items() if isinstance(value, Mapping)}
    exceptions = tuple(
        (family, case, tables[family][case])
        for family in get_args(Family)
        for case in CASES
        if case in tables.get(family, {})
    )
    stated = {name: row[name] for name in AXES if name in row.keys() - tables.keys()}
    return stated | ({"exceptions": exceptions} if exceptions else {})


def distance_rules(
    like: str | None,
    percentiles: tuple[float, ...] = (95.0,),
    tolerances: tuple[float, ...] = (1.0, 2.0),
    steps: tuple[float, ...] | None = None,
) -> DistanceRules:
    """Return the rules of a preset of distances, or the default ones.

    >>> distance_rules("medpy").hausdorff, distance_rules(None).hausdorff
    ('pooled', 'max')
    """
    preset = load_distance_presets().get(like or "")
    rules = DistanceRules() if preset is None else preset.rules
    return rules.at(percentiles, tolerances, steps)


def all_measures(rules: DistanceRules) -> list[DistanceMeasure]:
    """Return what all presets measure, each once, and first what is measured by default."""
    presets = (preset.rules for preset in load_distance_presets().values())
    return list(
        dict.fromkeys(m for each in presets for m in replace(each, steps=rules.steps).measures)
    )


def explain_distances(scores: Scores, rules: DistanceRules) -> list[PresetScore]:
    """Score the distances of a run under every preset, by score and the highest value first."""
    find_table(scores, rules)  # which says what to type, if nothing is measured
    asked = rules.percentiles, rules.tolerances, rules.steps
    presets = load_distance_presets().values()
    rows = [_row(scores, each, each.rules.at(*asked)) for each in presets]
    return sorted(rows, key=lambda r: (r.metric, math.isnan(r.value), -r.value, r.preset))


def _row(scores: Scores, preset: DistancePreset, rules: DistanceRules) -> PresetScore:
    """Score under a preset, and with each of its rules as in the default."""
    metric = next((n for n in score_names(rules) if n.startswith(preset.headline)), "hd")
    value, entered = _value(scores, rules, metric)
    moves = []
    for axis, setting in _settings(preset, score_names(rules)[metric]):
        other, _ = _value(scores, _switched(rules, axis), metric)
        if not (value == other or math.isnan(value) or math.isnan(other)):
            moves.append(Rule(axis=axis, setting=setting, change=value - other, preset=preset.name))
    return PresetScore(
        preset=preset.name,
        metric=metric,
        value=value,
        per_class=(),
        entered=entered,
        rules=tuple(sorted(moves, key=lambda rule: -abs(rule.change))),
    )


def _settings(preset: DistancePreset, family: Family) -> Iterator[tuple[str, str]]:
    """Yield the axes on which a preset is not the default; both cases of one side at once."""
    rules, usual = preset.rules, DistanceRules()
    cases = {name: rules.case(family, name) for name in CASES}
    together = cases["missed"] == cases["false_alarm"]
    for axis in AXES:
        name = next((each for each in CASES if each == axis), None)
        if name is None:
            if preset.differs(axis):
                yield axis, str(getattr(rules, axis))
        elif cases[name] != usual.case(family, name) and not (together and name == "false_alarm"):
            yield ONE_SIDED if together and name == "missed" else axis, str(cases[name])


def _switched(rules: DistanceRules, axis: str) -> DistanceRules:
    """Return the rules with one of them as in the default, for scores of every family."""
    names = ("missed", "false_alarm") if axis == ONE_SIDED else (axis,)
    usual: Any = {name: getattr(DistanceRules(), name) for name in names}
    kept = tuple(each for each in rules.exceptions if each[1] not in names)
    return replace(rules, exceptions=kept, **usual)


def _value(scores: Scores, rules: DistanceRules, metric: str) -> tuple[float, int]:
    """Return a score, and how many values of classes and images are in it; NaN if not measured."""
    try:
        table, _ = find_table(scores, rules)
    except SettingError:
        return math.nan, 0
    excluded = excluded_indices(scores.convention, scores.labels)
    kept = [k for k in range(table.count) if k not in excluded]
    cells = Cells.of(table, rules)
    means = mean_cells(cells, kept, scores.convention.pooling)
    entered = ~np.isnan(cells.scores[metric][:, kept])
    return float(means.whole[metric][0]), int(entered.sum())
