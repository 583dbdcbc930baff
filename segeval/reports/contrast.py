"""A document of schema ``segeval.comparison/1`` as rows of text: for the terminal, and Markdown."""

from __future__ import annotations

from string import ascii_uppercase
from typing import TYPE_CHECKING, Any, Final

from rich.console import Group
from rich.table import Table
from rich.text import Text

from segeval.reports.comparison import parts_of
from segeval.reports.markdown import code, markdown_row, plain
from segeval.reports.wording import MEANS, title_of
from segeval.scoring.metrics import METRICS
from segeval.text import UNDEFINED, show_interval, show_score

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rich.console import RenderableType

__all__ = ["SIGNIFICANT", "lay_out", "signed", "to_markdown"]

SIGNIFICANT: Final = 0.05
"""p-value below which a difference is marked."""

LISTED: Final = 3
"""Images that are named in either direction."""

MARKS: Final = {True: "▲", False: "▼"}
LEGEND: Final = f"▲ ▼ better, worse than A with p < {SIGNIFICANT}; of a class, corrected by Holm"
HEADINGS: Final = ("", "A", "B", "B - A", "{level:.0%} of resamples", "p", "p (Holm)")


def lay_out(document: Mapping[str, Any], *, percent: bool = False) -> RenderableType:
    """Build the names of the runs, the table of scores, the images and the signature."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    headings, rows = _table(document, percent=percent)
    for number, heading in enumerate(headings):
        table.add_column(
            heading,
            justify="right" if number else "left",
            no_wrap=bool(number),
            overflow="fold",
            min_width=0 if number else 8,
        )
    for row in rows:
        table.add_row(*map(Text, row))
    parts: list[RenderableType] = [Text("\n".join(_names(document)), overflow="fold"), Text()]
    parts += [table, Text()]
    parts += [Text(line, overflow="fold") for line in _remarks(document, percent=percent)]
    return Group(*parts, Text(), Text(document["signature"], style="dim", overflow="fold"))


def to_markdown(document: Mapping[str, Any], *, percent: bool = False) -> str:
    """Write the same as Markdown."""
    headings, rows = _table(document, percent=percent)
    lines = [f"* {plain(name)}" for name in _names(document)]
    lines += ["", markdown_row(*headings), markdown_row("---", *["---:"] * (len(headings) - 1))]
    lines += [markdown_row(*map(plain, row)) for row in rows if any(row)]
    lines += ["", *(f"* {plain(line.strip())}" for line in _remarks(document, percent=percent))]
    return "\n".join([*lines, "", code(document["signature"]), ""])


def _letter(number: int) -> str:
    """Name a run by a letter, and those behind Z by two."""
    more, last = divmod(number, len(ascii_uppercase))
    return (ascii_uppercase[more - 1] if more else "") + ascii_uppercase[last]


def _names(document: Mapping[str, Any]) -> list[str]:
    """Say which run is called by which letter."""
    names = [f"{document['baseline']} (baseline)", *(part["run"] for part in parts_of(document))]
    return [f"{_letter(number)}  {name}" for number, name in enumerate(names)]


def _table(
    document: Mapping[str, Any], *, percent: bool
) -> tuple[list[str], list[tuple[str, ...]]]:
    """Return headings and rows: two runs with all figures, more runs with marks."""
    parts = parts_of(document)
    level = document["resampling"]["level"]
    headings = [heading.format(level=level) for heading in HEADINGS]
    if len(parts) > 1:
        headings = ["", *(_letter(number) for number in range(len(parts) + 1))]
    show = _marked if len(parts) > 1 else _figures
    rows: list[tuple[str, ...]] = []
    for name in _shown(document):
        entries = [part["summary"][name] for part in parts]
        rows.append((title_of(name), *show(entries, percent=percent)))
    rows.append(("",) * len(headings))
    metric = _metric(document)
    for k, label in enumerate(document["classes"]):
        entries = [part["classes"][k][metric] for part in parts]
        rows.append((f"{metric}.{label['name']}", *show(entries, percent=percent)))
    return headings, rows


def _shown(document: Mapping[str, Any]) -> list[str]:
    """Return the names of the means that are shown, the headline first."""
    headline = document["settings"].get("headline", "miou")
    worst = [name for name in document["summary"] if "_worst" in name]
    shown = [name for name in worst if name.partition("_")[0] in MEANS]
    return list(dict.fromkeys((headline, *MEANS, *shown)))


def _metric(document: Mapping[str, Any]) -> str:
    """Return the score of the classes whose mean is the headline."""
    headline = document["settings"].get("headline", "miou").partition("_")[0]
    return next((metric.name for metric in METRICS.values() if metric.mean == headline), "iou")


def _figures(entries: list[Mapping[str, Any]], *, percent: bool) -> Iterator[str]:
    """Show a score of both runs, the difference, its interval and p-values."""
    (entry,) = entries
    yield show_score(entry["baseline"], percent=percent)
    yield show_score(entry["value"], percent=percent)
    yield signed(entry["delta"], percent=percent)
    yield show_interval((entry["low"], entry["high"]), percent=percent)
    yield show_score(entry["p"])
    yield show_score(entry["p_holm"]) if "p_holm" in entry else ""


def _marked(entries: list[Mapping[str, Any]], *, percent: bool) -> Iterator[str]:
    """Show a score of all runs, with a mark where it differs from the baseline."""
    yield show_score(entries[0]["baseline"], percent=percent)
    for entry in entries:
        p = entry.get("p_holm", entry["p"])
        mark = f"{MARKS[entry['delta'] > 0]} " if p is not None and p < SIGNIFICANT else ""
        yield mark + show_score(entry["value"], percent=percent)


def signed(delta: float | None, *, percent: bool) -> str:
    """Show a difference with its sign."""
    if delta is None:
        return UNDEFINED
    return f"{'+' if delta > 0 else ''}{show_score(delta, percent=percent)}"


def _remarks(document: Mapping[str, Any], *, percent: bool) -> Iterator[str]:
    """Say how the images fare, which changed most, and what the marks mean."""
    parts = parts_of(document)
    for number, part in enumerate(parts, 1):
        images = part["images"]
        undefined = f", undefined {images['undefined']}" if images["undefined"] else ""
        yield (
            f"{title_of(images['metric'])} of the images, {_letter(number)} against A: "
            f"better {images['wins']}, equal {images['ties']}, worse {images['losses']}{undefined}"
        )
        for way in ("better", "worse") if len(parts) == 1 else ():
            for row in images[way][:LISTED]:
                delta = signed(row["delta"], percent=percent)
                before, after = (
                    show_score(row[side], percent=percent) for side in ("baseline", "value")
                )
                yield f"  {way}  {row['image']}  {before} to {after} ({delta})"
    if len(parts) > 1:
        yield LEGEND
