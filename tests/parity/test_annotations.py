"""Annotations of COCO and YOLO against the masks and numbers that pycocotools recorded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made.coco import side_of
from made.sets import document, save
from numpy.typing import NDArray

from segeval.inputs.annotations import Annotation
from segeval.inputs.cocofile import CocoFile, read_coco
from segeval.inputs.cocorle import lay, parse_counts
from segeval.inputs.files import stamp_of
from segeval.inputs.masks import read_mask
from segeval.inputs.polygons import check_polygon, fill
from segeval.inputs.rle import Runs, text_of_counts
from segeval.values import OUTSIDE, UNANNOTATED

RECORDED = Path(__file__).parents[3] / "shared" / "peers2"
E = RECORDED / "E"
SIDES = ("truth", "prediction")

pytest.importorskip("pycocotools", reason="pycocotools is not installed")
pytestmark = pytest.mark.skipif(not E.is_dir(), reason="the records of other tools are not there")


@pytest.fixture(scope="module")
def records() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((RECORDED / "expected.json").read_text("utf-8"))
    return [record for record in found if str(record["subset"]).startswith("E/")]


def coco_file(side: str) -> CocoFile:
    path = E / "coco" / f"{side}.json"
    return read_coco(str(path), stamp_of(path))


def masks_of(side: str) -> dict[int, NDArray[np.bool_]]:
    """Decode every annotation of a file by itself."""
    content = json.loads((E / "coco" / f"{side}.json").read_text("utf-8"))
    shapes = {image["id"]: (image["height"], image["width"]) for image in content["images"]}
    found = {}
    for entry in content["annotations"]:
        stated, shape = entry["segmentation"], shapes[entry["image_id"]]
        if isinstance(stated, list):
            counts = fill([check_polygon(polygon, shape) for polygon in stated], shape)
        else:
            counts = [parse_counts(stated["counts"], shape)]
        flat = [np.repeat(np.arange(each.size) % 2 == 1, each) for each in counts]
        found[entry["id"]] = np.logical_or.reduce(flat).reshape(shape[::-1]).T
    return found


@pytest.mark.parametrize("side", SIDES)
def test_every_annotation_is_decoded_as_by_pycocotools(
    side: str, records: list[dict[str, Any]]
) -> None:
    found = masks_of(side)
    with np.load(E / "coco" / f"{side}_masks_pycocotools.npz") as expected:
        assert set(expected.files) == set(map(str, found))
        for key, mask in found.items():
            np.testing.assert_array_equal(mask, expected[str(key)])
    (record,) = (each for each in records if each["metric"] == f"decoded masks of the {side}")
    for key, mask in found.items():
        stated = record["per_image"][str(key)]
        rows, columns = np.nonzero(mask)
        box = [columns.min(), rows.min(), np.ptp(columns) + 1, np.ptp(rows) + 1]
        assert (mask.sum(), box) == (stated["area"], stated["bbox"])


def test_the_iou_of_all_pairs_of_annotations_is_that_of_pycocotools(
    records: list[dict[str, Any]],
) -> None:
    truth, prediction = masks_of("truth"), masks_of("prediction")
    crowds = {int(row["id"]) for rows in coco_file("truth").rows.values() for row in rows
              if row["crowd"]}  # fmt: skip
    (record,) = (each for each in records if each["metric"].startswith("IoU matrix"))
    for stated in record["per_image"].values():
        for i, p in enumerate(stated["prediction"]):
            for j, t in enumerate(stated["truth"]):
                both = (prediction[p] & truth[t]).sum()
                whole = prediction[p] if t in crowds else prediction[p] | truth[t]
                assert stated["iou"][i][j] == pytest.approx(both / whole.sum(), abs=1e-12)


@pytest.mark.parametrize("side", SIDES)
def test_an_image_is_painted_as_recorded(side: str) -> None:
    index = side_of(E / "coco" / f"{side}.json", side)
    with np.load(E / "coco" / f"{side}_semantic_later_wins_crowd255.npz") as expected:
        assert len(index.files) == len(expected.files)
        for mask in index.files.values():
            assert isinstance(mask, Annotation)
            values = read_mask(mask).values
            held = np.where(values == OUTSIDE, 255, values)
            np.testing.assert_array_equal(held, expected[mask.key])


def test_results_lie_upon_each_other_by_score() -> None:
    truth = E / "coco" / "truth.json"
    path = E / "coco" / "prediction_results.json"
    alone = masks_of("prediction")
    results = json.loads(path.read_text("utf-8"))
    for least in (None, 0.5):
        index = side_of(path, "prediction", truth=truth, score_threshold=least)
        for mask in index.files.values():
            assert isinstance(mask, Annotation)
            assert mask.size is not None
            expected = np.zeros(mask.size, int)
            kept = [(r["score"], m, r) for r, m in zip(results, alone.values(), strict=True)]
            for score, pixels, result in sorted(kept, key=lambda each: each[0]):
                if str(result["image_id"]) == mask.key and score >= (least or 0):
                    expected[pixels] = result["category_id"]
            np.testing.assert_array_equal(read_mask(mask).values, expected)


@pytest.mark.parametrize("side", SIDES)
def test_polygons_of_yolo_are_decoded_as_by_pycocotools(
    side: str, tmp_path: Path, records: list[dict[str, Any]]
) -> None:
    sizes = json.loads((E / "yolo" / "sizes.json").read_text("utf-8"))
    index = side_of(E / "yolo" / side, side)
    (record,) = (each for each in records if f"polygons of the {side}" in each["metric"])
    with np.load(E / "yolo" / f"{side}_masks_pycocotools.npz") as expected:
        for name, mask in index.files.items():
            assert isinstance(mask, Annotation)
            lines = mask.path.read_text("utf-8").splitlines()
            painted = np.full(sizes[name], UNANNOTATED)
            for number, line in enumerate(lines):
                (tmp_path / "one.txt").write_text(line)
                one = side_of(tmp_path, side).files["one"]
                values = read_mask(one, shape=tuple(sizes[name])).values
                alone = expected[f"{name}/{number}"] == 1
                np.testing.assert_array_equal(values != UNANNOTATED, alone)
                assert alone.sum() == record["per_image"][name][number]["pycocotools"]
                painted[alone] = int(line.split()[0])
            values = read_mask(mask, shape=tuple(sizes[name])).values
            np.testing.assert_array_equal(values, painted)


def test_coco_yolo_and_masks_of_them_have_the_same_scores(tmp_path: Path) -> None:
    """Masks as pycocotools draws them have the scores of the files that they come from."""
    for side in SIDES:
        with np.load(E / "coco" / f"{side}_semantic_later_wins_crowd255.npz") as images:
            for number, key in enumerate(images.files):
                save(tmp_path / "coco" / side / f"im{number}.png", images[key])
    files = [E / "coco" / f"{side}.json" for side in SIDES[::-1]]
    folders = [tmp_path / "coco" / side for side in SIDES[::-1]]
    labels = ("--labels", files[1], "--ignore", 255)
    scores = [
        document(*files),
        document(*folders, *labels),
        document(files[0], folders[1], "--labels", files[1], "--ignore", 255),
        document(folders[0], files[1]),
    ]
    for other in scores[1:]:
        assert other["summary"] == scores[0]["summary"]
        assert other["classes"] == scores[0]["classes"]


def test_panoptic_segments_become_their_categories() -> None:
    content = {
        side: json.loads((E / "panoptic" / f"{side}.json").read_text("utf-8")) for side in SIDES
    }
    found = document(*(E / "panoptic" / f"{side}.json" for side in SIDES[::-1]))
    pixels = {row["name"]: row["support"] for row in found["classes"]}
    areas = dict.fromkeys(pixels, 0)
    names = {each["id"]: each["name"] for each in content["truth"]["categories"]}
    for annotation in content["truth"]["annotations"]:
        for segment in annotation["segments_info"]:
            if not segment["iscrowd"]:
                areas[names[segment["category_id"]]] += segment["area"]
    assert pixels == areas


LEFT_OUT = {
    "fill rules of polygons": "segeval fills polygons as pycocotools does, and by no other rule",
    "COCO AP/AR": "segeval ranks nothing by confidence; hotcoco and vernier do",
}
ASSERTED = (
    "decoded masks of the",
    "IoU matrix",
    "decoded polygons of the",
    "PQ, SQ, RQ",  # in tests/objects
    "kaggle: foreground",  # these three in test_tables
    "tianchi: foreground",
    "Dice per image",
)


def test_every_record_is_asserted_or_left_out_for_a_reason(records: list[dict[str, Any]]) -> None:
    metrics = [record["metric"] for record in records]
    assert len(metrics) >= 15
    assert not [m for m in metrics if not m.startswith((*ASSERTED, *LEFT_OUT))]
    left = {what for what in LEFT_OUT if any(m.startswith(what) for m in metrics)}
    if left:
        pytest.skip("; ".join(LEFT_OUT[what] for what in sorted(left)))


def test_500_masks_are_read_and_written_as_by_pycocotools() -> None:
    from pycocotools import mask as library

    random = np.random.default_rng(5)
    for _ in range(500):
        shape = tuple(random.integers(1, 40, 2).tolist())
        pixels = np.asfortranarray(random.random(shape) < random.random() ** 2, np.uint8)
        theirs = library.encode(pixels)
        runs = Runs.of(pixels, "column")
        assert text_of_counts(runs.only().counts()) == theirs["counts"]
        counts = parse_counts(theirs["counts"].decode(), shape)
        laid = lay([(counts, 1)], shape, 0)
        np.testing.assert_array_equal(laid.mask(), pixels)
