"""Which object is which: one to one matches of true and predicted objects."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from segeval.errors import SettingError
from segeval.objects.rules import PANOPTIC, ObjectRules
from segeval.objects.table import Numbers, ObjectTable, Overlaps


def match(table: ObjectTable, rules: ObjectRules, threshold: float) -> Numbers:
    """Return the positions of the overlaps that are matches, in ascending order.

    An object whose only candidate has no other is matched at once. Above 0.5 that is every one, as
    two objects cannot share more than half of a third. At 0.5 two can halve one, and the first of
    them is taken; below, the rules say which.
    """
    iou = table.overlaps.iou
    fits = iou > threshold if rules.strict else iou >= threshold
    held = np.flatnonzero(fits)
    alone = _count(table.overlaps.truth, held) + _count(table.overlaps.prediction, held) == 2
    clear: Numbers = held[alone]
    disputed: Numbers = held[~alone]
    if not disputed.size:
        return clear
    if threshold >= PANOPTIC or rules.matching == "greedy":
        found = _highest_first(table.overlaps, disputed)
    else:
        found = _as_many(table, fits, clear, disputed)
    return np.sort(np.concatenate((clear, found)))


def assign(table: ObjectTable, threshold: float) -> Numbers:
    """Return the overlaps of an assignment of all objects, also of those below the threshold."""
    everything = np.arange(table.overlaps.iou.size)
    fits, nothing = table.overlaps.iou >= threshold, everything[:0]
    return _assigned(table, fits, everything) if everything.size else nothing


def _count(ends: Numbers, held: Numbers) -> NDArray[np.int64]:
    """Count, for each overlap that is held, those that end in the same object."""
    return np.bincount(ends[held])[ends[held]] if held.size else held


def _highest_first(overlaps: Overlaps, held: Numbers) -> Numbers:
    """Match the highest IoU, then the highest of what is left; of equal ones the first."""
    left = held[np.argsort(-overlaps.iou[held], kind="stable")]
    matched = []
    while left.size:
        places = np.arange(left.size)
        best = (_first(overlaps.truth[left]) == places) & (
            _first(overlaps.prediction[left]) == places
        )
        taken = left[best]
        matched.append(taken)
        gone = np.isin(overlaps.truth[left], overlaps.truth[taken])
        gone |= np.isin(overlaps.prediction[left], overlaps.prediction[taken])
        left = left[~gone]
    return np.concatenate(matched)


def _first(ends: Numbers) -> Numbers:
    """Say, for each end, where the first equal one stands."""
    _, first, position = np.unique(ends, return_index=True, return_inverse=True)
    return np.asarray(first[position])


def _as_many(
    table: ObjectTable, fits: NDArray[np.bool_], clear: Numbers, disputed: Numbers
) -> Numbers:
    """Match as many disputed objects as can be, then those of the highest IoU altogether.

    As in `stardist`, overlaps below the threshold are part of that sum. Only images in which
    there is a dispute are looked at.
    """
    overlaps = table.overlaps
    image = table.truth.image[overlaps.truth]
    left = np.isin(image, image[disputed])
    left &= ~np.isin(overlaps.truth, overlaps.truth[clear])
    left &= ~np.isin(overlaps.prediction, overlaps.prediction[clear])
    found = _assigned(table, fits, np.flatnonzero(left))
    return found[fits[found]]


def _assigned(table: ObjectTable, fits: NDArray[np.bool_], held: Numbers) -> Numbers:
    """Assign the objects of each image by the least cost of -[fits] - IoU / (2 min(n, m))."""
    image = table.truth.image[table.overlaps.truth[held]]
    parts = np.split(held, np.flatnonzero(np.diff(image)) + 1)
    return np.concatenate([_assigned_in_image(table.overlaps, fits, part) for part in parts])


def _assigned_in_image(overlaps: Overlaps, fits: NDArray[np.bool_], held: Numbers) -> Numbers:
    """Solve one image, with a column for each true object that says that it has no match."""
    csr_array, solve = _solver()
    truths, row = np.unique(overlaps.truth[held], return_inverse=True)
    predictions, column = np.unique(overlaps.prediction[held], return_inverse=True)
    rows, columns = truths.size, predictions.size
    gain = fits[held] + overlaps.iou[held] / (2 * min(rows, columns))
    spare = np.arange(rows)
    costs = csr_array(
        (
            np.concatenate((2 - gain, np.full(rows, 2.0))),
            (np.concatenate((row, spare)), np.concatenate((column, columns + spare))),
        ),
        shape=(rows, columns + rows),
    )
    truth, prediction = solve(costs)
    pairs = truth[prediction < columns] * columns + prediction[prediction < columns]
    return held[np.isin(row * columns + column, pairs)]


def _solver() -> tuple[Any, Any]:
    """Import the assignment of SciPy, which matches below 0.5 need."""
    try:
        from scipy.sparse import csr_array
        from scipy.sparse.csgraph import min_weight_full_bipartite_matching
    except ImportError:
        raise SettingError(
            "matching objects at an IoU below 0.5 needs SciPy; type "
            '`pip install "segeval-masks[objects]"`, or --iou-thresholds of 0.5 or more'
        ) from None
    return csr_array, min_weight_full_bipartite_matching
