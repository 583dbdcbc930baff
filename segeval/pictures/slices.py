"""Pictures of volumes: the worst slices, beside and below each other."""

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from segeval.counting.run import ImageInfo
from segeval.inputs.geometry import size_of

MOST: Final = 9  # slices in a picture
LINE: Final = 1  # pixels between slices


def worst_slices(truth: NDArray[Any], prediction: NDArray[Any]) -> list[int]:
    """Return the slices of (D, H, W) classes with most wrong pixels, the worst first.

    >>> truth = np.array([[[0, 1]], [[1, 1]], [[-1, 1]]])
    >>> worst_slices(truth, np.array([[[0, 0]], [[0, 0]], [[0, 1]]]))
    [1, 0, 2]
    """
    wrong = ((truth >= 0) & (truth != prediction)).sum(axis=(1, 2))
    chosen: list[int] = np.argsort(-wrong, kind="stable")[:MOST].tolist()
    return chosen


def laid_out(volume: NDArray[Any], chosen: Sequence[int], empty: int) -> NDArray[Any]:
    """Put slices of (D, H, W) beside and below each other, as square as can be, with lines between.

    >>> laid_out(np.arange(3).reshape(3, 1, 1), [2, 0, 1], -1).tolist()
    [[2, -1, 0], [-1, -1, -1], [1, -1, -1]]
    """
    columns = math.ceil(math.sqrt(len(chosen)))
    rows = -(-len(chosen) // columns)
    height, width = (side + LINE for side in volume.shape[1:])
    sheet = np.full((rows * columns, height, width), empty, volume.dtype)
    sheet[: len(chosen), :-LINE, :-LINE] = volume[chosen]
    tiles = sheet.reshape(rows, columns, height, width)
    return tiles.swapaxes(1, 2).reshape(rows * height, columns * width)[:-LINE, :-LINE]


def say_slices(chosen: Sequence[int], slices: int) -> str:
    """Name the slices of a picture, counted from 1.

    >>> say_slices([3, 0], 4)
    'slices 4, 1 of 4, the worst first'
    """
    numbers = ", ".join(str(number + 1) for number in chosen)
    return f"slice{'s' * (len(chosen) > 1)} {numbers} of {slices}, the worst first"


def say_shown(image: ImageInfo) -> str:
    """Say that not all slices of a volume are shown; nothing of others."""
    size = size_of(image.truth_form)
    if size is None or size[2] <= MOST:
        return ""
    return f"{MOST} of {size[2]} slices: those with most wrong voxels, the worst first"


def picture_shape(image: ImageInfo) -> tuple[int, int]:
    """Return rows and columns of the picture of an image, or of the slices of a volume."""
    size = size_of(image.truth_form)
    if size is None:
        return image.height, image.width
    columns, rows, slices = size
    across = math.ceil(math.sqrt(min(slices, MOST)))
    down = -(-min(slices, MOST) // across)
    return down * (rows + LINE) - LINE, across * (columns + LINE) - LINE
