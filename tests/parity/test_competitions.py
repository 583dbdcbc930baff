"""Presets of competitions against their published rules, written down in NumPy.

The rules: of each pair of an image and a class the Dice, 1 if both sides are empty (Severstal); of
each image the share of ten thresholds that the IoU exceeds (TGS); the Jaccard index of each image,
0 if it is below 0.65 (ISIC 2018).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from made.sets import frozen, made_run
from numpy.typing import NDArray

from segeval.labels.labelmap import numbered
from segeval.presets.preset import preset
from segeval.scoring.score import score_run

Masks = NDArray[np.int64]


def iou(truth: Any, prediction: Any) -> float:
    union = np.count_nonzero(truth | prediction)
    return float(np.count_nonzero(truth & prediction) / union) if union else 1.0


def severstal(truth: Masks, prediction: Masks, classes: int) -> list[float]:
    pairs = []
    for value in range(1, classes):
        t, p = truth == value, prediction == value
        size = t.sum() + p.sum()
        pairs.append(float(2 * (t & p).sum() / size) if size else 1.0)
    return pairs


def tgs(truth: Masks, prediction: Masks, classes: int) -> list[float]:
    assert classes == 2
    thresholds = [half / 100 for half in range(50, 100, 5)]
    return [float(np.mean([iou(truth == 1, prediction == 1) > t for t in thresholds]))]


def isic(truth: Masks, prediction: Masks, classes: int) -> list[float]:
    assert classes == 2
    index = iou(truth == 1, prediction == 1)
    return [index if index >= 0.65 else 0.0]


def any_pairs(seed: int, classes: int) -> list[tuple[Masks, Masks]]:
    """Return masks from alike to unlike, some without an object on one side or both."""
    numbers = np.random.default_rng(seed)
    pairs = []
    for wrong in (0.0, 0.02, 0.1, 0.2, 0.35, 0.5, 1.0):
        truth = numbers.integers(0, classes, (6, 10))
        other = numbers.integers(0, classes, truth.shape)
        pairs.append((truth, np.where(numbers.random(truth.shape) < wrong, other, truth)))
    nothing = np.zeros((6, 10), np.int64)
    half = np.repeat([[1] * 5 + [0] * 5], 6, axis=0)
    twenty = np.array([[1] * 20], np.int64)
    return [
        *pairs,
        (nothing, nothing),
        (nothing, half),
        (half, nothing),
        (np.ones_like(half), half),
        (twenty, np.array([[1] * 13 + [0] * 7])),
        (twenty, np.array([[1] * 11 + [0] * 9])),
    ]


@pytest.mark.parametrize(
    ("name", "rule", "classes"),
    [("severstal", severstal, 5), ("tgs-salt", tgs, 2), ("isic2018", isic, 2)],
)
def test_a_preset_gives_what_the_rules_say(
    name: str, rule: Callable[[Masks, Masks, int], list[float]], classes: int
) -> None:
    for seed in range(5):
        pairs = any_pairs(seed, classes)
        run = made_run(*((frozen(truth), frozen(prediction)) for truth, prediction in pairs))
        convention = preset(name)
        found = score_run(run, numbered("indices", range(classes)), convention).summary
        expected = np.mean([value for pair in pairs for value in rule(*pair, classes)])
        assert found[convention.headline] == pytest.approx(expected, abs=1e-12)
