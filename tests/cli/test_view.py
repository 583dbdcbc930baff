"""``segeval view`` as users start and end it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made.sets import data_set, segeval

from segeval.viewer.server import Viewer

TRUTH = np.array([[0, 0, 1, 1], [0, 2, 2, 1]])


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Two images in two groups."""
    return data_set(tmp_path, {"a/x": (TRUTH, TRUTH), "b/y": (TRUTH, (TRUTH + 1) % 3)})


@contextmanager
def viewing(*arguments: object) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run the command in a process of its own, and return its address."""
    command = [sys.executable, "-W", "error", "-m", "segeval", "view", *map(str, arguments)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


def fetch(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=20) as answer:
        return json.load(answer)


def test_a_run_is_served_until_it_is_interrupted(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    run = tmp_path / "run.segeval"
    segeval("score", *folders, "-o", run)
    with viewing(run, "--class", "1", "--group-by", "^(.)/") as (process, url):
        assert url.startswith("http://127.0.0.1:")
        said = fetch(url + "api/run")
        assert (said["images"], said["class"]) == (2, 1)
        assert said["groups"] == [["a", 1], ["b", 1]]
        process.send_signal(signal.SIGINT)
        printed, told = process.communicate(timeout=20)
    assert (process.returncode, printed) == (0, "")
    assert told == "served to this machine only; Ctrl-C ends it\n"


def test_masks_are_counted_first_where_no_run_is_given(folders: tuple[Path, Path]) -> None:
    with viewing(*folders, "--quiet") as (process, url):
        rows = fetch(url + "api/images")["rows"]
        assert [row["name"] for row in rows] == ["b/y", "a/x"]
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=20) == ("", "")


def test_the_browser_is_opened_if_asked(
    folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []

    def interrupted(_: Viewer) -> None:
        raise KeyboardInterrupt

    def refuse(url: str) -> bool:
        opened.append(url)
        return False

    monkeypatch.setattr(Viewer, "serve_forever", interrupted)
    monkeypatch.setattr("webbrowser.open", refuse)
    done = segeval("view", *folders, "--open")
    assert opened == [done.stdout.strip()]
    assert "no browser could be opened" in done.stderr
    assert segeval("view", *folders).stdout.startswith("http://127.0.0.1:")
    assert len(opened) == 1


def test_what_cannot_be_shown_is_refused(folders: tuple[Path, Path], tmp_path: Path) -> None:
    done = segeval("view", *folders, "--class", "7", expect=2)
    assert "no class is called '7'; the classes are 0, 1, 2" in done.stderr
    assert not done.stdout
    segeval("view", *folders, "--images", tmp_path / "none", expect=2)
    segeval("view", *folders, "--image-suffix", "_x", expect=2)
    segeval("view", *folders, "--port", "70000", expect=2)
    gone = segeval("view", tmp_path / "none.segeval", expect=3)
    assert "there is no such run file" in gone.stderr
    segeval("view", *folders, "--group-by", "nothing", expect=2)
    np.save(folders[0] / "extra.npy", TRUTH)
    (folders[1] / "b" / "y.png").write_bytes(b"broken")
    assert "unreadable mask" in segeval("view", *folders, expect=3).stderr


def test_two_runs_stand_side_by_side(
    folders: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(viewer: Viewer) -> None:
        said.append(json.loads(viewer.routes.answer("api/run", "").body))
        raise KeyboardInterrupt

    said: list[Any] = []
    monkeypatch.setattr(Viewer, "serve_forever", interrupted)
    first, second = tmp_path / "a.segeval", tmp_path / "b.segeval"
    segeval("score", *folders, "-o", first)
    segeval("score", *folders, "-o", second, "--include", "b/*")
    done = segeval("view", first, second)
    note = "1 image of A only, left out: a/x"
    assert f"notice: {note}\n" in done.stderr
    (run,) = said
    assert (run["images"], run["notes"]) == (1, [note])
    assert run["runs"] == [str(first), str(second)]
    assert segeval("view", first, second, "--quiet").stderr == ""
    for arguments in ((first, folders[1]), (folders[0], second)):
        refused = segeval("view", *arguments, expect=2)
        assert "is no run file, and stands beside one; count its masks" in refused.stderr
    gone = segeval("view", first, tmp_path / "none.segeval", expect=3)
    assert "there is no such run file" in gone.stderr
    given = segeval("view", first, second, "--pred-suffix", "_x", expect=2)
    assert "is counted already; leave out --pred-suffix" in given.stderr
