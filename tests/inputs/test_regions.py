"""Fields of view: outside them nothing is judged, in counts, losses and pictures alike."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import numpy as np
import pytest
from made.sets import data_set, document, save, segeval
from PIL import Image

import segeval as library
from segeval.counting.runfile import read_run
from segeval.labels.labelmap import VOID, numbered
from segeval.labels.lookups import lookup_of
from segeval.pictures.classmaps import read_classes
from segeval.values import OUTSIDE

TRUTH = np.array([[0, 0, 1, 1], [7, 7, 1, 1], [0, 1, 1, 0]])
PREDICTION = np.array([[0, 1, 1, 0], [1, 0, 5, 1], [0, 1, 0, 0]])
REGION = np.array([[255, 255, 255, 255], [0, 0, 0, 255], [255, 255, 255, 255]])


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Two images; the truth holds 7, and a prediction 5, only outside the field of view."""
    for name in ("21_mask", "22_mask"):
        save(tmp_path / "roi" / f"{name}.png", REGION)
    return data_set(tmp_path, {"21": (TRUTH, PREDICTION), "22": (TRUTH, TRUTH % 7)})


@pytest.fixture
def region(tmp_path: Path) -> list[object]:
    return ["--roi", tmp_path / "roi", "--roi-suffix", "_mask"]


def test_what_is_outside_is_void_and_counted(
    folders: tuple[Path, Path], region: list[object], tmp_path: Path
) -> None:
    prediction, truth = folders
    for name in ("21", "22"):
        save(tmp_path / "void" / f"{name}.png", np.where(REGION, TRUTH, 255))
    wanted = document(prediction, tmp_path / "void", "--classes", "2", "--ignore", "255")
    found = document(*folders, "--classes", "2", *region)
    counted = {"total": 24, "judged": 18, "ignored": 6, "unknown": 0}
    assert found["pixels"] == counted | {"ignored_by_prediction": 0}
    for part in ("pixels", "summary", "classes", "confusion"):
        assert found[part] == wanted[part]
    assert "|roi:0-is-void|" in found["signature"]
    assert found["settings"]["roi"] == str(tmp_path / "roi")
    again = library.score(
        prediction=prediction, truth=truth, classes=2, roi=tmp_path / "roi", roi_suffix="_mask"
    )
    assert again.summary["miou"] == found["summary"]["miou"]


def test_classes_are_found_inside_only(folders: tuple[Path, Path], region: list[object]) -> None:
    prediction, truth = folders
    save(prediction / "21.png", np.where(PREDICTION == 5, 1, PREDICTION))
    save(truth / "21.png", np.where(TRUTH == 7, 200, TRUTH))
    assert [row["name"] for row in document(prediction, truth, *region)["classes"]] == ["0", "1"]


def test_black_of_a_coloured_field_of_view_is_outside(
    folders: tuple[Path, Path], region: list[object], tmp_path: Path
) -> None:
    found = document(*folders, "--classes", "2", *region)
    white = (REGION > 0)[..., None] * np.array([255, 250, 245], np.uint8)
    Image.fromarray(white.astype(np.uint8)).save(tmp_path / "roi" / "21_mask.png")
    assert document(*folders, "--classes", "2", *region) == found


def test_a_field_of_view_that_is_missing_or_of_another_size_is_a_problem(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    roi = tmp_path / "roi"
    said = segeval("check", *folders, "--classes", "2", "--roi", roi, expect=3)
    assert "holds no mask called '21'; names there are like '21_mask'; type --roi-suffix _mask" in (
        said.stdout
    )
    assert said.stdout.count("missing field of view") == 1
    (roi / "22_mask.png").rename(roi / "23_mask.png")
    options = ("--classes", "2", "--roi", roi, "--roi-suffix", "_mask")
    gone = segeval("score", *folders, *options, expect=3).stderr
    assert "holds no mask called '22'; names there are like '21'; add it" in gone
    save(roi / "22_mask.png", REGION[:2])
    options = ("--classes", "2", "--roi", roi, "--roi-suffix", "_mask")
    small = segeval("score", *folders, *options, expect=3).stderr
    assert f"the field of view {roi / '22_mask.png'} is 4×2 pixels, its truth" in small
    nowhere = segeval("score", *folders, "--roi", tmp_path / "no", expect=3).stderr
    assert "does not exist" in nowhere
    alone = segeval("score", *folders, "--roi-suffix", "_mask", expect=2).stderr
    assert "--roi-suffix needs --roi" in alone


def test_fields_of_view_beside_the_truths_are_proposed(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    prediction, truth = folders
    for name in ("21", "22"):
        save(truth / f"{name}.png", np.where(REGION, TRUTH, 0))
        save(prediction / f"{name}.png", np.where(REGION, TRUTH, 1))
    said = segeval("check", *folders).stderr
    options = said.partition(
        "; if these are fields of view, outside which nothing is judged, type "
    )
    assert options[2].split() == ["--roi", str(tmp_path / "roi"), "--roi-suffix", "_mask"]
    assert said.startswith(f"notice: {tmp_path / 'roi'} holds a mask for every image")
    chosen = segeval("score", *folders, *options[2].split(), "--format", "total")
    assert (chosen.stdout, chosen.stderr) == ("1.0\n", "")
    assert segeval("score", *folders, "--quiet").stderr == ""
    save(truth / "21.png", np.where(REGION, 1, 0))  # the region is the foreground itself
    assert "field" not in segeval("score", *folders).stderr
    save(truth / "21.png", TRUTH % 7)  # something outside
    assert "field" not in segeval("score", *folders).stderr
    save(truth / "21.png", np.where(REGION, TRUTH, 0))
    (tmp_path / "roi" / "22_mask.png").unlink()
    assert "field" not in segeval("score", *folders).stderr


def test_the_folders_that_are_scored_are_no_fields_of_view(tmp_path: Path) -> None:
    pred, truth = data_set(tmp_path, {"a": (TRUTH % 7, TRUTH % 7)})
    truth.rename(tmp_path / "masks")
    pred.rename(tmp_path / "mask")
    assert segeval("score", tmp_path / "mask", tmp_path / "masks").stderr == ""


def test_a_run_keeps_where_the_fields_of_view_are(
    folders: tuple[Path, Path], region: list[object], tmp_path: Path
) -> None:
    run, roi = tmp_path / "run.segeval", tmp_path / "roi" / "21_mask.png"
    options = ("--classes", "2", *region)
    found = document(*folders, *options, "-o", run)
    again = json.loads(segeval("report", run, "--classes", "2", "--format", "json").stdout)
    assert again == found
    counts = read_run(run)
    assert counts.images[0].pair.roi == roi
    assert counts.counts.pixels[counts.counts.truth == OUTSIDE].sum() == 6
    said = segeval("score", *folders, "--classes", "2", "-o", run, "--resume", expect=3).stderr
    assert "was read under other settings (roi:0-is-void)" in said


def test_a_changed_field_of_view_is_counted_again(
    folders: tuple[Path, Path], region: list[object], tmp_path: Path
) -> None:
    run, options = tmp_path / "run.segeval", ("--classes", "2", *region)
    segeval("score", *folders, *options, "-o", run)
    save(tmp_path / "roi" / "21_mask.png", REGION * [1, 1, 1, 0])
    found = document(*folders, *options, "-o", run, "--resume")
    assert found["pixels"]["judged"] == 15
    assert found == document(*folders, *options)


def test_an_older_run_file_is_read_and_resumed(folders: tuple[Path, Path], tmp_path: Path) -> None:
    prediction, run = folders[0], tmp_path / "run.segeval"
    found = document(prediction, prediction, "-o", run)
    with sqlite3.connect(run) as connection:
        connection.execute("ALTER TABLE images DROP COLUMN roi_path")
    connection.close()
    assert json.loads(segeval("report", run, "--format", "json").stdout) == found
    assert document(prediction, prediction, "-o", run, "--resume") == found


def test_pictures_show_the_outside_as_void(
    folders: tuple[Path, Path], region: list[object], tmp_path: Path
) -> None:
    run, options = tmp_path / "run.segeval", ("--classes", "2", *region)
    segeval("score", *folders, *options, "-o", run)
    counted, labels = read_run(run), numbered("indices", range(2))
    pair, lookup = counted.images[0].pair, lookup_of(counted, labels)
    truth, _ = read_classes(pair, counted.reading(), lookup, counted.image(0))
    assert truth.tolist() == np.where(REGION, TRUTH, VOID).tolist()
    segeval("overlay", *folders, *options, "--class", "1", "--plain", "-o", tmp_path / "out")
    with Image.open(tmp_path / "out" / "21.png") as image:
        drawn = np.asarray(image.convert("RGB"))
    outside, inside = ({*map(tuple, drawn[part].tolist())} for part in (REGION == 0, REGION > 0))
    assert not outside & inside


def test_losses_judge_the_inside_only(region: list[object], tmp_path: Path) -> None:
    maps = tmp_path / "maps"
    maps.mkdir()
    truth = np.where(TRUTH == 7, 1, TRUTH)
    for name in ("21", "22"):
        save(tmp_path / "roi" / f"{name}_mask.png", REGION)
        save(tmp_path / "truth" / f"{name}.png", truth)
        save(tmp_path / "void" / f"{name}.png", np.where(REGION, truth, 255))
        np.save(maps / f"{name}.npy", np.linspace(0.1, 0.9, 12).reshape(3, 4))
    inside, void = (
        json.loads(segeval("losses", maps, tmp_path / folder, *more, "--format", "json").stdout)
        for folder, more in (("truth", region), ("void", ["--ignore", "255"]))
    )
    assert inside["summary"] == void["summary"]
