"""Plots of what a run holds of edges: boundary IoU by width, and how far borders are apart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from statistics import fmean
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from segeval.boundaries.scores import BoundaryRules
from segeval.distances.result import find_table, unit_of
from segeval.distances.rules import DistanceRules
from segeval.errors import SettingError
from segeval.reports.document import make_document
from segeval.reports.plots.style import BLUE, GREY, ORANGE, bare, figure_of, short
from segeval.scoring.score import Scores, score_run
from segeval.text import counted, defined, show_count, show_score

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BINS: Final = 60
APART: Final = 0.04  # of names beside curves
MEAN: Final = "mean over classes"
AT_MOST: Final = 12  # classes whose curves are named


def boundary_data(scores: Scores, position: int | None) -> dict[str, Any]:
    """Return the boundary IoU at every width that a run holds, of one class or of all."""
    measured = scores.run.measured.get(BoundaryRules.kind)
    if measured is None:
        raise SettingError(
            "--kind boundary: the run holds no boundary IoU; type segeval score PRED TRUTH "
            "--boundary 0.5%,1%,2%,4% -o RUN, and plot that run"
        )
    rules = BoundaryRules.parse(",".join(measured.facts["definition"]["widths"]))
    how: dict[str, Any] = {"unknown": scores.unknown, "measures": (rules,)}
    document = make_document(score_run(scores.run, scores.labels, scores.convention, **how))
    rows = document["boundary"]
    relative = all(width.relative for width in rules.widths)
    widths = [
        float(width.amount) if relative else float(np.mean(row["pixels"]))
        for width, row in zip(rules.widths, rows, strict=True)
    ]
    chosen = [*range(len(scores.labels.names))] if position is None else [position]
    return {
        "signature": document["signature"],
        "widths": widths,
        "unit": "% of the diagonal" if relative else "pixels",
        "mean": [row["mboundary_iou"] for row in rows],
        "lines": {
            scores.labels.names[k]: [row["classes"][k]["boundary_iou"] for row in rows]
            for k in chosen
        },
    }


def draw_boundary(data: Mapping[str, Any]) -> Figure:
    """Draw boundary IoU against the width of the bands, the mean over classes in black."""
    order = np.argsort(data["widths"])
    widths = np.array(data["widths"])[order]
    figure = figure_of(4.6, 3.1)
    axes = figure.subplots()
    many = len(data["lines"]) > 1
    for line in data["lines"].values():
        values = np.array(line, float)[order]
        axes.plot(widths, values, "o-", color=GREY if many else BLUE, lw=0.8, ms=2.5)
    mean = np.array(data["mean"], float)[order]
    axes.plot(widths, mean, "o--", color="#000000", lw=1.4, ms=3.5)
    named = data["lines"] if len(data["lines"]) <= AT_MOST else {}
    ends = [(short(name, 20), line[order[-1]]) for name, line in named.items()]
    for name, height in _apart([*ends, (MEAN, defined(mean[-1]))]):
        weight = "bold" if name == MEAN else "normal"
        axes.text(widths[-1] * 1.03, height, name, va="center", size=7, weight=weight)
    axes.set(xlabel=f"width of the bands ({data['unit']})", ylabel="boundary IoU", ylim=(0, 1.01))
    axes.set_xlim(left=0)
    bare(axes)
    return figure


def _apart(ends: Iterable[tuple[str, float | None]]) -> list[tuple[str, float]]:
    """Return heights of the names of lines, as near as they can be without any overlap.

    Names that are too near to each other stand around their mean.

    >>> _apart([("a", 0.5), ("b", 0.5), ("c", None), ("d", 0.1)])
    [('d', 0.1), ('a', 0.48), ('b', 0.52)]
    """
    known = sorted((value, name) for name, value in ends if value is not None)
    blocks: list[list[float]] = []  # of names that touch: their heights, if they all were lowered
    for place, (value, _) in enumerate(known):
        blocks.append([value - APART * place])
        while len(blocks) > 1 and fmean(blocks[-2]) > fmean(blocks[-1]):
            blocks[-2:] = [blocks[-2] + blocks[-1]]
    low = [fmean(block) for block in blocks for _ in block]
    most = 1 - APART * (len(known) - 1)
    heights = [min(max(at, 0.0), most) + APART * place for place, at in enumerate(low)]
    return [(name, round(h, 4)) for (_, name), h in zip(known, heights, strict=True)]


def distance_data(scores: Scores, position: int | None) -> dict[str, Any]:
    """Return the distances of the borders of all images, in both directions, and their weights."""
    rules = DistanceRules()
    if rules.measure.kind not in scores.run.measured:
        raise SettingError(
            "--kind distances: the run holds no distances; type segeval score PRED TRUTH "
            "--distances -o RUN, and plot that run"
        )
    table, _ = find_table(scores, rules)
    rows = np.isin(table.kind, range(table.count) if position is None else [position])
    sides = {}
    for name, part in (("truth", table.truth), ("prediction", table.prediction)):
        mine = np.repeat(rows, part.sizes)
        sides[name] = part.distance[mine], part.weight[mine].astype(np.float64)
    return {
        "signature": "|".join((scores.signature, *rules.signature_parts())),
        "name": "all classes" if position is None else scores.labels.names[position],
        "unit": unit_of(table),
        "sides": sides,
        "alone": int((rows & (table.sizes.min(axis=1) == 0)).sum()),
    }


def draw_distances(data: Mapping[str, Any]) -> Figure:
    """Draw how many border pixels are how far from the border of the other side."""
    figure = figure_of(4.6, 3.1)
    axes = figure.subplots()
    most = max((side.max(initial=0) for side, _ in data["sides"].values()), default=0)
    step = max(1, -(-int(most + 1) // BINS))
    edges = (np.arange(0, most + 1 + step, step) - 0.5).tolist()
    looks = {"truth": (BLUE, "-"), "prediction": (ORANGE, "--")}
    total = 0
    for name, (distance, weight) in data["sides"].items():
        color, dashes = looks[name]
        total += int(weight.sum())
        within = weight[distance <= 1].sum() / weight.sum() if weight.size else None
        label = f"from the {name}: {show_score(within)} within 1 {data['unit']}"
        counts, _ = np.histogram(distance, edges, weights=weight)
        axes.stairs(counts, edges, color=color, linestyle=dashes, label=label, linewidth=1.3)
    if total:
        axes.set_yscale("log")
        axes.set_ylim(bottom=0.7)
    unseen = f", {counted(data['alone'], 'case')} of one side only" if data["alone"] else ""
    axes.set_title(
        f"{short(data['name'], 28)}: {show_count(total)} border pixels{unseen}", loc="left"
    )
    axes.set(xlabel=f"distance to the other border ({data['unit']})", ylabel="border pixels")
    axes.legend(frameon=False, fontsize=8)
    bare(axes)
    return figure
