"""Files of COCO in the place of masks: what they hold, and every way in which they can be wrong."""

from __future__ import annotations

import json
import os
import re
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made.coco import SQUARE, annotation, coco, result, side_of, written
from made.sets import document, save, segeval

from segeval.inputs.annotations import Annotation
from segeval.inputs.masks import read_mask
from segeval.inputs.sides import mask_at
from segeval.values import OUTSIDE, UNANNOTATED

FULL = {"size": [4, 6], "counts": [0, 24]}
LEFT = {"size": [4, 6], "counts": [0, 12, 12]}
COLUMN = {"size": [4, 6], "counts": [4, 4, 16]}
needs_pycocotools = pytest.mark.skipif(
    find_spec("pycocotools") is None,
    reason="pycocotools is not installed",
)


def values(path: Path, side: str = "truth", name: str = "a", **choice: Any) -> Any:
    """Return the mask of one image of a file."""
    mask = side_of(path, side, **choice).files[name]
    return read_mask(mask).values


@needs_pycocotools
def test_later_annotations_lie_upon_earlier_ones(tmp_path: Path) -> None:
    path = written(
        tmp_path / "a.json",
        coco(annotation(LEFT), annotation(COLUMN, id=2, category_id=7), annotation([], id=3)),
    )
    expected = np.zeros((4, 6), int)
    expected[:, :3], expected[:, 1] = 1, 7
    np.testing.assert_array_equal(values(path), expected)


def test_a_crowd_is_void_in_the_truth_and_its_class_in_a_prediction(tmp_path: Path) -> None:
    content = coco(annotation(LEFT, iscrowd=1), annotation(COLUMN, id=2, category_id=7))
    path = written(tmp_path / "a.json", content)
    assert values(path)[0].tolist() == [OUTSIDE, 7, OUTSIDE, 0, 0, 0]
    assert values(path, "prediction")[0].tolist() == [1, 7, 1, 0, 0, 0]
    found = document(path, path)
    assert "|crowd:void|" in found["signature"]
    assert found["pixels"]["ignored"] == 8


@pytest.mark.parametrize(
    ("categories", "background"),
    [
        (((1, "leaf"), (7, "root")), 0),
        (((0, "leaf"), (1, "root")), UNANNOTATED),
        (((0, "leaf"), (1, "Background")), 1),
    ],
)
def test_the_background_is_0_unless_a_category_has_it_or_is_called_so(
    tmp_path: Path, categories: Any, background: int
) -> None:
    entry = annotation(COLUMN, category_id=categories[0][0])
    path = written(tmp_path / "a.json", coco(entry, categories=categories))
    assert set(np.unique(values(path))) == {background, categories[0][0]}
    found = document(path, path)
    assert {row["name"].lower() for row in found["classes"] if row["support"]} == {
        "leaf",
        "background",
    }
    assert found["summary"]["miou"] == 1


def test_categories_of_two_files_match_by_name(tmp_path: Path) -> None:
    one = coco(annotation(LEFT), annotation(COLUMN, id=2, category_id=7))
    other = coco(
        annotation(LEFT, category_id=4), annotation(COLUMN, id=2, category_id=0),
        categories=((0, "root"), (4, "leaf"), (9, "bud")),
    )  # fmt: skip
    found = document(written(tmp_path / "p.json", other), written(tmp_path / "t.json", one))
    assert [row["name"] for row in found["classes"]] == ["background", "leaf", "root", "bud"]
    assert found["summary"]["miou"] == 1


def test_results_take_names_and_sizes_from_the_truth(tmp_path: Path) -> None:
    images = ((5, "x/a.jpg", 4, 6), (6, "x/b.jpg", 2, 2))
    truth = written(tmp_path / "t.json", coco(annotation(LEFT), images=images))
    results = [
        result(COLUMN, 0.9, category_id=7), result(LEFT, 0.5), result(FULL, 0.2, category_id=7),
    ]  # fmt: skip
    path = written(tmp_path / "p.json", results)
    found = document(path, truth, "--per-image", tmp_path / "images.csv")
    assert "|format:coco-results|overlap:score|format:coco|" in found["signature"]
    assert (tmp_path / "images.csv").read_text().count("x/b") == 1
    rows = {row["name"]: row for row in found["classes"]}
    assert (rows["root"]["predicted"], rows["leaf"]["predicted"]) == (16, 8)
    found = document(path, truth, "--score-threshold", 0.5)
    assert "|score:0.5|" in found["signature"]
    rows = {row["name"]: row for row in found["classes"]}
    assert (rows["root"]["predicted"], rows["leaf"]["predicted"]) == (4, 8)


def test_results_match_masks_by_the_number_in_their_name(tmp_path: Path) -> None:
    save(tmp_path / "truth" / "000000000005.png", np.eye(4, 6, dtype=np.uint8))
    save(tmp_path / "truth" / "000000000006.png", np.zeros((4, 6), np.uint8))
    path = written(tmp_path / "p.json", [result(COLUMN, 1)])
    found = document(path, tmp_path / "truth")
    assert [(row["name"], row["tp"]) for row in found["classes"]] == [("0", 41), ("1", 1)]


def test_run_lengths_of_results_say_the_size_where_nothing_else_does(tmp_path: Path) -> None:
    path = written(tmp_path / "t.json", coco(annotation(LEFT)))
    assert document(path, path)["pixels"]["total"] == 24


NO_SIZE = coco(annotation(LEFT)) | {"images": [{"id": 5, "file_name": "a"}]}
BAD: dict[str, tuple[Any, str]] = {
    "no JSON": ("{", "not valid JSON: line 1"),
    "another file": ({"a": 1}, "no COCO file: expected an object with `images`"),
    "no images": ({"annotations": []}, "no COCO file"),
    "number as entry": ({"images": [3], "annotations": []}, "an entry of `images` is 3, no object"),
    "image without id": (coco() | {"images": [{}]}, "image: its id is None"),
    "image without size": (NO_SIZE, r"image 5: its height and width are \(None, None\)"),
    "image twice": (coco(images=((5, "a", 1, 1), (5, "b", 1, 1))), "image 5 stands twice"),
    "same names": (coco(images=((5, "a", 1, 1), (6, "a", 1, 1))), "images 5 and 6 have the same"),
    "category twice": (coco(categories=((1, "a"), (1, "b"))), "category 1 stands twice"),
    "category without name": (coco() | {"categories": [{"id": 1}]}, "no whole id, or no plain"),
    "unknown image": (coco(annotation(LEFT, image_id=9)), "annotation 1: image 9 is not among"),
    "unknown category": (coco(annotation(LEFT, category_id=3)), "annotation 1: category 3 is not"),
    "text as category": (coco(annotation(LEFT, category_id="1")), "its category_id is '1'"),
    "no image": (coco(annotation(LEFT, image_id=None)), "annotation 1: its image_id is None"),
    "annotation twice": (coco(annotation(LEFT), annotation(LEFT)), "annotation 1 stands there 2"),
    "a box": (coco(annotation(None, bbox=[1, 2, 3, 4])), "annotation 1 has no segmentation, but"),
    "iscrowd": (coco(annotation(LEFT, iscrowd=2)), "annotation 1: its iscrowd is 2; expected 0"),
    "score": (coco(annotation(LEFT, score="x")), "annotation 1: its score is 'x'"),
    "another size": (
        coco(annotation({"size": [6, 4], "counts": [24]})),
        r"image 5: annotation 1: its size is \[6, 4\] \(rows, columns\), the image's \[4, 6\]",
    ),
    "counts missing": (coco(annotation({"size": [4, 6]})), "image 5: annotation 1: its counts"),
    "counts too few": (coco(annotation({"size": [4, 6], "counts": [3]})), "annotation 1: its .*3"),
    "counts too many": (coco(annotation({"size": [4, 6], "counts": [30]})), "annotation 1: .*30"),
    "counts below 0": (
        coco(annotation({"size": [4, 6], "counts": [-1, 24]})), "annotation 1: a run has -1 pixels",
    ),
    "counts of 70 bits": (
        coco(annotation({"size": [4, 6], "counts": [1 << 70]})), "annotation 1: ",
    ),
    "counts as fractions": (
        coco(annotation({"size": [4, 6], "counts": [1.5]})), "annotation 1: .*1.5",
    ),
    "text cut off": (coco(annotation({"size": [4, 6], "counts": "0P"})), "annotation 1: .*within"),
    "text of another kind": (
        coco(annotation({"size": [4, 6], "counts": "é"})), "annotation 1: its .*é",
    ),
    "text too long": (
        coco(annotation({"size": [4, 6], "counts": "P" * 20 + "0"})), "annotation 1: ",
    ),
}  # fmt: skip
BAD_POLYGONS: dict[str, tuple[Any, str]] = {
    "two corners": (coco(annotation([[1, 1, 2, 2]])), "annotation 1: a polygon has 4 numbers"),
    "half a corner": (coco(annotation([[*SQUARE, 3]])), "annotation 1: a polygon has 9 numbers"),
    "texts as corners": (coco(annotation([["a"] * 6])), "annotation 1: .* is no list of numbers"),
    "lists as corners": (coco(annotation([[[1], [2, 3]]])), "annotation 1: .* is no list of num"),
    "numbers as polygons": (coco(annotation(SQUARE)), "annotation 1: 1.0 is no list of numbers"),
    "far off": (coco(annotation([[*SQUARE, 1e6, 3]])), r"annotation 1: a corner at 1e\+06 is far"),
    "without bounds": (coco(annotation([[1e308, 1, 2, 2, 1, 1e999]])), "not valid JSON|far off"),
}  # fmt: skip


@pytest.mark.parametrize(
    "kind", [*BAD, *(pytest.param(kind, marks=needs_pycocotools) for kind in BAD_POLYGONS)]
)
def test_a_bad_file_is_refused_with_its_image_and_annotation(tmp_path: Path, kind: str) -> None:
    content, reason = (BAD | BAD_POLYGONS)[kind]
    path = written(tmp_path / "a.json", content)
    said = segeval("check", path, path, expect=3)
    text = " ".join((said.stdout + said.stderr).split())
    assert str(path) in text
    assert re.search(reason, text), text


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    wrong = [annotation({"size": [4, 6], "counts": [n]}, id=n) for n in (1, 2)]
    path = written(tmp_path / "a.json", coco(*wrong, annotation(LEFT, id=3, category_id=5)))
    said = segeval("check", path, path, expect=3)
    for part in ("annotation 1: ", "annotation 2: ", "annotation 3: category 5"):
        assert part in " ".join(said.stdout.split())


BAD_RESULTS: dict[str, tuple[Any, str]] = {
    "no image": ([result(LEFT, 0.5, image_id=9)], "none of its image_ids, such as 9, is that of"),
    "one image": ([result(LEFT, 1), result(LEFT, 1, image_id=9)], "image 9: not in the truth"),
    "no scores": ([annotation(LEFT)], "not all of its results have a score"),
    "boxes": ([{"image_id": 5, "category_id": 1, "bbox": [1, 2, 3, 4], "score": 1}], "but a box"),
    "number": ([3], "an entry is 3, no object"),
}


@pytest.mark.parametrize("kind", BAD_RESULTS)
def test_bad_results_are_refused(tmp_path: Path, kind: str) -> None:
    content, reason = BAD_RESULTS[kind]
    truth = written(tmp_path / "t.json", coco(annotation(LEFT)))
    said = segeval("score", written(tmp_path / "p.json", content), truth, expect=3)
    assert re.search(reason, " ".join(said.stderr.split()))


def test_results_are_no_truth_and_need_scores_for_a_threshold(tmp_path: Path) -> None:
    truth = written(tmp_path / "t.json", coco(annotation(LEFT)))
    results = written(tmp_path / "p.json", [result(LEFT, 0.5)])
    said = segeval("score", truth, results, expect=3)
    assert "a list of results, which are no truth" in " ".join(said.stderr.split())
    said = segeval("score", truth, truth, "--score-threshold", 0.5, expect=3)
    assert "leave out --score-threshold" in " ".join(said.stderr.split())


def test_polygons_without_pycocotools_say_what_to_type(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pycocotools", None)
    several = coco(annotation([SQUARE]), annotation([SQUARE], id=2))
    path = written(tmp_path / "a.json", several)
    masks = save(tmp_path / "masks" / "a.png", np.zeros((4, 6), np.uint8))
    said = segeval("score", masks.parent, path, expect=3)
    assert " ".join(said.stderr.split()).count('type pip install "segeval-masks[coco]"') == 1
    path = written(tmp_path / "b.json", coco(annotation(LEFT)))
    assert document(path, path)["summary"]["miou"] == 1


def test_a_changed_annotation_recounts_its_image_alone(tmp_path: Path) -> None:
    images = ((5, "a.jpg", 4, 6), (6, "b.jpg", 4, 6))
    entries = [annotation(LEFT), annotation(COLUMN, id=2, image_id=6)]
    truth = written(tmp_path / "t.json", coco(*entries, images=images))
    prediction = written(tmp_path / "p.json", coco(*entries, images=images))
    run = tmp_path / "run.segeval"
    segeval("score", prediction, truth, "-o", run)
    entries[1] = annotation(LEFT, id=2, image_id=6)
    written(prediction, coco(*entries, images=images))
    said = segeval("score", prediction, truth, "-o", run, "--resume", "--format", "json")
    assert json.loads(said.stdout)["summary"]["miou"] < 1
    found = json.loads(segeval("report", run, "--format", "json").stdout)
    assert [row["name"] for row in found["classes"]] == ["background", "leaf", "root"]


def test_a_run_finds_its_annotations_again(tmp_path: Path) -> None:
    content = coco(annotation(LEFT, iscrowd=1), annotation(COLUMN, id=2, score=0.5))
    path = written(tmp_path / "a.json", content)
    for side in ("truth", "prediction"):
        mask = side_of(path, side).files["a"]
        assert isinstance(mask, Annotation)
        again = mask_at(str(mask), mask.form, (4, 6))
        assert isinstance(again, Annotation)
        assert again.fingerprint() == mask.fingerprint()
        np.testing.assert_array_equal(again.values((4, 6)), mask.values((4, 6)))


def test_a_file_that_changes_meanwhile_is_told(tmp_path: Path) -> None:
    path = written(tmp_path / "a.json", coco(annotation(LEFT)))
    mask = side_of(path, "truth").files["a"]
    written(path, coco(annotation(COLUMN)))
    os.utime(path, (1, 1))
    with pytest.raises(Exception, match="changes while it is read"):
        read_mask(mask)


PNG = {"id": 1, "image_id": 5, "file_name": "a.png"}
SEGMENTS = [{"id": 66051, "category_id": 7}, {"id": 2, "category_id": 1, "iscrowd": 1}]


def panoptic(folder: Path, segments: Any, **more: Any) -> Path:
    colors = np.zeros((4, 6, 3), np.uint8)
    colors[:, 1] = 3, 2, 1
    colors[:, 2] = 2, 0, 0
    save(folder / "a" / "a.png", colors)
    entry = PNG | {"segments_info": segments} | more
    return written(folder / "a.json", coco(entry))


def test_panoptic_segments_are_their_categories(tmp_path: Path) -> None:
    path = panoptic(tmp_path, SEGMENTS)
    assert values(path)[0].tolist() == [OUTSIDE, 7, OUTSIDE, OUTSIDE, OUTSIDE, OUTSIDE]
    assert values(path, "prediction")[0].tolist() == [OUTSIDE, 7, 1, OUTSIDE, OUTSIDE, OUTSIDE]
    mask = side_of(path, "truth").files["a"]
    assert mask.ids((4, 6))[0].tolist() == [0, 66051, 2, 0, 0, 0]  # type: ignore[union-attr]
    assert document(path, path)["pixels"]["judged"] == 4


BAD_PANOPTIC: dict[str, tuple[Any, dict[str, Any], str]] = {
    "unknown id": (SEGMENTS[:1], {}, "holds segment 2, which segments_info does not list"),
    "no list": (3, {}, "its segments_info is 3"),
    "no id": ([{}], {}, "has no whole number as id"),
    "no category": ([{"id": 2}], {}, "segment 2: its category_id is None"),
    "no file": (SEGMENTS, {"file_name": None}, "its file_name is None; expected that of a PNG"),
    "other file": (SEGMENTS, {"file_name": "b.png"}, "b.png: cannot be opened"),
}


@pytest.mark.parametrize("kind", BAD_PANOPTIC)
def test_bad_panoptic_files_are_refused(tmp_path: Path, kind: str) -> None:
    segments, more, reason = BAD_PANOPTIC[kind]
    path = panoptic(tmp_path, segments, **more)
    said = segeval("check", path, path, expect=3)
    assert reason in " ".join(said.stdout.split())


def test_panoptic_pngs_lie_in_the_folder_of_the_name(tmp_path: Path) -> None:
    path = panoptic(tmp_path, SEGMENTS)
    (tmp_path / "a").rename(tmp_path / "b")
    said = segeval("score", path, path, expect=3)
    assert f"no folder '{tmp_path / 'a'}' beside it with the PNGs" in " ".join(said.stderr.split())
