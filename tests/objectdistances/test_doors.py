"""Distances of objects through every door: compared, gated, in tables, and under every preset."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made.sets import data_set, segeval

import segeval as library
from segeval.errors import SettingError
from segeval.testing import assert_segmentation

pytest.importorskip("scipy")
ASKED = ("--objects", "ids", "--distances")
DIAGONAL = 50.0  # of 30 x 40 pixels


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Write a shifted object; one that is missed as well; and one that is too many, alone."""
    truth, prediction = np.zeros((2, 30, 40), np.uint8)
    truth[2:10, 2:10], prediction[2:10, 4:12] = 30, 7
    missed, lone = truth.copy(), np.zeros((30, 40), np.uint8)
    missed[20:25, 20:25] = 9
    pairs = {"a": (truth, prediction), "b": (missed, prediction), "c": (lone, prediction)}
    return data_set(tmp_path_factory.mktemp("doors"), pairs)


def test_gates_bound_all_objects_and_matches(folders: tuple[Path, Path], tmp_path: Path) -> None:
    held, junit = ("score", *folders, *ASKED, "--nsd", "1,2", "-q"), tmp_path / "junit.xml"
    floors = ("--fail-under", "matched_nsd@2.*=1", "--fail-under", "object_nsd@1.low=0.1")
    passed = segeval(*held, "--fail-over", "matched_hd=2", *floors[:2], "--junit", junit)
    assert "passed  matched_nsd@2.object" in passed.stdout
    xml = junit.read_text("utf-8")
    assert 'name="matched_hd" value="2.0"' in xml
    assert 'name="object_hd" value="26.0"' in xml
    assert 'name="hd.object"' in xml
    failed = segeval(*held, "--fail-over", "object_hd95.object=3", expect=1).stderr
    assert "gate failed: object_hd95.object = 26.0, at most 3" in failed
    for wrong, said in {
        floors[2:]: "is called 'object_nsd@1.low' without --ci",
        ("--fail-under", "object_hd=3"): "to be low; type --fail-over object_hd=3",
        ("--fail-under", "object_nsd@3=1"): "object_nsd@1, object_nsd@2; type --nsd 1,2,3 to ask",
        ("--fail-over", "matched_hd99=1"): "type --hd-percentile 95,99 to ask for it",
    }.items():
        assert said in segeval(*held, *wrong, expect=2).stderr
    run = ("-o", tmp_path / "run", "--baseline", folders[0] / "a.png", "--max-drop", "hd95=2")
    said = segeval(*held, *run, expect=2).stderr
    assert "hd95 is a distance, which is not held against a baseline; type --fail-over hd95" in said
    lone = segeval("score", *folders, "--distances", "--fail-over", "object_hd=1", expect=2)
    assert "type --objects ids or components as well" in lone.stderr


def test_tables_have_columns_of_objects(folders: tuple[Path, Path], tmp_path: Path) -> None:
    files = {name: tmp_path / f"{name}.csv" for name in ("csv", "per-image", "tidy")}
    written = [word for name, path in files.items() for word in (f"--{name}", path)]
    printed = segeval("score", *folders, *ASKED, "--ci", "20", *written, "--no-config").stdout
    tables = {n: list(csv.DictReader(p.read_text("utf-8").splitlines())) for n, p in files.items()}
    assert [row["object_hd95"] for row in tables["csv"]] == ["", "26.0", "26.0"]
    assert [row["object_hd"] for row in tables["per-image"]] == ["2.0", "26.0", "50.0"]
    assert [row["matched_nsd@2"] for row in tables["per-image"]] == ["1.0", "1.0", ""]
    tidy = {(row["image"], row["class"], row["metric"]): row["value"] for row in tables["tidy"]}
    assert tidy["b", "", "object_hd95"] == "26.0"
    assert tidy["c", "object", "hd95"] == str(DIAGONAL)
    assert re.search(r"object_hd \d+\.\d\d … \d+\.\d\d, object_hd95 ", printed)
    picked = ("--per-image", files["csv"], "--csv-columns", "image,matched_hd95")
    segeval("score", *folders, *ASKED, *picked, "-q")
    assert files["csv"].read_text("utf-8").splitlines()[0] == "image,matched_hd95"


def test_compared_runs_tell_what_changed(folders: tuple[Path, Path], tmp_path: Path) -> None:
    prediction, truth = folders
    names = ("json", "csv", "html", "markdown")
    files = {name: tmp_path / f"{name}.out" for name in names}
    written = [word for name, path in files.items() for word in (f"--{name}", path)]
    how = ("--truth", truth, *ASKED, "--ci", "20", "-q")
    printed = segeval("compare", prediction, truth, *how, *written).stdout
    found = json.loads(files["json"].read_text("utf-8"))["objects"]["distances"]
    change = found["summary"]["object_hd"]
    assert (change["baseline"], change["value"], change["delta"]) == (26, 0, -26)
    assert found["classes"][0]["matched_hd95"]["baseline"] == 2
    rows = list(csv.DictReader(files["csv"].read_text("utf-8").splitlines()))
    assert {"object_assd", "matched_nsd@1"} <= {row["score"] for row in rows}
    assert "one-sided:diagonal" in rows[0]["signature"]
    for text in (printed, *(files[name].read_text("utf-8") for name in ("html", "markdown"))):
        assert "object_hd95" in text
    for name, spacing in {"px": (), "mm": ("--spacing", "0.5,2")}.items():
        segeval("score", *folders, *ASKED, *spacing, "-o", tmp_path / name, "-q")
    runs = [tmp_path / name for name in ("px", "mm")]
    assert "a: a pixel is 1,1 large" in segeval("compare", *runs, *ASKED, "-q", expect=2).stderr


def test_the_library_compares_and_holds_them(folders: tuple[Path, Path]) -> None:
    cells, moved = np.zeros((2, 9, 9), np.uint8)
    cells[2:6, 2:6], moved[2:6, 3:7] = 1, 1
    asked: Any = {"objects": "ids", "distances": True}
    result = library.score_arrays(truth=[cells, cells], prediction=[moved, cells], **asked)
    assert result.flat()["object_hd95"] == result.flat()["matched_hd95.object"] == 0.5
    assert result.images["object_hd95"].tolist() == [1, 0]
    assert result.classes["hd95"].tolist() == [0.5, 0.5]
    with pytest.raises(SettingError, match=r"in Python: run\.measure, with the same keywords"):
        library.count_arrays(truth=cells, prediction=moved).score(**asked)
    prediction, truth = folders
    run = library.count(prediction=prediction, truth=truth).measure(**asked)
    compared = library.compare(run, run, **asked, ci=20)
    assert compared.objects["distances"]["summary"]["matched_hd"]["value"] == 2
    assert_segmentation(moved, cells, **asked, hd95=1, fail_over=["object_hd95=1"])
    with pytest.raises(AssertionError, match=r"hd95 = 1.0, at most 0.5 is asked for; 0.5 too high"):
        assert_segmentation(moved, cells, **asked, hd95=0.5)
    with pytest.raises(SettingError, match="to be low; type --fail-over hd95=1"):
        assert_segmentation(moved, cells, **asked, fail_under=["hd95=1"])


def test_presets_of_objects_stand_side_by_side(folders: tuple[Path, Path]) -> None:
    asked = ("explain", *folders, *ASKED, "--spacing", "0.5,0.5", "--format", "json", "-q")
    rows = {row["preset"]: row for row in json.loads(segeval(*asked).stdout)["object_distances"]}
    assert rows["panoptica"]["value"] == 1
    assert rows["panoptica"]["entered"] == 2
    assert rows["panoptica"]["differs_by"] == "one_sided"
    assert rows["brats-2026"]["value"] == pytest.approx((1 + 1 + 2 * 373) / 4)
    assert rows["torchmetrics"]["infinite"]
    assert "object_hd95" in segeval(*asked[:-3], "-q").stdout


def test_means_over_images_weigh_each_image_alike(folders: tuple[Path, Path]) -> None:
    asked = ("score", *folders, *ASKED, "--ci", "20", "--format", "json", "-q")
    means = [
        json.loads(segeval(*asked, "--objects-pooling", pooling).stdout)["objects"]["distances"]
        for pooling in ("dataset", "image")
    ]
    apart = [each["means"]["nsd"]["2"] for each in means]
    assert apart == [pytest.approx(2 / 4), pytest.approx((1 + 1 / 2 + 0) / 3)]
    infinite = segeval(*asked[:-3], "--like", "torchmetrics", "--no-config", "-q").stdout
    assert re.search(r"object_hd [\d.∞]+ … ∞", infinite)


def test_infinite_differences_are_shown(folders: tuple[Path, Path], tmp_path: Path) -> None:
    prediction, truth = folders
    table, asked = tmp_path / "a.csv", (*ASKED, "--like", "torchmetrics", "--ci", "20", "-q")
    printed = segeval("compare", prediction, truth, "--truth", truth, *asked, "--csv", table).stdout
    line = next(line for line in printed.splitlines() if line.startswith("object_hd "))
    assert line.split()[1:4] == ["∞", "0.00", "-∞"]
    rows = csv.DictReader(table.read_text("utf-8").splitlines())
    (row,) = (r for r in rows if r["score"] == "object_hd" and not r["class"])
    assert (row["baseline"], row["delta"]) == ("inf", "-inf")
    gate = ("--fail-over", "object_hd.object=5", "--junit", tmp_path / "a.xml")
    failed = segeval("score", *folders, *asked, *gate, expect=1)
    assert "gate failed: object_hd.object is infinite, at most 5" in failed.stderr
    assert "failed  object_hd.object" in failed.stdout
    assert 'type="gate"' in table.with_suffix(".xml").read_text("utf-8")
