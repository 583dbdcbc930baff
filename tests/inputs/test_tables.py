"""Tables of run lengths: what their rows are, and every way in which they can be wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made.sets import document, save, segeval

from segeval.counting.dataset import count_pair
from segeval.counting.run import ImageCounts
from segeval.counting.runfile import read_run
from segeval.errors import Problem
from segeval.inputs.pairing import Pair

MASKS = {
    "0003": np.array([[0, 1, 1, 0], [0, 1, 0, 0], [1, 1, 0, 1]], np.uint8),
    "b": np.zeros((3, 4), np.uint8),
}
ROWS = ["0003,3 4", "0003,7 1 12 1", "b,"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with two truths, and a table of the same masks beside it."""
    for name, mask in MASKS.items():
        save(tmp_path / "truth" / f"{name}.png", mask)
    write(tmp_path / "table.csv", *ROWS)
    return tmp_path


def write(path: Path, *rows: str, header: str = "ImageId,EncodedPixels") -> Path:
    path.write_text("\n".join([*filter(None, [header]), *rows, ""]), "utf-8")
    return path


def test_a_table_on_either_side_is_scored_like_its_masks(folder: Path) -> None:
    table, truth = folder / "table.csv", folder / "truth"
    for sides in ((table, truth), (truth, table), (table, table, "--size", "3x4")):
        found = document(*sides)
        assert found["summary"]["miou"] == 1
        assert found["signature"].count("|format:kaggle-rle,order:column,base:1|") == 1


def test_an_appended_row_recounts_its_image_alone(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = ("score", folder / "table.csv", folder / "truth", "-o", folder / "run.segeval")
    segeval(*call)
    write(folder / "table.csv", *ROWS, "b,1 2")
    read: list[str] = []

    def noting(pair: Pair, **how: Any) -> ImageCounts | Problem:
        read.append(pair.name)
        return count_pair(pair, **how)

    monkeypatch.setattr("segeval.counting.dataset.count_pair", noting)
    done = segeval(*call, "--resume", "--format", "json")
    assert read == ["b"]
    assert json.loads(done.stdout)["classes"][1]["predicted"] == 8


def test_pictures_are_drawn_from_the_rows_that_were_counted(folder: Path) -> None:
    run = folder / "run.segeval"
    segeval("score", folder / "table.csv", folder / "table.csv", "--size", "3x4", "-o", run)
    assert [image.truth_path for image in read_run(run).images] == [
        f"{folder}/table.csv#{key}" for key in MASKS
    ]
    segeval("report", run, "--html", folder / "page.html")
    assert "data:image/png" in (folder / "page.html").read_text("utf-8")
    segeval("overlay", folder / "table.csv", folder / "truth", "-o", folder / "pictures")
    assert len([*(folder / "pictures").glob("*.png")]) == len(MASKS)
