"""Made arrays, and every loss with arguments that suit it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final, TypeAlias

import numpy as np

from segeval import losses

Loss: TypeAlias = Callable[..., Any]

SHAPE: Final = (2, 4, 5, 6)
"""Images, classes, rows, columns."""

BINARY: Final[dict[str, Loss]] = {
    "bce": losses.bce_loss,
    "bce weighted": partial(losses.bce_loss, positive_weight=3.0),
    "dice": partial(losses.dice_loss, smooth=1.0),
    "dice log": partial(losses.dice_loss, log=True),
    "dice squared": partial(losses.dice_loss, squared=True),
    "dice coefficient": losses.dice_coefficient,
    "focal": partial(losses.focal_loss, alpha=0.25),
    "focal 0.5": partial(losses.focal_loss, gamma=0.5),
    "focal normalised": partial(losses.focal_loss, normalized=True),
    "generalised dice": losses.generalized_dice_loss,
    "jaccard": partial(losses.jaccard_loss, per_image=True),
    "lovasz": partial(losses.lovasz_softmax_loss, classes="all"),
    "tversky": partial(losses.tversky_loss, alpha=0.3, beta=0.7),
}
"""Losses of the probability of the foreground."""

BINARY_LOGITS: Final[dict[str, Loss]] = {
    "bce with logits": losses.bce_with_logits_loss,
    "bce with logits weighted": partial(losses.bce_with_logits_loss, positive_weight=3.0),
    "lovasz hinge": losses.lovasz_hinge_loss,
    "lovasz hinge per image": partial(losses.lovasz_hinge_loss, per_image=True),
    "dice of logits": partial(losses.dice_loss, logits=True),
    "focal of logits": partial(losses.focal_loss, alpha=0.25, logits=True),
    "focal 0.5 of logits": partial(losses.focal_loss, gamma=0.5, logits=True),
    "focal normalised of logits": partial(losses.focal_loss, normalized=True, logits=True),
    "lovasz of logits": partial(losses.lovasz_softmax_loss, logits=True),
}
"""Losses of the logit of the foreground."""

MULTI: Final[dict[str, Loss]] = {
    "cross-entropy": losses.cross_entropy_loss,
    "cross-entropy smoothed": partial(losses.cross_entropy_loss, label_smoothing=0.1),
    "cross-entropy weighted": partial(losses.cross_entropy_loss, class_weights=[1, 2, 3, 4]),
    "dice": losses.dice_loss,
    "dice log": partial(losses.dice_loss, classes="present", log=True),
    "dice present": partial(losses.dice_loss, classes="present", per_image=True),
    "focal": partial(losses.focal_loss, alpha=[0.1, 0.2, 0.3, 0.4]),
    "focal normalised": partial(losses.focal_loss, normalized=True),
    "generalised dice": partial(losses.generalized_dice_loss, smooth=1e-5, per_image=True),
    "generalised dice simple": partial(
        losses.generalized_dice_loss, weighting="simple", classes="present"
    ),
    "jaccard": partial(losses.jaccard_loss, classes=[1, 2], smooth=1e-6),
    "jaccard log": partial(losses.jaccard_loss, smooth=1.0, log=True),
    "lovasz": losses.lovasz_softmax_loss,
    "lovasz all": partial(losses.lovasz_softmax_loss, classes="all"),
    "lovasz listed": partial(losses.lovasz_softmax_loss, classes=[3, 1]),
    "lovasz per image": partial(losses.lovasz_softmax_loss, per_image=True),
    "tversky": partial(losses.tversky_loss, alpha=0.3, beta=0.7, smooth=1.0),
    "tversky log": partial(losses.tversky_loss, alpha=0.3, beta=0.7, smooth=1.0, log=True),
}
"""Losses of the probabilities of classes."""

MULTI_LOGITS: Final[dict[str, Loss]] = {
    f"{name} of logits": partial(loss, logits=True) for name, loss in MULTI.items()
}
"""The same of logits."""

GROUPS: Final = {"binary": BINARY, "logit": BINARY_LOGITS, "multi": MULTI, "logits": MULTI_LOGITS}
CASES: Final = [(group, name) for group, members in GROUPS.items() for name in members]
IDS: Final = [f"{group}: {name}" for group, name in CASES]


def frozen(array: Any) -> Any:
    """Make an array read-only, so that a loss that writes to its arguments fails."""
    array.flags.writeable = False
    return array


def made(group: str, seed: int = 0, void: float = 0.2, dtype: type = np.float64) -> Any:
    """Return values, truth and weights; 255 is void, and class 3 is not in the truth."""
    random = np.random.default_rng(seed)
    shape = SHAPE if group.startswith("multi") or group == "logits" else (2, 5, 6)
    values = 3 * random.normal(size=shape)
    if group == "binary":
        values = 1 / (1 + np.exp(-values))
    if group == "multi":
        values = 0.05 + 0.8 * np.exp(values) / np.exp(values).sum(axis=1, keepdims=True)
    truth = random.integers(0, 3 if len(shape) == 4 else 2, (2, 5, 6))
    truth[random.random(truth.shape) < void] = 255
    weights = random.random(truth.shape) + 0.5
    return frozen(values.astype(dtype)), frozen(truth), frozen(weights)
