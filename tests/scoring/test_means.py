"""The mean is defined in one place: by the steps of the pooling, as the formulas say."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import replace
from itertools import product
from pathlib import Path
from statistics import fmean
from typing import get_args

import numpy as np
import pytest
from made.sets import frozen, made_run

import segeval
from segeval.counting.confusion import ClassCounts
from segeval.labels.labelmap import numbered
from segeval.reports.document import make_document
from segeval.reports.table import render, to_renderable
from segeval.scoring import means
from segeval.scoring.convention import Convention
from segeval.scoring.means import mean_score
from segeval.scoring.metrics import METRICS
from segeval.scoring.pooling import POOLINGS
from segeval.scoring.sample import Sample
from segeval.scoring.score import label_and_score, score_run
from segeval.scoring.tracks import along_frames
from segeval.settings import LabelChoice, Pooling

IMAGES, CLASSES = range(5), range(3)


def made_counts() -> ClassCounts:
    """Make counts of images, one of which shows two classes only."""
    random = np.random.default_rng(1)
    tp, fp, fn = random.integers(1, 50, (3, len(IMAGES), len(CLASSES)))
    for part in (tp, fp, fn):
        part[0, 0] = 0
    tp, support, predicted = (frozen(part, "int64") for part in (tp, tp + fn, tp + fp))
    return ClassCounts(tp=tp, support=support, predicted=predicted, total=support.sum(axis=1))


def iou(counts: ClassCounts, images: Iterable[int], classes: Iterable[int]) -> float | None:
    """Score the summed counts of some images and classes; None where they are not there."""
    cells = list(product(images, classes))
    tp = sum(int(counts.tp[cell]) for cell in cells)
    union = sum(int(counts.support[cell] + counts.predicted[cell]) for cell in cells) - tp
    return tp / union if union else None


def mean(values: Iterable[float | None]) -> float:
    """Average what is defined."""
    return fmean(value for value in values if value is not None)


@pytest.mark.parametrize("pooling", get_args(Pooling))
def test_the_mean_is_what_the_formula_of_the_pooling_says(pooling: Pooling) -> None:
    made = made_counts()
    formulas: dict[str, float | None] = {
        "dataset": mean(iou(made, IMAGES, [c]) for c in CLASSES),
        "image": mean(mean(iou(made, [n], [c]) for c in CLASSES) for n in IMAGES),
        "class": mean(mean(iou(made, [n], [c]) for n in IMAGES) for c in CLASSES),
        "pair": mean(iou(made, [n], [c]) for n in IMAGES for c in CLASSES),
        "micro": iou(made, IMAGES, CLASSES),
        "image-micro": mean(iou(made, [n], CLASSES) for n in IMAGES),
        "group": mean(mean(iou(made, [n], [c]) for c in CLASSES) for n in IMAGES),
        "track": mean(iou(made, [n], [c]) for n in IMAGES for c in CLASSES),  # a frame each
        "track-decay": 0.0,
        "dataset-mm3": mean(iou(made, IMAGES, [c]) for c in CLASSES),  # of voxels of 1 mm³
    }
    if POOLINGS[pooling].frames:
        made = along_frames(made, np.arange(len(IMAGES)), ends=True)
    score = mean_score(Convention(pooling=pooling), METRICS["iou"], Sample.of(made), ())
    assert score.tolist() == pytest.approx([formulas[pooling]], rel=1e-14)
    assert f"\n``{pooling}``" in str(means.__doc__), "its formula is missing in the docstring"


def test_every_pooling_that_a_user_can_name_has_its_steps() -> None:
    assert tuple(POOLINGS) == get_args(Pooling)
    able = [name for name, pooling in POOLINGS.items() if pooling.has_worst]
    assert able == ["image", "class", "group"]


def test_a_pooling_is_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    row = replace(POOLINGS["image"], words="made for {images}")
    monkeypatch.setitem(POOLINGS, "made", row)
    run = made_run((frozen([[0, 0, 1, 1]]), frozen([[0, 1, 1, 1]])))
    labels = numbered("two", range(2))
    image, made = (
        score_run(run, labels, Convention(pooling=name, worst=50))  # type: ignore[arg-type]
        for name in ("image", "made")
    )
    assert made.summary == image.summary
    assert "|pooling:made|" in made.signature
    assert "made for 1 image" in render(to_renderable(make_document(made)), width=200, color=False)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_the_generalised_dice_is_named_where_it_is_one(pooling: Pooling) -> None:
    run = made_run(
        (frozen([[0, 0, 0, 1, 2]]), frozen([[0, 1, 0, 1, 1]])),
        (frozen([[0, 0, 1, 1]]), frozen([[0, 1, 1, 1]])),
    ).with_groups(["a", "b"])
    voxels = ["5×1×1 voxels of 1×1×1 mm", "4×1×1 voxels of 1×1×1 mm"]
    run = replace(run, images=run.images.with_column("truth_form", voxels))
    choice, plain = LabelChoice(classes=3), Convention(pooling=pooling)
    usual, made = (
        label_and_score(run, choice, convention)
        for convention in (plain, replace(plain, generalized="square"))
    )
    text = render(to_renderable(make_document(made)), width=200, color=False)
    (said,) = (line for line in text.splitlines() if line.startswith("mDice"))
    differs = abs(made.summary["mdice"] - usual.summary["mdice"]) > 1e-9
    row = POOLINGS[pooling]
    assert ("generalised Dice" in said) == bool(row.one_score) == differs
    images = "2 groups" if row.by_group else "2 images"
    assert f"; {(row.one_score or row.words).format(images=images)}" in said


def test_no_code_asks_for_a_pooling_by_its_name() -> None:
    found = [
        (path.name, ast.unparse(node))
        for path in Path(segeval.__file__).parent.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Compare) and "pooling" in ast.unparse(node)
        for part in ast.walk(node)
        if isinstance(part, ast.Constant) and part.value in POOLINGS
    ]
    assert not found
