"""Distances of objects: matched, missed, too many; in the run, and as other tools have them."""

from __future__ import annotations

import json
import math
import shutil
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made.sets import data_set, segeval
from PIL import Image

import segeval as library
from segeval.counting.dataset import count_dataset
from segeval.distances.measure import DistanceMeasure
from segeval.errors import RunError
from segeval.labels.choose import choose_labels
from segeval.labels.ids import as_measured, as_objects
from segeval.labels.labelmap import Label, LabelMap, numbered
from segeval.labels.measuring import measure_run
from segeval.objectdistances.measure import (
    ObjectDistanceMeasure,
    ObjectDistanceTable,
    object_measures,
)
from segeval.objectdistances.scores import SingleObjects, find_object_table, single_objects
from segeval.objects.components import Components
from segeval.objects.result import score_objects
from segeval.objects.rules import ObjectRules
from segeval.presets.distances import distance_rules
from segeval.presets.objects import object_rules
from segeval.scoring.score import label_and_score
from segeval.settings import LabelChoice, Source

pytest.importorskip("scipy")
PEERS = Path(__file__).parents[3] / "shared" / "peers2"
EXPECTED = PEERS / "expected.json"


def document(*words: Any) -> Any:
    return json.loads(segeval(*words, "--format", "json", "-q").stdout)


@pytest.fixture(scope="module")
def ids(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Write a shifted object, a missed one and a false one, in an image of 30 x 40."""
    truth, prediction = np.zeros((30, 40), np.uint16), np.zeros((30, 40), np.uint16)
    truth[2:10, 2:10], prediction[2:10, 4:12] = 300, 7
    truth[20:25, 20:25], prediction[15:18, 2:5] = 9, 9
    empty = np.zeros((30, 40), np.uint16)
    pairs = {"one": (truth, prediction), "none": (empty, empty)}
    return data_set(tmp_path_factory.mktemp("ids"), pairs)


def test_unmatched_objects_count_the_diagonal(ids: tuple[Path, Path]) -> None:
    block = document("score", *ids, "--objects", "ids", "--distances")["objects"]["distances"]
    assert [block[name] for name in ("matched", "missed", "false")] == [1, 1, 1]
    assert block["matches"]["hd"] == 2
    assert block["means"]["hd"] == pytest.approx((2 + 50 + 50) / 3)
    assert block["means"]["nsd"]["2"] == pytest.approx(1 / 3)
    assert block["threshold"] == 0.5
    stricter = document("score", *ids, "--objects", "ids", "--distances", "--iou-thresholds", "0.9")
    assert stricter["objects"]["distances"]["matched"] == 0
    assert stricter["objects"]["distances"]["means"]["hd95"] == 50


def test_reports_show_all_objects_and_matches(ids: tuple[Path, Path], tmp_path: Path) -> None:
    page, asked = tmp_path / "page.html", ("--objects", "ids", "--distances")
    printed = segeval("score", *ids, *asked, "--format", "markdown", "-q", "--html", page).stdout
    lines = [line for line in printed.splitlines() if "all objects" in line or "matches a" in line]
    assert [line.split("|")[2].strip() for line in lines] == ["34.00", "2.00"]
    assert [line.split("|")[-4:-1] for line in lines[:1]] == [[" 1 ", " 1 ", " 1 "]]
    assert "matches alone" in page.read_text("utf-8")


def test_means_run_over_objects_or_over_those_of_each_image_first(tmp_path: Path) -> None:
    masks = [np.zeros((30, 40), np.uint16) for _ in range(3)]
    masks[0][2:10, 2:10], masks[1][2:10, 4:12], masks[0][20:25, 20:25] = 1, 1, 2
    truth, prediction, empty = masks
    pairs = {"far": (truth, prediction), "none": (empty, empty), "same": (prediction, prediction)}
    folders = data_set(tmp_path, pairs)
    asked = ("score", *folders, "--objects", "ids", "--distances")
    for pooling, mean in (("dataset", (2 + 50 + 0) / 3), ("image", ((2 + 50) / 2 + 0) / 2)):
        block = document(*asked, "--objects-pooling", pooling)["objects"]["distances"]
        assert block["means"]["hd"] == pytest.approx(mean)


def test_presets_say_what_unmatched_objects_count(ids: tuple[Path, Path]) -> None:
    asked = ("score", *ids, "--objects", "ids", "--distances", "--like")
    means = document(*asked, "panoptica")["objects"]["distances"]["means"]
    assert means["hd"] == 2
    assert means["nsd"]["2"] == 1
    means = document(*asked, "brats-2026")["objects"]["distances"]["means"]
    assert means["hd"] == pytest.approx((2 + 2 * 373) / 3)


@pytest.mark.parametrize("source", ["ids", "components"])
def test_a_run_answers_without_masks(source: str, ids: tuple[Path, Path], tmp_path: Path) -> None:
    if source == "components":
        pytest.importorskip("cc3d")
    masks = [shutil.copytree(each, tmp_path / each.name) for each in ids]
    run, asked = tmp_path / "run.segeval", ("--objects", source, "--distances")
    further = ("--nsd", "0,3", "--iou-thresholds", "0.3,0.8")
    scored = document("score", *masks, *asked, *further, "-o", run)["objects"]
    for each in masks:
        shutil.rmtree(each)
    assert document("report", run, *asked, *further)["objects"] == scored
    assert scored["distances"]["means"]["nsd"].keys() == {"0", "3"}
    reported = document("report", run, *asked, "--like", "panoptica")["objects"]["distances"]
    assert reported["means"]["hd"] == (2 if source == "ids" else None)  # 300 and 7 are classes


def test_arrays_are_measured_as_files_are(ids: tuple[Path, Path]) -> None:
    said = document("score", *ids, "--objects", "ids", "--distances")["objects"]["distances"]
    prediction, truth = ids
    asked: Any = {"objects": "ids", "distances": True}
    assert library.score(prediction=prediction, truth=truth, **asked).objects["distances"] == said
    names = sorted(path.name for path in truth.iterdir())
    arrays = [[np.array(Image.open(side / name)) for name in names] for side in ids]
    found = library.score_arrays(truth=arrays[1], prediction=arrays[0], **asked)
    assert found.objects["distances"] == said


def test_a_pair_that_is_not_measured_is_an_error() -> None:
    mask = np.zeros((4, 4), np.uint8)
    measure = ObjectDistanceMeasure(distances=DistanceMeasure())
    values = np.full((4, 4), 5)
    table = ObjectDistanceTable.of([measure.of_values([(mask, mask, 1)], (values, values), None)])
    assert table.rows([(0, 5, 5)]).tolist() == [0]
    with pytest.raises(RunError, match="other masks"):
        table.rows([(0, 5, 6)])
    with pytest.raises(RunError, match="damaged"):
        ObjectDistanceTable.of([b"x"])


def test_a_run_without_them_says_what_to_type(ids: tuple[Path, Path], tmp_path: Path) -> None:
    run = tmp_path / "run.segeval"
    segeval("score", *ids, "--objects", "ids", "-o", run, "-q")
    failed = segeval("report", run, "--objects", "ids", "--distances", expect=2)
    assert "--resume" in failed.stderr


def records(peer: str, *subsets: str) -> list[dict[str, Any]]:
    found = json.loads(EXPECTED.read_text("utf-8")) if EXPECTED.is_file() else []
    return [r for r in found if r["peer"] == peer and r["subset"] in subsets]


TOLERANCES = (0.5, 0.8, 1.0)


def tolerance_of(path: Path) -> float:
    """Return the tolerance of panoptica: half a pixel, or the least spacing of a volume."""
    if path.suffix == ".png":
        return 0.5
    nibabel = pytest.importorskip("nibabel")
    return min(float(str(step)) for step in nibabel.load(path).header.get_zooms())


def scored(
    folder: Path, rules: ObjectRules, labels: LabelMap | None, like: str
) -> tuple[list[str], tuple[str, ...], SingleObjects]:
    """Score the objects of a folder, and return their distances, one by one."""
    sides: Any = {side: folder / side for side in ("prediction", "truth")}
    choice, numbering = LabelChoice(labels=labels), None
    if rules.source == "components":
        pytest.importorskip("cc3d")
        numbering = Components(connectivity=rules.connectivity or "8", labels=labels)
    run = count_dataset(Source(**sides, missing="skip"), workers=1, numbering=numbering)
    distances = distance_rules(like, tolerances=TOLERANCES)
    measures = object_measures(run, choice, rules, distances)[-1:]
    shared: LabelMap = choose_labels(run, as_measured(run, choice, rules.source))
    run = measure_run(run, shared, measures, workers=1)
    run, choice = as_objects(run, choice, rules.source)
    scores = label_and_score(run, choice)
    objects, own = score_objects(scores, rules), distances.of_objects()
    table = find_object_table(scores, rules, own)
    return [*run.images.names], objects.kinds, single_objects(objects.table, rules, table, own)


def compare(cells: dict[str, Any], found: SingleObjects, which: Any, tolerance: float) -> int:
    """Compare the means over matches with those of panoptica, which are infinite without any."""
    names = {"assd": "assd", "hd": "hd", "hd95": "hd95", "nsd": f"nsd@{tolerance:g}"}
    compared = 0
    for theirs, ours in names.items():
        if f"sq_{theirs}" not in cells:
            continue
        values = found.values[ours][which & (found.fate == 0)]
        value = values.mean() if values.size else math.nan
        if cells["tp"] == 0:
            assert math.isnan(value)
        else:
            assert value == pytest.approx(cells[f"sq_{theirs}"], rel=1e-9)
            compared += 1
    return compared


@pytest.mark.parametrize("record", records("panoptica", "C"), ids=lambda r: r["metric"])
def test_label_images_are_as_far_apart_as_panoptica_says(record: dict[str, Any]) -> None:
    rules = ObjectRules(thresholds=(float(record["metric"][-4:].lstrip("t ")),))
    names, _, found = scored(PEERS / "C", rules, None, "panoptica")
    compared = 0
    for image, cells in record["per_image"].items():
        which = found.image == names.index(image)
        assert (which & (found.fate == 0)).sum() == cells["tp"]
        compared += compare(cells, found, which, 0.5)
    assert compared >= 3


@pytest.mark.parametrize(
    "record",
    [r for r in records("panoptica", "B", "D") if "foreground" not in r["metric"]],
    ids=lambda r: r["subset"],
)
def test_components_are_as_far_apart_as_panoptica_says(record: dict[str, Any]) -> None:
    volumes = record["subset"] == "D"
    rules = ObjectRules(
        source="components",
        connectivity="8" if volumes else "4",
        thresholds=(0.5,),
        matching="greedy",
    )
    labels = numbered("indices", range(5 if volumes else 2))
    names, kinds, found = scored(PEERS / record["subset"], rules, labels, "panoptica")
    compared = 0
    ending = ".nii.gz" if volumes else ".png"
    for image, row in record["per_image"].items():
        tolerance = tolerance_of(PEERS / record["subset"] / "truth" / f"{image}{ending}")
        for name, cells in row.items() if volumes else [(kinds[0], row)]:
            if "error" in cells:  # it has no score where nothing matches
                continue
            which = (found.image == names.index(image)) & (found.kind == kinds.index(name))
            compared += compare(cells, found, which, tolerance)
    assert compared >= 4


REGIONS = {"snfh": (2,), "et": (3,), "netc": (1,), "rc": (4,), "tc": (1, 3), "wt": (1, 2, 3)}


def region_labels(region: str) -> LabelMap:
    values = REGIONS[region]
    rest = tuple(value for value in range(5) if value not in values)
    return LabelMap(
        name="region",
        labels=tuple(
            Label(name=name, truth_values=held, prediction_values=held)
            for name, held in (("background", rest), (region, values))
        ),
    )


@cache
def lesions(region: str) -> tuple[list[str], SingleObjects]:
    """Score the lesions of a region; one is found from a Dice of one millionth on."""
    labels = region_labels(region)
    rules = ObjectRules(source="components", thresholds=(5e-7,))
    names, _, found = scored(PEERS / "G" / "brats", rules, labels, "brats-2026")
    return names, found


@pytest.mark.parametrize(
    "record",
    [r for r in records("BraTS-evaluation", "G/brats") if "summary" in r["metric"]],
    ids=lambda r: r["metric"],
)
def test_lesions_are_as_far_apart_as_the_evaluation_of_brats_says(record: dict[str, Any]) -> None:
    pytest.importorskip("nibabel")
    compared = 0
    for image, row in record["per_image"].items():
        for region, cells in row.items():
            names, found = lesions(region)
            which = found.image == names.index(image)
            compared += compare(cells, found, which, 1.0)
            single = [each for each in cells["reference_instances"] if each["is_matched"]]
            for theirs, ours in {"hd95": "hd95", "nsd": "nsd@1"}.items():
                values = found.values[ours][which & (found.fate == 0)]
                expected = sorted(each[f"sq_{theirs}"] for each in single)
                assert sorted(values) == pytest.approx(expected, rel=1e-9)
            assert (found.values["hd95"][which & (found.fate > 0)] == 373).all()
    assert compared >= 10


@pytest.mark.parametrize("region", ["et", "rc", "tc", "wt"])
def test_rows_of_the_leaderboard_of_metastases_come_out(region: str) -> None:
    pytest.importorskip("nibabel")
    (record,) = [r for r in records("BraTS-evaluation", "G/brats") if "mets/mets" in r["metric"]]
    rules = replace(object_rules("brats-2026:mets"), source="components", thresholds=(5e-7,))
    folder = PEERS / "G" / "brats"
    asked: Any = {"objects": rules, "distances": distance_rules("brats-2026:mets")}
    result = library.score(
        prediction=folder / "prediction",
        truth=folder / "truth",
        missing="skip",
        labels=region_labels(region),
        **asked,
    )
    names = {"dsc": "object_dice@5e-07", "hd95": "object_hd95", "nsd": "object_nsd@1"}
    rows = {row["image"]: row for row in result.images.to_dict("records")}
    for image, row in rows.items():
        for theirs, ours in names.items():
            expected = record["per_image"][image][f"lesionwise_{theirs}_mean_{region}"]
            if expected in (None, "nan"):
                assert math.isnan(row[ours]), (image, ours)
            else:
                assert row[ours] == pytest.approx(expected, rel=1e-9), (image, ours)
    assert len(rows) == 3
