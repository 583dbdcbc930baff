"""Polygons, filled as COCO fills them: no other rule has a name, and all of them differ."""

from contextlib import suppress
from importlib.util import find_spec
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from segeval.errors import MaskError
from segeval.inputs.cocorle import Counts, Shape
from segeval.inputs.rle import counts_of_text
from segeval.text import quoted

FILL: Final = "fill:coco"
NO_LIBRARY: Final = (
    "polygons are filled by pycocotools, which is not installed; type pip install "
    '"segeval-masks[coco]"'
)
FURTHEST: Final = 16  # sides of the image that a corner may lie off it
MOST_STEPS: Final = 1 << 24  # of an outline, in fifths of a pixel


def fill(polygons: list[NDArray[np.float64]], shape: Shape) -> list[Counts]:
    """Return the run lengths of polygons, each (2N,) x1 y1 x2 y2 … in pixels."""
    from pycocotools import mask

    filled: list[dict[str, Any]] = mask.frPyObjects(polygons, *shape)
    return [counts_of_text(each["counts"]) for each in filled]


def require_library() -> None:
    """Raise a MaskError, once for a whole file, if polygons cannot be filled."""
    if find_spec("pycocotools") is None:
        raise MaskError(NO_LIBRARY)


def check_polygon(stated: object, shape: Shape) -> NDArray[np.float64]:
    """Return the corners of a polygon as numbers; a MaskError if it is none."""
    numbers = np.empty((1, 1))  # no list
    if isinstance(stated, list):
        with suppress(ValueError):  # lists in it, of several lengths
            numbers = np.array(stated)
    if numbers.ndim != 1 or (numbers.size and numbers.dtype.kind not in "iuf"):
        raise MaskError(f"{quoted(stated)} is no list of numbers x1, y1, x2, y2, …")
    if numbers.size % 2 or numbers.size < 6:
        raise MaskError(
            f"a polygon has {numbers.size} numbers; expected x and y of three corners or more"
        )
    corners = numbers.astype(np.float64)
    side = max(shape)
    if not (np.abs(corners) <= FURTHEST * side).all():
        far = corners[~(np.abs(corners) <= FURTHEST * side)][0]
        raise MaskError(
            f"a corner at {far:g} is far off the image of {shape[1]}×{shape[0]} pixels; are the "
            "coordinates pixels of this image?"
        )
    if 5 * np.abs(np.diff(corners.reshape(-1, 2), axis=0)).max(axis=1).sum() > MOST_STEPS:
        raise MaskError(f"a polygon of {corners.size // 2} corners runs to and fro too often")
    return corners
