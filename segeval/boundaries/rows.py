"""Measures as rows of integers: those of an image, one after another, are its bytes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from segeval.errors import RunError

NUMBER: Final = np.dtype("<i8")


def bytes_of(rows: Sequence[NDArray[Any]]) -> bytes:
    """Return the bytes of tables of rows, one after another."""
    return b"".join(part.astype(NUMBER).tobytes() for part in rows)


def rows_of(
    data: Sequence[bytes], keys: Sequence[int], numbers: int
) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
    """Read the rows of many images at once.

    Parameters
    ----------
    data
        The bytes of each of N images.
    keys
        How many values each of the first columns may have, from 0 on.
    numbers
        How many columns of counts follow.

    Returns
    -------
    image, columns
        The image of each of R rows, (R,), and the columns, (keys and numbers, R).
    """
    length = NUMBER.itemsize * (len(keys) + numbers)
    lengths = np.array([len(each) for each in data], np.intp)
    whole = not (lengths % length).any()
    rows = np.frombuffer(b"".join(data) if whole else b"", NUMBER)
    columns = rows.astype(np.int64).reshape(-1, len(keys) + numbers).T
    inside = all((column < most).all() for column, most in zip(columns, keys, strict=False))
    if not whole or not inside or (columns < 0).any():
        raise RunError("what was measured near borders is damaged; score the masks again")
    return np.repeat(np.arange(len(data)), lengths // length), columns


def summed(
    places: Sequence[NDArray[Any]], shape: tuple[int, ...], pixels: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Add up pixels at places of an array; exact, as sums stay below 2**53."""
    flat = np.ravel_multi_index(tuple(places), shape)
    size = int(np.prod(shape, dtype=np.int64))
    return np.bincount(flat, pixels, minlength=size).astype(np.int64).reshape(shape)
