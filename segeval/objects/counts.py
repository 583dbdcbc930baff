"""Matches become counts, by image, class and size: all that object scores are made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segeval.objects.matching import assign, match
from segeval.objects.rules import PANOPTIC, ObjectRules
from segeval.objects.table import Numbers, Objects, ObjectTable, Overlaps


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ObjectCounts:
    """Counts of N images and K classes, in B bins of size or without that axis.

    The first bin holds objects that are smaller than every bin that is asked for.

    Attributes
    ----------
    tp, fp, fn, iou, dice : (N, K, B, T) arrays
        Matches, predicted and true objects without one, and sums of IoU and Dice of the matches.
    merges, splits : (N, K, B) arrays
        Predicted objects that hold most of several true ones, and true of several predicted.
    shared, united : (N, K, B) arrays
        Pixels above and below the line of the aggregated Jaccard index.
    """

    tp: NDArray[np.int64]
    fp: NDArray[np.int64]
    fn: NDArray[np.int64]
    iou: NDArray[np.float64]
    dice: NDArray[np.float64]
    merges: NDArray[np.int64]
    splits: NDArray[np.int64]
    shared: NDArray[np.int64]
    united: NDArray[np.int64]

    def map(self, change: Callable[[NDArray[Any]], NDArray[Any]]) -> ObjectCounts:
        """Return the counts with every array changed in the same way."""
        return ObjectCounts(**{f.name: change(getattr(self, f.name)) for f in fields(self)})

    @staticmethod
    def joined(one: ObjectCounts, other: ObjectCounts) -> ObjectCounts:
        """Return the counts of the images of both, one after another."""
        names = [each.name for each in fields(ObjectCounts)]
        parts = {n: np.concatenate((getattr(one, n), getattr(other, n))) for n in names}
        return ObjectCounts(**parts)


def count_objects(table: ObjectTable, rules: ObjectRules) -> ObjectCounts:
    """Match the objects at every threshold, and count. A match has the size of its true object."""
    cells = _Cells(table, rules)
    matches = [match(table, rules, threshold) for threshold in rules.thresholds]
    overlaps, large = table.overlaps, table.truth.size >= rules.smallest
    found = [each[large[overlaps.truth[each]]] for each in matches]
    everyone = cells.add(cells.truth[large])
    tp = [cells.add(cells.truth[overlaps.truth[each]]) for each in found]
    iou, dice = (
        np.stack([cells.add(cells.truth[overlaps.truth[m]], each[m]) for m in found], axis=-1)
        for each in (overlaps.iou, 2 * overlaps.iou / (1 + overlaps.iou))
    )
    shared, united = _aggregated(cells, rules)
    return ObjectCounts(
        tp=np.stack(tp, axis=-1),
        fp=np.stack([_unmatched(cells, each) for each in matches], axis=-1),
        fn=np.stack([everyone - each for each in tp], axis=-1),
        iou=iou,
        dice=dice,
        merges=cells.add(cells.prediction, _holds_several(overlaps, table, "truth")),
        splits=cells.add(cells.truth, _holds_several(overlaps, table, "prediction")),
        shared=shared,
        united=united,
    )


class _Cells:
    """The image, class and bin of every object, as one number."""

    def __init__(self, table: ObjectTable, rules: ObjectRules) -> None:
        self.table = table
        self.shape = (table.images, len(table.kinds), 1 + len(rules.sizes))
        self.truth, self.prediction = (
            self._of(side, rules) for side in (table.truth, table.prediction)
        )

    def _of(self, side: Objects, rules: ObjectRules) -> Numbers:
        """Return the cell of each object."""
        bins = np.searchsorted(rules.sizes, side.size, side="right")
        return np.asarray((side.image * self.shape[1] + side.kind) * self.shape[2] + bins)

    def add(self, cells: Numbers, values: NDArray[Any] | None = None) -> NDArray[Any]:
        """Count, or add up values, by image, class and bin."""
        sums = np.bincount(cells, values, int(np.prod(self.shape)))
        whole = values is None or values.dtype.kind in "iub"
        return (sums.astype(np.int64) if whole else sums).reshape(self.shape)


def _unmatched(cells: _Cells, matches: Numbers) -> NDArray[Any]:
    """Count predicted objects without a match, but for those of which void or crowd hides most."""
    side = cells.table.prediction
    wrong = 2 * side.excused <= side.whole
    wrong[cells.table.overlaps.prediction[matches]] = False
    return cells.add(cells.prediction[wrong])


def _holds_several(overlaps: Overlaps, table: ObjectTable, parts: str) -> NDArray[np.int64]:
    """Say of each object of one side whether it holds more than half of two of the other side."""
    other = "prediction" if parts == "truth" else "truth"
    part, whole = getattr(overlaps, parts), getattr(overlaps, other)
    most = 2 * overlaps.pixels > getattr(table, parts).size[part]
    held = np.bincount(whole[most], minlength=getattr(table, other).size.size)
    return (held > 1).astype(np.int64)


def _aggregated(cells: _Cells, rules: ObjectRules) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the pixels of the aggregated Jaccard index: those shared, and those of the union."""
    pairs = _partners(cells.table, rules)
    truth, prediction = cells.table.truth.size, cells.table.prediction.size
    overlaps = cells.table.overlaps
    shared = cells.add(cells.truth[overlaps.truth[pairs]], overlaps.pixels[pairs])
    if rules.aji == "assigned":  # of both foregrounds
        common = cells.add(cells.truth[overlaps.truth], overlaps.pixels)
        return shared, cells.add(cells.truth, truth) + cells.add(
            cells.prediction, prediction
        ) - common
    union, nobody = truth.copy(), np.ones(prediction.size, np.bool_)
    theirs = overlaps.prediction[pairs]
    union[overlaps.truth[pairs]] += prediction[theirs] - overlaps.pixels[pairs]
    nobody[theirs] = False
    alone = cells.add(cells.prediction[nobody], prediction[nobody])
    return shared, cells.add(cells.truth, union) + alone


def _partners(table: ObjectTable, rules: ObjectRules) -> Numbers:
    """Return the overlaps that the aggregated Jaccard index takes for pairs.

    Kumar et al. 2017: each true object with the predicted one of the highest IoU, of equal ones
    that of the lowest id, whether it is another's already or not.
    """
    if rules.aji == "assigned":
        return assign(table, PANOPTIC)
    overlaps = table.overlaps
    order = np.lexsort((overlaps.prediction, -overlaps.iou, overlaps.truth))
    first = np.ones(order.size, np.bool_)
    first[1:] = np.diff(overlaps.truth[order]) != 0
    return np.asarray(order[first])
