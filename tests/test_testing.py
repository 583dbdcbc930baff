"""Masks held to their scores in tests: the assertion, and the plugin of pytest."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made.sets import data_set, frozen

from segeval.errors import SettingError
from segeval.testing import assert_segmentation

PLUGIN = ["-p", "no:cacheprovider", "-p", "no:segeval", "-p", "segeval.pytest_plugin"]
TRUTH, GUESS = frozen([[0, 1, 1], [2, 2, 2]]), frozen([[0, 1, 0], [2, 2, 2]])  # IoU 1/2, 1/2, 1
SUITE = """
import numpy as np

def test_folders(assert_segmentation):
    assert assert_segmentation("pred", "truth", miou=0.6).summary["miou"] > 0.6

def test_arrays(assert_segmentation):
    assert_segmentation(np.eye(2, dtype=int), np.eye(2, dtype=int), miou=1.0)
    assert_segmentation(np.eye(2, dtype=int), np.ones((2, 2), int), miou=0.75)
"""


def test_folders_files_and_arrays_pass(tmp_path: Path) -> None:
    folders = data_set(tmp_path, {"a": (TRUTH, GUESS)})
    files = [folder / "a.png" for folder in folders]
    for sides in (folders, files, map(str, files), (GUESS, TRUTH), ([GUESS], [TRUTH])):
        result = assert_segmentation(*sides, miou=2 / 3, fail_under=["iou.2=1"])
        assert result.summary["miou"] == 2 / 3
    assert assert_segmentation(GUESS, TRUTH, classes=4, miou=0.6).scores.labels.names[3] == "3"


def test_a_failure_says_what_missed_by_how_much_and_shows_the_table() -> None:
    with pytest.raises(AssertionError) as caught:
        assert_segmentation(GUESS, TRUTH, classes=4, miou=0.75, fail_under=["iou.*=0.4"])
    lines = str(caught.value).splitlines()
    assert lines[0] == "miou = 0.6666666666666666, at least 0.75 is asked for; 0.08333 too low"
    assert lines[1] == "iou.3 is undefined, at least 0.4 is asked for"
    assert lines[3].startswith("class")
    assert sum(line.startswith("passed") for line in lines) == 3


def test_objects_are_held_as_well() -> None:
    cells = frozen([[1, 0, 1]])
    assert assert_segmentation(cells, cells, objects="components", pq=1.0).objects["truth"] == 2


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "nothing is asked for; name a score and its least value, e.g. miou=0.7"),
        ({"lables": "voc", "miou": 0.5}, "no keyword 'lables'; did you mean 'labels'"),
        ({"miou": True}, "no keyword 'miou'; a bound is a number"),
        ({"miou": 70}, "did you mean 0.7"),
        ({"moiu": 0.7}, "no score is called 'moiu'; did you mean 'miou'"),
    ],
)
def test_what_is_not_there_is_no_failure(given: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingError, match=said):
        assert_segmentation(GUESS, TRUTH, **given)


def test_a_path_beside_an_array_is_refused() -> None:
    with pytest.raises(SettingError, match="one side is a path"):
        assert_segmentation("pred", np.zeros((2, 2), int), miou=0.5)


def test_the_plugin_scores_and_writes_pages(tmp_path: Path) -> None:
    data_set(tmp_path, {"a": (TRUTH, GUESS)})
    (tmp_path / "test_model.py").write_text(SUITE, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", *PLUGIN, "--segeval-html", "pages"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "1 failed, 1 passed" in done.stdout
    failure = [line for line in done.stdout.splitlines() if line.startswith("E ")]
    assert failure[0].endswith("miou = 0.25, at least 0.75 is asked for; 0.5 too low")
    pages = sorted(page.name for page in (tmp_path / "pages").iterdir())
    assert pages == [
        f"test_model.py_{name}.html"
        for name in ("test_arrays-1", "test_arrays-2", "test_folders-1")
    ]
    assert failure[-1].split()[-1] == "pages/test_model.py_test_arrays-2.html"
    assert "0.25" in (tmp_path / "pages" / pages[1]).read_text("utf-8")


def test_the_plugin_imports_nothing_early() -> None:
    code = "import sys, segeval.pytest_plugin, segeval.testing as t; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"numpy", "rich", "PIL", "segeval.api"} & set(done.stdout.split())
