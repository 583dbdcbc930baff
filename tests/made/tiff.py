"""A small writer of TIFF files: strips or tiles, either order of bytes, channels apart or together.

It is written from the specification and shares no code with the reader under test.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from made.png import packed
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class Layout:
    """How samples are laid down."""

    order: Literal["<", ">"] = "<"
    big: bool = False
    tile: tuple[int, int] = (0, 0)  # rows and columns; without, strips
    strip_rows: int = 1 << 30
    planes: bool = False
    deflated: bool = False
    predictor: int = 1


def differences(block: NDArray[Any], layout: Layout) -> NDArray[Any]:
    """Return what a predictor leaves of a block (rows, columns, channels)."""
    if layout.predictor == 2:
        unsigned = block.view(f"u{block.dtype.itemsize}")
        return np.diff(unsigned, axis=1, prepend=np.zeros_like(unsigned[:, :1]))
    rows, columns, channels = block.shape
    size = block.dtype.itemsize
    places = block.astype(f">f{size}").view(np.uint8).reshape(rows, columns * channels, size)
    line = places.transpose(0, 2, 1).reshape(rows, -1, channels)
    return np.diff(line, axis=1, prepend=np.zeros_like(line[:, :1]))


def piece(block: NDArray[Any], bits: int, layout: Layout) -> bytes:
    """Return the bytes of a block (rows, columns, channels)."""
    if layout.predictor != 1:
        block = differences(block, layout)
    if bits < 8:
        content = b"".join(packed(row.ravel(), bits) for row in block)
    else:
        content = block.astype(block.dtype.newbyteorder(layout.order)).tobytes()
    return zlib.compress(content) if layout.deflated else content


def pieces(samples: NDArray[Any], bits: int, layout: Layout) -> list[bytes]:
    """Return the strips or tiles of samples (H, W, channels)."""
    height, width, channels = samples.shape
    rows, columns = layout.tile if layout.tile[0] else (min(layout.strip_rows, height), width)
    if layout.tile[0]:
        more = (-height % rows, -width % columns)
        samples = np.pad(samples, ((0, more[0]), (0, more[1]), (0, 0)), mode="edge")
    return [
        piece(samples[row : row + rows, column : column + columns, group], bits, layout)
        for group in (np.array_split(range(channels), channels if layout.planes else 1))
        for row in range(0, height, rows)
        for column in range(0, width, columns)
    ]


def made_tiff(
    samples: NDArray[Any],
    *,
    bits: int | None = None,
    meaning: int = 1,
    tags: Mapping[int, int | list[int]] | None = None,
    layout: Layout | None = None,
) -> bytes:
    """Write samples (H, W) or (H, W, channels); further tags come in, or stand in place of others.

    A tag that is -1 is left out.
    """
    layout = layout or Layout()
    samples = np.atleast_3d(samples)
    height, width, channels = samples.shape
    bits = bits or 8 * samples.dtype.itemsize
    content = pieces(samples, bits, layout)
    kind = {"u": 1, "i": 2, "f": 3}[samples.dtype.kind]
    fields: dict[int, Any] = {256: width, 257: height, 258: [bits] * channels, 262: meaning}
    fields |= {259: 8 if layout.deflated else 1, 277: channels, 339: [kind] * channels}
    fields |= {284: 2} if layout.planes else {}
    fields |= {317: layout.predictor} if layout.predictor != 1 else {}
    where, lengths = (324, 325) if layout.tile[0] else (273, 279)
    if layout.tile[0]:
        fields |= {323: layout.tile[0], 322: layout.tile[1]}
    else:
        fields |= {278: min(layout.strip_rows, height)}
    start = 16
    fields[where] = [start + sum(map(len, content[:number])) for number in range(len(content))]
    fields[lengths] = [len(part) for part in content]
    chosen = {tag: value for tag, value in (fields | dict(tags or {})).items() if value != -1}
    data = b"".join(content)
    return _file(data, start, chosen, layout)


def _file(data: bytes, start: int, fields: dict[int, Any], layout: Layout) -> bytes:
    """Put header, pixels, directory and longer values together, in this order."""
    order, big = layout.order, layout.big
    offset, count, room = ("Q", "Q", 8) if big else ("I", "H", 4)
    place = start + len(data)
    after = place + struct.calcsize(f"={count}") + len(fields) * (4 + 2 * room) + room
    entries, longer = b"", b""
    for tag, value in sorted(fields.items()):
        numbers = value if isinstance(value, list) else [value]
        content = struct.pack(f"{order}{len(numbers)}I", *numbers)
        if len(content) > room:
            at = struct.pack(f"{order}{offset}", after + len(longer))
            content, longer = at, longer + content
        entries += struct.pack(f"{order}HH{offset}", tag, 4, len(numbers)) + content.ljust(
            room, b"\0"
        )
    mark = b"II" if order == "<" else b"MM"
    head = (
        struct.pack(f"{order}HHHQ", 43, 8, 0, place)
        if big
        else struct.pack(f"{order}HI", 42, place)
    )
    directory = struct.pack(f"{order}{count}", len(fields)) + entries + bytes(room)
    return (mark + head).ljust(start, b"\0") + data + directory + longer
