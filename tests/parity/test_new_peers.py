"""Presets against what YOLO, TransUNet and the BraTS evaluation printed, and against each other."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made.sets import made_run, segeval
from made.volumes import read_labels

from segeval.counting.dataset import count_dataset
from segeval.counting.run import CountedRun
from segeval.labels.classify import classify
from segeval.labels.labelmap import Label, LabelMap, numbered
from segeval.presets.explain import PresetScorer, explain
from segeval.presets.preset import preset
from segeval.scoring.convention import Convention
from segeval.scoring.metrics import METRICS
from segeval.scoring.score import Scores, per_image, score_run
from segeval.settings import Source

SHARED = Path(__file__).parents[3] / "shared"
RECORDED = SHARED / "peers2"
EXPECTED = RECORDED / "expected.json"
FLOAT32 = 2e-7

needs_records = pytest.mark.skipif(
    not EXPECTED.is_file(), reason="the records of other tools are not there"
)


def records(peer: str) -> list[dict[str, Any]]:
    if not EXPECTED.is_file():
        return []
    found = json.loads(EXPECTED.read_text("utf-8"))
    return [record for record in found if record["peer"] == peer]


def run_of(folder: Path) -> CountedRun:
    source = Source(prediction=folder / "prediction", truth=folder / "truth")
    return count_dataset(source, workers=1)


@needs_records
@pytest.mark.parametrize("record", records("ultralytics"))
def test_yolo_leaves_out_what_is_no_class_on_either_side(record: dict[str, Any]) -> None:
    classes = len(record["per_class"])
    name = "ultralytics:binary" if classes == 1 else "ultralytics"
    run = run_of(RECORDED / record["subset"])
    labels = numbered("indices", range(max(classes, 2)), void=(255,))
    scores = score_run(run, labels, preset(name))
    assert scores.summary["miou"] == pytest.approx(record["value"]["miou"], abs=FLOAT32)
    assert scores.summary["pixel_accuracy"] == pytest.approx(
        record["value"]["pixel_accuracy"], abs=FLOAT32
    )
    first = 2 - classes if classes == 1 else 0
    vector = np.nan_to_num(scores.class_scores["iou"][first:])
    assert vector == pytest.approx([*record["per_class"].values()], abs=FLOAT32)
    columns = per_image(scores)
    each = Convention().score_classes(METRICS["iou"], scores.counts.images)[:, first:]
    for number, (image, theirs) in enumerate(record["per_image"].items()):
        assert Path(run.images[number].name).stem == image
        assert columns["miou"][number] == pytest.approx(theirs["miou"], abs=FLOAT32)
        assert np.nan_to_num(each[number]) == pytest.approx(theirs["per_class_iou"], abs=FLOAT32)


@needs_records
def test_the_command_line_gives_what_yolo_gives() -> None:
    (record,) = [r for r in records("ultralytics") if r["subset"] == "G/ultralytics"]
    folder = RECORDED / record["subset"]
    sides = (str(folder / "prediction"), str(folder / "truth"))
    done = segeval("score", *sides, "--classes", "5", "--like", "ultralytics", "--format", "json")
    document = json.loads(done.stdout)
    assert document["summary"]["miou"] == pytest.approx(record["value"]["miou"], abs=FLOAT32)
    assert document["settings"]["unknown"] == "ignore"
    assert "|ignore:6,255|unknown:ignore|" in document["signature"]
    assert "|outside:ignore|" in document["signature"]


def test_pixels_outside_the_classes_are_not_judged_on_either_side() -> None:
    truth, prediction = np.array([[0, 0, 1, 1, 7]]), np.array([[0, 9, 1, 0, 1]])
    run, labels = made_run((truth, prediction)), numbered("indices", range(2))
    scores = score_run(run, labels, Convention(outside="ignore"))
    assert scores.counts.images.total.tolist() == [3]
    assert scores.class_scores["iou"].tolist() == [1 / 2, 1 / 2]
    assert scores.labels.void == (7,)
    assert scores.unknown == "ignore"


def test_side_by_side_each_preset_judges_its_own_pixels() -> None:
    truth, prediction = np.array([[0, 0, 1, 1]]), np.array([[0, 9, 1, 0]])
    run, labels = made_run((truth, prediction)), numbered("indices", range(2))
    counts = classify(run, labels, unknown="wrong")
    case = PresetScorer(counts=counts, labels=labels, run=run)
    values = {row.preset: row.value for row in explain(case, ["cityscapes", "ultralytics"])}
    assert values == pytest.approx({"cityscapes": (1 / 3 + 1 / 2) / 2, "ultralytics": 1 / 2})
    (rule,) = [row.rules[0] for row in explain(case, ["ultralytics"])]
    assert (rule.axis, rule.setting) == ("outside", "ignore")
    blind = PresetScorer(counts=counts, labels=labels)
    assert blind.value(blind.convention("ultralytics")) == values["cityscapes"]


def volumes(folder: Path) -> CountedRun:
    """Count the volumes of a folder; one without a prediction is predicted as no class."""
    pairs = []
    for path in sorted((folder / "truth").iterdir()):
        truth, predicted = read_labels(path), folder / "prediction" / path.name
        outside = np.full_like(truth, 255)
        pairs.append((truth, read_labels(predicted) if predicted.is_file() else outside))
    return made_run(*pairs)


@needs_records
def test_an_invented_organ_scores_1_in_the_protocol_of_synapse() -> None:
    (record,) = records("TransUNet")
    scores = score_run(
        volumes(RECORDED / record["subset"]),
        numbered("organs", range(9)),
        preset("transunet"),
    )
    assert scores.summary["mdice"] == pytest.approx(record["value"]["mean_dice"], abs=1e-12)
    organs = scores.class_scores["dice"][1:]
    assert organs == pytest.approx([own["dice"] for own in record["per_class"].values()], abs=1e-12)
    each = scores.convention.score_classes(METRICS["dice"], scores.counts.images)
    for number, case in enumerate(record["per_image"].values()):
        assert each[number, 1:] == pytest.approx([organ["dice"] for organ in case.values()])


REGIONS = {"wt": (1, 2, 3), "tc": (1, 3), "netc": (1,), "snfh": (2,), "et": (3,), "rc": (4,)}


@needs_records
@pytest.mark.parametrize("region", REGIONS)
def test_the_global_dice_of_a_region_counts_a_missing_subject_as_0(region: str) -> None:
    (record,) = [
        r for r in records("BraTS-evaluation") if r["metric"] == "leaderboard rows, gli/seg"
    ]
    inside = REGIONS[region]
    outside = tuple(value for value in range(5) if value not in inside)
    labels = LabelMap(
        name=region,
        labels=(
            Label(name="rest", truth_values=outside, prediction_values=outside),
            Label(name=region, truth_values=inside, prediction_values=inside),
        ),
    )
    scores = score_run(
        volumes(RECORDED / record["subset"]),
        labels,
        Convention(pooling="class", classes="foreground", headline="mdice"),
        unknown="wrong",
    )
    each = scores.convention.score_classes(METRICS["dice"], scores.counts.images)[:, 1]
    missing = scores.counts.images.predicted.sum(axis=1) == 0
    each = np.where(missing, 0.0, each)  # whether or not the truth shows the region
    assert np.nanmean(each) == pytest.approx(record["value"][f"global_dsc_{region}"])
    theirs = [case[f"global_dsc_{region}"] for case in record["per_image"].values()]
    assert each == pytest.approx(np.array(theirs, float), nan_ok=True)


PAIRS = (
    (np.array([[0, 1, 1, 0]]), np.array([[0, 1, 0, 0]])),
    (np.array([[0, 0, 0, 0]]), np.array([[0, 0, 0, 0]])),
    (np.array([[0, 0, 0, 0]]), np.array([[0, 0, 1, 0]])),
    (np.array([[0, 1, 0, 0]]), np.array([[0, 0, 0, 0]])),
    (np.array([[1, 1, 0, 0]]), np.array([[1, 1, 0, 0]])),
)
"""Half found, both empty, a false alarm, a complete miss, all found."""


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("emc:c0", (2 / 3 + 0 + 0 + 0 + 1) / 5),
        ("emc:c1", (2 / 3 + 1 + 0 + 0 + 1) / 5),
        ("emc:pos", (2 / 3 + 0 + 1) / 3),
        ("emc:x", (2 / 3 + 1) / 2),
    ],
)
def test_empty_masks_count_as_their_family_says(name: str, expected: float) -> None:
    scores = score_run(made_run(*PAIRS), numbered("binary", range(2)), preset(name))
    assert scores.summary["mdice"] == pytest.approx(expected, abs=1e-15)


@pytest.mark.parametrize("name", ["hotcoco", "vernier"])
def test_the_evaluators_of_coco_count_as_mmsegmentation_does(name: str) -> None:
    def scored(convention: str) -> Scores:
        return score_run(made_run(*PAIRS), numbered("three", range(3)), preset(convention))

    ours, theirs = scored(name), scored("mmseg")
    for mean in ("miou", "mrecall", "pixel_accuracy", "fwiou"):
        assert ours.summary[mean] == theirs.summary[mean]
