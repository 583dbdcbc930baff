"""clDice and Betti-number errors through the command line, and from a run without masks."""

from __future__ import annotations

import csv
import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from made.sets import data_set, segeval

from segeval.errors import RunError
from segeval.topology.scores import read_table

pytest.importorskip("skimage")


def test_scores_of_lines_rings_and_one_side(tmp_path: Path) -> None:
    line, ring, none = np.zeros((3, 20, 20), np.uint8)
    line[10, 2:18] = 1
    broken = line.copy()
    broken[10, 9:11] = 0
    ring[4:15, 4:15] = 1
    filled = ring.copy()
    ring[7:12, 7:12] = 0
    pairs = {"a": (line, broken), "b": (ring, filled), "c": (line, none), "d": (none, none)}
    folders = data_set(tmp_path / "set", pairs)
    run = tmp_path / "run.segeval"
    how = ("--labels", "binary", "--topology", "--format", "json")
    gate = ("--fail-under", "cldice.foreground=0.9")
    found = json.loads(segeval("score", *folders, *how, "-o", run, *gate, expect=1).stdout)
    row = found["topology"]["classes"][1]
    assert row["betti0_error"] == pytest.approx((1 + 0 + 1) / 3)
    assert row["betti1_error"] == pytest.approx(1 / 3)
    share = 14 / 16  # of the true line lies in the broken one, and all of that in the true one
    first, third = 2 * share / (share + 1), 0.0
    second = 3 * row["cldice"] - first - third
    assert 0 <= second < 1
    assert found["classes"][1]["cldice"] == row["cldice"]
    assert "topology:skimage,corners-touch" in found["signature"].split("|")
    shutil.rmtree(tmp_path / "set")
    assert_errors_have_ceilings(run)
    again = json.loads(segeval("report", run, *how, "--ci", "20").stdout)
    assert again["topology"]["classes"][1]["cldice"] == row["cldice"]
    low, high = again["intervals"]["mcldice"]
    assert low <= again["summary"]["mcldice"] <= high
    assert_files_and_comparisons_have_errors(run, tmp_path)


def assert_files_and_comparisons_have_errors(run: Path, folder: Path) -> None:
    how, names = ("--topology", "--labels", "binary", "-q"), ("csv", "per-image", "junit")
    files = {name: folder / name for name in names}
    written = [word for name, path in files.items() for word in (f"--{name}", path)]
    segeval("report", run, *how, *written)
    rows = list(csv.DictReader(files["csv"].read_text("utf-8").splitlines()))
    assert float(rows[1]["betti0_error"]) == pytest.approx(2 / 3)
    images = csv.DictReader(files["per-image"].read_text("utf-8").splitlines())
    assert [row["betti0_error_foreground"] for row in images] == ["1.0", "0.0", "1.0", ""]
    assert 'name="betti1_error.foreground"' in files["junit"].read_text("utf-8")
    printed = segeval("compare", run, run, *how, "--ci", "20", "--percent").stdout
    line = next(line for line in printed.splitlines() if line.startswith("mBetti 0 error"))
    assert line.split()[3:6] == ["0.4583", "0.4583", "0.0000"]  # no percent
    assert "mClDice" in printed


def assert_errors_have_ceilings(run: Path) -> None:
    def gated(*bounds: str, expect: int) -> str:
        words = [word for bound in bounds for word in ("--fail-over", bound)]
        how = ("--topology", "--labels", "binary", "--ci", "20", "-q", "--format", "json")
        return segeval("report", run, *how, *words, expect=expect).stdout

    ceilings = ("betti0_error=9", "betti0_error.foreground=0.7", "mbetti1_error=0.1")
    found = json.loads(gated(*ceilings, "betti1_error.foreground.low=2", expect=1))["gates"]
    assert [gate["metric"] for gate in found] == [
        "mbetti0_error",
        "betti0_error.foreground",
        "mbetti1_error",
        "betti1_error.foreground.low",
    ]
    assert [gate["passed"] for gate in found] == [True, True, False, True]
    assert found[1]["maximum"] == 0.7
    for option, said in {
        "--fail-under": "mbetti0_error is to be low; type --fail-over mbetti0_error=1",
        "--max-drop": "mbetti0_error is to be low, so a drop is no harm",
    }.items():
        words = ("report", run, "--topology", option, "mbetti0_error=1", "--baseline", run)
        assert said in segeval(*words, expect=2).stderr


def test_damaged_bytes_are_refused() -> None:
    with pytest.raises(RunError, match="damaged"):
        read_table([bytes(79)], 1)


def test_without_scikit_image_the_command_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "skimage.morphology", None)
    folders = data_set(tmp_path, {"a": (np.eye(4, dtype=np.uint8),) * 2})
    done = segeval("score", *folders, "--topology", expect=2)
    assert 'pip install "segeval-masks[topology]"' in done.stderr
