"""The document as a Markdown table."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from segeval.reports.table import SHOWN, TITLES
from segeval.reports.wording import headline, show_bound, title_of, verdict
from segeval.scoring.metrics import METRICS
from segeval.text import show_count, show_interval, show_score


def to_markdown(document: Mapping[str, Any], *, percent: bool = False) -> str:
    """Write one row a class and a row of means, then gates and signature."""
    summary = document["summary"]
    lines = [
        markdown_row("class", "pixels", *(TITLES[name] for name in SHOWN)),
        markdown_row("---", *["---:"] * 5),
        *(
            markdown_row(
                plain(row["name"]),
                show_count(row["support"]),
                *(show_score(row[name], percent=percent) for name in SHOWN),
            )
            for row in document["classes"]
        ),
    ]
    means = (show_score(summary[METRICS[name].mean], percent=percent) for name in SHOWN)
    lines.append(markdown_row("**mean**", "", *(f"**{mean}**" for mean in means)))
    averaged = document["averaged"]
    over = f"Means over {averaged['classes']} of {averaged['of']} classes"
    for what in ("absent", "excluded"):
        if averaged[what]:
            over += f"; {what}: {', '.join(map(plain, averaged[what]))}"
    if document["settings"].get("like"):
        name = headline(document)
        value = show_score(summary[name], percent=percent)
        lines += ["", f"As {document['settings']['like']} reports it: {title_of(name)} {value}."]
    if "intervals" in document:
        lines += ["", *_intervals(document, percent=percent)]
    accuracy = show_score(summary["pixel_accuracy"], percent=percent)
    lines += ["", f"{over}. Pixel accuracy {accuracy}."]
    for gate in document["gates"]:
        value = "undefined" if gate["value"] is None else repr(gate["value"])
        result = verdict(gate) if gate["passed"] else f"**{verdict(gate)}**"
        lines += ["", f"{result}: {plain(gate['metric'])} = {value} ({plain(show_bound(gate))})"]
    lines += ["", code(document["signature"]), ""]
    return "\n".join(lines)


def _intervals(document: Mapping[str, Any], *, percent: bool) -> list[str]:
    """Write the bounds of each class, and of the means."""

    def show(intervals: Mapping[str, Any], names: Iterable[str]) -> list[str]:
        return [show_interval(intervals[name], percent=percent) for name in names]

    resampling = document["resampling"]
    what = f"{resampling['level']:.0%} of {resampling['resamples']} resamples"
    means = show(document["intervals"], (METRICS[name].mean for name in SHOWN))
    return [
        markdown_row(what, *(TITLES[name] for name in SHOWN)),
        markdown_row("---", *["---:"] * 4),
        *(
            markdown_row(plain(row["name"]), *show(row["intervals"], SHOWN))
            for row in document["classes"]
        ),
        markdown_row("**mean**", *(f"**{bounds}**" for bounds in means)),
    ]


def markdown_row(*cells: str) -> str:
    """Write a row of a table; names in it are `plain`."""
    return f"| {' | '.join(cells)} |"


def plain(text: str) -> str:
    r"""Escape what would end a cell or a line, begin HTML, or be marked up.

    >>> print(plain("a <i> *b*"))
    a &lt;i> \*b\*
    """
    escaped = re.sub(r"([\\|*`\[\]])", r"\\\1", text).replace("<", "&lt;")
    return " ".join(escaped.splitlines())


def code(text: str) -> str:
    """Write a text as a span of code, whatever it holds.

    >>> code("a"), code("a`b")
    ('`a`', '`` a`b ``')
    """
    return f"`` {text} ``" if "`" in text else f"`{text}`"
