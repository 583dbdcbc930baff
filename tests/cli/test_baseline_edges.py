"""Baselines and comparisons at the edge: rounding, what is undefined, damaged or not there."""

from __future__ import annotations

import math
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from made.sets import data_set, segeval

from segeval.errors import RunError
from segeval.scoring.baseline import read_baseline
from segeval.scoring.gates import DropGate
from segeval.scoring.metrics import ROUNDING

TRUTH = np.kron(np.arange(4).reshape(2, 2), np.ones((4, 4), int)).astype(np.uint8)


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    shifted = np.roll(TRUTH, 1, axis=1)
    return data_set(tmp_path / "set", {"a": (TRUTH, shifted), "b": (TRUTH, TRUTH)})


def test_the_rounding_of_floats_is_no_drop(tmp_path: Path) -> None:
    truth = np.repeat(np.array([[0, 1]], np.uint8), 50, axis=1)
    masks = {"20": truth.copy(), "21": truth.copy()}
    for wrong, mask in masks.items():
        mask[0, : int(wrong)] = 1
    folders = [data_set(tmp_path / name, {"a": (truth, mask)}) for name, mask in masks.items()]
    segeval("score", *folders[0], "-o", tmp_path / "run")
    options = [*folders[1], "--baseline", tmp_path / "run", "--format", "total"]
    segeval("score", *options, "--max-drop", "pixel_accuracy=0.01")
    segeval("score", *options, "--max-drop", "pixel_accuracy=0.0099", expect=1)


def test_no_drop_is_allowed_unless_it_is_named() -> None:
    assert not DropGate(metric="miou", value=0.7, baseline=0.8).passed
    assert DropGate(metric="miou", value=0.0, baseline=ROUNDING).passed


def test_undefined_scores_fail_also_where_only_certain_drops_do() -> None:
    gate = DropGate(metric="miou", value=math.nan, baseline=0.8, interval=(-0.1, 0.1))
    assert not gate.passed


def test_a_relative_drop_of_a_negative_score_is_a_share_of_its_size() -> None:
    for value, passed in ((-0.9, True), (-0.91, True), (-0.93, False)):
        gate = DropGate(metric="kappa", value=value, baseline=-0.9, max_drop=0.02, relative=True)
        assert gate.passed is passed


@pytest.mark.parametrize(
    "content",
    [
        '{"schema": "segeval.scores/1"}',
        '{"schema": "segeval.scores/1", "summary": {"miou": "0.7"}, "classes": []}',
        '{"schema": "segeval.scores/1", "classes": {}, "summary": []}',
        pytest.param("[" * 200_000, id="nested too deeply"),
    ],
)
def test_a_damaged_baseline_is_no_failed_gate(
    folders: tuple[Path, Path], tmp_path: Path, content: str
) -> None:
    (tmp_path / "b.json").write_text(content, "utf-8")
    done = segeval("score", *folders, "--baseline", tmp_path / "b.json", expect=3)
    assert "b.json" in done.stderr


def test_a_baseline_with_a_score_that_is_text_is_damaged(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    for path, score in ((tmp_path / "a.json", '"0.7"'), (tmp_path / "b.json", "true")):
        segeval("score", *folders, "--json", path)
        path.write_text(re.sub('"miou": [0-9.]+', f'"miou": {score}', path.read_text("utf-8")))
        said = segeval("score", *folders, "--baseline", path, expect=3).stderr
        assert "it is damaged: TypeError" in said
        assert "is no score; write it again with --json" in said


def test_a_baseline_that_cannot_be_opened_is_said_to_be_that(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="cannot be read: No such file") as refused:
        read_baseline(tmp_path / "nothing.json")
    assert "neither" not in str(refused.value)


def test_a_drop_of_a_group_has_no_interval(folders: tuple[Path, Path], tmp_path: Path) -> None:
    by = ("--group-by", "^([a-z])", "--ci", 20)
    segeval("score", *folders, "-o", tmp_path / "run")
    drop = ("--baseline", tmp_path / "run", "--max-drop", "miou@a=0.1", "--significant")
    said = segeval("score", *folders, *by, *drop, expect=2).stderr
    assert "there is no interval of a group, such as miou@a" in said


def test_a_drop_of_a_group_that_is_not_there_is_refused(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    segeval("score", *folders, "-o", tmp_path / "run")
    options = ["--baseline", tmp_path / "run", "--max-drop", "iou.*@typo=0.01"]
    assert "no group 'typo'" in segeval("score", *folders, *options, expect=2).stderr


def test_problems_come_before_differing_images(folders: tuple[Path, Path], tmp_path: Path) -> None:
    done = segeval("compare", folders[0], folders[0], "--truth", tmp_path / "nowhere", expect=3)
    assert "nowhere does not exist" in done.stderr
    assert "--common" not in done.stderr


def test_images_that_differ_by_rounding_are_equal(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    truth = rng.integers(0, 3, (12, 12)).astype(np.uint8)
    guess = np.where(rng.random(truth.shape) < 0.7, truth, rng.integers(0, 3, truth.shape))
    turned = [(mask + 1) % 3 for mask in (truth, guess)]
    first = data_set(tmp_path / "a", {"x": (truth, guess), "y": (turned[0], turned[1])})
    done = segeval("compare", first[0], first[0], "--truth", first[1], "--format", "json")
    assert '"wins": 0' in done.stdout
    assert '"ties": 2' in done.stdout


def test_classes_with_an_at_sign_are_gated_by_name(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    labels = tmp_path / "names.txt"
    labels.write_text("a@b\nc\nd\ne\n", "utf-8")
    options = ["--labels", labels, "--format", "total", "--fail-under", "iou.a@b=0.1"]
    segeval("score", *folders, *options)


def test_a_full_disk_behind_stdout_is_no_failed_gate(folders: tuple[Path, Path]) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full here")
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run(
            [sys.executable, "-m", "segeval", "score", *folders],
            stdout=full, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 3
    assert "stdout cannot be written: No space left" in done.stderr
    assert "Traceback" not in done.stderr


def test_speech_that_nobody_reads_is_no_failed_gate(folders: tuple[Path, Path]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "segeval", "score", *map(str, folders[1:] * 2)]
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=writer, check=False)
    os.close(writer)
    assert done.returncode == 0
