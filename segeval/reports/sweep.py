"""A sweep over thresholds as plain data, CSV and a readable extract."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import numpy as np
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from segeval.scoring.metrics import METRICS
from segeval.scoring.sweep import Sweep
from segeval.text import counted, defined, show_score, show_threshold, visible_in

SCHEMA: Final = "segeval.sweep/1"
ROWS: Final = 11  # thresholds in the extract
POOLINGS: Final = {"dataset": "over the data set", "image": "as mean over {}"}


def make_document(sweep: Sweep) -> dict[str, Any]:
    """Lay out a sweep as plain data of schema ``segeval.sweep/1``; undefined is None."""
    best = {
        f"best_{curve}_{pooling}": {"threshold": threshold, "value": defined(value)}
        for pooling in POOLINGS
        for curve in _peaked(sweep.dataset)
        for threshold, value in [sweep.best(pooling, curve)]
    }
    return {
        "schema": SCHEMA,
        "signature": sweep.signature,
        "beta2": sweep.beta2,
        "images": dict(sweep.images),
        "summary": {
            "average_precision": defined(sweep.average_precision),
            "auroc": defined(sweep.auroc),
            "mean_fbeta_image": defined(float(sweep.image["fbeta"].mean())),
            "adaptive_fbeta_image": defined(sweep.adaptive),
            **{f"mae_{pooling}": value for pooling, value in sweep.mae.items()},
            **best,
        },
        "thresholds": sweep.thresholds.tolist(),
        "predicted": sweep.predicted.tolist(),
        **{
            pooling: {n: [defined(v) for v in c.tolist()] for n, c in sweep.curves(pooling).items()}
            for pooling in POOLINGS
        },
    }


def _peaked(curves: Iterable[str]) -> list[str]:
    """Return the curves with a best threshold: those that weigh false positives and misses."""
    return [name for name in curves if name not in METRICS or METRICS[name].symmetric]


def recall_and_precision(document: Mapping[str, Any]) -> list[tuple[float, float]]:
    """Return recall and precision at the thresholds at which anything is predicted."""
    curves = document["dataset"]
    rows = zip(curves["recall"], curves["precision"], document["predicted"], strict=True)
    return [(r, p) for r, p, pixels in rows if pixels and r is not None and p is not None]


def to_csv(document: Mapping[str, Any]) -> str:
    """Write a row a threshold: each curve over the data set, then as the mean over images."""
    from segeval.reports.csv import signed_columns

    columns = {"threshold": document["thresholds"]}
    for pooling in POOLINGS:
        columns |= {f"{name}_{pooling}": curve for name, curve in document[pooling].items()}
    return signed_columns(columns, document["signature"])


def to_renderable(document: Mapping[str, Any]) -> RenderableType:
    """Build the extract: some thresholds, the best ones, and what the numbers mean."""
    document = visible_in(document)
    best = document["summary"]["best_dice_dataset"]["threshold"]
    thresholds = document["thresholds"]
    rows = np.linspace(0, len(thresholds) - 1, min(ROWS, len(thresholds))).astype(int)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("threshold", *document["dataset"]):
        table.add_column(name, justify="right", no_wrap=True)
    for row in sorted({*rows.tolist(), thresholds.index(best)}):
        scores = (show_score(curve[row]) for curve in document["dataset"].values())
        style = "bold" if thresholds[row] == best else ""
        table.add_row(show_threshold(thresholds[row]), *scores, style=style)
    signature = Text(document["signature"], style="dim", overflow="fold")
    return Group(table, Text(), _summary(document), Text(), signature)


def _summary(document: Mapping[str, Any]) -> Table:
    """Each headline number, with what it means beside it."""
    grid = Table.grid(padding=(0, 2))
    summary, f_beta = document["summary"], f"F (beta² {document['beta2']:g})"
    grid.add_row("AP", show_score(summary["average_precision"]), "average precision, all pixels")
    grid.add_row("AUROC", show_score(summary["auroc"]), "area under the ROC curve, all pixels")
    for curve in _peaked(document["dataset"]):
        title = METRICS[curve].title if curve in METRICS else f_beta
        for pooling, words in POOLINGS.items():
            best = summary[f"best_{curve}_{pooling}"]
            over = words.format(counted(document["images"][curve], "image"))
            where = f"highest {over}, at threshold {show_threshold(best['threshold'])}"
            grid.add_row(title, show_score(best["value"]), where)
    over = POOLINGS["image"].format(counted(document["images"]["fbeta"], "image"))
    last = {
        "mean_fbeta_image": (f_beta, f"mean over thresholds, {over}"),
        "adaptive_fbeta_image": (f_beta, f"at twice the mean of each prediction, {over}"),
        "mae_image": ("MAE", "mean absolute error, as mean over images"),
    }
    for key, (title, words) in last.items():
        grid.add_row(title, show_score(summary[key]), words)
    return grid
