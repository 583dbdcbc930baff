"""The document as a table on the terminal."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from segeval.reports.distances import distance_lines, distance_table
from segeval.reports.objects import object_lines, object_tables
from segeval.reports.wording import (
    gate_value,
    headlines,
    in_order,
    means_in,
    metrics_in,
    note_on_absent,
    pooling_of,
    show_bound,
    spread_name,
    verdict,
    with_foreground,
)
from segeval.scoring.metrics import title_of
from segeval.text import counted, show_count, show_interval, show_score, visible_in

NARROWEST, WITH_INTERVALS = 60, 84  # columns of a terminal, below which text would be cut off


def to_renderable(document: Mapping[str, Any], *, percent: bool = False) -> RenderableType:
    """Build the table of the classes, the summary with its definitions, gates and signature."""
    document = visible_in(with_foreground(document))
    parts: list[RenderableType] = [_class_table(document, percent=percent), Text()]
    parts.append(_summary(document, percent=percent))
    if "intervals" in document:
        parts += [Text(), _interval_table(document, percent=percent)]
    if "objects" in document:
        parts += [Text(), object_table(document, percent=percent)]
    if "distances" in document:
        parts += [Text(), distances_table(document, percent=percent)]
    if "groups" in document:
        parts += [Text(), _group_table(document, percent=percent)]
    if document["gates"]:
        parts += [Text(), gate_table(document)]
    parts += [Text(), Text(document["signature"], style="dim", overflow="fold")]
    return Group(*parts)


def render(
    layout: RenderableType, *, width: int | None, color: bool, narrowest: int = NARROWEST
) -> str:
    """Draw a layout as text; ``width`` None gives it all the room that it wants."""
    buffer = io.StringIO()
    console = Console(
        file=buffer,
        width=max(width, narrowest) if width else 10_000,
        force_terminal=color,
        no_color=not color,
        highlight=False,
        markup=False,
        emoji=False,
        legacy_windows=False,
    )
    console.print(layout)
    return "\n".join(line.rstrip() for line in buffer.getvalue().splitlines()) + "\n"


def _footed_table(document: Mapping[str, Any], heading: str) -> Table:
    """Return a table with the names of the classes as its first column, and a last row."""
    table = Table(
        box=None, pad_edge=False, show_footer=True, header_style="bold", footer_style="bold"
    )
    footer = "together" if "sum classes" in pooling_of(document).steps else "mean"
    table.add_column(heading, footer, overflow="fold", min_width=8)
    return table


def _class_table(document: Mapping[str, Any], *, percent: bool) -> Table:
    table = _footed_table(document, "class")
    table.add_column("pixels", "", justify="right", no_wrap=True)
    metrics = metrics_in(document, "classes")
    for metric in metrics:
        mean = show_score(document["summary"][metric.mean], percent=percent)
        table.add_column(metric.title, mean, justify="right", no_wrap=True)
    left_out = {*document["averaged"]["absent"], *document["averaged"]["excluded"]}
    for row in document["classes"]:
        scores = (show_score(row[metric.name], percent=percent) for metric in metrics)
        style = "dim" if row["name"] in left_out else ""
        table.add_row(Text(row["name"]), show_count(row["support"]), *scores, style=style)
    return table


def _interval_table(document: Mapping[str, Any], *, percent: bool) -> Table:
    table = _footed_table(document, f"{document['resampling']['level']:.0%} of resamples")
    metrics = metrics_in(document, "classes")
    for metric in metrics:
        mean = show_interval(document["intervals"][metric.mean], percent=percent)
        table.add_column(metric.title, mean, justify="right", no_wrap=True)
    for row in document["classes"]:
        bounds = (row["intervals"][metric.name] for metric in metrics)
        table.add_row(Text(row["name"]), *(show_interval(b, percent=percent) for b in bounds))
    return table


def _summary(document: Mapping[str, Any], *, percent: bool) -> Table:
    """Each headline number, with what it means beside it, and what was left out."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(style="bold", justify="right", no_wrap=True)
    grid.add_column(overflow="fold")
    for title, name, meaning in headlines(document):
        value = show_score(document["summary"][name], percent=percent)
        if "intervals" in document:
            bounds = show_interval(document["intervals"][name], percent=percent)
            grid.add_row(title, value, f"{bounds}  {meaning}")
        else:
            grid.add_row(title, value, meaning)
    for what in ("absent", "excluded"):
        names = document["averaged"][what]
        if names:
            meaning = note_on_absent(document) if what == "absent" else "not in the means"
            grid.add_row(what, str(len(names)), f"{meaning}: {', '.join(names)}")
    first = spread_name(document)
    spread = document["spread"][first]
    if spread["images"] > 1:
        deviation, *quartiles = (
            show_score(value, percent=percent) for value in (spread["std"], *spread["quartiles"])
        )
        of = f"{title_of(first)} of {counted(spread['images'], 'image')}"
        meaning = f"standard deviation of {of}; quartiles "
        grid.add_row("spread", deviation, meaning + ", ".join(quartiles))
    pixels = document["pixels"]
    others = f"judged, {show_count(pixels['ignored'])} ignored"
    if pixels["unknown"]:
        others += f", {show_count(pixels['unknown'])} predicted as no class"
    grid.add_row("pixels", show_count(pixels["judged"]), others)
    return grid


def _group_table(document: Mapping[str, Any], *, percent: bool) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("group", overflow="fold", min_width=8)
    table.add_column("images", justify="right", no_wrap=True)
    names = in_order(document, means_in(document, "summary"))
    for name in names:
        title = title_of(name).replace(" of ", " of\n", 1)
        table.add_column(title, justify="right", no_wrap=True)
    for group in document["groups"]:
        scores = (show_score(group["summary"][name], percent=percent) for name in names)
        images, entered = group["images"], group["averaged"]["images"]
        part = "" if entered == images else f"{show_count(entered)} of "
        table.add_row(Text(group["name"]), part + show_count(images), *scores)
    return table


def object_table(document: Mapping[str, Any], *, percent: bool) -> RenderableType:
    """Show the scores of objects at each threshold, by class and size, then all numbers."""
    parts: list[RenderableType] = []
    for headings, rows in object_tables(document, percent=percent):
        table = Table(box=None, pad_edge=False, header_style="bold")
        for number, heading in enumerate(headings):
            right: dict[str, Any] = {"justify": "right", "no_wrap": True} if number else {}
            table.add_column(heading, min_width=0 if number else 8, **right)
        for row in rows:
            table.add_row(*map(Text, row))
        parts += [table, Text()]
    block = document["objects"]
    lines = (*object_lines(block, percent=percent), block["signature"])
    return Group(*parts[:-1], *(Text(line, overflow="fold") for line in lines))


def distances_table(document: Mapping[str, Any], *, percent: bool) -> RenderableType:
    """Build the table of distances, with what its means are and the rules below."""
    headings, rows = distance_table(document, percent=percent)
    table = Table(box=None, pad_edge=False, header_style="bold", show_footer=True)
    for number, (heading, foot) in enumerate(zip(headings, rows[-1], strict=True)):
        right: dict[str, Any] = {"justify": "right", "no_wrap": True} if number else {}
        table.add_column(heading, Text(foot, style="bold"), min_width=0 if number else 8, **right)
    for row in rows[:-1]:
        table.add_row(*map(Text, row))
    block = document["distances"]
    lines = (*distance_lines(block, percent=percent), block["signature"])
    return Group(table, Text(), *(Text(line, overflow="fold") for line in lines))


def gate_table(document: Mapping[str, Any]) -> Table:
    """Say of every gate whether it passed, the value, and what is asked for."""
    table = Table.grid(padding=(0, 2))
    for gate in document["gates"]:
        style = "green" if gate["passed"] else "red"
        value = gate_value(gate)
        table.add_row(
            Text(verdict(gate), style=style), gate["metric"], f"{value} ({show_bound(gate)})"
        )
    return table
