"""Losses of probability maps as users type them, against plain NumPy."""

from __future__ import annotations

import csv
import json
import shutil
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made.maps import (
    SHAPES,
    VOID,
    Settings,
    losses,
    made_logits,
    made_set,
    made_truth,
    map_set,
    plain_calibration,
    plain_losses,
    softmax,
    towards,
)
from made.sets import save, segeval

from segeval import losses as functions

PIXELS = {"bce", "bce_with_logits", "cross_entropy", "focal"}

TOLD = Settings(gamma=0.5, alpha=(1, 2, 0.5), smooth=1, tversky=(0.3, 0.7), present=True)
OPTIONS = "--gamma .5 --smooth 1 --tversky 0.3,0.7 --classes-mode present --alpha".split()
ALL = Settings(gamma=0, alpha=(0.25,), smooth=0.1, tversky=(1, 0), present=False)
OTHER = "--gamma 0 --smooth .1 --tversky 1,0 --classes-mode all --alpha 0.25".split()
CHOICES: dict[str, tuple[Settings, list[str]]] = {
    "usual": (Settings(), []),
    "told": (TOLD, [*OPTIONS, "1,2,.5"]),
    "other": (ALL, OTHER),
}


@pytest.mark.parametrize("choice", CHOICES)
@pytest.mark.parametrize("logits", [False, True])
@pytest.mark.parametrize("several", [False, True])
def test_every_loss_equals_its_definition(
    tmp_path: Path, choice: str, *, several: bool, logits: bool
) -> None:
    settings, options = CHOICES[choice]
    if choice == "told" and not several:
        settings = Settings(gamma=0.5, alpha=(1, 2), smooth=1, tversky=(0.3, 0.7), present=True)
        options = [*OPTIONS, "1,2"]
    maps, truths = made_set(several=several, logits=logits)
    table = tmp_path / "images.csv"
    document = losses(
        *map_set(tmp_path, maps, truths),
        *options,
        *(["--logits"] if logits else []),
        *("--ignore", 255, "--per-image", table),
    )
    summary, each = plain_losses(maps, truths, settings, logits=logits)
    if not options:
        del summary["tversky"]
    assert document["summary"] == pytest.approx(summary, rel=1e-11, abs=1e-13)
    assert {row["name"]: row["mean"] for row in document["losses"]} == {
        name: "pixels" if name in PIXELS else "images" for name in summary
    }
    rows = list(csv.DictReader(table.read_text("utf-8").splitlines()))
    assert [row["image"] for row in rows] == sorted(SHAPES)
    for row in rows:
        name = row["image"]
        assert int(row["pixels"]) == truths[name].size
        assert int(row["judged"]) == np.count_nonzero(truths[name] != VOID)
        for loss in summary:
            if row["judged"] == "0":
                assert not row[loss]
                continue
            expected = each[name].get(loss, 0)
            assert float(row[loss]) == pytest.approx(expected, rel=1e-11, abs=1e-13), (name, loss)
        assert row["signature"] == document["signature"]


@pytest.mark.parametrize("logits", [False, True])
@pytest.mark.parametrize("several", [False, True])
def test_calibration_and_hard_scores_equal_their_definitions(
    tmp_path: Path, *, several: bool, logits: bool
) -> None:
    maps, truths = made_set(several=several, logits=logits)
    options = ["--bins", 7, *(["--logits"] if logits else []), "--ignore", 255]
    options += [] if several else ["--threshold", 0.4]
    document = losses(*map_set(tmp_path, maps, truths), *options)
    valid = {name: truth != VOID for name, truth in truths.items()}
    truth = np.concatenate([truths[name][valid[name]] for name in maps]).astype(int)
    given = np.concatenate([maps[name][..., valid[name]] for name in maps], axis=-1)
    if logits:
        given = softmax(given) if several else 1 / (1 + np.exp(-given))
    hard = given.argmax(axis=0) if several else (given >= 0.4).astype(int)
    stated, hits = (given.max(axis=0), hard == truth) if several else (given, truth == 1)
    ece, mce, pixels = plain_calibration(stated, hits, 7)
    one_hot = np.stack([truth == k for k in range(3)]) if several else truth
    squared = (given - one_hot) ** 2
    found = document["calibration"]
    assert found["of"] == ("most probable class" if several else "foreground")
    assert [found[name] for name in ("ece", "mce", "brier", "nll")] == pytest.approx(
        [ece, mce, squared.sum() / truth.size, -np.log(towards(given, truth)).mean()], rel=1e-11
    )
    assert [row["pixels"] for row in found["bins"]] == pixels
    assert [row["from"] for row in found["bins"]] == pytest.approx(np.arange(7) / 7)
    assert document["hard"]["pixel_accuracy"] == np.mean(hard == truth)
    ious = [
        np.sum((hard == k) & (truth == k)) / np.sum((hard == k) | (truth == k))
        for k in range(3 if several else 2)
    ]
    assert document["hard"]["miou"] == pytest.approx(np.mean(ious))
    assert several or document["hard_foreground"]["iou"] == pytest.approx(ious[1])
    decided = "prediction:argmax" if several else "prediction:p>=0.4"
    assert f"|{decided}|maps:{'logits' if logits else 'probabilities'}|" in document["signature"]


@pytest.mark.parametrize("pooling", ["image", "dataset"])
def test_hard_scores_say_that_their_counts_are_summed(tmp_path: Path, pooling: str) -> None:
    folders = map_set(tmp_path, *made_set(several=False, logits=False))
    said = segeval("losses", *folders, "--ignore", 255, "--pooling", pooling).stdout
    (line,) = [line for line in said.splitlines() if line.startswith("IoU of ")]
    assert "tp / (tp + fp + fn); counts summed over" in line


def test_the_first_of_equals_wins_and_the_threshold_is_foreground(tmp_path: Path) -> None:
    truth = {"a": np.zeros((2, 2), np.uint8)}
    several = map_set(tmp_path / "k", {"a": np.full((4, 2, 2), 0.25)}, truth)
    binary = map_set(tmp_path / "b", {"a": np.full((2, 2), 0.25, "float32")}, truth)
    assert losses(*several)["hard"]["pixel_accuracy"] == 1
    assert losses(*binary, "--threshold", 0.25)["hard"]["pixel_accuracy"] == 0
    assert losses(*binary, "--threshold", 0.26)["hard"]["pixel_accuracy"] == 1


def test_functions_of_the_library_give_the_means_over_images(tmp_path: Path) -> None:
    maps = {f"{n}": softmax(made_logits(n, (4, 6, 5))) for n in range(3)}
    truths = {f"{n}": made_truth(n, (6, 5), 4, void=7 * n) for n in range(3)}
    summary = losses(*map_set(tmp_path, maps, truths), "--tversky", "0.3,0.7")["summary"]
    batch, truth = np.stack(list(maps.values())), np.stack(list(truths.values()))
    together: dict[str, Callable[..., Any]] = {
        "dice": functions.dice_loss,
        "jaccard": functions.jaccard_loss,
        "lovasz_softmax": functions.lovasz_softmax_loss,
    }
    for name, function in together.items():
        value = float(function(batch, truth, ignore=VOID, per_image=True))
        assert summary[name] == pytest.approx(value, rel=1e-12)
    for name, function in (
        ("cross_entropy", functions.cross_entropy_loss),
        ("focal", functions.focal_loss),
    ):
        assert summary[name] == pytest.approx(float(function(batch, truth, ignore=VOID)), rel=1e-12)
    tversky = functions.tversky_loss(batch, truth, ignore=VOID, per_image=True, alpha=0.3, beta=0.7)
    assert summary["tversky"] == pytest.approx(float(tversky), rel=1e-12)


@pytest.fixture
def folders(tmp_path: Path) -> list[Path]:
    return map_set(tmp_path, *made_set(several=True, logits=False))


KEYS = (
    "schema version signature settings images pixels summary losses calibration hard averaged gates"
).split()


def test_the_document_says_everything(folders: list[Path], tmp_path: Path) -> None:
    document = losses(*folders, "--json", tmp_path / "a.json", "--csv", tmp_path / "a.csv")
    assert json.loads((tmp_path / "a.json").read_text("utf-8")) == document
    assert list(document) == KEYS
    assert document["schema"] == "segeval.losses/1"
    assert document["images"] == {
        "scored": 4, "missing": [], "skipped": [], "extra": 0, "void": 1, "averaged": 3,
    }  # fmt: skip
    ignored = 0 + 1 + 2 + 6
    assert document["pixels"] == {
        "total": 83, "judged": 83 - ignored, "ignored": ignored,
        "ignored_by_prediction": 0, "unknown": 0,
    }  # fmt: skip
    assert list(document["losses"][0]) == ["name", "value", "mean", "classes", "formula"]
    assert len(document["calibration"]["bins"]) == 15
    assert document["signature"].startswith(
        "labels:channels|classes:3|ignore:255|prediction:argmax"
    )
    rows = list(csv.DictReader((tmp_path / "a.csv").read_text("utf-8").splitlines()))
    assert {row["loss"]: float(row["value"]) for row in rows} == document["summary"] | {
        name: document["calibration"][name] for name in ("ece", "mce", "brier", "nll")
    }
    assert {row["signature"] for row in rows} == {document["signature"]}


def test_the_table_shows_each_number_with_its_definition(folders: list[Path]) -> None:
    done = segeval("losses", *folders, "--bins", 5, COLUMNS="160")
    assert "cross-entropy" in done.stdout
    assert "mean over 74 judged pixels" in done.stdout
    assert "mean over all classes, then over 3 of 4 images" in done.stdout
    assert "over 3 of 3 classes; counts summed over 3 of 4 images" in done.stdout
    assert "0.8000  1.0000" in done.stdout
    assert "signature" not in done.stdout
    assert "bins:5|images:4" in done.stdout
    assert "1 image without a judged pixel; not in the means over images" in done.stderr
    assert not segeval("losses", *folders, "--quiet").stderr


def test_every_choice_is_in_the_signature(folders: list[Path]) -> None:
    signature = losses(*folders, *OPTIONS, "none", "--bins", 4)["signature"]
    assert (
        "|alpha:none|gamma:0.5|smooth:1|tversky:0.3,0.7|pooling:image|classes-mode:present|bins:4|"
        in signature
    )
    assert "alpha:0.25|gamma:0|" in losses(*folders, *OTHER)["signature"]


def test_losses_are_chosen_by_name(folders: list[Path]) -> None:
    usual = losses(*folders)["summary"]
    few = losses(*folders, *"--loss dice --loss focal --loss dice".split())["summary"]
    assert few == {name: usual[name] for name in ("focal", "dice")}


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["svg", "png", "pdf"])
def test_the_reliability_diagram_is_drawn(folders: list[Path], tmp_path: Path, ending: str) -> None:
    paths = [tmp_path / f"{name}.{ending}" for name in "ab"]
    for path in paths:
        segeval("losses", *folders, "--plot", path)
    first, second = (path.read_bytes() for path in paths)
    assert first == second
    start = {"svg": b"<?xml", "png": b"\x89PNG", "pdf": b"%PDF"}[ending]
    assert first.startswith(start)
    if ending == "svg":
        words = "".join(ET.fromstring(first).itertext())
        assert "probability of the most probable class" in words
        assert "ECE 0." in words


def test_gates_pass_fail_and_name_what_there_is(folders: list[Path]) -> None:
    gates = losses(*folders, "--fail-over", "dice=0.99", "--fail-over", "ece=1")["gates"]
    assert [(gate["metric"], gate["maximum"], gate["passed"]) for gate in gates] == [
        ("dice", 0.99, True),
        ("ece", 1.0, True),
    ]
    assert not losses(*folders, "--fail-over", "nll=0.1", expect=1)["gates"][0]["passed"]
    done = segeval("losses", *folders, "--fail-over", "bce=1", expect=2)
    assert "there is no value 'bce' here; there are cross_entropy, focal, dice" in done.stderr


def test_a_bound_is_met_by_the_very_value(folders: list[Path]) -> None:
    value = losses(*folders)["summary"]["focal"]
    losses(*folders, "--fail-over", f"focal={value!r}")
    losses(*folders, "--fail-over", f"focal={np.nextafter(value, 0)!s}", expect=1)


def test_an_all_void_image_counts_0_only_if_asked(folders: list[Path], tmp_path: Path) -> None:
    document = losses(*folders, "--per-image", tmp_path / "skip.csv")
    images = document["images"]
    asked = losses(*folders, "--void-image", "zero", "--per-image", tmp_path / "zero.csv")
    for row in document["losses"]:
        share = 1 if row["mean"] == "pixels" else images["averaged"] / images["scored"]
        assert asked["summary"][row["name"]] == pytest.approx(row["value"] * share, rel=1e-12)
    assert asked["images"]["averaged"] == images["scored"]
    assert "|void-image:zero|bins" in asked["signature"]
    assert "void-image" not in document["signature"]
    for name, expected in (("skip.csv", ""), ("zero.csv", "0.0")):
        rows = csv.DictReader((tmp_path / name).read_text("utf-8").splitlines())
        assert [row["dice"] for row in rows if row["judged"] == "0"] == [expected]
    bound = document["summary"]["dice"] * 0.9
    losses(*folders, "--fail-over", f"dice={bound}", expect=1)


def test_all_void_is_undefined_and_fails_every_gate(tmp_path: Path) -> None:
    maps, truths = {"a": softmax(made_logits(0, (3, 2, 2)))}, {"a": np.full((2, 2), VOID)}
    pair = map_set(tmp_path, maps, truths)
    document = losses(*pair, "--fail-over", "dice=1", "--plot", tmp_path / "a.svg", expect=1)
    assert set(document["summary"].values()) == {None}
    assert document["calibration"]["ece"] is None
    assert "no judged pixel" in (tmp_path / "a.svg").read_text("utf-8")


def test_the_bits_depend_on_neither_workers_nor_the_order_of_files(
    folders: list[Path], tmp_path: Path
) -> None:
    printed = {
        segeval("losses", *folders, "--format", "csv", "--workers", n).stdout for n in (1, 2, 3)
    }
    again = [tmp_path / "again" / folder.name for folder in folders]
    for old, new in zip(folders, again, strict=True):
        files = sorted(old.rglob("*.*"), reverse=True)
        assert files
        for path in files:
            target = new / path.relative_to(old)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)
    printed.add(segeval("losses", *again, "--format", "csv").stdout)
    assert len(printed) == 1


@pytest.mark.parametrize("several", [True, False])
def test_a_run_file_scores_like_the_masks_of_the_most_probable_classes(
    tmp_path: Path, *, several: bool
) -> None:
    maps, truths = made_set(several=several, logits=False)
    probs, truth = map_set(tmp_path, maps, truths)
    void = ("--ignore", 255)
    hard = losses(probs, truth, "-o", tmp_path / "a.run", *void)["hard"]
    for name, values in maps.items():
        save(tmp_path / "pred" / f"{name}.png", values.argmax(axis=0) if several else values >= 0.5)
    read = ("report", tmp_path / "a.run"), ("score", tmp_path / "pred", truth)
    report, score = (
        json.loads(segeval(*words, *void, "--format", "json").stdout) for words in read
    )
    assert report["classes"] == score["classes"]
    assert report["confusion"] == score["confusion"]
    assert report["summary"] == score["summary"] == hard
    assert "|prediction:" in report["signature"]
    done = segeval("losses", probs, truth, "-o", tmp_path / "a.run", expect=3)
    assert "type --overwrite" in done.stderr
    segeval("losses", probs, truth, "-o", tmp_path / "a.run", "--overwrite", *void)
