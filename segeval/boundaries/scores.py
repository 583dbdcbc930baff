"""Boundary IoU as it is asked for: which widths, what is measured for them, and what that gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from segeval.boundaries.bands import band_counts
from segeval.boundaries.rows import bytes_of, rows_of
from segeval.boundaries.widths import Width, parse_widths
from segeval.counting.confusion import ClassCounts
from segeval.counting.measures import Layer
from segeval.counting.run import CountedRun
from segeval.errors import SettingError
from segeval.inputs.geometry import size_of
from segeval.labels.classify import ClassifiedRun
from segeval.labels.labelmap import LabelMap
from segeval.labels.measured import kept_of
from segeval.settings import Unknown

USUAL: Final = "2%"  # of the diagonal, as boundary-iou-api has it
KIND: Final = "boundary"


@dataclass(frozen=True, slots=True, kw_only=True)
class BandMeasure:
    """The pixels of the bands of every class, at each of some widths."""

    widths: tuple[Width, ...]

    @property
    def kind(self) -> str:
        """The key of its bytes in a run."""
        return KIND

    @property
    def definition(self) -> Mapping[str, Any]:
        """All that changes its numbers."""
        return {"widths": [str(width) for width in self.widths]}

    def __call__(self, layers: Sequence[Layer], spacing: tuple[float, ...] | None) -> bytes:  # noqa: ARG002 - bands are of pixels
        """Count one image: rows of width, class, and pixels in both bands and in both at once."""
        rows = []
        for number, width in enumerate(self.widths):
            reach = width.pixels(layers[0][0].shape)
            counts = np.concatenate([band_counts(*layer, reach) for layer in layers], axis=1)
            (there,) = np.nonzero(counts.any(axis=0))
            numbers = np.full(there.size, number)
            rows.append(np.column_stack([numbers, there, counts[:, there].T]))
        return bytes_of(rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundaryRules:
    """Boundary IoU of bands of some widths; the first one stands in the summary."""

    widths: tuple[Width, ...]

    @classmethod
    def parse(cls, text: str) -> BoundaryRules:
        """Read widths as they are typed: ``2%``, ``0.5%,5px``."""
        return cls(widths=parse_widths(text))

    @property
    def measure(self) -> BandMeasure:
        """What has to be measured in every image."""
        return BandMeasure(widths=self.widths)

    @property
    def option(self) -> str:
        """What is typed for it."""
        return f"--boundary {','.join(map(str, self.widths))}"

    @property
    def names(self) -> list[str]:
        """The score of each width: that of the first has the plain name."""
        return ["boundary_iou", *(f"boundary_iou@{width}" for width in self.widths[1:])]

    def signature_parts(self) -> list[str]:
        """Return what defines the scores.

        >>> BoundaryRules.parse("2%,5px").signature_parts()
        ['boundary:2%,5px']
        """
        return [f"boundary:{','.join(map(str, self.widths))}"]

    def counts(
        self, run: CountedRun, labels: LabelMap, unknown: Unknown, classified: ClassifiedRun
    ) -> dict[str, ClassCounts]:
        """Return the pixels of the bands of every image and class, by the name of the score."""
        kept = kept_of(run, KIND, labels, unknown, self.option)
        held = kept.definition["widths"]
        if missing := [str(width) for width in self.widths if str(width) not in held]:
            raise SettingError(
                f"--boundary {','.join(missing)}: the run holds those of {', '.join(held)}; type"
                f" --boundary {','.join(held)}, or the same score command with {self.option}, -o "
                "RUN and --resume to read the masks again"
            )
        bands = kept.arranged(band_table(kept.data, len(held), kept.classes))
        counts = {}
        for name, width in zip(self.names, self.widths, strict=True):
            truth, prediction, both = bands[held.index(str(width))]
            parts = {"support": truth, "predicted": prediction, "tp": both}
            counts[name] = replace(classified.images, **parts, squares=None, measured={})
        return counts

    def block(self, run: CountedRun, scores: Mapping[str, Any]) -> dict[str, Any]:
        """Return the scores at every width, and how many pixels that is in the images."""
        columns = (run.images.column(name) for name in ("truth_form", "height", "width"))
        shapes = {
            (size_of(form) or (width, height))[::-1]
            for form, height, width in zip(*columns, strict=True)
        }
        return {
            KIND: [
                {
                    "width": str(width),
                    "pixels": sorted({width.pixels(shape) for shape in shapes}),
                    **scores[name],
                }
                for name, width in zip(self.names, self.widths, strict=True)
            ]
        }


def band_table(data: Sequence[bytes], widths: int, classes: int) -> NDArray[np.int64]:
    """Read the bands of N images, (W, 3, N, K), as `band_counts` has them."""
    image, (width, kind, *counts) = rows_of(data, (widths, classes), 3)
    bands = np.zeros((widths, 3, len(data), classes), np.int64)
    for place, part in enumerate(counts):
        bands[width, place, image, kind] = part
    return bands
