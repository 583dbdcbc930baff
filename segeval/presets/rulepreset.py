"""Presets that are rules of objects or of distances, and what moves each away from the default."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from segeval.presets.explain import PresetScore, Rule
from segeval.presets.preset import ToolCall

Rules = TypeVar("Rules")
Valued = Callable[[Rules, str], tuple[float, int] | None]
"""A score under some rules, and how many values are in it; None if it was not measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RulePreset(ToolCall):
    """What one call of a tool does, as rules."""

    axes: ClassVar[tuple[str, ...]]  # the rules that a preset decides
    headline: str  # the score that the call returns, as gates name it
    rules: Any

    @property
    def title(self) -> str:
        """The headline, as gates name it."""
        return self.headline

    @property
    def facts(self) -> list[str]:
        """Every rule on which it is not the default."""
        return [f"{axis}:{getattr(self.rules, axis)}" for axis in differing(self.rules, self.axes)]


def differing(rules: Any, axes: Iterable[str]) -> list[str]:
    """Return the axes on which rules are not the default."""
    usual = type(rules)()
    return [axis for axis in axes if getattr(rules, axis) != getattr(usual, axis)]


def preset_score(
    name: str,
    rules: Rules,
    switched: Iterable[tuple[str, str, Rules]],
    value_of: Valued[Rules],
    metric: str,
) -> PresetScore:
    """Score under the rules of a preset, and with each of them as in the default.

    What is switched are the axis, where the preset is on it, and the rules without it.
    """
    scored = value_of(rules, metric)
    value, entered = scored or (math.nan, 0)
    moves = []
    for axis, setting, others in switched if scored else ():
        other, _ = value_of(others, metric) or (value, 0)
        if value != other and not (math.isnan(value) and math.isnan(other)):
            moves.append(Rule(axis=axis, setting=setting, change=value - other, preset=name))
    return PresetScore(
        preset=name,
        metric=metric,
        value=value,
        per_class=(),
        entered=entered,
        measured=scored is not None,
        rules=tuple(sorted(moves, key=lambda rule: -abs(rule.change))),
    )
