"""BMP files without compression, read as the indices or colours that they store.

Source of the layout: Microsoft, Bitmap Storage and the structures BITMAPFILEHEADER,
BITMAPCOREHEADER, BITMAPINFOHEADER, BITMAPV4HEADER and BITMAPV5HEADER.
"""

import struct
from dataclasses import dataclass
from typing import IO, Any, Final

import numpy as np
from numpy.typing import NDArray

from segeval.errors import MaskError

HEADERS: Final = {12, 40, 52, 56, 64, 108, 124}  # bytes of each kind of header
PLAIN, BITFIELDS = 0, 3  # kinds of compression
MASKS: Final = (0xFF0000, 0xFF00, 0xFF)  # bits of red, green and blue that are read
ALPHA: Final = 0xFF000000
NAMES: Final = {1: "palette", 4: "palette", 8: "palette", 24: "RGB", 32: "RGB"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """Size, bits a pixel, and where the rows are."""

    width: int
    height: int
    bits: int
    start: int  # of the first row in the file
    upwards: bool  # the first row in the file is the lowest
    alpha: bool

    @property
    def form(self) -> str:
        """Storage form in words."""
        name = "RGBA" if self.alpha else NAMES[self.bits]
        return f"BMP {name} {min(self.bits, 8)}-bit"

    @property
    def row(self) -> int:
        """Bytes of a row, which is filled up to whole words of 32 bits."""
        return (self.width * self.bits + 31) // 32 * 4

    @property
    def stored(self) -> int:
        """Bytes of all rows."""
        return self.row * self.height

    def decode(self, data: bytes) -> NDArray[Any]:
        """Return indices (H, W), or colours (H, W, 3 or 4)."""
        found = len(data) - self.start
        if not 0 <= found - self.stored < 4:
            raise MaskError(
                f"the file is broken: {found} bytes of pixels are there, and its header tells of "
                f"{self.stored}; write it again"
            )
        rows = np.frombuffer(data, np.uint8, self.stored, self.start)
        rows = rows.reshape(self.height, self.row)[:: -1 if self.upwards else 1]
        if self.bits <= 8:
            return unpacked(rows, self.bits)[:, : self.width]
        size = self.bits // 8
        colors = rows[:, : self.width * size].reshape(self.height, self.width, size)
        return colors[..., [2, 1, 0, 3] if self.alpha else [2, 1, 0]]


def unpacked(rows: NDArray[np.uint8], bits: int) -> NDArray[np.uint8]:
    """Return samples of 1, 2, 4 or 8 bits as bytes, the highest bits first; rows (H, B)."""
    if bits == 8:
        return rows
    places = np.arange(8 - bits, -1, -bits, dtype=np.uint8)
    samples = rows[..., None] >> places & np.uint8((1 << bits) - 1)
    return samples.reshape(len(rows), -1)


def read_header(stream: IO[bytes]) -> Header:
    """Read the header of a BMP file; the rows must stand right behind it and its palette."""
    head = stream.read(14 + 124)
    (offset,), (size,) = (_unpacked("<I", head, at) for at in (10, 14))
    if size not in HEADERS:
        raise MaskError(f"the file is broken: no BMP header has {size} bytes; write it again")
    if size == 12:
        width, height, planes, bits = _unpacked("<HHHH", head, 18)
        compression, used = PLAIN, 0
    else:
        width, height, planes, bits, compression = _unpacked("<iiHHI", head, 18)
        (used,) = _unpacked("<I", head, 46)
    if bits not in NAMES or planes != 1 or used > 1 << bits:
        raise MaskError(f"it is stored as {bits}-bit BMP, which is not read; save it as PNG")
    masks, behind = MASKS, 0
    if compression == BITFIELDS and bits == 32 and size != 64:
        masks, behind = _unpacked("<III", head, 54), 12 if size == 40 else 0
    if masks != MASKS or (compression != PLAIN and masks is MASKS):
        raise MaskError("its pixels are packed as in few BMP files; save it as PNG")
    (alpha,) = _unpacked("<I", head, 66) if behind == 0 and compression and size > 52 else (0,)
    if alpha not in {0, ALPHA}:
        raise MaskError("its alpha channel is stored as in few BMP files; save it as PNG")
    colors = (used or 1 << bits) if bits <= 8 else used
    start = 14 + size + behind + colors * (3 if size == 12 else 4)
    if offset != start:
        raise MaskError(
            f"its pixels begin at byte {offset}, not right behind header and palette (byte "
            f"{start}), so it is unclear what they are; save it as PNG"
        )
    upwards = height > 0
    return Header(
        width=width, height=abs(height), bits=bits, start=start, upwards=upwards, alpha=bool(alpha)
    )


def _unpacked(layout: str, head: bytes, at: int) -> tuple[Any, ...]:
    try:
        return struct.unpack_from(layout, head, at)
    except struct.error as error:
        raise MaskError("the file is broken: its BMP header is cut off; write it again") from error
