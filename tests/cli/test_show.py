"""Errors in the terminal as users ask for them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from made.sets import Mask, data_set, segeval

from segeval.cli.commands.show import _colors
from segeval.pictures.errormaps import coarsened
from segeval.pictures.palettes import class_palette

TRUTH = np.zeros((60, 100), int)
TRUTH[20:40, 30:70] = 1
PREDICTION = TRUTH.copy()
PREDICTION[5, 5] = 1


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    return data_set(tmp_path, {"a/one": (TRUTH, PREDICTION), "a/two": (TRUTH, TRUTH)})


def test_one_wrong_pixel_is_seen(folders: tuple[Path, Path]) -> None:
    done = segeval("show", *folders, "a/one", "--class", "1", "--width", "25")
    lines = done.stdout.splitlines()
    assert "".join(lines[:8]).count("+") == 1
    assert lines[0][1] == "+"
    assert "IoU 0.9988" in done.stdout
    assert "+ false positive: 1" in done.stdout
    assert max(map(len, lines[:8])) == 25
    assert lines[-1] == "a cell is 4×7.5 pixels, wrong if any is"


def test_exact_picture_of_a_small_image(tmp_path: Path) -> None:
    truth = np.kron([[0, 1, 2, 255]], np.ones((20, 10), int))
    prediction = np.kron([[0, 2, 2, 0]], np.ones((20, 10), int))
    files = data_set(tmp_path, {"one": (truth, prediction)})
    pair = [folder / "one.png" for folder in files]
    expected = ["." * 10 + "a" * 10 + "." * 10 + "/" * 10] * 10
    lines = segeval("show", *pair, "--colors", "none").stdout.splitlines()
    assert lines[:10] == expected
    assert lines[10:] == [
        "one  all classes",
        "mIoU 0.5000  mDice 0.5556  pixel accuracy 0.6667",
        "wrong pixels by true class:",
        "a 1: 200  / void: 200",
    ]


def test_colours_are_those_of_the_pictures(folders: tuple[Path, Path]) -> None:
    done = segeval("show", *folders, "a/one", "--class", "1", "--colors", "24bit")
    assert "\x1b[38;2;213;94;0m" in done.stdout
    assert done.stdout.count("▀") == 80 * 24
    done = segeval("show", *folders, "a/one", "--class", "1", "--colors", "256")
    assert "\x1b[38;5;166m" in done.stdout


def test_unknown_names_propose_the_nearest(folders: tuple[Path, Path]) -> None:
    done = segeval("show", *folders, "a/onee", expect=2)
    assert "there is no pair 'a/onee'; the nearest names are a/one" in done.stderr
    assert "which of 2 images" in segeval("show", *folders, expect=2).stderr
    segeval("show", *folders, "a/one.png", expect=2)


def test_stated_labels_count_the_image_alone(folders: tuple[Path, Path]) -> None:
    (folders[0] / "a" / "two.png").write_bytes(b"broken")
    segeval("show", *folders, "a/one", expect=3)
    assert "a/one" in segeval("show", *folders, "a/one", "--classes", "2").stdout


@pytest.mark.usefixtures("folders")
def test_a_table_of_pairs_needs_the_name_alone(tmp_path: Path) -> None:
    table = tmp_path / "pairs.csv"
    table.write_text("prediction,truth,name\npred/a/one.png,truth/a/one.png,first\n", "utf-8")
    assert "first  1\n" in segeval("show", "--pairs", table, "first").stdout
    assert "first  1\n" in segeval("show", "--pairs", table).stdout


@pytest.mark.parametrize(
    ("environment", "terminal", "colors"),
    [
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor"}, True, "24bit"),
        ({"TERM": "xterm-256color"}, True, "256"),
        ({"TERM": "vt100"}, True, "none"),
        ({"TERM": "dumb", "COLORTERM": "truecolor"}, True, "none"),
        ({"COLORTERM": "truecolor", "NO_COLOR": "1"}, True, "none"),
        ({"COLORTERM": "truecolor", "NO_COLOR": ""}, True, "24bit"),
        ({"COLORTERM": "truecolor"}, False, "none"),
    ],
)
def test_the_terminal_says_what_it_can(
    environment: dict[str, str], colors: str, monkeypatch: pytest.MonkeyPatch, *, terminal: bool
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: terminal)
    assert _colors(environment) == colors


@given(
    codes=arrays(
        "uint8", st.tuples(st.integers(1, 20), st.integers(1, 20)), elements=st.integers(0, 4)
    ),
    data=st.data(),
)
def test_no_error_vanishes_in_a_coarser_grid(codes: Mask, data: st.DataObject) -> None:
    scheme = class_palette()
    rows = data.draw(st.integers(1, codes.shape[0]))
    columns = data.draw(st.integers(1, codes.shape[1]))
    coarse = coarsened(codes, scheme.errors, rows, columns)
    assert coarse.shape == (rows, columns)
    across = np.arange(codes.shape[1]) * columns // codes.shape[1]
    down = np.arange(codes.shape[0]) * rows // codes.shape[0]
    wrong = np.zeros(coarse.shape, bool)
    for row, column in np.argwhere(scheme.errors[codes]):
        wrong[down[row], across[column]] = True
    assert (scheme.errors[coarse] == wrong).all()
