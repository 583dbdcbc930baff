"""Python reads masks of every form as the command line does, and compares objects."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made.sets import frozen, save
from made.sets import segeval as program

import segeval
from segeval.errors import SettingError
from segeval.objects.components import Components
from segeval.objects.rules import ObjectRules

TRUTH = frozen([[0, 1, 1, 0], [0, 1, 0, 0], [1, 0, 0, 1]])
GUESS = frozen([[0, 1, 0, 0], [0, 1, 0, 1], [1, 0, 0, 0]])
NO_DATA = 42113  # the tag by which GDAL names a value


def alike(prediction: Path, truth: Path, given: dict[str, Any], *options: object) -> Any:
    """Score from Python, hold it against the command line, and return the result."""
    result = segeval.score(prediction=prediction, truth=truth, **given)
    expected = json.loads(program("score", prediction, truth, *options, "--format", "json").stdout)
    assert result.signature == expected["signature"]
    assert json.dumps(result.document["summary"]) == json.dumps(expected["summary"])
    return result


def test_masks_of_single_classes(tmp_path: Path) -> None:
    for name in ("car", "road"):
        save(tmp_path / "truth" / name / "a.png", TRUTH)
    save(tmp_path / "pred" / "a_car.png", GUESS)
    sides = tmp_path / "pred", tmp_path / "truth"
    templates = "{class}/{name}", "{name}_{class:car,road}"
    given = {"per_class": templates[0], "prediction_per_class": templates[1]}
    given |= {"missing_class": "empty"}
    options = "--per-class", templates[0], "--pred-per-class", templates[1]
    result = alike(*sides, given, *options, "--missing-class", "empty")
    assert result.classes["tp"].tolist() == [3, 0]
    with pytest.raises(SettingError, match="need --per-class"):
        segeval.count(prediction="pred", truth="truth", missing_class="empty")


def test_tables_of_run_lengths(tmp_path: Path) -> None:
    truth, prediction = tmp_path / "truth.csv", tmp_path / "pred.csv"
    truth.write_text("file,runs\na.png,0 3 5 2\n", "utf-8")
    prediction.write_text("file,runs\na.png,0 2 5 4\n", "utf-8")
    given = {"size": (3, 4), "columns": "image=file,rle=runs", "rle_order": "row", "rle_base": 0}
    options = "--columns image=file,rle=runs --rle-order row --rle-base 0 --size 3x4".split()
    result = alike(prediction, truth, given, *options)
    assert result.classes["tp"].tolist()[-1] == 4
    relative = given | {"rle_starts": "relative", "rle_rows": "objects", "size": "3x4"}
    alike(
        prediction, truth, relative, *options, *"--rle-starts relative --rle-rows objects".split()
    )
    with pytest.raises(SettingError, match="--rle-base is 0 or 1, not 2"):
        segeval.count(prediction=prediction, truth=truth, rle_base=2)
    with pytest.raises(SettingError, match="is not HEIGHTxWIDTH"):
        segeval.count(prediction=prediction, truth=truth, size=(3, -4))
    with pytest.raises(SettingError, match="--band is counted from 1, so it cannot be 0"):
        segeval.count(prediction=prediction, truth=truth, band=0)


def test_annotations_below_a_score_are_left_out(tmp_path: Path) -> None:
    image = {"id": 1, "file_name": "a.png", "height": 3, "width": 4}
    mask = {"image_id": 1, "category_id": 1, "iscrowd": 0}
    runs = [{"size": [3, 4], "counts": counts} for counts in ([0, 3, 9], [6, 6])]
    categories = [{"id": 1, "name": "car"}]
    truths = [mask | {"id": 1, "segmentation": runs[0], "area": 3, "bbox": [0, 0, 1, 3]}]
    results = [
        mask | {"segmentation": each, "score": score}
        for each, score in zip(runs, (0.9, 0.2), strict=True)
    ]
    content = {"images": [image], "annotations": truths, "categories": categories}
    (tmp_path / "truth.json").write_text(json.dumps(content), "utf-8")
    (tmp_path / "pred.json").write_text(json.dumps(results), "utf-8")
    sides = tmp_path / "pred.json", tmp_path / "truth.json"
    result = alike(*sides, {"score_threshold": 0.5}, "--score-threshold", 0.5)
    assert result.classes.query("name == 'car'")["iou"].tolist() == [1.0]


def test_one_frame_and_its_void(tmp_path: Path) -> None:
    tifffile: Any = pytest.importorskip("tifffile", reason="tifffile is not installed")
    for side, values in (("pred", GUESS), ("truth", np.where(TRUTH, TRUTH, 9))):
        (tmp_path / side).mkdir()
        frames = np.stack([TRUTH * 7, values]).astype(np.uint8)
        for name in ("a.tif", "b.tif"):
            with tifffile.TiffWriter(tmp_path / side / name) as file:
                for frame in frames:
                    file.write(frame, metadata=None, extratags=[(NO_DATA, "s", 0, "9", True)])
    sides = tmp_path / "pred", tmp_path / "truth"
    options = "--frame", 2, "--ignore", "nodata"
    result = alike(*sides, {"frame": 2, "ignore": ["nodata"]}, *options)
    assert result.document["pixels"]["ignored"] == 14
    assert result.document["settings"]["ignore"] == ["nodata"]
    run = segeval.count(prediction=sides[0], truth=sides[1], frame=2)
    assert run.score(ignore="nodata").signature == result.signature
    assert "ignore:9" in segeval.compare(run, run, ignore="nodata", ci=10).signature


def test_void_values_may_be_colours_and_must_be_values() -> None:
    pair: dict[str, Any] = {"truth": TRUTH, "prediction": GUESS}
    numbers = segeval.score_arrays(**pair, ignore=np.array([7, 9]))
    assert segeval.score_arrays(**pair, ignore="7,9").signature == numbers.signature
    assert "ignore:#000009" in segeval.score_arrays(**pair, ignore=["#000009"]).signature
    with pytest.raises(SettingError, match="'no-data' is neither a whole number"):
        segeval.score_arrays(**pair, ignore=["no-data"])


def test_keywords_stand_in_the_signature_and_others_are_refused() -> None:
    names = set(inspect.signature(segeval.score).parameters)
    assert {"per_class", "band", "rle_rows", "shard", "ignore_geometry", "convention"} < names
    assert not names & {"annotations", "lossy", "numbering", "reading", "given"}
    assert {"lossy", "numbering", "columns"} < set(inspect.signature(segeval.count).parameters)
    for name in ("annotations", "lossless"):
        with pytest.raises(TypeError, match=name):
            segeval.count(prediction="a", truth="b", **{name: None})  # type: ignore[arg-type]


@pytest.mark.parametrize("source", ["ids", "components"])
def test_objects_of_two_runs_are_compared(source: Any, tmp_path: Path) -> None:
    if source == "components":
        pytest.importorskip("cc3d", reason="connected-components-3d is not installed")
    random = np.random.default_rng(4)
    for side in ("truth", "old", "new"):
        for number in range(4):
            save(tmp_path / side / f"{number}.png", random.integers(0, 3, (8, 9)))
    sides = [tmp_path / "old", tmp_path / "new"]
    options = "--truth", tmp_path / "truth", "--objects", source, "--ci", 30, "--seed", 12345
    expected = json.loads(program("compare", *sides, *options, "--format", "json").stdout)
    numbering = Components() if source == "components" else None
    runs = [
        segeval.count(prediction=side, truth=tmp_path / "truth", numbering=numbering)
        for side in sides
    ]
    comparison = segeval.compare(*runs, objects=source, ci=30)
    assert comparison.document["objects"] == expected["objects"]
    assert comparison.objects == expected["objects"]
    assert comparison.signature == expected["signature"]
    if source == "ids":
        assert segeval.compare(*runs, ci=30).objects == {}


def test_components_have_the_neighbours_of_the_rules() -> None:
    pytest.importorskip("cc3d", reason="connected-components-3d is not installed")
    mask = np.eye(3, dtype=np.uint8)
    for connectivity, number in (("4", 3), ("8", 1)):
        rules = ObjectRules(source="components", connectivity=connectivity)  # type: ignore[arg-type]
        result = segeval.score_arrays(truth=mask, prediction=mask, objects=rules)
        assert result.objects["truth"] == number
