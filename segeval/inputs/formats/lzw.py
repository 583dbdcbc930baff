"""LZW as GIF and TIFF write it, exactly: libraries fill in what is missing, and drop what is left.

Sources of the layout: CompuServe, Graphics Interchange Format, version 89a; Aldus, TIFF 6.0.
"""

from collections.abc import Iterator
from typing import Literal

from segeval.errors import MaskError

LONGEST = 12  # bits of a code


def inflate(data: bytes, expected: int, *, bits: int) -> bytes:
    """Return exactly the expected number of samples of so many bits; other data is refused."""
    out = bytearray()
    starts: list[int] = []  # where the text of each code since the table was cleared begins
    first = (1 << bits) + 2
    for code, fresh in _codes(data, expected, bits, "little"):
        if fresh:
            starts.clear()
        here = len(out)
        starts.append(here)
        if code < first:
            out.append(code)
        else:  # the text of another code, and the sample that came behind it
            start = starts[code - first]
            out += out[start : starts[code - first + 1] + 1]
            if code - first == len(starts) - 2:
                out.append(out[here])
        if len(out) > expected:
            break
    check_number(len(out), expected, "samples")
    return bytes(out)


def check_length(data: bytes, expected: int) -> None:
    """Refuse data, as TIFF writes it, of another number of bytes than is expected."""
    found = 0
    lengths: list[int] = []
    for code, fresh in _codes(data, expected, 8, "big"):
        if fresh:
            lengths.clear()
        length = 1 if code < 256 else lengths[code - 258] + 1
        lengths.append(length)
        found += length
        if found > expected:
            break
    check_number(found, expected, "samples")


def check_number(found: int, expected: int, what: str) -> None:
    """Refuse another number of samples or bytes than is expected."""
    if found != expected:
        more = "more than " if found > expected else ""
        raise MaskError(
            f"the file is broken: {more}{min(found, expected)} of {expected} {what} are there; "
            "write it again"
        )


def _codes(
    data: bytes, expected: int, bits: int, order: Literal["little", "big"]
) -> Iterator[tuple[int, bool]]:
    """Yield the codes up to the end, and whether the table has been cleared before each.

    Codes stand with their lowest bit first (GIF, ``"little"``), or with their highest, where they
    also grow by a bit one code earlier (TIFF, ``"big"``).
    """
    clear, end, first = 1 << bits, (1 << bits) + 1, (1 << bits) + 2
    early = order == "big"
    padded, total, position = data + bytes(2), 8 * len(data), 0
    width, known = bits + 1, 0  # codes since the table was cleared; each but the first is an entry
    fresh, clears = True, 0
    while position + width <= total:
        at, shift = position >> 3, position & 7
        window = int.from_bytes(padded[at : at + 3], order)
        code = (window >> (24 - shift - width if early else shift)) & ((1 << width) - 1)
        position += width
        if code == end:
            return
        if code == clear:
            width, known, fresh = bits + 1, 0, True
            clears += 1
            if clears > expected + 1:  # more often than there are samples
                return
            continue
        if code - first >= known:
            raise MaskError("the file is broken: there is no such LZW code; write it again")
        yield code, fresh
        fresh = False
        known += 1
        if (first + known - 1 + early) >> width and width < LONGEST:
            width += 1
