"""What is said of numbers that cannot be relied on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from segeval.cli.console import notify
from segeval.scoring.intervals import Intervals
from segeval.scoring.resampling import FEW, Units
from segeval.text import listed

SHOWN: Final = 3  # names in a notice


def say_doubts(intervals: Intervals, names: Sequence[str], *, quiet: bool) -> None:
    """Say what intervals cannot be relied on."""
    say_few(intervals.units, quiet=quiet)
    undefined = dict(zip(names, intervals.undefined_classes["iou"].tolist(), strict=True))
    say_undefined(undefined, intervals.resampling.rounds, quiet=quiet)


def say_undefined(undefined: Mapping[str, int], rounds: int, *, quiet: bool) -> None:
    """Say which classes are undefined in some resamples, and in how many."""
    some = [f"{name} ({count})" for name, count in undefined.items() if 0 < count < rounds]
    if some:
        notify(
            f"notice: undefined in some of {rounds} resamples, which the interval leaves out: "
            f"{listed(some, SHOWN)}",
            quiet=quiet,
        )


def say_few(units: Units, *, quiet: bool) -> None:
    """Say if there are too few units to judge chance by."""
    if units.count < FEW:
        notify(
            f"notice: {units.count} {units.kind} only; intervals of less than {FEW} are unreliable",
            quiet=quiet,
        )
