"""Objects of classes: segments, annotations and polygons keep their ids in a run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made.sets import segeval
from PIL import Image

from segeval.counting.dataset import count_dataset
from segeval.counting.runfile import read_run
from segeval.settings import Source
from segeval.values import (
    COLOR,
    FLOAT,
    NO_PREDICTION,
    OUTSIDE,
    are_values,
    class_values,
    is_object,
    object_ids,
    object_values,
)

SHORT = st.integers(0, (1 << 24) - 1)
CLASSES = st.one_of(SHORT, SHORT.map(lambda v: v + COLOR), SHORT.map(lambda v: v + FLOAT))


@given(CLASSES, st.integers(1, (1 << 32) - 1), st.integers(0, 1))
def test_a_value_of_an_object_holds_its_class_and_its_id(
    value: int, number: int, crowd: int
) -> None:
    held = object_values(np.array([value]), np.array([number]), np.array([crowd], np.bool_))
    assert bool(are_values(held)[0])
    assert bool(is_object(held)[0])
    assert object_ids(held).tolist() == [number]
    assert class_values(held, crowds=True).tolist() == [value]
    assert class_values(held).tolist() == [OUTSIDE if crowd else value]


def test_what_is_no_class_of_objects_stays() -> None:
    values = np.array([-1, 1 << 24, 1 << 61, NO_PREDICTION])
    assert object_values(values, np.ones(4, np.int64)).tolist() == values.tolist()
    assert class_values(values).tolist() == object_ids(values).tolist() == values.tolist()


def panoptic(folder: Path, side: str, ids: Any, kinds: dict[int, int], crowd: int = 0) -> Path:
    """Write one image of segments, of 8×12 pixels, by the ids of its 2×3 parts."""
    mask = np.kron(np.array(ids), np.ones((4, 4), int))
    (folder / side).mkdir()
    pixels = np.stack([mask % 256, mask // 256 % 256, mask // 65536], axis=-1)
    Image.fromarray(pixels.astype(np.uint8)).save(folder / side / "a.png")
    segments = [
        {"id": number, "category_id": kind, "iscrowd": int(number == crowd)}
        for number, kind in kinds.items()
    ]
    document = {
        "images": [{"id": 1, "width": 12, "height": 8, "file_name": "a.jpg"}],
        "annotations": [{"image_id": 1, "file_name": "a.png", "segments_info": segments}],
        "categories": [{"id": 5, "name": "cat"}, {"id": 9, "name": "sky"}],
    }
    path = folder / f"{side}.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


@pytest.fixture
def sides(tmp_path: Path) -> tuple[Path, Path]:
    """Two cats of which one is missed, sky, and a crowd of cats that hides a predicted one."""
    truth = [[70_000, 2, 3], [70_000, 0, 9]], {70_000: 5, 2: 5, 3: 9, 9: 5}, 9
    predicted = [[1, 2, 3], [1, 3, 4]], {1: 5, 2: 9, 3: 9, 4: 5}
    return panoptic(tmp_path, "predicted", *predicted), panoptic(tmp_path, "truth", *truth)


def test_segments_are_objects_of_their_category(sides: tuple[Path, Path], tmp_path: Path) -> None:
    how = ("--objects", "ids", "--format", "json")
    run, objects = tmp_path / "run.segeval", tmp_path / "objects.csv"
    scored = segeval("score", *sides, *how, "--per-object", objects, "-o", run).stdout
    document = json.loads(scored)
    cat, sky = (row["objects"] for row in document["classes"])
    assert (cat["truth"], cat["predicted"], cat["missed"], cat["false"]) == (2, 1, 1, 0)
    assert (cat["pq"], sky["pq"], sky["recall"][0]) == (1 / 1.5, 1 / 1.5, 1)
    assert document["objects"]["pq"] == pytest.approx(1 / 1.5)
    assert ",70000,1,1.0,32,cat" in objects.read_text("utf-8").replace("truth", "")
    assert json.loads(segeval("report", run, *how).stdout)["objects"] == document["objects"]
    again = json.loads(segeval("score", *sides, *how, "-o", run, "--resume").stdout)
    assert again["objects"] == document["objects"]
    merged = tmp_path / "merged.segeval"
    segeval("merge", run, run, "-o", merged)
    assert json.loads(segeval("report", merged, *how).stdout)["objects"] == document["objects"]


def test_classes_are_scored_as_if_there_were_no_objects(
    sides: tuple[Path, Path], tmp_path: Path
) -> None:
    segeval("score", *sides, "-o", tmp_path / "run.segeval")
    counted = count_dataset(Source(prediction=sides[0], truth=sides[1]))
    for run in (counted, read_run(tmp_path / "run.segeval")):
        (image,) = run
        assert set(image.table.truth.tolist()) == {5, 9, OUTSIDE}
        assert run.counts.values("prediction").tolist() == [5, 9]
        assert image.table.total == 96
        assert run.objects is not None
        assert run.select([0]).objects is not None


def test_polygons_of_coco_and_yolo_are_objects(tmp_path: Path) -> None:
    pytest.importorskip("pycocotools")
    boxes = [(0, 0, 4, 4), (6, 0, 10, 4)]
    corners = [[x0, y0, x1, y0, x1, y1, x0, y1] for x0, y0, x1, y1 in boxes]
    document = {
        "images": [{"id": 1, "width": 12, "height": 8, "file_name": "a.jpg"}],
        "categories": [{"id": 0, "name": "cat"}],
        "annotations": [
            {"id": n, "image_id": 1, "category_id": 0, "iscrowd": 0, "segmentation": [part]}
            for n, part in enumerate(corners)
        ],
    }
    coco, yolo = tmp_path / "coco.json", tmp_path / "labels"
    coco.write_text(json.dumps(document), encoding="utf-8")
    yolo.mkdir()
    shares = [[c / (12, 8)[n % 2] for n, c in enumerate(part)] for part in corners[:1]]
    lines = [" ".join(map(str, (0, *part))) for part in shares]
    (yolo / "a.txt").write_text("\n".join(lines), encoding="utf-8")
    how = ("--objects", "ids", "--format", "json")
    block = json.loads(segeval("score", yolo, coco, *how).stdout)["objects"]
    assert (block["truth"], block["predicted"], block["pq"]) == (2, 1, 1 / 1.5)
