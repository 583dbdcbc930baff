"""Runs against a baseline, as plain data and as CSV; as a table in `segeval.reports.contrast`.

The schema of the document is ``segeval.comparison/1``. Undefined is None.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from segeval.scoring.compare import without_rounding
from segeval.scoring.resampling import LEVEL
from segeval.text import defined
from segeval.version import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from segeval.scoring.compare import Comparison, Difference

__all__ = [
    "SCHEMA",
    "class_frame",
    "image_frame",
    "images_csv",
    "make_document",
    "parts_of",
    "to_csv",
]

SCHEMA: Final = "segeval.comparison/1"
LISTED: Final = 10
"""Images that are named in either direction."""

FIGURES: Final = ("baseline", "value", "delta", "low", "high", "p")


def make_document(
    comparisons: Sequence[Comparison],
    names: Sequence[str],
    *,
    settings: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Lay out comparisons with one baseline as a document.

    Parameters
    ----------
    comparisons : sequence of Comparison
        One for each run but the baseline. The first fills the document itself, as there mostly is
        no other; the rest are in ``others``.
    names : sequence of str
        Names of the runs, that of the baseline first.
    settings : mapping, optional
        What the masks mean, for the record; the convention is added.
    """
    first = comparisons[0]
    parts = [
        {"run": name} | _contrast(comparison)
        for name, comparison in zip(names[1:], comparisons, strict=True)
    ]
    return {
        "schema": SCHEMA,
        "version": __version__,
        "signature": first.signature,
        "settings": {**(settings or {}), **first.baseline.convention.settings()},
        "resampling": {
            "resamples": first.resampling.rounds,
            "level": LEVEL,
            "seed": first.resampling.seed,
            "unit": first.units.kind,
            "units": first.units.count,
        },
        "baseline": names[0],
        **parts[0],
        **({"others": parts[1:]} if parts[1:] else {}),
    }


def _contrast(comparison: Comparison) -> dict[str, Any]:
    """Lay out what changed from the baseline to one run."""
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


def _figures(difference: Difference) -> list[dict[str, Any]]:
    """Both scores, the difference, its interval and its p-value: of a mean, or of each class."""
    parts = (difference.baseline, difference.value, difference.delta, *difference.bounds)
    columns = [np.atleast_1d(part).tolist() for part in (*parts, difference.p)]
    undefined = np.atleast_1d(difference.undefined).tolist()
    return [
        dict(zip(FIGURES, map(defined, row), strict=True)) | ({"undefined": count} if count else {})
        for *row, count in zip(*columns, undefined, strict=True)
    ]


def _images(comparison: Comparison) -> dict[str, Any]:
    """How many images are better, equal and worse, and which changed most."""
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


def _changed(comparison: Comparison, positions: NDArray[np.intp]) -> list[dict[str, Any]]:
    images = comparison.scores.run.images
    rows = zip(positions.tolist(), comparison.images[:, positions].T.tolist(), strict=True)
    return [
        {"image": images[n].name, "baseline": before, "value": after, "delta": after - before}
        for n, (before, after) in rows
    ]


def parts_of(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return what is said of each run."""
    return [document, *document.get("others", ())]


def to_csv(document: Mapping[str, Any]) -> str:
    """Write a row for every score of every run: the means, then each class, with the signature."""
    import pandas as pd

    rows = []
    for part in parts_of(document):
        for name, row in part["summary"].items():
            figures = {figure: row[figure] for figure in FIGURES} | {"p_holm": None}
            rows.append({"run": part["run"], "score": name, "class": None} | figures)
        for label in part["classes"]:
            for metric in (key for key in label if key not in {"index", "name"}):
                figures = {figure: label[metric][figure] for figure in (*FIGURES, "p_holm")}
                rows.append({"run": part["run"], "score": metric, "class": label["name"]} | figures)
    frame = pd.DataFrame(rows, dtype=object).assign(signature=document["signature"])
    return frame.to_csv(index=False, lineterminator="\n")


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


def image_frame(comparison: Comparison) -> pd.DataFrame:
    """Return a row for each image: its score in both runs, and the difference."""
    import pandas as pd

    images, (before, after) = comparison.scores.run.images, comparison.images
    columns = {"baseline": before, "value": after, "delta": after - before}
    names = {
        "image": [image.name for image in images],
        "group": [image.group for image in images],
        "score": comparison.metric,
    }
    return pd.DataFrame(names | columns)


def images_csv(comparisons: Sequence[Comparison], names: Sequence[str]) -> str:
    """Write a row for every image of every run, with the signature."""
    import pandas as pd

    frames = [
        image_frame(comparison).assign(signature=comparison.signature) for comparison in comparisons
    ]
    for name, frame in zip(names[1:], frames, strict=True):
        frame.insert(0, "run", name)
    return pd.concat(frames).to_csv(index=False, lineterminator="\n")
