"""Masks are read as their files store them."""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from made.png import CHANNELS, Chunk, made_png
from made.sets import frozen
from PIL import Image

from segeval.inputs.masks import read_mask
from segeval.values import COLOR

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

NAMES = {0: "grey", 2: "RGB", 3: "palette", 4: "grey and alpha", 6: "RGBA"}
GREYS = [(0, bits) for bits in (1, 2, 4, 8, 16)] + [(3, bits) for bits in (1, 2, 4, 8)] + [(4, 8)]
COLORS = [(2, 8), (2, 16), (6, 8), (6, 16)]
CHUNKS = "none gAMA sRGB sBIT tEXt pHYs tRNS".split()
SIZES = [(1, 1), (1, 5), (5, 1), (3, 3), (8, 8), (9, 17)]


def made_samples(color_type: int, bits: int, shape: tuple[int, int] = (9, 13)) -> NDArray[Any]:
    """Draw samples that a mask may hold: opaque, and grey where colours have 16 bits."""
    random = np.random.default_rng(100 * color_type + bits)
    samples = random.integers(0, 1 << bits, (*shape, CHANNELS[color_type]))
    samples.flat[0] = (1 << bits) - 1
    if color_type in {4, 6}:
        samples[..., -1] = (1 << bits) - 1
    if color_type in {2, 6} and bits == 16:
        samples[..., 1] = samples[..., 2] = samples[..., 0]
    return frozen(samples, "int64")


def stored_values(samples: NDArray[Any], color_type: int, bits: int) -> NDArray[np.int64]:
    channels = np.moveaxis(samples.astype(np.int64), -1, 0)
    if color_type in {2, 6} and bits == 8:
        return np.asarray(COLOR + (channels[0] << 16 | channels[1] << 8 | channels[2]))
    return np.asarray(channels[0])


def made_palette(bits: int) -> bytes:
    """Return unequal colours whose brightness has nothing to do with their index."""
    return bytes(np.random.default_rng(bits).integers(0, 256, 3 << bits).astype(np.uint8))


def extra_chunks(kind: str, color_type: int, bits: int) -> tuple[list[Chunk], list[Chunk]]:
    """Return the chunks before and after the palette."""
    channels, key = CHANNELS[color_type], struct.pack(">H", 1)
    before = {
        "gAMA": struct.pack(">I", 45455),
        "sRGB": b"\0",
        "sBIT": bytes([8] * 3 if color_type == 3 else [max(1, bits - 1)] * channels),
    }
    after = {
        "tEXt": b"Comment\0a mask",
        "pHYs": struct.pack(">IIB", 2835, 2835, 1),
        "tRNS": b"\0\x80" if color_type == 3 else key * channels,
    }
    return tuple(  # type: ignore[return-value]  # two of them
        [(kind.encode(), group[kind])] if kind in group else [] for group in (before, after)
    )


def read_png(
    path: Path, samples: NDArray[Any], color_type: int, bits: int, **options: Any
) -> tuple[NDArray[Any], str]:
    palette = made_palette(bits) if color_type == 3 else None
    path.write_bytes(
        made_png(samples, color_type=color_type, bits=bits, palette=palette, **options)
    )
    mask = read_mask(path)
    return mask.values, mask.form


@pytest.mark.usefixtures("decoder")
@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize(
    ("color_type", "bits", "kind"),
    [
        (color_type, bits, kind)
        for color_type, bits in GREYS + COLORS
        for kind in CHUNKS
        if kind != "tRNS" or color_type not in {4, 6}  # alpha leaves no room for a colour key
    ],
)
def test_every_png_is_read_as_the_samples_that_it_stores(
    tmp_path: Path, color_type: int, bits: int, kind: str, *, interlaced: bool
) -> None:
    samples = made_samples(color_type, bits)
    before, after = extra_chunks(kind, color_type, bits)
    values, form = read_png(
        tmp_path / "a.png",
        samples,
        color_type,
        bits,
        interlaced=interlaced,
        before=before,
        after=after,
    )
    np.testing.assert_array_equal(values, stored_values(samples, color_type, bits))
    assert form == f"PNG {NAMES[color_type]} {bits}-bit"


@pytest.mark.usefixtures("decoder")
@pytest.mark.parametrize("shape", SIZES)
@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize(("color_type", "bits"), [(0, 1), (0, 4), (0, 8), (3, 2), (4, 8), (2, 8)])
def test_every_size_of_png_is_read_to_its_last_pixel(
    tmp_path: Path, shape: tuple[int, int], color_type: int, bits: int, *, interlaced: bool
) -> None:
    samples = made_samples(color_type, bits, shape)
    values, _ = read_png(tmp_path / "a.png", samples, color_type, bits, interlaced=interlaced)
    np.testing.assert_array_equal(values, stored_values(samples, color_type, bits))


@pytest.mark.usefixtures("decoder")
def test_a_bilevel_png_holds_zeros_and_ones(tmp_path: Path) -> None:
    values, _ = read_png(tmp_path / "a.png", frozen([[0, 1], [1, 0]]), 0, 1)
    assert values.tolist() == [[0, 1], [1, 0]]


@pytest.mark.usefixtures("decoder")
def test_three_equal_channels_stay_colours_until_the_whole_side_is_known(tmp_path: Path) -> None:
    samples = frozen([[[7, 7, 7], [1, 2, 3]]])
    values, _ = read_png(tmp_path / "a.png", samples, 2, 8)
    assert values.tolist() == [[COLOR + 0x070707, COLOR + 0x010203]]


def pillow_bytes(image: Image.Image, form: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, form, **options)
    return stream.getvalue()


def with_palette(values: NDArray[Any]) -> Image.Image:
    image = Image.fromarray(values)
    image.putpalette(made_palette(8))
    assert image.mode == "P"
    return image


BYTES = frozen(np.random.default_rng(1).integers(0, 256, (5, 7)))
WORDS = frozen(np.random.default_rng(2).integers(0, 65536, (5, 7)), "uint16")
BITS = frozen(BYTES > 128, "bool")
RGB = frozen(np.random.default_rng(3).integers(0, 256, (5, 7, 3)))


@pytest.mark.parametrize(
    ("image", "form", "expected", "options"),
    [
        (Image.fromarray(BYTES), "TIFF", BYTES, {}),
        (Image.fromarray(BYTES), "TIFF", BYTES, {"compression": "tiff_lzw"}),
        (Image.fromarray(BYTES), "TIFF", BYTES, {"compression": "tiff_adobe_deflate"}),
        (with_palette(BYTES), "TIFF", BYTES, {}),
        (Image.fromarray(BITS), "TIFF", BITS, {}),
        (Image.fromarray(BITS), "TIFF", BITS, {"compression": "group4"}),
        (Image.fromarray(WORDS), "TIFF", WORDS, {}),
        (Image.fromarray(WORDS), "TIFF", WORDS, {"compression": "tiff_lzw"}),
        (Image.fromarray(RGB), "TIFF", stored_values(RGB, 2, 8), {}),
        (Image.fromarray(RGB).convert("RGBA"), "TIFF", stored_values(RGB, 2, 8), {}),
        (Image.fromarray(BYTES), "BMP", BYTES, {}),
        (with_palette(BYTES), "BMP", BYTES, {}),
        (Image.fromarray(BITS), "BMP", BITS, {}),
        (Image.fromarray(RGB), "BMP", stored_values(RGB, 2, 8), {}),
        (with_palette(BYTES), "GIF", BYTES, {"optimize": False}),
    ],
)
def test_other_images_are_read_as_they_are_stored(
    tmp_path: Path, image: Image.Image, form: str, expected: NDArray[Any], options: dict[str, Any]
) -> None:
    path = tmp_path / "a.png"  # the name says nothing, the content everything
    path.write_bytes(pillow_bytes(image, form, **options))
    mask = read_mask(path)
    np.testing.assert_array_equal(mask.values, expected)
    assert mask.form.startswith(form)


DTYPES = "bool int8 uint8 int16 uint16 >u2 int32 uint32 >i4 int64 uint64".split()


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("archive", [False, True])
def test_numpy_arrays_of_integers_are_read_as_they_are(
    tmp_path: Path, dtype: str, order: str, *, archive: bool
) -> None:
    array = frozen(np.array([[0, 1, 2], [100, 1, 0]]).astype(dtype), dtype)
    array = array if order == "C" else np.asfortranarray(array)
    array.flags.writeable = False
    path = tmp_path / "a.npz"
    with path.open("wb") as stream:
        np.savez_compressed(stream, array) if archive else np.save(stream, array)
    values = read_mask(path).values
    np.testing.assert_array_equal(values, array.astype(int))
    assert values.dtype.kind in "iu"


def test_the_largest_integers_keep_every_digit(tmp_path: Path) -> None:
    array = frozen([[2**61, -(2**61)]], "int64")
    np.save(tmp_path / "a.npy", array)
    assert read_mask(tmp_path / "a.npy").values.tolist() == array.tolist()


def test_a_path_may_be_text(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", frozen([[3]]))
    assert read_mask(str(tmp_path / "a.npy")).values.tolist() == [[3]]
