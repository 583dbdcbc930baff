"""A file that does not say exactly one value per pixel is refused, by name and with the reason."""

from __future__ import annotations

import io
import re
import struct
import time
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from made.png import SIGNATURE, chunk, made_png, png_start
from made.sets import frozen
from PIL import Image

from segeval.errors import MaskError
from segeval.inputs.masks import read_mask

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

GREY = frozen(np.random.default_rng(1).integers(0, 256, (40, 50)))
BITS = frozen(GREY > 128, "uint8")
FORMATS = [(0, 1), (0, 4), (3, 2), (4, 8), (0, 8), (3, 8), (0, 16), (2, 8), (6, 8)]
"""Some that Pillow decodes, and some that kornia-rs does."""


def refused(path: Path, content: bytes, reason: str, **options: Any) -> None:
    """Write a file, and see it refused with a message that starts with its path."""
    path.write_bytes(content)
    with pytest.raises(MaskError, match=rf"^{re.escape(str(path))}: .*{reason}"):
        read_mask(path, **options)


def opaque_png(color_type: int, bits: int, *, interlaced: bool = False, **options: Any) -> bytes:
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[color_type]
    samples = np.repeat(GREY[..., None].astype(np.int64) % (1 << bits), channels, axis=2)
    if color_type in {4, 6}:
        samples[..., -1] = (1 << bits) - 1
    palette = bytes(3 << bits) if color_type == 3 else None
    return made_png(
        frozen(samples, "int64"),
        color_type=color_type,
        bits=bits,
        palette=palette,
        interlaced=interlaced,
        **options,
    )


@pytest.mark.usefixtures("decoder")
@pytest.mark.parametrize("kept", [0.3, 0.6, 0.97])
@pytest.mark.parametrize(("color_type", "bits"), FORMATS)
def test_a_truncated_png_is_refused_by_name(
    tmp_path: Path, color_type: int, bits: int, kept: float
) -> None:
    content = opaque_png(color_type, bits)
    refused(tmp_path / "a.png", content[: int(kept * len(content))], "broken")


@pytest.mark.usefixtures("decoder")
@pytest.mark.parametrize("kind", [b"IHDR", b"IDAT"])
@pytest.mark.parametrize(("color_type", "bits"), FORMATS)
def test_a_png_with_a_flipped_checksum_is_refused(
    tmp_path: Path, color_type: int, bits: int, kind: bytes
) -> None:
    content = bytearray(opaque_png(color_type, bits))
    at = content.index(kind)
    (length,) = struct.unpack_from(">I", content, at - 4)
    content[at + 4 + length] ^= 1
    refused(tmp_path / "a.png", bytes(content), "broken: checksum of chunk b'I")


@pytest.mark.usefixtures("decoder")
@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize("lost", [1, 200])
@pytest.mark.parametrize(("color_type", "bits"), FORMATS)
def test_a_png_with_missing_rows_is_refused(
    tmp_path: Path, color_type: int, bits: int, lost: int, *, interlaced: bool
) -> None:
    content = opaque_png(color_type, bits, interlaced=interlaced, keep=-lost)
    refused(tmp_path / "a.png", content, "broken: .* bytes of pixels are there")


@pytest.mark.usefixtures("decoder")
@pytest.mark.parametrize("length", [8, 20, 32, 33])
def test_a_png_that_ends_within_its_header_is_refused(tmp_path: Path, length: int) -> None:
    refused(tmp_path / "a.png", opaque_png(0, 8)[:length], "broken")


@pytest.mark.usefixtures("decoder")
def test_a_png_of_an_unknown_colour_type_is_refused(tmp_path: Path) -> None:
    content = png_start(2, 2, color_type=5, bits=8) + chunk(b"IDAT", zlib.compress(bytes(6)))
    refused(tmp_path / "a.png", content, "colour type 5 does not exist")


@pytest.mark.usefixtures("decoder")
@pytest.mark.parametrize(("color_type", "bits"), [(4, 8), (6, 8), (6, 16)])
def test_alpha_that_is_not_opaque_is_refused(tmp_path: Path, color_type: int, bits: int) -> None:
    samples = np.full((2, 2, 2 if color_type == 4 else 4), (1 << bits) - 1)
    samples[1, 1, -1] -= 1
    content = made_png(frozen(samples, "int64"), color_type=color_type, bits=bits)
    refused(tmp_path / "a.png", content, "alpha channel is not opaque on 1 pixel")


@pytest.mark.usefixtures("decoder")
def test_sixteen_bit_grey_with_alpha_is_refused(tmp_path: Path) -> None:
    refused(tmp_path / "a.png", opaque_png(4, 16), "16-bit grey with alpha")


@pytest.mark.usefixtures("decoder")
@pytest.mark.parametrize("color_type", [2, 6])
def test_sixteen_bit_colours_are_refused(tmp_path: Path, color_type: int) -> None:
    samples = np.full((2, 2, 3 if color_type == 2 else 4), 65535)
    samples[0, 0, 1] = 65534
    content = made_png(frozen(samples, "int64"), color_type=color_type, bits=16)
    refused(tmp_path / "a.png", content, "16-bit colours")


def test_a_missing_file_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "none.png"
    with pytest.raises(MaskError, match=rf"^{re.escape(str(path))}: cannot be opened: No such"):
        read_mask(path)


def test_a_folder_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(MaskError, match=rf"^{re.escape(str(tmp_path))}: cannot be opened: Is a d"):
        read_mask(tmp_path)


def pillow_bytes(image: Image.Image, form: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, form, **options)
    return stream.getvalue()


IMAGE = Image.fromarray(GREY)
SECOND = Image.fromarray(255 - GREY)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("empty.png", b"", r"empty \(0 bytes\)"),
        ("text.png", b"no image at all", "not an image: it starts with 'no image'"),
        ("jpeg.png", pillow_bytes(IMAGE, "JPEG"), "JPEG is lossy"),
        ("jpeg2000.png", pillow_bytes(IMAGE, "JPEG2000"), "JPEG 2000 is lossy"),
        (
            "inverted.tif",
            pillow_bytes(IMAGE, "TIFF", tiffinfo={262: 0}),
            "stored as grey with white as 0",
        ),
        (
            "inverted-bits.tif",
            pillow_bytes(IMAGE.convert("1"), "TIFF", tiffinfo={262: 0}),
            "stored as grey with white as 0",
        ),
        (
            "frames.tif",
            pillow_bytes(IMAGE, "TIFF", save_all=True, append_images=[SECOND]),
            "holds 2 frames",
        ),
        (
            "frames.gif",
            pillow_bytes(IMAGE, "GIF", save_all=True, append_images=[SECOND]),
            "holds 2 frames",
        ),
        ("lossy.tif", pillow_bytes(IMAGE, "TIFF", compression="jpeg"), "JPEG-compressed"),
        ("cmyk.tif", pillow_bytes(IMAGE.convert("CMYK"), "TIFF"), "stored as CMYK"),
        ("cut.tif", pillow_bytes(IMAGE, "TIFF")[:500], "broken"),
        ("cut.bmp", pillow_bytes(IMAGE, "BMP")[:-9], "broken"),
        ("cut.gif", pillow_bytes(IMAGE, "GIF")[:-99], "broken"),
    ],
    ids=lambda part: part if isinstance(part, str) and "." in part[-5:] else "",
)
def test_other_files_are_refused_with_the_reason(
    tmp_path: Path, name: str, content: bytes, reason: str
) -> None:
    refused(tmp_path / name, content, reason)


def npy(array: NDArray[Any]) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def npz(**arrays: Any) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()


OBJECTS = np.array([[{}]], dtype=object)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (npy(np.zeros((2, 2, 2))), "holds float64 .*`segeval losses`"),
        (npy(np.array([[0, -(2**63)]])), "-9223372036854775808 is no value of a mask.* from 0"),
        (npy(np.zeros((2, 2, 2), int)), r"of shape \(2, 2, 2\)"),
        (npy(np.zeros(4, int)), r"of shape \(4,\)"),
        (npy(np.zeros((0, 4), int)), "no pixel at all"),
        (npy(OBJECTS), "holds object"),
        (npy(np.zeros((2, 2), "S3")), "holds .S3"),
        (npy(GREY)[:-1], "broken"),
        (npy(GREY)[:30], "broken"),
        (npz(a=OBJECTS), "holds object"),
        (npz(a=GREY, b=GREY), "holds 2 arrays"),
        (npz(), "holds 0 arrays"),
        (npz(a=GREY)[:-30], "broken"),
    ],
    ids=(
        "float reserved 3-D 1-D empty objects text cut header npz-objects npz-two npz-none npz-cut"
    ).split(),
)
def test_other_arrays_are_refused_with_the_reason(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    refused(tmp_path / "a.npz", content, reason)


def huge_npy() -> bytes:
    stream = io.BytesIO()
    fields = {"descr": "|u1", "fortran_order": False, "shape": (60000, 60000)}
    np.lib.format.write_array_header_1_0(stream, fields)
    return stream.getvalue()


HUGE = {
    f"PNG {color_type} {bits}": png_start(60000, 60000, color_type=color_type, bits=bits)
    + chunk(b"IDAT", b"")
    for color_type, bits in FORMATS
}
HUGE["NumPy"] = huge_npy()
HUGE["GIF"] = pillow_bytes(IMAGE, "GIF").replace(
    struct.pack("<HH", 50, 40), struct.pack("<HH", 60000, 60000), 1
)


@pytest.mark.usefixtures("decoder")
@pytest.mark.parametrize("kind", HUGE)
def test_a_header_that_claims_too_much_is_refused_before_decoding(
    tmp_path: Path, kind: str
) -> None:
    start = time.perf_counter()
    refused(tmp_path / "a.png", HUGE[kind], "claims 60000×60000 = 3600000000 pixels")
    assert time.perf_counter() - start < 0.5


@pytest.mark.usefixtures("decoder")
def test_the_limit_on_pixels_is_the_callers(tmp_path: Path) -> None:
    for name, content in {"a": opaque_png(0, 8), "b": opaque_png(0, 1), "c": npy(GREY)}.items():
        path = tmp_path / name
        refused(path, content, "claims 50×40 = 2000 pixels, more than 1999", max_pixels=1999)
        assert read_mask(path, max_pixels=2000).values.shape == (40, 50)


@pytest.mark.usefixtures("decoder")
def test_a_png_without_pixels_is_refused(tmp_path: Path) -> None:
    content = png_start(0, 5, color_type=0, bits=8) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")
    assert content.startswith(SIGNATURE)
    refused(tmp_path / "a.png", content, "0×5: no pixel at all")
