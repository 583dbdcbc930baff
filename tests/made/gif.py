"""A small writer of GIF files, whose codes clear the table so often that they stay of one width."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class Frame:
    """Indices (H, W) and where they lie on the screen."""

    indices: NDArray[Any]
    left: int = 0
    top: int = 0
    interlaced: bool = False
    drop: int = 0  # indices that are left out at the end
    extra: int = 0  # indices that are there beside those of the size


def blocks(content: bytes) -> bytes:
    """Chain sub-blocks."""
    parts = [content[at : at + 255] for at in range(0, len(content), 255)]
    return b"".join(bytes([len(part)]) + part for part in parts) + b"\0"


def codes(indices: list[int], bits: int, *, end: bool = True) -> bytes:
    """Write each index as a code of one bit more; the table is cleared before codes grow."""
    clear = 1 << bits
    stream = []
    for number, index in enumerate(indices):
        if number % (clear - 2 or 1) == 0:
            stream.append(clear)
        stream.append(index)
    stream += [clear + 1] if end else []
    places = np.arange(bits + 1)
    flat = (np.array(stream)[:, None] >> places & 1).astype(np.uint8).ravel()
    return np.packbits(flat, bitorder="little").tobytes()


def made_gif(*frames: Frame, screen: tuple[int, int] | None = None, bits: int = 8) -> bytes:
    """Write a GIF file; the screen (height, width) is that of the first frame if none is given."""
    height, width = screen or frames[0].indices.shape
    head = b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80 | bits - 1, 0, 0)
    palette = bytes(3 << bits)
    body = b"\x21\xf9\4\0\0\0\0\0"
    for frame in frames:
        rows = frame.indices
        if frame.interlaced:
            rows = np.concatenate([rows[0::8], rows[4::8], rows[2::4], rows[1::2]])
        flat = [*rows.ravel().tolist(), *[0] * frame.extra]
        flat = flat[: len(flat) - frame.drop]
        shape = frame.indices.shape
        place = struct.pack(
            "<4HB", frame.left, frame.top, shape[1], shape[0], 0x40 * frame.interlaced
        )
        body += b"\x2c" + place + bytes([bits]) + blocks(codes(flat, bits))
    return head + palette + body + b"\x3b"
