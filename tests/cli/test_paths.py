"""Paths that lead nowhere: one line by name, whatever the option, and never a traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from made.runs import BLOCKS
from made.sets import data_set, save, segeval

from segeval.errors import SettingError
from segeval.inputs.pairing import find_pairs
from segeval.settings import parse_shard

LONG = "x" * 5000
SETTINGS = {
    "pairs",
    "weights",
    "config",
    "images",
    "baseline",
}  # what is wrong with these is wrong typing
PLACES: dict[str, list[str]] = {
    "prediction": ["score", "{}", "truth"],
    "truth": ["check", "pred", "{}"],
    "pairs": ["score", "--pairs", "{}"],
    "roi": ["score", "pred", "truth", "--roi", "{}"],
    "labels": ["score", "pred", "truth", "--labels", "{}"],
    "weights": ["score", "pred", "truth", "--weights", "{}"],
    "config": ["score", "pred", "truth", "--config", "{}"],
    "baseline": ["score", "pred", "truth", "--baseline", "{}"],
    "run": ["report", "{}"],
    "runs": ["compare", "{}", "run.segeval"],
    "merged": ["merge", "run.segeval", "-o", "{}"],
    "images": ["overlay", "pred", "truth", "-o", "out", "--images", "{}"],
    "out": ["score", "pred", "truth", "-o", "{}"],
    "json": ["score", "pred", "truth", "--json", "{}"],
    "pictures": ["overlay", "pred", "truth", "-o", "{}"],
    "plot": ["plot", "run.segeval", "-o", "{}/p.svg"],
    "cases": ["conformance", "{}"],
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with two pairs, a run of them, and links in a circle."""
    monkeypatch.chdir(tmp_path)
    data_set(tmp_path, {"a": (BLOCKS, BLOCKS), "b": (BLOCKS, BLOCKS[::-1])})
    segeval("score", "pred", "truth", "-o", "run.segeval")
    Path("file").write_text("text", "utf-8")
    Path("loop").symlink_to("pool")
    Path("pool").symlink_to("loop")
    return tmp_path


@pytest.mark.parametrize("place", PLACES)
def test_paths_that_lead_nowhere_are_named(project: Path, place: str) -> None:
    circles = {"out", "json", "pictures", "run", "baseline", "prediction"}
    for path in ("loop/a", LONG, *(["loop", "file/a"] if place in circles else [])):
        command = [word.format(path) for word in PLACES[place]]
        try:
            done = segeval(*command, expect=2 if place in SETTINGS else 3)
        except AssertionError:  # a name that is too long is the system's to refuse
            done = segeval(*command, expect=3)
        assert path[:40] in done.stdout + done.stderr
    assert sorted(path.name for path in project.iterdir())[:2] == ["file", "loop"]


def test_links_in_a_circle_inside_a_folder_are_passed_over(project: Path) -> None:
    Path("truth/around").symlink_to("around")
    Path("truth/above").symlink_to("../truth")
    done = segeval("score", "pred", "truth")
    assert "images:2" in done.stdout
    Path("truth/c.png").symlink_to("c.png")
    save(project / "pred" / "c.png", BLOCKS)
    done = segeval("score", "pred", "truth", expect=3)
    assert "truth/c.png: cannot be opened: Too many levels of symbolic links" in done.stderr


def test_links_in_a_maze_are_not_walked_forever(tmp_path: Path) -> None:
    for folder in range(12):
        (tmp_path / str(folder)).mkdir()
        for other in range(12):
            (tmp_path / str(folder) / f"to_{other}").symlink_to(f"../{other}")
    problems = find_pairs(prediction=tmp_path, truth=tmp_path).problems
    assert {problem.kind for problem in problems} == {"no masks"}


@pytest.fixture
def locked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Folders of this name cannot be listed; root could, so that permissions do not do."""
    listed = os.scandir

    def scandir(path: str) -> Iterator[os.DirEntry[str]]:
        if Path(path).name == "locked":
            raise PermissionError(13, "Permission denied", path)
        return listed(path)

    monkeypatch.setattr(os, "scandir", scandir)


@pytest.mark.usefixtures("locked")
@pytest.mark.parametrize("command", ["score", "check"])
def test_folders_without_permission_are_problems(project: Path, command: str) -> None:
    for side in ("pred", "truth"):
        (project / side / "locked").mkdir()
        done = segeval(command, "pred", "truth", expect=3)
        said = done.stdout + done.stderr
        assert f"{side}/locked: the folder cannot be read: Permission denied" in said
        (project / side / "locked").rmdir()


def test_places_without_permission_are_named(project: Path) -> None:
    (project / "locked").mkdir(mode=0)
    if os.access("locked", os.R_OK):
        pytest.skip("root may read and write everywhere")
    for place, words in PLACES.items():
        command = [word.format("locked/a") for word in words]
        done = segeval(*command, expect=2 if place in SETTINGS - {"baseline"} else 3)
        said = done.stdout + done.stderr
        assert "locked/a" in said
        assert "Permission denied" in said or "there is no such" in said


def test_the_root_of_all_folders_is_no_folder_of_masks(project: Path) -> None:
    for command in (["score", "/", "truth"], ["check", "pred", "/"], ["score", "//", project]):
        done = segeval(*command, expect=3)
        assert "folder / is the root of all folders" in (done.stdout + done.stderr).replace(
            "//", "/"
        )


DELETED = """
import os, sys
from segeval.cli import app
os.rmdir(os.getcwd())
for line in sys.stdin:
    try:
        app(line.split())
    except SystemExit as end:
        assert end.code == 3, end.code
"""


def test_a_working_folder_that_was_deleted_is_said(tmp_path: Path) -> None:
    data_set(tmp_path, {"a": (BLOCKS, BLOCKS)})
    given = {name: str(tmp_path / name) for name in ("pred", "truth", "run.segeval")}
    segeval("score", given["pred"], given["truth"], "-o", given["run.segeval"])
    (tmp_path / "gone").mkdir()
    commands = [
        " ".join(given.get(word, word.format("x")) for word in PLACES[place])
        for place in ("out", "json", "pictures", "plot", "merged")
    ]
    done = subprocess.run(
        [sys.executable, "-c", DELETED],
        input="\n".join(commands),
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path / "gone",
    )
    assert done.returncode == 0, done.stderr
    said = done.stderr.splitlines()
    assert len(said) == len(commands)
    for line in said:
        assert line.startswith("segeval: x")
        assert "the working folder was deleted; change into one that is there" in line


@pytest.mark.parametrize("text", [f"1/1{'0' * 50}", f"1/{'9' * 5000}", "0/0", "1/1/1"])
def test_shards_beyond_measure_are_refused(text: str) -> None:
    with pytest.raises(SettingError, match="is not I/N") as refused:
        parse_shard(text)
    assert len(str(refused.value)) < 200


@pytest.mark.parametrize("pattern", ["a{99999999999}", "(", f"({'(' * 500}", "[z-a]"])
def test_patterns_that_are_none_are_refused(project: Path, pattern: str) -> None:
    done = segeval("score", "pred", "truth", "--group-by", pattern, expect=2)
    assert "is no regular expression" in done.stderr
    assert len(done.stderr) < 300
    del project
