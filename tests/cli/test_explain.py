"""`segeval explain` and `segeval conformance` as users type them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made.sets import data_set, document, segeval
from PIL import Image
from sklearn.metrics import jaccard_score

TRUTH = np.array([[0, 0, 1, 1], [0, 0, 1, 2]], np.uint8)
PREDICTION = np.array([[0, 1, 1, 1], [0, 0, 2, 1]], np.uint8)


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    small = np.zeros((2, 2), np.uint8)
    return data_set(tmp_path, {"a": (TRUTH, PREDICTION), "b c": (small, small)})


def test_every_tool_is_shown_with_what_moves_it(folders: tuple[Path, Path]) -> None:
    shown = segeval("explain", *folders).stdout
    assert "monai" in shown
    assert "pooling image" in shown
    assert "What matters on these masks:" in shown
    assert "monai:keep-empty" not in shown
    assert "monai:keep-empty" in segeval("explain", *folders, "--all").stdout


def test_a_saved_run_says_the_same(folders: tuple[Path, Path], tmp_path: Path) -> None:
    run = tmp_path / "run.segeval"
    segeval("score", *folders, "-o", run)
    assert segeval("explain", run).stdout == segeval("explain", *folders).stdout


def test_the_document_holds_every_preset(folders: tuple[Path, Path], tmp_path: Path) -> None:
    printed = json.loads(segeval("explain", *folders, "--format", "json").stdout)
    segeval("explain", *folders, "--json", tmp_path / "all.json")
    assert printed == json.loads((tmp_path / "all.json").read_text("utf-8"))
    assert printed["schema"] == "segeval.explain/1"
    rows = {row["preset"]: row for row in printed["rows"]}
    assert {"cityscapes", "monai", "monai:foreground", "kaggle-dice"} <= rows.keys()
    assert rows["monai"].keys() >= {"metric", "value", "per_class", "entered", "differs_by"}
    like = document(*folders, "--like", "monai:foreground")["summary"]["miou"]
    assert rows["monai:foreground"]["value"] == pytest.approx(like, abs=1e-15)


def test_the_way_between_two_presets_adds_up(folders: tuple[Path, Path]) -> None:
    options = ("--between", "cityscapes", "kaggle-dice")
    between = json.loads(segeval("explain", *folders, *options, "--format", "json").stdout)[
        "between"
    ]
    assert sum(step["change"] for step in between["steps"]) == between["difference"]
    assert between["values"][1] - between["values"][0] == between["difference"]
    shown = segeval("explain", *folders, *options).stdout
    assert "mdice" in shown
    assert "difference" in shown


def test_unknown_presets_and_undefined_ones_are_explained(folders: tuple[Path, Path]) -> None:
    failed = segeval("explain", *folders, "--between", "monay", "smp", expect=2)
    assert "did you mean monai" in failed.stderr
    options = ("--classes", "4", "--between", "jdt-class", "monai")
    assert "jdt-class: undefined here" in segeval("explain", *folders, *options).stdout


def test_excluded_classes_are_in_no_mean(folders: tuple[Path, Path]) -> None:
    options = ("--exclude", "0", "--format", "json")
    shown = json.loads(segeval("explain", *folders, *options).stdout)
    value = document(*folders, "--exclude", "0")["summary"]["miou"]
    assert shown["default"] == pytest.approx(value, abs=1e-15)
    assert "exclude:0" in shown["signature"]


def test_classes_that_are_predicted_alone_are_told_from_those_of_the_truth(tmp_path: Path) -> None:
    noisy = [[0, 1, 2, 3]], [[0, 0, 0, 1]]
    names: dict[str, Any] = dict.fromkeys("abc", noisy[::-1])
    names["d"] = [[2, 3, 2, 3]], [[2, 3, 3, 3]]
    said = segeval("explain", *data_set(tmp_path, names)).stdout
    assert "of 4 classes, an image holds 2.0 on average, and 3.5 with those that are" in said


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("conformance") / "new" / "suite"
    segeval("conformance", folder)
    return folder


def expected(suite: Path) -> dict[tuple[str, str], dict[str, Any]]:
    records = json.loads((suite / "expected.json").read_text("utf-8"))["expected"]
    return {(record["set"], record["preset"]): record for record in records}


def test_the_suite_is_not_written_over_other_files(suite: Path) -> None:
    assert "is not empty" in segeval("conformance", suite, expect=3).stderr


def test_the_suite_holds_what_like_reports(suite: Path) -> None:
    options = {"plain": "none", "void": "255", "binary": "none", "regular": "255"}
    classes = {"plain": 6, "void": 6, "binary": 2, "regular": 3}
    for name, void in options.items():
        folders = suite / name / "prediction", suite / name / "truth"
        choice = ("--classes", classes[name], "--ignore", void)
        for preset in ("torchmetrics", "smp:macro-imagewise", "kaggle-dice"):
            record = expected(suite)[name, preset]
            summary = document(*folders, *choice, "--like", preset)["summary"]
            assert summary[record["metric"]] == pytest.approx(record["value"], abs=1e-12)


@pytest.mark.parametrize("name", ["plain", "void", "binary", "regular"])
def test_scikit_learn_conforms(suite: Path, name: str) -> None:
    truth, prediction = (
        np.concatenate(
            [
                np.asarray(Image.open(file)).ravel()
                for file in sorted((suite / name / side).iterdir())
            ]
        )
        for side in ("truth", "prediction")
    )
    judged = truth != 255
    arrays = truth[judged], prediction[judged]
    for preset, average in (
        ("sklearn", "macro"),
        ("sklearn:micro", "micro"),
        ("sklearn:weighted", "weighted"),
    ):
        value = jaccard_score(*arrays, average=average)
        assert value == pytest.approx(expected(suite)[name, preset]["value"], abs=1e-12)
