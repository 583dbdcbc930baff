"""The document as a Markdown table."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from segeval.reports.distances import distance_lines, distance_table
from segeval.reports.objects import object_lines, object_tables
from segeval.reports.wording import (
    foreground_names,
    gate_value,
    has_background,
    headline,
    images_in,
    metrics_in,
    show_bound,
    verdict,
    with_foreground,
)
from segeval.scoring.metrics import OVERALL, metric_of, shown, title_of
from segeval.text import show_count, show_interval, show_score, visible


def to_markdown(document: Mapping[str, Any], *, percent: bool = False) -> str:
    """Write one row a class and a row of means, then gates and signature."""
    summary = document["summary"]
    lines = [*_foreground(document, percent=percent), *_classes(document, percent=percent)]
    averaged = document["averaged"]
    with_background = " with background" if has_background(document) else ""
    over = f"Means{with_background} over {averaged['classes']} of {averaged['of']} classes"
    over += f" and {images_in(document, metric_of(headline(document)).mean)}"
    for what in ("absent", "excluded"):
        if averaged[what]:
            over += f"; {what}: {', '.join(map(plain, averaged[what]))}"
    if document["settings"].get("like"):
        name = headline(document)
        value = show_score(summary[name], percent=percent)
        tool, *changed = document["settings"]["like"].split("+")
        says = f"would report it with {' and '.join(changed)}" if changed else "reports it"
        lines += ["", f"As {tool} {says}: {title_of(name)} {value}."]
    if "intervals" in document:
        lines += ["", *_intervals(document, percent=percent)]
    for overall in shown(OVERALL, "brief"):
        value = show_score(summary[overall.name], percent=percent)
        over += f". {overall.title[:1].upper()}{overall.title[1:]} {value}"
    lines += ["", f"{over}."]
    if "objects" in document:
        lines += list(_objects(document, percent=percent))
    if "distances" in document:
        lines += list(_distances(document, percent=percent))
    for gate in document["gates"]:
        value = gate_value(gate)
        result = verdict(gate) if gate["passed"] else f"**{verdict(gate)}**"
        lines += ["", f"{result}: {plain(gate['metric'])} = {value} ({plain(show_bound(gate))})"]
    lines += ["", code(document["signature"]), ""]
    return "\n".join(lines)


def _foreground(document: Mapping[str, Any], *, percent: bool) -> list[str]:
    """Write the scores of the foreground as a line of its own, if there are two classes."""
    scores, names = with_foreground(document)["summary"], foreground_names(document)
    shown = (f"{plain(title_of(n))} **{show_score(scores[n], percent=percent)}**" for n in names)
    return [", ".join(shown), ""] if names else []


def _classes(document: Mapping[str, Any], *, percent: bool) -> list[str]:
    metrics = metrics_in(document, "classes")
    means = (show_score(document["summary"][metric.mean], percent=percent) for metric in metrics)
    return [
        markdown_row("class", "pixels", *(metric.title for metric in metrics)),
        markdown_row("---", "---:", *("---:" for _ in metrics)),
        *(
            markdown_row(
                plain(row["name"]),
                show_count(row["support"]),
                *(show_score(row[metric.name], percent=percent) for metric in metrics),
            )
            for row in document["classes"]
        ),
        markdown_row("**mean**", "", *(f"**{mean}**" for mean in means)),
    ]


def _intervals(document: Mapping[str, Any], *, percent: bool) -> list[str]:
    def show(intervals: Mapping[str, Any], names: Iterable[str]) -> list[str]:
        return [show_interval(intervals[name], percent=percent) for name in names]

    resampling = document["resampling"]
    what = f"{resampling['level']:.0%} of {resampling['resamples']} resamples"
    metrics = metrics_in(document, "classes")
    names = [metric.name for metric in metrics]
    means = show(document["intervals"], (metric.mean for metric in metrics))
    return [
        markdown_row(what, *(metric.title for metric in metrics)),
        markdown_row("---", *("---:" for _ in metrics)),
        *(
            markdown_row(plain(row["name"]), *show(row["intervals"], names))
            for row in document["classes"]
        ),
        markdown_row("**mean**", *(f"**{bounds}**" for bounds in means)),
    ]


def _objects(document: Mapping[str, Any], *, percent: bool) -> Iterator[str]:
    """Write the scores of objects: tables, numbers and rules."""
    for headings, rows in object_tables(document, percent=percent):
        yield from ("", markdown_row(*headings))
        yield markdown_row("---", *("---:" for _ in headings[1:]))
        yield from (markdown_row(*map(plain, row)) for row in rows)
    block = document["objects"]
    for line in object_lines(block, percent=percent):
        yield from ("", plain(line))
    yield from ("", code(block["signature"]))


def _distances(document: Mapping[str, Any], *, percent: bool) -> Iterator[str]:
    """Write the distances: a table, what its means are, and rules."""
    headings, rows = distance_table(document, percent=percent)
    yield from ("", markdown_row(*headings))
    yield markdown_row("---", *("---:" for _ in headings[1:]))
    yield from (markdown_row(*map(plain, row)) for row in rows)
    block = document["distances"]
    for line in distance_lines(block, percent=percent):
        yield from ("", plain(line))
    yield from ("", code(block["signature"]))


def markdown_row(*cells: str) -> str:
    """Write a row of a table; names in it are `plain`."""
    return f"| {' | '.join(cells)} |"


def plain(text: str) -> str:
    r"""Escape what would end a cell or a line, begin HTML, or be marked up.

    >>> print(plain("a <i> *b*"))
    a &lt;i> \*b\*
    """
    return visible(re.sub(r"([\\|*`\[\]])", r"\\\1", text).replace("<", "&lt;"))


def code(text: str) -> str:
    """Write a text as a span of code, whatever it holds.

    >>> code("a"), code("a`b")
    ('`a`', '`` a`b ``')
    """
    text = visible(text)
    return f"`` {text} ``" if "`" in text else f"`{text}`"
