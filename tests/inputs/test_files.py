"""Only regular files are opened, and a large one is read only if its header needs it."""

from __future__ import annotations

import os
import re
import socket
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from made.png import chunk, made_png, png_start
from made.sets import data_set, frozen, save, segeval

from segeval.errors import MaskError
from segeval.inputs import files
from segeval.inputs.fingerprints import fingerprint, still
from segeval.inputs.masks import read_mask
from segeval.inputs.photographs import read_photograph
from segeval.inputs.probabilities import read_probabilities
from segeval.settings import LossChoice

GREY = frozen(np.arange(12).reshape(3, 4))

READERS: dict[str, Callable[[Path], object]] = {
    "mask": read_mask,
    "map": partial(read_probabilities, choice=LossChoice()),
    "photograph": partial(read_photograph, shape=(3, 4)),
}


def listen(path: Path) -> None:
    here = os.getcwd()
    os.chdir(path.parent)  # the names of sockets may not be long
    socket.socket(socket.AF_UNIX).bind(path.name)
    os.chdir(here)


def circle(path: Path) -> None:
    path.symlink_to(path.parent / "other")
    (path.parent / "other").symlink_to(path)


ODD: dict[str, tuple[Callable[[Path], object], str]] = {
    "pipe": (os.mkfifo, "it is a pipe; only regular files are read"),
    "socket": (listen, "it is a socket; only regular files are read"),
    "device": (lambda p: p.symlink_to("/dev/zero"), "it is a device; only regular files are read"),
    "circle": (circle, "cannot be opened: Too many levels of symbolic links"),
    "folder": (Path.mkdir, "cannot be opened: Is a directory"),
    "nothing": (lambda _: None, "cannot be opened: No such file or directory"),
    "link to nothing": (lambda p: p.symlink_to("gone"), "cannot be opened: No such file"),
    "empty": (Path.touch, r"the file is empty \(0 bytes\); write it again"),
}


@pytest.mark.filterwarnings("ignore:.*socket:ResourceWarning")
@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("kind", ODD)
def test_what_is_no_regular_file_is_refused_at_once(tmp_path: Path, kind: str, reader: str) -> None:
    make, message = ODD[kind]
    path = tmp_path / "a.png"
    make(path)
    with pytest.raises(MaskError, match=f"^{re.escape(str(path))}: {message}"):
        READERS[reader](path)


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize(
    ("name", "message"),
    [("a" * 300, "File name too long"), ("a/" * 3000, "File name too long"), ("a\0b", "null byte")],
)
def test_names_that_no_system_allows_are_refused(name: str, message: str, reader: str) -> None:
    with pytest.raises(MaskError, match=f"cannot be opened: .*{message}"):
        READERS[reader](Path(name))


def sparse(path: Path, start: bytes, size: int) -> Path:
    path.write_bytes(start)
    os.truncate(path, size)
    return path


SMALL = made_png(GREY, color_type=0, bits=8)


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("start", [SMALL, b"\x93NUMPY\2\0" + struct.pack("<I", 3 << 30)])
def test_a_file_far_larger_than_its_pixels_is_not_read(
    tmp_path: Path, start: bytes, reader: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_whole(*_: object) -> bytes:
        raise AssertionError

    monkeypatch.setattr(files, "_read_whole", read_whole)
    path = sparse(tmp_path / "a.png", start, 6 << 30)
    expected = r"header is not plain|it is no image"
    if start == SMALL:
        expected = r"has 6442450944 bytes, but its header tells of pixels that take"
    with pytest.raises(MaskError, match=expected):
        READERS[reader](path)


def test_a_large_file_is_read_where_its_header_tells_of_large_pixels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "ROOM", 100)
    monkeypatch.setattr(files, "GROWTH", 1)
    noise = frozen(np.random.default_rng(0).integers(0, 256, (30, 40)))
    content = made_png(noise, color_type=0, bits=8)
    (tmp_path / "a.png").write_bytes(content)
    np.testing.assert_array_equal(read_mask(tmp_path / "a.png").values, noise)
    np.save(tmp_path / "a.npy", noise)
    np.savez(tmp_path / "a.npz", noise)
    for name in ("a.npy", "a.npz"):
        monkeypatch.setattr(files, "ROOM", 1000)
        np.testing.assert_array_equal(read_mask(tmp_path / name).values, noise)
    save(tmp_path / "b.png", noise)
    assert read_photograph(tmp_path / "b.png", (30, 40))[0].shape == (30, 40, 3)


@pytest.mark.parametrize("more", [-1, 1])
def test_a_file_whose_size_changes_while_it_is_read_is_refused(
    tmp_path: Path, more: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save(tmp_path / "a.png", GREY)
    size = path.stat().st_size
    status = os.fstat

    def fstat(number: int) -> os.stat_result:
        found = status(number)
        os.truncate(path, size + more)
        return found

    monkeypatch.setattr(os, "fstat", fstat)
    with pytest.raises(MaskError, match="its size changes while it is read; wait until"):
        read_mask(path)


def test_parts_in_the_order_of_a_file_are_read_ahead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    random, path = np.random.default_rng(3), tmp_path / "table.csv"
    data = random.bytes(3 * files.AHEAD)
    path.write_bytes(data)
    stamp, opened = files.stamp_of(path), []

    def open_at_once(name: str, flags: int) -> int:
        opened.append(name)
        return os.open(name, flags)

    monkeypatch.setattr(files, "open_at_once", open_at_once)
    edges = np.sort(random.integers(0, len(data) + 1, 2000)).tolist()
    places = [(start, end - start) for start, end in pairwise(edges)]
    together = [places[at : at + 3] for at in range(0, len(places), 3)]
    everything = [(0, len(data))]
    for parts in (*together, [], everything, *together[:5]):
        found = files.read_parts(path, stamp, parts)
        assert found == [data[start : start + size] for start, size in parts]
    assert len(opened) < 9
    for at in random.permutation(len(together))[:50].tolist():
        found = files.read_parts(path, stamp, reversed(together[at]))
        assert found == [data[start : start + size] for start, size in reversed(together[at])]
    path.write_bytes(data + b"1")
    with pytest.raises(MaskError, match="the file changes while it is read"):
        files.read_parts(path, stamp, everything)


def bomb(path: Path) -> Path:
    """Write an archive of few bytes that inflates to many."""
    header = b"{'descr': '|u1', 'fortran_order': False, 'shape': (3, 4), }"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        start = b"\x93NUMPY\1\0" + struct.pack("<H", len(header)) + header
        archive.writestr("a.npy", start + bytes(40 << 20))
    return path


def test_an_archive_is_inflated_no_further_than_its_array(tmp_path: Path) -> None:
    program = (
        "import resource, sys; from pathlib import Path\n"
        "from segeval.errors import MaskError\n"
        "from segeval.inputs.masks import read_mask\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try: read_mask(Path(sys.argv[1]))\n"
        "except MaskError as error: print(error)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    path = bomb(tmp_path / "a.npz")
    command = [sys.executable, "-c", program, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    said, grown = done.stdout.splitlines()
    assert said.endswith("13 bytes are there, and its header tells of an array of 12; write it "
                         "again, one array a file")  # fmt: skip
    assert int(grown) < 10_000


@pytest.mark.parametrize("error", [MemoryError, type("PanicException", (BaseException,), {})])
@pytest.mark.parametrize("reader", READERS)
def test_what_a_decoder_raises_is_told_under_the_name_of_the_file(
    tmp_path: Path, error: type[BaseException], reader: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error("index out of bounds")

    path = save(tmp_path / "a.png", GREY)
    monkeypatch.setattr("segeval.inputs.formats.png.Header.decode", fail)
    monkeypatch.setattr("segeval.inputs.photographs._as_rgb", fail)
    expected = "the file is broken: index out of bounds; write it again"
    if error is MemoryError:
        expected = "there is not enough memory to read 4×3 pixels"
    with pytest.raises(MaskError, match=f"^{re.escape(str(path))}: {expected}$"):
        READERS[reader](path)


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GeneratorExit])
@pytest.mark.parametrize("reader", READERS)
def test_what_ends_the_program_ends_it_while_a_file_is_read(
    tmp_path: Path, error: type[BaseException], reader: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("segeval.inputs.formats.png.DECODERS", {8: fail})
    monkeypatch.setattr("segeval.inputs.photographs._as_rgb", fail)
    with pytest.raises(error):
        READERS[reader](save(tmp_path / "a.png", GREY))


def test_a_fingerprint_of_what_is_no_file_any_more_does_not_hold(tmp_path: Path) -> None:
    path = save(tmp_path / "a.png", GREY)
    known = fingerprint(os.stat(path), path.read_bytes())
    assert still(path, known) is not None
    assert still(Path("a\0b"), known) is None
    path.unlink()
    os.mkfifo(path)
    assert still(path, f"0 {known.partition(' ')[2]}") is None


def test_odd_files_are_problems_by_name(tmp_path: Path) -> None:
    folders = data_set(tmp_path, {"a": (GREY, GREY), "b": (GREY, GREY), "c": (GREY, GREY)})
    for name, make in (("a", os.mkfifo), ("b", circle)):
        (folders[0] / f"{name}.png").unlink()
        make(folders[0] / f"{name}.png")
    said = segeval("check", *folders, expect=3).stdout
    assert f"{folders[0]}/a.png: it is a pipe; only regular files are read" in said
    assert f"{folders[0]}/b.png: cannot be opened: Too many levels of symbolic links" in said
    assert "problems    2" in said


def test_a_header_that_is_damaged_is_not_taken_at_its_word(tmp_path: Path) -> None:
    """Its size would be said to be too large, and a wrong remedy be proposed."""
    start = bytearray(png_start(60000, 60000, color_type=0, bits=8))
    start[20] ^= 1
    (tmp_path / "a.png").write_bytes(bytes(start) + chunk(b"IDAT", b""))
    with pytest.raises(MaskError, match="broken: checksum of chunk b'IHDR' differs"):
        read_mask(tmp_path / "a.png")
