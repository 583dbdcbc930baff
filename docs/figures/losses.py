"""Draw the figures of the page on losses.

``python docs/figures/losses.py [FOLDER]`` writes four SVG files beside this script, or into the
folder. Every curve is computed by `segeval.losses`; the axes stand at fixed places, so that fonts
move no curve, and text stays text.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.tri import Triangulation

from segeval.losses import (
    bce_with_logits_loss,
    dice_loss,
    focal_loss,
    lovasz_hinge_loss,
    lovasz_softmax_loss,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

BLACK, BLUE, ORANGE, GREEN, PURPLE = "#000000", "#0072B2", "#D55E00", "#009E73", "#CC79A7"
"""Colours of Okabe and Ito, which colour-blind readers tell apart."""

GREY: Final = "#595959"
DASHES: Final = ["-", (0, (6, 2)), (0, (4, 1.5, 1, 1.5)), (0, (1.2, 1.5)), (0, (9, 2, 2, 2))]
STYLE: Final[Any] = {
    "axes.edgecolor": GREY,
    "axes.grid": True,
    "axes.labelsize": 10.5,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 10.5,
    "figure.facecolor": "white",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 10.5,
    "grid.color": "#e4e4e4",
    "grid.linewidth": 0.7,
    "legend.edgecolor": "white",
    "legend.framealpha": 1.0,
    "legend.handlelength": 2.6,
    "lines.linewidth": 1.9,
    "path.simplify": False,
    "savefig.facecolor": "white",
    "svg.fonttype": "none",
    "svg.hashsalt": "segeval",
    "xtick.color": GREY,
    "xtick.labelcolor": BLACK,
    "ytick.color": GREY,
    "ytick.labelcolor": BLACK,
}
WIDTH: Final = 6.6
"""Inches, which a browser shows on about 640 pixels."""

PIXELS: Final = 10_000
"""Pixels of an image in the figure of gradients."""


def canvas(height: float) -> Figure:
    """Return an empty figure of the width of the page."""
    return Figure(figsize=(WIDTH, height))


def axes_at(figure: Figure, place: tuple[float, float, float, float]) -> Axes:
    """Place axes: left, bottom, width and height as shares of the figure."""
    axes = figure.add_axes(place)
    axes.set_axisbelow(True)
    axes.tick_params(length=3)
    return axes


def focal() -> Figure:
    """Draw the focal loss of a pixel against the probability of its true class."""
    figure = canvas(3.5)
    axes = axes_at(figure, (0.09, 0.15, 0.88, 0.81))
    probabilities = np.linspace(0.01, 1, 133)
    truth = np.ones(probabilities.shape, np.int64)
    colours = [BLACK, BLUE, GREEN, ORANGE, PURPLE]
    for gamma, colour, dashes in zip([0, 0.5, 1, 2, 5], colours, DASHES, strict=True):
        losses = focal_loss(probabilities, truth, gamma=gamma, reduction="none")
        name = "γ = 0: cross-entropy" if gamma == 0 else f"γ = {gamma:g}"
        axes.plot(probabilities, losses, color=colour, ls=dashes, label=name, gid=f"curve-{gamma}")
    axes.set(xlim=(0, 1), ylim=(0, 4.7))
    axes.set_xlabel("probability of the true class, p_t")
    axes.set_ylabel("focal loss of the pixel")
    axes.annotate(
        "with γ = 2, what is right already\ncosts almost nothing",
        xy=(0.71, 0.03),
        xytext=(0.71, 1.3),
        ha="center",
        color=GREY,
        arrowprops={"arrowstyle": "-", "color": GREY, "shrinkB": 3},
    )
    axes.legend(loc="upper right")
    return figure


def extension(errors: NDArray[np.float64], truth: list[int]) -> NDArray[np.float64]:
    """Return the Lovász extension at (N, 2) errors of two pixels."""
    truths = np.broadcast_to(np.array(truth), errors.shape)
    probabilities = np.abs(truths - errors)
    losses: NDArray[np.float64] = lovasz_softmax_loss(
        probabilities[:, None, :],
        truths[:, None, :],
        classes=[1],
        per_image=True,
        reduction="none",
    )
    return losses


def lovasz() -> Figure:
    """Draw the Lovász extension of the Jaccard loss over the errors of two pixels."""
    figure = canvas(2.75)
    grid = two_errors(12)
    parts = ["background", "object"]
    for number, truth in enumerate([(1, 1), (1, 0), (0, 0)]):
        axes = axes_at(figure, (0.085 + 0.32 * number, 0.185, 0.26, 0.7))
        losses = extension(np.stack([grid.x, grid.y], axis=1), list(truth))
        lines = axes.tricontour(
            grid, losses, np.linspace(0.05, 0.95, 10), colors=BLUE, linewidths=1.2
        )
        lines.set_gid(f"curve-{number}")
        mark_corners(axes, list(truth))
        axes.set(xlim=(0, 1), ylim=(0, 1), title=", ".join(parts[part] for part in truth))
        axes.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
        axes.set_yticks([0, 0.5, 1], ["0", "0.5", "1"])
        axes.set_xlabel("error of pixel 1")
        axes.grid(visible=False)
    figure.axes[0].set_ylabel("error of pixel 2")
    return figure


def two_errors(steps: int) -> Triangulation:
    """Return a grid over the unit square whose cells are cut along x = y, where the kinks are."""
    x, y = np.meshgrid(np.linspace(0, 1, steps), np.linspace(0, 1, steps))
    corner = np.arange(steps * steps).reshape(steps, steps)[:-1, :-1].ravel()
    lower = np.stack([corner, corner + 1, corner + steps + 1], axis=1)
    upper = np.stack([corner, corner + steps + 1, corner + steps], axis=1)
    return Triangulation(x.ravel(), y.ravel(), np.concatenate([lower, upper]))


def mark_corners(axes: Axes, truth: list[int]) -> None:
    """Mark the four hard predictions, and write what each costs: 1 - IoU."""
    corners = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    for (x, y), loss in zip(corners.tolist(), extension(corners, truth).tolist(), strict=True):
        axes.plot(x, y, "o", color=ORANGE, ms=5, clip_on=False, zorder=5)
        axes.annotate(
            f"{loss:g}",
            (x, y),
            (-7 if x else 7, -6 if y else 6),
            textcoords="offset points",
            ha="right" if x else "left",
            va="top" if y else "bottom",
            color=ORANGE,
            weight="bold",
            bbox={"boxstyle": "square,pad=0.12", "color": "white"},
        )


def dice() -> Figure:
    """Draw the soft Dice loss where every pixel gives its true class the same probability."""
    figure = canvas(3.5)
    axes = axes_at(figure, (0.09, 0.15, 0.88, 0.81))
    probabilities = np.linspace(0, 1, 121)
    colours = [ORANGE, PURPLE, BLACK, BLUE]
    for share, colour, dashes in zip([0.01, 0.1, 0.5, 0.9], colours, DASHES, strict=False):
        truth = (np.arange(100) < 100 * share).astype(np.int64)
        foreground = np.where(truth == 1, probabilities[:, None], 1 - probabilities[:, None])
        truths = np.broadcast_to(truth, foreground.shape)[:, None, :]
        losses = dice_loss(foreground[:, None, :], truths, per_image=True, reduction="none")
        name = f"object on {100 * share:g} % of the pixels"
        axes.plot(probabilities, losses, color=colour, ls=dashes, label=name, gid=f"curve-{share}")
    axes.set(xlim=(0, 1), ylim=(0, 1.02))
    axes.set_xlabel("probability of the true class, the same at every pixel")
    axes.set_ylabel("soft Dice loss")
    axes.legend(loc="lower left")
    return figure


def on_object(loss: Callable[..., Any], count: int, background: float) -> float:
    """Return the share of the gradient that falls on the pixels of an object, in percent.

    Logits are spread evenly, by 1 to both sides, around 0 on the object and around a number on the
    background. All gradients on the object have one sign and all others the opposite one, so that
    two differences along "the whole object" and "the whole background" add them up.
    """
    truth = (np.arange(PIXELS) < count).astype(np.int64)
    spread = [(2 * np.arange(size) + 1) / size - 1 for size in (count, PIXELS - count)]
    logits = np.concatenate([spread[0], background + spread[1]])
    slopes = []
    for pixels in (truth, 1 - truth):
        ahead, behind = (loss(logits + step * pixels, truth) for step in (1e-6, -1e-6))
        slopes.append(abs(float(ahead - behind)))
    return 100 * slopes[0] / sum(slopes)


def gradients() -> Figure:
    """Draw how much of the gradient an object gets, in the first step and later."""
    figure = canvas(3.3)
    counts = np.unique(np.geomspace(10, PIXELS / 2, 60).astype(int))
    names = {0.0: "first step: all undecided", -4.0: "later: background settled"}
    colours = [BLUE, GREEN, ORANGE, BLACK]
    for number, (background, title) in enumerate(names.items()):
        axes = axes_at(figure, (0.125 + 0.455 * number, 0.16, 0.4, 0.74))
        for (name, loss), colour, dashes in zip(RIVALS.items(), colours, DASHES, strict=False):
            shares = [on_object(loss, int(count), background) for count in counts]
            (line,) = axes.plot(100 * counts / PIXELS, shares, color=colour, ls=dashes, label=name)
            line.set_gid(f"curve-{number}-{name.replace(' ', '-')}")
        axes.set_xscale("log")
        axes.set(xlim=(0.1, 50), ylim=(0, 102), title=title)
        axes.set_xticks([0.1, 1, 10], ["0.1 %", "1 %", "10 %"])
        axes.set_yticks([0, 25, 50, 75, 100], ["0", "25 %", "50 %", "75 %", "100 %"])
        axes.minorticks_off()
        axes.set_xlabel("object, share of the pixels")
    figure.axes[0].set_ylabel("share of the gradient on it")
    figure.axes[0].legend(loc="upper left")
    figure.axes[1].tick_params(labelleft=False)
    return figure


RIVALS: Final[dict[str, Callable[..., Any]]] = {
    "soft Dice": lambda z, t: dice_loss(z, t, logits=True),
    "Lovász hinge": lovasz_hinge_loss,
    "Lovász-Softmax": lambda z, t: lovasz_softmax_loss(z, t, logits=True),
    "cross-entropy": bce_with_logits_loss,
}
"""Losses of the logits of an object whose gradients are compared."""

FIGURES: Final[dict[str, Callable[[], Figure]]] = {
    "focal": focal,
    "lovasz": lovasz,
    "dice": dice,
    "gradients": gradients,
}
"""File names without their end, and what draws them."""


def draw_all(folder: Path) -> None:
    """Write every figure into a folder."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(STYLE)
        for name, draw in FIGURES.items():
            draw().savefig(folder / f"{name}.svg", metadata={"Date": None})


if __name__ == "__main__":
    draw_all(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
