"""Scores near borders as they are asked for: at which widths, and what a document says of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

from segeval.boundaries.widths import Width, parse_widths
from segeval.counting.confusion import ClassCounts
from segeval.counting.measures import Measure
from segeval.counting.run import CountedRun
from segeval.inputs.geometry import size_of
from segeval.labels.classify import ClassifiedRun
from segeval.labels.labelmap import LabelMap
from segeval.labels.measured import Kept, kept_of
from segeval.scoring.measured import merged
from segeval.settings import Unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class WidthRules:
    """Scores of pixels near borders at some widths; those of the first stand in the summary."""

    kind: ClassVar[str]  # of the measure, of the option, and of the part of a document
    scores: ClassVar[tuple[str, ...]]  # made of the counts of each width

    widths: tuple[Width, ...]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read widths as they are typed: ``2%``, ``0.5%,5px``."""
        return cls(widths=parse_widths(text))

    @property
    def measure(self) -> Measure:
        """What has to be measured in every image."""
        raise NotImplementedError

    def tables(self, kept: Kept, widths: int) -> Sequence[Mapping[str, Any]]:
        """Return the counts that differ from those of whole images, of each width that is kept."""
        raise NotImplementedError

    @property
    def stated(self) -> str:
        """The widths as they are typed."""
        return ",".join(map(str, self.widths))

    @property
    def option(self) -> str:
        """What is typed for it."""
        return f"--{self.kind} {self.stated}"

    @property
    def names(self) -> list[str]:
        """The scores of each width: those of the first have plain names."""
        return [name for width in self.widths for name in self._names_of(width)]

    def _names_of(self, width: Width) -> list[str]:
        way = "" if width == self.widths[0] else f"@{width}"
        return [f"{name}{way}" for name in self.scores]

    def signature_parts(self) -> list[str]:
        """Return what defines the scores, such as ``boundary:2%,5px``."""
        return [f"{self.kind}:{self.stated}"]

    def counts(
        self, run: CountedRun, labels: LabelMap, unknown: Unknown, classified: ClassifiedRun
    ) -> dict[str, ClassCounts]:
        """Return the pixels near borders of every image and class, by the name of the score."""
        widths = [str(width) for width in self.widths]
        kept = kept_of(run, self.kind, labels, unknown, self.option, widths=widths)
        held = kept.definition["widths"]
        tables = self.tables(kept, len(held))
        counts: dict[str, ClassCounts] = {}
        for width in self.widths:
            parts = tables[held.index(str(width))]
            own = replace(classified.images, **parts, squares=None, measured={})
            counts |= dict.fromkeys(self._names_of(width), own)
        return counts

    def block(self, run: CountedRun, scores: Mapping[str, Any]) -> dict[str, Any]:
        """Return the scores at every width, and how many pixels that is in the images."""
        columns = (run.images.column(name) for name in ("truth_form", "height", "width"))
        shapes = {
            (size_of(form) or (width, height))[::-1]
            for form, height, width in zip(*columns, strict=True)
        }
        return {
            self.kind: [
                {
                    "width": str(width),
                    "pixels": sorted({width.pixels(shape) for shape in shapes}),
                    **merged([scores[name] for name in self._names_of(width)]),
                }
                for width in self.widths
            ]
        }
