"""A small writer of PNG files of every colour type, bit depth and ancillary chunk.

It is written from the specification and shares no code with the reader under test.
"""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
WHOLE = [(0, 0, 1, 1)]
SEVEN = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2)]
SEVEN += [(0, 1, 1, 2)]
SIGNATURE = b"\x89PNG\r\n\x1a\n"

Chunk = tuple[bytes, bytes]


def chunk(kind: bytes, content: bytes) -> bytes:
    """Frame a chunk with its length and checksum."""
    checksum = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)


def png_start(
    width: int, height: int, *, color_type: int, bits: int, interlaced: bool = False
) -> bytes:
    """Return the signature and the IHDR chunk."""
    fields = struct.pack(">IIBBBBB", width, height, bits, color_type, 0, 0, interlaced)
    return SIGNATURE + chunk(b"IHDR", fields)


def packed(row: NDArray[Any], bits: int) -> bytes:
    """Pack the samples of one row, most significant bits first, zeros at the end."""
    places = np.arange(bits - 1, -1, -1)
    return np.packbits((row[:, None] >> places & 1).astype(np.uint8).ravel()).tobytes()


def scan_lines(samples: NDArray[Any], *, bits: int, interlaced: bool) -> bytes:
    """Return the raw rows of every pass, each after filter byte 0."""
    lines = []
    for column, row, across, down in SEVEN if interlaced else WHOLE:
        part = samples[row::down, column::across]
        if part.size:
            lines += [b"\0" + packed(line.ravel(), bits) for line in part]
    return b"".join(lines)


def made_png(
    samples: NDArray[Any],
    *,
    color_type: int,
    bits: int,
    interlaced: bool = False,
    before: Sequence[Chunk] = (),
    palette: bytes | None = None,
    after: Sequence[Chunk] = (),
    keep: int | None = None,
) -> bytes:
    """Write samples (H, W) or (H, W, channels) as a PNG file.

    ``before`` and ``after`` are chunks around the palette; ``keep`` cuts the raw rows.
    """
    height, width = samples.shape[:2]
    samples = samples.reshape(height, width, CHANNELS[color_type])
    raw = scan_lines(samples, bits=bits, interlaced=interlaced)[:keep]
    chunks = [*before]
    if palette is not None:
        chunks.append((b"PLTE", palette))
    chunks += [*after, (b"IDAT", zlib.compress(raw)), (b"IEND", b"")]
    start = png_start(width, height, color_type=color_type, bits=bits, interlaced=interlaced)
    return start + b"".join(chunk(*parts) for parts in chunks)
