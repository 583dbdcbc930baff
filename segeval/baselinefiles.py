"""What a run is held against: the scores of an earlier one, from its counts or its document."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from segeval.counting.runfile import read_run
from segeval.errors import RunError
from segeval.metrics import METRICS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from segeval.counting.run import Run
    from segeval.scoring import Scores

__all__ = ["Baseline", "baseline_of", "named_values", "read_baseline"]

SCHEMA: Final = "segeval.scores/1"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Baseline:
    """What a run is held against.

    Attributes
    ----------
    values : mapping of str to float
        Every score, as gates name it: ``miou``, ``iou.road``, ``miou@night``; NaN if undefined.
    classes : tuple of str
        The classes with a defined IoU.
    images : int
        Number of images.
    signature : str
        The definition of these numbers.
    run : Run, optional
        The counts, if the baseline is a run and no document.
    """

    values: Mapping[str, float]
    classes: tuple[str, ...]
    images: int
    signature: str
    run: Run | None = None


def read_baseline(path: Path) -> Baseline | Run:
    """Read a baseline: a document, or a run, which is to be scored; see `baseline_of`.

    Raises
    ------
    RunError
        If it is neither.
    """
    try:
        document = json.loads(path.read_bytes())
    except OSError as error:
        raise RunError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (ValueError, RecursionError):
        return read_run(path)
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        raise RunError(f"{path}: it is neither a run file nor a document of schema {SCHEMA}")
    try:
        return _of_document(document)
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
        raise RunError(
            f"{path}: it is damaged: {type(error).__name__} {error}; write it again with --json"
        ) from error


def baseline_of(scores: Scores, run: Run) -> Baseline:
    """Return what a run is as a baseline, scored like the run that is held against it."""
    defined = zip(scores.labels.names, scores.class_scores["iou"].tolist(), strict=True)
    return Baseline(
        values=named_values(scores),
        classes=tuple(name for name, value in defined if not math.isnan(value)),
        images=len(run),
        signature=scores.signature,
        run=run,
    )


def named_values(scores: Scores) -> dict[str, float]:
    """Return every score, as gates name it."""
    values = dict(scores.summary)
    for metric, column in scores.class_scores.items():
        names = (f"{metric}.{name}" for name in scores.labels.names)
        values |= dict(zip(names, column.tolist(), strict=True))
    for group, members in scores.groups.items():
        values |= {f"{name}@{group}": value for name, value in named_values(members).items()}
    return values


def _of_document(document: Mapping[str, Any]) -> Baseline:
    defined = tuple(row["name"] for row in document["classes"] if row["iou"] is not None)
    return Baseline(
        values=dict(_document_values(document)),
        classes=defined,
        images=int(_number(document["images"]["scored"])),
        signature=str(document["signature"]),
    )


def _document_values(document: Mapping[str, Any], end: str = "") -> Iterator[tuple[str, float]]:
    """Yield every score of a document, or of a group in it, as gates name it."""
    pairs = [*document["summary"].items()]
    for row in document["classes"]:
        pairs += [(f"{metric}.{row['name']}", row[metric]) for metric in METRICS]
    for name, value in pairs:
        yield name + end, math.nan if value is None else _number(value)
    for group in document.get("groups", ()):
        yield from _document_values(group, f"@{group['name']}")


def _number(value: object) -> float:
    """Return a score of a document as it is, if it is a number."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{value!r} is no score")
    return float(value)
