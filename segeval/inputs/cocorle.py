"""Run lengths as COCO writes them: alternating counts down the columns, as numbers or as text.

In a text, a number takes characters of 5 bits from "0" on, the lowest first; a sixth bit says that
there are more, the highest of the last is the sign. From the fourth on, numbers are differences to
the one two before.
"""

from collections.abc import Iterable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from segeval.errors import MaskError
from segeval.text import quoted

Shape = tuple[int, int]
Counts = NDArray[np.int64]
MOST_DIGITS: Final = 12  # characters of a number: 60 bits
FIRST: Final = ord("0")
MORE: Final = 32


def parse_counts(stated: object, shape: Shape) -> Counts:
    """Return the counts of an annotation, a list or a text; a MaskError if they do not fill it."""
    if isinstance(stated, str):
        counts = decode_counts(stated)
    elif isinstance(stated, list) and all(type(count) is int for count in stated):
        if stated and max(stated) > shape[0] * shape[1]:
            raise MaskError(f"a run of {quoted(max(stated))} is longer than the image")
        counts = np.array(stated, np.int64)
    else:
        raise MaskError(f"its counts are {quoted(stated)}; expected whole numbers, or a text")
    if counts.size and counts.min() < 0:
        raise MaskError(f"a run has {counts.min()} pixels")
    pixels = shape[0] * shape[1]
    if counts.size and (counts.max() > pixels or counts.sum() != pixels):
        raise MaskError(
            f"its runs have {sum(counts.tolist())} pixels, the image has {shape[0]}×{shape[1]} = "
            f"{pixels}"
        )
    return counts


def decode_counts(text: str) -> Counts:
    """Return the numbers of a text, as they stand there; a MaskError if it is none.

    >>> decode_counts("02i0").tolist()
    [0, 2, 25]
    """
    codes = np.frombuffer(text.encode("utf-32-le"), np.uint32).astype(np.int64) - FIRST
    if not codes.size:
        return codes
    if codes.min() < 0 or codes.max() > 2 * MORE - 1:
        odd = next(char for char in text if not FIRST <= ord(char) < FIRST + 2 * MORE)
        raise MaskError(f"its counts hold {quoted(odd)}, which compressed run lengths do not")
    last = np.flatnonzero(codes < MORE)
    if not last.size or last[-1] != codes.size - 1:
        raise MaskError("its counts end within a number; the text is cut off")
    lengths = np.diff(last, prepend=-1)
    if lengths.max() > MOST_DIGITS:
        raise MaskError(f"its counts hold a number of {lengths.max()} characters")
    firsts = last - lengths + 1
    places = np.arange(codes.size) - np.repeat(firsts, lengths)
    numbers: Counts = np.add.reduceat((codes & (MORE - 1)) << (5 * places), firsts)
    numbers -= (codes[last] >= MORE // 2) * (np.int64(1) << (5 * lengths))
    numbers[1::2] = np.cumsum(numbers[1::2])
    numbers[2::2] = np.cumsum(numbers[2::2])
    return numbers


def encode_counts(counts: Counts) -> str:
    """Write counts as a text, the shortest that `decode_counts` reads."""
    numbers = counts.astype(np.int64)
    numbers[3:] -= counts[1:-2]
    digits = np.ones(numbers.size, np.int64)
    for bits in range(4, 64, 5):
        digits += (numbers < -(1 << bits)) | (numbers >= 1 << bits)
    firsts = np.cumsum(digits) - digits
    places = np.arange(int(digits.sum())) - np.repeat(firsts, digits)
    codes = np.repeat(numbers, digits) >> (5 * places) & (MORE - 1)
    codes += np.where(places < np.repeat(digits, digits) - 1, MORE, 0)
    return (codes + FIRST).astype(np.uint8).tobytes().decode("ascii")


def paint(pieces: Iterable[tuple[Counts, int]], shape: Shape, background: int) -> NDArray[Any]:
    """Lay masks upon each other, each with its value: later ones win; return (H, W)."""
    held = list(pieces)
    values = [background, *(value for _, value in held)]
    small = min(values) >= 0 and max(values) < 256
    flat = np.full(shape[0] * shape[1], background, np.uint8 if small else np.int64)
    for counts, value in held:
        edges = np.cumsum(counts)
        for start, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=False):
            flat[start:end] = value
    return np.ascontiguousarray(flat.reshape(shape[::-1]).T)
