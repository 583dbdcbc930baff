"""Files of annotations that are wrong in the ways of a first day: what is said, and only once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made.coco import annotation, coco, result, written
from made.sets import save, segeval

LEFT = {"size": [4, 6], "counts": [0, 12, 12]}
TRUTH = coco(annotation(LEFT), images=((5, "a.jpg", 4, 6), (6, "b.jpg", 4, 6)))
MASK = np.zeros((4, 6), np.uint8)
RESULTS = [result(LEFT, 0.5)]
BOX = {"segmentation": None, "bbox": [1, 2, 3, 4]}


def said_of(folder: Path, prediction: Any, truth: Any) -> list[str]:
    """Score two files of annotations that cannot be, and return the problems."""
    files = written(folder / "p.json", prediction), written(folder / "t.json", truth)
    said = segeval("score", *files, expect=3)
    head, *problems = " ".join(said.stderr.split()).split(" bad annotations: ")
    assert head.endswith(" in the data; nothing was scored")
    return problems


FAULTS: dict[str, tuple[Any, Any, str]] = {
    "cut off": (RESULTS, '{"images": [{"id"', "line 1: Expecting ':' delimiter; the file ends too"),
    "cut in a text": ('[{"image_', TRUTH, "Unterminated string starting at; the file ends too ear"),
    "cut between": ("[1", TRUTH, "line 1: expected , or ]; the file ends too early, write or copy"),
    "a word that is none": ("[1, x]", TRUTH, "line 1: Expecting value"),
    "empty": ("", TRUTH, "p.json: the file is empty; write it again"),
    "results second": (TRUTH, RESULTS, "no truth; name it first, as PRED, and the annotations sec"),
    "boxes": ([RESULTS[0] | BOX] * 3, TRUTH, "result of image 5 and 2 more have no segmentation,"),
    "boxes as truth": (
        RESULTS,
        coco(annotation([], bbox=[1, 2, 3, 4])),
        "t.json: every segmentation (1) is empty; are there boxes alone?",
    ),
    "categories from 0": (
        [result(LEFT, 0.5, category_id=0)],
        TRUTH,
        "category 0 is the background of the truth, whose categories are 1,7; write these ids",
    ),
    "ids as texts": (
        [result(LEFT, 0.5, image_id="5")],
        TRUTH,
        "such as 5; they are texts here and numbers there, write both alike",
    ),
    "panoptic list": (
        [{"image_id": 5, "file_name": "a.png", "segments_info": []}],
        TRUTH,
        "it is a list of panoptic annotations; name the whole file",
    ),
}


@pytest.mark.parametrize("kind", FAULTS)
def test_one_fault_is_one_problem(tmp_path: Path, kind: str) -> None:
    prediction, truth, reason = FAULTS[kind]
    (problem,) = said_of(tmp_path, prediction, truth)
    assert reason in problem
    assert ("the file ends too early" in problem) == kind.startswith("cut")


def test_a_bad_result_is_told_by_its_place_in_the_list(tmp_path: Path) -> None:
    short = {"size": [4, 6], "counts": [3]}
    files = [
        written(tmp_path / "p.json", [RESULTS[0], result(short, 0.5), result(short, 0.25)]),
        written(tmp_path / "t.json", TRUTH),
    ]
    said = " ".join(segeval("score", *files, expect=3).stderr.split())
    assert "image 5: entry 3 of the list: its runs have 3 pixels" in said
    assert "24, entry 2 of the list: its runs have 3 pixels" in said


def test_a_threshold_in_percent_is_refused_where_scores_are_fractions(tmp_path: Path) -> None:
    results, truth = written(tmp_path / "p.json", RESULTS), written(tmp_path / "t.json", TRUTH)
    said = segeval("score", results, truth, "--score-threshold", 40, expect=3)
    assert "scores are up to 0.5, so --score-threshold 40 leaves out all; did you mean" in (
        " ".join(said.stderr.split())
    )
    high = written(tmp_path / "high.json", [result(LEFT, 80.0)])
    assert segeval("score", high, truth, "--score-threshold", 40).returncode == 0


def test_a_missing_file_is_called_a_file_and_a_missing_folder_a_folder(tmp_path: Path) -> None:
    results = written(tmp_path / "p.json", RESULTS)
    for name, what in (("t.json", "file"), ("t.v2", "folder")):
        said = segeval("score", results, tmp_path / name, expect=3)
        assert said.stderr.count("\n") == 2
        assert f"no such {what}: truth {what} " in said.stderr


def test_results_of_masks_whose_names_are_no_ids_say_how_to_call_them(tmp_path: Path) -> None:
    save(tmp_path / "truth" / "a.png", MASK)
    said = segeval("score", written(tmp_path / "p.json", RESULTS), tmp_path / "truth", expect=3)
    assert "or call its masks by these ids" in " ".join(said.stderr.split())


def test_a_folder_of_json_and_colours_beside_json_say_to_name_the_file(tmp_path: Path) -> None:
    colors = np.zeros((4, 6, 3), np.uint8)
    colors[0] = 3, 2, 1
    folders = [save(tmp_path / side / "a.png", colors).parent for side in "pt"]
    how = (*folders, "--labels", written(tmp_path / "l.csv", "name,r,g,b\na,0,0,0\nb,3,2,1\n"))
    assert segeval("score", *how).stderr == ""
    file = written(tmp_path / "t.json", TRUTH)
    assert f"notice: {file} may say which classes the colours" in segeval("score", *how).stderr
    assert segeval("score", *how, "--quiet").stderr == ""
    inside = written(tmp_path / "only" / "a.json", TRUTH)
    said = segeval("score", inside.parent, file, expect=3)
    assert f"; a table or JSON is named itself, as {inside}" in " ".join(said.stderr.split())


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--pred-suffix", "_x"), "no name of the prediction side, such as 'a.jpg', ends in '_x'"),
        (("--truth-suffix", "_x"), "no name of the truth side, such as 'a.jpg', ends in '_x'"),
        (("--include", "c*"), "no name of the truth side, such as 'a.jpg', matches 'c*'"),
        (("--level", "category"), "type --labels FILE.json if they are categories of COCO with"),
    ],
)
def test_options_that_leave_nothing_of_a_file_say_so(
    tmp_path: Path, options: tuple[str, str], reason: str
) -> None:
    files = written(tmp_path / "p.json", RESULTS), written(tmp_path / "t.json", TRUTH)
    assert reason in " ".join(segeval("score", *files, *options, expect=3).stderr.split())


def test_a_file_of_another_kind_is_told_how_tables_and_annotations_are_called(
    tmp_path: Path,
) -> None:
    files = written(tmp_path / "p.dat", RESULTS), save(tmp_path / "t" / "a.png", MASK).parent
    said = " ".join(segeval("score", *files, expect=3).stderr.split())
    assert "(tables end in .csv, .tsv or .txt, annotations in .json)" in said
