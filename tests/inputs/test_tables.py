"""Tables of run lengths: what their rows are, and every way in which they can be wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made.sets import document, save, segeval

from segeval.counting.dataset import count_pair, pair_up
from segeval.counting.run import ImageCounts
from segeval.counting.runfile import read_run
from segeval.errors import Problem
from segeval.inputs.masks import read_mask
from segeval.inputs.pairing import Pair
from segeval.settings import Reading, Source

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


def test_a_run_finds_an_image_whose_name_or_table_holds_a_number_sign(folder: Path) -> None:
    table = write(folder / "of#1.csv", "a#2,3 4", "a,1 1")
    segeval("score", table, table, "--size", "3x4", "-o", folder / "run.segeval")
    found = [image.pair.truth for image in read_run(folder / "run.segeval").images]
    assert [read_mask(mask, shape=(3, 4)).values.sum() for mask in found] == [1, 4]


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


SAME = [
    ("Kaggle, quoted cells", ['"0003","3 4"', '"0003","7 1 12 1"', '"b",""'], {}, []),
    ("nothing as -1 and -", ["0003,3 4 7 1 12 1", "b,-1", "b,-"], {}, []),
    ("names of files", ["0003.jpg,3 4", "0003.jpg,7 1 12 1", "b.png,"], {}, []),
    ("Tianchi", ["0003.jpg\t3 4 7 1 12 1", "b.jpg\t"], {"header": ""}, []),
    ("Tianchi, tab lost", ["b.jpg", "0003.jpg\t3 4 7 1 12 1"], {"header": ""}, []),
    ("by rows", ["0003,2 2 6 1 9 2 12 1", "b,"], {}, ["--rle-order", "row"]),
    ("from 0", ["0003,2 4 6 1 11 1", "b,"], {}, ["--rle-base", "0"]),
    ("relative", ["0003,3 4 0 1 4 1", "b,"], {}, ["--rle-starts", "relative"]),
    ("tabs", ["0003\t3 4 7 1 12 1", "b\t"], {"header": "img\trle_mask"}, []),
    (
        "own columns",
        ["x,3 4 7 1 12 1,0003", "x,,b"],
        {"header": "id,Runs,Name"},
        ["--columns", "image=Name,rle=Runs"],
    ),
    (
        "sizes in columns, no class",
        ["0003,3 4 7 1 12 1,3,4,1", "b,,3,4,"],
        {"header": "ImageId,EncodedPixels,Height,Width,ClassId"},
        [],
    ),
    ("classes", ["0003_1,3 4 7 1 12 1", "b_1,"], {"header": "ImageId_ClassId,EncodedPixels"}, []),
    ("carriage returns, empty lines", ["0003,3 4 7 1 12 1\r", "\r", "b,\r", ""], {}, []),
    (
        "a byte order mark",
        ["0003,3 4 7 1 12 1", "b,"],
        {"header": "\ufeffImageId,EncodedPixels"},
        [],
    ),
]


@pytest.mark.parametrize(
    ("rows", "how", "options"), [row[1:] for row in SAME], ids=[*(row[0] for row in SAME)]
)
def test_every_spelling_of_a_table_is_the_same_masks(
    folder: Path, rows: list[str], how: dict[str, str], options: list[str]
) -> None:
    table = write(folder / "other.csv", *rows, **how)
    assert document(table, folder / "truth", *options)["summary"]["miou"] == 1
    turned = document(folder / "truth", table, *options)
    assert turned["summary"]["miou"] == 1
    if not options:
        both = document(table, folder / "table.csv", "--size", "3x4")
        assert both["summary"]["miou"] == 1


WRONG = [
    ("odd", "c,1 2 3", "holds 3 numbers, which is odd"),
    ("overlap", "c,1 5 3 1", "run 1 5 and run 3 1 overlap"),
    (
        "past the end",
        "c,3 2 12 2",
        "run 12 2 ends at pixel 13, and the last of an image of height 3 and width 4 is 12",
    ),
    (
        "unsorted",
        "c,5 1 1 2",
        "run 1 2 stands behind run 5 1; sort the runs by their starts, or type --rle-starts rel",
    ),
    ("beyond all pixels", "c," + "1 9007199254740992 " * 9, "ends at pixel"),
    ("a run twice", "c,5 1 5 1", "run 5 1 stands there twice"),
    ("no number", "c,1 2 x 1", "'x' is no whole number of 0 or more"),
    ("a tab between numbers", '"c",1 2\t4 1', "'\\t' stands between its numbers, where a space"),
    ("a float", "c,1.0 2.0", "'1.0' is no whole number of 0 or more"),
    ("negative", "c,-4 2", "'-4' is no whole number of 0 or more"),
    ("before the start", "c,0 2", "starts before the first pixel, which is 1; type --rle-base 0"),
    ("no pixel", "c,1 0", "run 1 0 has no pixel"),
    ("beyond 64 bits", "c,1 99999999999999999999", "larger than any image has pixels"),
    ("a line in quotes", '"c,1 2"', "the whole line stands in quotes"),
    ("a quote left open", 'c,"1 2', "its quotes are not closed"),
    ("too many cells", "c,1,2", "it has 3 cells, not 2 as the first line"),
    ("no image", ",1 2", "the name of the image is empty"),
    ("a long name", "c" * 9000 + ",1 2", "c…: the name of the image has 9000 characters"),
]


@pytest.mark.parametrize(
    ("row", "words"), [row[1:] for row in WRONG], ids=[*(row[0] for row in WRONG)]
)
def test_what_is_wrong_with_a_row_is_told_with_file_line_and_image(
    folder: Path, row: str, words: str
) -> None:
    save(folder / "truth" / "c.png", MASKS["b"])
    table = write(folder / "table.csv", *ROWS, row)
    done = segeval("check", table, folder / "truth", expect=3)
    key = "c" * row[:40].count("c")
    assert f"{table}: line 5: image {key}" in done.stdout
    assert words in done.stdout


def test_all_rows_that_are_wrong_are_told_at_once(folder: Path) -> None:
    save(folder / "truth" / "c.png", MASKS["b"])
    table = write(folder / "table.csv", "0003,1 2 3", "0003,1 2", "0003,1 2", "b,1", "c,x", '"c,1"')
    told = segeval("check", table, folder / "truth", expect=3).stdout
    assert [f"line {line}: image" in told for line in range(2, 9)] == [
        True,
        False,
        *[True] * 4,
        False,
    ]
    assert "line 4: image 0003: the same run lengths stand on line 3 already" in told
    assert "problems    4" in told


@pytest.mark.parametrize(
    ("header", "options", "words"),
    [
        ("a,b", [], "line 1: 'a,b' does not name the columns of a table of run lengths; write Im"),
        (
            "0003,1 2",
            [],
            "ImageId,EncodedPixels above the rows, or name yours with --columns image",
        ),
        ('"ImageId,EncodedPixels"', [], "line 1: the whole line stands in quotes"),
        (
            "Image,Rums",
            ["--columns", "rle=Runs"],
            "no column 'Runs' for --columns rle; did you mean 'Rums'?",
        ),
        ("", [], "ImageId,EncodedPixels above the rows"),
        ("\x00", [], "NUL"),
    ],
)
def test_a_first_line_that_says_nothing_is_refused(
    folder: Path, header: str, options: list[str], words: str
) -> None:
    table = write(folder / "table.csv", *ROWS, header=header)
    done = segeval("score", table, folder / "truth", *options, expect=3)
    assert f"{table}: " in done.stderr
    assert words in done.stderr


def test_both_sides_without_a_size_say_what_to_type(folder: Path) -> None:
    table = folder / "table.csv"
    done = segeval("score", table, table, expect=3)
    assert "type --size HEIGHTxWIDTH, e.g. --size 768x768" in done.stderr
    done = segeval("score", table, table, "--size", "0x3", expect=2)
    assert "--size '0x3' is not HEIGHTxWIDTH" in done.stderr
    done = segeval("score", table, folder / "truth", "--size", "4x3", expect=3)
    assert f"{table}#0003 is 3×4 pixels, its truth" in done.stderr


def test_a_table_read_the_wrong_way_round_is_noticed(folder: Path) -> None:
    table, truth = folder / "table.csv", folder / "truth"
    save(truth / "0003.png", [[1, 1, 1, 1], [0, 0, 0, 0], [0, 0, 0, 0]])
    write(table, "0003,1 4", "b,")
    told = segeval("score", table, truth).stderr
    assert (
        "read by columns, and agree far better with the masks by rows: IoU 1.00, not 0.33" in told
    )
    assert "type --rle-order row" in told
    assert "--rle-order" not in segeval("score", table, truth, "--rle-order", "row").stderr
    assert "--rle-order" not in segeval("score", table, table, "--size", "3x4").stderr


def test_changes_of_the_table_while_it_is_read_are_refused(folder: Path) -> None:
    pairing = pair_up(Source(prediction=folder / "table.csv", truth=folder / "truth"))
    write(folder / "table.csv", *ROWS, "c,")
    outcome = count_pair(pairing.pairs[0], Reading())
    assert isinstance(outcome, Problem)
    assert "the file changes while it is read" in outcome.detail
