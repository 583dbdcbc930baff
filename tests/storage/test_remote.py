"""Masks at addresses count as those of a folder do, whatever a server does meanwhile."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made.archives import contents
from made.objectstore import fault_in_memory, scored
from made.sets import data_set, noise, save, segeval

from segeval.counting.runfile import read_run
from segeval.storage import ahead, remote, retries, store
from segeval.storage.path import StoredPath
from segeval.storage.remote import RemoteStore, remote_store
from segeval.storage.store import StorageError

NUMBERS = itertools.count()


@pytest.fixture
def sides(tmp_path: Path) -> Iterator[tuple[tuple[Path, Path], tuple[str, str]]]:
    """Return two folders, and the addresses of the same files in memory."""
    fsspec = pytest.importorskip("fsspec")
    folders = data_set(tmp_path, noise(f"val/{number}" for number in range(12)))
    system, bucket = fsspec.filesystem("memory"), f"bucket{next(NUMBERS)}"
    for folder in folders:
        for name, data in contents(folder):
            system.pipe_file(f"/{bucket}/{folder.name}/{name}", data)
    yield folders, (f"memory://{bucket}/pred", f"memory://{bucket}/truth")
    system.rm(f"/{bucket}", recursive=True)


def test_objects_count_as_files_do(
    sides: tuple[tuple[Path, Path], tuple[str, str]], tmp_path: Path
) -> None:
    folders, addresses = sides
    expected = scored(*folders)
    assert scored(*addresses) == expected
    assert scored(addresses[0], folders[1], "--workers", 2) == expected
    table = tmp_path / "pairs.csv"
    rows = [f"{addresses[0]}/val/{n}.png,{folders[1]}/val/{n}.png,val/{n}" for n in range(12)]
    table.write_text("\n".join(["prediction,truth,name", *rows]), "utf-8")
    assert scored("--pairs", table) == expected


def test_names_may_hold_spaces(
    sides: tuple[tuple[Path, Path], tuple[str, str]], tmp_path: Path
) -> None:
    import fsspec

    (folders, addresses), system = sides, fsspec.filesystem("memory")
    bucket = addresses[0].removesuffix("/pred")
    for folder in folders:
        for name, data in contents(folder):
            system.pipe_file(f"{bucket}/my sets/{folder.name} 1/{name.replace('/', '/a b ')}", data)
            other = folder / name.replace("/", "/a b ")
            (folder / name).rename(other)
    stored = [f"{bucket}/my sets/{folder.name} 1" for folder in folders]
    expected = scored(*folders)
    assert scored(*stored) == expected
    table = tmp_path / "pairs.csv"
    rows = [f"{stored[0]}/val/a b {n}.png,truth/val/a b {n}.png,val/a b {n}" for n in range(12)]
    table.write_text("\n".join(["prediction,truth,name", *rows]), "utf-8")
    assert scored("--pairs", table) == expected


def test_a_run_names_addresses_and_reads_none_again(
    sides: tuple[tuple[Path, Path], tuple[str, str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    addresses, run = sides[1], tmp_path / "a.segeval"
    segeval("score", *addresses, "-o", run)
    assert read_run(run).images[0].truth_path == f"{addresses[1]}/val/0.png"
    before = segeval("report", run).stdout
    segeval("report", run, "--html", tmp_path / "a.html")
    assert (tmp_path / "a.html").read_text("utf-8").count("data:image/") > 12
    monkeypatch.setattr(RemoteStore, "_fetch", lambda *_: pytest.fail("it is read"))
    assert segeval("score", *addresses, "-o", run, "--resume").stdout == before


def test_faults_of_a_server_change_no_number(
    sides: tuple[tuple[Path, Path], tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    folders, addresses = sides
    faults = fault_in_memory(monkeypatch, cut=0.85)
    monkeypatch.setattr(retries, "FIRST_WAIT", 0.001)
    assert scored(*addresses) == scored(*folders)
    assert all(faults)


def test_what_is_not_there_is_a_problem_with_its_address(
    sides: tuple[tuple[Path, Path], tuple[str, str]], tmp_path: Path
) -> None:
    folders, addresses = sides
    said = segeval("score", f"{addresses[0]}/nowhere", folders[1], expect=3).stderr
    assert "there is nothing at this address" in said
    table = tmp_path / "pairs.csv"
    table.write_text(
        f"prediction,truth,name\n{addresses[0]}/x.png,{addresses[1]}/val/1.png,a\n", "utf-8"
    )
    said = segeval("score", "--pairs", table, expect=3).stderr
    assert f"{addresses[0]}/x.png: cannot be read" in said
    assert "1 × missing" not in said
    segeval("score", "--pairs", table, "--missing", "worst")


def test_a_server_that_never_answers_is_asked_a_few_times(
    sides: tuple[tuple[Path, Path], tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    from fsspec.implementations.memory import MemoryFileSystem

    asked: list[str] = []

    def busy(_: Any, path: str, **__: Any) -> None:
        asked.append(path)
        raise OSError(16, "Slow Down")

    monkeypatch.setattr(retries, "FIRST_WAIT", 0.001)
    for name in ("find", "info", "cat_file"):
        monkeypatch.setattr(MemoryFileSystem, name, busy)
    said = segeval("score", *sides[1], expect=3).stderr
    assert f"unreadable folder: prediction {sides[1][0]}: cannot be read: no answer in 6" in said
    assert len(asked) <= 4 * retries.ATTEMPTS


def test_large_objects_are_read_in_parts(
    sides: tuple[tuple[Path, Path], tuple[str, str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import fsspec

    monkeypatch.setattr(store, "AT_ONCE", 1 << 10)
    data = save(
        tmp_path / "a.png", np.random.default_rng(1).integers(0, 255, (90, 80))
    ).read_bytes()
    place = f"{sides[1][0]}/large.png"
    fsspec.filesystem("memory").pipe_file(place, data)
    with StoredPath(place).stream() as stream:
        assert stream.read() == data
        stream.seek(700)
        assert stream.read(9) == data[700:709]


def test_few_objects_are_on_their_way_at_once(
    sides: tuple[tuple[Path, Path], tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Item:
        def __init__(self, number: int) -> None:
            self.masks = [StoredPath(f"{sides[1][0]}/val/{number}.png")]

    expected: list[str] = []
    monkeypatch.setattr(ahead, "expect", lambda path: expected.append(str(path)))
    items = ahead.read_ahead(Item(number % 12) for number in range(100))
    next(items)
    assert len(expected) == ahead.AHEAD + 1
    assert len(list(items)) == 99


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("ftp://host/a.png", "ftp:// is not read"),
        ("file:///etc/passwd", "file:// is not read"),
        ("simplecache::s3://bucket/a.png", "is not read|no plain address|does not exist"),
        ("s3://bucket/../a.png", "no plain address"),
        ("s3://bucket/a\tb.png", "no plain address"),
        ("https://user:word@host/a.png", "leave these to the environment"),
        ("s3://key:word@bucket/a", "leave these to the environment"),
        ("zip://a.png::s3://bucket/b.zip", "zip:// is not read"),
        ("s3://b::c/d", "no plain address"),
    ],
)
def test_hostile_addresses_are_problems(tmp_path: Path, address: str, said: str) -> None:
    if address.count("::") < 1 or "://" in address.partition("::")[0]:
        with pytest.raises(StorageError, match=said):
            remote_store(address)
    data_set(tmp_path, {"a": ([[0, 1]], [[0, 1]])})
    table = tmp_path / "pairs.csv"
    table.write_text(f"prediction,truth,name\n{address},truth/a.png,a\n", "utf-8")
    done = segeval("score", "--pairs", table, expect=3)
    assert any(part in done.stderr for part in said.split("|"))


def test_servers_that_list_nothing_and_libraries_that_lack_are_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(StorageError, match="name the files in a table of --pairs"):
        remote_store("https://host/a").names("https://host/a")
    monkeypatch.setitem(sys.modules, "fsspec", None)
    for address, typed in (
        ("s3://b/a", r"segeval-masks\[remote\]"),
        ("hf://b/a", "huggingface_hub"),
    ):
        with pytest.raises(StorageError, match=f"type pip install .*{typed}"):
            remote_store(address).entry(address)
    assert set(remote.EXTRA) <= {*remote.LIBRARIES.values()}
