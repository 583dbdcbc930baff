"""Documents and per-image scores as CSV, numbers with all their digits, undefined as empty."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from itertools import repeat
from math import isnan
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from segeval.scoring.metrics import METRICS, shown
from segeval.scoring.score import Scores, per_image

if TYPE_CHECKING:
    import pandas as pd

COUNTS = ("index", "name", "support", "predicted", "tp", "fp", "fn")


def class_frame(document: Mapping[str, Any]) -> pd.DataFrame:
    """Return one row a class: counts, scores and their bounds, NaN where undefined."""
    import pandas as pd

    rows = [
        {key: value for key, value in row.items() if key not in {"intervals", "undefined"}}
        | {
            f"{name}_{end}": bound
            for name, bounds in row.get("intervals", {}).items()
            for end, bound in zip(("low", "high"), bounds, strict=True)
        }
        for row in document["classes"]
    ]
    scores = [n for n in rows[0] if n.removesuffix("_low").removesuffix("_high") in METRICS]
    return pd.DataFrame(rows).astype(dict.fromkeys(scores, "float64"))


def image_frame(scores: Scores) -> pd.DataFrame:
    """Return one row an image: its pixels, means over classes, and scores of each class."""
    import pandas as pd

    return pd.DataFrame(image_columns(scores))


def image_columns(scores: Scores) -> dict[str, Any]:
    """Return the columns of the table of images, each a list or an array."""
    return {
        "image": [image.name for image in scores.run.images],
        "group": scores.group_names or [image.group for image in scores.run.images],
        "pixels": scores.counts.pixels,
        "judged": scores.counts.images.total,
        **per_image(scores),
    }


def classes_csv(document: Mapping[str, Any]) -> str:
    """Write one row a class, then a row named ``mean``, with bounds if there are any."""
    metrics = shown(METRICS, "classes")
    columns = (*COUNTS, *(metric.name for metric in metrics))
    rows = [{name: row[name] for name in columns} for row in document["classes"]]
    means = {metric.name: document["summary"][metric.mean] for metric in metrics}
    rows.append(dict.fromkeys(columns) | {"name": "mean"} | means)
    if "intervals" in document:
        bounds = [row["intervals"] for row in document["classes"]]
        bounds.append({metric.name: document["intervals"][metric.mean] for metric in metrics})
        for row, intervals in zip(rows, bounds, strict=True):
            for metric in metrics:
                row[f"{metric.name}_low"], row[f"{metric.name}_high"] = intervals[metric.name]
    return signed_csv(rows, document["signature"])


def signed_csv(rows: Sequence[Mapping[str, Any]], signature: str) -> str:
    """Write rows of the same keys, each with the signature."""
    return write_csv((*rows[0], "signature"), ((*row.values(), signature) for row in rows))


def signed_columns(columns: Mapping[str, Any], signature: str) -> str:
    """Write columns, lists or arrays, each row with the signature."""
    lists = (c.tolist() if isinstance(c, np.ndarray) else c for c in columns.values())
    rows = zip(*lists, repeat(signature), strict=False)
    return write_csv((*columns, "signature"), rows)


def write_csv(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Write a table; None and NaN are empty cells."""
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(names)
    for row in rows:
        writer.writerow([None if isinstance(cell, float) and isnan(cell) else cell for cell in row])
    return written.getvalue()


FORMULA: Final = tuple("=+-@\t\r\n＝＋－＠")
"""Characters that begin a formula, for one spreadsheet or another."""


def without_formulas(text: str) -> str:
    r"""Begin every cell that a spreadsheet would take for a formula with an apostrophe.

    Numbers stay as they are.

    >>> without_formulas("name,iou\n=cmd(),-0.5\n")
    "name,iou\n'=cmd(),-0.5\n"
    """
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    limit = csv.field_size_limit(len(text) + 1)
    try:
        for row in csv.reader(io.StringIO(text, newline="")):
            writer.writerow([f"'{cell}" if _is_formula(cell) else cell for cell in row])
    finally:
        csv.field_size_limit(limit)
    return written.getvalue()


def _is_formula(cell: str) -> bool:
    if not cell.startswith(FORMULA):
        return False
    try:
        float(cell)
    except ValueError:
        return True
    return False


def images_csv(scores: Scores) -> str:
    """Write one row an image, each with the signature."""
    return signed_columns(image_columns(scores), scores.signature)


def groups_csv(document: Mapping[str, Any]) -> str:
    """Write one row a group: its pixels, summary scores and scores of each class."""
    rows = [
        {"group": group["name"], "images": group["images"], "judged": group["judged"]}
        | group["summary"]
        | {
            f"{metric.name}_{row['name']}": row[metric.name]
            for metric in shown(METRICS, "breakdown")
            for row in group["classes"]
        }
        for group in document.get("groups", ())
    ]
    return signed_csv(rows, document["signature"])


def confusion_csv(document: Mapping[str, Any]) -> str:
    """Write the confusion matrix: truths down, predictions across, a last column ``unknown``."""
    matrix = document["confusion"]
    rows = [
        [name, *counts, unknown]
        for name, counts, unknown in zip(
            matrix["labels"], matrix["counts"], matrix["unknown"], strict=True
        )
    ]
    return write_csv(["truth", *matrix["labels"], "unknown"], rows)
