"""Pixels near a border: those whose square of pixels holds more than one class.

The square of a pixel reaches `reach` pixels to each side (a cube in a volume, counted in voxels:
chessboard distance). A class map holds classes from 0 to K - 1, K where nothing is judged (void),
and K + 1 where a pixel is judged but of no class. Void is as if it were not there: it makes no
edge, and is near none. So a pixel is in the band of its own class if and only if the lowest and
the highest value of its square differ, or (for bands, not for trimaps) the square reaches beyond
the image.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

Map: TypeAlias = NDArray[Any]
Kernel: TypeAlias = Callable[..., bytes]


def _compiled() -> Kernel | None:
    """Return the kernel, unless it was not compiled, or the environment asks for NumPy."""
    from segeval.counting.kernel import KERNEL

    try:
        from segeval.boundaries._bands import count
    except ImportError:
        return None
    return count if KERNEL is not None else None


KERNEL: Final = _compiled()


def band_counts(truth: Map, prediction: Map, classes: int, reach: int) -> NDArray[np.int64]:
    """Count the pixels of the bands of all classes.

    Parameters
    ----------
    truth, prediction
        Class maps of one shape and dtype, C-contiguous.
    classes
        Their number K.
    reach
        Width of the band in pixels, at least 1.

    Returns
    -------
    Array of shape (3, K)
        Pixels in the band of the truth, in that of the prediction, and in both of one class.
    """
    if KERNEL is not None and truth.dtype == np.uint8 and truth.ndim == 2:
        found = KERNEL(truth, prediction, *truth.shape, classes, min(reach, max(truth.shape)), 0)
        return np.frombuffer(found, np.int64).reshape(3, classes + 1)[:, :classes]
    bands = bands_of(truth, prediction, classes, reach)
    both = np.where(bands[0] == bands[1], bands[0], classes)
    return np.stack([_pixels_of(band, classes) for band in (*bands, both)])


def bands_of(truth: Map, prediction: Map, classes: int, reach: int) -> tuple[Map, Map]:
    """Return the class of each pixel that is in its band, and K elsewhere, on both sides."""
    return _band(truth, classes, reach), _band(prediction, classes, reach)


def trimap_counts(truth: Map, prediction: Map, classes: int, reach: int) -> NDArray[np.int64]:
    """Count pairs of classes over the judged pixels near an edge of the truth.

    Near is a pixel whose square, as far as it lies in the image, holds two classes of the truth.
    The edge of the image is none.

    Parameters
    ----------
    truth, prediction
        Class maps of one shape and dtype, C-contiguous.
    classes
        Their number K.
    reach
        Distance to the edge in pixels, at least 1.

    Returns
    -------
    Array of shape (K + 1, K + 1)
        Pixels, rows truth, columns prediction; the last ones are judged and of no class.
    """
    if KERNEL is not None and truth.dtype == np.uint8 and truth.ndim == 2:
        found = KERNEL(truth, prediction, *truth.shape, classes, min(reach, max(truth.shape)), 1)
        return np.frombuffer(found, np.int64).reshape(classes + 1, classes + 1)
    near = _are_mixed(truth, classes, reach) & (truth != classes) & (prediction != classes)
    sides = [np.minimum(side[near], classes).astype(np.int64) for side in (truth, prediction)]
    rows = classes + 1
    pairs = np.bincount(sides[0] * rows + sides[1], minlength=rows * rows)
    return pairs.reshape(rows, rows)


def _pixels_of(band: Map, classes: int) -> NDArray[np.int64]:
    return np.bincount(band.ravel(), minlength=classes + 1)[:classes]


def _band(side: Map, classes: int, reach: int) -> Map:
    """Return the class of each pixel that is in its band, and K elsewhere."""
    inside = ~_are_mixed(side, classes, reach)
    inner = tuple(slice(reach, max(reach, length - reach)) for length in side.shape)
    deep = np.zeros(side.shape, bool)
    deep[inner] = inside[inner]
    return np.where(deep | (side >= classes), side.dtype.type(classes), side)


def _are_mixed(side: Map, void: int, reach: int) -> NDArray[np.bool_]:
    """Return where the square of a pixel holds more than one value; void is none."""
    top = np.iinfo(side.dtype).max
    low = _spread(np.where(side == void, top, side), reach, np.minimum, top)
    high = _spread(np.where(side == void, 0, side), reach, np.maximum, 0)
    mixed: NDArray[np.bool_] = (low != high) & (side != void)
    return mixed


def _spread(values: Map, reach: int, extreme: Any, neutral: int) -> Map:
    """Return the extreme value of the square of each pixel, beyond the image the neutral one.

    Windows grow by doubling, along one axis after another.
    """
    for axis, length in enumerate(values.shape):
        beyond = min(reach, length)
        frame = [(beyond, beyond) if each == axis else (0, 0) for each in range(values.ndim)]
        moved = np.moveaxis(np.pad(values, frame, constant_values=neutral), axis, 0)
        size, whole = 1, 2 * beyond + 1
        while size < whole:
            step = min(size, whole - size)
            moved = extreme(moved[:-step], moved[step:])
            size += step
        values = np.moveaxis(moved, 0, axis)
    return values
