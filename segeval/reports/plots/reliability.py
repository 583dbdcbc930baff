"""The reliability diagram: what comes true against what was stated."""

from collections.abc import Mapping
from typing import Any

from segeval.reports.plots.style import (
    BLUE,
    GREY,
    ORANGE,
    bare,
    figure_of,
    plot_format,
    save,
    style,
)


def draw(document: Mapping[str, Any], name: str) -> bytes:
    """Draw how often each bin of a document of losses came true, and its share of the pixels."""
    calibration = document["calibration"]
    rows = [row for row in calibration["bins"] if row["pixels"]]
    with style():
        figure = figure_of(4.2, 4.8)
        top, bottom = figure.subplots(2, sharex=True, height_ratios=(4, 1))
        width = 1 / len(calibration["bins"])
        middles = [(row["from"] + row["to"]) / 2 for row in rows]
        frequencies = [row["frequency"] for row in rows]
        top.bar(middles, frequencies, width * 0.94, color=BLUE, label="came true")
        top.plot([0, 1], [0, 1], "--", color=GREY, label="as stated")
        stated = [row["confidence"] for row in rows]
        top.plot(stated, frequencies, "o", color=ORANGE, ms=4, clip_on=False, label="mean of a bin")
        ece, brier = calibration["ece"], calibration["brier"]
        title = "no judged pixel" if ece is None else f"ECE {ece:.4f}, Brier {brier:.4f}"
        top.set(xlim=(0, 1), ylim=(0, 1), ylabel="frequency", title=title)
        top.legend(frameon=False, loc="upper left")
        total = sum(row["pixels"] for row in rows)
        bottom.bar(middles, [row["pixels"] / total for row in rows], width * 0.94, color=GREY)
        bottom.set(ylabel="share of pixels", xlabel=f"probability of the {calibration['of']}")
        for axes in (top, bottom):
            bare(axes)
        return save(figure, plot_format(name))
