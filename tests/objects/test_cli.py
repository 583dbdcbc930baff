"""`--objects ids` from the command line, on masks and on run files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from made.sets import data_set, segeval
from PIL import Image

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
    assert "--objects-pooling needs --objects ids or components" in fault


@pytest.mark.parametrize("form", ["tif", "npy", "png"])
def test_ids_of_32_bits_are_objects_in_every_form(tmp_path: Path, form: str) -> None:
    for side, mask in (("truth", TRUTH), ("pred", PREDICTION)):
        (tmp_path / side).mkdir()
        ids = mask.astype(np.int32) * 1000  # up to 300 000
        path = tmp_path / side / f"a.{form}"
        if form == "npy":
            np.save(path, ids)
        elif form == "tif":
            Image.fromarray(ids).save(path)
        else:  # as panoptic PNGs have them: red is the lowest byte
            bytes_ = np.stack([ids & 255, ids >> 8 & 255, ids >> 16 & 255], axis=-1)
            Image.fromarray(bytes_.astype(np.uint8)).save(path)
    how = ("--objects", "ids", "--per-object", tmp_path / "o.csv", "--format", "json")
    block = json.loads(segeval("score", tmp_path / "pred", tmp_path / "truth", *how).stdout)
    assert (block["objects"]["pq"], block["objects"]["truth"]) == (0.75, 2)
    assert ",300000," in (tmp_path / "o.csv").read_text("utf-8")
