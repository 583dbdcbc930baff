"""What a PNG file says of itself: its header, and whether all of its pixels are there.

Source of the layout: W3C, Portable Network Graphics (PNG) Specification, third edition.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from segeval.errors import MaskError

DIRECT: Final = {
    (0, 8): "mono",
    (0, 16): "mono",
    (3, 8): "mono",
    (2, 8): "rgb",
    (2, 16): "rgb",
    (6, 8): "rgba",
    (6, 16): "rgba",
}
"""(colour type, bit depth) that kornia-rs decodes as stored, and its word for the channels."""

NAMES: Final = {0: "grey", 2: "RGB", 3: "palette", 4: "grey and alpha", 6: "RGBA"}
CHANNELS: Final = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
ADAM7: Final = (
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
)
"""First column and row, and the steps between them, of each pass of an interlaced image."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The IHDR chunk: size in pixels, bits a sample, colour type, interlacing."""

    width: int
    height: int
    bits: int
    color_type: int
    interlaced: bool

    @property
    def format(self) -> tuple[int, int]:
        """(colour type, bit depth), as in `DIRECT`."""
        return self.color_type, self.bits

    @property
    def form(self) -> str:
        """Storage form in words, e.g. ``"PNG palette 4-bit"``."""
        return f"PNG {NAMES[self.color_type]} {self.bits}-bit"

    @property
    def raw_bytes(self) -> int:
        """Size of the inflated scan lines, one filter byte each."""
        passes = ADAM7 if self.interlaced else ((0, 0, 1, 1),)
        total = 0
        for column, row, across, down in passes:
            width, height = -((column - self.width) // across), -((row - self.height) // down)
            if width > 0 and height > 0:
                line = (width * self.bits * CHANNELS[self.color_type] + 7) // 8
                total += height * (1 + line)
        return total


def read_header(data: bytes) -> Header:
    """Read the header of a PNG file, without decoding a pixel."""
    if len(data) < 33 or data[12:16] != b"IHDR":
        raise MaskError("the file is broken: its PNG header is cut off; write it again")
    width, height, bits, color_type, _, _, interlaced = struct.unpack(">IIBBBBB", data[16:29])
    if color_type not in CHANNELS:
        raise MaskError(f"the file is broken: PNG colour type {color_type} does not exist")
    if (color_type, bits) == (4, 16):
        raise MaskError("16-bit grey with alpha is not read; save the mask without alpha")
    return Header(
        width=width, height=height, bits=bits, color_type=color_type, interlaced=bool(interlaced)
    )


def check_complete(data: bytes, header: Header) -> None:
    """Refuse a PNG with a damaged chunk or missing rows, which Pillow would fill with zeros."""
    inflate, size = zlib.decompressobj(), 0
    for kind, content in _chunks(data):
        if kind == b"IDAT":
            size += len(inflate.decompress(content, max(1, header.raw_bytes - size)))
    if size < header.raw_bytes:
        raise MaskError(
            f"the file is broken: {size} of {header.raw_bytes} bytes of pixels are there"
        )


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the type and content of each chunk, checksums verified, up to the end marker."""
    position = 8
    while position + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, position)
        kind = data[position + 4 : position + 8]
        content = data[position + 8 : position + 8 + length]
        stored = data[position + 8 + length : position + 12 + length]
        if stored != zlib.crc32(kind + content).to_bytes(4, "big"):
            raise MaskError(
                f"the file is broken: checksum of chunk {kind!r} differs; write it again"
            )
        yield kind, content
        if kind == b"IEND":
            return
        position += 12 + length
    raise MaskError("the file is broken: it ends too early; write it again")
