"""Losses at the edge: tails of the logistic, large logits, odd settings, nothing to score."""

from __future__ import annotations

import math
import platform
import subprocess
import sys
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import pytest

from segeval.losses import (
    bce_loss,
    cross_entropy_loss,
    dice_loss,
    focal_loss,
    lovasz_hinge_loss,
    lovasz_softmax_loss,
    tversky_loss,
)
from segeval.losses.dataset import _said
from segeval.losses.table import stated_options
from segeval.settings import LossChoice

Loss: TypeAlias = Callable[..., Any]


@pytest.mark.parametrize("logit", [-18.0, -20.0, -25.0])
def test_small_probabilities_keep_their_digits_in_float32(logit: float) -> None:
    truth = np.zeros((1000, 1000), np.uint8)
    losses = [
        dice_loss(np.full(truth.shape, logit, kind), truth, smooth=1, logits=True)
        for kind in (np.float32, np.float64)
    ]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    assert losses[1] > 0


@pytest.mark.parametrize("base", [0.0, 1e4, 1e6])
def test_large_logits_lose_no_digits(base: float) -> None:
    logits = np.array([[[base]], [[base + 1]]], np.float32)
    loss = cross_entropy_loss(logits, np.array([[0]]), logits=True)
    assert loss == pytest.approx(math.log(1 + math.e), abs=1e-6)


def test_void_values_may_be_of_any_integer_type() -> None:
    probabilities, truth = np.array([[0.5, 0.5]]), np.array([[1, 255]])
    assert dice_loss(probabilities, truth, ignore=np.int64(255)) == dice_loss(
        probabilities, truth, ignore=[np.uint8(255)]
    )
    with pytest.raises(ValueError, match="ignore must be an integer or several, found '255'"):
        dice_loss(probabilities, truth, ignore="255")  # type: ignore[arg-type]


def test_a_class_that_weighs_nothing_is_not_present() -> None:
    truth, values = np.array([[1, 0, 0]]), np.array([[0.9, 0.2, 0.4]])
    weights = np.array([[0, 1, 1]])
    for loss in (lovasz_softmax_loss, dice_loss, tversky_loss):
        assert loss(values, truth, weights=weights, classes="present") == 0


def test_no_images_give_no_losses() -> None:
    values, truth = np.zeros((0, 3, 4, 4)), np.zeros((0, 4, 4), int)
    each = lovasz_softmax_loss(values, truth, per_image=True, reduction="none")
    assert each.shape == (0, 3)
    hinge = lovasz_hinge_loss(values[:, 0], truth, per_image=True, reduction="none")
    assert hinge.shape == (0,)


def test_settings_out_of_bounds_are_refused() -> None:
    values, truth = np.array([[0.9, 0.9]]), np.array([[0, 1]])
    with pytest.raises(ValueError, match="alpha must be 0 or more, found -1"):
        tversky_loss(values, truth, alpha=-1)
    with pytest.raises(ValueError, match="smooth must be 0 or more, found -3"):
        dice_loss(values, truth, smooth=-3)
    with pytest.raises(ValueError, match=r"balanced alpha must lie in \[0, 1\], found 2"):
        focal_loss(values, truth, alpha=2.0)
    classes = np.stack([1 - values, values])
    with pytest.raises(ValueError, match=r"label_smoothing must lie in \[0, 1\], found 1.5"):
        cross_entropy_loss(classes, truth, label_smoothing=1.5)
    with pytest.raises(ValueError, match="each once, found"):
        dice_loss(classes, truth, classes=[0, 0, 1])


def test_alpha_may_be_a_number_of_numpy() -> None:
    values, truth = np.array([[0.9, 0.4]]), np.array([[0, 1]])
    assert focal_loss(values, truth, alpha=np.float32(0.25)) == focal_loss(
        values, truth, alpha=0.25
    )


@pytest.mark.parametrize("loss", [bce_loss, dice_loss, focal_loss, lovasz_softmax_loss])
def test_probabilities_outside_by_rounding_are_those_at_the_ends(loss: Loss) -> None:
    truth = np.array([[1, 0, 1, 0]])
    ends = np.array([[1.0, 0.0, 0.0, 1.0]])
    outside = ends + np.array([[9e-5, -9e-5, -9e-5, 9e-5]])
    assert loss(outside, truth) == loss(ends, truth)
    for further in (ends + 2e-4, ends - 2e-4):
        with pytest.raises(ValueError, match=r"probabilities must lie in \[0, 1\], found"):
            loss(further, truth)


FAULTS = """
import resource, numpy as np
from segeval.losses import focal_loss
logits, truth = np.ones((1, 2**21), np.float32), np.ones((1, 2**21), np.uint8)
for _ in range(2):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    focal_loss(logits, truth, logits=True)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="others manage memory alone")
def test_blocks_take_over_the_memory_of_those_before_them() -> None:
    command = [sys.executable, "-c", FAULTS]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert int(done.stdout) < 128, "pages were fetched anew: those of one array of a block, or more"


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0, 3.0])
def test_the_focal_loss_of_logits_is_that_of_their_probabilities(gamma: float) -> None:
    truth, logits = np.array([[0, 1, 1, 0]]), np.array([[-1.5, 0.25, -2.0, -60.0]])
    found = focal_loss(logits, truth, logits=True, gamma=gamma)
    assert found == pytest.approx(focal_loss(1 / (1 + np.exp(-logits)), truth, gamma=gamma))


def test_the_options_of_a_few_losses_are_written_down() -> None:
    choice = LossChoice(normalized=True, class_weights=(1.0, 0.5), label_smoothing=0.1)
    told = {name: _said(choice, name) for name in stated_options(choice)}
    assert told == {"normalized": "yes", "class_weights": "1,0.5", "label_smoothing": "0.1"}
