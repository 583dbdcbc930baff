"""Topology as it is asked for: clDice and Betti-number errors, as means over images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from segeval.counting.confusion import ClassCounts
from segeval.counting.measures import Layer
from segeval.counting.run import CountedRun
from segeval.errors import RunError
from segeval.labels.classify import ClassifiedRun
from segeval.labels.labelmap import LabelMap
from segeval.labels.measured import kept_of
from segeval.scoring.measured import counts_of_values, merged, without_counts
from segeval.settings import Unknown
from segeval.topology.betti import betti_numbers
from segeval.topology.parts import Parts
from segeval.topology.skeletons import cldice, skeleton_counts
from segeval.topology.skimage import library

NUMBER: Final = np.dtype("<i8")
SKELETON, BETTI = 4, 3  # numbers of a class: of skeletons, and of a side, cavities included
NAMES: Final = ("cldice", "betti0_error", "betti1_error", "betti2_error")


@dataclass(frozen=True, slots=True, kw_only=True)
class TopologyMeasure:
    """The skeletons of every class, and its Betti numbers on both sides."""

    kind: str = "topology"

    @property
    def definition(self) -> Mapping[str, Any]:
        """All that changes its numbers."""
        return {"skeleton": "scikit-image", "parts": "pixels that touch at corners as well"}

    def __call__(self, layers: Sequence[Layer], spacing: tuple[float, ...] | None) -> bytes:  # noqa: ARG002 - it is of pixels
        """Count one image: ten numbers a class, those of skeletons, of truth, of prediction."""
        rows = []
        for truth, prediction, classes in layers:
            sides = [Parts.of(side, classes) for side in (truth, prediction)]
            betti = [betti_numbers(side) for side in sides]
            wide = [np.pad(each, ((0, 0), (0, BETTI - each.shape[1]))) for each in betti]
            rows.append(np.hstack([skeleton_counts(*sides), *wide]))
        return np.concatenate(rows).astype(NUMBER).tobytes()


@dataclass(frozen=True, slots=True, kw_only=True)
class TopologyRules:
    """clDice, and the differences of Betti numbers: of parts, holes (tunnels) and cavities."""

    option: str = "--topology"

    def __post_init__(self) -> None:
        """Refuse what cannot be done before any mask is read."""
        library("morphology")

    @property
    def measure(self) -> TopologyMeasure:
        """What has to be measured in every image."""
        return TopologyMeasure()

    @property
    def names(self) -> Sequence[str]:
        """The names of the scores."""
        return NAMES

    def signature_parts(self) -> list[str]:
        """Return what defines the scores."""
        return ["topology:skimage,corners-touch"]

    def counts(
        self, run: CountedRun, labels: LabelMap, unknown: Unknown, classified: ClassifiedRun
    ) -> dict[str, ClassCounts]:
        """Return the scores of each image and class that is on either side of it."""
        kept = kept_of(run, TopologyMeasure().kind, labels, unknown, self.option)
        table = read_table(kept.data, kept.classes)
        skeletons, errors = (
            table[..., :SKELETON],
            np.abs(table[..., SKELETON : SKELETON + BETTI] - table[..., SKELETON + BETTI :]),
        )
        values = [cldice(skeletons), *np.moveaxis(errors, -1, 0)]
        return {
            name: counts_of_values(classified, kept.arranged(np.nan_to_num(each)))
            for name, each in zip(NAMES, values, strict=True)
        }

    def block(self, run: CountedRun, scores: Mapping[str, Any]) -> dict[str, Any]:  # noqa: ARG002 - its form is that of all such scores
        """Return the scores of all classes, and their means."""
        return {"topology": merged([without_counts(scores[name]) for name in NAMES])}


def read_table(data: Sequence[bytes], classes: int) -> NDArray[np.int64]:
    """Read the numbers of N images: (N, K, 10)."""
    width = SKELETON + 2 * BETTI
    if any(len(each) != NUMBER.itemsize * width * classes for each in data):
        raise RunError("what was measured of topology is damaged; score the masks again")
    numbers = np.frombuffer(b"".join(data), NUMBER)
    return numbers.astype(np.int64).reshape(len(data), classes, width)
