"""Distances through every door: scored, kept, asked again without masks, gated, compared."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made.sets import data_set, segeval

import segeval as segeval_library
from segeval.distances.rules import DistanceRules
from segeval.errors import SettingError

pytest.importorskip("scipy")


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Write four pairs of squares; in the last the prediction has none of class 2."""
    folder, pairs = tmp_path_factory.mktemp("distances"), {}
    for n in range(4):
        truth = np.zeros((20, 30), np.uint8)
        truth[3:9, 4:12], truth[10:17, 15:25] = 1, 2
        prediction = np.roll(truth, n % 3, axis=1)
        prediction[prediction == 2 * (n == 3)] = 0
        pairs[f"image_{n}"] = (truth, prediction)
    return data_set(folder, pairs)


def document(*words: Any) -> Any:
    return json.loads(segeval(*words, "--format", "json", "-q").stdout)


def test_a_run_answers_for_other_percentiles_and_tolerances_without_masks(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    masks = [shutil.copytree(each, tmp_path / each.name) for each in folders]
    run, asked = (
        tmp_path / "run.segeval",
        ("--distances", "--hd-percentile", "50,99", "--nsd", "0,3"),
    )
    scored = document("score", *masks, *asked)
    segeval("score", *masks, "--distances", "-o", run, "-q")
    for each in masks:
        shutil.rmtree(each)
    reported = document("report", run, *asked)
    assert reported["distances"] == scored["distances"]
    assert {"hd", "hd50", "hd99", "assd", "masd", "nsd"} <= scored["distances"]["means"].keys()
    class_two = scored["distances"]["classes"][2]
    assert class_two["missed"] == 1
    assert class_two["one_sided"] == 1
    assert class_two["miss_rate"] == 0.25
    assert class_two["hd"] == pytest.approx((0 + 1 + 2 + np.hypot(20, 30)) / 4)
    plain = segeval("score", *folders, "-o", tmp_path / "plain.segeval", "-q")
    assert "HD" not in plain.stdout
    assert (
        "--distances"
        in segeval("report", tmp_path / "plain.segeval", "--distances", expect=2).stderr
    )


def test_presets_of_distances_are_named_by_like(folders: tuple[Path, Path]) -> None:
    medpy = document("score", *folders, "--distances", "--like", "medpy")["distances"]
    assert medpy["classes"][2]["hd"] == pytest.approx(1)
    assert "distances:medpy" in medpy["signature"]
    monai = document("score", *folders, "--distances", "--like", "monai")["distances"]
    assert monai["classes"][2]["hd"] is None
    assert monai["classes"][2]["infinite"] == ["hd", "assd", "masd"]
    assert (
        "medpy scores distances; type --distances"
        in segeval("score", *folders, "--like", "medpy", expect=2).stderr
    )


def test_distances_have_ceilings_and_shares_have_floors(folders: tuple[Path, Path]) -> None:
    held = ("score", *folders, "--distances", "-q")
    passed = segeval(*held, "--fail-over", "hd95.1=1", "--fail-under", "nsd@1.*=0.5")
    assert "passed  hd95.1" in passed.stdout
    failed = segeval(*held, "--fail-over", "hd.*=3", expect=1)
    assert "gate failed: hd.2" in failed.stderr
    for wrong, said in {
        ("--fail-under", "hd95=5"): "type --fail-over hd95=5",
        ("--fail-over", "nsd@1=0.5"): "type --fail-under nsd@1=0.5",
        ("--fail-over", "miou=0.5"): "--fail-under miou=0.5",
        ("--fail-over", "hd90=5"): "the scores are hd, hd95, assd",
    }.items():
        assert said in segeval(*held, *wrong, expect=2).stderr
    lone = segeval("score", *folders, "--fail-over", "hd95=5", expect=2)
    assert "type --distances as well" in lone.stderr


def test_files_hold_distances(folders: tuple[Path, Path], tmp_path: Path) -> None:
    names = {name: tmp_path / name for name in ("images.csv", "classes.csv", "page.html", "a.md")}
    segeval(
        *("score", *folders, "--distances", "--spacing", "0.5,2", "--ci", 50, "-q"),
        *("--per-image", names["images.csv"], "--csv", names["classes.csv"]),
        *("--html", names["page.html"], "--markdown", names["a.md"], "--fail-over", "hd=99"),
        *("--junit", tmp_path / "junit.xml"),
    )
    rows = list(csv.DictReader(io.StringIO(names["images.csv"].read_text("utf-8"))))
    assert [float(row["hd95_1"]) for row in rows] == [0.0, 0.5, 1.0, 0.0]
    assert float(rows[3]["hd95_2"]) == pytest.approx(np.hypot(0.5 * 30, 2 * 20))
    classes = list(csv.DictReader(io.StringIO(names["classes.csv"].read_text("utf-8"))))
    assert classes[-1]["name"] == "mean"
    assert float(classes[1]["hd95"]) == pytest.approx(0.375)
    assert "distances (mm)" in names["page.html"].read_text("utf-8")
    assert "| distances (mm) |" in names["a.md"].read_text("utf-8")
    assert "hd" in (tmp_path / "junit.xml").read_text("utf-8")


def test_two_runs_are_compared_by_distances(folders: tuple[Path, Path], tmp_path: Path) -> None:
    _, truth = folders
    page = tmp_path / "page.html"
    done = segeval(
        *("compare", folders[0], truth, "--truth", truth, "--distances", "--ci", 50, "-q"),
        *("--html", page, "--format", "json"),
    )
    change = json.loads(done.stdout)["distances"]["summary"]["hd95"]
    assert change["value"] == 0
    assert change["delta"] == -change["baseline"] < 0
    assert "distances" in page.read_text("utf-8")


def test_runs_of_other_spacing_are_not_compared(folders: tuple[Path, Path], tmp_path: Path) -> None:
    for name, words in {"px": (), "mm": ("--spacing", "0.5,2")}.items():
        run = tmp_path / f"{name}.segeval"
        segeval("score", *folders, "--distances", *words, "-o", run, "-q")
    runs = [tmp_path / f"{name}.segeval" for name in ("px", "mm")]
    refused = segeval("compare", *runs, "--distances", "-q", expect=2).stderr
    assert "image_0: a pixel is 1,1 large in the distances of the baseline, and 0.5,2" in refused
    refused = segeval("report", runs[1], "--distances", "--spacing", "3,1", expect=2).stderr
    assert "were measured with --spacing 0.5,2; type the same score command with" in refused
    assert "--distances --spacing 3,1, -o RUN and --resume" in refused


def test_all_presets_of_distances_stand_side_by_side(folders: tuple[Path, Path]) -> None:
    found = json.loads(segeval("explain", *folders, "--distances", "--format", "json", "-q").stdout)
    rows = {row["preset"]: row for row in found["distances"]}
    assert len(rows) >= 12
    assert rows["monai"]["value"] == pytest.approx(rows["metricsreloaded"]["value"])
    assert rows["medpy"]["differs_by"] == "one_sided"
    assert rows["panoptica"]["infinite"]
    assert "brats-2026" in segeval("explain", *folders, "--distances", "-q").stdout
    half = ("explain", *folders, "--distances", "--spacing", "0.5,0.5", "--format", "json", "-q")
    spaced = {row["preset"]: row for row in json.loads(segeval(*half).stdout)["distances"]}
    assert spaced["metricsreloaded"]["value"] == pytest.approx(rows["metricsreloaded"]["value"] / 2)
    assert spaced["transunet"]["value"] == rows["transunet"]["value"]  # ignores spacing
    refused = segeval("explain", *folders, "--spacing", "1,1", expect=2).stderr
    assert "--spacing needs --distances" in refused
    assert "hausdorff_distance.py" in segeval("presets", "monai").stdout
    between = segeval("explain", *folders, "--between", "torchmetrics", "medpy", expect=2).stderr
    assert "medpy has rules for distances or objects, and none for pixels" in between


def test_presets_whose_distances_a_run_does_not_hold_say_so(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    run = tmp_path / "run.segeval"
    segeval("score", *folders, "--distances", "-o", run, "-q")
    rows = {row["preset"]: row for row in document("explain", run, "--distances")["distances"]}
    assert rows["surface-distance"]["measured"] is False
    assert rows["surface-distance"]["rules"] == []
    assert "measured" not in rows["monai"]
    said = segeval("explain", run, "--distances", "-q").stdout
    assert "not in this run" in said
    assert "`segeval explain PRED TRUTH`" in said
    whole = segeval("explain", *folders, "--distances", "-q").stdout
    assert "in this run" not in whole


def test_the_document_of_a_run_is_that_of_its_masks(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    asked = "--distances", "--boundary", "2%", "--boundary-f", "--trimap", "2px"
    segeval("score", *folders, *asked, "-o", tmp_path / "run.segeval", "-q")
    printed = [
        segeval(*words, *asked, "--format", "json", "-q").stdout
        for words in (("score", *folders), ("report", tmp_path / "run.segeval"))
    ]
    assert printed[0] == printed[1]


def test_options_of_distances_need_distances(folders: tuple[Path, Path]) -> None:
    for words, said in {
        ("--nsd", "1"): "--nsd needs --distances",
        ("--distances", "--nsd", "x"): "--nsd x: expected numbers with commas",
        ("--distances", "--hd-percentile", "0"): "percentiles are above 0 and at most 100",
        ("--distances", "--spacing", "1"): "the size of a pixel along x, y (and z)",
        ("--distances", "--spacing", "1,1,1"): "is of 3 axes, and the masks have 2",
        ("--distances", "--spacing", "1,2,3"): "--spacing 1,2,3 is of 3 axes",
    }.items():
        assert said in segeval("score", *folders, *words, expect=2).stderr


def test_the_library_scores_distances_of_arrays_and_runs(folders: tuple[Path, Path]) -> None:
    truth, prediction = np.zeros((2, 9, 9), np.uint8)
    truth[2:6, 2:6], prediction[2:6, 3:7] = 1, 1
    result = segeval_library.score_arrays(
        truth=truth, prediction=prediction, classes=2, distances=True
    )
    assert result.distances["classes"][1]["hd"] == 1
    assert result.flat()["hd95.1"] == 1
    assert result.images["hd_1"].tolist() == [1]
    run = segeval_library.count(prediction=folders[0], truth=folders[1])
    with pytest.raises(SettingError, match="--distances"):
        run.score(distances=True)
    measured = run.measure(distances=True)
    assert measured.score(distances="medpy").distances["means"]["hd"] < 2
    rules = DistanceRules(percentiles=(50,))
    assert "hd50" in measured.score(distances=rules).distances["means"]
    compared = segeval_library.compare(measured, measured, distances=True, ci=20)
    assert compared.distances["summary"]["hd"]["delta"] == 0
    with pytest.raises(SettingError, match="did you mean 'medpy'"):
        run.score(distances="medpi")


def test_intervals_of_infinite_distances(folders: tuple[Path, Path]) -> None:
    asked = ("--distances", "--like", "monai", "--ci", "50", "--no-config")
    assert "hd 0.50 … ∞" in segeval("score", *folders, *asked).stdout
    pred, truth = folders
    compared = json.loads(
        segeval("compare", pred, pred, "--truth", truth, *asked, "--format", "json", "-q").stdout
    )
    assert compared["distances"]["summary"]["hd"]["delta"] is None
    assert compared["distances"]["summary"]["nsd@1"]["delta"] == 0
