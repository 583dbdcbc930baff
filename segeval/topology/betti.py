"""Betti numbers of the classes of a mask: connected parts, holes, and cavities of volumes.

A class is the union of its closed pixels, so parts touch at corners as well: 8 neighbours in an
image, 26 in a volume. Its Euler number, parts - holes (+ cavities), is the alternating sum of the
corners, edges and faces (and voxels) of the union; so holes need no second labelling.
"""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segeval.topology.parts import Parts
from segeval.topology.skimage import library


def betti_numbers(parts: Parts) -> NDArray[np.int64]:
    """Return the Betti numbers of every class.

    Parameters
    ----------
    parts : Parts
        Those of the K classes of an image or a volume.

    Returns
    -------
    (K, 2) or (K, 3) array of int64
        Parts and holes; of volumes parts, tunnels and cavities. All are 0 of an absent class.
    """
    classes, counts = len(parts.boxes), parts.counts
    padded = np.pad(parts.mask, 1, constant_values=classes)
    euler = euler_numbers(padded, classes)
    if padded.ndim == 2:
        return np.stack([counts, counts - euler], axis=1)
    cavities = np.array(
        [(box and _cavities(parts.mask[box] == k)) or 0 for k, box in enumerate(parts.boxes)],
        np.int64,
    )
    return np.stack([counts, counts + cavities - euler, cavities], axis=1)


def euler_numbers(padded: NDArray[Any], classes: int) -> NDArray[np.int64]:
    """Return the Euler number of every class, (K,), of a mask with a rim of no class."""
    euler = np.zeros(classes + 1, np.int64)
    for sides in product((1, 2), repeat=padded.ndim):  # 2: cells that lie between two pixels
        dimension = sides.count(1)
        shifted = [
            padded[
                tuple(slice(start, start + size - 1) for start, size in zip(*where, strict=True))
            ]
            for where in ((each, padded.shape) for each in product(*(range(n) for n in sides)))
        ]
        euler += (-1) ** dimension * _touching(shifted, classes)
    return euler[:classes]


def _touching(pixels: list[NDArray[Any]], classes: int) -> NDArray[np.int64]:
    """Count the cells that touch a pixel of each class, given the pixels around every cell."""
    counts = np.zeros(classes + 1, np.int64)
    for number, each in enumerate(pixels):
        new = np.ones(each.shape, bool)
        for earlier in pixels[:number]:
            new &= each != earlier
        counts += np.bincount(each[new], minlength=classes + 1)
    return counts


def _cavities(inside: NDArray[np.bool_]) -> int:
    """Count the parts of the outside of a class, in its box, that do not reach beyond that."""
    outside = np.pad(~inside, 1, constant_values=True)
    return int(library("measure").label(outside, connectivity=1).max()) - 1
