"""Runs against a baseline, as plain data and as CSV; as a table in `segeval.reports.contrast`.

The schema of the document is ``segeval.comparison/1``. Undefined is None.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from string import ascii_uppercase
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from segeval.distances.names import is_higher_better
from segeval.objects.names import TOTALS, summary_names
from segeval.reports.csvstyle import PLAIN, CsvStyle
from segeval.reports.distances import (
    is_share,
    show_change,
    show_distance,
    told_infinite,
    with_infinite,
)
from segeval.reports.document import facts_of, foreground_of
from segeval.reports.markdown import code, markdown_row, plain
from segeval.reports.wording import headline, in_order, means_in, metrics_in
from segeval.scoring.beside import Contrast
from segeval.scoring.compare import Difference, RunComparison, without_rounding
from segeval.scoring.metrics import MEASURED, is_error, metric_of, title_of
from segeval.text import UNDEFINED, defined, show_interval, show_score, visible_in
from segeval.version import __version__

if TYPE_CHECKING:
    import pandas as pd


SCHEMA: Final = "segeval.comparison/1"
LISTED: Final = 10  # images that are named in either direction
FIGURES: Final = ("baseline", "value", "delta", "low", "high", "p")


def make_document(
    comparisons: Sequence[RunComparison],
    names: Sequence[str],
    *,
    settings: Mapping[str, Any] | None = None,
    further: Sequence[Mapping[str, Contrast]] = (),
) -> dict[str, Any]:
    """Lay out comparisons with the first of the names; all but one of them as ``others``."""
    first = comparisons[0]
    parts = [
        {"run": name} | _contrast(comparison)
        for name, comparison in zip(names[1:], comparisons, strict=True)
    ]
    for part, found in zip(parts, further, strict=False):
        part |= {name: _scored(each) for name, each in found.items()}
        if of_objects := part.pop("object_distances", None):
            part["objects"]["distances"] = of_objects
    return {
        "schema": SCHEMA,
        "version": __version__,
        "signature": first.signature,
        "settings": {**(settings or {}), **first.baseline.convention.settings()},
        "resampling": facts_of(first),
        "baseline": names[0],
        **foreground_of(first.scores),
        **parts[0],
        **({"others": parts[1:]} if parts[1:] else {}),
    }


def _contrast(comparison: RunComparison) -> dict[str, Any]:
    names = comparison.scores.labels.names
    classes: list[dict[str, Any]] = [{"index": k, "name": name} for k, name in enumerate(names)]
    for metric, difference in comparison.classes.items():
        corrected = difference.corrected.tolist()
        for row, figures, p in zip(classes, _figures(difference), corrected, strict=True):
            row[metric] = figures | {"p_holm": defined(p)}
    return {
        "summary": {name: _figures(one)[0] for name, one in comparison.means.items()},
        "classes": classes,
        "images": _images(comparison),
    }


def _scored(found: Contrast) -> dict[str, Any]:
    """Lay out differences of scores of objects or distances, as those of classes."""
    classes: list[dict[str, Any]] = [{"name": kind} for kind in found.kinds]
    for name, difference in found.classes.items():
        corrected = difference.corrected.tolist()
        for row, figures, p in zip(classes, _figures(difference), corrected, strict=True):
            row[name] = figures | {"p_holm": defined(p)}
    return {
        "signature": "|".join(found.rules.signature_parts()),
        "summary": {name: _figures(one)[0] for name, one in found.means.items()},
        "classes": classes,
    }


def _figures(difference: Difference) -> list[dict[str, Any]]:
    """Both scores, the difference, its interval and its p-value: of a mean, or of each class."""
    parts = (difference.baseline, difference.value, difference.delta, *difference.bounds)
    columns = [np.atleast_1d(part).tolist() for part in (*parts, difference.p)]
    undefined = np.atleast_1d(difference.undefined).tolist()
    return [
        dict(zip(FIGURES, map(defined, row), strict=True))
        | told_infinite(dict(zip(FIGURES, row, strict=True)))
        | ({"undefined": count} if count else {})
        for *row, count in zip(*columns, undefined, strict=True)
    ]


def _images(comparison: RunComparison) -> dict[str, Any]:
    delta = without_rounding(comparison.images[1] - comparison.images[0])
    rising, falling = np.argsort(-delta, kind="stable"), np.argsort(delta, kind="stable")
    return {
        "metric": comparison.metric,
        "wins": int((delta > 0).sum()),
        "ties": int((delta == 0).sum()),
        "losses": int((delta < 0).sum()),
        "undefined": int(np.isnan(delta).sum()),
        "better": _changed(comparison, rising[: min(LISTED, int((delta > 0).sum()))]),
        "worse": _changed(comparison, falling[: min(LISTED, int((delta < 0).sum()))]),
    }


def _changed(comparison: RunComparison, positions: NDArray[np.intp]) -> list[dict[str, Any]]:
    images = comparison.scores.run.images
    rows = zip(positions.tolist(), comparison.images[:, positions].T.tolist(), strict=True)
    return [
        {"image": images[n].name, "baseline": before, "value": after, "delta": after - before}
        for n, (before, after) in rows
    ]


def runs_of(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return what is said of each run."""
    return [document, *document.get("others", ())]


def further_in(part: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return what is said of a run beside its pixels: objects, and distances of these or of all."""
    objects = [part["objects"]] if "objects" in part else []
    return [*objects, *distances_in(part)]


def to_csv(document: Mapping[str, Any], style: CsvStyle = PLAIN) -> str:
    """Write a row for every score of every run: the means, then each class, with the signature."""
    from segeval.reports.csv import signed_csv

    rows = []
    for part in runs_of(document):
        for scored in (part, *further_in(part)):
            rows += [{"run": part["run"]} | row for row in _csv_rows(scored)]
    return signed_csv(rows, "|".join(reversed(_signatures(document))), style)


def _csv_rows(scored: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a row for every mean, then for every score of every class."""
    for name, row in scored["summary"].items():
        figures = {figure: with_infinite(row)[figure] for figure in FIGURES} | {"p_holm": None}
        yield {"score": name, "class": None} | figures
    for label in scored["classes"]:
        for metric in (key for key in label if key not in {"index", "name"}):
            row = with_infinite(label[metric])
            figures = {figure: row[figure] for figure in (*FIGURES, "p_holm")}
            yield {"score": metric, "class": label["name"]} | figures


def class_frame(document: Mapping[str, Any]) -> pd.DataFrame:
    """Return a row for each class and score of a run, NaN where undefined."""
    import pandas as pd

    rows = [
        {"name": label["name"], "score": metric}
        | {figure: label[metric][figure] for figure in (*FIGURES, "p_holm")}
        for label in document["classes"]
        for metric in label
        if metric not in {"index", "name"}
    ]
    return pd.DataFrame(rows).astype(dict.fromkeys((*FIGURES, "p_holm"), "float64"))


def image_frame(comparison: RunComparison) -> pd.DataFrame:
    """Return a row for each image: its score in both runs, and the difference."""
    import pandas as pd

    return pd.DataFrame(_image_columns(comparison))


def _image_columns(comparison: RunComparison) -> dict[str, Any]:
    images, (before, after) = comparison.scores.run.images, comparison.images
    return {
        "image": [image.name for image in images],
        "group": [image.group for image in images],
        "score": [comparison.metric] * len(images),
        "baseline": before,
        "value": after,
        "delta": after - before,
    }


def images_csv(
    comparisons: Sequence[RunComparison], names: Sequence[str], style: CsvStyle = PLAIN
) -> str:
    """Write a row for every image of every run, with the signature."""
    from segeval.reports.csv import signed_columns

    runs = zip(names[1:], map(_image_columns, comparisons), strict=True)
    parts = [{"run": [name] * len(columns["image"]), **columns} for name, columns in runs]
    columns = {name: [value for part in parts for value in part[name]] for name in parts[0]}
    return signed_columns(columns, comparisons[0].signature, style)


SIGNIFICANT: Final = 0.05  # p-value below which a difference is marked
NAMED: Final = 3  # images that are named in either direction


def rounds_needed(classes: int, rounds: int) -> int | None:
    """Return how many rounds let the corrected p of a class be low, if these never do.

    >>> rounds_needed(19, 1000), rounds_needed(150, 1000)
    (None, 4000)
    """
    if classes / (rounds + 1) < SIGNIFICANT:
        return None
    return int(classes / SIGNIFICANT) // 1000 * 1000 + 1000


MARKS: Final = {True: "▲", False: "▼"}
LEGEND: Final = f"▲ ▼ better, worse than A with p < {SIGNIFICANT}; of a class, corrected by Holm"
HEADINGS: Final = ("", "A", "B", "B - A", "{level:.0%} of resamples", "p", "p (Holm)")


def to_renderable(document: Mapping[str, Any], *, percent: bool = False) -> RenderableType:
    """Build the names of the runs, the table of scores, the images and the signature."""
    document = visible_in(document)
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
    parts += [Text(), *(Text(fact, style="dim", overflow="fold") for fact in _signatures(document))]
    return Group(*parts)


def to_markdown(document: Mapping[str, Any], *, percent: bool = False) -> str:
    """Write the same as Markdown."""
    headings, rows = _table(document, percent=percent)
    lines = [f"* {plain(name)}" for name in _names(document)]
    lines += ["", markdown_row(*headings), markdown_row("---", *["---:"] * (len(headings) - 1))]
    lines += [markdown_row(*map(plain, row)) for row in rows if any(row)]
    lines += ["", *(f"* {plain(line.strip())}" for line in _remarks(document, percent=percent))]
    return "\n".join([*lines, "", *map(code, _signatures(document)), ""])


def _signatures(document: Mapping[str, Any]) -> list[str]:
    """Return what defines the further scores, then the signature of the comparison."""
    found = [each["signature"] for each in further_in(document)]
    return [*dict.fromkeys(found), document["signature"]]


def _letter(number: int) -> str:
    """Name a run by a letter, and those behind Z by two."""
    more, last = divmod(number, len(ascii_uppercase))
    return (ascii_uppercase[more - 1] if more else "") + ascii_uppercase[last]


def _names(document: Mapping[str, Any]) -> list[str]:
    names = [f"{document['baseline']} (baseline)", *(part["run"] for part in runs_of(document))]
    return [f"{_letter(number)}  {name}" for number, name in enumerate(names)]


def _table(
    document: Mapping[str, Any], *, percent: bool
) -> tuple[list[str], list[tuple[str, ...]]]:
    """Return headings and rows: two runs with all figures, more runs with marks."""
    parts = runs_of(document)
    level = document["resampling"]["level"]
    headings = [heading.format(level=level) for heading in HEADINGS]
    if len(parts) > 1:
        headings = ["", *(_letter(number) for number in range(len(parts) + 1))]
    show: Callable[..., Iterator[str]] = _marked if len(parts) > 1 else _plain_figures
    rows: list[tuple[str, ...]] = []
    for name in in_order(document, _shown(document)):
        entries = [_entry(part, name) for part in parts]
        share, low = not is_error(name), {"low": is_error(name)} if len(parts) > 1 else {}
        rows.append((title_of(name), *show(entries, percent=percent and share, **low)))
    rows.append(("",) * len(headings))
    metric = metric_of(headline(document)).name
    for k, label in enumerate(document["classes"]):
        entries = [part["classes"][k][metric] for part in parts]
        rows.append((f"{metric}.{label['name']}", *show(entries, percent=percent)))
    if "objects" in document:
        rows.append(("",) * len(headings))
        scored = [part["objects"]["summary"] for part in parts]
        for name in summary_names(list(scored[0])):
            entries = [summary[name] for summary in scored]
            rows.append((name.upper() if name in TOTALS else name, *show(entries, percent=percent)))
    for found in zip(*map(distances_in, parts), strict=True):
        rows.append(("",) * len(headings))
        rows += _distances([each["summary"] for each in found])
    return headings, rows


def distances_in(part: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return what is said of the distances of a run: those of classes, then those of objects."""
    found = (part.get("distances", {}), part.get("objects", {}).get("distances", {}))
    return [each for each in found if each]


def _distances(parts: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, ...]]:
    """Yield the means of distances: of two runs with all figures, of more runs with marks."""
    for name in parts[0]:
        if len(parts) == 1:
            yield (name, *show_change(name, parts[0][name]))
            continue
        show = show_score if is_share(name) else show_distance
        entries = [with_infinite(part[name]) for part in parts]
        better = [is_higher_better(name) == ((e["delta"] or 0) > 0) for e in entries]
        marks = [MARKS[b] if significant(e) else "" for b, e in zip(better, entries, strict=True)]
        shown = (f"{m} {show(e['value'])}".strip() for m, e in zip(marks, entries, strict=True))
        yield (name, show(entries[0]["baseline"]), *shown)


def significant(entry: Mapping[str, Any]) -> bool:
    """Whether a difference is marked."""
    p = entry.get("p_holm", entry["p"])
    return p is not None and p < SIGNIFICANT


def _entry(part: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return the figures of a mean, or of the score of a class as gates name it."""
    metric, _, label = name.partition(".")
    rows = {row["name"]: row for row in part["classes"]}
    entry: Mapping[str, Any] = rows[label][metric] if label else part["summary"][name]
    return entry


def _shown(document: Mapping[str, Any]) -> list[str]:
    """Name the means of the summary, and those of what was measured but for details of trimaps."""
    means = means_in(document, "summary")
    measured = (m for m in metrics_in(document, "classes", "files") if m.name in MEASURED)
    means += [m.mean for m in measured if m.shown != {"files"} or is_error(m.name)]
    means = list(dict.fromkeys(means))
    worst = [n for n in document["summary"] if "_worst" in n and n.partition("_worst")[0] in means]
    return [*means, *worst]


def _plain_figures(entries: list[Mapping[str, Any]], *, percent: bool) -> Iterator[str]:
    (entry,) = entries
    yield show_score(entry["baseline"], percent=percent)
    yield show_score(entry["value"], percent=percent)
    yield signed(entry["delta"], percent=percent)
    yield show_interval((entry["low"], entry["high"]), percent=percent)
    yield show_score(entry["p"])
    yield show_score(entry["p_holm"]) if "p_holm" in entry else ""


def _marked(entries: list[Mapping[str, Any]], *, percent: bool, low: bool = False) -> Iterator[str]:
    """Yield the scores of each run, those marked that changed; to be low or to be high."""
    yield show_score(entries[0]["baseline"], percent=percent)
    for entry in entries:
        mark = f"{MARKS[(entry['delta'] > 0) != low]} " if significant(entry) else ""
        yield mark + show_score(entry["value"], percent=percent)


def signed(delta: float | None, *, percent: bool) -> str:
    """Show a difference with its sign."""
    if delta is None:
        return UNDEFINED
    return f"{'+' if delta > 0 else ''}{show_score(delta, percent=percent)}"


def _remarks(document: Mapping[str, Any], *, percent: bool) -> Iterator[str]:
    parts = runs_of(document)
    for number, part in enumerate(parts, 1):
        images = part["images"]
        undefined = f", undefined {images['undefined']}" if images["undefined"] else ""
        yield (
            f"{title_of(images['metric'])} of the images, {_letter(number)} against A: "
            f"better {images['wins']}, equal {images['ties']}, worse {images['losses']}{undefined}"
        )
        for way in ("better", "worse") if len(parts) == 1 else ():
            for row in images[way][:NAMED]:
                delta = signed(row["delta"], percent=percent)
                before, after = (
                    show_score(row[side], percent=percent) for side in ("baseline", "value")
                )
                yield f"  {way}  {row['image']}  {before} to {after} ({delta})"
    if len(parts) > 1:
        yield LEGEND
