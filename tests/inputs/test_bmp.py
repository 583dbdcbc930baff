"""A BMP is read as the indices or colours that it stores, or it is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from made.bmp import made_bmp
from made.sets import frozen

from segeval.errors import MaskError
from segeval.inputs.masks import read_mask
from segeval.values import COLOR

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

RANDOM = np.random.default_rng(0)
BYTES = frozen(RANDOM.integers(0, 256, (5, 7)))
BGRA = frozen(RANDOM.integers(0, 256, (5, 7, 4)))
COLORS = COLOR + (BGRA[..., :3].astype(np.int64) << [0, 8, 16]).sum(axis=2)
PLAIN = (0xFF0000, 0xFF00, 0xFF, 0xFF000000)


def read(path: Path, content: bytes) -> NDArray[Any]:
    path.write_bytes(content)
    return read_mask(path).values


@pytest.mark.parametrize("upwards", [False, True])
@pytest.mark.parametrize("header", [12, 40, 108, 124])
@pytest.mark.parametrize("bits", [1, 4, 8])
def test_indices_are_read_whatever_their_palette(
    tmp_path: Path, bits: int, header: int, *, upwards: bool
) -> None:
    indices = BYTES & ((1 << bits) - 1)
    upwards = upwards or header == 12
    content = made_bmp(indices, bits=bits, header=header, upwards=upwards)
    np.testing.assert_array_equal(read(tmp_path / "a.bmp", content), indices)
    if header != 12:
        content = made_bmp(indices, bits=bits, header=header, upwards=upwards, colors=2)
        np.testing.assert_array_equal(read(tmp_path / "b.bmp", content), indices)


@pytest.mark.parametrize(
    ("bits", "options"),
    [
        (24, {}),
        (24, {"header": 12}),
        (24, {"upwards": False}),
        (32, {}),
        (32, {"header": 40, "bitfields": PLAIN[:3]}),
        (32, {"header": 108, "bitfields": (*PLAIN[:3], 0)}),
        (32, {"header": 124, "bitfields": PLAIN, "opaque": True}),
    ],
)
def test_colours_are_read(tmp_path: Path, bits: int, options: dict[str, Any]) -> None:
    samples = BGRA[..., : bits // 8].copy()
    if options.pop("opaque", False):
        samples[..., 3] = 255
    if options.get("header") == 40:  # the masks stand behind it
        content = made_bmp(samples, bits=bits, **(options | {"header": 52}))
        content = content[:14] + b"\x28" + content[15:]
    else:
        content = made_bmp(samples, bits=bits, **options)
    np.testing.assert_array_equal(read(tmp_path / "a.bmp", content), COLORS)


RGB = BGRA[..., :3]
STRANGE = {
    "gap before indices": (made_bmp(BYTES, bits=8, gap=4), "begin at byte 1082, .* save it as PNG"),
    "gap before bits": (made_bmp(BYTES & 1, bits=1, gap=1), "begin at byte 63, not right behind"),
    "gap before colours": (made_bmp(RGB, bits=24, gap=3), r"byte 57, .*\(byte 54\)"),
    "cut": (made_bmp(BYTES, bits=8)[:-1], "39 bytes of pixels are there, and its header .* 40"),
    "more": (made_bmp(BYTES, bits=8) + bytes(4), "44 bytes of pixels are there"),
    "half a header": (made_bmp(BYTES, bits=8)[:40], "its BMP header is cut off"),
    "other header": (made_bmp(BYTES, bits=8, header=41), "no BMP header has 41 bytes"),
    "run lengths": (made_bmp(BYTES, bits=8, compression=1), "packed as in few BMP files"),
    "16 bits": (made_bmp(BGRA[..., :2], bits=16), "16-bit BMP, which is not read; save it as PNG"),
    "masks": (made_bmp(BGRA, bits=32, header=108, bitfields=PLAIN[::-1]), "packed as in few"),
    "alpha": (made_bmp(BGRA, bits=32, header=108, bitfields=PLAIN), "alpha channel is not opaque"),
    "odd alpha": (made_bmp(BGRA, bits=32, header=108, bitfields=(*PLAIN[:3], 1)), "alpha channel"),
    "many colours": (made_bmp(BYTES, bits=8, colors=257), "8-bit BMP, which is not read"),
    "no rows": (made_bmp(BYTES[:0], bits=8), "7×0: no pixel at all"),
}


@pytest.mark.parametrize("kind", STRANGE)
def test_what_is_not_whole_and_plain_is_refused(tmp_path: Path, kind: str) -> None:
    content, message = STRANGE[kind]
    with pytest.raises(MaskError, match=message):
        read(tmp_path / "a.bmp", content)


def test_a_few_bytes_at_the_end_do_not_matter(tmp_path: Path) -> None:
    content = made_bmp(BYTES, bits=8) + bytes(2)
    np.testing.assert_array_equal(read(tmp_path / "a.bmp", content), BYTES)
