"""Distances as they are asked for: what is measured for them, and their means and counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segeval.counting.confusion import ClassCounts
from segeval.counting.run import CountedRun
from segeval.distances.kept import DistanceTable
from segeval.distances.measure import DistanceMeasure
from segeval.distances.rules import DistanceRules
from segeval.distances.values import score_cells, score_names
from segeval.errors import SettingError
from segeval.inputs.geometry import spacing_of
from segeval.labels.classify import ClassifiedRun
from segeval.labels.labelmap import LabelMap
from segeval.labels.measured import Kept, kept_of
from segeval.settings import Unknown
from segeval.text import defined

KEY = "distances"


@dataclass(frozen=True, kw_only=True)
class Distances:
    """Distances between the borders of every class, under some rules."""

    rules: DistanceRules
    spacing: tuple[float, ...] | None = None  # in place of that of the files

    @property
    def measure(self) -> DistanceMeasure:
        """What has to be measured in every image."""
        return replace(self.rules.measure, spacing=self.spacing)

    @property
    def option(self) -> str:
        """What is typed for it."""
        typed = f"--distances {self.rules.like}".rstrip()
        if self.spacing is None:
            return typed
        return f"{typed} --spacing {','.join(f'{step:g}' for step in self.spacing)}"

    @cached_property
    def names(self) -> list[str]:
        """The names of the scores."""
        return [*score_names(self.rules)]

    def signature_parts(self) -> list[str]:
        """Return what defines the scores."""
        said = (
            [] if self.spacing is None else [f"spacing:{','.join(f'{s:g}' for s in self.spacing)}"]
        )
        return [*self.rules.signature_parts(), *said]

    def counts(
        self, run: CountedRun, labels: LabelMap, unknown: Unknown, classified: ClassifiedRun
    ) -> dict[str, ClassCounts]:
        """Return sums of the values of each image and class, and how many these are: 1 or none."""
        kept, table = self._table(run, labels, unknown)
        counts = {}
        for name, cells in score_cells(table, self.rules).items():
            values = cells[:, kept.order]
            values[:, kept.order < 0] = np.nan
            there = ~np.isnan(values)
            counts[name] = replace(
                classified.images,
                tp=np.where(there, values, 0.0),
                support=there.astype(np.int64),
                predicted=there.astype(np.int64),
                squares=None,
                measured={},
            )
        return counts

    def _table(
        self, run: CountedRun, labels: LabelMap, unknown: Unknown
    ) -> tuple[Kept, DistanceTable]:
        kept = kept_of(run, self.measure.kind, labels, unknown, self.option)
        if self.spacing is not None and kept.definition["spacing"] != [*self.spacing]:
            raise SettingError(
                f"{self.option}: the run holds distances of the spacing "
                f"{kept.definition['spacing']}; type the same score command with {self.option}, -o "
                "RUN and --resume to read the masks again"
            )
        return kept, DistanceTable.of(kept.data, kept.classes)

    def block(
        self, run: CountedRun, labels: LabelMap, unknown: Unknown, scores: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Lay out the values of the classes, in how many images these are, and the means."""
        kept, table = self._table(run, labels, unknown)
        rows = []
        for index, (name, sides) in enumerate(zip(labels.names, _sides(table, kept), strict=True)):
            values = {
                score: part["classes"][index][score.partition("@")[0]]
                for score, part in scores.items()
            }
            rows.append({"index": index, "name": name, **_nested(values), **sides})
        means = _nested({n: part[f"m{n.partition('@')[0]}"] for n, part in scores.items()})
        return {
            KEY: {
                "unit": self._unit(run, kept),
                "definition": {**kept.definition, "rules": self.signature_parts()},
                "classes": rows,
                "means": means,
            }
        }

    def _unit(self, run: CountedRun, kept: Kept) -> str:
        spacing = kept.definition["spacing"]
        forms = set(run.images.column("truth_form")) if spacing == "files" else set()
        in_mm = isinstance(spacing, list) or any(spacing_of(form) for form in forms)
        return "mm" if in_mm else "px"


def _nested(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values by name, those at several tolerances below the name that they share."""
    found: dict[str, Any] = {}
    for score, value in values.items():
        name, at, way = score.partition("@")
        if at:
            found.setdefault(name, {})[way] = value
        else:
            found[name] = value
    return found


def _sides(table: DistanceTable, kept: Kept) -> list[dict[str, Any]]:
    """Count the images by the sides on which each class has a border."""
    truth, prediction = (_there(table, side)[:, kept.order] for side in (0, 1))
    known = kept.order >= 0
    truth, prediction = truth & known, prediction & known
    images = len(truth)
    rows = []
    for one, two in zip(truth.T, prediction.T, strict=True):
        held = int(one.sum())
        missed, alarms = int((one & ~two).sum()), int((two & ~one).sum())
        rows.append(
            {
                "images": int((one | two).sum()),
                "one_sided": missed + alarms,
                "undefined": images - int((one | two).sum()),
                "miss_rate": defined(missed / held) if held else None,
                "false_alarm_rate": defined(alarms / (images - held)) if held < images else None,
            }
        )
    return rows


def _there(table: DistanceTable, side: int) -> NDArray[np.bool_]:
    """Whether each image has a border of each class on a side, (N, K)."""
    found = np.zeros((len(table.diagonal), table.count), np.bool_)
    rows = table.sizes[:, side] > 0
    found[table.image[rows], table.kind[rows]] = True
    return found
