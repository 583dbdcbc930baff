"""From one preset to another, one axis at a time, in steps that add up."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from segeval.explanation import differing_axes, setting_of, switched

if TYPE_CHECKING:
    from segeval.explanation import Case

__all__ = ["Step", "between"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Some axes that are switched from one preset to another.

    Attributes
    ----------
    axes : tuple of str
        Usually one; several where a value between them is undefined.
    before, after : tuple of str
        Where the two presets are on them.
    value : float
        The value after the switch.
    change : float
        What it adds.
    """

    axes: tuple[str, ...]
    before: tuple[str, ...]
    after: tuple[str, ...]
    value: float
    change: float


def between(case: Case, first: str, last: str) -> list[Step]:
    """Go from one preset to another, one axis at a time.

    Returns
    -------
    list of Step
        Their changes add up to the difference of the two values exactly, in any order. Axes that
        change nothing are left out. Empty if a value is undefined, or if there is no difference.
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
