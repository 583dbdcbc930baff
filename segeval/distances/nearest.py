"""Two sets of grid points -> how far each point of one is from the nearest of the other.

A k-d tree over the points is the fastest for borders, whose pixels are few. Where they fill the
image, or thousands of targets are about equally far, a distance transform of the box is faster.
"""

from __future__ import annotations

import math
import time
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from segeval.distances.borders import Indices

Spacing = tuple[float, ...]
Steps = NDArray[np.intp]  # (n, axes); indices along each axis

SEARCH, BUILD, TRANSFORM = 5e-7, 4e-7, 1e-7
"""Seconds of a query where borders are near, of a point of the tree, and of a voxel of a box."""

SAMPLE: Final = 64  # queries that are timed
WORTH_TIMING: Final = 4096  # queries from which on some are


def distances_between(
    points: Indices, targets: Indices, shape: tuple[int, ...], spacing: Spacing | None
) -> NDArray[Any]:
    """Return the distance of each point to the nearest target; both are flat indices of a grid.

    Squared whole numbers of pixels where there is no spacing. Else differences of indices are
    taken first and are multiplied by the spacing, so that equal steps are equal distances.
    """
    here, there = (np.stack(np.unravel_index(flat, shape)) for flat in (points, targets))
    low = np.minimum(here.min(axis=1), there.min(axis=1))
    box = tuple((np.maximum(here.max(axis=1), there.max(axis=1)) - low + 1).tolist())
    here, there = here.T.copy(), there.T.copy()
    transform = TRANSFORM * math.prod(box)
    if SEARCH * len(here) + BUILD * len(there) < transform:
        found = _by_tree(here, there, spacing, transform)
        if found is not None:
            return found
    return _by_transform(here - low, there - low, box, spacing)


def _by_tree(
    here: Steps, there: Steps, spacing: Spacing | None, most: float
) -> NDArray[Any] | None:
    """Ask a k-d tree, unless it takes longer than the most, in seconds; the answer is the same."""
    from scipy.spatial import cKDTree

    scale = np.ones(here.shape[1]) if spacing is None else np.array(spacing)
    tree, queries = cKDTree(there * scale, balanced_tree=False, compact_nodes=False), here * scale
    if len(here) > WORTH_TIMING:
        start = time.perf_counter()
        tree.query(queries[:: len(here) // SAMPLE])
        if len(here) / SAMPLE * (time.perf_counter() - start) > most:
            return None
    far, nearest = tree.query(queries)
    if spacing is None:
        return _squares(far)
    steps = (here - there[nearest]) * scale
    return np.asarray(np.sqrt((steps * steps).sum(axis=-1)))


def _by_transform(
    here: Steps, there: Steps, box: tuple[int, ...], spacing: Spacing | None
) -> NDArray[Any]:
    """Ask a distance transform of the box of both."""
    from scipy.ndimage import distance_transform_edt

    outside = np.ones(box, np.bool_)
    outside[tuple(there.T)] = False
    far = distance_transform_edt(outside, sampling=spacing)[tuple(here.T)]
    return _squares(far) if spacing is None else far


def _squares(far: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.rint(far * far).astype(np.int64)
