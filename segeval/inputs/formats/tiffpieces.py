"""The bytes of the strips or tiles of a TIFF file: exactly those of the pixels.

Where libtiff must inflate them, through Pillow, it is handed a file of nothing else. It refuses
what is too short. What is too long, as where the header tells of fewer pixels, it would not notice.
"""

import io
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from segeval.errors import MaskError
from segeval.inputs.formats import inflate, lzw

STORED, LZW, PACKBITS = 1, 5, 32773
DEFLATE: Final = {8, 32946}
FAX: Final = {2, 3, 4}
METHODS: Final = {STORED, LZW, PACKBITS, 34925, 50000} | DEFLATE | FAX  # the two are LZMA and Zstd
PREDICTED: Final = METHODS - FAX - {STORED, PACKBITS}  # what a predictor goes with
FAX_TAGS: Final = 266, 292, 293  # order of bits, options of either method
BYTES: Final = "bytes of pixels"


@dataclass(frozen=True, slots=True, kw_only=True)
class Packing:
    """How rows are packed in pieces of several rows; the last one may have fewer."""

    method: int
    rows: int
    piece_rows: int
    columns: int
    row_bytes: int
    fax: tuple[int, ...]  # values of `FAX_TAGS`


def unpack(pieces: Sequence[memoryview], packing: Packing) -> NDArray[np.uint8]:
    """Return the bytes of all rows, (rows, bytes); no piece may hold more or fewer than its own."""
    shape = packing.rows, packing.row_bytes
    starts = range(0, packing.rows, packing.piece_rows)
    sizes = [min(packing.piece_rows, packing.rows - row) * packing.row_bytes for row in starts]
    if packing.method in {STORED, *DEFLATE}:
        content = b"".join(
            _inflated(piece, size, packing.method)
            for piece, size in zip(pieces, sizes, strict=True)
        )
        return np.frombuffer(content, np.uint8).reshape(shape)
    for number in {0, len(pieces) - 1}:  # all have rows of one length, and only the last has fewer
        if packing.method == LZW:
            lzw.check_length(bytes(pieces[number]), sizes[number])
        elif packing.method == PACKBITS:
            lzw.check_number(_packbits_length(pieces[number]), sizes[number], BYTES)
    return _by_libtiff(pieces, packing)


def _inflated(data: memoryview, size: int, method: int) -> bytes | bytearray | memoryview:
    if method == STORED:
        lzw.check_number(len(data), size, BYTES)
        return data
    return inflate.inflate(data, size)


def _packbits_length(data: memoryview) -> int:
    found = at = 0
    while at < len(data):
        count = data[at]
        found += 0 if count == 128 else count + 1 if count < 128 else 257 - count
        at += 2 + count if count < 128 else 1 if count == 128 else 2
    return found


def _by_libtiff(pieces: Sequence[memoryview], packing: Packing) -> NDArray[Any]:
    """Inflate by Pillow, which is handed strips of 8-bit grey in place of whatever they hold."""
    from PIL import Image
    from PIL.TiffImagePlugin import TiffImageFile

    fax = packing.method in FAX
    columns, bits = (packing.columns, 1) if fax else (packing.row_bytes, 8)
    tags: dict[int, Sequence[int]] = {256: [columns], 257: [packing.rows], 258: [bits]}
    tags |= {259: [packing.method], 262: [1], 277: [1], 278: [packing.piece_rows]}
    tags |= {tag: [value] for tag, value in zip(FAX_TAGS, packing.fax, strict=True) if fax}
    behind = 8 + 2 + 12 * (len(tags) + 2) + 4  # where numbers that need more room stand
    lengths = [len(piece) for piece in pieces]
    start = behind + (8 * len(pieces) if len(pieces) > 1 else 0)
    tags |= {273: [start + sum(lengths[:number]) for number in range(len(lengths))], 279: lengths}
    entries, numbers = b"", b""
    for tag, values in sorted(tags.items()):
        content = struct.pack(f"<{len(values)}I", *values)
        if len(values) > 1:
            content, numbers = struct.pack("<I", behind + len(numbers)), numbers + content
        entries += struct.pack("<HHI", tag, 4, len(values)) + content
    head = struct.pack("<2sHIH", b"II", 42, 8, len(tags)) + entries + bytes(4) + numbers
    try:
        with TiffImageFile(io.BytesIO(b"".join([head, *pieces]))) as image:
            image.im = Image.new(image.mode, image.size).im  # it would doubt the size
            found = np.asarray(image)
    except (OSError, ValueError) as error:
        raise MaskError("the file is broken: its pixels cannot be inflated") from error
    return np.packbits(found, axis=1) if fax else found
