"""What a PNG file says of itself: its header, and whether all of its pixels are there.

Source of the layout: W3C, Portable Network Graphics (PNG) Specification, third edition.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Final

from segeval.errors import MaskError
from segeval.inputs.inflate import checksum, inflate

SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
HEADER_BYTES: Final = 33  # with the signature
CRITICAL: Final = {b"IHDR", b"PLTE", b"IDAT", b"IEND"}  # all others are ancillary
DIRECT: Final = {
    (0, 8): "mono",
    (0, 16): "mono",
    (3, 8): "mono",
    (2, 8): "rgb",
    (2, 16): "rgb",
    (6, 8): "rgba",
    (6, 16): "rgba",
}  # (colour type, bit depth) that kornia-rs decodes as stored, and its word for the channels

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
)  # first column and row, and the steps between them, of each pass of an interlaced image


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
    def indexed(self) -> bool:
        """Whether pixels are indices of a palette."""
        return self.color_type == 3

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
                total += height * (1 + (width * self.bits * CHANNELS[self.color_type] + 7) // 8)
        return total


def read_header(data: bytes) -> Header:
    """Read the header of a PNG file, without decoding a pixel."""
    if len(data) < 33 or data[8:16] != b"\0\0\0\rIHDR":
        raise MaskError("the file is broken: its PNG header is cut off; write it again")
    width, height, bits, color_type, *methods, interlaced = struct.unpack(">IIBBBBB", data[16:29])
    if color_type not in CHANNELS:
        raise MaskError(f"the file is broken: PNG colour type {color_type} does not exist")
    if any(methods) or interlaced > 1:
        raise MaskError("the file is broken: its PNG header names a method that does not exist")
    if (color_type, bits) == (4, 16):
        raise MaskError("16-bit grey with alpha is not read; save the mask without alpha")
    return Header(
        width=width, height=height, bits=bits, color_type=color_type, interlaced=bool(interlaced)
    )


def without_extras(data: bytes, header: Header) -> bytes:
    """Return a PNG of header and all pixels alone, where Pillow would fill in or stumble."""
    rows = _scan_lines(data, header)
    parts = (b"IHDR", data[16:29]), (b"IDAT", zlib.compress(rows, 0)), (b"IEND", b"")
    return SIGNATURE + b"".join(
        struct.pack(">I", len(content)) + kind + content + _checksum(kind, content)
        for kind, content in parts
    )


def scan_lines(data: bytes, header: Header) -> bytes | bytearray:
    """Inflate the rows, filtered as they are, of a file that is plain and whole in every way."""
    parts, order, before = [], [], b""
    for kind, content in _chunks(data):
        if kind == b"IDAT":
            parts.append(content)
        if kind in CRITICAL and kind != before:
            order.append(kind)
        before = kind
    if order != [b"IHDR", b"PLTE", b"IDAT"] and (order != [b"IHDR", b"IDAT"] or header.indexed):
        raise MaskError("the file is broken: its chunks are not in order")
    return inflate(parts[0] if len(parts) == 1 else b"".join(parts), header.raw_bytes)


def _scan_lines(data: bytes, header: Header) -> bytes:
    """Inflate the rows, filtered as they are, from the first unbroken sequence of IDAT chunks."""
    runs = [
        b"".join(content for _, content in run)
        for kind, run in groupby(_chunks(data), itemgetter(0))
        if kind == b"IDAT"
    ]
    stream = runs[0] if runs else b""
    try:
        zlib.decompressobj().decompress(stream[:2])  # its header
        # its checksum, which kornia-rs does not look at, is behind the pixels
        rows = zlib.decompressobj(-zlib.MAX_WBITS).decompress(stream[2:], header.raw_bytes)
    except zlib.error as error:
        raise MaskError("the file is broken: its pixels cannot be inflated") from error
    if len(rows) < header.raw_bytes:
        raise MaskError(
            f"the file is broken: {len(rows)} of {header.raw_bytes} bytes of pixels are there"
        )
    return rows


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the type and content of each chunk up to the end marker, critical ones verified."""
    position = 8
    while position + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, position)
        kind = data[position + 4 : position + 8]
        content = data[position + 8 : position + 8 + length]
        if kind == b"IEND":
            return
        if kind in CRITICAL:
            stored = data[position + 8 + length : position + 12 + length]
            if stored != _checksum(kind, content):
                raise MaskError(
                    f"the file is broken: checksum of chunk {kind!r} differs; write it again"
                )
        elif kind[:1].isupper():
            raise MaskError(f"the file is broken: there is no PNG chunk {kind!r}; write it again")
        yield kind, content
        position += 12 + length
    raise MaskError("the file is broken: it ends too early; write it again")


def _checksum(kind: bytes, content: bytes) -> bytes:
    return checksum(content, checksum(kind)).to_bytes(4, "big")
