"""Trimaps: what all scores are counted from, over the pixels near an edge of the truth alone.

Csurka et al., What is a good evaluation measure for semantic segmentation?, BMVC 2013; Kohli et
al., Robust Higher Order Potentials for Enforcing Label Consistency, IJCV 2009.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from segeval.boundaries.bands import trimap_counts
from segeval.boundaries.rows import bytes_of, rows_of, summed
from segeval.boundaries.rules import WidthRules
from segeval.boundaries.widths import Width
from segeval.counting.confusion import CLASS_PARTS
from segeval.counting.measures import Layer
from segeval.counting.run import CountedRun
from segeval.labels.measured import Kept


@dataclass(frozen=True, slots=True, kw_only=True)
class TrimapMeasure:
    """Pairs of classes near an edge of the truth, at each of some distances."""

    widths: tuple[Width, ...]

    @property
    def kind(self) -> str:
        """The key of its bytes in a run."""
        return TrimapRules.kind

    @property
    def definition(self) -> Mapping[str, Any]:
        """All that changes its numbers."""
        return {"widths": [str(width) for width in self.widths]}

    def __call__(self, layers: Sequence[Layer], spacing: tuple[float, ...] | None) -> bytes:  # noqa: ARG002 - trimaps are of pixels
        """Count one image: rows of width, truth, prediction and pixels; the last class is none.

        Of classes that overlap each has a trimap of its own, and what is no class on both sides
        is left out.
        """
        classes = sum(count for *_, count in layers)
        rows = []
        for number, width in enumerate(self.widths):
            first = 0
            for truth, prediction, count in layers:
                pairs = trimap_counts(truth, prediction, count, width.pixels(truth.shape))
                t, p = np.nonzero(pairs)
                if len(layers) > 1:
                    t, p = np.array([t, p])[:, np.minimum(t, p) < count]
                named = (np.where(side == count, classes, first + side) for side in (t, p))
                rows.append(np.column_stack([np.full(t.size, number), *named, pairs[t, p]]))
                first += count
        return bytes_of(rows)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TrimapCounts:
    """The pixels of trimaps, a row a width.

    Parameters
    ----------
    support, predicted, tp
        Of each image and class, (W, N, K).
    total
        Judged pixels of each image, (W, N).
    confusion
        Of all images, rows truth, columns prediction; the last ones are of no class (W, K+1, K+1).
    """

    support: NDArray[np.int64]
    predicted: NDArray[np.int64]
    tp: NDArray[np.int64]
    total: NDArray[np.int64]
    confusion: NDArray[np.int64]

    @classmethod
    def of(cls, data: Sequence[bytes], widths: int, classes: int) -> TrimapCounts:
        """Read what was measured in N images."""
        side = classes + 1
        image, (width, truth, predicted, pixels) = rows_of(data, (widths, side, side), 1)
        shape = (widths, len(data), side)
        hit = np.where(truth == predicted, truth, classes)
        return cls(
            support=summed((width, image, truth), shape, pixels)[..., :classes],
            predicted=summed((width, image, predicted), shape, pixels)[..., :classes],
            tp=summed((width, image, hit), shape, pixels)[..., :classes],
            total=summed((width, image), shape[:2], pixels),
            confusion=summed((width, truth, predicted), (widths, side, side), pixels),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TrimapRules(WidthRules):
    """Scores of the pixels within some distances of an edge of the truth.

    >>> TrimapRules.parse("5px").option
    '--trimap 5px'
    """

    kind: ClassVar[str] = "trimap"
    scores: ClassVar[tuple[str, ...]] = (
        "trimap_iou",
        "trimap_dice",
        "trimap_precision",
        "trimap_recall",
    )

    @property
    def measure(self) -> TrimapMeasure:
        """What has to be measured in every image."""
        return TrimapMeasure(widths=self.widths)

    def tables(self, kept: Kept, widths: int) -> Sequence[Mapping[str, Any]]:
        """Return the pixels of trimaps."""
        counts = TrimapCounts.of(kept.data, widths, kept.classes)
        parts = {name: kept.arranged(getattr(counts, name)) for name in CLASS_PARTS}
        return [
            {name: part[number] for name, part in parts.items()} | {"total": counts.total[number]}
            for number in range(widths)
        ]

    def block(self, run: CountedRun, scores: Mapping[str, Any]) -> dict[str, Any]:
        """Return the scores at every width, and the pixel accuracy over all images."""
        parts = WidthRules.block(self, run, scores)[self.kind]
        sums = [
            [sum(row[name] for row in each["classes"]) for name in CLASS_PARTS] for each in parts
        ]
        return {
            self.kind: [
                {**each, "pixel_accuracy": tp / support if support else None}
                for each, (tp, support, _) in zip(parts, sums, strict=True)
            ]
        }
