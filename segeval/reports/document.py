"""Scores -> plain data: the one document that every report shows.

Its schema is ``segeval.scores/1``. Scores are fractions in full precision; undefined is None.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from segeval.counting.kernel import counting
from segeval.inputs.geometry import facts_of as volume_facts
from segeval.labels.labelmap import OVERLAP
from segeval.scoring.gates import DropGate, Gate
from segeval.scoring.metrics import METRICS, metric_of
from segeval.scoring.pooling import POOLINGS
from segeval.scoring.resampling import LEVEL
from segeval.scoring.score import Scores, image_spread
from segeval.text import defined
from segeval.version import __version__

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from segeval.objects.result import ObjectScores
    from segeval.scoring.compare import RunComparison
    from segeval.scoring.intervals import Intervals

SCHEMA = "segeval.scores/1"


def make_document(
    scores: Scores,
    *,
    settings: Mapping[str, Any] | None = None,
    gates: Iterable[Gate] = (),
    objects: ObjectScores | None = None,
) -> dict[str, Any]:
    """Lay out scores as a document: only dicts, lists, str, int, float, bool and None."""
    convention = scores.convention
    return {
        "schema": SCHEMA,
        "version": __version__,
        "counting": counting(),
        "signature": scores.signature,
        "settings": {**(settings or {}), **convention.settings()},
        "images": _images(scores),
        "pixels": _pixels(scores),
        **volume_facts(scores.run.images.column("truth_form")),
        "summary": {name: defined(value) for name, value in scores.summary.items()},
        **_intervals(scores.intervals),
        "spread": {name: _spread(row) for name, row in image_spread(scores).items()},
        "averaged": _averaged(scores),
        "classes": _classes(scores, objects),
        **({} if objects is None else {"objects": objects.block()}),
        **foreground_of(scores),
        **({"groups": _groups(scores)} if scores.groups else {}),
        "confusion": _confusion(scores),
        "gates": list_gates(gates),
    }


def _confusion(scores: Scores) -> dict[str, Any]:
    """Lay out the matrix, or say why there is none."""
    matrix = scores.counts.confusion
    facts = {"rows": "truth", "columns": "prediction", "labels": scores.labels.names}
    if matrix is None:
        return facts | {"counts": None, "unknown": None, "undefined": OVERLAP}
    return facts | {"counts": matrix.counts.tolist(), "unknown": matrix.unknown.tolist()}


def _pixels(scores: Scores) -> dict[str, int]:
    counts = scores.counts
    total, judged = int(counts.pixels.sum()), int(counts.images.total.sum())
    return {
        "total": total,
        "judged": judged,
        "ignored": total - judged,
        "ignored_by_prediction": counts.ignored_predictions,
        "unknown": counts.unclassed,
    }


def foreground_of(scores: Scores) -> dict[str, str]:
    """Name the foreground, if there are but two classes: its scores are the headline."""
    position = scores.foreground
    return {} if position is None else {"foreground": scores.labels.names[position]}


def _images(scores: Scores) -> dict[str, Any]:
    provenance = scores.run.provenance
    return {
        "scored": len(scores.run.images),
        "missing": list(provenance.missing),
        "skipped": list(provenance.skipped),
        "extra": len(provenance.extra),
    }


def _intervals(intervals: Intervals | None) -> dict[str, Any]:
    """Both bounds of every mean, and how they came about; nothing if they were not asked for."""
    if intervals is None:
        return {}
    undefined = {name: n for name, n in intervals.undefined_means.items() if n}
    return {
        "intervals": {name: bounds_of(bounds) for name, bounds in intervals.means.items()},
        "resampling": facts_of(intervals) | {"undefined": undefined},
    }


def facts_of(resampled: Intervals | RunComparison) -> dict[str, Any]:
    """Return how intervals came about as plain data."""
    resampling, units = resampled.resampling, resampled.units
    facts = {"resamples": resampling.rounds, "level": LEVEL, "seed": resampling.seed}
    return facts | {"unit": units.kind, "units": units.count}


def bounds_of(bounds: NDArray[np.float64]) -> list[float | None]:
    """Return both bounds of an interval as plain data."""
    return [defined(bound) for bound in bounds.tolist()]


def _class_intervals(intervals: Intervals | None, position: int) -> dict[str, Any]:
    if intervals is None:
        return {}
    undefined = {name: int(n[position]) for name, n in intervals.undefined_classes.items()}
    return {
        "intervals": {
            name: bounds_of(bounds[:, position]) for name, bounds in intervals.classes.items()
        },
        "undefined": {name: n for name, n in undefined.items() if n},
    }


def _spread(row: Mapping[str, Any]) -> dict[str, Any]:
    quartiles = [defined(value) for value in row["quartiles"]]
    return {"images": row["images"], "std": defined(row["std"]), "quartiles": quartiles}


def _entered(scores: Scores) -> dict[str, int]:
    """Count the classes and the images that enter the headline."""
    mean = metric_of(scores.convention.headline).mean
    return {"classes": scores.averaged[mean], "images": scores.averaged_images[mean]}


def _judged_images(group: Scores) -> dict[str, int]:
    """Count the images whose counts a group sums, where it is one of those that are averaged."""
    by_group = POOLINGS[group.convention.pooling].by_group
    return {"images": int((group.counts.images.total > 0).sum())} if by_group else {}


def _averaged(scores: Scores) -> dict[str, Any]:
    averaged: dict[str, Any] = {
        **_entered(scores),
        "of": len(scores.labels.names),
        "images_of": dict(scores.averaged_images),
        "absent": scores.absent,
        "excluded": scores.excluded,
    }
    if scores.convention.like:
        averaged["classes_of"] = dict(scores.averaged)
    return averaged


def _groups(scores: Scores) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "images": len(group.run.images),
            "judged": int(group.counts.images.total.sum()),
            "averaged": _entered(group) | _judged_images(group),
            "summary": {key: defined(value) for key, value in group.summary.items()},
            "classes": _classes(group),
        }
        for name, group in scores.groups.items()
    ]


def list_gates(gates: Iterable[Gate]) -> list[dict[str, Any]]:
    """Lay out gates: the bound that is asked for, the value, and whether it passed."""
    return [
        {
            "metric": gate.metric,
            **{
                name: bound
                for name in ("minimum", "maximum")
                if math.isfinite(bound := getattr(gate, name))
            },
            "value": defined(gate.value),
            **(_drop(gate) if isinstance(gate, DropGate) else {}),
            "passed": gate.passed,
        }
        for gate in gates
    ]


def _drop(gate: DropGate) -> dict[str, Any]:
    return {
        "baseline": defined(gate.baseline),
        "drop": defined(gate.drop),
        "max_drop": gate.max_drop,
        **({"relative": True} if gate.relative else {}),
        **({"interval": [defined(bound) for bound in gate.interval]} if gate.interval else {}),
        **({"missing": list(gate.missing)} if gate.missing else {}),
        **({"waived": list(gate.waived)} if gate.waived else {}),
    }


def _classes(scores: Scores, objects: ObjectScores | None = None) -> list[dict[str, Any]]:
    """One row a class: counts over the whole data set, then the scores."""
    counts = scores.counts.classes
    columns: dict[str, NDArray[Any]] = {
        "support": counts.support,
        "predicted": counts.predicted,
        "tp": counts.tp,
        "fp": counts.fp,
        "fn": counts.fn,
        **{name: scores.class_scores[name] for name in METRICS},
    }
    kinds = objects.kinds if objects is not None and len(objects.kinds) > 1 else ()
    blocks = {name: objects.block(k) for k, name in enumerate(kinds)} if objects else {}
    rows = zip(*(column.tolist() for column in columns.values()), strict=True)
    return [
        {"index": index, "name": name}
        | {key: defined(value) for key, value in zip(columns, row, strict=True)}
        | _class_intervals(scores.intervals, index)
        | ({"objects": blocks[name]} if name in blocks else {})
        for index, (name, row) in enumerate(zip(scores.labels.names, rows, strict=True))
    ]
