"""Images that few programs write are read exactly, or refused; never approximately."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import pytest

from segeval.errors import MaskError
from segeval.inputs.masks import read_mask

if TYPE_CHECKING:
    from pathlib import Path


def bitmap(*, width: int, bits: int, palette: list[tuple[int, int, int]], row: bytes) -> bytes:
    """Write one row of a BMP file; its colours are stored as blue, green, red, 0."""
    row += bytes(-len(row) % 4)
    start = 54 + 4 * len(palette)
    head = b"BM" + struct.pack("<IHHI", start + len(row), 0, 0, start)
    fields = (40, width, 1, 1, bits, 0, len(row), 0, 0, len(palette), 0)
    colors = b"".join(bytes([*color[::-1], 0]) for color in palette)
    return head + struct.pack("<IiiHHIIiiII", *fields) + colors + row


def tiff(*, width: int, height: int = 1, bits: int, sample_format: int, row: bytes) -> bytes:
    """Write one row of an uncompressed little-endian TIFF file."""
    start = 8 + 2 + 10 * 12 + 4
    tags = {256: width, 257: height, 258: bits, 259: 1, 262: 1, 273: start, 277: 1, 278: 1}
    tags |= {279: len(row), 339: sample_format}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    return struct.pack("<2sHIH", b"II", 42, 8, len(tags)) + entries + bytes(4) + row


def exact_or_refused(path: Path, content: bytes, expected: list[int]) -> None:
    path.write_bytes(content)
    try:
        values = read_mask(path).values
    except MaskError:
        return
    assert values.tolist() == [expected]


LEVELS = [(level, level, level) for level in range(16)]


@pytest.mark.parametrize(
    ("bits", "palette", "row", "expected"),
    [
        (1, [(0, 0, 0), (255, 255, 255)], b"\xa0", [1, 0, 1, 0]),
        (1, [(255, 255, 255), (0, 0, 0)], b"\xa0", [1, 0, 1, 0]),
        (4, [(9 * level, 0, level) for level in range(16)], b"\x12\x3f", [1, 2, 3, 15]),
        (4, LEVELS, b"\x12\x3f", [1, 2, 3, 15]),
        (4, [(0, 0, 0), (255, 255, 255)], b"\x10\x10", [1, 0, 1, 0]),
        (8, LEVELS, b"\1\2\3\17", [1, 2, 3, 15]),
        (8, [(0, 0, 0), (255, 255, 255)], b"\1\0\1\0", [1, 0, 1, 0]),
    ],
    ids="1-bit 1-bit-reversed 4-bit 4-bit-grey 4-bit-two 8-bit-grey 8-bit-two".split(),
)
def test_a_bmp_is_read_exactly_or_refused_whatever_its_palette(
    tmp_path: Path,
    bits: int,
    palette: list[tuple[int, int, int]],
    row: bytes,
    expected: list[int],
) -> None:
    content = bitmap(width=4, bits=bits, palette=palette, row=row)
    exact_or_refused(tmp_path / "a.bmp", content, expected)


@pytest.mark.parametrize(
    ("bits", "sample_format", "row", "expected"),
    [
        (2, 1, b"\x1b", [0, 1, 2, 3]),
        (4, 1, b"\x12\x3f", [1, 2, 3, 15]),
        (8, 1, b"\0\1\2\xff", [0, 1, 2, 255]),
        (8, 2, struct.pack("<4b", 0, 1, 2, -3), [0, 1, 2, -3]),
        (16, 2, struct.pack("<4h", 0, 1, 2, -3), [0, 1, 2, -3]),
        (32, 2, struct.pack("<4i", 0, 1, 2, -3), [0, 1, 2, -3]),
        (32, 1, struct.pack("<4I", 0, 1, 2, 3_000_000_000), [0, 1, 2, 3_000_000_000]),
    ],
    ids="uint2 uint4 uint8 int8 int16 int32 uint32".split(),
)
def test_a_tiff_is_read_exactly_or_refused_whatever_its_sample_format(
    tmp_path: Path, bits: int, sample_format: int, row: bytes, expected: list[int]
) -> None:
    content = tiff(width=4, bits=bits, sample_format=sample_format, row=row)
    exact_or_refused(tmp_path / "a.tif", content, expected)


def test_a_tiff_that_claims_too_much_is_refused_before_decoding(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    path.write_bytes(tiff(width=60000, height=60000, bits=8, sample_format=1, row=b""))
    with pytest.raises(MaskError, match="claims 60000×60000 = 3600000000 pixels"):
        read_mask(path)
