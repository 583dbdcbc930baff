"""Masks in Arrow files, as Hugging Face keeps them, count as those of a folder do."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from made.archives import contents
from made.sets import data_set, noise, segeval

from segeval.storage import archives
from segeval.storage.path import StoredPath
from segeval.storage.store import StorageError

arrow = pytest.importorskip("pyarrow")
feather = pytest.importorskip("pyarrow.feather")
parquet = pytest.importorskip("pyarrow.parquet")

PAIRS = 12
KINDS = "stream", "file", "zstd"


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    return data_set(tmp_path, noise(f"{number:02}" for number in range(PAIRS)))


def columns(folders: tuple[Path, Path]) -> dict[str, Any]:
    """Return the columns of a table: images, names and groups that stand in a dictionary."""
    sides = [[{"bytes": data, "path": None} for _, data in contents(side)] for side in folders]
    image = arrow.struct([("bytes", arrow.binary()), ("path", arrow.string())])
    groups = arrow.array(["one", "two", "one"] * (PAIRS // 3)).dictionary_encode()
    names = [f"{number:02}.png" for number in range(PAIRS)]
    prediction, truth = (arrow.array(side, image) for side in sides)
    return {"prediction": prediction, "truth": truth, "name": names, "group": groups}


def written(path: Path, kind: str, **given: Any) -> Path:
    """Write a table in batches of five rows."""
    path.parent.mkdir(exist_ok=True, parents=True)
    table, ipc = arrow.table(given), arrow.ipc
    options = ipc.IpcWriteOptions(compression="zstd" if kind == "zstd" else None)
    begin = ipc.new_stream if kind == "stream" else ipc.new_file
    with begin(str(path), table.schema, options=options) as writer:
        writer.write_table(table, 5)
    return path


def scored(*arguments: object) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(segeval("score", *arguments, "--format", "json").stdout)
    for side in ("prediction", "truth", "pairs"):
        document["settings"].pop(side, None)
    groups = document.pop("groups", None)  # of the tables
    assert groups is None or [each["name"] for each in groups] == ["one", "two"]
    return document


def said_of(path: Path) -> str:
    return " ".join(segeval("score", "--pairs", path, expect=3).stderr.split())


@pytest.mark.parametrize("kind", KINDS)
def test_an_arrow_file_counts_as_folders_do(
    folders: tuple[Path, Path], tmp_path: Path, kind: str
) -> None:
    path, expected = written(tmp_path / "set.arrow", kind, **columns(folders)), scored(*folders)
    assert scored("--pairs", path) == expected
    assert scored("--pairs", path, "--workers", 2) == expected


def test_a_data_set_of_hugging_face_is_one_set(folders: tuple[Path, Path], tmp_path: Path) -> None:
    whole = arrow.table(columns(folders))
    for part in range(3):
        some = whole.slice(4 * part, 4)
        given = {name: some[name] for name in whole.column_names}
        written(tmp_path / "set" / f"data-{part:05}-of-00003.arrow", "stream", **given)
    written(tmp_path / "set" / "cache-1.arrow", "stream", indices=[1, 2])
    feather.write_feather(whole, str(tmp_path / "set.feather"))
    expected = scored(*folders)
    assert scored("--pairs", tmp_path / "set") == expected
    assert scored("--pairs", tmp_path / "set.feather") == expected


def test_tables_at_addresses_are_read_in_parts(folders: tuple[Path, Path], tmp_path: Path) -> None:
    system = pytest.importorskip("fsspec").filesystem("memory")
    given, expected = columns(folders), scored(*folders)
    parquet.write_table(arrow.table(given), tmp_path / "set.parquet", row_group_size=5)
    for path in (tmp_path / "set.parquet", written(tmp_path / "set.arrow", "stream", **given)):
        system.pipe_file(f"/tables/{path.name}", path.read_bytes())
        assert scored("--pairs", f"memory://tables/{path.name}") == expected
    assert "there is nothing at this address" in said_of(Path("memory://tables/none.arrow"))
    system.rm("/tables", recursive=True)


def test_what_is_wrong_is_told(folders: tuple[Path, Path], tmp_path: Path) -> None:
    given = columns(folders)
    empty = [*given["truth"].to_pylist()[:3], None, *given["truth"].to_pylist()[4:]]
    lacking = written(tmp_path / "l.arrow", "stream", **given | {"truth": empty})
    assert "row 3: column 'truth' holds no image" in said_of(lacking)
    old = tmp_path / "old.feather"
    old.write_bytes(b"FEA1" + bytes(99))
    assert "it is Feather of version 1; write it as version 2" in said_of(old)
    whole = written(tmp_path / "w.arrow", "file", **given).read_bytes()
    for kept in (4, 20, 500, len(whole) // 2):
        (tmp_path / "cut.arrow").write_bytes(whole[:kept])
        assert "unreadable table" in said_of(tmp_path / "cut.arrow")
    (tmp_path / "long.arrow").write_bytes(b"\xff\xff\xff\xff\xff\xff\xff\x7f" + bytes(99))
    assert "the table is cut or broken; write it again" in said_of(tmp_path / "long.arrow")


@pytest.mark.parametrize("kind", KINDS)
def test_damage_is_an_error_and_never_the_end(
    folders: tuple[Path, Path], tmp_path: Path, kind: str
) -> None:
    path = written(tmp_path / "set.arrow", kind, **columns(folders))
    whole, chance, wrong = path.read_bytes(), random.Random(4), 0
    for _ in range(150):
        data = bytearray(whole)
        for place in chance.sample(range(len(data)), chance.choice((1, 4, 40))):
            data[place] = chance.choice((0, 1, 127, 255, chance.randrange(256)))
        path.write_bytes(data)
        with refused() as faults:
            table = archives.archive_at(str(path))
            for row in range(PAIRS):
                StoredPath(f"{path}/truth/{row}").read_bytes()
            list(table.texts("group", "group"))  # type: ignore[attr-defined]
        wrong += len(faults)
    assert wrong > 20


@contextmanager
def refused() -> Iterator[list[StorageError]]:
    """Take note of errors of storage; there are no others."""
    faults: list[StorageError] = []
    try:
        yield faults
    except (StorageError, FileNotFoundError) as error:
        faults.append(error)  # type: ignore[arg-type]
