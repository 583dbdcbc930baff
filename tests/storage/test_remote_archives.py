"""Archives at addresses count as those of this machine do, and come in few requests."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from made.archives import contents, packed, zipped
from made.objectstore import fault_in_memory, scored
from made.sets import data_set, noise, segeval

from segeval.counting.runfile import read_run
from segeval.storage import retries, windows
from segeval.storage.path import StoredPath, located
from segeval.storage.remote import RemoteStore
from segeval.storage.windows import Windows
from segeval.storage.zips import ZipArchive

NUMBERS = itertools.count()
Sets = tuple[tuple[Path, Path], str]


@pytest.fixture
def sets(tmp_path: Path) -> Iterator[Sets]:
    """Return two folders, and the address of a bucket in memory with archives of them."""
    fsspec = pytest.importorskip("fsspec")
    folders = data_set(tmp_path, noise(f"val/{number}" for number in range(12)))
    both = [(f"set/{side.name}/{name}", data) for side in folders for name, data in contents(side)]
    system, bucket = fsspec.filesystem("memory"), f"bucket.zip{next(NUMBERS)}.zip"
    for ending in (".zip", ".tar", ".tar.gz"):
        for side in folders:
            archive = packed(Path(f"{side}{ending}"), contents(side))
            system.pipe_file(f"/{bucket}/{archive.name}", archive.read_bytes())
    system.pipe_file(f"/{bucket}/all.zip", zipped(tmp_path / "all.zip", both).read_bytes())
    for name, data in contents(folders[1]):
        system.pipe_file(f"/{bucket}/folder.zip/{name}", data)
    yield folders, f"memory://{bucket}"
    system.rm(f"/{bucket}", recursive=True)


def test_archives_at_addresses_count_as_folders_do(sets: Sets, tmp_path: Path) -> None:
    folders, bucket = sets
    expected = scored(*folders)
    for ending in ("zip", "tar", "tar.gz"):
        assert scored(f"{bucket}/pred.{ending}", f"{bucket}/truth.{ending}") == expected
    assert scored(f"{bucket}/pred.zip", folders[1], "--workers", 2) == expected
    assert scored(f"{bucket}/all.zip/set/pred", f"{bucket}/all.zip/set/truth") == expected
    assert scored(f"{bucket}/pred.zip", f"{bucket}/folder.zip") == expected  # which is a folder
    table = tmp_path / "pairs.csv"
    rows = [f"{bucket}/all.zip/set/pred/val/{n}.png,truth/val/{n}.png,val/{n}" for n in range(12)]
    table.write_text("\n".join(["prediction,truth,name", *rows]), "utf-8")
    assert scored("--pairs", table) == expected


def test_a_run_of_archives_at_addresses_goes_on(
    sets: Sets, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (_, bucket), run = sets, tmp_path / "a.segeval"
    sides = f"{bucket}/pred.zip", f"{bucket}/truth.tar"
    segeval("score", *sides, "-o", run)
    assert read_run(run).images[0].truth_path == f"{bucket}/truth.tar/val/0.png"
    before = segeval("report", run).stdout
    monkeypatch.setattr(StoredPath, "read_entry", lambda _: pytest.fail("it is read"))
    monkeypatch.setattr(ZipArchive, "read", lambda *_: pytest.fail("it is read"))
    assert segeval("score", *sides, "-o", run, "--resume").stdout == before


def test_an_archive_of_a_server_that_tells_no_time_is_read_again(
    sets: Sets, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from segeval.storage import remote

    monkeypatch.setattr(remote, "TIMES", ())
    run, sides = tmp_path / "a.segeval", [f"{sets[1]}/{side}.tar" for side in ("pred", "truth")]
    before = segeval("score", *sides, "-o", run).stdout
    read: list[StoredPath] = []
    read_bytes = StoredPath.read_bytes

    def noted(path: StoredPath) -> bytes:
        read.append(path)
        return read_bytes(path)

    monkeypatch.setattr(StoredPath, "read_bytes", noted)
    assert segeval("score", *sides, "-o", run, "--resume").stdout == before
    assert len(read) == 24


def test_faults_of_a_server_change_no_number(sets: Sets, monkeypatch: pytest.MonkeyPatch) -> None:
    folders, bucket = sets
    monkeypatch.setattr(windows, "SIZE", 500)
    faults = fault_in_memory(monkeypatch, cut=0.7)
    monkeypatch.setattr(retries, "FIRST_WAIT", 0.00001)
    monkeypatch.setattr(retries, "ATTEMPTS", 60)
    assert scored(f"{bucket}/pred.zip", f"{bucket}/truth.tar") == scored(*folders)
    assert min(faults) > 5


def test_a_server_that_gives_no_parts_is_said(sets: Sets, monkeypatch: pytest.MonkeyPatch) -> None:
    from fsspec.implementations.memory import MemoryFileSystem

    read = MemoryFileSystem.cat_file
    monkeypatch.setattr(windows, "SIZE", 500)
    monkeypatch.setattr(MemoryFileSystem, "cat_file", lambda system, path, **_: read(system, path))
    said = segeval("score", f"{sets[1]}/pred.zip", sets[0][1], expect=3).stderr
    assert "unreadable archive" in said
    assert f"{sets[1]}/pred.zip: cannot be read: the server gives no parts of files" in said


def test_what_is_no_archive_and_what_is_not_there_are_said(sets: Sets, tmp_path: Path) -> None:
    import fsspec

    (folders, bucket), system = sets, fsspec.filesystem("memory")
    system.pipe_file(f"{bucket}/text.zip", b"masks")
    hostile = zipped(tmp_path / "h.zip", [("../a.png", b"x"), ("a/b.png", b"y")])
    system.pipe_file(f"{bucket}/hostile.zip", hostile.read_bytes())
    for side, words in (
        ("text.zip", "no archive: it starts with 'masks'"),
        ("none.zip", "there is nothing at this address"),
        ("pred.zip/none", "there is no such folder in the archive"),
        ("hostile.zip", f"unsafe entry: {bucket}/hostile.zip/../a.png: its name leads out"),
    ):
        assert words in segeval("score", f"{bucket}/{side}", folders[1], expect=3).stderr


def test_a_question_to_a_server_names_no_archive(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(RemoteStore, "entry", lambda _, name: asked.append(name))
    for address in ("https://host.zip/a.png", "https://host/a.zip?sign=b.tar/c"):
        path = located(address)
        assert isinstance(path, StoredPath)
        assert path.store()[1] == address
    assert not asked


def test_who_reads_in_order_finds_the_next_windows_on_their_way() -> None:
    data, asked = random.Random(0).randbytes(40 * windows.SIZE + 7), []

    def fetch(start: int, end: int) -> bytes:
        asked.append((start, end))
        return data[start:end]

    source = Windows(fetch, len(data))
    step = windows.SIZE // 3
    for place in range(0, 3 * windows.SIZE, step):
        assert source.read_at(place, step) == data[place : place + step]
    source.expect(len(data), 1)
    assert source.read_at(len(data) - 5, 99) == data[-5:]
    assert source.read_at(len(data), 9) == b""
    assert len(source._coming) <= windows.HELD
    assert max(end - start for start, end in asked) == windows.SIZE
    assert len(asked) == len(set(asked)) <= 3 + windows.AHEAD + 2
    whole = source.read_at(0, len(data))
    assert whole == data
