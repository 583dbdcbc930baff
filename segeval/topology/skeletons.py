"""Skeletons of classes, and clDice: how much of each skeleton lies in the other mask.

clDice is the harmonic mean of two shares: of the skeleton of the prediction inside the truth, and
of the skeleton of the truth inside the prediction (Shit et al., CVPR 2021,
doi:10.1109/CVPR46437.2021.01629). Skeletons are those of scikit-image: in images by its variant of
Zhang and Suen 1984, in volumes by Lee et al. 1994.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from segeval.topology.parts import Parts
from segeval.topology.skimage import library


def skeleton_counts(truth: Parts, prediction: Parts) -> NDArray[np.int64]:
    """Count the pixels of the skeletons of every class, and those inside the other mask.

    Parameters
    ----------
    truth, prediction : Parts
        The classes of both sides, K each.

    Returns
    -------
    (K, 4) array of int64
        Pixels of the skeleton of the truth, of these inside the prediction, pixels of the skeleton
        of the prediction, of these inside the truth.
    """
    counts, thinned = np.zeros((len(truth.boxes), 4), np.int64), library("morphology").skeletonize
    for column, (one, other) in ((0, (truth, prediction)), (2, (prediction, truth))):
        for index, box, inside in one.pieces():
            skeleton = thinned(inside)
            matched = np.count_nonzero(skeleton & (other.mask[box] == index))
            counts[index, column : column + 2] += np.count_nonzero(skeleton), matched
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
