"""Skeletons of classes, and clDice: how much of each skeleton lies in the other mask.

clDice is the harmonic mean of two shares: of the skeleton of the prediction inside the truth, and
of the skeleton of the truth inside the prediction (Shit et al., CVPR 2021,
doi:10.1109/CVPR46437.2021.01629). Skeletons are those of scikit-image: in images by its variant of
Zhang and Suen 1984, in volumes by Lee et al. 1994.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from segeval.topology.skimage import library


def skeleton_counts(
    truth: NDArray[Any], prediction: NDArray[Any], classes: int
) -> NDArray[np.int64]:
    """Count the pixels of the skeletons of every class, and those inside the other mask.

    Parameters
    ----------
    truth, prediction : (H, W) or (D, H, W) arrays of int
        Index of the class of each pixel; what is not below ``classes`` is of none.
    classes : int
        Number of classes, K.

    Returns
    -------
    (K, 4) array of int64
        Pixels of the skeleton of the truth, of these inside the prediction, pixels of the skeleton
        of the prediction, of these inside the truth.
    """
    counts = np.zeros((classes, 4), np.int64)
    for column, (one, other) in ((0, (truth, prediction)), (2, (prediction, truth))):
        for index in range(classes):
            inside = one == index
            places = _box_of(inside)
            if places is not None:
                skeleton = library("morphology").skeletonize(inside[places])
                matched = np.count_nonzero(skeleton & (other[places] == index))
                counts[index, column : column + 2] = np.count_nonzero(skeleton), matched
    return counts


def cldice(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return clDice, (..., K), of counts (..., K, 4) of `skeleton_counts`.

    Undefined (NaN) if neither side has a skeleton, 0 if one side has none or nothing overlaps.
    """
    truth, truth_inside, prediction, prediction_inside = np.moveaxis(
        counts.astype(np.float64), -1, 0
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        sensitivity, precision = truth_inside / truth, prediction_inside / prediction
        mean = 2 * precision * sensitivity / (precision + sensitivity)
    nowhere = (truth == 0) & (prediction == 0)
    return np.where(nowhere, np.nan, np.where(np.isfinite(mean), mean, 0.0))


def _box_of(inside: NDArray[np.bool_]) -> tuple[slice, ...] | None:
    """Return where the pixels of a class lie, with nothing around them, if there are any."""
    box = []
    for axis in range(inside.ndim):
        others = tuple(each for each in range(inside.ndim) if each != axis)
        found = np.flatnonzero(inside.any(axis=others))
        if not found.size:
            return None
        box.append(slice(int(found[0]), int(found[-1]) + 1))
    return tuple(box)
