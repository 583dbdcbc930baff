"""A PNG is read, or refused in the same words, whoever decodes it and whatever surrounds it."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

import numpy as np
import pytest
from made.png import CHANNELS, SIGNATURE, chunk, png_start, scan_lines
from made.sets import frozen

from segeval.errors import MaskError
from segeval.inputs.masks import read_mask

if TYPE_CHECKING:
    from pathlib import Path

FORMATS = [(0, 1), (0, 8), (3, 8), (0, 16), (2, 8), (6, 16)]
END = chunk(b"IEND", b"")
NOT_INFLATED = "its pixels cannot be inflated, or differ from their checksum; write it again"


def made_rows(color_type: int, bits: int) -> bytes:
    """Return filtered rows of 13 × 9 pixels: grey, and opaque."""
    random = np.random.default_rng(bits)
    samples = random.integers(0, 1 << bits, (9, 13, 1)).repeat(CHANNELS[color_type], axis=2)
    if color_type == 6:
        samples[..., -1] = (1 << bits) - 1
    return scan_lines(frozen(samples, "int64"), bits=bits, interlaced=False)


def parts(color_type: int, bits: int) -> tuple[bytes, bytes, bytes]:
    """Return what comes before the pixels, the filtered rows, and their compressed stream."""
    start = png_start(13, 9, color_type=color_type, bits=bits)
    if color_type == 3:
        start += chunk(b"PLTE", bytes(3 << bits))
    rows = made_rows(color_type, bits)
    return start, rows, zlib.compress(rows)


def spoilt(content: bytes) -> bytes:
    """Change the last byte."""
    return content[:-1] + bytes([content[-1] ^ 1])


def flushed(rows: bytes) -> bytes:
    """Compress rows, and leave the end open."""
    packer = zlib.compressobj()
    return packer.compress(rows) + packer.flush(zlib.Z_FULL_FLUSH)


def damaged(kind: str, color_type: int, bits: int) -> bytes:
    start, rows, stream = parts(color_type, bits)
    pixels = chunk(b"IDAT", stream)
    header = bytearray(start[16:29])
    if kind in {"compression", "filtering", "interlacing"}:
        header[10 + ["compression", "filtering", "interlacing"].index(kind)] = 2
        start = SIGNATURE + chunk(b"IHDR", bytes(header)) + start[33:]
    return start + {
        "no pixels": END,
        "pixels in two places": chunk(b"IDAT", stream[:9])
        + chunk(b"tEXt", b"a\0b")
        + chunk(b"IDAT", stream[9:])
        + END,
        "head of the stream": chunk(b"IDAT", b"xx" + stream[2:]) + END,
        "a filter of its own": chunk(b"IDAT", zlib.compress(b"\7" + rows[1:])) + END,
        "unknown critical chunk": chunk(b"ABCD", b"") + pixels + END,
        "no end": pixels,
        "a second header": png_start(9, 13, color_type=color_type, bits=bits)[8:] + pixels + END,
        "a header behind": pixels + png_start(9, 13, color_type=color_type, bits=bits)[8:] + END,
        "two palettes": chunk(b"PLTE", bytes(6)) * 2 + pixels + END,
        "palette behind": pixels + chunk(b"PLTE", bytes(6)) + END,
        "a type of no letters": chunk(b"a1c\xff", b"") + pixels + END,
        "sum of the end": pixels + spoilt(END),
        "end that holds something": pixels + chunk(b"IEND", b"x"),
        "a stream with a dictionary": chunk(b"IDAT", b"\x78\xbb" + stream[2:]) + END,
        "end cut off": pixels + END[:6],
        "sum of the stream": chunk(b"IDAT", spoilt(stream)) + END,
        "no sum of the stream": chunk(b"IDAT", stream[:-4]) + END,
        "half a sum": chunk(b"IDAT", stream[:-2]) + chunk(b"IDAT", b"") + END,
        "no end of the stream": chunk(b"IDAT", flushed(rows)) + END,
        "one byte too many": chunk(b"IDAT", zlib.compress(rows + b"\0")) + END,
        "too many rows": chunk(b"IDAT", zlib.compress(rows + bytes(50))) + END,
        "damage behind the rows": chunk(b"IDAT", flushed(rows) + b"\xff" * 9) + END,
        "length of a chunk": struct.pack(">I", 1 << 31) + pixels[4:] + END,
    }.get(kind, pixels + END)


@pytest.mark.usefixtures("decoder")
@pytest.mark.parametrize(("color_type", "bits"), FORMATS)
@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("no pixels", "0 of [0-9]+ bytes of pixels are there; write it again"),
        ("pixels in two places", "chunk b'IDAT' stands in a second or wrong place, or .* again"),
        ("a second header", "chunk b'IHDR' stands in a second or wrong place, or .* again"),
        ("a header behind", "chunk b'IHDR' stands in a second or wrong place, or .* again"),
        ("two palettes", "chunk b'PLTE' stands in a second or wrong place, or .* again"),
        ("palette behind", "chunk b'PLTE' stands in a second or wrong place, or .* again"),
        ("a type of no letters", r"there is no PNG chunk b'a1c\\xff'; write it again"),
        ("sum of the end", "chunk b'IEND' stands in a second or wrong place, or .* again"),
        (
            "end that holds something",
            "chunk b'IEND' stands in a second or wrong place, or .* again",
        ),
        ("a stream with a dictionary", NOT_INFLATED),
        ("head of the stream", NOT_INFLATED),
        ("sum of the stream", NOT_INFLATED),
        ("no sum of the stream", "the end of its pixels is missing; write it again"),
        ("half a sum", "the end of its pixels is missing; write it again"),
        ("no end of the stream", "the end of its pixels is missing; write it again"),
        (
            "one byte too many",
            "more than ([0-9]+) of \\1 bytes of pixels are there; write it again",
        ),
        ("too many rows", "more than ([0-9]+) of \\1 bytes of pixels are there; write it again"),
        ("damage behind the rows", NOT_INFLATED),
        ("a filter of its own", "its pixels make no image; write it again"),
        ("unknown critical chunk", "there is no PNG chunk b'ABCD'; write it again"),
        ("no end", "it ends too early; write it again"),
        ("end cut off", "it ends too early; write it again"),
        ("length of a chunk", "it ends too early; write it again"),
        ("compression", "its PNG header names a method that does not exist"),
        ("filtering", "its PNG header names a method that does not exist"),
        ("interlacing", "its PNG header names a method that does not exist"),
    ],
)
def test_damage_is_told_in_the_same_words_by_either_decoder(
    tmp_path: Path, kind: str, message: str, color_type: int, bits: int
) -> None:
    (tmp_path / "a.png").write_bytes(damaged(kind, color_type, bits))
    with pytest.raises(MaskError, match=rf"a\.png: the file is broken: {message}$"):
        read_mask(tmp_path / "a.png")


def surrounded(kind: str, color_type: int, bits: int) -> bytes:
    start, _, stream = parts(color_type, bits)
    pixels = chunk(b"IDAT", stream)
    before, pixels, after = {
        "nothing": (b"", pixels, b""),
        "text with a wrong checksum": (spoilt(chunk(b"tEXt", b"a\0b")), pixels, b""),
        "gamma cut short": (chunk(b"gAMA", b"\0"), pixels, b""),
        "profile of nonsense": (chunk(b"iCCP", b"xx"), pixels, b""),
        "text that inflates": (
            chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(5 << 20))),
            pixels,
            b"",
        ),
        "unknown ancillary chunk": (chunk(b"abCd", b"x"), pixels, b""),
        "pixels in many chunks": (
            b"",
            b"".join(chunk(b"IDAT", stream[at : at + 7]) for at in range(0, len(stream), 7)),
            b"",
        ),
        "bytes behind the stream": (b"", chunk(b"IDAT", stream + b"more"), b""),
        "an empty chunk of pixels": (b"", pixels + chunk(b"IDAT", b""), b""),
        "something behind the end": (b"", pixels, END + b"more"),
    }[kind]
    return start + before + pixels + after + END


@pytest.mark.usefixtures("decoder")
@pytest.mark.parametrize(("color_type", "bits"), FORMATS)
@pytest.mark.parametrize(
    "kind",
    [
        "text with a wrong checksum",
        "gamma cut short",
        "profile of nonsense",
        "text that inflates",
        "unknown ancillary chunk",
        "pixels in many chunks",
        "bytes behind the stream",
        "an empty chunk of pixels",
        "something behind the end",
    ],
)
def test_what_surrounds_the_pixels_does_not_matter(
    tmp_path: Path, kind: str, color_type: int, bits: int
) -> None:
    for name in ("nothing", kind):
        (tmp_path / name).write_bytes(surrounded(name, color_type, bits))
    plain, other = (read_mask(tmp_path / name) for name in ("nothing", kind))
    np.testing.assert_array_equal(other.values, plain.values)
    assert (other.form, other.values.dtype) == (plain.form, plain.values.dtype)


@pytest.mark.usefixtures("decoder")
@pytest.mark.parametrize(("color_type", "bits"), FORMATS)
@pytest.mark.parametrize("kind", [b"acTL", b"fcTL", b"fdAT"])
def test_animations_are_refused(tmp_path: Path, kind: bytes, color_type: int, bits: int) -> None:
    start, _, stream = parts(color_type, bits)
    content = chunk(kind, struct.pack(">2I", 2, 0))
    (tmp_path / "a.png").write_bytes(start + content + chunk(b"IDAT", stream) + END)
    with pytest.raises(
        MaskError, match=rf"it is an animation \(chunk {kind!r}\); save the mask as"
    ):
        read_mask(tmp_path / "a.png")


@pytest.mark.usefixtures("decoder")
def test_a_palette_that_is_missing_is_missed(tmp_path: Path) -> None:
    _, _, stream = parts(3, 8)
    start = png_start(13, 9, color_type=3, bits=8)
    (tmp_path / "a.png").write_bytes(start + chunk(b"IDAT", stream) + END)
    with pytest.raises(MaskError, match="its palette is missing"):
        read_mask(tmp_path / "a.png")


@pytest.mark.usefixtures("decoder")
@pytest.mark.parametrize(("color_type", "bits"), [(0, 6), (0, 3), (2, 4), (3, 16), (4, 1), (6, 2)])
def test_depths_that_do_not_exist_are_refused(tmp_path: Path, color_type: int, bits: int) -> None:
    start = png_start(13, 9, color_type=color_type, bits=bits)
    (tmp_path / "a.png").write_bytes(start + chunk(b"IDAT", b"") + END)
    with pytest.raises(MaskError, match=f"no PNG of its kind has samples of {bits} bits"):
        read_mask(tmp_path / "a.png")


def test_a_decoder_that_panics_leaves_the_word_to_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def panic(*_: object) -> None:
        raise type("PanicException", (BaseException,), {})("index out of bounds")

    (tmp_path / "a.png").write_bytes(surrounded("nothing", 0, 8))
    expected = read_mask(tmp_path / "a.png").values
    monkeypatch.setattr("segeval.inputs.formats.png.DECODERS", {8: panic})
    np.testing.assert_array_equal(read_mask(tmp_path / "a.png").values, expected)


def test_the_limit_of_the_caller_holds_for_large_masks_without_kornia_rs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("segeval.inputs.formats.png.DECODERS", {})
    (tmp_path / "a.png").write_bytes(surrounded("nothing", 0, 8))
    assert read_mask(tmp_path / "a.png", max_pixels=117).values.size == 117
