"""Classes that a table names: without a label map, with one, and on one side only."""

from __future__ import annotations

from pathlib import Path

import pytest
from made.sets import document, save, segeval

PREDICTION = """\
Image_Label,EncodedPixels
a.jpg_Fish,1 3
a.jpg_Sugar,10 2
b.jpg_Fish,
b.jpg_Sugar,3 3
"""
TRUTH = "id,class,segmentation\na,Fish,1 3\na,Gravel,7 2\na,Sugar,10 2\nb,Sugar,4 3\n"
LABELS = """\
labels = [
    { name = "Sugar", values = [1] }, { name = "Gravel", values = [2] },
    { name = "Fish", values = [3] }, { name = "background", values = [0] },
]
"""
IOU = {"background": 29 / 33, "Fish": 1.0, "Gravel": 0.0, "Sugar": 4 / 6}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two tables that name their classes, a label map, and masks of its values."""
    for name, text in (("p.csv", PREDICTION), ("t.csv", TRUTH), ("l.toml", LABELS)):
        (tmp_path / name).write_text(text, "utf-8")
    a = [[3, 0, 0, 0, 0], [3, 0, 1, 0, 0], [3, 2, 1, 0, 0], [0, 2, 0, 0, 0]]
    b = [[0, 1, 0, 0, 0], [0, 1, 0, 0, 0], [0, 0, 0, 0, 0], [1, 0, 0, 0, 0]]
    save(tmp_path / "truth" / "a.png", a)
    save(tmp_path / "truth" / "b.png", b)
    return tmp_path


@pytest.mark.parametrize("options", [[], ["--labels", "l.toml"]])
@pytest.mark.parametrize("truth", ["t.csv", "truth"])
def test_classes_are_found_by_their_names(
    folder: Path, options: list[str], truth: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    if truth == "truth" and not options:
        done = segeval("score", "p.csv", truth, expect=3)
        assert (
            "the prediction names its classes (Fish, Sugar), the truth holds 0..3; type"
            in done.stderr
        )
        return
    found = document("p.csv", truth, "--size", "4x5", *options, "-o", "run.segeval")
    assert {row["name"]: row["iou"] for row in found["classes"]} == pytest.approx(IOU)
    segeval("report", "run.segeval", "--html", "page.html", *options)
    assert "data:image/png" in Path("page.html").read_text("utf-8")


def test_names_of_a_table_are_those_of_the_categories_of_json(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    segeval("rle", "encode", "truth", "-o", "t.json", "--form", "coco", "--labels", "l.toml")
    found = document("p.csv", "t.json")
    assert {row["name"]: row["iou"] for row in found["classes"]} == pytest.approx(IOU)
    Path("p.csv").write_text(PREDICTION.replace("Fish", "Flower"), "utf-8")
    assert (
        "the prediction names its classes (Flower, Sugar), the truth holds background, Sugar, "
        "Gravel, Fish; type --labels" in segeval("score", "p.csv", "t.json", expect=3).stderr
    )
