"""Small charts of the page as geometry, in percent of the room that they get: the template draws.

So text keeps its size however narrow the page is.
"""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from segeval.reports.sweep import recall_and_precision
from segeval.text import defined, show_threshold

BINS: Final = 20
POINTS: Final = 200  # points of a curve that are drawn


def lay_out_histogram(values: NDArray[np.float64]) -> dict[str, Any] | None:
    """Count images by their score, in bins of 0.05; None if no image has one.

    >>> chart = lay_out_histogram(np.array([0.5, 0.52, 1.0, np.nan]))
    >>> [bar["images"] for bar in chart["bars"] if bar["images"]], chart["undefined"]
    ([2, 1], 1)
    """
    known = values[~np.isnan(values)]
    if not known.size:
        return None
    counts, edges = np.histogram(known, BINS, (0.0, 1.0))
    top, bounds = int(counts.max()), pairwise(edges.round(2).tolist())
    return {
        "bars": [
            {"left": 100 * low, "low": low, "high": high, "images": n, "height": 100 * n / top}
            for (low, high), n in zip(bounds, counts.tolist(), strict=True)
        ],
        "width": 100 / BINS,
        "top": top,
        "images": int(known.size),
        "undefined": int(values.size - known.size),
        "mean": float(known.mean()),
        "median": float(np.median(known)),
        "lowest": float(known.min()),
        "highest": float(known.max()),
    }


def lay_out_curve(
    document: Mapping[str, Any],
    threshold: float | None = None,
    foreground: Mapping[str, Any] | None = None,
) -> dict[str, Any] | None:
    """Trace precision against recall; None if one of them is undefined everywhere.

    The document is of schema ``segeval.sweep/1``; the threshold that is in force is marked, by the
    counts of the foreground under it, as it may lie between those of the curve.
    """
    rows = recall_and_precision(document)
    if not rows:
        return None
    picked = np.unique(np.linspace(0, len(rows) - 1, min(POINTS, len(rows))).astype(int)).tolist()
    points = [f"{100 * rows[k][0]:.2f} {100 - 100 * rows[k][1]:.2f}" for k in picked]
    mark, best = None, document["summary"]["best_dice_dataset"]
    if threshold is not None and foreground and foreground["predicted"]:
        mark = {
            "recall": foreground["tp"] / max(1, foreground["support"]),
            "precision": foreground["tp"] / foreground["predicted"],
            "threshold": threshold,
        }
    return {
        "path": "M" + "L".join(points),
        "mark": mark,
        "average_precision": defined(document["summary"]["average_precision"] or 0.0),
        "best": {**best, "threshold": show_threshold(best["threshold"])},
    }
