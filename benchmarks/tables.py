"""How measures are laid out: one table a section, processor time before the time by the clock."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, Literal

from rich.console import Console
from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from measuring import Took


def times(values: Sequence[Took], by: Literal["processor", "clock"]) -> list[float]:
    """Return the seconds of each round."""
    return [getattr(value, by) for value in values]


def ratio(values: Sequence[float], base: Sequence[float]) -> float:
    """Return the ratio of two medians."""
    return median(values) / median(base)


def spread(values: Sequence[float], base: Sequence[float]) -> str:
    """Return the range of the ratios of each round."""
    each = sorted(value / unit for value, unit in zip(values, base, strict=True))
    return f"{each[0]:.2f}–{each[-1]:.2f}"


def section(title: str, what: str, *headings: str) -> Table:
    """Return an empty table."""
    table = Table(what, title=escape(title), title_justify="left", title_style="bold")
    for heading in headings:
        table.add_column(heading, justify="right")
    return table


def ratios(title: str, what: str) -> Table:
    """Return an empty table of ratios."""
    return section(title, what, "processor", "each round", "by the clock", "target")


def add_ratio(
    table: Table, what: str, values: Sequence[Took], base: Sequence[Took], target: str = ""
) -> None:
    """Add the ratio of what two things took."""
    used, units = times(values, "processor"), times(base, "processor")
    clock = ratio(times(values, "clock"), times(base, "clock"))
    figure = f"{ratio(used, units):.2f}"
    table.add_row(escape(what), figure, spread(used, units), f"{clock:.2f}", target)


def show(table: Table) -> None:
    """Print a table, not narrower than it can be read."""
    Console(width=max(Console().width, 112)).print(table)


def failed(name: str, error: Exception) -> Table:
    """Return what stands in the place of a section that cannot be measured."""
    table = section(f"{name}: NOT MEASURED", "why")
    table.add_row(escape(f"{type(error).__name__}: {error}"))
    return table
