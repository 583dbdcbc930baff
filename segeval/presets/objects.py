"""Presets of objects: how other tools match and average them, in ``tools/objects/``."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from functools import cache
from typing import Any, ClassVar, Final

from segeval.objects.result import FoundObjects
from segeval.objects.rules import ObjectPooling, ObjectRules, ObjectSource
from segeval.presets.explain import PresetScore
from segeval.presets.preset import read_rows
from segeval.presets.rulepreset import RulePreset, differing, preset_score
from segeval.scoring.score import Scores

AXES: Final = (
    "pooling",
    "empty",
    "matching",
    "strict",
    "aji",
    "smallest",
    "without_truth",
)
"""What a preset decides; thresholds, sizes and where objects come from are the user's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectPreset(RulePreset):
    """What one call of a tool does with objects."""

    axes: ClassVar = AXES
    rules: ObjectRules


def object_rules(like: str | None = None, *, pooling: ObjectPooling | None = None) -> ObjectRules:
    """Return the rules of a preset of objects, or the default ones; a pooling departs from them.

    >>> object_rules("cellpose").aji, object_rules("stardist", pooling="image").like
    ('assigned', 'stardist+pooling:image')
    """
    preset = load_object_presets().get(like or "")
    rules = ObjectRules() if preset is None else preset.rules
    if pooling is None or pooling == rules.pooling:
        return rules
    departed = f"{rules.like}+pooling:{pooling}" if rules.like else ""
    return replace(rules, pooling=pooling, like=departed)


@cache
def load_object_presets() -> Mapping[str, ObjectPreset]:
    """Return all presets of objects by name, in alphabetical order."""
    return {row["name"]: _preset(row) for row in read_rows("objects")}


def _preset(row: dict[str, Any]) -> ObjectPreset:
    """Part what a row tells of a tool from its rules."""
    texts = {each.name for each in fields(ObjectPreset)} - {"rules", "also"}
    axes = {name: row.pop(name) for name in AXES if name in row}
    if unknown := row.keys() - texts:
        raise ValueError(f"preset {row['name']}: nothing is called {', '.join(unknown)}")
    stated = {"like": row["name"], "headline": row["headline"]}
    return ObjectPreset(**row, rules=ObjectRules(**axes, **stated))


def explain_objects(scores: Scores, source: ObjectSource) -> list[PresetScore]:
    """Score the objects of a run under every preset: the highest value first."""
    found = FoundObjects.of(scores, ObjectRules(source=source))
    rows = [
        preset_score(name, each.rules, _switched(each.rules), found.score, each.headline)
        for name, each in load_object_presets().items()
    ]
    return sorted(rows, key=lambda row: (math.isnan(row.value), -row.value, row.preset))


def _switched(rules: ObjectRules) -> Iterator[tuple[str, str, ObjectRules]]:
    """Yield each axis on which rules are not the default, where they are, and the rules without."""
    for axis in differing(rules, AXES):
        usual: Any = {axis: getattr(ObjectRules(), axis)}
        yield axis, str(getattr(rules, axis)), replace(rules, **usual)
