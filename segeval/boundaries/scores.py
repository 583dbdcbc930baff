"""Boundary IoU: what is measured for it, and what that gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from segeval.boundaries.bands import band_counts
from segeval.boundaries.rows import bytes_of, rows_of
from segeval.boundaries.rules import WidthRules
from segeval.boundaries.widths import Width
from segeval.counting.measures import Layer
from segeval.labels.measured import Kept


@dataclass(frozen=True, slots=True, kw_only=True)
class BandMeasure:
    """The pixels of the bands of every class, at each of some widths."""

    widths: tuple[Width, ...]

    @property
    def kind(self) -> str:
        """The key of its bytes in a run."""
        return BoundaryRules.kind

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
class BoundaryRules(WidthRules):
    """Boundary IoU of bands of some widths.

    >>> BoundaryRules.parse("2%,5px").signature_parts()
    ['boundary:2%,5px']
    """

    kind: ClassVar[str] = "boundary"
    scores: ClassVar[tuple[str, ...]] = ("boundary_iou",)

    @property
    def measure(self) -> BandMeasure:
        """What has to be measured in every image."""
        return BandMeasure(widths=self.widths)

    def tables(self, kept: Kept, widths: int) -> Sequence[Mapping[str, Any]]:
        """Return the pixels of bands."""
        bands = kept.arranged(band_table(kept.data, widths, kept.classes))
        return [dict(zip(("support", "predicted", "tp"), each, strict=True)) for each in bands]


def band_table(data: Sequence[bytes], widths: int, classes: int) -> NDArray[np.int64]:
    """Read the bands of N images, (W, 3, N, K), as `band_counts` has them."""
    image, (width, kind, *counts) = rows_of(data, (widths, classes), 3)
    bands = np.zeros((widths, 3, len(data), classes), np.int64)
    for place, part in enumerate(counts):
        bands[width, place, image, kind] = part
    return bands
