"""Weights of classes from files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from made.sets import data_set, document, segeval

import segeval as library

TRUTH, PREDICTION = [[0, 0, 0, 1, 1, 2]], [[0, 0, 1, 1, 2, 2]]  # IoU 2/3, 1/3, 1/2


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    return data_set(tmp_path, {"one": (TRUTH, PREDICTION), "two": (TRUTH, TRUTH)})


@pytest.mark.parametrize(
    ("name", "text"),
    [("w.csv", "class,weight\n2,1\n0,3\n1,0.5\n"), ("w.toml", "0 = 3\n1 = 0.5\n2 = 1.0\n")],
)
def test_classes_weigh_what_a_file_says(
    folders: tuple[Path, Path], tmp_path: Path, name: str, text: str
) -> None:
    path = tmp_path / name
    path.write_text(text)
    one = document(*folders, "--include", "one", "--weights", path)
    assert one["summary"]["miou"] == pytest.approx((3 * 2 / 3 + 0.5 / 3 + 1 / 2) / 4.5, rel=1e-12)
    assert "|weights:3,0.5,1|" in one["signature"]
    by_image = document(*folders, "--weights", path, "--pooling", "image")
    assert by_image["summary"]["miou"] == pytest.approx((one["summary"]["miou"] + 1) / 2, rel=1e-12)
    convention = library.Convention(weights=(("0", 3.0), ("1", 0.5), ("2", 1.0)))
    result = library.score(
        prediction=folders[0] / "one.png", truth=folders[1] / "one.png", convention=convention
    )
    assert result.summary == pytest.approx(one["summary"], nan_ok=True)


def test_weights_are_part_of_the_name_of_a_preset_and_of_comparisons(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    path = tmp_path / "w.csv"
    path.write_text("class,weight\n0,3\n1,1\n2,1\n")
    like = document(*folders, "--weights", path, "--like", "detectron2")
    assert "|like:detectron2+weights|" in like["signature"]
    options = ("--truth", folders[1], "--weights", path, "--format", "json", "--ci", 20)
    compared = json.loads(segeval("compare", folders[0], folders[1], *options).stdout)
    assert "|weights:3,1,1|" in compared["signature"]
    assert (
        compared["summary"]["miou"]["baseline"]
        == document(*folders, "--weights", path)["summary"]["miou"]
    )


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        (
            "class,weight\n0,1\n1,1\n",
            [],
            "--weights: class 2 has no weight; give one to each class",
        ),
        ("class,weight\n0,1\n1,1\n2,1\n3,1\n", [], "--weights: no class is called '3'; give"),
        (
            "class,weight\n0,1\n1,1\n2,x\n",
            [],
            "is no weight; a file is CSV with the header class,weight",
        ),
        ("class,heavy\n0,1\n", [], "is no weight; a file is CSV with the header class,weight"),
        ("class,weight\n0,1\n0,1\n", [], "a class stands there twice"),
        ("class,weight\n0,-1\n1,1\n2,1\n", [], "weights are 0 or more and finite"),
        ("class,weight\n0,0\n1,0\n2,0\n", [], "not all 0"),
        (
            "class,weight\n0,1\n1,1\n2,1\n",
            ["--pooling", "micro"],
            "pooling by micro takes no mean over classes",
        ),
    ],
)
def test_weights_that_make_no_sense_are_refused(
    folders: tuple[Path, Path], tmp_path: Path, text: str, options: list[str], message: str
) -> None:
    path = tmp_path / "w.csv"
    path.write_text(text)
    said = segeval("score", *folders, "--weights", path, *options, expect=2).stderr
    assert message in said
    assert "no-file: cannot be read: No such file" in " ".join(
        segeval("score", *folders, "--weights", "no-file", expect=2).stderr.split()
    )
