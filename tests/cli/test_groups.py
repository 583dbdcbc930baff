"""Groups of images, and groups of classes."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from made.sets import data_set, document, save, segeval

from segeval.labels.load import load_labels

BLOCKS = np.kron(np.arange(4).reshape(2, 2), np.ones((8, 8), int)).astype(np.uint8)
SHIFTED = np.roll(BLOCKS, 2, axis=1)


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    good, bad = (BLOCKS, BLOCKS), (BLOCKS, SHIFTED)
    return data_set(tmp_path, {"day_1": good, "day_2": good, "night_1": bad, "x": bad})


def test_each_group_scores_like_its_images_alone(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    table = tmp_path / "groups.csv"
    result = document(*folders, "--group-by", "^([a-z]+)_", "--per-group", table)
    groups = {group["name"]: group for group in result["groups"]}
    assert {name: group["images"] for name, group in groups.items()} == {
        "(none)": 1,
        "day": 2,
        "night": 1,
    }
    alone = document(*folders, "--include", "night*")
    assert groups["night"]["summary"] == alone["summary"]
    assert groups["night"]["classes"] == alone["classes"]
    assert groups["day"]["summary"]["miou"] == 1.0
    rows = {row["group"]: row for row in csv.DictReader(table.read_text("utf-8").splitlines())}
    assert float(rows["night"]["miou"]) == alone["summary"]["miou"]
    assert float(rows["night"]["iou_2"]) == alone["classes"][2]["iou"]
    assert "groups" not in document(*folders)
    shown = segeval("score", *folders, "--group-by", "^([a-z]+)_").stdout
    assert "day            2  1.0000" in shown


def test_the_mean_over_groups_is_that_of_their_summed_counts(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    by, images = ("--group-by", "^([a-z]+)", "--pooling", "group"), tmp_path / "images.csv"
    result = document(*folders, *by, "--per-image", images, "--ci", 50)
    values = {group["name"]: group["summary"] for group in result["groups"]}
    assert list(values) == ["day", "night", "x"]
    for name in ("miou", "mdice", "pixel_accuracy"):
        mean = sum(value[name] for value in values.values()) / 3
        assert result["summary"][name] == pytest.approx(mean, rel=1e-12)
    day = document(*folders, "--include", "day*")["summary"]
    assert values["day"]["miou"] == day["miou"]
    assert "|pooling:group|" in result["signature"]
    assert "|group-by:^([a-z]+)|groups:3|ci:50,95%,seed:12345,groups|" in result["signature"]
    assert result["resampling"]["units"] == 3
    rows = csv.DictReader(images.read_text("utf-8").splitlines())
    assert [row["group"] for row in rows] == ["day", "day", "night", "x"]
    shown = segeval("score", *folders, *by).stdout
    assert "counts of each group summed, mean over classes, then over 3 groups" in shown
    assert "; mean over 3 groups" in shown
    assert "day            2  1.0000" in shown


def test_a_mean_over_groups_needs_a_group_for_every_image(folders: tuple[Path, Path]) -> None:
    alone = segeval("score", *folders, "--pooling", "group", expect=2).stderr
    assert "day_1, day_2, night_1 and 1 more images are in no group; type --group-by" in alone
    by = ("--group-by", "^([a-z]+)_", "--pooling", "group")
    assert "x is in no group" in segeval("score", *folders, *by, expect=2).stderr


def test_runs_are_compared_by_the_mean_over_groups(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    run, prediction = tmp_path / "run", folders[1]
    segeval("score", *folders, "-o", run, "--quiet")
    by = ("--group-by", "^([a-z]+)", "--pooling", "group", "--ci", 50)
    truth = ("--truth", folders[1], "--format", "json", *by)
    miou = json.loads(segeval("compare", run, prediction, *truth).stdout)["summary"]["miou"]
    assert miou["baseline"] == document(*folders, *by)["summary"]["miou"]
    assert miou["value"] == 1.0


def test_gates_hold_for_a_group_and_for_the_worst(folders: tuple[Path, Path]) -> None:
    by = ["--group-by", "^([a-z]+)_"]
    worst = document(*folders, "--include", "night*")["summary"]["miou"]
    gates = document(
        *folders, *by, "--fail-under", f"miou@worst={worst!r}", "--fail-under", "miou@day=1",
        "--fail-under", "iou.*@night=0.1",
    )["gates"]  # fmt: skip
    assert [gate["metric"] for gate in gates[:2]] == ["miou@worst", "miou@day"]
    assert [gate["metric"] for gate in gates[2:]] == [f"iou.{k}@night" for k in range(4)]
    assert gates[0]["value"] == worst
    failed = segeval("score", *folders, *by, "--fail-under", "miou@worst=0.9", expect=1).stderr
    assert f"miou@worst = {worst!r}" in failed
    one = ["--include", "night*", *by, "--fail-under", f"miou@worst={worst!r}"]
    assert [gate["value"] for gate in document(*folders, *one)["gates"]] == [worst]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--group-by", "("], "is no regular expression"),
        (["--group-by", "zzz"], "matches no name; names are like 'day_1'"),
        (["--fail-under", "miou@day=1"], "needs groups"),
        (["--per-group", "no.csv"], "--per-group needs groups; type --group-by REGEX"),
        (["--group-by", "^(d)", "--fail-under", "miou@dusk=1"], "no group is called 'dusk'"),
    ],
)
def test_groups_that_make_no_sense_end_with_2(
    folders: tuple[Path, Path], options: list[str], message: str
) -> None:
    assert message in segeval("score", *folders, *options, expect=2).stderr


def test_groups_come_from_the_table_of_pairs(folders: tuple[Path, Path], tmp_path: Path) -> None:
    table = tmp_path / "pairs.csv"
    rows = [f"pred/{n}.png,truth/{n}.png,{g}" for n, g in (("day_1", "sun"), ("night_1", "moon"))]
    table.write_text("\n".join(["prediction,truth,group", *rows]))
    run = tmp_path / "run.segeval"
    result = document("--pairs", table, "-o", run)
    assert [group["name"] for group in result["groups"]] == ["moon", "sun"]
    assert folders
    assert "moon" in segeval("report", run).stdout


def test_categories_are_a_view_of_the_same_counts(tmp_path: Path) -> None:
    ids = np.array([7, 8, 11, 26], np.uint8)
    folders = data_set(tmp_path, {"a": (ids[BLOCKS], ids[SHIFTED])})
    run = tmp_path / "run.segeval"
    segeval("score", *folders, "--labels", "cityscapes", "-o", run)
    printed = segeval("report", run, "--labels", "cityscapes", "--level", "category").stdout
    assert "labels:cityscapes(category)|classes:7" in printed
    result = document(*folders, "--labels", "cityscapes", "--level", "category")
    by_name = {row["name"]: row for row in result["classes"]}
    flat_truth, flat_prediction = BLOCKS < 2, SHIFTED < 2
    assert by_name["flat"]["tp"] == int((flat_truth & flat_prediction).sum())
    assert by_name["flat"]["support"] == int(flat_truth.sum())
    assert [label.name for label in load_labels("cityscapes").categories().labels] == [
        "flat", "construction", "object", "nature", "sky", "human", "vehicle",
    ]  # fmt: skip
    said = segeval("report", run, "--labels", "voc", "--level", "category", expect=3).stderr
    assert "label map voc groups no classes" in said


def test_a_threshold_parts_the_groups_of_classes(tmp_path: Path) -> None:
    classes = (
        '{name = "background", values = 0}, {name = "core", values = 1, group = "tumour"}, '
        '{name = "edge", values = 2, group = "tumour"}'
    )
    labels = tmp_path / "labels.toml"
    labels.write_text(f"labels = [{classes}]\n", encoding="utf-8")
    folders = data_set(tmp_path, {"a": ([[0, 1, 2, 2]], [[10, 200, 90, 255]])})
    options = (*folders, "--labels", labels, "--threshold", "128", "--level", "category")
    assert document(*options)["confusion"]["counts"] == [[1, 0], [1, 2]]
    labels.write_text(f"labels = [{classes.partition('}, ')[2]}]\n", encoding="utf-8")
    said = segeval("score", *options, expect=2).stderr
    assert "--threshold needs two classes; labels(category) has 1" in said


def test_a_group_reads_its_colours_as_the_whole_set_does(tmp_path: Path) -> None:
    """A group of black pixels alone is no mask of zeros where the set holds other colours."""
    red, black = [255, 0, 0], [0, 0, 0]
    for side in ("pred", "truth"):
        for name, colors in (("a1", [red, black]), ("b1", [black, black])):
            save(tmp_path / side / f"{name}.png", [colors])
    labels = tmp_path / "labels.toml"
    classes = '{name = "road", values = 0, color = "#ff0000"}, {name = "car", values = 1}'
    labels.write_text(f'void_colors = ["#000000"]\nlabels = [{classes}]\n', encoding="utf-8")
    found = document(
        tmp_path / "pred", tmp_path / "truth", "--labels", labels, "--group-by", "^(.)",
        "--unknown", "wrong",
    )  # fmt: skip
    assert [group["judged"] for group in found["groups"]] == [1, 0]
