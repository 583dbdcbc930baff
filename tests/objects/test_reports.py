"""Scores of objects in every report, in gates, in intervals and in Python."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made.sets import data_set, segeval

from segeval import score_arrays
from segeval.objectdistances.gates import check_all
from segeval.objects.rules import ObjectRules
from segeval.scoring.gates import parse_threshold

EMPTY = np.zeros((8, 8), np.uint16)
TRUTH = np.kron(np.array([[0, 7], [30, 30]], np.uint16), np.ones((4, 4), np.uint16))
PREDICTION = np.kron(np.array([[0, 2], [9, 0]], np.uint16), np.ones((4, 4), np.uint16))
PAIRS: dict[str, tuple[object, object]] = {
    "a": (TRUTH, PREDICTION),
    "b": (TRUTH, TRUTH),
    "c": (EMPTY, PREDICTION),
}
HOW = ("--objects", "ids", "--iou-thresholds", ".5,.75", "--size-bins", "0,5^2,1000")


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return data_set(tmp_path_factory.mktemp("objects"), PAIRS)


def rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text("utf-8").splitlines()))


def test_every_report_has_the_scores_of_objects(folders: Any, tmp_path: Path) -> None:
    names = ("json", "csv", "markdown", "html", "per-image", "per-object")
    files = {name: tmp_path / name for name in names}
    written = [part for name, path in files.items() for part in (f"--{name}", path)]
    table = segeval("score", *folders, *HOW, *written).stdout
    block = json.loads(files["json"].read_text("utf-8"))["objects"]
    assert block["ap"] == [4 / 6, 3 / 7]
    assert block["empty_truth"] == {"images": 1, "false_alarms": 1, "false": 2}
    small, middle, large = block["sizes"]
    assert (small["from"], small["below"], large["below"]) == (0, 25, None)
    assert (small["truth"], small["missed"], small["false"]) == (2, 0, 2)
    assert (middle["truth"], middle["predicted"], middle["recall"]) == (2, 2, [1, 0.5])
    assert (large["truth"], large["pq"]) == (0, None)
    page, markdown = (files[name].read_text("utf-8") for name in ("html", "markdown"))
    for text in (table, markdown, page):
        assert "25 to 999" in text
        assert "1 image without a true object, 1 of them with a false alarm" in text
        assert block["signature"].replace(">=", "&gt;=") in text.replace(">=", "&gt;=")
    background, objects, mean = rows(files["csv"])
    assert background["pq"] == ""
    assert float(objects["ap@0.5:0.75"]) == float(mean["ap@0.5:0.75"]) == sum(block["ap"]) / 2
    images = rows(files["per-image"])
    assert [row["true_objects"] for row in images] == ["2", "2", "0"]
    assert [row["f1@0.75"] for row in images] == ["0.5", "1.0", "0.0"]
    assert images[0]["signature"].endswith(block["signature"])
    found = rows(files["per-object"])
    assert len(found) == 10
    keys = ("image", "side", "id", "matched_id", "iou", "size", "class")
    assert [found[1][key] for key in keys] == ["a", "truth", "30", "9", "0.5", "32", "object"]
    assert [found[8][key] for key in keys[:5]] == ["c", "prediction", "2", "", ""]


def test_gates_and_columns_name_scores_of_objects(folders: Any, tmp_path: Path) -> None:
    gates = ("pq=0.9", "f1@.75=0.6", "ap@.5:.05:.75=0.5", "pq.object.low=0.1", "f1@0.5.*=0.6")
    asked = [part for gate in gates for part in ("--fail-under", gate)]
    document = tmp_path / "scores.json"
    how = (*HOW, "--ci", "20", "--json", document, "--csv-columns", "image=id,f1@0.75=f")
    images = tmp_path / "images.csv"
    failed = segeval("score", *folders, *how, *asked, "--per-image", images, expect=1)
    assert "gate failed: pq = " in failed.stderr
    assert [row["f"] for row in rows(images)] == ["0.5", "1.0", "0.0"]
    found = json.loads(document.read_text("utf-8"))
    names = [gate["metric"] for gate in found["gates"]]
    assert names == ["pq", "f1@0.75", "ap@0.5:0.75", "pq.object.low", "f1@0.5.object"]
    low, high = found["objects"]["intervals"]["pq"]
    assert low < found["objects"]["pq"] < high
    assert np.shape(found["objects"]["intervals"]["f1"]) == (2, 2)
    wrong = segeval("score", *folders, *HOW, "--fail-under", "f1@0.6=0.5", expect=2).stderr
    assert "'f1@0.6'; the scores are f1@0.5, f1@0.75, f1@0.5:0.75; --iou-thresholds" in wrong
    wrong = segeval("score", *folders, *HOW, "--fail-under", "f1=0.5", expect=2).stderr
    assert "no score of objects is called 'f1'; the scores are f1@0.5, f1@0.75, " in wrong
    wrong = segeval("score", *folders, *HOW, "--fail-under", "pq.objekt=0.5", expect=2).stderr
    assert "no score of objects is called 'pq.objekt'" in wrong
    alone = segeval("score", *folders, "--fail-under", "pq=.5", expect=2)
    assert "type --objects ids or components as well" in alone.stderr


def test_python_has_the_same_scores() -> None:
    masks: Any = {"truth": [TRUTH, EMPTY], "prediction": [PREDICTION, PREDICTION]}
    result = score_arrays(**masks, objects=ObjectRules(thresholds=(0.5,), pooling="image"))
    assert (result.objects["pq"], result.objects["pooling"]) == (0.375, "image")
    assert result.document["objects"] == result.objects
    assert result.flat()["pq.object"] == 0.375
    assert result.images["pq"].tolist() == [0.75, 0]
    assert score_arrays(**masks, objects="ids").objects["thresholds"][-1] == 0.95
    assert score_arrays(**masks, classes=31).objects == {}
    gates = [*check_all(result.scores, [parse_threshold("sq=0.375")], objects=result.object_scores)]
    assert [gate.passed for gate in gates] == [True]


def test_options_of_objects_say_what_they_need(folders: Any, tmp_path: Path) -> None:
    fault = segeval("score", *folders, "--per-object", tmp_path / "o.csv", expect=2).stderr
    assert "--per-object needs --objects ids" in fault
    fault = segeval("score", *folders, "--size-bins", "0,9", expect=2).stderr
    assert "--size-bins needs --objects ids or components" in fault
