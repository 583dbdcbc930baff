"""A GIF is one whole image of the size of its screen, or it is refused."""

from __future__ import annotations

import io
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from made.gif import Frame, made_gif
from made.sets import frozen
from PIL import Image

from segeval.errors import MaskError
from segeval.inputs.masks import read_mask

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

BYTES = frozen(np.random.default_rng(0).integers(0, 256, (9, 13)))
BLOBS = frozen(np.arange(300 * 200).reshape(200, 300) // 997 % 7)
NOISE = frozen(np.random.default_rng(1).integers(0, 256, (120, 150)))


def read(path: Path, content: bytes) -> NDArray[Any]:
    path.write_bytes(content)
    return read_mask(path).values


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize("bits", [2, 5, 8])
@pytest.mark.parametrize("height", [1, 2, 4, 5, 9])
def test_indices_are_read_whatever_the_order_of_rows(
    tmp_path: Path, height: int, bits: int, *, interlaced: bool
) -> None:
    indices = BYTES[:height] & ((1 << bits) - 1)
    content = made_gif(Frame(indices=indices, interlaced=interlaced), bits=bits)
    np.testing.assert_array_equal(read(tmp_path / "a.gif", content), indices)


@pytest.mark.parametrize("interlace", [0, 1])
@pytest.mark.parametrize("values", [BLOBS, NOISE, BLOBS[:1, :1], BLOBS % 2])
def test_files_of_other_writers_are_read(
    tmp_path: Path, values: NDArray[Any], interlace: int
) -> None:
    image = Image.fromarray(values)
    image.putpalette([*range(256)] * 3)
    stream = io.BytesIO()
    image.save(stream, "GIF", optimize=False, interlace=interlace)
    np.testing.assert_array_equal(read(tmp_path / "a.gif", stream.getvalue()), values)


def test_every_cut_is_refused(tmp_path: Path) -> None:
    content = made_gif(Frame(indices=BYTES[:4] & 3), bits=2)
    for length in range(1, len(content)):
        with pytest.raises(MaskError, match=r"broken: |not an image"):
            read(tmp_path / "a.gif", content[:length])


FRAME = Frame(indices=BYTES)


def changed(place: int, content: bytes) -> bytes:
    """Change bytes behind the flags of the frame: bits of a code, length of a block, codes."""
    whole = made_gif(FRAME)
    at = whole.index(b"\0\x08\x86") + 1 + place
    return whole[:at] + content + whole[at + len(content) :]


STRANGE = {
    "frame of another size": (
        made_gif(FRAME, screen=(10, 13)),
        r"image of 13×9 at \(0, 0\) does not fill its screen of 13×10; save the whole mask as PNG",
    ),
    "frame outside": (made_gif(Frame(indices=BYTES, left=3)), r"at \(3, 0\) does not fill"),
    "frame below": (made_gif(Frame(indices=BYTES, top=1)), r"at \(0, 1\) does not fill"),
    "two frames": (made_gif(FRAME, FRAME), "holds 2 frames; save one mask a file"),
    "no frame": (made_gif(screen=(9, 13)), "holds 0 frames"),
    "too few indices": (made_gif(Frame(indices=BYTES, drop=1)), "broken: 116 of 117 samples"),
    "too many indices": (made_gif(Frame(indices=BYTES, extra=1)), "more than 117 of 117"),
    "no end": (made_gif(FRAME)[:-1], "it ends too early"),
    "strange block": (made_gif(FRAME)[:-1] + b"\1;", "there is no GIF block 0x01"),
    "strange bits": (changed(0, b"\x0d"), "codes of 13 bits"),
    "strange code": (changed(3, b"\xff\xff"), "there is no such LZW code"),
}


@pytest.mark.parametrize("kind", STRANGE)
def test_what_is_not_one_whole_image_is_refused(tmp_path: Path, kind: str) -> None:
    content, message = STRANGE[kind]
    with pytest.raises(MaskError, match=message):
        read(tmp_path / "a.gif", content)


def test_a_table_that_is_cleared_without_end_is_given_up(tmp_path: Path) -> None:
    """With 2 bits a sample, a code has 3; 4 clears the table."""
    clears = b"\x24\x49\x92" * 2_000_000
    parts = [clears[at : at + 255] for at in range(0, len(clears), 255)]
    stream = b"".join(bytes([len(part)]) + part for part in parts) + b"\0"
    whole = made_gif(Frame(indices=BYTES & 3), bits=2)
    start = whole.index(b"\x2c") + 11
    begun = time.perf_counter()
    with pytest.raises(MaskError, match="0 of 117 samples are there"):
        read(tmp_path / "a.gif", whole[:start] + stream + b";")
    assert time.perf_counter() - begun < 0.5
