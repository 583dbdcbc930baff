"""PNG files: header and chunks are looked at here, rows are decoded by kornia-rs or by Pillow.

Source of the layout: W3C, Portable Network Graphics (PNG) Specification, third edition.
"""

import io
import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, Any, Final

import numpy as np
from numpy.typing import NDArray

from segeval.errors import MaskError
from segeval.inputs.files import ENDS
from segeval.inputs.formats.inflate import checksum, inflate
from segeval.values import as_zero_one

DECODERS: dict[int, Callable[..., NDArray[Any]]] = {}  # by bits; without, Pillow reads

with suppress(ImportError):
    from kornia_rs.io import decode_image_png_u8, decode_image_png_u16

    DECODERS.update({8: decode_image_png_u8, 16: decode_image_png_u16})

SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
CRITICAL: Final = {b"IHDR", b"PLTE", b"IDAT", b"IEND"}  # all others are ancillary
FIRST: Final = 33  # where the chunks behind the header begin
END: Final = b"\0\0\0\0IEND\xaeB`\x82"
MOVING: Final = {b"acTL", b"fcTL", b"fdAT"}  # chunks of animations
DEPTHS: Final = {0: {1, 2, 4, 8, 16}, 2: {8, 16}, 3: {1, 2, 4, 8}, 4: {8, 16}, 6: {8, 16}}
DIRECT: Final = {
    (0, 8): "mono",
    (0, 16): "mono",
    (3, 8): "mono",
    (2, 8): "rgb",
    (2, 16): "rgb",
    (6, 8): "rgba",
    (6, 16): "rgba",
}  # (colour type, bit depth) that kornia-rs decodes as stored, and its word for the channels

STRETCHED: Final = {2: 85, 4: 17}  # factors by which Pillow stretches grey to 0..255

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
    def form(self) -> str:
        """Storage form in words, e.g. ``"PNG palette 4-bit"``."""
        return form_of(self.color_type, self.bits)

    @property
    def stored(self) -> int:
        """Size of the inflated scan lines, one filter byte each."""
        passes = ADAM7 if self.interlaced else ((0, 0, 1, 1),)
        total = 0
        for column, row, across, down in passes:
            width, height = -((column - self.width) // across), -((row - self.height) // down)
            if width > 0 and height > 0:
                total += height * (1 + (width * self.bits * CHANNELS[self.color_type] + 7) // 8)
        return total

    def decode(self, data: bytes) -> NDArray[Any]:
        """Return samples as stored: by kornia-rs where it hands them on unchanged, or by Pillow.

        Where kornia-rs refuses a file, Pillow has the last word, so that either says the same.
        """
        if self.format in DIRECT and DECODERS:
            scan_lines(data, self)  # at whose checksum and end kornia-rs does not look
            try:
                array = DECODERS[self.bits](data, (self.height, self.width), DIRECT[self.format])
            except (*ENDS, MemoryError):
                raise
            except BaseException:  # noqa: BLE001, S110 - it may panic, which is no Exception
                pass
            else:
                return array if array.shape[2] > 1 else array[..., 0]
        bare = _bare(self, scan_lines(data, self))
        try:
            return _by_pillow(bare, self)
        except Exception as error:
            message = "the file is broken: its pixels make no image; write it again"
            raise MaskError(message) from error


def form_of(color_type: int, bits: int) -> str:
    """Return a storage form in words."""
    return f"PNG {NAMES[color_type]} {bits}-bit"


def read_header(stream: IO[bytes]) -> Header:
    """Read the header of a PNG file, without decoding a pixel."""
    return parse_header(stream.read(FIRST))


def parse_header(data: bytes) -> Header:
    """Return what the first 33 bytes of a PNG file say."""
    if len(data) < FIRST or data[8:16] != b"\0\0\0\rIHDR":
        raise MaskError("the file is broken: its PNG header is cut off; write it again")
    width, height, bits, color_type, *methods, interlaced = struct.unpack(">IIBBBBB", data[16:29])
    if data[29:] != _checksum(b"IHDR", data[16:29]):
        raise MaskError("the file is broken: checksum of chunk b'IHDR' differs; write it again")
    if color_type not in CHANNELS:
        raise MaskError(f"the file is broken: PNG colour type {color_type} does not exist")
    if any(methods) or interlaced > 1:
        raise MaskError("the file is broken: its PNG header names a method that does not exist")
    if bits not in DEPTHS[color_type]:
        raise MaskError(f"the file is broken: no PNG of its kind has samples of {bits} bits")
    if (color_type, bits) == (4, 16):
        raise MaskError("16-bit grey with alpha is not read; save the mask without alpha")
    return Header(
        width=width, height=height, bits=bits, color_type=color_type, interlaced=bool(interlaced)
    )


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield type, start and end of what each chunk between header and end holds."""
    position = FIRST
    while data[position : position + 12] != END:
        start = position + 8
        end = start + int.from_bytes(data[position : position + 4], "big")
        kind = data[position + 4 : start]
        if end + 4 > len(data):
            raise MaskError("the file is broken: it ends too early; write it again")
        yield kind, start, end
        position = end + 4


def _check_order(data: bytes, header: Header) -> None:
    """Refuse a file with chunks that are unknown, missing, or in a second or wrong place."""
    seen, before = {b"IHDR", b"IEND"}, b""
    for kind, _, _ in _chunks(data):
        if kind in MOVING:
            raise MaskError(f"it is an animation (chunk {kind!r}); save the mask as a plain PNG")
        if kind in CRITICAL:
            late = kind == b"PLTE" and b"IDAT" in seen
            if late or (kind in seen and not kind == before == b"IDAT"):
                raise MaskError(
                    f"the file is broken: chunk {kind!r} stands in a second or wrong place, or is "
                    "damaged; write it again"
                )
        elif kind[:1].isupper() or not kind.isalpha():
            raise MaskError(f"the file is broken: there is no PNG chunk {kind!r}; write it again")
        seen.add(kind)
        before = kind
    if header.color_type == 3 and b"PLTE" not in seen:
        raise MaskError("the file is broken: its palette is missing; write it again")


def scan_lines(data: bytes, header: Header) -> bytes | bytearray:
    """Inflate the rows, filtered as they are, of a file that is plain and whole in every way."""
    _check_order(data, header)
    return inflate(_stream(data), header.stored)


def _stream(data: bytes) -> bytes | memoryview:
    """Return what is compressed, put together from chunks whose checksums are right."""
    parts, view = [], memoryview(data)  # no part is copied where there is but one
    for kind, start, end in _chunks(data):
        if kind in CRITICAL:
            if int.from_bytes(view[end : end + 4]) != checksum(view[start - 4 : end]):
                raise MaskError(
                    f"the file is broken: checksum of chunk {kind!r} differs; write it again"
                )
            if kind == b"IDAT":
                parts.append(view[start:end])
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _bare(header: Header, rows: bytes | bytearray) -> bytes:
    """Return a PNG of header and rows alone, where Pillow would fill in or stumble."""
    fields = struct.pack(
        ">IIBBBBB",
        header.width,
        header.height,
        header.bits,
        header.color_type,
        0,
        0,
        header.interlaced,
    )
    stream = zlib.compress(rows, 0)
    del rows  # which are large
    parts = (b"IHDR", fields), (b"IDAT", stream), (b"IEND", b"")
    return SIGNATURE + b"".join(
        struct.pack(">I", len(content)) + kind + content + _checksum(kind, content)
        for kind, content in parts
    )


def _by_pillow(bare: bytes, header: Header) -> NDArray[Any]:
    """Decode by Pillow, whose 2- and 4-bit grey is divided back to what is stored."""
    from PIL.PngImagePlugin import PngImageFile

    array: NDArray[Any] = np.asarray(PngImageFile(io.BytesIO(bare)))
    if header.format in {(2, 16), (6, 16)}:  # of these, Pillow keeps one byte
        image = PngImageFile(io.BytesIO(bare))
        # the order of bytes for which it keeps the other one
        image.tile = [tile._replace(args=f"{image.mode};16L") for tile in image.tile]
        array = array.astype(np.uint16)
        array <<= 8
        array |= np.asarray(image)
    elif header.format in {(0, 2), (0, 4)}:
        array = array // np.uint8(STRETCHED[header.bits])
    return as_zero_one(array) if array.dtype == np.bool_ else array


def _checksum(kind: bytes, content: bytes) -> bytes:
    return checksum(kind + content).to_bytes(4, "big")
