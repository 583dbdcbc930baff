"""The distances of a run under one label map and one set of rules."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from operator import itemgetter
from typing import Any, Final

import numpy as np

from segeval.distances.kept import DistanceTable
from segeval.distances.means import Cells, mean_cells, mean_defined, order_of
from segeval.distances.measure import DistanceMeasure, along_axes
from segeval.distances.rules import DistanceRules
from segeval.distances.values import Values
from segeval.errors import SettingError
from segeval.labels.measured import kept_of, to_measure
from segeval.scoring.beside import bounds_of, name_scores, once
from segeval.scoring.means import Summary
from segeval.scoring.sample import excluded_indices
from segeval.scoring.score import Scores
from segeval.text import defined

UNITS: Final = {
    (False, True): "px",
    (False, False): "px",
    (True, True): "mm",
    (True, False): "px or mm",
}
"""By whether some images, and whether all, say how large a pixel is."""

ORDER: Final = {
    "mean classes": "images, then classes",
    "mean images": "classes, then images",
    "mean pairs": "all classes of all images",
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DistanceScores:
    """Scores of distances, NaN where undefined; means over classes, and those of each class."""

    rules: DistanceRules
    definition: Mapping[str, Any]  # of what was measured
    signature: str  # of the run and of the rules
    unit: str  # px or mm
    order: str  # over what is averaged
    names: Sequence[str]  # of the N images
    spacing: Sequence[tuple[float, ...]]  # (N,), along z, y, x
    kinds: tuple[str, ...]  # names of the K classes
    kept: tuple[int, ...]  # positions of those in the means
    cells: Cells
    means: Summary  # of one round
    bounds: Summary | None  # (2, …); None without intervals

    def block(self) -> dict[str, Any]:
        """Return the scores as plain data."""
        whole = {name: values[0] for name, values in self.means.means.items()}
        return {
            "unit": self.unit,
            "definition": dict(self.definition) | {"means": self.order},
            "classes": [self._class(k, name) for k, name in enumerate(self.kinds)],
            "means": nested(whole)
            | infinite(whole)
            | intervals({} if self.bounds is None else self.bounds.means),
            "signature": "|".join(self.rules.signature_parts()),
        }

    def _class(self, k: int, name: str) -> dict[str, Any]:
        true, predicted = self.cells.true[:, k], self.cells.predicted[:, k]
        missed, alarms = (true & ~predicted).sum(), (predicted & ~true).sum()
        bounds = {} if self.bounds is None else self.bounds.classes
        return {
            "name": name,
            **nested({score: values[0, k] for score, values in self.means.classes.items()}),
            "images": int((true | predicted).sum()),
            "one_sided": int(missed + alarms),
            "missed": int(missed),
            "false_alarms": int(alarms),
            "undefined": int((~true & ~predicted).sum()),
            **infinite({score: values[0, k] for score, values in self.means.classes.items()}),
            **intervals({score: values[:, k] for score, values in bounds.items()}),
        }

    def columns(self) -> Iterator[tuple[str, str, Values]]:
        """Yield class, score and (N,) values of every score of every class."""
        for score, values in self.cells.scores.items():
            for k, name in enumerate(self.kinds):
                yield name, score, values[:, k]

    def of_image(self, number: int, position: int | None) -> dict[str, float]:
        """Return the scores of an image: those of a class, or their means over classes."""
        cells = {name: values[number] for name, values in self.cells.scores.items()}
        if position is not None:
            return {name: float(values[position]) for name, values in cells.items()}
        return {name: float(mean_defined(v[list(self.kept)])) for name, v in cells.items()}

    def spacing_of(self, number: int, *, files: object) -> tuple[float, ...] | None:
        """Return the size of a pixel with which an image was measured; None is in pixels.

        Where the unit is that of the files, these say whether there is one.
        """
        spaced = self.unit == "mm" or (self.unit != "px" and files is not None)
        return self.spacing[number] if spaced else None

    def named(self) -> dict[str, float]:
        """Return every score by its name in gates: ``hd95``, ``hd95.liver``, ``hd95.liver.low``."""
        return name_scores(self.means.map(itemgetter(0)), self.bounds, self.kinds)


def infinite(scores: Mapping[str, Any]) -> dict[str, list[str]]:
    """Name the scores that are infinite, as presets have it: plain data hold no such number.

    >>> infinite({"hd": math.inf, "hd95": math.nan, "assd": 2.0})
    {'infinite': ['hd']}
    """
    found = [name for name, value in scores.items() if math.isinf(value)]
    return {"infinite": found} if found else {}


def intervals(bounds: Mapping[str, Any]) -> dict[str, Any]:
    """Return bounds as plain data, if there are some."""
    return {"intervals": nested(bounds)} if bounds else {}


def nested(scores: Mapping[str, Any]) -> dict[str, Any]:
    """Return scores as plain data, those at tolerances by tolerance.

    >>> nested({"hd": 2.0, "nsd@1": 0.5, "nsd@2": float("nan")})
    {'hd': 2.0, 'nsd': {'1': 0.5, '2': None}}
    """
    plain: dict[str, Any] = {}
    for name, value in scores.items():
        score, at, level = name.partition("@")
        ends = np.asarray(value).tolist()
        found = [defined(end) for end in ends] if isinstance(ends, list) else defined(ends)
        if at:
            plain.setdefault(score, {})[level] = found
        else:
            plain[score] = found
    return plain


def find_table(scores: Scores, rules: DistanceRules) -> tuple[DistanceTable, Mapping[str, Any]]:
    """Return what was measured in a run for these rules, or what comes to the same.

    Borders towards void are the same where there is no void, and voxels that are as long along
    each axis may be counted instead of measured.
    """
    wanted = rules.measure
    plain = DistanceMeasure(elements=wanted.elements, spacing=rules.steps)
    other = plain.kind in scores.run.measured and wanted.kind not in scores.run.measured
    measure = plain if other else wanted
    kept = kept_of(scores.run, measure.kind, scores.labels, scores.unknown, rules.option)
    table = DistanceTable.of(kept.data, kept.classes).arranged(kept.order)
    if kept.definition["spacing"] != measure.definition["spacing"] and rules.steps is not None:
        raise SettingError(
            f"the distances of the run were measured with {_said(kept.definition)}; "
            f"{to_measure(rules.option)}"
        )
    if other and not comes_to_the_same(table, wanted):
        raise SettingError(
            f"{rules.like} needs other distances than the run holds ({wanted.kind}); "
            f"{to_measure(rules.option)}"
        )
    return (table.unspaced() if wanted.ignored else table), kept.definition


def _said(definition: Mapping[str, Any]) -> str:
    spacing = definition["spacing"]
    if isinstance(spacing, str):
        return "the spacing of the files"
    return f"--spacing {along_axes(spacing)}"


def comes_to_the_same(table: DistanceTable, wanted: DistanceMeasure) -> bool:
    """Whether what is measured by default is what is wanted, in these images."""
    cut = wanted.void == "outside" and bool(table.cut.any())
    uneven = wanted.ignored and any(len(set(steps)) > 1 for steps in table.spacing)
    return not cut and not uneven


def score_distances(scores: Scores, rules: DistanceRules) -> DistanceScores:
    """Score the distances of a run that is scored.

    There are intervals if the scores have some, from resamples of the same units.
    """
    table, definition = find_table(scores, rules)
    excluded = excluded_indices(scores.convention, scores.labels)
    kept = [k for k in range(table.count) if k not in excluded]
    cells, pooling = Cells.of(table, rules), scores.convention.pooling
    score = partial(mean_cells, cells, kept=kept, pooling=pooling)
    return DistanceScores(
        rules=rules,
        definition=definition,
        signature="|".join((scores.signature, *rules.signature_parts())),
        unit=unit_of(table),
        order=ORDER[order_of(pooling)],
        names=scores.run.images.names,
        spacing=table.spacing,
        kinds=tuple(scores.labels.names),
        kept=tuple(kept),
        cells=cells,
        means=score(once(len(cells.true))),
        bounds=bounds_of(scores, score),
    )


def unit_of(table: DistanceTable) -> str:
    """Return the unit of distances: px or mm."""
    return UNITS[bool(table.spaced.any()), bool(table.spaced.all())]
