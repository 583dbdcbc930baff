"""Distances as rows of text for every report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from segeval.scoring.metrics import KNOWN, is_falling
from segeval.text import UNDEFINED, show_count, show_score

Rows = list[tuple[str, ...]]
NUMBERS: Final = ("index", "name", "images", "one_sided", "undefined")  # of a class, beside scores
RATES: Final = {"miss_rate": "missed", "false_alarm_rate": "false alarms"}


def distance_tables(
    document: Mapping[str, Any], *, percent: bool
) -> Iterator[tuple[Sequence[str], Rows]]:
    """Yield headings and rows: the values of the classes, then the means."""
    block = document["distances"]
    means = dict(_flat(block["means"]))
    titles = [KNOWN[name].title for name in means]
    rows: Rows = []
    for row in block["classes"]:
        values = dict(_flat({k: v for k, v in row.items() if k not in {*NUMBERS, *RATES}}))
        numbers = (show_count(row["images"]), show_count(row["one_sided"]))
        scores = (show_distance(name, values[name], percent=percent) for name in means)
        rates = (show_score(row[name], percent=percent) for name in RATES)
        rows.append((row["name"], *numbers, *scores, *rates))
    shown = (show_distance(name, value, percent=percent) for name, value in means.items())
    rows.append(("mean", "", "", *shown, *("" for _ in RATES)))
    unit = {"px": "pixels"}.get(block["unit"], block["unit"])
    yield (f"distances in {unit}", "images", "one side", *titles, *RATES.values()), rows


def _flat(values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield values by the names of scores, those at several tolerances one by one."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from ((f"{name}@{way}", each) for way, each in value.items())
        else:
            yield name, value


def show_distance(name: str, value: float | None, *, percent: bool) -> str:
    """Write a distance with two digits, 0 for exactly 0 only; a share as any score.

    >>> show_distance("hd95", 0.001, percent=True), show_distance("nsd@1", 0.5, percent=True)
    ('0.01', '50.00')
    """
    if value is None:
        return UNDEFINED
    if not is_falling(name):
        return show_score(value, percent=percent)
    return f"{max(0.01, value) if value else 0:.2f}"
