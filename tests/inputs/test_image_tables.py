"""Masks that are columns of a table count as those of files do."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from made.archives import contents
from made.sets import data_set, noise, segeval

arrow = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")

COLUMNS = "--prediction-column", "guess", "--truth-column", "mask"


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    return data_set(tmp_path, noise(f"{number:02}" for number in range(12)))


def cells(folder: Path) -> list[dict[str, Any]]:
    return [{"bytes": data, "path": name} for name, data in contents(folder)]


def table(path: Path, rows: int = 5, **columns: Any) -> Path:
    path.parent.mkdir(exist_ok=True)
    parquet.write_table(arrow.table(columns), path, row_group_size=rows)
    return path


def scored(*arguments: object) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(segeval("score", *arguments, "--format", "json").stdout)
    for side in ("prediction", "truth", "pairs"):
        document["settings"].pop(side, None)
    return document


def problems(*arguments: object) -> str:
    done = segeval("score", *arguments, expect=3)
    return " ".join(f"{done.stdout}{done.stderr}".split())


def test_a_table_of_images_counts_as_folders_do(folders: tuple[Path, Path], tmp_path: Path) -> None:
    guesses, masks = map(cells, folders)
    path = table(tmp_path / "set.parquet", guess=[each["bytes"] for each in guesses], mask=masks)
    expected = scored(*folders)
    assert scored("--pairs", path, *COLUMNS) == expected
    assert scored("--pairs", path, *COLUMNS, "--name-column", "mask.path") == expected
    assert scored("--pairs", path, *COLUMNS, "--workers", 2) == expected


def test_a_folder_of_tables_is_one_set_and_resumes(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    guesses, masks = map(cells, folders)
    for part in range(3):
        some = slice(4 * part, 4 * part + 4)
        names = [f"{number:02}.png" for number in range(12)][some]
        path = tmp_path / "set" / f"{part}.parquet"
        table(path, prediction=guesses[some], truth=masks[some], name=names)
    run = tmp_path / "run.segeval"
    command = "score", "--pairs", tmp_path / "set", "--out", run, "--format", "json"
    first = segeval(*command)
    assert json.loads(first.stdout)["classes"] == scored(*folders)["classes"]
    assert "2.parquet/truth/3" in "".join(map(str, run.read_bytes().decode("latin-1").split()))
    again = segeval(
        "score", "--pairs", tmp_path / "set", "--out", run, "--resume", "--format", "json"
    )
    assert again.stdout == first.stdout


def test_all_that_is_wrong_is_told_with_its_row(folders: tuple[Path, Path], tmp_path: Path) -> None:
    guesses, masks = map(cells, folders)
    masks[3] = {"bytes": None, "path": "a.png"}
    path = table(tmp_path / "set.parquet", guess=[None, *guesses[1:]], mask=masks, size=[9] * 12)
    said = problems("--pairs", path, *COLUMNS)
    assert "row 0: column 'guess' holds no image" in said
    assert "row 3: column 'mask' holds no image" in said
    guesses[5]["bytes"], masks[3] = b"none", cells(folders[1])[3]
    path = table(tmp_path / "broken.parquet", guess=guesses, mask=masks, size=[9] * 12)
    assert "broken.parquet/guess/5" in problems("--pairs", path, *COLUMNS)
    said = problems("--pairs", path, "--prediction-column", "size")
    assert "column 'size' holds int64, not the bytes of images; images are in 'guess', 'm" in said
    assert "there is no column 'truth'" in said
    same = problems("--pairs", path, *COLUMNS, "--name-column", "size")
    assert "row 11: name '9' stands in an earlier row as well" in same
    assert "there is no column 'x'" in problems("--pairs", path, *COLUMNS, "--name-column", "x")


def test_a_broken_table_is_a_problem_and_no_folder(tmp_path: Path) -> None:
    path = tmp_path / "set.parquet"
    path.write_bytes(b"PAR1 and so on")
    assert "the table cannot be read" in problems("--pairs", path)
    table(path, truth=[b"x"])
    assert "type --pairs FILE" in problems(path, tmp_path)


def test_columns_need_a_table_of_images(folders: tuple[Path, Path], tmp_path: Path) -> None:
    assert "need --pairs" in segeval("score", *folders, *COLUMNS, expect=2).stderr
    (tmp_path / "pairs.csv").write_text("prediction,truth\npred/00.png,truth/00.png\n", "utf-8")
    done = segeval("score", "--pairs", tmp_path / "pairs.csv", *COLUMNS, expect=2)
    assert "for tables of images alone" in " ".join(done.stderr.split())


def test_without_the_library_one_is_told_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = table(tmp_path / "set.parquet", truth=[b"x"], prediction=[b"x"])
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert 'pip install "segeval-masks[parquet]"' in problems("--pairs", path)
