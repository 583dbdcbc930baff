"""The reliability diagram: what comes true against what was stated."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, Final

from segeval.errors import SettingError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["FORMATS", "draw", "plot_format"]

FORMATS: Final = ("svg", "png", "pdf")
BLUE, ORANGE, GREY = "#0072b2", "#d55e00", "#999999"
"""Colours that the colour-blind can tell apart: Okabe and Ito 2008."""


def plot_format(name: str) -> str:
    """Return the format that the end of a file name says, and check that pictures can be made.

    Raises
    ------
    SettingError
        If it is none of `FORMATS`, or Matplotlib is not installed.
    """
    ending = name.lower().rpartition(".")[2]
    if ending not in FORMATS:
        raise SettingError(f"{name}: the name of a picture ends in .{', .'.join(FORMATS)}")
    try:
        import matplotlib as mpl
    except ImportError:
        raise SettingError(
            "pictures need Matplotlib; install segeval with the extra [report], or matplotlib"
        ) from None
    mpl.use("agg")
    return ending


def draw(document: Mapping[str, Any], ending: str) -> bytes:
    """Draw the bins of a document of schema ``segeval.losses/1``.

    Bars show how often each bin came true, and the share of pixels in it; the diagonal is where
    probabilities mean what they say.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    calibration = document["calibration"]
    rows = [row for row in calibration["bins"] if row["pixels"]]
    style: dict[Any, Any] = {"svg.fonttype": "none", "svg.hashsalt": "segeval", "font.size": 9}
    with mpl.rc_context(style):
        figure = Figure(figsize=(4.2, 4.8), layout="constrained")
        top, bottom = figure.subplots(2, sharex=True, height_ratios=(4, 1))
        width = 1 / len(calibration["bins"])
        middles = [(row["from"] + row["to"]) / 2 for row in rows]
        frequencies = [row["frequency"] for row in rows]
        top.bar(middles, frequencies, width * 0.94, color=BLUE, label="came true")
        top.plot([0, 1], [0, 1], "--", color=GREY, label="as stated")
        stated = [row["confidence"] for row in rows]
        top.plot(
            stated,
            frequencies,
            "o",
            color=ORANGE,
            markersize=4,
            clip_on=False,
            label="mean of a bin",
        )
        top.set(xlim=(0, 1), ylim=(0, 1), ylabel="frequency", title=_title(calibration))
        top.legend(frameon=False, loc="upper left")
        total = sum(row["pixels"] for row in rows)
        bottom.bar(middles, [row["pixels"] / total for row in rows], width * 0.94, color=GREY)
        bottom.set(ylabel="share of pixels", xlabel=f"probability of the {calibration['of']}")
        for axes in (top, bottom):
            axes.spines[["top", "right"]].set_visible(False)
        buffer = io.BytesIO()
        date = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(ending)
        figure.savefig(buffer, format=ending, dpi=200, metadata=date)
    return buffer.getvalue()


def _title(calibration: Mapping[str, Any]) -> str:
    ece, brier = (calibration[name] for name in ("ece", "brier"))
    return "no judged pixel" if ece is None else f"ECE {ece:.4f}, Brier {brier:.4f}"
