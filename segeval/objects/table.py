"""The objects of a run, and where they overlap: columns, from its counts alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segeval.counting.counts import Counts
from segeval.counting.run import CountedRun
from segeval.labels.classify import MISSED, translate_values
from segeval.labels.labelmap import VOID, LabelMap, Side
from segeval.values import OBJECT, OUTSIDE, class_values, is_crowd, is_object, object_ids

Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Objects:
    """The objects of one side, in ascending order of image and id: columns of equal length."""

    image: Numbers  # position in the run
    id: Numbers  # the value in the file
    kind: Numbers  # position of its class among those of objects
    size: Numbers  # judged pixels
    excused: Numbers  # pixels where the truth is void, or a crowd of its class
    whole: Numbers  # all pixels


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Overlaps:
    """Pairs of objects of one image and class with a pixel in common."""

    truth: Numbers  # position among the objects of the truth, ascending
    prediction: Numbers
    pixels: Numbers
    iou: NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ObjectTable:
    """All objects of a run."""

    images: int
    kinds: tuple[str, ...]  # names of the classes of objects
    truth: Objects
    prediction: Objects
    overlaps: Overlaps


def find_objects(run: CountedRun, labels: LabelMap, *, ignore_unknown: bool = False) -> ObjectTable:
    """Take every value of a class other than the background for an object.

    Pixels whose truth is void are not judged: a predicted object has only the others, but the
    number of these is kept. Crowds are no true objects, and are judged.
    """
    columns = run.finest
    kinds = [k for k in range(len(labels.labels)) if k != labels.background]
    number = np.full(len(labels.labels) + 1, -1)  # the last is that of no class
    number[kinds] = np.arange(len(kinds))
    rows = _Rows(columns, labels, number, ignore_unknown=ignore_unknown)
    true, true_rows = _collect(columns, _owners(columns.truth), rows, rows.true)
    predicted, predicted_rows = _collect(columns, _owners(columns.prediction), rows, rows.predicted)
    both = np.flatnonzero((true_rows >= 0) & (predicted_rows >= 0) & rows.judged)
    return ObjectTable(
        images=len(run.images),
        kinds=tuple(labels.names[k] for k in kinds),
        truth=true,
        prediction=predicted,
        overlaps=_overlaps(
            true, predicted, (true_rows[both], predicted_rows[both]), columns.pixels[both]
        ),
    )


class _Rows:
    """What the two values of every row of counts are: of which kind, judged or not."""

    def __init__(
        self, columns: Counts, labels: LabelMap, number: Numbers, *, ignore_unknown: bool
    ) -> None:
        truth, crowd = _classes(columns.truth, labels, "truth")
        prediction, _ = _classes(columns.prediction, labels, "prediction")
        self.judged = (truth != VOID) | (crowd != VOID)
        if ignore_unknown:
            self.judged &= (prediction >= 0) | (prediction == MISSED)
        self.true = np.where(self.judged, number[np.maximum(truth, -1)], -1)
        self.predicted = number[np.maximum(prediction, -1)]
        crowds = number[np.maximum(crowd, -1)]
        self.excused = ~self.judged | ((crowds >= 0) & (crowds == self.predicted))


def _classes(values: Numbers, labels: LabelMap, side: Side) -> tuple[Numbers, Numbers]:
    """Return the class of every value, and that of crowds, which are `VOID` for others."""
    distinct, position = np.unique(values, return_inverse=True)
    crowds = np.where(is_crowd(distinct), class_values(distinct, crowds=True), OUTSIDE)
    found = (translate_values(each, labels, side) for each in (class_values(distinct), crowds))
    index, crowd = (each[position] for each in found)
    return index, crowd


def _owners(values: Numbers) -> Numbers:
    """Return what all values of one object share: a component can hold several."""
    return np.where(is_object(values), OBJECT + object_ids(values), values)


def _collect(
    columns: Counts, values: Numbers, rows: _Rows, kind: Numbers
) -> tuple[Objects, Numbers]:
    """Add up the rows of each object of a kind, and say whose each row is, or -1."""
    held = np.flatnonzero(kind >= 0)
    held = held[np.lexsort((values[held], columns.image[held]))]
    first = np.ones(held.size, np.bool_)
    first[1:] = (np.diff(columns.image[held]) != 0) | (np.diff(values[held]) != 0)
    owner, starts = np.full(values.size, -1), held[first]
    owner[held] = np.cumsum(first) - 1

    def sums(chosen: NDArray[np.bool_]) -> Numbers:
        part = held[chosen[held]]
        return np.bincount(owner[part], columns.pixels[part], starts.size).astype(np.int64)

    objects = Objects(
        image=columns.image[starts],
        id=object_ids(values[starts]),
        kind=kind[starts],
        size=sums(rows.judged),
        excused=sums(rows.excused),
        whole=sums(np.ones(values.size, np.bool_)),
    )
    return objects, owner


def _overlaps(
    truth: Objects, prediction: Objects, owners: tuple[Numbers, Numbers], pixels: Numbers
) -> Overlaps:
    alike = truth.kind[owners[0]] == prediction.kind[owners[1]]
    number = max(1, prediction.id.size)
    pairs, place = np.unique((owners[0] * number + owners[1])[alike], return_inverse=True)
    shared = np.bincount(place, pixels[alike], pairs.size).astype(np.int64)
    t, p = np.divmod(pairs, number)
    return Overlaps(
        truth=t,
        prediction=p,
        pixels=shared,
        iou=shared / (truth.size[t] + prediction.size[p] - shared),
    )
