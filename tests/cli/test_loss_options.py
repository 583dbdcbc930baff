"""Options that change single losses: what the library gives for the same arrays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from made.maps import VOID, losses, made_set, map_set
from made.sets import segeval

from segeval import losses as functions

WEIGHTS = [1.0, 2.0, 0.25]
PIXELS: dict[str, tuple[list[str], dict[str, Any]]] = {
    "cross_entropy": (
        ["--class-weights", "1,2,.25", "--label-smoothing", ".1"],
        {"class_weights": WEIGHTS, "label_smoothing": 0.1},
    ),
    "focal": (["--normalized", "--gamma", "1.5"], {"normalized": True, "gamma": 1.5}),
}
IMAGES: dict[str, tuple[list[str], dict[str, Any]]] = {
    "dice": (["--squared", "--log"], {"squared": True, "log": True}),
    "jaccard": (["--squared"], {"squared": True}),
    "tversky": (["--tversky", ".3,.7", "--log"], {"alpha": 0.3, "beta": 0.7, "log": True}),
    "generalized_dice": (["--smooth", "1"], {"smooth": 1}),
    "lovasz_softmax": (["--loss-classes", "2,0"], {"classes": [2, 0]}),
}


@pytest.mark.parametrize("logits", [False, True])
@pytest.mark.parametrize("name", [*PIXELS, "bce"])
def test_means_over_pixels_are_those_of_the_library(
    tmp_path: Path, name: str, *, logits: bool
) -> None:
    several = name != "bce"
    maps, truths = made_set(several=several, logits=logits)
    folders = map_set(tmp_path, maps, truths)
    said, given = PIXELS.get(name, (["--positive-weight", "3"], {"positive_weight": 3}))
    form = ["--logits"] if logits else []
    document = losses(*folders, *said, *form, "--ignore", VOID, "--loss", name)
    flat = [maps[key].reshape(*maps[key].shape[:-2], 1, -1) for key in truths]
    values = np.concatenate(flat, axis=-1)
    truth = np.concatenate([mask.reshape(1, -1) for mask in truths.values()], axis=-1)
    function = getattr(
        functions, f"{name}_with_logits_loss" if logits and not several else f"{name}_loss"
    )
    more = {"logits": logits} if several else {}
    expected = float(function(values, truth, ignore=VOID, **given, **more))
    assert document["summary"][name] == pytest.approx(expected, rel=1e-10)
    assert document["losses"][0]["formula"].count(", ") >= len(given) - ("gamma" in given)
    plain = losses(*folders, *form, "--ignore", VOID, "--loss", name)
    assert plain["summary"][name] != pytest.approx(expected, rel=1e-3)
    assert plain["calibration"]["nll"] == document["calibration"]["nll"]


@pytest.mark.parametrize("name", IMAGES)
def test_means_over_images_are_those_of_the_library(tmp_path: Path, name: str) -> None:
    maps, truths = made_set(several=True, logits=False)
    folders = map_set(tmp_path, maps, truths)
    said, given = IMAGES[name]
    document = losses(*folders, *said, "--ignore", VOID, "--loss", name)
    judged = [key for key, truth in truths.items() if (truth != VOID).any()]
    function = getattr(functions, f"{name}_loss")
    values = [function(maps[key], truths[key], ignore=VOID, **given) for key in judged]
    assert document["summary"][name] == pytest.approx(float(np.mean(values)), rel=1e-10)
    stated = [
        option for option in said if option.startswith("--") and option[2:] in document["signature"]
    ]
    assert stated == [option for option in said if option.startswith("--")]


def test_what_is_usual_leaves_no_trace(tmp_path: Path) -> None:
    folders = map_set(tmp_path, *made_set(several=True, logits=False))
    document = losses(*folders, "--ignore", VOID)
    assert "generalized_dice" not in document["summary"]
    assert document["signature"].split("|bins:")[1].startswith("15|images")
    assert not {"log", "squared", "class_weights", "positive_weight"} & set(document["settings"])


def test_a_report_says_over_what_losses_are_pooled(tmp_path: Path) -> None:
    folders = map_set(tmp_path, *made_set(several=True, logits=False))
    options = ("--ignore", VOID, "--pooling", "dataset")
    document = losses(*folders, *options)
    means = {row["name"]: row["mean"] for row in document["losses"]}
    pooled = {"cross_entropy": "pixels", "focal": "pixels", "dice": "dataset", "jaccard": "dataset"}
    assert means == pooled
    assert "|pooling:dataset|" in document["signature"]
    done = segeval("losses", *folders, *options, "--per-image", tmp_path / "images.csv")
    assert "mean over all classes; sums over 3 of 4 images" in " ".join(done.stdout.split())
    assert "notice: Lovász-Softmax left out: --pooling dataset would need" in done.stderr
    assert "1 image without a judged pixel; nothing in the sums" in done.stderr
    usual = losses(*folders, "--ignore", VOID, "--per-image", tmp_path / "usual.csv")
    assert "|pooling:image|" in usual["signature"]
    each, by_image = (pd.read_csv(tmp_path / f"{name}.csv") for name in ("images", "usual"))
    pd.testing.assert_series_equal(each["dice"], by_image["dice"])
    generalized = segeval("losses", *folders, *options, "--loss", "generalized_dice").stdout
    assert "w = 1 / (Σt)² of the class; sums over" in " ".join(generalized.split())


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (["--positive-weight", "2"], "--positive-weight is of bce, bce_with_logits, and none of"),
        (
            ["--threshold", ".3"],
            "--threshold is of maps of one foreground, and these hold 3 classes",
        ),
        (["--log", "--loss", "focal"], "--log is of dice, jaccard, tversky, and none of them"),
        (["--class-weights", "1,2"], "--class-weights takes 3 numbers: one for each class"),
        (["--class-weights", "1,2,-1"], "--class-weights must be 0 or more, and finite"),
        (["--label-smoothing", "2"], "--label-smoothing is a share, 0 to 1, not 2"),
        (["--loss-classes", "7"], "no class is called '7'"),
        (["--loss-classes", "1", "--classes-mode", "all"], "leave out --classes-mode"),
        (["--pooling", "dataset", "--void-image", "zero"], "--pooling dataset has none"),
        (["--pooling", "dataset", "--loss", "lovasz_softmax"], "type --pooling image"),
    ],
)
def test_options_without_a_loss_are_refused(tmp_path: Path, said: list[str], message: str) -> None:
    folders = map_set(tmp_path, *made_set(several=True, logits=False))
    assert message in segeval("losses", *folders, "--ignore", VOID, *said, expect=2).stderr


def test_weights_of_an_image_may_add_up_to_less_than_1(tmp_path: Path) -> None:
    maps = {"a": np.array([[[0.7, 0.4]], [[0.3, 0.6]]])}
    truths = {"a": np.array([[0, 0]], np.uint8)}
    table, weights = tmp_path / "images.csv", ("--class-weights", ".1,.2")
    losses(
        *map_set(tmp_path, maps, truths), *weights, "--loss", "cross_entropy", "--per-image", table
    )
    value = pd.read_csv(table)["cross_entropy"].item()
    assert value == pytest.approx(-np.log([0.7, 0.4]).mean())
