"""Boundary F: edges of each image and class, matched within a disk, as a mean over images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from segeval.boundaries.edges import KIND, SHARE, EdgeMeasure, boundary_f, edge_reach, edge_table
from segeval.counting.confusion import ClassCounts
from segeval.counting.run import CountedRun
from segeval.labels.classify import ClassifiedRun
from segeval.labels.labelmap import LabelMap
from segeval.labels.measured import kept_of
from segeval.scoring.measured import counts_of_values, without_counts
from segeval.settings import Unknown

NAME: Final = "boundary_f"


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeRules:
    """Boundary F, as DAVIS has it for one object."""

    option: str = "--boundary-f"

    @property
    def measure(self) -> EdgeMeasure:
        """What has to be measured in every image."""
        return EdgeMeasure()

    @property
    def names(self) -> list[str]:
        """The name of the score."""
        return [NAME]

    def signature_parts(self) -> list[str]:
        """Return what defines the score.

        >>> EdgeRules().signature_parts()
        ['boundary-f:0.8%']
        """
        return [f"boundary-f:{SHARE:.1%}"]

    def counts(
        self, run: CountedRun, labels: LabelMap, unknown: Unknown, classified: ClassifiedRun
    ) -> dict[str, ClassCounts]:
        """Return F of each image and class, and where there is one: 1 or none.

        A class that an image holds on neither side has none; one without edges on both sides has 1.
        """
        kept = kept_of(run, KIND, labels, unknown, self.option)
        table = edge_table(kept.data, kept.classes).transpose(2, 0, 1)
        f = boundary_f(kept.arranged(table).transpose(1, 2, 0))[..., 2]
        return {NAME: counts_of_values(classified, f)}

    def block(self, run: CountedRun, scores: Mapping[str, Any]) -> dict[str, Any]:
        """Return the scores, and how far an edge is looked for in the images, in pixels."""
        shapes = set(zip(run.images.column("height"), run.images.column("width"), strict=True))
        reach = {"reach": f"{SHARE:.1%}", "pixels": sorted({edge_reach(shape) for shape in shapes})}
        return {NAME: {**reach, **without_counts(scores[NAME])}}
