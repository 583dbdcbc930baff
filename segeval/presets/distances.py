"""Presets of distances: how other tools measure and average them, in ``tools/distances/``."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from functools import cache
from importlib import resources
from typing import Any, Final, get_args

from segeval.distances.rules import CASES, DistanceRules, Family
from segeval.presets.preset import ToolCall

AXES: Final = tuple(
    axis.name
    for axis in fields(DistanceRules)
    if axis.name not in {"percentiles", "tolerances", "exceptions", "like"}
)
"""What a preset decides; percentiles, tolerances and spacing are the user's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DistancePreset(ToolCall):
    """What one call of a tool does with distances."""

    headline: str  # the score that the call returns
    rules: DistanceRules

    @property
    def facts(self) -> list[str]:
        """Every rule on which it is not the default."""
        stated = [f"{axis}:{getattr(self.rules, axis)}" for axis in AXES if self.differs(axis)]
        return stated + [f"{of}-{case}:{value}" for of, case, value in self.rules.exceptions]

    def differs(self, axis: str) -> bool:
        """Whether a rule is not the default."""
        return bool(getattr(self.rules, axis) != getattr(DistanceRules(), axis))


@cache
def load_distance_presets() -> Mapping[str, DistancePreset]:
    """Return all presets of distances by name, in alphabetical order."""
    folder = resources.files("segeval.presets") / "tools" / "distances"
    contents = [
        tomllib.loads(file.read_text(encoding="utf-8"))
        for file in folder.iterdir()
        if file.name.endswith(".toml")
    ]
    found = [preset for content in contents for preset in _presets(content)]
    return {preset.name: preset for preset in sorted(found, key=lambda preset: preset.name)}


def _presets(content: Mapping[str, Any]) -> Iterator[DistancePreset]:
    """Yield the rows of a file, each with what holds for the whole file."""
    texts = {each.name for each in fields(DistancePreset)} - {"rules"}
    for row in content["presets"]:
        whole = {key: value for key, value in content.items() if key != "presets"} | row
        axes = {name: whole.pop(name) for name in AXES if name in whole}
        exceptions = tuple(
            (family, case, whole[family][case])
            for family in get_args(Family)
            for case in CASES
            if case in whole.get(family, {})
        )
        told = {name: value for name, value in whole.items() if name not in get_args(Family)}
        if unknown := told.keys() - texts:
            raise ValueError(f"preset {row['name']}: nothing is called {', '.join(unknown)}")
        rules = DistanceRules(**axes, exceptions=exceptions, like=told["name"])
        yield DistancePreset(**told, rules=rules)
