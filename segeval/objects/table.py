"""The objects of a run, and where they overlap: columns, from its counts alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segeval.counting.counts import Counts
from segeval.counting.run import CountedRun
from segeval.labels.classify import MISSED, translate_values
from segeval.labels.labelmap import VOID, LabelMap, Side

Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Objects:
    """The objects of one side, in ascending order of image and id: columns of equal length."""

    image: Numbers  # position in the run
    id: Numbers  # the value in the file
    kind: Numbers  # position of its class among those of objects
    size: Numbers  # judged pixels
    void: Numbers  # further pixels, where the truth is void


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
    number of these is kept.
    """
    columns = run.counts
    kinds = [k for k in range(len(labels.labels)) if k != labels.background]
    number = np.full(len(labels.labels) + 1, -1)  # the last is that of no class
    number[kinds] = np.arange(len(kinds))
    truth = _classes(columns.truth, labels, "truth")
    prediction = _classes(columns.prediction, labels, "prediction")
    judged = truth != VOID
    if ignore_unknown:
        judged &= (prediction >= 0) | (prediction == MISSED)
    true, true_rows = _collect(
        columns, columns.truth, np.where(judged, number[np.maximum(truth, -1)], -1), judged
    )
    predicted, predicted_rows = _collect(
        columns, columns.prediction, number[np.maximum(prediction, -1)], judged
    )
    rows = np.flatnonzero((true_rows >= 0) & (predicted_rows >= 0) & judged)
    return ObjectTable(
        images=len(run.images),
        kinds=tuple(labels.names[k] for k in kinds),
        truth=true,
        prediction=predicted,
        overlaps=_overlaps(
            true, predicted, (true_rows[rows], predicted_rows[rows]), columns.pixels[rows]
        ),
    )


def _classes(values: Numbers, labels: LabelMap, side: Side) -> Numbers:
    distinct, position = np.unique(values, return_inverse=True)
    return translate_values(distinct, labels, side)[position]


def _collect(
    columns: Counts, values: Numbers, kind: Numbers, judged: NDArray[np.bool_]
) -> tuple[Objects, Numbers]:
    """Add up the rows of each object of a kind, and say whose each row is, or -1."""
    rows = np.flatnonzero(kind >= 0)
    rows = rows[np.lexsort((values[rows], columns.image[rows]))]
    first = np.ones(rows.size, np.bool_)
    first[1:] = (np.diff(columns.image[rows]) != 0) | (np.diff(values[rows]) != 0)
    owner, starts = np.full(values.size, -1), rows[first]
    owner[rows] = np.cumsum(first) - 1

    def sums(chosen: NDArray[np.bool_]) -> Numbers:
        held = rows[chosen[rows]]
        return np.bincount(owner[held], columns.pixels[held], starts.size).astype(np.int64)

    objects = Objects(
        image=columns.image[starts],
        id=values[starts],
        kind=kind[starts],
        size=sums(judged),
        void=sums(~judged),
    )
    return objects, owner


def _overlaps(
    truth: Objects, prediction: Objects, owners: tuple[Numbers, Numbers], pixels: Numbers
) -> Overlaps:
    alike = truth.kind[owners[0]] == prediction.kind[owners[1]]
    t, p, shared = owners[0][alike], owners[1][alike], pixels[alike]
    return Overlaps(
        truth=t,
        prediction=p,
        pixels=shared,
        iou=shared / (truth.size[t] + prediction.size[p] - shared),
    )
