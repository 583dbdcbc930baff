"""Tables of Kaggle and Tianchi against the masks that pycocotools makes of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made.sets import document

from segeval.inputs.annotations import Annotation
from segeval.inputs.sides import index_sides
from segeval.settings import AnnotationChoice

RECORDED = Path(__file__).parents[3] / "shared" / "peers2"
SETS = RECORDED / "E"
SIZE = (64, 96)

pytestmark = pytest.mark.skipif(not SETS.is_dir(), reason="the recorded tables are not there")


@pytest.fixture(scope="module")
def records() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((RECORDED / "expected.json").read_text("utf-8"))
    return [record for record in found if record["subset"] in {"E/kaggle", "E/tianchi"}]


@pytest.mark.parametrize("side", ["truth", "prediction"])
@pytest.mark.parametrize("form", ["kaggle", "tianchi"])
def test_masks_are_those_that_are_recorded(
    form: str, side: str, records: list[dict[str, Any]]
) -> None:
    table = SETS / f"{form}_{side}.csv"
    masks = index_sides((table, table), AnnotationChoice(size=SIZE))[0].files
    (recorded,) = (r for r in records if r["metric"] == f"{form}: foreground pixels of the {side}")
    expected = np.load(SETS / f"kaggle_{side}_masks.npz")
    found = [mask.values(SIZE) for mask in masks.values() if isinstance(mask, Annotation)]
    for mask, (name, pixels), same in zip(
        found, recorded["per_image"].items(), expected.values(), strict=True
    ):
        assert int(mask.sum()) == pixels, name
        np.testing.assert_array_equal(mask, same)


@pytest.mark.parametrize("form", ["kaggle", "tianchi"])
def test_mean_dice_of_images_is_that_of_the_competition(
    form: str, records: list[dict[str, Any]]
) -> None:
    sides = (SETS / f"{form}_prediction.csv", SETS / f"{form}_truth.csv")
    found = document(*sides, "--size", "64x96", "--pooling", "image", "--absent", "one")
    (recorded,) = (r for r in records if r["metric"] == "Dice per image" if form in r["subset"])
    assert found["classes"][1]["dice"] == pytest.approx(recorded["value"], rel=1e-12)
