"""A TIFF is one upright image with all its pixels, or it is refused."""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from made.sets import frozen
from made.tiff import Layout, made_tiff
from PIL import Image

from segeval.errors import MaskError
from segeval.inputs.masks import read_mask
from segeval.values import COLOR, float_values

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

RANDOM = np.random.default_rng(0)
BYTES = frozen(RANDOM.integers(0, 256, (21, 35)))
RGB = frozen(RANDOM.integers(0, 256, (21, 35, 3)))
OPAQUE = frozen(np.dstack([RGB, np.full((21, 35), 255)]))


def read(path: Path, content: bytes) -> NDArray[Any]:
    path.write_bytes(content)
    return read_mask(path).values


def colors(samples: NDArray[Any]) -> NDArray[Any]:
    red, green, blue = np.moveaxis(samples[..., :3].astype(np.int64), -1, 0)
    return np.asarray(COLOR + (red << 16 | green << 8 | blue))


LAYOUTS = [
    Layout(**options)
    for options in (
        {},
        {"order": ">"},
        {"big": True},
        {"big": True, "order": ">", "strip_rows": 5},
        {"strip_rows": 4, "deflated": True},
        {"tile": (16, 16)},
        {"tile": (16, 32), "deflated": True, "order": ">"},
        {"tile": (32, 48), "planes": True},
        {"strip_rows": 8, "planes": True, "deflated": True},
        {"strip_rows": 8, "planes": True},
        {"deflated": True, "predictor": 2},
        {"deflated": True, "predictor": 2, "order": ">", "tile": (16, 16)},
    )
]


@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
@pytest.mark.parametrize("dtype", "uint8 int8 uint16 int16 uint32 int32 uint64 int64".split())
def test_integers_are_read_as_they_are(tmp_path: Path, dtype: str, layout: Layout) -> None:
    highest = min(int(np.iinfo(dtype).max), 1 << 61)
    lowest = max(int(np.iinfo(dtype).min), -(1 << 61))
    samples = frozen(RANDOM.integers(lowest, highest, (21, 35), dtype=dtype), dtype)
    found = read(tmp_path / "a.tif", made_tiff(samples, layout=layout))
    np.testing.assert_array_equal(found, samples)
    assert found.dtype == dtype


@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_few_bits_and_colours_are_read_in_every_layout(
    tmp_path: Path, bits: int, layout: Layout
) -> None:
    few = frozen(BYTES & ((1 << bits) - 1))
    if layout.predictor == 1:
        content = made_tiff(few, bits=bits, meaning=3 if bits == 4 else 1, layout=layout)
        np.testing.assert_array_equal(read(tmp_path / "a.tif", content), few)
    for samples in (RGB, OPAQUE):
        content = made_tiff(samples, meaning=2, layout=layout)
        np.testing.assert_array_equal(read(tmp_path / "b.tif", content), colors(samples))
    content = made_tiff(np.dstack([BYTES, OPAQUE[..., 3]]), layout=layout)
    np.testing.assert_array_equal(read(tmp_path / "c.tif", content), BYTES)


@pytest.mark.parametrize("predictor", [1, 2, 3])
@pytest.mark.parametrize("layout", [{}, {"order": ">"}, {"tile": (16, 16)}], ids=str)
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_floats_are_read_in_every_layout(
    tmp_path: Path, dtype: str, layout: dict[str, Any], predictor: int
) -> None:
    samples = RANDOM.random((21, 35)).astype(dtype)
    content = made_tiff(samples, layout=Layout(deflated=True, predictor=predictor, **layout))
    np.testing.assert_array_equal(read(tmp_path / "a.tif", content), float_values(samples))


METHODS = "raw packbits tiff_lzw tiff_deflate tiff_adobe_deflate zstd lzma".split()
FAX = "tiff_ccitt group3 group4".split()


@pytest.mark.parametrize("rows", [5, 21])
@pytest.mark.parametrize("method", METHODS + FAX)
def test_every_compression_is_read(tmp_path: Path, method: str, rows: int) -> None:
    values = BYTES > 200 if method in FAX else BYTES // 50
    stream = io.BytesIO()
    Image.fromarray(values).save(stream, "TIFF", compression=method, tiffinfo={278: rows})
    np.testing.assert_array_equal(read(tmp_path / "a.tif", stream.getvalue()), values)


@pytest.mark.parametrize("method", [m for m in METHODS if m not in {"zstd", "lzma"}])
@pytest.mark.parametrize("tag", [256, 257])
def test_a_size_that_is_not_that_of_the_pixels_is_refused(
    tmp_path: Path, tag: int, method: str
) -> None:
    stream = io.BytesIO()
    Image.fromarray(BYTES // 50).save(stream, "TIFF", compression=method)
    content = stream.getvalue()
    size = {256: 35, 257: 21}[tag]
    (at,) = (
        content.index(entry)
        for kind in (3, 4)
        if (entry := struct.pack("<HHII", tag, kind, 1, size)) in content
    )
    for other in (size - 1, size + 1):
        changed = content[: at + 8] + bytes([other]) + content[at + 9 :]
        with pytest.raises(MaskError, match=r"broken: .* (are there|make the image|be inflated)"):
            read(tmp_path / "a.tif", changed)


@pytest.mark.parametrize("layout", LAYOUTS[2:6], ids=str)
def test_every_cut_is_refused(tmp_path: Path, layout: Layout) -> None:
    content = made_tiff(BYTES[:5, :6], layout=layout)
    for length in range(1, len(content)):
        with pytest.raises(MaskError, match=r"broken: |not an image"):
            read(tmp_path / "a.tif", content[:length])


STRIPS, TILES = Layout(strip_rows=7), Layout(tile=(16, 16))
STRANGE: dict[str, tuple[Any, Layout, str]] = {
    **{
        f"orientation {number}": (
            {274: number},
            STRIPS,
            rf"stored {words} \(orientation {number}\)",
        )
        for number, words in [
            (2, "mirrored"),
            (3, "turned by half"),
            (4, "upside down"),
            (5, "with rows as columns"),
            (6, "turned to the right"),
            (7, "with rows as columns, backwards"),
            (8, "turned to the left"),
            (9, "in an unknown order"),
        ]
    },
    "strip missing": ({273: [16, 0, 506]}, STRIPS, "strip 2 of 3 is not in it; .*all pixels"),
    "strip empty": ({279: [245, 0, 245]}, STRIPS, "strip 2 of 3 is not in it"),
    "strip beyond": ({273: [16, 261, 1 << 30]}, STRIPS, "strip 3 of 3 is not in it"),
    "strip short": ({279: [245, 244, 245]}, STRIPS, "244 of 245 bytes of pixels are there"),
    "strip long": ({279: [245, 246, 245]}, STRIPS, "more than 245 of 245 bytes"),
    "strips overlap": ({259: 5, 273: [16] * 3, 279: [600] * 3}, STRIPS, "its strips overlap"),
    "one strip less": ({273: [16, 261], 279: [245] * 2}, STRIPS, "2 strips, and 3 make the image"),
    "tile missing": ({324: [16, 272, 0, 784, 1040, 1296]}, TILES, "tile 3 of 6 is not in it"),
    "one tile less": ({324: [16] * 5, 325: [256] * 5}, TILES, "5 tiles, and 6 make the image"),
    "strips and tiles": ({273: 16, 279: 735}, TILES, "tells of strips and of tiles"),
    "no strips": ({273: -1}, STRIPS, "TIFF tag 273 is missing"),
    "no rows": ({278: 0}, STRIPS, "make the image"),
    "huge tile": ({322: 1 << 20, 323: 1 << 20, 324: 16, 325: 256}, TILES, "far larger than its"),
    "white is 0": ({262: 0}, STRIPS, "stored as grey with white as 0, 1 × 8 bits"),
    "meaning": ({262: 9}, STRIPS, "stored as meaning 9"),
    "no meaning": ({262: -1}, STRIPS, "tag 262 is missing"),
    "12 bits": ({258: 12}, STRIPS, "1 × 12 bits, which is not read"),
    "two channels": (
        {277: 3},
        STRIPS,
        "it holds 3 bands; type --band N for one",
    ),
    "complex": ({339: 6, 258: 64}, STRIPS, "1 × 64 bits, which is not read"),
    "reversed bits": ({266: 2}, STRIPS, "reverse order; save it as PNG"),
    "WebP": ({259: 50001}, STRIPS, r"compression \(method 50001\) is not read; save it as PNG"),
    "old JPEG": ({259: 6}, STRIPS, "JPEG-compressed, which is lossy"),
    "fax of bytes": ({259: 4}, STRIPS, r"compression \(method 4\) is not read"),
    "predictor": ({259: 8, 317: 3}, STRIPS, r"no such predictor \(3\)"),
    "no deflate": ({259: 8}, STRIPS, "cannot be inflated"),
    "no LZW": ({259: 5}, STRIPS, "broken"),
    "planes": ({284: 3}, STRIPS, "in no known order"),
    "unequal": ({258: [8, 16]}, STRIPS, "channels differ in TIFF tag 258"),
}


@pytest.mark.parametrize("kind", STRANGE)
def test_what_is_not_whole_plain_and_upright_is_refused(tmp_path: Path, kind: str) -> None:
    tags, layout, message = STRANGE[kind]
    with pytest.raises(MaskError, match=message):
        read(tmp_path / "a.tif", made_tiff(BYTES, tags=tags, layout=layout))


def test_a_tag_that_stands_twice_is_refused(tmp_path: Path) -> None:
    content = made_tiff(BYTES)
    twice = content.replace(struct.pack("<HH", 262, 4), struct.pack("<HH", 259, 4))
    with pytest.raises(MaskError, match="TIFF tag 259 stands twice"):
        read(tmp_path / "a.tif", twice)


def test_directories_in_a_circle_are_counted_once(tmp_path: Path) -> None:
    content = made_tiff(BYTES)
    place = struct.unpack_from("<I", content, 4)[0]
    end = place + 2 + 12 * struct.unpack_from("<H", content, place)[0]
    circle = content[:end] + struct.pack("<I", place) + content[end + 4 :]
    np.testing.assert_array_equal(read(tmp_path / "a.tif", circle), BYTES)


def test_an_orientation_in_other_metadata_changes_nothing(tmp_path: Path) -> None:
    """Pillow would turn the image by it."""
    note = b'<x tiff:Orientation="6"/>'
    image = Image.fromarray(BYTES)
    image.save(tmp_path / "a.tif", tiffinfo={700: note})
    np.testing.assert_array_equal(read_mask(tmp_path / "a.tif").values, BYTES)


def test_a_header_that_claims_too_much_is_refused_before_decoding(tmp_path: Path) -> None:
    content = made_tiff(BYTES, tags={256: 60000, 257: 60000})
    with pytest.raises(MaskError, match="claims 60000×60000 = 3600000000 pixels"):
        read(tmp_path / "a.tif", content)
