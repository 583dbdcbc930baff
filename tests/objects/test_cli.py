"""`--objects ids` from the command line, on masks and on run files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from made.sets import data_set, segeval

TRUTH = np.kron(np.array([[0, 7], [300, 300]], np.uint16), np.ones((4, 4), np.uint16))
PREDICTION = np.kron(np.array([[0, 2], [9, 0]], np.uint16), np.ones((4, 4), np.uint16))


def test_label_images_are_scored_as_objects_from_masks_and_from_run_files(tmp_path: Path) -> None:
    folders = data_set(tmp_path, {"a": (TRUTH, PREDICTION)})
    run, how = tmp_path / "run.segeval", ("--objects", "ids", "--format", "json")
    block = json.loads(segeval("score", *folders, *how, "-o", run).stdout)["objects"]
    assert json.loads(segeval("report", run, *how).stdout)["objects"] == block
    assert (block["source"], block["pooling"], block["aji"]) == ("ids", "dataset", 2 / 3)
    assert block["thresholds"][::9] == [0.5, 0.95]
    assert block["ap"] == [1.0] + [1 / 3] * 9
    assert (block["pq"], block["sq"], block["rq"]) == (0.75, 0.75, 1)
    assert (block["truth"], block["predicted"]) == (2, 2)
    table = segeval("report", run, "--objects", "ids", "--iou-thresholds", ".75").stdout
    assert "objects at IoU" in table
    assert "objects:ids;dataset;iou>=0.75" in table


def test_options_of_objects_need_objects(tmp_path: Path) -> None:
    folders = data_set(tmp_path, {"a": (TRUTH, PREDICTION)})
    fault = segeval("score", *folders, "--objects-pooling", "image", expect=2).stderr
    assert "need --objects ids" in fault
