"""Where the errors are: class indices of truth and prediction -> the kind of each pixel.

Values are translated by the run, so that a picture has exactly the pixels that were counted.
"""

from enum import IntEnum
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from segeval.labels.lookups import take_bytes
from segeval.pictures.palettes import Palette

STRIPES: Final = 80  # stripes of the hatching along the longer side of a picture, about
VEIL: Final = 0.8  # least opacity of void: seen to be there, and not to count


class Kind(IntEnum):
    """What a pixel is for one class; the codes of `class_errors`."""

    TRUE_NEGATIVE = 0
    FALSE_POSITIVE = 1
    FALSE_NEGATIVE = 2
    TRUE_POSITIVE = 3
    VOID = 4


def error_codes(
    truth: NDArray[np.signedinteger],
    prediction: NDArray[np.signedinteger],
    position: int | None,
    classes: int,
) -> NDArray[np.unsignedinteger]:
    """Return the errors of the class at a position, or of all K classes if that is None."""
    if position is None:
        return all_errors(truth, prediction, classes)
    return class_errors(truth, prediction, position)


def class_errors(
    truth: NDArray[np.signedinteger], prediction: NDArray[np.signedinteger], position: int
) -> NDArray[np.uint8]:
    """Say of each pixel what it is for one class, as a `Kind`.

    Below 0, a truth is void, and a prediction is none of the classes.

    >>> truth, prediction = np.array([[0, 1, 1, -1]]), np.array([[1, 1, 0, 1]])
    >>> class_errors(truth, prediction, 1)
    array([[1, 3, 2, 4]], dtype=uint8)
    """
    kinds: NDArray[np.uint8] = (truth == position).view(np.uint8)
    kinds <<= 1
    kinds |= (prediction == position).view(np.uint8)
    kinds[truth < 0] = Kind.VOID
    return kinds


def all_errors(
    truth: NDArray[np.signedinteger], prediction: NDArray[np.signedinteger], classes: int
) -> NDArray[np.unsignedinteger]:
    """Say of each pixel whether it is right, and which of K classes it is in the truth.

    0…K-1 where both sides are of this class, K…2K-1 where the truth alone is of class 0…K-1, and 3K
    where it is void; 2K…3K-1 are left to the hatching of wrong pixels.

    >>> all_errors(np.array([[0, 1, 1, -1]]), np.array([[1, 1, -2, 1]]), 2)
    array([[2, 1, 3, 6]], dtype=uint8)
    """
    small = np.uint8 if classes < 75 else np.uint32
    codes: NDArray[np.unsignedinteger] = truth.astype(small)
    codes += (truth != prediction).astype(small) * small(classes)
    codes[truth < 0] = 3 * classes
    return codes


def side_codes(
    side: NDArray[np.signedinteger], position: int | None, classes: int, kind: np.dtype[Any]
) -> NDArray[np.unsignedinteger]:
    """Return the codes of the classes of one side: each of its own, or one as true positive.

    >>> byte = np.dtype("u1")
    >>> side_codes(np.arange(2), 1, 2, byte), side_codes(np.arange(3), None, 3, byte)
    (array([0, 3], dtype=uint8), array([3, 4, 5], dtype=uint8))
    """
    codes: NDArray[np.unsignedinteger]
    if position is None:
        codes = side.astype(kind) + kind.type(classes)
    else:
        codes = (side == position).astype(kind) * kind.type(Kind.TRUE_POSITIVE)
    return codes


def hatched(codes: NDArray[Any], stripes: NDArray[np.unsignedinteger]) -> NDArray[Any]:
    """Give every third or so of the pixels of a code the one that stands for it on stripes."""
    height, width = codes.shape
    period = max(4, round(max(height, width) / STRIPES))
    flat = codes.ravel()
    some = np.flatnonzero(take_bytes(stripes != np.arange(len(stripes)), flat))
    rows, columns = np.divmod(some, width)
    striped = some[(rows + columns) % period < max(1, round(period / 3))]
    result = flat.copy()
    result[striped] = stripes[flat[striped]]
    return result.reshape(codes.shape)


def magnified(codes: NDArray[Any], factor: int) -> NDArray[Any]:
    """Show each pixel as so many by so many."""
    return codes if factor == 1 else codes.repeat(factor, axis=0).repeat(factor, axis=1)


def coarsened(codes: NDArray[Any], ranks: NDArray[Any], rows: int, columns: int) -> NDArray[Any]:
    """Show each cell of a coarser grid by its code of the highest rank; of several, most pixels.

    So what ranks above its surroundings never vanishes, however thin it is.

    >>> coarsened(np.array([[0, 0, 2, 1], [0, 1, 0, 0]]), np.array([0, 1, 2]), 1, 2)
    array([[1, 2]])
    """
    height, width = codes.shape
    used = np.flatnonzero(np.bincount(codes.ravel()))
    place = np.zeros(used[-1] + 1, np.intp)
    place[used] = np.arange(used.size)
    column = np.arange(width) * columns // width * used.size
    edges = -(-np.arange(rows + 1) * height // rows)
    coarse = np.empty((rows, columns), codes.dtype)
    rank = ranks[used].astype(np.intp) + 1
    for row in range(rows):
        part = place[codes[edges[row] : edges[row + 1]]] + column
        votes = np.bincount(part.ravel(), minlength=columns * used.size)
        votes = votes.reshape(columns, used.size)
        ranked = np.where(votes > 0, rank, 0)
        highest = ranked == ranked.max(axis=1, keepdims=True)
        coarse[row] = used[np.where(highest, votes, 0).argmax(axis=1)]
    return coarse


def paint(
    codes: NDArray[Any],
    scheme: Palette,
    photograph: NDArray[np.uint8] | None = None,
    *,
    opacity: float = 1.0,
    dimmed: float = 1.0,
) -> NDArray[np.uint8]:
    """Give codes their colours, (H, W, 3); with opacity 1, every error has exactly its colour.

    The photograph is seen through the colours, and in place of the background: of full brightness,
    dimmed, or through the haze of the scheme.
    """
    if photograph is None:
        return scheme.colors.take(codes, axis=0)
    share = np.where(scheme.background, scheme.haze, opacity)
    share[scheme.void : scheme.void + 2] = max(opacity, VEIL)
    through = np.where(scheme.background, dimmed - scheme.haze, 1 - share)
    levels = np.arange(256)
    lookup = scheme.colors[:, :, None] * share[:, None, None]
    lookup = np.rint(lookup + levels * through[:, None, None]).astype(np.uint8)
    cells = codes.astype(np.intp) << 8
    channels = (
        lookup[:, number].reshape(-1).take(cells + photograph[..., number]) for number in range(3)
    )
    return np.stack([*channels], axis=-1)
