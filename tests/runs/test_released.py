"""Runs that were written by earlier schemas open, and hold what they held."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from made.sets import segeval
from PIL import Image

from segeval import count, open_run
from segeval.counting.runschema import SCHEMA

RUNS = Path(__file__).parent / "released"
TRUTH = {
    "a": [[0, 1, 1], [2, 2, 255]],
    "b": [[0, 0, 3], [3, 3, 3]],
    "town/c": [[1, 1, 1], [0, 0, 2]],
}
PREDICTION = {"a": [[0, 1, 2], [2, 0, 0]], "b": [[0, 3, 3], [3, 3, 1]]}  # the third is missing


def write(folder: Path, kind: str) -> None:
    """Write the masks that the runs were counted from, as values or as colours."""
    for side, masks in (("truth", TRUTH), ("prediction", PREDICTION)):
        for name, values in masks.items():
            mask = np.array(values, np.uint8)
            if kind == "colors":
                mask = np.stack([mask, np.full_like(mask, 7), 255 - mask], axis=-1)
            path = folder / side / f"{name}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(mask).save(path)


@pytest.mark.parametrize("schema", range(1, SCHEMA))
@pytest.mark.parametrize("kind", ["values", "colors"])
def test_runs_of_every_schema_hold_what_they_held(tmp_path: Path, kind: str, schema: int) -> None:
    write(tmp_path, kind)
    now = count(prediction=tmp_path / "prediction", truth=tmp_path / "truth", missing="worst")
    before = open_run(RUNS / f"{kind}-{schema}.segeval")
    assert before.contingency().equals(now.contingency())
    assert len(now.contingency()) > 10
    assert [image.name for image in before.images] == ["a", "b", "town/c"]


@pytest.mark.parametrize("schema", range(1, SCHEMA))
def test_runs_of_every_schema_are_scored_and_added(tmp_path: Path, schema: int) -> None:
    old = RUNS / f"values-{schema}.segeval"
    total = segeval("report", old, "--format", "total").stdout
    assert total == segeval("report", RUNS / "values-3.segeval", "--format", "total").stdout
    segeval("merge", old, RUNS / "values-3.segeval", "-o", tmp_path / "sum.segeval")
    assert segeval("report", tmp_path / "sum.segeval", "--format", "total").stdout == total
