"""Boundary IoU of data sets: as a slow model has it, through every door."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made.sets import Mask, data_set, save, segeval

VOID = 255


def band(mask: Mask, void: Mask, reach: int) -> Mask:
    """Return the band of one class by its definition, pixel by pixel."""
    inside, height, width = np.zeros_like(mask), *mask.shape
    for y, x in np.argwhere(mask):
        for v, u in np.ndindex(2 * reach + 1, 2 * reach + 1):
            at = y + v - reach, x + u - reach
            beyond = not (0 <= at[0] < height and 0 <= at[1] < width)
            inside[y, x] |= beyond or not (mask[at] or void[at])
    return inside


def bands(truth: Mask, prediction: Mask, classes: int, reach: int) -> Mask:
    """Return the pixels of both bands and of what they share, (3, K)."""
    void = truth == VOID
    rows = []
    for k in range(classes):
        one, two = (band((side == k) & ~void, void, reach) for side in (truth, prediction))
        rows.append((one.sum(), two.sum(), (one & two).sum()))
    return np.array(rows).T


def iou(counts: Mask) -> Mask:
    truth, prediction, both = counts
    return np.asarray(both / (truth + prediction - both))


@pytest.fixture(scope="module")
def made() -> dict[str, tuple[Mask, Mask]]:
    chance = np.random.default_rng(3)
    pairs = {}
    for number in range(4):
        truth = np.kron(chance.integers(0, 4, (3, 4)), np.ones((6, 6), int))
        prediction = np.roll(truth, number, axis=0) % 3
        pairs[f"m{number}"] = np.where(truth == 3, VOID, truth), prediction
    return pairs


@pytest.fixture(scope="module")
def folders(made: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return data_set(tmp_path_factory.mktemp("bands"), made)


def scored(*arguments: object) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(segeval(*arguments, "-q", "--format", "json").stdout)
    return found


def test_every_pooling_is_that_of_a_slow_model(
    made: dict[str, tuple[Mask, Mask]], folders: tuple[Path, Path]
) -> None:
    images = np.array([bands(truth, prediction, 3, 2) for truth, prediction in made.values()])
    each = np.array([iou(counts) for counts in images])
    expected = {
        "dataset": iou(images.sum(axis=0)).mean(),
        "image": each.mean(axis=1).mean(),
        "class": each.mean(axis=0).mean(),
    }
    for pooling, value in expected.items():
        found = scored("score", *folders, "--boundary", "2px", "--pooling", pooling)
        assert found["summary"]["mboundary_iou"] == pytest.approx(value, abs=1e-15)
    found = scored("score", *folders, "--boundary", "2px")
    rows = [
        [row[n] for n in ("support", "predicted", "tp")] for row in found["boundary"][0]["classes"]
    ]
    assert np.array(rows).T.tolist() == images.sum(axis=0).tolist()
    assert [row["boundary_iou"] for row in found["classes"]] == iou(images.sum(axis=0)).tolist()
    assert found["boundary"][0]["pixels"] == [2]
    assert "boundary:2px" in found["signature"].split("|")


def test_a_word_that_is_no_width_is_the_next_argument(folders: tuple[Path, Path]) -> None:
    usual = scored("score", "--boundary", *folders)
    assert usual["boundary"][0]["width"] == "2%"
    assert scored("score", *folders, "--boundary=2%")["boundary"] == usual["boundary"]
    assert "is no width" in segeval("score", *folders, "--boundary=2", expect=2).stderr


def test_fields_of_view_and_missing_predictions(
    made: dict[str, tuple[Mask, Mask]], tmp_path: Path
) -> None:
    truth, prediction = made["m1"]
    region = np.ones(truth.shape, int)
    region[:, :9] = 0
    folders = data_set(tmp_path, {"a": (truth, prediction), "b": (truth, prediction)})
    for name in "ab":
        save(tmp_path / "roi" / f"{name}.png", region)
    (folders[0] / "b.png").unlink()
    how = ("--roi", tmp_path / "roi", "--missing", "worst", "--boundary", "2px")
    found = scored("score", *folders, *how)["boundary"][0]["classes"]
    seen = np.where(region == 0, VOID, truth)
    expected = bands(seen, prediction, 3, 2) + bands(seen, np.full(truth.shape, 9), 3, 2)
    names = ("support", "predicted", "tp")
    assert [[row[name] for name in names] for row in found] == expected.T.tolist()


def test_classes_that_overlap_have_bands_of_their_own(
    made: dict[str, tuple[Mask, Mask]], tmp_path: Path
) -> None:
    pairs = {name: (np.where(t == VOID, 0, t), p) for name, (t, p) in made.items()}
    folders = data_set(tmp_path, pairs)
    labels = tmp_path / "regions.toml"
    labels.write_text(
        'overlap = true\n[[labels]]\nname = "whole"\nvalues = [1, 2]\n'
        '[[labels]]\nname = "core"\nvalues = [2]\n'
    )
    found = scored("score", *folders, "--labels", labels, "--boundary", "1px")
    for row, values in zip(found["boundary"][0]["classes"], ([1, 2], [2]), strict=True):
        sides = ([np.isin(side, values).astype(int) for side in pair] for pair in pairs.values())
        counts = np.sum([bands(one, two, 2, 1)[:, 1] for one, two in sides], axis=0)
        assert [row[name] for name in ("support", "predicted", "tp")] == counts.tolist()
    assert found["summary"]["pixel_accuracy"] is None


def test_other_sizes_thresholds_and_unknown_values(
    made: dict[str, tuple[Mask, Mask]], tmp_path: Path
) -> None:
    truth, prediction = made["m2"]
    grey = data_set(tmp_path / "grey", {"a": ((truth == 1) * 1, prediction * 100)})
    found = scored("score", *grey, "--threshold", "100", "--boundary", "1px")
    expected = bands((truth == 1) * 1, (prediction >= 1) * 1, 2, 1)
    assert [row["tp"] for row in found["boundary"][0]["classes"]] == expected[2].tolist()
    small = data_set(tmp_path / "small", {"a": (truth, prediction[::2, ::2])})
    how = ("--boundary", "1px", "--resize-prediction")
    found = scored("score", *small, *how)
    grown = np.kron(prediction[::2, ::2], np.ones((2, 2), int))
    assert found["boundary"][0]["classes"][1]["tp"] == bands(truth, grown, 3, 1)[2][1]
    strange = np.where(prediction == 2, 7, prediction)
    other = data_set(tmp_path / "other", {"a": (truth, strange)})
    for unknown in ("ignore", "wrong"):
        of_three = ("--classes", "3", "--ignore", "255", "--unknown", unknown)
        found = scored("score", *other, *of_three, "--boundary", "1px")
        seen = np.where(strange == 7, VOID, truth) if unknown == "ignore" else truth
        expected = bands(seen, strange, 3, 1)
        names = ("support", "predicted", "tp")
        rows = [[row[name] for name in names] for row in found["boundary"][0]["classes"]]
        assert np.array(rows).T.tolist() == expected.tolist()


def test_boundary_f_is_a_mean_over_images_and_one_sided_edges_are_0(tmp_path: Path) -> None:
    square, whole = np.zeros((40, 50), int), np.ones((40, 50), int)
    square[10:20, 10:20] = 1
    pairs = {"a": (square, square), "b": (square, 0 * square), "c": (whole, whole)}
    folders = data_set(tmp_path, pairs)
    run = tmp_path / "run.segeval"
    how = ("--labels", "binary", "--boundary-f")
    found = scored("score", *folders, *how, "-o", run, "--fail-under", "boundary_f.foreground=0.6")
    part = found["boundary_f"]
    assert (part["reach"], part["pixels"]) == ("0.8%", [1])
    assert [row["boundary_f"] for row in part["classes"]] == [1 / 2, 2 / 3]
    assert found["classes"][1]["boundary_f"] == 2 / 3
    by_image = scored("report", run, *how, "--pooling", "image", "--ci", "20")
    assert by_image["summary"]["mboundary_f"] == pytest.approx((1 + 0 + 1) / 3)
    assert by_image["intervals"]["mboundary_f"][0] >= 0
    grouped = scored("report", run, *how, "--pooling", "group", "--group-by", "(.)")
    assert grouped["summary"]["mboundary_f"] == pytest.approx(2 / 3)
    assert "boundary-f:0.8%" in found["signature"].split("|")
    assert (
        "--boundary-f asks for it"
        in segeval("report", run, "--fail-under", "mboundary_f=1", expect=2).stderr
    )


def test_label_images_have_edges_between_objects_and_background(tmp_path: Path) -> None:
    truth, prediction = np.zeros((2, 30, 30), int)
    truth[3:12, 3:12], truth[3:12, 15:24] = 1, 2
    prediction[4:13, 3:12], prediction[3:12, 15:24] = 7, 3
    folders = data_set(tmp_path, {"a": (truth, prediction)})
    run = tmp_path / "run.segeval"
    how = ("--objects", "ids", "--boundary", "1px")
    found = scored("score", *folders, *how, "-o", run)
    expected = bands((truth > 0) * 1, (prediction > 0) * 1, 2, 1)
    assert [row["tp"] for row in found["boundary"][0]["classes"]] == expected[2].tolist()
    assert scored("report", run, *how)["boundary"] == found["boundary"]


def test_gates_of_classes_at_every_width(folders: tuple[Path, Path], tmp_path: Path) -> None:
    how = ("--boundary", "2%,0.5%,5px", "--group-by", "(.)$", "--ci", "10")
    names = ["boundary_iou.1", "boundary_iou@0.5%.1", "boundary_iou@5px.1", "mboundary_iou@0.5%"]
    names += ["boundary_iou@0.5%.1.low", "mboundary_iou@5px.low"]
    names += ["boundary_iou@0.5%.1@2", "mboundary_iou@0.5%@worst", "boundary_iou@5px.*"]
    floors = [word for name in names for word in ("--fail-under", f"{name}=0")]
    run = tmp_path / "run.segeval"
    gates = scored("score", *folders, *how, "-o", run, *floors)["gates"]
    assert [gate["metric"] for gate in gates][:-3] == names[:-1]
    assert [gate["metric"] for gate in gates][-3:] == [f"boundary_iou@5px.{n}" for n in range(3)]
    by_name = {gate["metric"]: gate["value"] for gate in gates}
    assert by_name["boundary_iou@0.5%.1.low"] < by_name["boundary_iou@0.5%.1"] < 1
    drops = ("--max-drop", "boundary_iou@0.5%.*=0", "--max-drop", "boundary_iou@0.5%.1=0")
    held = scored("report", run, *how, "--baseline", run, *drops, "--significant")
    assert [g["metric"] for g in held["gates"]][2:] == [
        f"boundary_iou@0.5%.{n}" for n in (0, 1, 2, 1)
    ]
    wrong = segeval("report", run, *how, "--fail-under", "boundary_iou@0.7%.1=0", expect=2).stderr
    assert "no score is called 'boundary_iou@0.7%.1'; --boundary asks for it" in wrong
