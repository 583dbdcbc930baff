"""The page of a comparison: a verdict in words, bars of differences, and what changed most."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import zip_longest
from pathlib import Path
from typing import Any, Final

from segeval.distances.result import score_distances
from segeval.distances.rules import DistanceRules
from segeval.pictures.caption import Caption
from segeval.pictures.thumbnails import Album, draw_album
from segeval.reports.compare import SIGNIFICANT, distances_in, runs_of
from segeval.reports.distances import compared_distances
from segeval.reports.html.differences import lay_out_differences
from segeval.reports.html.findings import EACH, album_of
from segeval.reports.html.page import LADDER, LARGEST, Limits, write_page
from segeval.reports.html.verdict import judge
from segeval.reports.wording import metrics_in
from segeval.scoring.beside import Contrast
from segeval.scoring.compare import RunComparison
from segeval.scoring.metrics import Metric, metric_of
from segeval.text import unbroken_count

WAYS: Final = ("better", "worse")  # of the images that are shown


def make_page(
    comparisons: Sequence[RunComparison],
    document: Mapping[str, Any],
    photographs: Mapping[str, Path],
    further: Sequence[Mapping[str, Contrast]] = (),
    *,
    percent: bool = False,
    largest: int = LARGEST,
) -> str:
    """Write a document of schema ``segeval.comparison/1`` and its pictures as one page."""
    parts = [
        {
            **part,
            "verdict": judge(comparison, document, part, percent=percent),
            "albums": _albums(comparison, part, photographs, beside or {}, percent=percent),
        }
        for comparison, part, beside in zip_longest(comparisons, runs_of(document), further)
    ]
    level = document["resampling"]["level"]
    for part in parts:
        part["distance_tables"] = [compared_distances(each, level) for each in distances_in(part)]
    first = metric_of(comparisons[0].scores.convention.headline)
    metrics = list(dict.fromkeys([first, *metrics_in(document, "breakdown")]))
    stated = {"document": document, "significant": SIGNIFICANT, "percent": percent}
    content = partial(_content, stated, parts, metrics)
    return write_page("comparison.html", content, percent=percent, largest=largest)


def _albums(
    comparison: RunComparison,
    part: Mapping[str, Any],
    photographs: Mapping[str, Path],
    further: Mapping[str, Contrast],
    *,
    percent: bool,
) -> tuple[Album, Album]:
    """Return the images that changed most, of the baseline and of the run, with equal legends."""
    sides = comparison.baseline, comparison.scores
    place = {image.name: number for number, image in enumerate(comparison.scores.run.images)}
    chosen = {way: [place[row["image"]] for row in part["images"][way][:EACH]] for way in WAYS}
    position = comparison.scores.labels.foreground
    rules = further["distances"].rules if "distances" in further else None
    far = [score_distances(s, rules) if isinstance(rules, DistanceRules) else None for s in sides]
    albums = [
        album_of(side, chosen, photographs, distances, position=position, percent=percent)
        for side, distances in zip(sides, far, strict=True)
    ]
    pairs = {
        way: [_alike(*cards) for cards in zip(*(a.sections[way] for a in albums), strict=True)]
        for way in WAYS
    }
    before, after = (
        replace(album, sections={way: [pair[k] for pair in pairs[way]] for way in WAYS})
        for k, album in enumerate(albums)
    )
    return before, after


def _alike(before: Caption, after: Caption) -> tuple[Caption, Caption]:
    """Give two captions the same rows of the legend; of all classes, what changed most first."""
    counts = [{row[:2]: row[2] for row in card.legend} for card in (before, after)]
    rows = list(dict.fromkeys([*counts[0], *counts[1]]))
    if not before.subject:
        rows.sort(key=lambda row: -abs(counts[1].get(row, 0) - counts[0].get(row, 0)))
    return (
        replace(before, legend=tuple((*row, counts[0].get(row, 0)) for row in rows)),
        replace(after, legend=tuple((*row, counts[1].get(row, 0)) for row in rows)),
    )


def _content(
    stated: Mapping[str, Any],
    parts: Sequence[Mapping[str, Any]],
    metrics: Sequence[Metric],
    limits: Limits,
) -> dict[str, Any]:
    drawn = [_drawn(part, metrics, limits) for part in parts]
    readable = [number for number, part in enumerate(drawn, 1) if part["readable"]]
    return {
        **stated,
        "parts": drawn,
        "first_drawn": next(iter(readable), None),
        "cuts": list(_cuts(drawn, limits)),
    }


def _drawn(part: Mapping[str, Any], metrics: Sequence[Metric], limits: Limits) -> dict[str, Any]:
    """Lay out the charts of a run, and draw its pictures."""
    sections = _sections(part, limits)
    pictures = [
        picture for section in sections for row in section["changes"] for picture in row[1:]
    ]
    charts = [(m, lay_out_differences(part["classes"], m.name, limits.rows)) for m in metrics]
    readable = any(picture["layers"] for picture in pictures)
    return {**part, "charts": charts, "sections": sections, "readable": readable}


def _sections(part: Mapping[str, Any], limits: Limits) -> list[dict[str, Any]]:
    """Draw what changed most: for each way, rows of the document with a picture of either run."""
    sides = [draw_album(album, width=limits.width, each=limits.each) for album in part["albums"]]
    return [
        {
            "way": before["title"],
            "changes": list(
                zip(
                    part["images"][before["title"]],
                    before["pictures"],
                    after["pictures"],
                    strict=False,
                )
            ),
        }
        for before, after in zip(*sides, strict=True)
    ]


def _cuts(parts: Sequence[Mapping[str, Any]], limits: Limits) -> Iterator[str]:
    chart = parts[0]["charts"][0][1]
    if len(chart["rows"]) < chart["of"]:
        yield (
            f"the {unbroken_count(len(chart['rows']))} classes that changed most are listed, of "
            f"{unbroken_count(chart['of'])}"
        )
    pictures = any(part["sections"] for part in parts)
    if pictures and (limits.width, limits.each) < (LADDER[0].width, LADDER[0].each):
        yield f"pictures are at most {limits.width} pixels wide, {limits.each} of a kind"
