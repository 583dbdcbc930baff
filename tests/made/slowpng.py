"""A slow decoder of PNG masks, written from the specification: no library but zlib.

It shares no code with the reader under test, and must come to the same verdict on every file.
"""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
from made.png import CHANNELS, SEVEN, SIGNATURE, WHOLE

from segeval.values import COLOR

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8,), 6: (8, 16)}


class RefusedError(Exception):
    """A file is not whole, plain and unambiguous."""


def require(holds: object, what: str) -> None:
    if not holds:
        raise RefusedError(what)


def chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield all chunks up to the end; checksums of critical ones must be right."""
    require(data.startswith(SIGNATURE), "signature")
    at = 8
    while True:
        require(at + 12 <= len(data), "cut off")
        (length,) = struct.unpack_from(">I", data, at)
        kind = data[at + 4 : at + 8]
        content = data[at + 8 : at + 8 + length]
        require(at + 12 + length <= len(data), "chunk cut off")
        require(kind.isalpha(), "chunk type")
        stored = struct.unpack_from(">I", data, at + 8 + length)[0]
        if kind[0] & 0x20 == 0:
            require(kind in {b"IHDR", b"PLTE", b"IDAT", b"IEND"}, "unknown critical chunk")
            require(stored == zlib.crc32(kind + content), "checksum")
        require(kind not in {b"acTL", b"fcTL", b"fdAT"}, "animation")
        yield kind, content
        if kind == b"IEND":
            require(length == 0, "end with content")
            return
        at += 12 + length


def stream_of(data: bytes) -> tuple[bytes, bytes]:
    """Return header and compressed pixels; each critical chunk must stand in its only place."""
    order = [(kind, content) for kind, content in chunks(data) if not kind[0] & 0x20]
    kinds = [kind for kind, _ in order]
    require(kinds[0] == b"IHDR" == next(chunks(data))[0] and len(order[0][1]) == 13, "no header")
    pattern = b" ".join(kinds)
    palette = b"PLTE " if b"PLTE" in kinds else b""
    pixels = b"IDAT " * kinds.count(b"IDAT")
    require(pattern == b"IHDR " + palette + pixels + b"IEND", "order of chunks")
    require(palette or order[0][1][9] != 3, "no palette")
    every = [kind for kind, _ in chunks(data)]
    last = len(every) - every[::-1].index(b"IDAT") if pixels else 0
    first = every.index(b"IDAT") if pixels else 0
    require(set(every[first:last]) <= {b"IDAT"}, "pixels in several places")
    return order[0][1], b"".join(content for kind, content in order if kind == b"IDAT")


def unfiltered(kind: int, line: bytes, above: bytes, step: int) -> bytes:
    """Undo one filter, a byte at a time."""
    out = bytearray()
    for at, value in enumerate(line):
        left = out[at - step] if at >= step else 0
        up = above[at]
        corner = above[at - step] if at >= step else 0
        if kind == 4:
            guess = left + up - corner
            near = sorted((abs(guess - p), n, p) for n, p in enumerate((left, up, corner)))
            out.append((value + near[0][2]) & 255)
        else:
            out.append((value + (0, left, up, (left + up) // 2)[kind]) & 255)
    return bytes(out)


def decode(data: bytes) -> NDArray[Any]:
    """Return the samples (H, W, channels)."""
    header, stream = stream_of(data)
    width, height, bits, color, method, filtering, interlaced = struct.unpack(">IIBBBBB", header)
    require(width and height and bits in DEPTHS.get(color, ()), "header")
    require((method, filtering) == (0, 0) and interlaced in {0, 1}, "methods")
    channels = CHANNELS[color]
    parts = [
        (row, column, down, across, -((row - height) // down), -((column - width) // across))
        for column, row, across, down in (SEVEN if interlaced else WHOLE)
    ]
    parts = [part for part in parts if part[4] > 0 and part[5] > 0]
    sizes = [rows * (1 + (columns * channels * bits + 7) // 8) for *_, rows, columns in parts]
    raw = inflated(stream, sum(sizes))
    samples = np.zeros((height, width, channels), np.int64)
    at = 0
    for row, column, down, across, rows, columns in parts:
        size = (columns * channels * bits + 7) // 8
        above = bytes(size)
        for number in range(rows):
            require(raw[at] <= 4, "filter")
            step = max(1, channels * bits // 8)
            above = unfiltered(raw[at], raw[at + 1 : at + 1 + size], above, step)
            flat = np.unpackbits(np.frombuffer(above, np.uint8))[: columns * channels * bits]
            values = flat.reshape(-1, bits) @ (1 << np.arange(bits - 1, -1, -1))
            samples[row + number * down, column::across] = values.reshape(columns, channels)
            at += 1 + size
    return samples


def inflated(stream: bytes, size: int) -> bytes:
    """Inflate rows, whose end and checksum must be right; bytes behind do not matter."""
    require(len(stream) >= 2, "no stream")
    head = stream[0] << 8 | stream[1]
    require(head % 31 == 0 and head >> 8 & 15 == 8 and head >> 12 <= 7, "head of the stream")
    require(not head & 0x20, "dictionary")
    require(size < 1 << 40, "more rows than a file can hold")
    inflater = zlib.decompressobj(-15)
    try:
        rows = inflater.decompress(stream[2:], size + 1)
    except zlib.error as error:
        raise RefusedError("damage") from error
    require(len(rows) == size, "missing rows, or too many")
    require(inflater.eof, "no end")
    require(inflater.unused_data[:4] == struct.pack(">I", zlib.adler32(rows)), "sum of the rows")
    return rows


def values_of(data: bytes) -> NDArray[Any]:
    """Return the values of a mask (H, W)."""
    samples = decode(data)
    bits, color = data[24], data[25]
    if color in {4, 6}:
        require((samples[..., -1] == (1 << bits) - 1).all(), "alpha")
    red, green, blue = (samples[..., min(n, samples.shape[2] - 1)] for n in range(3))
    if color not in {2, 6}:
        return red
    if bits == 16:
        require((red == green).all() and (red == blue).all(), "16-bit colours")
        return red
    return np.asarray(COLOR + (red << 16 | green << 8 | blue))
