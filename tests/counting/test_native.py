"""The kernel over scan lines counts as those who read pixels, or leaves the files to them."""

from __future__ import annotations

import ast
import os
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from made.png import chunk, made_png, png_start
from made.scanlines import (
    FORMATS,
    any_damaged_file,
    any_file,
    any_shape,
    file_of,
    filtered,
    rows_of,
)
from numpy.typing import NDArray

from segeval.counting import dataset, native
from segeval.counting.kernel import KERNEL, NEEDED, _compiled
from segeval.counting.run import ImageCounts
from segeval.errors import Problem
from segeval.inputs.formats import inflate
from segeval.inputs.pairing import Pair
from segeval.settings import Reading

pytestmark = pytest.mark.skipif(KERNEL is None, reason="the kernel is not compiled, or not wanted")

Outcome = tuple[Any, ...]
Files = Callable[[bytes, bytes], Pair]


@pytest.fixture
def files(tmp_path: Path) -> Files:
    """A function that makes a pair of the contents of two files."""

    def write(truth: bytes, prediction: bytes) -> Pair:
        (tmp_path / "truth.png").write_bytes(truth)
        (tmp_path / "prediction.png").write_bytes(prediction)
        return Pair(name="a", truth=tmp_path / "truth.png", prediction=tmp_path / "prediction.png")

    return write


def outcome(pair: Pair) -> Outcome:
    """Count a pair; return all that comes of it, comparable."""
    found = dataset.count_pair(pair, Reading(max_pixels=1 << 20))
    return (found.info, found.table) if isinstance(found, ImageCounts) else (found,)


def counted(pair: Pair) -> native.CountedFiles | None:
    truth, prediction = pair.files
    return native.count_files(truth, prediction, max_pixels=1 << 20, fingerprints=False)


def all_agree(pair: Pair, *, pillow: bool = False) -> bool:
    """Count a pair in each way, and compare; return whether the kernel counted it."""
    with pytest.MonkeyPatch.context() as patch:
        ours = outcome(pair)
        patch.setattr(native, "KERNEL", None)
        assert outcome(pair) == ours
        if pillow:
            patch.setattr("segeval.inputs.formats.png.DECODERS", {})
            assert outcome(pair) == ours
    return counted(pair) is not None


@pytest.mark.parametrize("one", FORMATS, ids=str)
def test_every_form_of_storage_is_counted_as_its_pixels_are(
    files: Files, one: tuple[int, int]
) -> None:
    for seed in range(24):
        random = np.random.default_rng([*one, seed])
        shape, other = any_shape(random), FORMATS[random.integers(0, len(FORMATS))]
        pair = files(any_file(random, shape, *one), any_file(random, shape, *other))
        assert all_agree(pair, pillow=seed < 8), seed


def test_large_noise_is_counted_as_its_pixels_are(files: Files) -> None:
    random = np.random.default_rng(1)
    for shape, bits in (((40, 3000), 8), ((300, 300), 8), ((60, 2000), 16), ((50, 5000), 2)):
        rows = [rows_of(random.integers(0, 1 << bits, (*shape, 1)), bits) for _ in range(2)]
        rows[0][7:20] = rows[1][7:9] = [bytes(len(rows[0][0]))] * 13
        del rows[1][shape[0] :]
        kinds = random.integers(0, 5, shape[0]).tolist()
        lines = [filtered(side, max(1, bits // 8), kinds) for side in rows]
        pair = files(*(file_of(random, shape, 0, bits, each) for each in lines))
        assert all_agree(pair)


def test_a_damaged_file_is_refused_in_the_same_words(files: Files) -> None:
    kept = 0
    for seed in range(300):
        random = np.random.default_rng([3, seed])
        shape, kinds = any_shape(random), [FORMATS[n] for n in random.integers(0, len(FORMATS), 2)]
        good, bad = any_file(random, shape, *kinds[0]), any_damaged_file(random, shape, *kinds[1])
        kept += all_agree(files(good, bad))
    assert 30 < kept < 150  # rows may be anything, bytes of text too


def colored(files: Files, stored: NDArray[Any]) -> Pair:
    """Return a pair of a mask of zeros and one of colours, given as integers."""
    rows = stored.astype("<u4").view(np.uint8).reshape(*stored.shape, 4)[..., :3]
    zeros = np.zeros(stored.shape, np.uint8)
    return files(
        made_png(zeros, color_type=0, bits=8),
        made_png(np.ascontiguousarray(rows), color_type=2, bits=8),
    )


def test_colours_that_are_chosen_to_keep_the_kernel_busy_are_left_to_others(files: Files) -> None:
    colors = np.arange(1 << 20, dtype=np.uint64)
    places = colors * np.uint64(0x9E3779B97F4A7C15) >> np.uint64(50)
    in_one_place = colors[places < 16][:961].reshape(31, 31)
    assert not all_agree(colored(files, in_one_place))
    assert all_agree(colored(files, colors[:961].reshape(31, 31)))


def test_more_pairs_of_values_than_masks_have_are_left_to_others() -> None:
    assert KERNEL is not None
    for width in ((1 << 20) - 1, 1 << 20):
        colors = np.arange(width, dtype="<u4").view(np.uint8).reshape(-1, 4)[:, :3]
        found = KERNEL.count(
            width, 1, bytes(1 + (width + 7) // 8), 1, 1, b"\0" + colors.tobytes(), 8, 3
        )
        assert (found is None) == (width == 1 << 20)


GREY: dict[str, Any] = {"color_type": 0, "bits": 8}
ROWS = np.arange(12, dtype=np.uint8).reshape(3, 4)


def framed(lines: bytes, **how: int) -> bytes:
    """Return a file of 4×3 pixels with any scan lines."""
    stream = chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")
    return png_start(4, 3, **(how or GREY)) + stream


def see_through() -> bytes:
    lines = b"".join(b"\0" + bytes([1, 255, 2, 255, 3, 254, 4, 255]) for _ in range(3))
    return framed(lines, color_type=4, bits=8)


def wrong_sum() -> bytes:
    stream = zlib.compress(bytes(15))[:-4] + b"abcd"
    return png_start(4, 3, **GREY) + chunk(b"IDAT", stream) + chunk(b"IEND", b"")


def twice(kind: bytes) -> bytes:
    """Return a file with a header, pixels or palette in a second place."""
    good = framed(bytes(15))
    content = struct.pack(">IIBBBBB", 4, 3, 8, 0, 0, 0, 0) if kind == b"IHDR" else b"abc"
    return good[:-12] + chunk(b"tEXt", b"a\0b") + chunk(kind, content) + good[-12:]


UNUSUAL = {
    "a filter that does not exist": framed(b"\0abcd\5abcd\0abcd"),
    "rows are missing": framed(bytes(14)),
    "more rows than the header says": framed(bytes(20)),
    "alpha that is not opaque": see_through(),
    "a wrong checksum of the pixels": wrong_sum(),
    "interlaced": made_png(ROWS, **GREY, interlaced=True),
    "16-bit colours": made_png(np.ones((3, 4, 3), np.uint16), color_type=2, bits=16),
    "two headers": twice(b"IHDR"),
    "pixels in two places": twice(b"IDAT"),
    "a palette behind the pixels": twice(b"PLTE"),
    "no palette": framed(bytes(15), color_type=3, bits=8),
    "an unknown chunk that matters": made_png(ROWS, **GREY, before=[(b"ABCD", b"")]),
    "no end": framed(bytes(15))[:-12],
    "another size": made_png(ROWS.reshape(4, 3), **GREY),
    "too large": png_start(1 << 15, 1 << 15, **GREY) + framed(bytes(15))[33:],
    "no pixel": png_start(0, 3, **GREY) + framed(b"")[33:],
    "no image": b"P5 4 3 255 ",
    "nothing": b"",
}


@pytest.mark.parametrize("name", UNUSUAL)
def test_what_is_unusual_is_left_to_those_who_read_pixels(files: Files, name: str) -> None:
    good = made_png(ROWS, **GREY)
    for pair in (files(good, UNUSUAL[name]), files(UNUSUAL[name], good)):
        assert not all_agree(pair)


def test_a_palette_file_without_anything_unusual_is_counted_here(files: Files) -> None:
    good = made_png(ROWS, color_type=3, bits=8, palette=bytes(768))
    assert all_agree(files(good, made_png(ROWS, **GREY)))


def test_a_file_that_is_gone_is_named(files: Files) -> None:
    pair = files(made_png(ROWS, **GREY), b"")
    Path(str(pair.prediction)).unlink()
    (found,) = outcome(pair)
    assert isinstance(found, Problem)
    assert "prediction.png: cannot be opened" in found.detail


def test_fingerprints_are_those_of_both_files(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = files(made_png(ROWS, **GREY), made_png(ROWS // 2, **GREY))
    monkeypatch.setattr("time.time_ns", lambda: 7)
    marks = []
    for kernel in (KERNEL, None):
        monkeypatch.setattr(native, "KERNEL", kernel)
        found = dataset.count_pair(pair, Reading(), fingerprints=True)
        assert isinstance(found, ImageCounts)
        marks.append(found.info.fingerprints)
    assert marks[0] == marks[1]
    assert marks[0].count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        (4, 3, bytes(15), 8, 1, bytes(14), 8, 1),
        (4, 3, bytes(15), 8, 1, bytes(18), 8, 1),
        (4, 3, bytes(15), 8, 1, bytes(15), 7, 1),
        (4, 3, bytes(15), 8, 1, bytes(75), 16, 3),
        (4, 3, bytes(15), 8, 1, bytes(63), 8, 5),
        (0, 3, bytes(3), 8, 1, bytes(3), 8, 1),
        (4, 0, b"", 8, 1, b"", 8, 1),
        (-4, 3, bytes(15), 8, 1, bytes(15), 8, 1),
        ((1 << 62) + 4, 3, bytes(15), 8, 1, bytes(15), 8, 1),
    ],
)
def test_scan_lines_that_are_not_as_long_as_they_must_be_are_refused(
    arguments: tuple[Any, ...],
) -> None:
    assert KERNEL is not None
    assert KERNEL.count(*arguments) is None


def test_zlib_inflates_where_libdeflate_is_not_there(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inflate, "decompress", inflate._inflate)
    monkeypatch.setattr(native, "checksum", zlib.crc32)
    monkeypatch.setattr(inflate, "content_sum", zlib.adler32)
    monkeypatch.setattr(inflate, "FAULTS", (zlib.error,))
    kept = 0
    for seed in range(60):
        random = np.random.default_rng([4, seed])
        shape, kinds = any_shape(random), [FORMATS[n] for n in random.integers(0, len(FORMATS), 2)]
        one, other = any_file(random, shape, *kinds[0]), any_file(random, shape, *kinds[1])
        assert all_agree(files(one, other))
        kept += all_agree(files(one, any_damaged_file(random, shape, *kinds[1])))
    assert kept < 40
    for data in UNUSUAL.values():
        assert not all_agree(files(data, made_png(ROWS, **GREY)))


def test_the_environment_asks_for_numpy_and_nothing_but_its_name_changes(samples: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "segeval",
        "score",
        *map(str, (samples / "pred", samples / "truth")),
    ]
    command += ["--labels", str(samples / "labels.toml"), "--format", "json"]
    ours, numpy = (
        subprocess.run(
            command, env=os.environ | change, capture_output=True, text=True, check=True
        ).stdout
        for change in ({}, {"SEGEVAL_COUNTING": "numpy"})
    )
    assert ours.count('"counting": "native"') == 1
    assert ours.replace('"counting": "native"', '"counting": "numpy"') == numpy


def test_a_kernel_that_lacks_what_is_called_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    stub = ast.parse(Path(dataset.__file__).with_name("_scanlines.pyi").read_text("utf-8"))
    functions = [part.name for part in stub.body if isinstance(part, ast.FunctionDef)]
    assert sorted(functions) == sorted(NEEDED)
    old = ModuleType("_scanlines")
    monkeypatch.setattr("segeval.counting._scanlines", old)
    for name in NEEDED:
        assert _compiled() is None
        setattr(old, name, getattr(KERNEL, name))
    assert _compiled() is old
