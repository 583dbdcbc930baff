"""Distances of data sets: their means, their doors, and what one empty side is worth."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made.sets import data_set, segeval
from made.volumes import save_volume

from segeval.errors import SettingError

pytest.importorskip("scipy")


def square(top: int, left: int, size: int = 4, value: int = 1) -> Any:
    mask = np.zeros((20, 30), int)
    mask[top : top + size, left : left + size] = value
    return mask


PAIRS = {
    "near": (square(3, 3), square(3, 5)),
    "far": (square(3, 3), square(3, 13)),
    "missed": (square(3, 3), square(0, 0, 0)),
    "alarm": (square(0, 0, 0), square(3, 3)),
}
DIAGONAL = float(np.hypot(20, 30))


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    return data_set(tmp_path, PAIRS)


def scored(*arguments: object) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(segeval(*arguments, "-q", "--format", "json").stdout)
    return found


def test_means_run_over_images_then_classes(folders: tuple[Path, Path]) -> None:
    how = (*folders, "--labels", "binary", "--distances")
    found = scored("score", *how)["distances"]
    row = found["classes"][1]
    assert row["hd"] == pytest.approx((2 + 10 + 2 * DIAGONAL) / 4)
    assert (row["images"], row["one_sided"], row["undefined"]) == (4, 2, 0)
    assert (row["miss_rate"], row["false_alarm_rate"]) == (1 / 3, 1)
    assert found["unit"] == "px"
    assert found["means"]["hd"] == pytest.approx(np.mean([r["hd"] for r in found["classes"]]))
    by_image = scored("score", *how, "--pooling", "image", "--exclude", "background")
    assert by_image["distances"]["means"]["hd"] == pytest.approx(row["hd"])
    worst = scored("score", *how, "--pooling", "image", "--worst", "25")["summary"]
    assert worst["mhd_worst25"] > worst["mhd"]


def test_runs_hold_distances_for_any_percentile(folders: tuple[Path, Path], tmp_path: Path) -> None:
    run = tmp_path / "run.segeval"
    how = ("--labels", "binary", "--distances", "--boundary")
    first = scored("score", *folders, *how, "-o", run)
    for folder in folders:
        shutil.rmtree(folder)
    assert scored("report", run, *how) == first
    other = scored(
        "report", run, *how, "--hd-percentile", "50,100", "--nsd", "0,0.5,2", "--ci", "20"
    )
    row = other["classes"][1]
    assert row["hd50"] <= first["classes"][1]["hd95"] <= row["hd"]
    assert {*other["distances"]["classes"][1]["nsd"]} == {"0", "0.5", "2"}
    low, high = other["intervals"]["mhd50"]
    assert low <= other["summary"]["mhd50"] <= high
    table = segeval("report", run, *how, "--percent").stdout
    assert "distances in pixels" in table
    assert f"{first['distances']['means']['hd95']:.2f}" in table
    for option in ("--markdown", "--html", "--junit", "--csv", "--per-image"):
        path = tmp_path / option[2:]
        segeval("report", run, *how, option, path)
        text = path.read_text("utf-8")
        assert ("hd95" if option in {"--junit", "--per-image"} else "boundary") in text.lower()
    compared = scored("compare", run, run, "--labels", "binary", "--distances", "--ci", "20")
    assert compared["summary"]["mhd95"]["delta"] == 0
    assert compared["classes"][1]["assd"]["p"] == 1
    asked = ("report", run, "--labels", "binary", "--distances")
    for given, words in {
        ("--spacing", "0.5,0.5"): "type the same score command with --distances --spacing 0.5,0.5",
        ("--fail-under", "hd95.foreground=1"): "type --fail-over hd95.foreground=VALUE",
        ("--fail-over", "miou=1"): "type --fail-under miou=VALUE",
        ("--fail-over", "mhd95"): "is not METRIC=VALUE",
        ("--hd-percentile", "0"): "percentiles are above 0",
        ("--nsd", "x"): "expected numbers",
        ("--spacing", "1"): "height and width",
    }.items():
        assert words in segeval(*asked, *given, expect=2).stderr
    held = ("--fail-over", "hd95.foreground=1", "--fail-under", "nsd@1.foreground=0.01")
    failed = segeval(*asked, *held, expect=1).stderr
    assert "hd95.foreground" in failed
    assert "nsd@1" not in failed
    assert "--nsd needs --distances" in segeval("report", run, "--nsd", "1", expect=2).stderr
    assert (
        "--distances asks for it" in segeval("report", run, "--fail-over", "mhd=1", expect=2).stderr
    )


def test_volumes_have_the_spacing_of_their_header(tmp_path: Path) -> None:
    pytest.importorskip("nibabel")
    truth, prediction = np.zeros((2, 6, 8, 10), np.uint8)
    truth[1:4, 2:5, 2:5], prediction[1:4, 2:5, 3:6] = 1, 1
    for side, voxels in (("truth", truth), ("pred", prediction)):
        save_volume(tmp_path / side / "a.nii.gz", voxels)
    how = ("score", tmp_path / "pred", tmp_path / "truth", "--distances")
    found = scored(*how)["distances"]
    assert found["unit"] == "mm"
    assert found["classes"][1]["hd"] == 2.5
    spaced = scored(*how, "--spacing", "3,3,3")
    assert spaced["distances"]["classes"][1]["hd"] == 3
    assert "spacing:3,3,3" in spaced["signature"].split("|")


def test_a_preset_is_a_word_behind_the_option(folders: tuple[Path, Path]) -> None:
    found = scored("score", "--distances", "medpy", *folders, "--labels", "binary")
    assert "distances:medpy" in found["signature"].split("|")
    assert scored("score", "--distances", *folders)["distances"]["definition"]["void"] == "apart"


def test_the_library_measures_distances_of_arrays() -> None:
    import segeval as library

    sides: Any = [[pair[side] for pair in PAIRS.values()] for side in (0, 1)]
    how: Any = {"truth": sides[0], "prediction": sides[1], "classes": 2}
    found = library.score_arrays(**how, distances=True, nsd=[0, 3], spacing=[2, 2])
    block = found.document["distances"]
    assert block["unit"] == "mm"
    assert block["classes"][1]["hd"] == pytest.approx((4 + 20 + 4 * DIAGONAL) / 4)
    with pytest.raises(SettingError, match="no preset of distances is called"):
        library.score_arrays(**how, distances="nobody")
    with pytest.raises(SettingError, match="--nsd needs --distances"):
        library.score_arrays(**how, nsd=[1])
