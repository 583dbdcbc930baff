"""Masks as class maps, which are what is measured: see `segeval.counting.measures.Layer`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from segeval.counting.contingency import count_values
from segeval.counting.measures import Layer
from segeval.counting.native import settle
from segeval.counting.run import CountedRun
from segeval.labels.classify import MISSED, translate_values
from segeval.labels.labelmap import SIDES, LabelMap, Side
from segeval.labels.lookups import ValueLookup
from segeval.settings import Unknown

NARROW: Final = 253  # classes whose maps are bytes: three codes are no class


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LayerLookup:
    """How the masks of a run become a layer of K classes; fit to be sent to worker processes.

    The codes are those of a layer, and K + 2 for a predicted value for which a pixel is not judged.
    """

    truth: ValueLookup
    prediction: ValueLookup
    classes: int

    def layer(
        self, truth: NDArray[Any], prediction: NDArray[Any] | None
    ) -> tuple[Layer, NDArray[np.int64]]:
        """Make a layer of the codes of both masks; no prediction is of no class.

        The pixels of every class stand beside it, in the truth and in the prediction, (2, K).
        """
        void, nothing, skipped = (self.classes + more for more in range(3))
        if prediction is None:
            prediction = np.full(truth.shape, nothing, truth.dtype)
        totals = settle(truth, prediction, self.classes)
        if totals is not None:
            return (truth, prediction, self.classes), totals
        if skipped in self.prediction.index:
            truth = np.where(prediction == skipped, truth.dtype.type(void), truth)
        if void in self.truth.index or skipped in self.prediction.index:
            prediction = np.where(truth == void, truth.dtype.type(void), prediction)
        layer = np.ascontiguousarray(truth), np.ascontiguousarray(prediction), self.classes
        return layer, _totals(layer)


def _totals(layer: Layer) -> NDArray[np.int64]:
    """Count the pixels of every class in truth and prediction; (2, K)."""
    truth, prediction, classes = layer
    table = count_values(truth=truth, prediction=prediction)
    sides = [
        np.bincount(side, table.pixels, classes + 2)[:classes]
        for side in (table.truth, table.prediction)
    ]
    return np.stack(sides).astype(np.int64)


def layers_of(run: CountedRun, labels: LabelMap, unknown: Unknown) -> tuple[LayerLookup, ...]:
    """Return how the masks of a run become layers, by the values of the whole run."""
    if not labels.overlap:
        return (_lookup(run, labels, unknown),)
    places = range(len(labels.labels))
    return tuple(_lookup(run, labels.against_rest(place), unknown, only=1) for place in places)


def _lookup(
    run: CountedRun, labels: LabelMap, unknown: Unknown, only: int | None = None
) -> LayerLookup:
    """Return the layer of all classes, or of one of them only."""
    classes = len(labels.labels) if only is None else 1
    kind = np.uint8 if classes <= NARROW else np.int32
    sides = {}
    for side in SIDES:
        values = run.counts.values(side)
        codes = codes_of(values, labels, side, unknown, only)
        new = classes if side == "truth" else classes + 1  # it is seen, as the pixels are counted
        sides[side] = ValueLookup(values=values, index=codes.astype(kind), new=new)
    return LayerLookup(**sides, classes=classes)


def codes_of(
    values: NDArray[np.int64],
    labels: LabelMap,
    side: Side,
    unknown: Unknown,
    only: int | None = None,
) -> NDArray[np.int64]:
    """Return the codes of the values of one side of a run in a layer of all classes, or of one."""
    index = translate_values(values, labels, side)
    classes = len(labels.labels) if only is None else 1
    codes = index if only is None else np.where(index == only, 0, classes + 1)
    if side == "truth":
        return np.where(index < 0, classes, codes)
    skipped = classes + (2 if unknown == "ignore" else 1)
    return np.where(index >= 0, codes, np.where(index == MISSED, classes + 1, skipped))
