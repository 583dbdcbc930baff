"""Classes of annotations: names that do not match, and what is no label image."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made.coco import annotation, coco, written
from made.sets import document, save, segeval

from segeval.counting.dataset import count_dataset
from segeval.errors import LabelError
from segeval.labels.ids import with_ids
from segeval.settings import Source

LEFT = {"size": [4, 6], "counts": [0, 12, 12]}
MASK = np.repeat([[1, 0]], 4, axis=0).repeat([4, 2], axis=1).astype(np.uint8)


def table(path: Path, *rows: str, columns: str = "ImageId,EncodedPixels") -> Path:
    """Write a table of run lengths."""
    return written(path, "\n".join((columns, *rows, "")))


def test_a_class_that_the_truth_does_not_know_is_told_with_its_neighbour(tmp_path: Path) -> None:
    both = annotation(LEFT), annotation({"size": [4, 6], "counts": [20, 4]}, id=2, category_id=7)
    truth = written(tmp_path / "t.json", coco(*both))
    other = written(tmp_path / "p.json", coco(*both, categories=((1, "Leaf"), (7, "root"))))
    said = " ".join(segeval("score", other, truth).stderr.split())
    assert "no class 'Leaf', which is predicted on 12 pixels; did you mean 'leaf'?" in said
    assert "no class" not in segeval("score", truth, truth).stderr
    assert segeval("score", other, truth, "--quiet").stderr == ""


def test_names_of_which_none_is_on_both_sides_are_told(tmp_path: Path) -> None:
    columns = "ImageId,ClassId,EncodedPixels"
    numbers = table(tmp_path / "t.csv", "a,1,1 4", "a,2,9 2", columns=columns)
    words = table(tmp_path / "p.csv", "a,leaf,1 4", "a,root,9 2", columns=columns)
    said = " ".join(segeval("score", words, numbers, "--size", "4x6").stderr.split())
    assert "the truth holds 1, 2, the prediction leaf, root; call the same classes alike" in said


@pytest.mark.parametrize("turned", [False, True])
def test_runs_beside_black_and_white_masks_are_binary(tmp_path: Path, *, turned: bool) -> None:
    save(tmp_path / "masks" / "a.png", MASK * 255)
    save(tmp_path / "masks" / "b.png", MASK * 255)
    sides = [table(tmp_path / "runs.csv", "a,5 12", "b,"), tmp_path / "masks"]
    found = document(*sides[::-1] if turned else sides)
    assert [row["tp"] for row in found["classes"]] == [16, 12]
    assert found["signature"].startswith("labels:binary(found)|")
    said = segeval("score", *sides)
    assert "nothing but 0, 1 and 255, so they are scored as binary with all but 0" in said.stderr
    one = table(tmp_path / "one.csv", "a,5 12")
    found = document(one, tmp_path / "masks", "--missing", "worst")
    assert [row["tp"] for row in found["classes"]] == [8, 12]


def test_masks_of_ones_beside_black_and_white_ones_stay_in_doubt(tmp_path: Path) -> None:
    save(tmp_path / "p" / "a.png", MASK)
    save(tmp_path / "t" / "a.png", MASK * 255)
    said = segeval("score", tmp_path / "p", tmp_path / "t", expect=3)
    assert "binary masks, stored in two ways" in said.stderr


def test_rows_that_make_one_mask_are_no_objects(tmp_path: Path) -> None:
    runs = table(tmp_path / "p.csv", "a,5 12")
    save(tmp_path / "masks" / "a.png", MASK * 3)
    how = runs, tmp_path / "masks", "--objects", "ids"
    said = " ".join(segeval("score", *how, expect=3).stderr.split())
    assert "table of the prediction makes one mask of the rows of an image" in said
    assert "type --rle-rows objects if each row is an object" in said
    assert document(*how, "--rle-rows", "objects")["objects"]["predicted"] == 1
    columns = "ImageId,ClassId,EncodedPixels"
    numbered = table(tmp_path / "n.csv", "a,1,1 4", "a,2,9 2", columns=columns)
    assert document(numbered, *how[1:])["objects"]["predicted"] == 2


def test_annotations_that_were_counted_by_class_alone_have_no_objects(tmp_path: Path) -> None:
    path = written(tmp_path / "t.json", coco(annotation(LEFT)))
    run = count_dataset(Source(prediction=path, truth=path))
    with pytest.raises(LabelError, match=r"of the truth were counted by class.*score them again"):
        with_ids(replace(run, objects=None), None)
    masks = save(tmp_path / "masks" / "a.png", MASK).parent
    said = " ".join(segeval("score", masks, path, "--objects", "ids", expect=3).stderr.split())
    assert "the masks of the prediction say of each pixel which class it is of" in said
    empty = written(tmp_path / "e.json", coco())
    assert document(empty, empty, "--objects", "ids")["objects"]["truth"] == 0


def test_ids_without_a_common_value_say_what_to_type_in_every_command(tmp_path: Path) -> None:
    save(tmp_path / "p" / "a.png", MASK * 7)
    save(tmp_path / "t" / "a.png", MASK * 9)
    folders = tmp_path / "p", tmp_path / "t"
    said = " ".join(segeval("overlay", *folders, "-o", tmp_path / "drawn", expect=3).stderr.split())
    assert "or type --objects ids if each value is an object (--threshold 1 --truth-th" in said
    assert document(*folders, "--objects", "ids")["objects"]["pq"] == 1
    binary = ("--threshold", 1, "--truth-threshold", 1)
    segeval("overlay", *folders, "-o", tmp_path / "drawn", *binary)
    assert (tmp_path / "drawn" / "a.png").exists()
