"""The generalised Dice: one score of all classes of a pool, rare classes weighing more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from segeval.metrics import ratio

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from segeval.counting.confusion import ClassCounts
    from segeval.settings import Unseen, Weighting

__all__ = ["generalized_dice"]

POWER = {"uniform": 0, "simple": 1, "square": 2}


def generalized_dice(
    counts: ClassCounts, weighting: Weighting, *, unseen: Unseen
) -> NDArray[np.float64]:
    """Score all classes of each pool together: sum w 2 tp / sum w (support + predicted).

    Parameters
    ----------
    counts : ClassCounts
        (..., K) counts.
    weighting : {"simple", "square", "uniform"}
        w is 1 / support, 1 / support^2, or 1.
    unseen : {"largest", "zero"}
        w of a class without true pixels: that of the heaviest other class, or 0.

    Returns
    -------
    (...) float64 array
        Values in [0, 1]; NaN where no class is on either side.

    References
    ----------
    Sudre et al. 2017, doi:10.1007/978-3-319-67558-9_28.
    """
    support = counts.support.astype(np.float64)
    weights = ratio(np.ones_like(support), support ** POWER[weighting])
    if unseen == "largest":
        largest = np.nanmax(np.nan_to_num(weights), axis=-1, keepdims=True, initial=0.0)
        weights = np.where(np.isnan(weights), np.where(largest > 0, largest, 1.0), weights)
    weights = np.nan_to_num(weights)
    sizes = counts.support + counts.predicted
    scores = ratio(2 * (weights * counts.tp).sum(axis=-1), (weights * sizes).sum(axis=-1))
    return np.where(sizes.sum(axis=-1) > 0, np.nan_to_num(scores), np.nan)
