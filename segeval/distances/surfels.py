"""Masks -> elements of their surface at the corners of pixels, weighted by length or area.

The corners of a 2 x 2 (x 2) square of pixels say how the surface runs through it; it is cut into
pieces by marching cubes. The areas of the 13 ways to do so, up to symmetry, are those that
surface-distance 0.1 tells (lookup_tables.py), which MONAI takes over:
https://github.com/google-deepmind/surface-distance
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from functools import cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from segeval.distances.borders import Indices
from segeval.distances.nearest import Spacing

Normal = tuple[int, ...]

CASES: Final[dict[int, dict[int, tuple[Normal, ...]]]] = {
    2: {1: ((4, 4),), 3: ((8, 0),), 6: ((4, 4), (4, 4))},
    3: {
        1: ((1, 1, 1),),
        3: ((2, 2, 0), (2, 2, 0)),
        6: ((1, 1, 1), (1, 1, 1)),
        7: ((1, 1, 1), (2, 2, 2), (4, 0, 0)),
        15: ((4, 0, 0), (4, 0, 0)),
        22: ((1, 1, 1), (1, 1, 1), (1, 1, 1)),
        23: ((1, 1, 1), (1, 1, 1), (2, 2, 2), (2, 2, 2)),
        24: ((1, 1, 1), (1, 1, 1)),
        25: ((0, 2, 2), (0, 2, 2), (1, 1, 1)),
        27: ((0, 2, 2), (1, 1, 1), (2, 0, 2), (3, 3, 3)),
        30: ((1, 1, 1), (1, 1, 1), (2, 2, 2), (4, 0, 0)),
        60: ((2, 2, 0), (2, 2, 0), (2, 2, 0), (2, 2, 0)),
        105: ((1, 1, 1), (1, 1, 1), (1, 1, 1), (1, 1, 1)),
    },
}
"""Normals of the pieces, in eighths, by the corners inside: bit 4 i + 2 j + k is (i, j, k)."""


@cache
def element_sizes(spacing: Spacing) -> NDArray[np.float64]:
    """Return the length or area of the surface in a cell, by the code of its corners.

    >>> element_sizes((1.0, 1.0))[[0, 3, 15]].tolist()
    [0.0, 1.0, 0.0]
    """
    axes = len(spacing)
    sizes = np.zeros(1 << (1 << axes))
    face = np.array([math.prod(spacing) / step for step in spacing])
    for code, normals in CASES[axes].items():
        for same, order in _symmetric(code, axes):
            turned = np.array(normals)[:, list(order)] / 8 * face
            size = np.sqrt((turned * turned).sum(axis=1)).sum()
            sizes[same] = sizes[len(sizes) - 1 - same] = size
    return sizes


def _symmetric(code: int, axes: int) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Yield the codes that turns and mirrors make of one, and how the axes are changed."""
    corners = [*itertools.product((0, 1), repeat=axes)]
    inside = [corner for bit, corner in enumerate(corners) if code >> bit & 1]
    for order in itertools.permutations(range(axes)):
        for flips in itertools.product((0, 1), repeat=axes):
            moved = [tuple(c[order[a]] ^ flips[a] for a in range(axes)) for c in inside]
            yield sum(1 << corners.index(corner) for corner in moved), order


def surface_elements(
    mask: NDArray[np.bool_], sizes: NDArray[np.float64]
) -> tuple[Indices, NDArray[np.float64]]:
    """Return the corners at which a mask has a surface, and the length or area at each.

    The corners are flat indices of a grid that is larger than the mask by one along each axis.
    """
    padded = np.pad(mask, 1)
    shape = tuple(extent + 1 for extent in mask.shape)
    codes = np.zeros(shape, np.uint8)
    for bit, corner in enumerate(itertools.product((0, 1), repeat=mask.ndim)):
        part: Any = tuple(slice(at, at + n) for at, n in zip(corner, shape, strict=True))
        codes |= padded[part].astype(np.uint8) << bit
    found = np.flatnonzero(sizes[codes.reshape(-1)])
    return found, sizes[codes.reshape(-1)[found]]
