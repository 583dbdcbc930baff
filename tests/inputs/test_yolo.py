"""Texts of YOLO in the place of masks: sizes, confidences, backgrounds, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made.sets import document, save, segeval

pytest.importorskip("pycocotools", reason="pycocotools is not installed")

LEFT = "0.0 0.0 0.5 0.0 0.5 1.0 0.0 1.0"
RIGHT = "0.5 0.0 1.0 0.0 1.0 1.0 0.5 1.0"


def texts(folder: Path, **lines: str) -> Path:
    """Write a folder of texts, by the names of images."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in lines.items():
        (folder / f"{name}.txt").write_text(text, "utf-8")
    return folder


def correct(found: dict[str, Any]) -> int:
    """Return the number of pixels of which the class is found."""
    return sum(row["tp"] for row in found["classes"])


def test_size_comes_from_the_image_beside_the_text_or_from_the_user(tmp_path: Path) -> None:
    labels = texts(tmp_path / "labels", a=f"0 {LEFT}\n")
    said = segeval("score", labels, labels, expect=3)
    assert "type --size HEIGHTxWIDTH" in " ".join(said.stderr.split())
    found = document(labels, labels, "--size", "4x6")
    assert "|format:yolo|fill:coco|overlap:later|size:4x6|" in found["signature"]
    save(tmp_path / "images" / "a.png", np.zeros((8, 10), np.uint8))
    assert document(labels, labels)["pixels"]["total"] == 80


def test_the_image_lies_beside_the_text_of_either_side(tmp_path: Path) -> None:
    sides = [texts(tmp_path / side / "labels", a=f"0 {LEFT}\n") for side in "pt"]
    save(tmp_path / "t" / "images" / "a.png", np.zeros((8, 10), np.uint8))
    assert document(*sides)["pixels"]["total"] == document(*sides[::-1])["pixels"]["total"] == 80


def test_masks_that_count_from_1_match_classes_that_count_from_0(tmp_path: Path) -> None:
    names = tmp_path / "data.yaml"
    names.write_text("names: [leaf, root]\n", "utf-8")
    mask = np.zeros((4, 6), np.uint8)
    mask[:, :3], mask[0, 5] = 1, 2
    save(tmp_path / "truth" / "a.png", mask)
    texts(tmp_path / "p", a=f"0 {LEFT}\n")
    said = segeval("score", tmp_path / "p", tmp_path / "truth", expect=3)
    assert "type --labels data.yaml" in " ".join(said.stderr.split())
    found = document(tmp_path / "p", tmp_path / "truth", "--labels", names)
    assert [(row["name"], row["tp"]) for row in found["classes"]] == [
        ("background", 11), ("leaf", 12), ("root", 0),
    ]  # fmt: skip


def test_confidences_decide_what_is_left_out(tmp_path: Path) -> None:
    truth = texts(tmp_path / "t", a=f"0 {LEFT}\n1 {RIGHT}\n")
    prediction = texts(tmp_path / "p", a=f"0 {LEFT} 0.9\n1 {RIGHT} 0.2\n")
    options = ("--size", "4x6")
    assert correct(document(prediction, truth, *options)) == 24
    found = document(prediction, truth, *options, "--score-threshold", 0.5)
    assert correct(found) == 12
    assert "|score:0.5|" in found["signature"]
    said = segeval("score", prediction, truth, *options, "--score-threshold", 50, expect=3)
    assert "--score-threshold 50 leaves out all; did you mean 0.5?" in " ".join(said.stderr.split())


def test_an_image_without_a_text_has_nothing_predicted(tmp_path: Path) -> None:
    truth = texts(tmp_path / "t", a=f"0 {LEFT}\n", b=f"0 {LEFT}\n")
    prediction = texts(tmp_path / "p", a=f"0 {LEFT}\n")
    found = document(prediction, truth, "--size", "4x6")
    assert "|no-text:empty|" in found["signature"]
    assert found["images"]["scored"] == 2
    assert correct(found) == 36


BAD = {
    "a box": ("0 0.5 0.5 0.1 0.1", "line 1: it is a box"),
    "odd": (f"0 {LEFT} 0.5 0.5 0.5", "line 1: it has 11 numbers behind the class"),
    "boxes": ("0 0.5 0.5 0.1 0.1\n" * 2, "t/a.txt: each line: it is a box"),
    "boxes among others": (f"0 .5 .5 .1 .1\n0 {LEFT}\n0 1 1 1 1\n", "lines 1, 3: it is a box"),
    "confidence": (f"0 {LEFT} 0.5", "each corner; if the last is a confidence, are PRED and TRUTH"),
    "pixels": ("0 1 1 40 1 40 40", "line 1: a coordinate is 40; expected shares"),
    "class": (f"0.5 {LEFT}", "line 1: its class is '0.5'"),
    "word": (f"0 {LEFT}\nleaf {LEFT}", "line 2: 'leaf' is no number"),
}


@pytest.mark.parametrize("kind", BAD)
def test_bad_lines_are_refused_with_their_numbers(tmp_path: Path, kind: str) -> None:
    text, reason = BAD[kind]
    folder = texts(tmp_path / "t", a=text)
    said = segeval("check", folder, folder, "--size", "4x6", expect=3)
    assert reason in " ".join(said.stdout.split())


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # of pycocotools
def test_a_thousand_images_have_the_scores_of_their_masks(tmp_path: Path) -> None:
    from pycocotools import mask as library

    random, shape = np.random.default_rng(1), (48, 64)
    masks: dict[str, list[Any]] = {"p": [], "t": []}
    for number in range(1000):
        for side, painted in masks.items():
            mask, lines = np.full(shape, 3), []
            for _ in range(int(random.integers(0, 4))):
                corners = (random.random((5, 2)) / 2 + random.random(2) / 2).round(6)
                category = int(random.integers(0, 3))
                lines.append(f"{category} {' '.join(map(str, corners.ravel().tolist()))}")
                flat = (corners * [shape[1], shape[0]]).ravel().tolist()
                mask[library.decode(library.frPyObjects([flat], *shape))[..., 0] == 1] = category
            texts(tmp_path / side / "labels", **{f"{number:04d}": "\n".join(lines)})
            painted.append(mask)
        save(tmp_path / "t" / "images" / f"{number:04d}.png", np.zeros(shape, np.uint8))
    (tmp_path / "data.yaml").write_text("names: [leaf, root, stem]\n", "utf-8")
    sides = [tmp_path / side / "labels" for side in "pt"]
    found = document(*sides, "--labels", tmp_path / "data.yaml")
    prediction, truth = np.array(masks["p"]), np.array(masks["t"])
    for name, k in (("leaf", 0), ("root", 1), ("stem", 2), ("background", 3)):
        one, two = truth == k, prediction == k
        (row,) = (row for row in found["classes"] if row["name"] == name)
        assert row["iou"] == np.sum(one & two) / np.sum(one | two)
