"""Tables as CSV: columns that are picked, digits, and one score a row."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pytest
from made.sets import data_set, segeval

from segeval.reports.csvstyle import CsvStyle, parse_csv_columns

TRUTH = [[0, 1, 1, 2], [0, 1, 2, 2]]
PREDICTION = [[0, 1, 2, 2], [0, 0, 2, 2]]
ONE = [[0, 0, 0, 0], [0, 0, 0, 0]]


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    return data_set(tmp_path, {"a": (TRUTH, PREDICTION), "b": (ONE, ONE)})


def table(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text)))


def test_columns_are_picked_in_their_order_and_renamed(folders: tuple[Path, Path]) -> None:
    score = ["score", *folders, "--group-by", "(.)"]
    picked = ["--csv-columns", "image=id,mdice=score", "--float-format", ".3f"]
    assert segeval(*score, "--per-image", "-", *picked).stdout == "id,score\na,0.719\nb,1.000\n"
    picked = ["--csv-columns", "iou,name=class", "--float-format", ".2e"]
    printed = "iou,class\n9.09e-01,0\n3.33e-01,1\n7.50e-01,2\n6.64e-01,mean\n"
    assert segeval(*score, "--csv", "-", *picked).stdout == printed
    assert segeval(*score, "--format", "csv", *picked).stdout == printed
    picked = ["--csv-columns", "images,group"]
    assert segeval(*score, "--per-group", "-", *picked).stdout == "images,group\n1,a\n1,b\n"


def test_comparisons_and_losses_have_columns_too(folders: tuple[Path, Path]) -> None:
    compare = ["compare", folders[0], folders[0], "--truth", folders[1]]
    compare += ["--csv-columns", "image=id,delta", "--float-format", ".1f"]
    assert segeval(*compare, "--per-image", "-").stdout == "id,delta\na,0.0\nb,0.0\n"
    maps = folders[0].parent / "maps"
    maps.mkdir()
    for name in "ab":
        np.save(maps / name, np.full((3, 2, 4), 1 / 3))
    losses = ["losses", maps, folders[1], "--csv-columns", "judged,image", "--per-image", "-"]
    assert segeval(*losses).stdout == "judged,image\n8,a\n8,b\n"


def test_every_number_with_a_fraction_has_the_digits(folders: tuple[Path, Path]) -> None:
    command = ["score", *folders, "--per-image", "-"]
    plain, rounded = (
        table(segeval(*command, *more).stdout) for more in ([], ["--float-format", ".2f"])
    )
    assert rounded[0] == plain[0]
    for row, shown in zip(plain[1:], rounded[1:], strict=True):
        for name, value, text in zip(plain[0], row, shown, strict=True):
            fraction = value and name not in {"image", "group", "pixels", "judged", "signature"}
            assert text == (f"{float(value):.2f}" if fraction else value), name
    assert "" in plain[2][:-1]


def test_a_rounded_zero_has_no_sign() -> None:
    from segeval.reports.csv import write_csv

    rows: list[list[object]] = [[-1e-9, 3, None], [float("nan"), -2, "-x"]]
    style = CsvStyle(float_format=".2f")
    assert write_csv(["a", "b", "c"], rows, style) == "a,b,c\n0.00,3,\n,-2,-x\n"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--csv", "-", "--csv-columns", "nmae"], "is called 'nmae'; did you mean 'name'?"),
        (["--csv", "-", "--csv-columns", "image"], "'image'. The table has index, name, supp"),
        (["--per-image", "-", "--csv-columns", "image,mdize"], "did you mean 'mdice'? The table"),
        (["--csv-columns", "name=a,iou=a"], "--csv-columns: two columns are called 'a'"),
        (["--csv-columns", "name="], "'name=' is not a list of COLUMN or COLUMN=NAME, e.g. image"),
        (["--csv-columns", ""], "'' is not a list of COLUMN"),
        (["--csv-columns", '"a'], "is not a list of COLUMN"),
        (["--float-format", "%.6f"], "'%.6f' is not a number of digits and one of e, f, g; type"),
    ],
)
def test_what_cannot_be_written_is_said_before_masks_are_read(
    tmp_path: Path, options: list[str], said: str
) -> None:
    done = segeval("score", tmp_path / "no", tmp_path / "none", *options, expect=2)
    assert said in done.stderr


def test_the_score_of_a_class_that_is_not_there_is_found_with_the_classes(
    folders: tuple[Path, Path],
) -> None:
    done = segeval("score", *folders, "--per-image", "-", "--csv-columns", "iou_7", expect=2)
    assert "no column is called 'iou_7'; did you mean 'iou_2'? The table has image" in done.stderr


def test_names_of_columns_may_hold_commas_and_equals_signs() -> None:
    assert parse_csv_columns('"iou_a,b",iou_c=d=e') == (("iou_a,b", "iou_a,b"), ("iou_c=d", "e"))


def test_tidy_data_hold_the_scores_of_the_wide_table(folders: tuple[Path, Path]) -> None:
    wide, tidy = (
        table(segeval("score", *folders, option, "-").stdout)
        for option in ("--per-image", "--tidy")
    )
    assert tidy[0] == ["image", "class", "metric", "value"]
    values = {tuple(row[:3]): row[3] for row in tidy[1:]}
    assert len(values) == len(tidy) - 1
    for row in wide[1:]:
        scores = dict(zip(wide[0], row, strict=True))
        means = [name for name in wide[0][4:-1] if not name.startswith("iou_")]
        for name in means:
            assert values.pop((row[0], "", name)) == scores[name]
        for k in "012":
            assert values.pop((row[0], k, "iou")) == scores[f"iou_{k}"]
    assert {metric for _, _, metric in values} == {"dice", "precision", "recall"}
    assert values["a", "1", "recall"] == str(1 / 3)
    assert values["b", "1", "recall"] == ""
