"""Documents and per-image scores as CSV, numbers with all their digits, undefined as empty."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import repeat
from math import isnan
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from segeval.distances.names import is_distance_column
from segeval.errors import SettingError
from segeval.objects.names import is_object_score, name_block
from segeval.reports.csvstyle import PLAIN, CsvStyle
from segeval.reports.distances import flat_bounds, flat_scores, object_scores
from segeval.reports.wording import matrix_of, metrics_in
from segeval.scoring.metrics import KNOWN, METRICS, shown
from segeval.scoring.score import (
    Scores,
    image_class_scores,
    image_mean_names,
    image_means,
    per_image,
)
from segeval.text import did_you_mean, listed, quoted

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from segeval.distances.result import DistanceScores
    from segeval.objects.result import ObjectScores

NESTED: Final = {"intervals", "undefined", "objects", "distances"}  # of the row of a class
IMAGE = ("image", "group", "pixels", "judged")
COUNTS = ("index", "name", "support", "predicted", "tp", "fp", "fn")


def class_frame(document: Mapping[str, Any]) -> pd.DataFrame:
    """Return one row a class: counts, scores, distances and their bounds, NaN where undefined."""
    import pandas as pd

    rows = [
        {key: value for key, value in row.items() if key not in NESTED}
        | {
            f"{name}_{end}": bound
            for name, bounds in row.get("intervals", {}).items()
            for end, bound in zip(("low", "high"), bounds, strict=True)
        }
        for row in document["classes"]
    ]
    scores = [n for n in rows[0] if n.removesuffix("_low").removesuffix("_high") in KNOWN]
    for row, cells in zip(rows, document.get("distances", {}).get("classes", ()), strict=False):
        row.update(flat_scores(cells) | flat_bounds(cells))
    scores += [name for name in rows[0] if is_distance_column(name)]
    return pd.DataFrame(rows).astype(dict.fromkeys(scores, "float64"))


def image_frame(
    scores: Scores, objects: ObjectScores | None = None, distances: DistanceScores | None = None
) -> pd.DataFrame:
    """Return one row an image: its pixels, means over classes, and scores of each class."""
    import pandas as pd

    return pd.DataFrame(image_columns(scores, objects, distances))


def image_columns(
    scores: Scores, objects: ObjectScores | None = None, distances: DistanceScores | None = None
) -> dict[str, Any]:
    """Return the columns of the table of images, each a list or an array."""
    columns = _further(objects, distances)
    further = {f"{name}_{kind}" if kind else name: values for kind, name, values in columns}
    images = scores.run.images
    groups = scores.group_names or images.column("group")
    facts = (images.names, groups, scores.counts.pixels, scores.counts.images.total)
    return dict(zip(IMAGE, facts, strict=True)) | per_image(scores) | further


def _further(
    objects: ObjectScores | None, distances: DistanceScores | None
) -> Iterator[tuple[str, str, NDArray[np.float64]]]:
    """Yield class, or none, name and values by image of the scores beside those of pixels."""
    for each in (objects, distances):
        if each is not None:
            yield from each.columns()


def classes_csv(document: Mapping[str, Any], style: CsvStyle = PLAIN) -> str:
    """Write one row a class, then a row named ``mean``, with bounds if there are any."""
    metrics = metrics_in(document, "classes", "files")
    columns = (*COUNTS, *(metric.name for metric in metrics))
    rows = [{name: row[name] for name in columns} for row in document["classes"]]
    means = {metric.name: document["summary"][metric.mean] for metric in metrics}
    rows.append(dict.fromkeys(columns) | {"name": "mean"} | means)
    if "objects" in document:
        _add_objects(rows, document)
    if "distances" in document:
        block = document["distances"]
        for row, cells in zip(rows, [*block["classes"], block["means"]], strict=True):
            row.update(flat_scores(cells) | flat_bounds(cells))
    if "intervals" in document:
        bounds = [row["intervals"] for row in document["classes"]]
        bounds.append({metric.name: document["intervals"][metric.mean] for metric in metrics})
        for row, intervals in zip(rows, bounds, strict=True):
            for metric in metrics:
                row[f"{metric.name}_low"], row[f"{metric.name}_high"] = intervals[metric.name]
    return signed_csv(rows, signature_of(document), style)


def _add_objects(rows: Sequence[dict[str, Any]], document: Mapping[str, Any]) -> None:
    """Add the scores of objects to the rows of the classes and of the mean."""
    whole = document["objects"]
    only = {whole["class"]: whole} if "class" in whole else {}
    blocks = [row.get("objects", only.get(row["name"])) for row in document["classes"]]
    far = {row["name"]: row for row in whole.get("distances", {}).get("classes", ())}
    for row, block in zip(rows, [*blocks, whole], strict=True):
        cells = {f"{side}_objects": (block or whole)[name] for side, name in SIDES}
        cells |= name_block(block or whole)
        if "distances" in whole:
            own = far.get(row["name"], whole["distances"])
            cells |= object_scores(own) | object_scores(own, flat_bounds)
        row.update(cells if block else dict.fromkeys(cells))


SIDES: Final = (("true", "truth"), ("predicted", "predicted"))


def signature_of(document: Mapping[str, Any]) -> str:
    """Return the signature of a document, with the rules of its objects and distances."""
    blocks = (document.get(name) for name in ("objects", "distances"))
    return "|".join([document["signature"], *(b["signature"] for b in blocks if b)])


def signed_csv(rows: Sequence[Mapping[str, Any]], signature: str, style: CsvStyle = PLAIN) -> str:
    """Write rows of the same keys, each with the signature."""
    return write_csv((*rows[0], "signature"), ((*row.values(), signature) for row in rows), style)


def signed_columns(columns: Mapping[str, Any], signature: str, style: CsvStyle = PLAIN) -> str:
    """Write columns, lists or arrays, each row with the signature."""
    lists = (c.tolist() if isinstance(c, np.ndarray) else c for c in columns.values())
    rows = zip(*lists, repeat(signature), strict=False)
    return write_csv((*columns, "signature"), rows, style)


def write_csv(names: Sequence[str], rows: Iterable[Sequence[Any]], style: CsvStyle = PLAIN) -> str:
    """Write a table, or the columns of it that are picked; None and NaN are empty cells."""
    places = find_columns(names, style)
    titles = [title for _, title in style.columns] or names
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow([_cell(title, style) for title in titles])
    for row in rows:
        writer.writerow([_cell(row[place], style) for place in places])
    return written.getvalue()


def find_columns(names: Sequence[str], style: CsvStyle) -> list[int]:
    """Return the places of the columns that are picked.

    Raises
    ------
    SettingError
        If the table has no such column.
    """
    for name, _ in style.columns:
        if name not in names:
            hint = did_you_mean(name, names) or "."
            raise SettingError(
                f"--csv-columns: no column is called {quoted(name)}{hint} "
                f"The table has {listed(names, 30)}"
            )
    return [names.index(name) for name, _ in style.columns] or [*range(len(names))]


def check_columns(
    style: CsvStyle,
    *,
    classes: bool,
    images: bool,
    objects: bool = False,
    measured: Sequence[str] = (),
    distances: bool = False,
) -> None:
    """Refuse columns of these tables that there never are, before anything is counted."""
    of_objects = [name for name, _ in style.columns if objects and _is_of_objects(name)]
    of_objects += [n for n, _ in style.columns if distances and is_distance_column(n)]
    if classes:
        names = (*(metric.name for metric in shown(METRICS, "classes")), *measured)
        bounds = (f"{name}_{end}" for name in names for end in ("low", "high"))
        find_columns((*COUNTS, *names, *bounds, *of_objects, "signature"), style)
    if images:
        known = tuple(f"{name}_" for name in (*METRICS, *measured))
        of_classes = (name for name, _ in style.columns if name.startswith(known))
        means = (*image_mean_names(), *(f"m{name}" for name in measured))
        find_columns((*IMAGE, *means, *of_classes, *of_objects, "signature"), style)


def _is_of_objects(name: str) -> bool:
    return is_object_score(name) or name in {f"{side}_objects" for side, _ in SIDES}


FORMULA: Final = tuple("=+-@\t\r\n＝＋－＠")
"""Characters that begin a formula, for one spreadsheet or another."""


def _cell(value: Any, style: CsvStyle) -> Any:
    """Return what stands in a cell: numbers stay numbers, whatever they begin with."""
    if isinstance(value, float):
        if isnan(value):
            return None
        return format(value, f"z{style.float_format}") if style.float_format else value
    return f"'{value}" if style.safe and isinstance(value, str) and _is_formula(value) else value


def _is_formula(cell: str) -> bool:
    if not cell.startswith(FORMULA):
        return False
    try:
        float(cell)
    except ValueError:
        return True
    return False


def images_csv(
    scores: Scores,
    style: CsvStyle = PLAIN,
    objects: ObjectScores | None = None,
    distances: DistanceScores | None = None,
) -> str:
    """Write one row an image, each with the signature."""
    rules = [each.rules for each in (objects, distances) if each is not None]
    signature = "|".join([scores.signature, *(p for r in rules for p in r.signature_parts())])
    return signed_columns(image_columns(scores, objects, distances), signature, style)


def tidy_csv(
    scores: Scores,
    style: CsvStyle = PLAIN,
    objects: ObjectScores | None = None,
    distances: DistanceScores | None = None,
) -> str:
    """Write one row an image and score: first those of no class, then those of each class."""
    parts = [("", name, values.tolist()) for name, values in image_means(scores).items()]
    parts += [
        (label, metric.name, values.tolist())
        for metric in scores.metrics("classes", "files")
        for label, values in image_class_scores(scores, metric).items()
    ]
    parts += [(kind, name, v.tolist()) for kind, name, v in _further(objects, distances)]
    rows = (
        (image.name, label, metric, values[number])
        for number, image in enumerate(scores.run.images)
        for label, metric, values in parts
    )
    return write_csv(("image", "class", "metric", "value"), rows, replace(style, columns=()))


def groups_csv(document: Mapping[str, Any], style: CsvStyle = PLAIN) -> str:
    """Write one row a group: its pixels, summary scores and scores of each class."""
    rows = [
        {"group": group["name"], "images": group["images"], "judged": group["judged"]}
        | group["summary"]
        | {
            f"{metric.name}_{row['name']}": row[metric.name]
            for metric in metrics_in(document, "breakdown", "files")
            for row in group["classes"]
        }
        for group in document.get("groups", ())
    ]
    return signed_csv(rows, document["signature"], style)


def confusion_csv(document: Mapping[str, Any], style: CsvStyle = PLAIN) -> str:
    """Write the confusion matrix: truths down, predictions across, a last column ``unknown``."""
    matrix = matrix_of(document)
    rows = [
        [name, *counts, unknown]
        for name, counts, unknown in zip(
            matrix["labels"], matrix["counts"], matrix["unknown"], strict=True
        )
    ]
    names = ["truth", *matrix["labels"], "unknown"]
    return write_csv(names, rows, replace(style, columns=()))
