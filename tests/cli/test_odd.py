"""Odd data that real users have, and that once went wrong."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from made.sets import data_set, document, save, segeval, segeval_process

from segeval.labels.load import load_labels

BLOCKS = np.kron(np.arange(4).reshape(2, 2), np.ones((8, 8), int)).astype(np.uint8)


def names(folder: Path, *lines: str) -> Path:
    path = folder / "names.txt"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_a_class_called_unknown_keeps_its_column(tmp_path: Path) -> None:
    folders = data_set(tmp_path, {"a": (BLOCKS, BLOCKS)})
    labels = names(tmp_path, "unknown", "truth", "b", "c")
    segeval("score", *folders, "--labels", labels, "--confusion", tmp_path / "c.csv")
    rows = list(csv.reader((tmp_path / "c.csv").read_text("utf-8").splitlines()))
    assert rows[0] == ["truth", "unknown", "truth", "b", "c", "unknown"]
    assert rows[1] == ["unknown", "64", "0", "0", "0", "0"]


def test_names_are_no_markup(tmp_path: Path) -> None:
    folders = data_set(tmp_path, {"a": (BLOCKS, BLOCKS)})
    odd = ["[red]a[/red]", "[/y]", ":car:", "d|e", "gone [/z]"]
    options = ["--labels", names(tmp_path, *odd), "--exclude", ":car:"]
    done = segeval("score", *folders, *options, "--fail-under", "iou.[red]a[/red]=1")
    for name in odd:
        assert name in done.stdout
    assert "passed  iou.[red]a[/red]" in done.stdout
    markdown = segeval("score", *folders, *options, "--format", "markdown").stdout
    assert "| d\\|e |" in markdown


def test_any_encoding_of_stdout_will_do(tmp_path: Path) -> None:
    folders = data_set(tmp_path, {"a": (BLOCKS, BLOCKS)})
    labels = names(tmp_path, "道路", "Straße", "b", "c")
    done = segeval_process("score", *folders, "--labels", labels, PYTHONIOENCODING="ascii")
    assert "\\u9053\\u8def" in done.stdout


def test_file_names_of_any_bytes_are_reported(tmp_path: Path) -> None:
    folders = data_set(tmp_path, {"a": (BLOCKS, BLOCKS)})
    for folder in folders:
        os.rename(folder / "a.png", os.fsencode(folder) + b"/a\xff.png")
    segeval("score", *folders, "--per-image", tmp_path / "i.csv", "--json", tmp_path / "d.json")
    assert "a\\udcff" in (tmp_path / "i.csv").read_text("utf-8")


def test_values_beyond_int64_are_a_problem_of_their_file(tmp_path: Path) -> None:
    folders = data_set(tmp_path, {"b": (BLOCKS, BLOCKS)})
    for folder in folders:
        np.save(folder / "a.npy", BLOCKS.astype(np.uint64) + np.uint64(2**63))
    assert "a.npy" in segeval("score", *folders, expect=3).stderr


@pytest.mark.parametrize("share", [1.0, 0.4])
def test_real_label_ids_against_train_ids_are_recognised(tmp_path: Path, share: float) -> None:
    """Truths hold void ids too, so that most values are common to both sides."""
    random = np.random.default_rng(0)
    cityscapes = load_labels("cityscapes")
    train = random.integers(0, 19, (64, 64))
    ids = np.array([label.truth_values[0] for label in cityscapes.labels])[train]
    ids[:8, :] = random.choice(cityscapes.void, (8, 64))
    guess = np.where(random.random(train.shape) < share, train, random.integers(0, 19, train.shape))
    folders = data_set(tmp_path, {"a": (ids, guess)})
    said = segeval("score", *folders, expect=3).stderr
    assert "type --labels cityscapes --pred-labels cityscapes-train" in said


@pytest.mark.parametrize("share", [1.0, 0.4])
def test_classes_counted_from_0_against_1_are_recognised(tmp_path: Path, share: float) -> None:
    random = np.random.default_rng(0)
    truth = random.integers(1, 151, (64, 64))
    guess = np.where(
        random.random(truth.shape) < share, truth - 1, random.integers(0, 150, (64, 64))
    )
    folders = data_set(tmp_path, {"a": (truth, guess)})
    assert "agree if 1 is added" in segeval("score", *folders, expect=3).stderr


def test_own_classes_are_not_taken_for_others(tmp_path: Path) -> None:
    """Thirty classes of which the prediction misses some: values that also fit two known maps."""
    random = np.random.default_rng(0)
    truth = random.integers(0, 30, (64, 64))
    folders = data_set(tmp_path, {"a": (truth, np.where(truth > 18, 2, truth))})
    assert document(*folders)["averaged"]["of"] == 30


def test_a_threshold_keeps_both_classes_whatever_is_ignored(tmp_path: Path) -> None:
    folders = data_set(tmp_path, {"a": (BLOCKS // 3 * 255, BLOCKS * 80)})
    result = document(*folders, "--threshold", "200", "--ignore", "7")
    assert len(result["classes"]) == 2
    assert result["summary"]["miou"] == 1.0
    said = segeval("score", *folders, "--threshold", "200", "--ignore", "0", expect=2).stderr
    assert "--threshold needs two classes; binary has 1" in said


def test_colours_of_either_side_are_read_by_its_own_map(tmp_path: Path) -> None:
    from PIL import Image

    table = np.array([[1, 2, 3], [4, 5, 6]], np.uint8)
    other = np.array([[9, 8, 7], [6, 5, 4]], np.uint8)
    for side, colors in (("truth", table), ("pred", other)):
        (tmp_path / side).mkdir()
        Image.fromarray(colors[BLOCKS // 2]).save(tmp_path / side / "a.png")
        rows = (f"{n},{r},{g},{b},up" for n, (r, g, b) in zip("xy", colors.tolist(), strict=True))
        (tmp_path / f"{side}.csv").write_text("\n".join(["name,r,g,b,group", *rows]))
    maps = ["--labels", tmp_path / "truth.csv", "--pred-labels", tmp_path / "pred.csv"]
    for level, classes in (("class", 2), ("category", 1)):
        found = document(tmp_path / "pred", tmp_path / "truth", *maps, "--level", level)
        assert (found["summary"]["miou"], len(found["classes"])) == (1.0, classes)


def test_large_numbers_are_no_colours(tmp_path: Path) -> None:
    """They once were, from 2^24 on: 16777216 was black, whatever a label file said."""
    for side, values in (("truth", [16777216, 33554431]), ("pred", [16777216, 16777216])):
        (tmp_path / side).mkdir()
        np.save(tmp_path / side / "a.npy", np.array([values]))
    folders, labels = (tmp_path / "pred", tmp_path / "truth"), tmp_path / "labels.csv"
    labels.write_text("name,value,r,g,b\nroad,16777216,9,9,9\ncar,33554431,0,0,0\n")
    named = document(*folders, "--labels", labels)
    assert [row["iou"] for row in named["classes"]] == [0.5, 0.0]
    found = document(*folders)
    assert [row["name"] for row in found["classes"]] == ["16777216", "33554431"]


def test_settings_are_checked_before_anything_is_read(tmp_path: Path) -> None:
    folders = data_set(tmp_path, {"a": (BLOCKS, BLOCKS)})
    (folders[0] / "a.png").write_bytes(b"")
    said = segeval("score", *folders, "--labels", "nosuch", expect=2).stderr
    assert "no label map or file is called 'nosuch'" in said
    assert "0 bytes" not in said
    said = segeval("score", *folders, "--classes", "4", "--exclude", "x", expect=2).stderr
    assert "no class is called 'x'" in said
    same = ["--csv", tmp_path / "same", "--json", tmp_path / "same"]
    assert "named for two reports" in segeval("score", *folders, *same, expect=3).stderr


@pytest.mark.parametrize("side", ["truth", "pred"])
def test_links_are_followed_but_not_in_circles(tmp_path: Path, side: str) -> None:
    folders = data_set(tmp_path, {"a/x": (BLOCKS, BLOCKS)})
    for folder in folders:
        (folder / "b").symlink_to(folder / "a")
        (folder / "a" / "circle").symlink_to(folder)
    assert document(*folders)["images"]["scored"] == 2
    (tmp_path / side / "b").unlink()
    save(tmp_path / side / "b" / "x.png", BLOCKS)
    assert document(*folders)["images"]["scored"] == 2


@pytest.mark.parametrize("delay", [0.0, 0.03, 0.06, 0.1, 0.15])
def test_ctrl_c_while_starting_leaves_no_traceback(tmp_path: Path, delay: float) -> None:
    folders = data_set(tmp_path, {"a": (BLOCKS, BLOCKS)})
    program = "from segeval.cli import main; print('up', flush=True); main()"
    command = [sys.executable, "-c", program, "score", *map(str, folders), "--workers", "2"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(delay)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=20)
    assert process.returncode in {0, 130, -signal.SIGINT}  # the last: it had ended its work
    _, _, traceback = said.partition("Traceback")  # before `main` is called, it is Python's own
    assert "segeval" not in traceback


@pytest.mark.parametrize("error", ["KeyboardInterrupt", "RuntimeError from KeyboardInterrupt()"])
@pytest.mark.parametrize("module", ["typer", "segeval.cli.commands.explain", "numpy"])
def test_ctrl_c_while_importing_leaves_no_traceback(module: str, error: str) -> None:
    program = f"""
import runpy, sys
class Interrupt:
    def find_spec(self, name, *_):
        if name == {module!r}:
            raise {error}
sys.meta_path.insert(0, Interrupt())
sys.argv[1:] = ["explain", "nothing.segeval"]
runpy.run_module("segeval", run_name="__main__", alter_sys=True)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 130
    assert done.stderr in {"", "segeval: interrupted\n"}
