"""The confusion matrix as a plot: the share of each true class that is predicted as each class.

Few classes have shares in the cells; many are a map, with the largest confusions beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from segeval.reports.html.matrix import list_confusions, with_unknown
from segeval.reports.plots.style import GREY, figure_of, short
from segeval.reports.wording import matrix_of
from segeval.scoring.metrics import ratio
from segeval.text import show_percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


WRITTEN: Final = 24  # up to so many classes, shares are written into the cells
LISTED: Final = 60  # largest confusions that are listed beside a large matrix
SHARE: Final = "share of the true class"
NO_ROW: Final = "#e6e6e6"  # rows of classes that the truth does not hold


def draw_matrix(document: Mapping[str, Any]) -> Figure:
    """Draw the matrix of a document: rows truth, columns prediction, a last one for no class."""
    confusion = matrix_of(document)
    names, (counts, across) = confusion["labels"], with_unknown(confusion)
    shares = ratio(counts, counts.sum(axis=1, keepdims=True))
    large = len(names) > WRITTEN
    cell = 0.085 if large else 0.33 if len(names) > 8 else 0.5
    size = 4.5 if large else 7 if len(names) > 8 else 9
    side = max(2.2, cell * len(names))
    margin = 0.9 + 0.075 * size / 9 * max(min(len(name), 24) for name in names)
    figure = figure_of(side + margin + (3.4 if large else 0.9), side + margin)
    axes = figure.subplots(1, 2, width_ratios=(side, 2.6)) if large else [figure.subplots()]
    _draw_cells(figure, axes[0], shares, size)
    turned = 0 if max(map(len, across)) * size * 0.65 < cell * 72 else 90
    axes[0].set_xticks(np.arange(len(across)), [short(n, 24) for n in across], rotation=turned)
    axes[0].set_yticks(np.arange(len(names)), [short(name, 24) for name in names])
    axes[0].tick_params(length=0, labelsize=size, pad=2)
    axes[0].set(xlabel="prediction", ylabel="truth")
    if large:
        _list_confusions(axes[1], confusion, min(LISTED, int(side * 72 / (9 * 1.5)) - 4))
    return figure


def _draw_cells(figure: Figure, axes: Axes, shares: NDArray[np.float64], size: float) -> None:
    """Draw shares as colours, dark for 1; small ones are lifted so that they are seen."""
    from matplotlib import colormaps
    from matplotlib.colors import PowerNorm

    colors = colormaps["Blues"].with_extremes(bad=NO_ROW)
    norm = PowerNorm(0.5, vmin=0, vmax=1)
    image = axes.imshow(shares, cmap=colors, norm=norm, interpolation="nearest", aspect="equal")
    bar = figure.colorbar(image, ax=axes, shrink=0.6, aspect=30, pad=0.015)
    written = len(shares) <= WRITTEN
    ticks = [0, 0.01, 0.05, 0.25, 0.5, 1]
    bar.set_ticks(ticks, labels=[f"{tick:.0%}" for tick in ticks], fontsize=7)
    bar.set_label("share of the true class (numbers: percent)" if written else SHARE, fontsize=7)
    bar.outline.set_visible(False)
    bar.ax.tick_params(length=0)
    axes.spines[:].set_color(GREY)
    if not written:
        return
    axes.set_xticks(np.arange(shares.shape[1] - 1) + 0.5, minor=True)
    axes.set_yticks(np.arange(shares.shape[0] - 1) + 0.5, minor=True)
    axes.grid(which="minor", color="white", linewidth=0.8)
    axes.tick_params(which="minor", length=0)
    for (row, column), share in np.ndenumerate(shares):
        ink = "white" if share > 0.3 else "#222222"
        axes.text(
            column, row, show_percent(share), ha="center", va="center", color=ink, fontsize=size
        )


def _list_confusions(axes: Axes, confusion: Mapping[str, Any], listed: int) -> None:
    axes.axis("off")
    rows = list_confusions(confusion, partial(short, most=20), listed)
    lines = [f"{row['share']} %  {row['truth']} → {row['prediction']}" for row in rows]
    text = "\n".join(["most wrong pixels,", f"and their {SHARE}", "", *lines])
    written = axes.text(0, 1, text, va="top", fontsize=9, linespacing=1.5, transform=axes.transAxes)
    written.set_in_layout(False)
