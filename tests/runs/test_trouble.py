"""Run files: what goes wrong with files, disks and options, and loses nothing."""

from __future__ import annotations

import json
import os
import resource
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from made.runs import BLOCKS, NAMES, make_folders, score
from made.sets import data_set, save, segeval
from PIL import Image
from runs.signals import strikes_of
from runs.torture import make_set

from segeval import api
from segeval.errors import RunError
from segeval.inputs import fingerprints
from segeval.inputs.masks import read_mask
from segeval.values import COLOR


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    return make_folders(tmp_path)


def damaged(path: Path, how: str) -> None:
    connection = sqlite3.connect(path)
    if how == "newer":
        connection.execute("UPDATE meta SET value = '99' WHERE key = 'schema'")
    elif how == "foreign":
        connection.execute("DROP TABLE counts")
    elif how == "no schema":
        connection.execute("DELETE FROM meta WHERE key = 'schema'")
    elif how == "interrupted":
        connection.execute("UPDATE meta SET value = '0' WHERE key = 'complete'")
    connection.commit()
    connection.close()
    if how == "truncated":
        os.truncate(path, path.stat().st_size // 2)
    elif how == "text":
        path.write_text("this is text " * 100)


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("newer", "written by a newer segeval (schema 99, this one reads 4)"),
        ("foreign", "is not a segeval run file"),
        ("no schema", "is not a segeval run file"),
        ("text", "not a segeval run file"),
        ("truncated", "the run file is damaged"),
        ("interrupted", "the counting was interrupted after 10 images"),
        ("", ""),
    ],
)
def test_files_that_are_no_runs_are_refused_untouched(
    folders: tuple[Path, Path], tmp_path: Path, how: str, message: str
) -> None:
    run = tmp_path / "run.segeval"
    score(folders, "-o", run)
    damaged(run, how)
    before = run.read_bytes()
    assert message in segeval("report", run, expect=3 if how else 0).stderr
    assert run.read_bytes() == before
    if how not in {"interrupted", ""}:
        for option in ("--resume", "--overwrite"):
            segeval("score", *folders, "-o", run, option, expect=3)
            assert run.read_bytes() == before


def test_colours_of_an_older_run_file_are_read_and_resumed(tmp_path: Path) -> None:
    """Schema 1 held them from 2^24 on, where it could not tell them from integers."""
    folders = [tmp_path / "pred", tmp_path / "truth"]
    rows = np.array([[[0, 0, 0], [255, 255, 255], [9, 8, 7]]], np.uint8)
    for folder, order in zip(folders, ([0, 1, 1], [0, 1, 2]), strict=True):
        folder.mkdir()
        Image.fromarray(rows[:, order]).save(folder / "a.png")
        save(folder / "grey.png", [[0, 255, 7]])
    run, labels = tmp_path / "run.segeval", tmp_path / "labels.csv"
    labels.write_text("name,value,r,g,b\na,0,0,0,0\nb,255,255,255,255\nc,7,9,8,7\n")
    options = ("--labels", labels, "--missing", "worst")
    (folders[0] / "grey.png").unlink()
    found = json.loads(score((folders[0], folders[1]), *options, "-o", run))
    assert [row["iou"] for row in found["classes"]] == [0.5, 1 / 3, 0]
    with sqlite3.connect(run) as connection:
        for side in ("truth", "prediction"):
            colors = f"{side} = {side} - {COLOR - 2**24} WHERE {side} >= {COLOR}"
            assert connection.execute(f"UPDATE counts SET {colors}").rowcount > 1
        connection.execute("UPDATE meta SET value = '1' WHERE key = 'schema'")
        connection.execute("DELETE FROM meta WHERE key = 'checksum'")
        connection.execute("ALTER TABLE images DROP COLUMN checksum")
        connection.execute("DROP TABLE measures")
    connection.close()
    before = run.read_bytes()
    said = segeval("report", run, "--labels", labels, "--format", "json").stdout
    assert json.loads(said)["classes"] == found["classes"]
    assert run.read_bytes() == before
    resumed = score((folders[0], folders[1]), *options, "-o", run, "--resume")
    assert json.loads(resumed)["classes"] == found["classes"]
    with sqlite3.connect(run) as connection:
        assert connection.execute("SELECT value FROM meta WHERE key = 'schema'").fetchone() == (
            "4",
        )
        assert connection.execute("SELECT max(truth) FROM counts").fetchone()[0] >= COLOR
    connection.close()


def test_places_without_a_run_are_named(folders: tuple[Path, Path], tmp_path: Path) -> None:
    assert "there is no such run file" in segeval("report", tmp_path / "no", expect=3).stderr
    (tmp_path / "no").touch()
    nowhere = tmp_path / "no" / "run.segeval"
    assert (
        "no folder can be made for it" in segeval("score", *folders, "-o", nowhere, expect=3).stderr
    )
    assert "name it with -o" in segeval("score", *folders, "--resume", expect=2).stderr
    assert "is not I/N" in segeval("score", *folders, "--shard", "3/2", expect=2).stderr


@pytest.mark.slow
def test_a_full_disk_leaves_the_run_resumable(folders: tuple[Path, Path], tmp_path: Path) -> None:
    """A limit on the size of files stands for a disk that is full."""
    run = tmp_path / "run.segeval"
    random = np.random.default_rng(0)
    for number in range(40):
        for folder in folders:
            save(folder / f"noise_{number}.png", random.integers(0, 250, (200, 200)))
    command = f'ulimit -f 1000; exec "{sys.executable}" -m segeval score "$@"'
    done = subprocess.run(
        ["bash", "-c", command, "score", *map(str, folders), "-o", str(run)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert done.returncode == 3, done
    assert "disk" in done.stderr
    assert done.stderr.count("\n") == 1
    assert score(folders, "-o", run, "--resume") == score(folders)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_a_disk_that_is_full_for_a_sum_leaves_what_was_there(tmp_path: Path, share: float) -> None:
    """There is no room for the tables, for the images, or at the end."""
    noise = np.random.default_rng(0).integers(0, 250, (2, 50, 50))
    folders = data_set(tmp_path, {"a": (noise[0], noise[1])})
    run, out = tmp_path / "run.segeval", tmp_path / "sum.segeval"
    for path in (run, out):
        score(folders, "-o", path)
    before = out.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(share * len(before)), limits[1]))
    try:
        said = segeval("merge", run, "-o", out, "--overwrite", expect=3).stderr
        with pytest.raises(RunError, match=r"type the same command again$"):
            api.open_run(run).save(out, overwrite=True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert f"{out}: it cannot be written to the disk (" in said
    assert said.endswith("): free some space and type the same command again\n")
    assert out.read_bytes() == before
    assert sorted(tmp_path.glob("*.segeval*")) == [run, out]


def test_overwriting_begins_when_there_is_something_to_count(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    run = tmp_path / "run.segeval"
    printed = score(folders, "-o", run)
    segeval("score", tmp_path / "nowhere", folders[1], "-o", run, "--overwrite", expect=3)
    assert segeval("report", run, "--format", "json").stdout == printed
    save(folders[0] / f"{NAMES[0]}.png", BLOCKS)
    assert score(folders, "-o", run, "--overwrite", "--missing", "skip") == score(
        folders, "--missing", "skip"
    )


def test_an_empty_shard_is_no_problem_of_the_set(tmp_path: Path) -> None:
    folders = data_set(tmp_path, {"a": (BLOCKS, BLOCKS), "b": (BLOCKS, BLOCKS[::-1])})
    parts = [tmp_path / f"{number}.segeval" for number in (1, 2, 3)]
    for number, part in enumerate(parts, 1):
        done = segeval(
            "score", *folders, "-o", part, "--shard", f"{number}/3", expect=3 if number == 3 else 0
        )
    assert "nothing to score" in done.stderr
    said = segeval("merge", *parts[:2], "-o", tmp_path / "two.segeval").stderr
    assert "notice: only shards 1/3, 2/3 of the data set" in said
    segeval("merge", *parts, "-o", tmp_path / "all.segeval")
    report = segeval("report", tmp_path / "all.segeval", "--format", "json").stdout
    assert report == score(folders)


def test_lost_counts_are_seen_and_counted_again(folders: tuple[Path, Path], tmp_path: Path) -> None:
    run = tmp_path / "run.segeval"
    printed = score(folders, "-o", run)
    connection = sqlite3.connect(run)
    connection.execute("DELETE FROM counts WHERE image = 3 AND truth = 2")
    connection.commit()
    connection.close()
    said = segeval("report", run, expect=3).stderr
    assert "the counts of aachen_2 are not complete" in said
    assert score(folders, "-o", run, "--resume") == printed


def test_a_touched_file_is_looked_into_once(tmp_path: Path) -> None:
    path = save(tmp_path / "a.png", BLOCKS)
    os.utime(path, ns=(10**18, 10**18))
    first = read_mask(path, fingerprints=True).fingerprint
    second = fingerprints.still(path, first)
    assert second is not None
    assert second.split()[-1] == first.split()[-1]


def test_reports_do_not_overwrite_the_run(folders: tuple[Path, Path], tmp_path: Path) -> None:
    run = tmp_path / "run.segeval"
    segeval("score", *folders, "-o", run, "--json", run, expect=2)
    score(folders, "-o", run)
    assert "is the run" in segeval("report", run, "--csv", run, expect=2).stderr
    assert "type --overwrite" in segeval("merge", run, "-o", run, expect=3).stderr


def test_options_without_effect_are_refused(folders: tuple[Path, Path], tmp_path: Path) -> None:
    run = tmp_path / "run.segeval"
    score(folders, "-o", run)
    said = segeval("sweep", run, "--shard", "1/2", expect=2).stderr
    assert "is counted already" in said
    for value in ("nan", "inf", "1e+308"):
        done = segeval("report", run, "--threshold", value, expect=2)
        assert f"a threshold must be a number that masks can hold, not {value}" in done.stderr


@pytest.mark.parametrize(
    "seed", [*range(4), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(4, 12))]
)
def test_damage_anywhere_is_one_message_or_none(
    folders: tuple[Path, Path], tmp_path: Path, seed: int
) -> None:
    run = tmp_path / "run.segeval"
    score(folders, "-o", run)
    content = bytearray(run.read_bytes())
    random = np.random.default_rng(seed)
    for position in random.integers(100, len(content), 40).tolist():
        content[position] = int(random.integers(0, 256))
    run.write_bytes(bytes(content))
    done = subprocess.run(
        [sys.executable, "-m", "segeval", "report", str(run)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in {0, 3}
    assert "Traceback" not in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "worker"),
    [(signal.SIGINT, False), (signal.SIGTERM, False), (signal.SIGKILL, True)],
)
def test_signals_at_any_moment_end_all_processes(
    tmp_path: Path, number: int, *, worker: bool
) -> None:
    make_set(tmp_path / "set", 60)
    strikes = strikes_of(tmp_path / "set", number, 5, worker=worker)
    assert strikes.faults == []
    assert sum(strikes.codes.values()) == 5
