"""What is hostile or broken in an archive is a problem by name, and nothing is unpacked."""

from __future__ import annotations

import struct
import tarfile
import warnings
import zipfile
from pathlib import Path

import pytest
from made.archives import packed, tarred, zipped
from made.sets import data_set, segeval

from segeval.storage import archive, inflating
from segeval.storage.path import StoredPath
from segeval.storage.source import LocalSource

MASKS: dict[str, tuple[object, object]] = {"a": ([[0, 1]], [[0, 1]]), "b": ([[1, 1]], [[0, 1]])}


@pytest.fixture
def sides(tmp_path: Path) -> tuple[Path, bytes]:
    """Return the folder of truths, and the bytes of a mask."""
    prediction, truth = data_set(tmp_path, MASKS)
    return truth, (prediction / "a.png").read_bytes()


def said_of(path: Path, truth: Path) -> str:
    return segeval("score", path, truth, expect=3).stderr


@pytest.mark.parametrize("ending", [".zip", ".tar", ".tar.gz"])
@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("../evil.png", "unsafe entry"),
        ("x/../../evil.png", "unsafe entry"),
        ("/etc/evil.png", "unsafe entry"),
        ("C:/evil.png", "unsafe entry"),
        ("x\\evil.png", "unsafe entry"),
        ("a.png", "entry twice"),
        ("./a.png", "entry twice"),
        ("inner.zip", "archive in archive"),
        ("x/inner.tar.gz", "archive in archive"),
    ],
)
def test_entries_that_are_no_plain_files_are_named(
    sides: tuple[Path, bytes], tmp_path: Path, ending: str, name: str, kind: str
) -> None:
    truth, data = sides
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # zipfile knows that a name stands twice
        entries = [("a.png", data), ("b.png", data), (name, data)]
        path = packed(tmp_path / f"p{ending}", entries)
    said = said_of(path, truth)
    assert f"{kind}: {path}/{name.removeprefix('./')}: it" in said


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_in_a_tar_are_named(
    sides: tuple[Path, bytes], tmp_path: Path, kind: bytes
) -> None:
    truth, data = sides
    path = tarred(tmp_path / "p.tar", [("b.png", data)])
    with tarfile.open(path, "a") as opened:
        info = tarfile.TarInfo("a.png")
        info.type, info.linkname = kind, "/etc/passwd"
        opened.addfile(info)
    assert f"link in archive: {path}/a.png: it is a link" in said_of(path, truth)


def test_links_and_encrypted_entries_in_a_zip_are_named(
    sides: tuple[Path, bytes], tmp_path: Path
) -> None:
    truth, data = sides
    path = tmp_path / "p.zip"
    with zipfile.ZipFile(path, "w") as opened:
        link = zipfile.ZipInfo("a.png")
        link.external_attr = 0o120777 << 16
        opened.writestr(link, "/etc/passwd")
        opened.writestr("b.png", data)
    content = bytearray(path.read_bytes())
    second = content.rindex(b"PK\1\2")
    content[second + 8] |= 1
    path.write_bytes(content)
    said = said_of(path, truth)
    assert "link in archive" in said
    assert f"encrypted entry: {path}/b.png" in said


def test_bombs_are_named_and_not_inflated(
    sides: tuple[Path, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    truth, data = sides
    monkeypatch.setattr(archive, "AT_ONCE", 1 << 16)
    monkeypatch.setattr(inflating, "GENEROUS", 1 << 18)
    entries = [("a.png", data), ("b.png", bytes(1 << 20))]
    zip_bomb, tar_bomb = (packed(tmp_path / f"p.{kind}", entries) for kind in ("zip", "tar.gz"))
    assert f"entry too large: {zip_bomb}/b.png" in said_of(zip_bomb, truth)
    assert "as bombs do" in said_of(tar_bomb, truth)


def test_overlapping_entries_are_named(sides: tuple[Path, bytes], tmp_path: Path) -> None:
    truth, data = sides
    path = zipped(tmp_path / "p.zip", [("a.png", data), ("b.png", data)], zipfile.ZIP_STORED)
    content = bytearray(path.read_bytes())
    second = content.rindex(b"PK\1\2")
    struct.pack_into("<L", content, second + 42, 0)  # where the bytes of the first are
    path.write_bytes(content)
    assert f"overlapping entries: {path}/b.png" in said_of(path, truth)


def test_entries_that_lie_of_their_size_or_content_are_refused(
    sides: tuple[Path, bytes], tmp_path: Path
) -> None:
    truth, data = sides
    path = zipped(tmp_path / "p.zip", [("a.png", data), ("b.png", data)])
    content = bytearray(path.read_bytes())
    first, second = content.index(b"PK\1\2"), content.rindex(b"PK\1\2")
    struct.pack_into("<L", content, first + 24, len(data) + 7)  # its size
    struct.pack_into("<L", content, second + 16, 12345)  # its checksum
    path.write_bytes(content)
    said = said_of(path, truth)
    assert f"{path}/a.png: cannot be read: it " in said
    assert f"{path}/b.png: cannot be read: it differs from its checksum" in said


@pytest.mark.parametrize("ending", [".zip", ".tar", ".tar.gz"])
@pytest.mark.parametrize("share", [0.2, 0.7])
def test_archives_that_are_cut_are_problems(
    sides: tuple[Path, bytes], tmp_path: Path, ending: str, share: float
) -> None:
    truth, data = sides
    entries = [(f"{name}.png", data + bytes(range(256)) * 8) for name in "abcdefgh"]
    path = packed(tmp_path / f"p{ending}", entries)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    assert "unreadable archive: prediction" in said_of(path, truth)


def test_a_tar_that_is_broken_in_the_middle_is_no_shorter_one(
    sides: tuple[Path, bytes], tmp_path: Path
) -> None:
    truth, data = sides
    path = tarred(tmp_path / "p.tar", [(f"{name}.png", data) for name in "abcd"])
    content = bytearray(path.read_bytes())
    content[2 * 1024 + 3] ^= 0xFF  # in the header of the third
    path.write_bytes(content)
    assert "cut or broken behind its last entry" in said_of(path, truth)


def test_what_is_no_archive_or_not_there_is_said(sides: tuple[Path, bytes], tmp_path: Path) -> None:
    truth, data = sides
    text = tmp_path / "p.zip"
    text.write_text("masks", "utf-8")
    assert "no archive: it starts with 'masks'" in said_of(text, truth)
    assert "no such archive" in said_of(tmp_path / "q.zip", truth)
    whole = zipped(tmp_path / "r.zip", [("a.png", data)])
    assert "no such folder" in said_of(whole / "val", truth)
    assert "it is a file" in said_of(whole / "a.png", truth)


def test_a_stream_that_ends_too_early_is_said(tmp_path: Path) -> None:
    path = zipped(tmp_path / "p.zip", [("a", bytes(5000))])
    entry = StoredPath(path, "a").entry()
    assert entry.where.packed < 100
    source = LocalSource(str(path))
    cut = inflating.Deflated(source, 31, 31 + entry.where.packed // 2, gzip=False)
    with pytest.raises(OSError, match="it ends too early"):
        cut.read(5000)


@pytest.mark.parametrize("missing", ["error", "skip", "worst"])
@pytest.mark.parametrize("ending", [".zip", ".tar", ".tar.gz"])
def test_pairs_name_no_entry_that_is_refused(
    sides: tuple[Path, bytes], tmp_path: Path, ending: str, missing: str
) -> None:
    truth, data = sides
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        twice = packed(tmp_path / f"p{ending}", [("a.png", data), ("a.png", data), ("b.png", data)])
    cut = tmp_path / f"cut{ending}"
    cut.write_bytes(twice.read_bytes()[:50])
    rows = [f"{twice}/a.png,{truth}/a.png", f"{cut}/b.png,{truth}/b.png"]
    table = tmp_path / "pairs.csv"
    table.write_text("\n".join(["prediction,truth", *rows]))
    said = segeval("score", "--pairs", table, "--missing", missing, expect=3).stderr
    assert f"unreadable mask: {twice}/a.png: cannot be read: it stands in the archive twice" in said
    assert f"unreadable mask: {cut}/b.png: cannot be read" in said
