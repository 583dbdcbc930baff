"""Presets of distances: how other tools measure and average them, in ``tools/distances/``."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from functools import cache, partial
from typing import Any, ClassVar, Final, get_args

import numpy as np

from segeval.distances.means import Cells, mean_cells
from segeval.distances.names import score_names
from segeval.distances.result import find_table
from segeval.distances.rules import CASES, DistanceRules, Family
from segeval.errors import SettingError
from segeval.objectdistances.scores import score_object_distances
from segeval.objects.result import FoundObjects
from segeval.objects.rules import ObjectRules
from segeval.presets.explain import PresetScore
from segeval.presets.preset import read_rows
from segeval.presets.rulepreset import RulePreset, Valued, differing, preset_score
from segeval.scoring.beside import once
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
class DistancePreset(RulePreset):
    """What one call of a tool does with distances."""

    axes: ClassVar = AXES
    rules: DistanceRules

    @property
    def facts(self) -> list[str]:
        """Every rule on which it is not the default, those of single families as well."""
        stated = [f"{a}:{getattr(self.rules, a)}" for a in differing(self.rules, AXES)]
        return stated + [f"{of}-{case}:{value}" for of, case, value in self.rules.exceptions]


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


def preset_rules(rules: DistanceRules) -> dict[str, DistanceRules]:
    """Return the rules of all presets at the percentiles, tolerances and spacing of some rules."""
    asked = rules.percentiles, rules.tolerances, rules.steps
    return {name: each.rules.at(*asked) for name, each in load_distance_presets().items()}


def explain_distances(scores: Scores, rules: DistanceRules) -> list[PresetScore]:
    """Score the distances of a run under every preset, by score and the highest value first."""
    find_table(scores, rules)  # which says what to type, if nothing is measured
    return _explained(preset_rules(rules), partial(_value, scores))


def explain_object_distances(
    scores: Scores, objects: ObjectRules, rules: DistanceRules
) -> list[PresetScore]:
    """Score the distances of objects, all of them, under every preset."""
    found = FoundObjects.of(scores, objects)
    if score_object_distances(scores, found, objects, rules) is None:
        return []
    presets = {name: each.of_objects() for name, each in preset_rules(rules).items()}
    return _explained(presets, partial(_object_value, scores, found, objects), "object_")


def _explained(
    presets: Mapping[str, DistanceRules], value_of: Valued[DistanceRules], begin: str = ""
) -> list[PresetScore]:
    """Score under every preset the score that its tool reports, or that of objects."""
    rows = []
    for name, rules in presets.items():
        families = score_names(rules)
        headline = load_distance_presets()[name].headline
        metric = next((n for n in families if n.startswith(headline)), "hd")
        switched = _switches(rules, families[metric])
        rows.append(preset_score(name, rules, switched, value_of, f"{begin}{metric}"))
    return sorted(rows, key=lambda r: (r.metric, math.isnan(r.value), -r.value, r.preset))


def _switches(rules: DistanceRules, family: Family) -> Iterator[tuple[str, str, DistanceRules]]:
    """Yield each axis on which rules are not the default, where they are, and the rules without.

    Both cases of one side are switched at once, where they are alike.
    """
    usual = DistanceRules()
    cases = {name: rules.case(family, name) for name in CASES}
    together = cases["missed"] == cases["false_alarm"]
    stated = differing(rules, AXES)
    for axis in AXES:
        name = next((each for each in CASES if each == axis), None)
        if name is None:
            if axis in stated:
                yield axis, str(getattr(rules, axis)), _switched(rules, axis)
        elif cases[name] != usual.case(family, name) and not (together and name == "false_alarm"):
            moved = ONE_SIDED if together and name == "missed" else axis
            yield moved, str(cases[name]), _switched(rules, moved)


def _switched(rules: DistanceRules, axis: str) -> DistanceRules:
    """Return the rules with one of them as in the default, for scores of every family."""
    names = ("missed", "false_alarm") if axis == ONE_SIDED else (axis,)
    usual: Any = {name: getattr(DistanceRules(), name) for name in names}
    kept = tuple(each for each in rules.exceptions if each[1] not in names)
    return replace(rules, exceptions=kept, **usual)


def _value(scores: Scores, rules: DistanceRules, metric: str) -> tuple[float, int] | None:
    """Return a score, and how many values of classes and images are in it, if it was measured."""
    try:
        table, _ = find_table(scores, rules)
    except SettingError:
        return None
    excluded = excluded_indices(scores.convention, scores.labels)
    kept = [k for k in range(table.count) if k not in excluded]
    cells = Cells.of(table, rules)
    pooling = scores.convention.pooling
    means = mean_cells(cells, once(len(cells.true)), kept=kept, pooling=pooling).means
    entered = ~np.isnan(cells.scores[metric][:, kept])
    return float(means[metric][0]), int(entered.sum())


def _object_value(
    scores: Scores, found: FoundObjects, objects: ObjectRules, rules: DistanceRules, metric: str
) -> tuple[float, int] | None:
    """Return a score of objects, and how many of them are in it, if they were measured."""
    try:
        scored = score_object_distances(scores, found, objects, rules)
    except SettingError:
        return None
    if scored is None:
        return None
    entered = scored.sums[metric]
    number = entered.number[:, -1].sum() + entered.infinite[:, -1].sum()
    return scored.named()[metric], int(number)
