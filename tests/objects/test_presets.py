"""Presets of objects, what explains them, runs of before, and who is told of objects."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from made.sets import segeval
from numpy.typing import NDArray
from PIL import Image

from segeval.presets.objects import load_object_presets

BEFORE = Path(__file__).parent / "schema-1.segeval"  # label images, counted by the first version


def cells(numbers: tuple[int, ...], folder: Path, *, ids: int = 0) -> tuple[Path, Path]:
    """Write images of so many squares, and predictions a row off, with ids of their own or not."""
    random = np.random.default_rng(3)
    for image, number in enumerate(numbers):
        truth = np.zeros((60, 60), np.uint16)
        for cell in range(number):
            row, column = 2 + 12 * (cell // 5), 2 + 12 * (cell % 5)
            truth[row : row + 9, column : column + 9] = cell + 1
        shuffled = np.concatenate(([0], random.permutation(number) + 1 + ids))
        predicted = np.roll(shuffled[truth] if ids else truth, 1, axis=0)
        for side, mask in (("truth", truth), ("pred", predicted)):
            (folder / side).mkdir(exist_ok=True)
            _write(folder / side / f"{image}.png", mask)
    return folder / "pred", folder / "truth"


def _write(path: Path, mask: NDArray[np.uint16]) -> None:
    Image.fromarray(mask.astype(np.uint16)).save(path)


def test_a_preset_of_objects_sets_every_rule_but_those_that_are_typed() -> None:
    how = ("report", BEFORE, "--objects", "ids", "--iou-thresholds", ".5,.75")
    blocks = {}
    for like in load_object_presets():
        blocks[like] = json.loads(segeval(*how, "--like", like, "--format", "json").stdout)[
            "objects"
        ]
        assert blocks[like]["signature"].endswith(f"|objects-like:{like}")
    assert blocks["dsb2018"]["ap"][0] < blocks["cellpose"]["ap"][0]  # a match has more than 0.5
    assert "iou>0.5" in blocks["panopticapi"]["signature"]
    changed = segeval(*how, "--like", "stardist", "--objects-pooling", "image").stdout
    assert "objects-like:stardist+pooling:image" in changed
    assert "like:mmseg" in segeval(*how, "--like", "mmseg").stdout


def test_the_headline_of_a_preset_of_objects_is_the_total_and_the_default_of_gates() -> None:
    how = ("report", BEFORE, "--objects", "ids", "--format", "total")
    totals = {
        ("--like", "stardist"): 6 / 8,
        ("--like", "stardist", "--iou-thresholds", ".75"): 3 / 11,
        ("--like", "panopticapi"): 3 / 7,
        (): 0.5908,
    }
    for typed, total in totals.items():
        assert float(segeval(*how, *typed).stdout) == pytest.approx(total, abs=1e-4)
    said = segeval(*how, "--like", "stardist", "--fail-under", "0.8", expect=1).stderr
    assert "gate failed: ap@0.5 = 0.75" in said
    assert "ap@0.5 0.7500" in segeval(*how[:4], "--like", "stardist").stdout


def test_a_preset_of_objects_needs_objects() -> None:
    for command in ("report", "sweep"):
        said = segeval(command, BEFORE, "--like", "stardist", expect=2).stderr
        assert "stardist scores objects; type --objects ids as well" in said


def test_presets_of_objects_are_listed_shown_and_explained() -> None:
    assert "average_precision(" in segeval("presets").stdout
    assert "objects are the values other than 0" in segeval("presets", "cellpose").stdout.lower()
    how = ("explain", BEFORE, "--objects", "ids")
    assert "stardist:by-image  ap@0.5" in segeval(*how).stdout
    rows = json.loads(segeval(*how, "--format", "json").stdout)["objects"]
    assert {row["preset"] for row in rows} == set(load_object_presets())
    by_name = {row["preset"]: row for row in rows}
    assert by_name["stardist"]["value"] == 6 / 8
    moved = {rule["axis"] for rule in by_name["dsb2018"]["rules"]}
    assert moved == {"pooling", "strict"}


def test_a_run_of_the_first_version_is_scored_as_objects_without_masks() -> None:
    how = ("--objects", "ids", "--format", "json")
    block = json.loads(segeval("report", BEFORE, *how).stdout)["objects"]
    assert (block["truth"], block["predicted"]) == (6, 8)
    assert block["ap"][:5] == [6 / 8, 3 / 11, 3 / 11, 3 / 11, 3 / 11]
    assert block["pq"] == pytest.approx(4.5 / 7)


@pytest.mark.parametrize(("numbers", "ids"), [((9, 12, 20), 0), ((11,), 3)])
def test_values_that_look_like_ids_are_named_with_what_to_type(
    tmp_path: Path, numbers: tuple[int, ...], ids: int
) -> None:
    folders = cells(numbers, tmp_path, ids=ids)
    said = segeval("score", *folders).stderr
    assert "look like ids of objects; type --objects ids if they are" in said
    assert "look like" not in segeval("score", *folders, "--objects", "ids").stderr
    assert "look like" not in segeval("score", *folders, "--classes", "30").stderr


def test_more_values_than_classes_can_be_are_refused_with_what_to_type(tmp_path: Path) -> None:
    truth = np.arange(400, dtype=np.uint16).repeat(9).reshape(60, 60)
    for side in ("truth", "pred"):
        (tmp_path / side).mkdir()
        _write(tmp_path / side / "a.png", truth)
    said = segeval("score", tmp_path / "pred", tmp_path / "truth", expect=3).stderr
    assert "399 different values" in said  # 255 is void
    assert "type --objects ids" in said
    done = segeval("score", tmp_path / "pred", tmp_path / "truth", "--objects", "ids")
    assert "399 true objects" in done.stdout
