"""Losses over a data set as plain data, table and CSV."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import numpy as np
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from segeval.losses.dataset import LossScores
from segeval.losses.table import LOSSES, formula_of
from segeval.reports import document as scores_document
from segeval.reports.csvstyle import PLAIN, CsvStyle
from segeval.reports.document import list_gates
from segeval.reports.table import gate_table
from segeval.reports.wording import (
    class_meaning,
    foreground_names,
    has_background,
    images_in,
    part_of,
)
from segeval.scoring.gates import Gate
from segeval.scoring.metrics import METRICS, OVERALL, shown, title_of
from segeval.text import defined, show_count, show_loss, show_score, visible_in
from segeval.version import __version__

SCHEMA: Final = "segeval.losses/1"
MODES: Final = {"all": "all classes", "present": "the classes present in the truth"}
CALIBRATION: Final = {
    "ece": ("ECE", "expected calibration error, mean over pixels of |frequency - {stated}|"),
    "mce": ("MCE", "the same in the worst bin"),
    "brier": ("Brier", "mean over pixels of the squared distance to the truth"),
    "nll": ("NLL", "mean over pixels of -ln of the probability of the truth"),
}  # titles and meanings of the values beside the losses


def make_document(
    valuation: LossScores, *, settings: Mapping[str, Any], gates: Iterable[Gate] = ()
) -> dict[str, Any]:
    """Lay out losses as plain data of schema ``segeval.losses/1``; undefined is None."""
    scores = scores_document.make_document(valuation.scores)
    void = int(np.count_nonzero(valuation.judged == 0))
    return {
        "schema": SCHEMA,
        "version": __version__,
        "signature": valuation.signature,
        "settings": dict(settings),
        "images": scores["images"] | {"void": void, "averaged": valuation.averaged},
        "pixels": scores["pixels"],
        "summary": {name: defined(value) for name, value in valuation.summary.items()},
        "losses": [
            {
                "name": name,
                "value": defined(value),
                "mean": "dataset" if LOSSES[name].pooled(valuation.choice) else LOSSES[name].mean,
                "classes": _scored(name, valuation),
                "formula": formula_of(LOSSES[name], valuation.choice),
            }
            for name, value in valuation.summary.items()
        ],
        "calibration": _calibration(valuation),
        "hard": scores["summary"],
        "averaged": scores["averaged"],
        **_foreground(scores),
        "gates": list_gates(gates),
    }


def _foreground(scores: Mapping[str, Any]) -> dict[str, Any]:
    """Name the foreground, if there are but two classes, and return its hard scores."""
    if "foreground" not in scores:
        return {}
    (row,) = (row for row in scores["classes"] if row["name"] == scores["foreground"])
    hard = {metric: row[metric] for metric in METRICS}
    return {"foreground": scores["foreground"], "hard_foreground": hard}


def _scored(name: str, valuation: LossScores) -> str:
    """Say which classes enter the mean of a loss; empty if it is no mean over classes."""
    usual = LOSSES[name].classes
    if not usual or valuation.binary:
        return ""
    return ", ".join(valuation.choice.loss_classes) or valuation.choice.classes_mode or usual


def _calibration(valuation: LossScores) -> dict[str, Any]:
    calibration = valuation.calibration
    edges = (np.arange(calibration.pixels.size + 1) / calibration.pixels.size).tolist()
    parts = (calibration.pixels, calibration.confidence, calibration.frequency)
    figures = (map(defined, part.tolist()) for part in parts)
    rows = zip(edges, edges[1:], *figures, strict=False)
    names = ("from", "to", "pixels", "confidence", "frequency")
    return {
        "of": "foreground" if valuation.binary else "most probable class",
        **{name: defined(getattr(calibration, name)) for name in CALIBRATION},
        "impossible": calibration.impossible,
        "bins": [dict(zip(names, row, strict=True)) for row in rows],
    }


def to_csv(document: Mapping[str, Any], style: CsvStyle = PLAIN) -> str:
    """Write one row a loss, then the calibration, each with the signature."""
    from segeval.reports.csv import signed_csv

    rows = [
        {"loss": row["name"], "value": row["value"], "mean": row["mean"], "formula": row["formula"]}
        for row in document["losses"]
    ]
    rows += [
        {"loss": name, "value": value, "mean": "pixels", "formula": _meaning(name, document)}
        for name, value in document["calibration"].items()
        if name in CALIBRATION
    ]
    return signed_csv(rows, document["signature"], style)


def images_csv(valuation: LossScores, style: CsvStyle = PLAIN) -> str:
    """Write one row an image: pixels, then each loss of it by itself, and the signature."""
    from segeval.reports.csv import signed_columns

    images = valuation.scores.run.images
    columns: dict[str, Any] = {
        "image": [image.name for image in images],
        "group": [image.group for image in images],
        "pixels": [image.height * image.width for image in images],
        "judged": valuation.judged,
    }
    return signed_columns(columns | dict(valuation.images), valuation.signature, style)


def to_renderable(document: Mapping[str, Any], *, reliability: bool = False) -> RenderableType:
    """Build the table of the losses with their definitions, calibration, gates and signature."""
    document = visible_in(document)
    parts: list[RenderableType] = [_loss_table(document), Text(), _value_table(document)]
    if reliability:
        parts += [Text(), _reliability_table(document)]
    if document["gates"]:
        parts += [Text(), gate_table(document)]
    parts += [Text(), Text(document["signature"], style="dim", overflow="fold")]
    return Group(*parts)


def _loss_table(document: Mapping[str, Any]) -> Table:
    judged = document["pixels"]["judged"]
    pixels = f"mean over {show_count(judged)} judged pixel{'' if judged == 1 else 's'}"
    images = part_of(document["images"]["averaged"], document["images"]["scored"])
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("loss", no_wrap=True)
    table.add_column("value", justify="right", no_wrap=True)
    table.add_column("what it is", overflow="fold")
    for row in document["losses"]:
        classes = f"mean over {MODES.get(row['classes'], row['classes'])}" * bool(row["classes"])
        over = {
            "pixels": pixels,
            "images": f"{classes}, then over {images}" if classes else f"mean over {images}",
            "dataset": "; ".join(filter(None, [classes, f"sums over {images}"])),
        }[row["mean"]]
        title = LOSSES[row["name"]].title
        table.add_row(title, show_loss(row["value"]), f"{row['formula']}; {over}")
    return table


def _value_table(document: Mapping[str, Any]) -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(style="bold", justify="right", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, (title, _) in CALIBRATION.items():
        grid.add_row(title, show_loss(document["calibration"][name]), _meaning(name, document))
    hard = {**document, "settings": {}}  # summed counts, whatever the pooling of the losses
    for name in foreground_names(hard):
        value = show_score(hard["hard_foreground"][name.partition(".")[0]])
        grid.add_row(title_of(name), value, class_meaning(hard, name))
    for metric in shown(METRICS, "brief"):
        over = "{classes} of {of} classes".format_map(document["averaged"])
        images = images_in(hard, metric.mean)
        mean = "mean with background:" if has_background(hard) else "mean of"
        meaning = f"{mean} {metric.formula} over {over}; counts summed over {images}"
        grid.add_row(metric.mean_title, show_score(document["hard"][metric.mean]), meaning)
    for overall in shown(OVERALL, "brief"):
        grid.add_row(overall.title, show_score(document["hard"][overall.name]), overall.formula)
    pixels = document["pixels"]
    ignored = f"judged, {show_count(pixels['ignored'])} ignored"
    grid.add_row("pixels", show_count(pixels["judged"]), ignored)
    return grid


def _meaning(name: str, document: Mapping[str, Any]) -> str:
    binary = document["calibration"]["of"] == "foreground"
    return CALIBRATION[name][1].format(
        stated="probability of the foreground" if binary else "highest probability"
    )


def _reliability_table(document: Mapping[str, Any]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("from", "to", "pixels", "confidence", "frequency"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in document["calibration"]["bins"]:
        stated = (show_score(row[name]) for name in ("confidence", "frequency"))
        edges = (f"{row[name]:.4f}" for name in ("from", "to"))
        table.add_row(*edges, show_count(row["pixels"]), *stated)
    return table
