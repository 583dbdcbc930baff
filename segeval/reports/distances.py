"""Distances as rows of text for every report."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from segeval.distances.names import is_higher_better
from segeval.text import UNDEFINED, counted, show_count, show_interval, show_score

Rows = list[tuple[str, ...]]
RATES: Final = {"miss_rate": "missed", "false_alarm_rate": "false alarms"}
FACTS: Final = {"name", "images", "one_sided", "missed", "false_alarms", "undefined", "infinite"}
BESIDE: Final = FACTS | {"intervals", "means", *RATES}


def flat_scores(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the scores of a row of the document by their names in gates.

    >>> flat_scores({"name": "liver", "hd": None, "nsd": {"1": 0.5}, "infinite": ["hd"]})
    {'hd': inf, 'nsd@1': 0.5}
    """
    found: dict[str, Any] = {}
    for name, value in row.items():
        if name in BESIDE:
            continue
        if isinstance(value, Mapping):
            found |= {f"{name}@{level}": each for level, each in value.items()}
        else:
            found[name] = value
    return found | dict.fromkeys(row.get("infinite", ()), math.inf)


def flat_bounds(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the bounds of the scores of a row of the document, if there are intervals.

    >>> flat_bounds({"intervals": {"hd": [1.0, 2.0]}})
    {'hd_low': 1.0, 'hd_high': 2.0}
    """
    bounds = flat_scores(row.get("intervals", {}))
    ends = [(name, dict(zip(("low", "high"), pair, strict=True))) for name, pair in bounds.items()]
    return {f"{name}_{end}": bound for name, pair in ends for end, bound in pair.items()}


def object_scores(
    block: Mapping[str, Any], flat: Callable[[Mapping[str, Any]], dict[str, Any]] = flat_scores
) -> dict[str, Any]:
    """Return the distances of objects, or their bounds, by their names, as ``object_hd95``."""
    parts = (("object", block["means"]), ("matched", block["matches"]))
    return {f"{begin}_{name}": value for begin, part in parts for name, value in flat(part).items()}


def told_infinite(figures: Mapping[str, float]) -> dict[str, dict[str, str]]:
    """Return which figures are infinite, as a document tells beside those that are undefined.

    >>> told_infinite({"value": 2.0, "delta": -math.inf})
    {'infinite': {'delta': '-inf'}}
    """
    found = {name: str(value) for name, value in figures.items() if math.isinf(value)}
    return {"infinite": found} if found else {}


def with_infinite(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row of figures with those of which it tells that they are infinite."""
    return {**row, **{name: float(text) for name, text in row.get("infinite", {}).items()}}


def show_distance(value: float | None) -> str:
    """Write a distance with two decimals.

    >>> show_distance(3.14159), show_distance(None), show_distance(-math.inf)
    ('3.14', '–', '-∞')
    """
    if value is None:
        return UNDEFINED
    return f"{value:,.2f}".replace("inf", "∞")


def distance_table(document: Mapping[str, Any], *, percent: bool) -> tuple[Sequence[str], Rows]:
    """Return headings and rows: every class, then the mean, with the images of one side."""
    block = document["distances"]
    scores = [*flat_scores(block["means"])]
    rows = [
        (
            row["name"],
            *_cells(row, scores, percent=percent),
            show_count(row["images"]),
            show_count(row["missed"]),
            show_count(row["false_alarms"]),
        )
        for row in block["classes"]
    ]
    sums = [sum(row[name] for row in block["classes"]) for name in ("missed", "false_alarms")]
    cells = _cells(block["means"], scores, percent=percent)
    rows.append(("mean", *cells, "", *map(show_count, sums)))
    headings = (
        f"distances ({block['unit']})",
        *(score_title(name, block["unit"]) for name in scores),
        "images",
        "missed",
        "false alarms",
    )
    return headings, rows


def object_distance_table(block: Mapping[str, Any], *, percent: bool) -> tuple[Sequence[str], Rows]:
    """Return headings and rows: objects of every class, all of them, and the matches alone."""
    scores = [*flat_scores(block["means"])]
    parts = [*block.get("classes", ()), {**block, "name": "all objects"}]
    rows = [
        (
            part["name"],
            *_cells(part["means"], scores, percent=percent),
            *(show_count(part[name]) for name in ("matched", "missed", "false")),
        )
        for part in parts
    ]
    cells = _cells(block["matches"], scores, percent=percent)
    rows.append(("matches alone", *cells, show_count(block["matched"]), "", ""))
    headings = (
        f"distances of objects ({block['unit']})",
        *(score_title(name, block["unit"]) for name in scores),
        "matched",
        "missed",
        "false",
    )
    return headings, rows


def score_title(name: str, unit: str) -> str:
    """Return a score as the heading of a column."""
    score, at, level = name.partition("@")
    return f"{score.upper()}{f' {level} {unit}' if at else ''}"


def _cells(row: Mapping[str, Any], scores: Sequence[str], *, percent: bool) -> Iterator[str]:
    flat = flat_scores(row)
    for name in scores:
        share = name.startswith("nsd")
        yield show_score(flat[name], percent=percent) if share else show_distance(flat[name])


def distance_lines(block: Mapping[str, Any], *, percent: bool) -> Iterator[str]:
    """Yield what the means are of, the intervals, and the cases of one side."""
    yield f"means over {block['definition']['means']}"
    yield from interval_lines(block["means"], percent=percent)
    lone = sum(row["one_sided"] for row in block["classes"])
    if lone:
        rates = (
            f"{said} {show_score(block['means'][name], percent=percent)}"
            for name, said in RATES.items()
        )
        yield f"{counted(lone, 'case')} with the class on one side only: {', '.join(rates)}"


def interval_lines(means: Mapping[str, Any], *, percent: bool, begin: str = "") -> Iterator[str]:
    """Yield the intervals of means, if there are some, by their names in gates."""
    endless = means.get("infinite", ())
    shown = (
        f"{begin}{name} {_bounds(name, bounds, endless=name in endless, percent=percent)}"
        for name, bounds in flat_scores(means.get("intervals", {})).items()
    )
    if line := ", ".join(shown):
        yield line


def compared_distances(part: Mapping[str, Any], level: float) -> tuple[Sequence[str], Rows]:
    """Return headings and rows of two runs: every mean, then every score of every class."""
    headings = ("distances", "A", "B", "B - A", f"{level:.0%} of resamples", "p", "p (Holm)")
    rows: Rows = [(name, *show_change(name, row)) for name, row in part["summary"].items()]
    for label in part["classes"]:
        rows += [
            (f"{score}.{label['name']}", *show_change(score, row))
            for score, row in label.items()
            if score != "name"
        ]
    return headings, rows


def show_change(name: str, row: Mapping[str, Any]) -> Iterator[str]:
    """Yield both values, the difference with its sign, the interval, and p-values."""
    show = show_score if is_share(name) else show_distance
    row = with_infinite(row)
    yield show(row["baseline"])
    yield show(row["value"])
    delta = row["delta"]
    yield f"{'+' if delta is not None and delta > 0 else ''}{show(delta)}"
    yield f"{show(row['low'])} … {show(row['high'])}"
    yield show_score(row["p"])
    yield show_score(row["p_holm"]) if "p_holm" in row else ""


def is_share(name: str) -> bool:
    """Whether a score is a fraction, no distance."""
    return is_higher_better(name) or name in RATES


def _bounds(name: str, bounds: Sequence[float | None], *, endless: bool, percent: bool) -> str:
    if is_share(name):
        return show_interval(bounds, percent=percent)
    endless = endless or bounds[0] is not None  # behind a number, what is none is infinite
    ends = (math.inf if bound is None and endless else bound for bound in bounds)
    return " … ".join(map(show_distance, ends))
