"""The document as a table on the terminal."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from segeval.metrics import METRICS, OVERALL
from segeval.reports.numbers import show_count, show_score

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import RenderableType

__all__ = ["lay_out", "render"]

SHOWN = ("iou", "dice", "precision", "recall")
TITLES = {"iou": "IoU", "dice": "Dice", "precision": "precision", "recall": "recall"}
MEANS = {"miou": "mIoU", "mdice": "mDice", "pixel_accuracy": "pixel accuracy", "fwiou": "fwIoU"}
POOLED = {
    "dataset": "counts summed over {images} images",
    "image": "mean over classes, then over {images} images",
    "class": "mean over {images} images, then over classes",
    "pair": "mean over all (class, image) values of {images} images",
}


def lay_out(document: Mapping[str, Any], *, percent: bool = False) -> RenderableType:
    """Build the table of the classes, the summary with its definitions, gates and signature."""
    parts: list[RenderableType] = [_class_table(document, percent=percent), Text()]
    parts.append(_summary(document, percent=percent))
    if document["gates"]:
        parts += [Text(), _gate_table(document)]
    parts += [Text(), Text(document["signature"], style="dim", overflow="fold")]
    return Group(*parts)


def render(layout: RenderableType, *, width: int | None, color: bool) -> str:
    """Draw a layout as text; ``width`` None gives it all the room that it wants."""
    buffer = io.StringIO()
    console = Console(
        file=buffer,
        width=width or 10_000,
        force_terminal=color,
        no_color=not color,
        highlight=False,
        legacy_windows=False,
    )
    console.print(layout)
    return "\n".join(line.rstrip() for line in buffer.getvalue().splitlines()) + "\n"


def _class_table(document: Mapping[str, Any], *, percent: bool) -> Table:
    table = Table(
        box=None, pad_edge=False, show_footer=True, header_style="bold", footer_style="bold"
    )
    table.add_column("class", "mean", overflow="fold", min_width=8)
    table.add_column("pixels", "", justify="right", no_wrap=True)
    for name in SHOWN:
        mean = show_score(document["summary"][METRICS[name].mean], percent=percent)
        table.add_column(TITLES[name], mean, justify="right", no_wrap=True)
    left_out = {*document["averaged"]["absent"], *document["averaged"]["excluded"]}
    for row in document["classes"]:
        scores = (show_score(row[name], percent=percent) for name in SHOWN)
        style = "dim" if row["name"] in left_out else ""
        table.add_row(Text(row["name"]), show_count(row["support"]), *scores, style=style)
    return table


def _summary(document: Mapping[str, Any], *, percent: bool) -> Table:
    """Each headline number, with what it means beside it."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(style="bold", justify="right", no_wrap=True)
    grid.add_column(overflow="fold")
    summary, averaged = document["summary"], document["averaged"]
    pooling = document["settings"].get("pooling", "dataset")
    over = f"over {averaged['classes']} of {averaged['of']} classes"
    pooled = POOLED[pooling].format(images=document["images"]["scored"])
    for metric in METRICS.values():
        if metric.mean in MEANS:
            meaning = f"mean of {metric.formula} {over}; {pooled}"
            grid.add_row(
                MEANS[metric.mean], show_score(summary[metric.mean], percent=percent), meaning
            )
        for name in (n for n in summary if n.startswith(f"{metric.mean}_worst")):
            meaning = f"mean of the lowest {name.partition('_worst')[2]} % instead"
            grid.add_row(name, show_score(summary[name], percent=percent), meaning)
    for overall in OVERALL.values():
        if overall.name in MEANS:
            score = show_score(summary[overall.name], percent=percent)
            grid.add_row(MEANS[overall.name], score, overall.formula)
    for what in ("absent", "excluded"):
        if averaged[what]:
            grid.add_row(
                what, str(len(averaged[what])), f"not in the means: {', '.join(averaged[what])}"
            )
    pixels = document["pixels"]
    grid.add_row(
        "pixels",
        show_count(pixels["judged"]),
        f"judged, {show_count(pixels['ignored'])} ignored"
        + (f", {show_count(pixels['unknown'])} predicted as no class" if pixels["unknown"] else ""),
    )
    return grid


def _gate_table(document: Mapping[str, Any]) -> Table:
    table = Table.grid(padding=(0, 2))
    for gate in document["gates"]:
        style = "green" if gate["passed"] else "red"
        verdict = Text("passed" if gate["passed"] else "failed", style=style)
        value = "undefined" if gate["value"] is None else repr(gate["value"])
        table.add_row(verdict, gate["metric"], f"{value} (at least {gate['minimum']!r})")
    return table
