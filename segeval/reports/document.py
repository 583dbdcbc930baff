"""Scores -> plain data: the one document that every report shows.

Its schema is ``segeval.scores/1``. Scores are fractions in full precision; undefined is None.
"""

from __future__ import annotations

import math
from collections import ChainMap
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from segeval.counting.confusion import CLASS_PARTS
from segeval.counting.kernel import counting
from segeval.distances.result import DistanceScores
from segeval.inputs.geometry import facts_of as volume_facts
from segeval.labels.labelmap import OVERLAP
from segeval.scoring.gates import DropGate, Gate
from segeval.scoring.metrics import metric_of
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
Value = TypeVar("Value")


def make_document(
    scores: Scores,
    *,
    settings: Mapping[str, Any] | None = None,
    gates: Iterable[Gate] = (),
    objects: ObjectScores | None = None,
    distances: DistanceScores | None = None,
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
        "summary": {name: defined(value) for name, value in in_summary(scores.summary)},
        **_intervals(scores.intervals),
        "spread": {name: _spread(row) for name, row in image_spread(scores).items()},
        "averaged": _averaged(scores),
        "classes": _classes(scores, objects),
        **({} if objects is None else {"objects": objects.block()}),
        **({} if distances is None else {"distances": distances.block()}),
        **_measured(scores),
        **foreground_of(scores),
        **({"groups": _groups(scores)} if scores.groups else {}),
        "confusion": _confusion(scores),
        "gates": list_gates(gates),
    }


def in_summary(values: Mapping[str, Value]) -> Iterator[tuple[str, Value]]:
    """Yield what stands in a summary: of what is measured in several ways, the first."""
    return ((name, value) for name, value in values.items() if "@" not in name)


def _measured(scores: Scores) -> dict[str, Any]:
    """Lay out what is measured in the pixels, in every way that was asked for."""
    if not scores.measures:
        return {}
    parts = {name: _measured_in(scores, name) for name in scores.counts.images.measured}
    blocks = (each.block(scores.run, parts) for each in scores.measures)
    return dict(ChainMap(*blocks))


def _measured_in(scores: Scores, name: str) -> dict[str, Any]:
    """Lay out one score of what is measured: its mean, and that of each class with its counts."""
    plain, mean = name.partition("@")[0], f"m{name}"
    counts, intervals = scores.counts.classes.measured[name], scores.intervals
    whole = {} if intervals is None else {f"m{plain}": bounds_of(intervals.means[mean])}
    rows = []
    for index, label in enumerate(scores.labels.names):
        own = {} if intervals is None else {plain: bounds_of(intervals.classes[name][:, index])}
        numbers = {part: getattr(counts, part)[index].item() for part in CLASS_PARTS}
        value = defined(float(scores.class_scores[name][index]))
        row = {"index": index, "name": label, **numbers, plain: value}
        rows.append(row | ({"intervals": own} if own else {}))
    first = {f"m{plain}": defined(scores.summary[mean])}
    return {**first, **({"intervals": whole} if whole else {}), "classes": rows}


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
    undefined = {name: n for name, n in in_summary(intervals.undefined_means) if n}
    return {
        "intervals": {name: bounds_of(bounds) for name, bounds in in_summary(intervals.means)},
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
    undefined = {n: int(many[position]) for n, many in in_summary(intervals.undefined_classes)}
    return {
        "intervals": {
            name: bounds_of(bounds[:, position]) for name, bounds in in_summary(intervals.classes)
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
        "images_of": dict(in_summary(scores.averaged_images)),
        "absent": scores.absent,
        "excluded": scores.excluded,
    }
    if scores.convention.like:
        averaged["classes_of"] = dict(in_summary(scores.averaged))
    return averaged


def _groups(scores: Scores) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "images": len(group.run.images),
            "judged": int(group.counts.images.total.sum()),
            "averaged": _entered(group) | _judged_images(group),
            "summary": {key: defined(value) for key, value in in_summary(group.summary)},
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
            **({"infinite": True} if math.isinf(gate.value) else {}),
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
        **dict(in_summary(scores.class_scores)),
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
