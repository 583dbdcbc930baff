"""Plots of a run: confusion matrix, scores of classes and of images, curves over thresholds.

Each takes the plain data that the other reports show, and no plot computes a score.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping, Sequence
from itertools import cycle
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from segeval.pictures.caption import image_scores
from segeval.reports.document import make_document
from segeval.reports.plots.edges import (
    boundary_data,
    distance_data,
    draw_boundary,
    draw_distances,
)
from segeval.reports.plots.matrix import draw_matrix
from segeval.reports.plots.style import BLUE, GREY, ORANGE, PURPLE, bare, figure_of, short, style
from segeval.reports.sweep import recall_and_precision
from segeval.reports.wording import foreground_names
from segeval.scoring.metrics import METRICS, shown, title_of
from segeval.scoring.score import Scores
from segeval.text import counted, show_score, show_threshold

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Kind = Literal["confusion", "classes", "images", "curves", "boundary", "distances"]
EDGES: Final = {"boundary": boundary_data, "distances": distance_data}
COLUMN: Final = 50  # classes in one column of bars
POINTS: Final = 1000  # thresholds of a curve that are drawn
LINES: Final = ((BLUE, "-"), (ORANGE, "--"), ("#000000", "-"), (PURPLE, "-."), (GREY, ":"))
"""Curves over thresholds are told apart by colour and by dashes."""


def plot_data(
    scores: Scores, kind: Kind = "confusion", position: int | None = None
) -> dict[str, Any]:
    """Return what a plot of scores shows: their document, with those of the images as ``values``.

    Plots of edges show what the run holds of them, of the class at a position if there is one.
    """
    if kind in EDGES:
        return EDGES[kind](scores, position)
    document = make_document(scores)
    values = next(iter(image_scores(scores, scores.foreground).values()))
    name = next(iter(foreground_names(document)), METRICS["iou"].mean)
    return document | {"values": values.tolist(), "name": title_of(name)}


def draw_plot(kind: Kind, data: Mapping[str, Any]) -> Figure:
    """Draw a plot of a document: a sweep for curves, or else scores as of `plot_data`."""
    with style():
        figure = PLOTS[kind](data)
        _sign(figure, data["signature"])
        return figure


def _sign(figure: Figure, signature: str) -> None:
    lines = textwrap.wrap(signature.replace("|", "| "), int(figure.get_figwidth() * 21))
    text = "\n".join(lines).replace("| ", "|")
    figure.supxlabel(text, fontsize=5, color=GREY, x=0.01, ha="left")


def _classes(document: Mapping[str, Any]) -> Figure:
    """Draw a bar a class, from best to worst, in as many columns as are needed."""
    metric = document.get("metric", "iou")
    rows = sorted(document["classes"], key=lambda row: 1.0 if row[metric] is None else -row[metric])
    columns = -(-len(rows) // COLUMN)
    per_column = -(-len(rows) // columns)
    size = 8 if len(rows) <= COLUMN else 6
    figure = figure_of(5.2 if columns == 1 else 3.1 * columns, 0.9 + per_column * size * 0.021)
    mean = document["summary"][METRICS[metric].mean]
    panels = figure.subplots(1, columns, squeeze=False)[0]
    for number, axes in enumerate(panels):
        _draw_bars(axes, rows[number * per_column : (number + 1) * per_column], metric, size)
        axes.set_ylim(per_column - 0.4, -0.6)
        if mean is not None:
            axes.axvline(mean, color=ORANGE, linewidth=1, linestyle="--", zorder=3)
    label = f"{METRICS[metric].title} (dashed: mean {show_score(mean)})"
    panels[0].set_xlabel(label) if columns == 1 else figure.suptitle(label, fontsize=9)
    return figure


def _draw_bars(axes: Axes, rows: Sequence[Mapping[str, Any]], metric: str, size: float) -> None:
    values = [row[metric] or 0.0 for row in rows]
    box = {"boxstyle": "square,pad=0.05", "color": "white"}
    look: dict[str, Any] = {"fontsize": size * 0.85, "bbox": box}
    axes.barh(range(len(rows)), values, height=0.72, color=BLUE)
    for place, row in enumerate(rows):
        text = show_score(row[metric])
        axes.text(values[place] + 0.012, place, text, va="center", zorder=4, **look)
    axes.set_yticks(range(len(rows)), [short(row["name"], 28) for row in rows], fontsize=size)
    axes.set_xlim(0, 1.14)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "0.25", "0.5", "0.75", "1"], fontsize=size)
    axes.tick_params(axis="y", length=0)
    bare(axes)


def _images(data: Mapping[str, Any]) -> Figure:
    from matplotlib.ticker import MaxNLocator

    values = np.array([value for value in data["values"] if not np.isnan(value)])
    figure = figure_of(4.2, 2.8)
    axes = figure.subplots()
    edges = np.linspace(0, 1, 21 if values.size < 200 else 51).tolist()
    axes.hist(values, bins=edges, color=BLUE, edgecolor="white", linewidth=0.4)
    if values.size:
        _mark(axes, "mean", float(np.mean(values)), "--")
        _mark(axes, "median", float(np.median(values)), ":")
        axes.legend(frameon=False, loc="upper left", fontsize=8)
    undefined = len(data["values"]) - values.size
    left_out = f", undefined in {undefined} more" if undefined else ""
    axes.set(xlim=(0, 1), xlabel=f"{data['name']} of an image", ylabel="images")
    axes.set_title(f"{counted(values.size, 'image')}{left_out}", loc="left")
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    bare(axes)
    return figure


def _mark(axes: Axes, what: str, value: float, dashes: str) -> None:
    label = f"{what} {show_score(value)}"
    axes.axvline(value, color=ORANGE, linestyle=dashes, linewidth=1.2, label=label)


def _curves(document: Mapping[str, Any]) -> Figure:
    figure = figure_of(7.2, 3.1)
    left, right = figure.subplots(1, 2)
    curves, thresholds = document["dataset"], np.array(document["thresholds"])
    some = np.unique(np.linspace(0, thresholds.size - 1, min(POINTS, thresholds.size)).astype(int))
    drawn = [metric.name for metric in shown(METRICS, "classes")]
    lines = {name: np.array(curve, float)[some] for name, curve in curves.items() if name in drawn}
    lines["precision"][np.array(document["predicted"])[some] == 0] = np.nan  # 0 / 0
    if points := recall_and_precision(document)[::-1]:
        recall, precision = zip(*points, strict=True)
        left.step([0, *recall], [precision[0], *precision], where="pre", color=BLUE)
    area = show_score(document["summary"]["average_precision"])
    left.set(xlabel="recall", ylabel="precision", xlim=(0, 1.01), ylim=(0, 1.01))
    left.set_title(f"average precision {area}", loc="left")
    left.set_aspect("equal")
    for (name, line), (color, dashes) in zip(lines.items(), cycle(LINES), strict=False):
        label = METRICS[name].title
        right.plot(thresholds[some], line, dashes, color=color, label=label, lw=1.3)
    best = document["summary"]["best_dice_dataset"]
    if best["value"] is not None:
        right.plot(best["threshold"], best["value"], "o", color="#000000", markersize=4)
        title = f"highest Dice {show_score(best['value'])} at {show_threshold(best['threshold'])}"
        right.set_title(title, loc="left")
    right.set(xlabel="threshold", ylim=(0, 1.01))
    right.margins(x=0)
    right.legend(frameon=False, fontsize=8)
    for axes in (left, right):
        bare(axes)
    return figure


PLOTS: Final[Mapping[str, Callable[[Mapping[str, Any]], Figure]]] = {
    "confusion": draw_matrix,
    "classes": _classes,
    "images": _images,
    "curves": _curves,
    "boundary": draw_boundary,
    "distances": draw_distances,
}  # what draws each kind of plot
