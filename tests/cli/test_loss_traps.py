"""Traps of ``segeval losses`` that are closed: what a user would not expect."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from made.maps import VOID, losses, made_logits, made_truth, map_set, save_map, softmax
from made.sets import segeval

SHARES = softmax(made_logits(0, (3, 4, 5)))
TRUTH = made_truth(0, (4, 5), 3)


@pytest.fixture
def folders(tmp_path: Path) -> list[Path]:
    return map_set(tmp_path, {"a": SHARES}, {"a": TRUTH})


def test_two_channels_and_a_truth_of_0_and_255_are_not_half_void(tmp_path: Path) -> None:
    truth = made_truth(0, (4, 5), 2) * 255
    pair = map_set(tmp_path, {"a": softmax(made_logits(0, (2, 4, 5)))}, {"a": truth})
    assert losses(*pair)["pixels"]["ignored"] == 0


def test_a_report_never_takes_the_place_of_the_run(folders: list[Path], tmp_path: Path) -> None:
    path = tmp_path / "a.run"
    said = segeval("losses", *folders, "-o", path, "--json", path, expect=2).stderr
    assert "is the run" in said


@pytest.mark.parametrize("size", [0.5, 0.1])
def test_sums_are_told_as_they_are(tmp_path: Path, size: float) -> None:
    pair = map_set(tmp_path, {"a": np.full((3, 4, 5), size)}, {"a": TRUTH})
    assert f"but to {3 * size:g} to {3 * size:g};" in segeval("losses", *pair, expect=3).stderr


def test_the_range_is_that_of_the_judged_pixels(tmp_path: Path) -> None:
    values, truth = np.full((4, 5), -2.0), np.ones((4, 5), np.uint8)
    values[0, 0], truth[0, 0] = 99, VOID
    pair = map_set(tmp_path, {"a": values}, {"a": truth})
    assert "from -2 to -2;" in segeval("losses", *pair, "--ignore", 255, expect=3).stderr


def test_losses_of_pixels_are_no_mean_over_classes(folders: list[Path]) -> None:
    document = losses(*folders, "--classes-mode", "present")
    classes = {row["name"]: row["classes"] for row in document["losses"]}
    assert classes["cross_entropy"] == classes["focal"] == ""
    assert classes["dice"] == "present"


@pytest.mark.parametrize("filling", [(np.inf, -np.inf, 0), (1e30, 0, 0), (3e38, 3e38, 0)])
def test_void_pixels_may_hold_what_overflows(tmp_path: Path, filling: tuple[float, ...]) -> None:
    shares, truth = SHARES.astype("float32"), TRUTH.copy()
    truth[0, 0] = VOID
    shares[:, 0, 0] = filling
    losses(*map_set(tmp_path, {"a": shares}, {"a": truth}))


def test_truths_beyond_64_bits_are_a_problem(tmp_path: Path) -> None:
    probs, truth = map_set(tmp_path, {"a": SHARES}, {})
    save_map(truth / "a.npy", np.full((4, 5), 2**64 - 1, np.uint64))
    assert "a.npy" in segeval("losses", probs, truth, expect=3).stderr


def test_logits_are_never_said_to_count_100(tmp_path: Path) -> None:
    logits = np.where(np.arange(3)[:, None, None] == TRUTH, -1e4, 1e4)
    pair = map_set(tmp_path, {"a": logits}, {"a": TRUTH})
    assert "counts 100" not in segeval("losses", *pair, "--logits").stderr


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_losses_of_the_largest_logits_are_finite(tmp_path: Path, dtype: str) -> None:
    largest = float(np.finfo(dtype).max)
    logits = np.where(np.arange(3)[:, None, None] == TRUTH, -largest, largest).astype(dtype)
    document = losses(*map_set(tmp_path, {"a": logits}, {"a": TRUTH}), "--logits")
    assert all(np.isfinite(value) for value in document["summary"].values())
    assert document["summary"]["cross_entropy"] > 1e30


def test_a_gate_is_understood_before_anything_is_written(
    folders: list[Path], tmp_path: Path
) -> None:
    segeval("losses", *folders, "-o", tmp_path / "a.run", "--fail-over", "nothing=1", expect=2)
    assert not (tmp_path / "a.run").exists()


def test_a_doubt_in_the_first_truth_stops_before_the_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    truth = np.where(TRUTH == 2, VOID, TRUTH)
    maps = dict.fromkeys("ab", SHARES[0])
    pair = map_set(tmp_path, maps, {"a": truth, "b": TRUTH % 2})
    monkeypatch.setattr("segeval.losses.dataset.map_pairs", None)
    said = segeval("losses", *pair, "--labels", "binary", "--workers", 1, expect=3).stderr
    assert "truth holds 0,1,255: is 255 void or foreground" in said


def test_overwrite_needs_a_run(folders: list[Path]) -> None:
    segeval("losses", *folders, "--overwrite", expect=2)


def test_advice_can_be_followed(tmp_path: Path) -> None:
    maps = {f"{n:02d}": made_logits(n, (3, 4, 5)) for n in range(25)}
    pair = map_set(tmp_path, maps, dict.fromkeys((*maps, "none"), TRUTH))
    said = segeval("losses", *pair, expect=3).stderr
    assert "--missing worst" not in said
    assert "segeval check" not in said


def test_arguments_are_called_by_their_names() -> None:
    assert "of predictions and of truths" in segeval("losses", "here", expect=2).stderr


def test_if_all_is_left_out_the_reasons_are_said(tmp_path: Path) -> None:
    pair = map_set(tmp_path, {"a": made_logits(0, (3, 4, 5))}, {"a": TRUTH})
    assert "--logits" in segeval("losses", *pair, "--on-error", "skip", expect=3).stderr


def test_the_odd_map_is_named_even_if_it_comes_first(tmp_path: Path) -> None:
    maps = dict.fromkeys("bcd", SHARES) | {"a": softmax(made_logits(0, (4, 4, 5)))}
    said = segeval("losses", *map_set(tmp_path, maps, dict.fromkeys(maps, TRUTH)), expect=3).stderr
    assert "a.npy" in said


def test_maps_with_classes_last_are_told_apart_from_maps_of_many_classes(tmp_path: Path) -> None:
    truth = made_truth(0, (40, 50), 3)
    maps = {"a": np.moveaxis(softmax(made_logits(0, (3, 40, 50))), 0, -1)}
    said = segeval("losses", *map_set(tmp_path, maps, {"a": truth}), expect=2).stderr
    assert "--channels last" in said
    assert "(40, 40, 50)" not in said


def test_text_is_no_map_and_the_message_names_what_is(tmp_path: Path) -> None:
    probs, truth = map_set(tmp_path, {}, {"a": TRUTH})
    probs.mkdir()
    (probs / "a.npy").write_text("0.5 0.5", "utf-8")
    said = segeval("losses", probs, truth, expect=3).stderr
    assert "TIFF" not in said
    assert "grey 8- or 16-bit PNG" in said


def test_the_edges_that_are_shown_are_those_that_are_used(tmp_path: Path) -> None:
    stated = np.array([[b / 10 for b in range(10)]])
    pair = map_set(tmp_path, {"a": stated}, {"a": np.array([[0, 1] * 5])})
    done = segeval("losses", *pair, "--bins", 10, "--format", "json")
    rows = json.loads(done.stdout)["calibration"]["bins"]
    assert [row["from"] for row in rows] == stated[0].tolist()


def test_one_pixel_is_not_called_pixels(tmp_path: Path) -> None:
    pair = map_set(tmp_path, {"a": SHARES[:, :1, :1]}, {"a": TRUTH[:1, :1]})
    assert "1 judged pixel\n" in segeval("losses", *pair, COLUMNS="160").stdout
