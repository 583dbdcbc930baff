"""GIF files of one image that fills their screen, read as the indices that they store.

Source of the layout: CompuServe, Graphics Interchange Format, version 89a.
"""

from dataclasses import dataclass
from typing import IO, Any, Final

import numpy as np
from numpy.typing import NDArray

from segeval.errors import MaskError
from segeval.inputs.formats import lzw

IMAGE, EXTENSION, TRAILER = 0x2C, 0x21, 0x3B
PASSES: Final = ((0, 8), (4, 8), (2, 4), (1, 2))  # first row and step of interlaced rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The size of the screen; an image has one byte a pixel."""

    width: int
    height: int
    screen_end: int  # where the blocks begin
    form: str = "GIF palette 8-bit"

    @property
    def stored(self) -> int:
        """Bytes of the indices."""
        return self.width * self.height

    def decode(self, data: bytes) -> NDArray[Any]:
        """Return the indices of the only image, (H, W)."""
        place, packed, bits, codes = _only_image(data, self.screen_end)
        if place != (0, 0, self.width, self.height):
            left, top, width, height = place
            raise MaskError(
                f"its image of {width}×{height} at ({left}, {top}) does not fill its screen of "
                f"{self.width}×{self.height}; save the whole mask as PNG"
            )
        pixels = lzw.inflate(codes, self.stored, bits=bits)
        stored = np.frombuffer(pixels, np.uint8).reshape(self.height, self.width)
        if not packed & 0x40:
            return stored
        rows = np.concatenate([np.arange(first, self.height, step) for first, step in PASSES])
        upright = np.empty_like(stored)
        upright[rows] = stored
        return upright


def read_header(stream: IO[bytes]) -> Header:
    """Read the size of the screen, and where its palette ends."""
    head = stream.read(13)
    if len(head) < 13 or head[:6] not in {b"GIF87a", b"GIF89a"}:
        raise MaskError("the file is broken: its GIF header is cut off; write it again")
    width, height = (int.from_bytes(head[at : at + 2], "little") for at in (6, 8))
    return Header(width=width, height=height, screen_end=13 + _palette_bytes(head[10]))


def _palette_bytes(packed: int) -> int:
    return 3 * 2 << (packed & 7) if packed & 0x80 else 0


def _only_image(data: bytes, at: int) -> tuple[tuple[int, ...], int, int, bytes]:
    """Return place, flags, bits and codes of the image, once all blocks are seen to be there."""
    images = []
    while (kind := _byte(data, at)) != TRAILER:
        if kind == EXTENSION:
            at, _ = _blocks(data, at + 2)
        elif kind == IMAGE:
            place = tuple(
                _byte(data, p) | _byte(data, p + 1) << 8 for p in range(at + 1, at + 9, 2)
            )
            packed = _byte(data, at + 9)
            start = at + 10 + _palette_bytes(packed)
            bits = _byte(data, start)
            at, codes = _blocks(data, start + 1)
            images.append((place, packed, bits, codes))
        else:
            raise MaskError(
                f"the file is broken: there is no GIF block {kind:#04x}; write it again"
            )
    if len(images) != 1:
        raise MaskError(f"it holds {len(images)} frames; save one mask a file")
    if not 2 <= images[0][2] <= 8:
        raise MaskError(f"the file is broken: codes of {images[0][2]} bits; write it again")
    return images[0]


def _blocks(data: bytes, at: int) -> tuple[int, bytes]:
    """Return where a chain of sub-blocks ends, and what it holds."""
    parts = []
    while length := _byte(data, at):
        parts.append(data[at + 1 : at + 1 + length])
        at += 1 + length
    return at + 1, b"".join(parts)


def _byte(data: bytes, at: int) -> int:
    if at >= len(data):
        raise MaskError("the file is broken: it ends too early; write it again")
    return data[at]
