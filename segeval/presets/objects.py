"""Presets of objects: how other tools match and average them, in ``tools/objects/``."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cache
from typing import Any, Final

from segeval.objects.result import FoundObjects
from segeval.objects.rules import ObjectPooling, ObjectRules, ObjectSource
from segeval.presets.explain import PresetScore, Rule
from segeval.presets.preset import ToolCall, read_rows
from segeval.scoring.score import Scores

AXES: Final = ("pooling", "empty", "matching", "strict", "aji")
"""What a preset decides; thresholds, sizes and where objects come from are the user's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectPreset(ToolCall):
    """What one call of a tool does with objects."""

    headline: str  # the score that the call returns, as gates name it
    rules: ObjectRules

    @property
    def title(self) -> str:
        """The headline, as gates name it."""
        return self.headline

    @property
    def facts(self) -> list[str]:
        """Every rule on which it is not the default."""
        return [f"{axis}:{getattr(self.rules, axis)}" for axis in AXES if self.differs(axis)]

    def differs(self, axis: str) -> bool:
        """Whether a rule is not the default."""
        return bool(getattr(self.rules, axis) != getattr(ObjectRules(), axis))


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
    rows = [_row(found, preset) for preset in load_object_presets().values()]
    return sorted(rows, key=lambda row: (math.isnan(row.value), -row.value, row.preset))


def _row(found: FoundObjects, preset: ObjectPreset) -> PresetScore:
    """Score under a preset, and with each of its rules as in the default."""
    value, entered = found.score(preset.rules, preset.headline)
    moves = []
    for axis in filter(preset.differs, AXES):
        switched: Any = {axis: getattr(ObjectRules(), axis)}
        other, _ = found.score(replace(preset.rules, **switched), preset.headline)
        if value != other:
            setting = str(getattr(preset.rules, axis))
            change = value - other
            moves.append(Rule(axis=axis, setting=setting, change=change, preset=preset.name))
    return PresetScore(
        preset=preset.name,
        metric=preset.headline,
        value=value,
        per_class=(),
        entered=entered,
        rules=tuple(sorted(moves, key=lambda rule: -abs(rule.change))),
    )
