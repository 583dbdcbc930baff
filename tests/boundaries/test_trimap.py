"""Trimap scores of data sets: as a slow model has them, and of a run without its masks."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made.sets import Mask, data_set, segeval

import segeval as segeval_api
from segeval.boundaries.trimap import TrimapCounts, TrimapMeasure
from segeval.boundaries.widths import Width

VOID = 255


def near(truth: Mask, reach: int) -> Mask:
    """Return which pixels have another class within a distance, pixel by pixel."""
    found = np.zeros(truth.shape, bool)
    for y, x in np.argwhere(truth != VOID):
        window = truth[max(0, y - reach) : y + reach + 1, max(0, x - reach) : x + reach + 1]
        found[y, x] = np.any((window != truth[y, x]) & (window != VOID))
    return found


@pytest.fixture(scope="module")
def pairs() -> list[tuple[Mask, Mask]]:
    chance, found = np.random.default_rng(8), []
    for number in range(3):
        truth = np.kron(chance.integers(0, 4, (3, 5)), np.ones((5, 5), int))
        found.append((np.where(truth == 3, VOID, truth), np.roll(truth, number, axis=1) % 3))
    return found


def test_trimap_scores_equal_a_slow_model_and_need_no_masks(
    pairs: list[tuple[Mask, Mask]], tmp_path: Path
) -> None:
    folders = data_set(tmp_path, {f"m{n}": pair for n, pair in enumerate(pairs)})
    run, how = tmp_path / "a.segeval", ("-q", "--format", "json")
    first = segeval("score", *folders, "--trimap", "2px,1px", "--boundary", "-o", run, *how)
    document: dict[str, Any] = json.loads(first.stdout)
    for reach, part in zip((2, 1), document["trimap"], strict=True):
        seen = [(t[near(t, reach)], p[near(t, reach)]) for t, p in pairs]
        truth, prediction = (np.concatenate(side) for side in zip(*seen, strict=True))
        assert (part["width"], part["pixels"]) == (f"{reach}px", [reach])
        assert part["pixel_accuracy"] == np.mean(truth == prediction)
        for index, row in enumerate(part["classes"]):
            own, other = truth == index, prediction == index
            tp = np.sum(own & other)
            assert [row[n] for n in ("support", "predicted", "tp")] == [own.sum(), other.sum(), tp]
            assert row["trimap_iou"] == tp / np.sum(own | other)
            assert row["trimap_dice"] == 2 * tp / (own.sum() + other.sum())
            assert row["trimap_precision"] == tp / other.sum()
            assert row["trimap_recall"] == tp / own.sum()
        assert part["mtrimap_iou"] == np.mean([row["trimap_iou"] for row in part["classes"]])
    assert document["summary"]["mtrimap_iou"] == document["trimap"][0]["mtrimap_iou"]
    assert {"trimap:2px,1px", "boundary:2%"} <= {*document["signature"].split("|")}
    shutil.rmtree(folders[0])
    again = json.loads(segeval("report", run, "--trimap", "1px", *how).stdout)
    assert again["trimap"][0] == document["trimap"][1]
    found = segeval_api.open_run(run).score(trimap="2px")
    assert found.summary["mtrimap_iou"] == document["summary"]["mtrimap_iou"]
    gate = ("--trimap", "2px", "--fail-under", "mtrimap_iou=0.99")
    assert "mtrimap_iou" in segeval("report", run, *gate, expect=1).stdout
    missing = segeval("report", run, "--trimap", "9px", expect=2)
    assert "the run holds those of 2px, 1px" in missing.stderr


def test_every_score_of_a_width_has_its_own_interval(
    pairs: list[tuple[Mask, Mask]], tmp_path: Path
) -> None:
    folders = data_set(tmp_path, {f"m{n}": pair for n, pair in enumerate(pairs)})
    made = segeval("score", *folders, "--trimap", "1px,2px", "--ci", "20", "-q", "--format", "json")
    document: dict[str, Any] = json.loads(made.stdout)
    part, names = (
        document["trimap"][0],
        [f"trimap_{n}" for n in ("iou", "dice", "precision", "recall")],
    )
    for name in names:
        assert part["intervals"][f"m{name}"] == document["intervals"][f"m{name}"]
        for row, whole in zip(part["classes"], document["classes"], strict=True):
            assert row["intervals"][name] == whole["intervals"][name]
    assert len({tuple(bounds) for bounds in part["intervals"].values()}) == len(names)
    assert document["trimap"][1]["intervals"].keys() == part["intervals"].keys()


def test_what_is_no_class_on_both_sides_is_in_no_trimap_of_classes_that_overlap() -> None:
    truth, none = np.array([[0, 1, 3, 3]]), np.full((1, 4), 3)  # 2 is void, and 3 no class
    measure = TrimapMeasure(widths=(Width.parse("9px"),))
    alone, both = (
        TrimapCounts.of([measure(layers, None)], 1, 2 * len(layers)).confusion[0]
        for layers in ([(truth, none, 2)], [(truth, none, 2), (none, truth, 2)])
    )
    assert alone.tolist() == [[0, 0, 1], [0, 0, 1], [0, 0, 2]]
    assert both.sum() == both[:2, 4].sum() == 2
