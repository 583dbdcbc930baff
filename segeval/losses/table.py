"""The losses of one image: which there are, as data, and their values.

Adding a loss is adding a row to `LOSSES`. What a loss is stands in ``segeval.losses``; here it is
said on which data it is defined, and whether it is a mean over pixels or one number an image.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from segeval import losses
from segeval.errors import SettingError
from segeval.losses.arrays import Classes
from segeval.settings import LossChoice

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

OVERLAP: Final = "all"
LOVASZ: Final = "present"  # classes that are scored where nothing is said, as in ``segeval.losses``
IGNORED: Final = -1  # class index of a void pixel


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LossInput:
    """What a loss is valued on: a map as in the file, and the probabilities that it says."""

    values: NDArray[np.floating[Any]]
    probabilities: NDArray[np.floating[Any]]
    truth: NDArray[np.integer[Any]]  # class indices, `IGNORED` where void
    choice: LossChoice

    def pixels(self, function: Callable[..., Any], **options: Any) -> float:
        """Return the sum of a loss over judged pixels."""
        return float(function(self.values, self.truth, ignore=IGNORED, reduction="sum", **options))

    def image(self, function: Callable[..., Any], **options: Any) -> float:
        """Return the value of a loss of the probabilities that is one number an image."""
        return float(function(self.probabilities, self.truth, ignore=IGNORED, **options))

    def classes(self, usual: Classes) -> Classes:
        """Return the classes that are scored: as chosen, or as usual for a loss."""
        return self.choice.classes_mode or usual


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """A loss over a data set."""

    name: str
    title: str
    formula: str  # of a pixel, or of a class of an image
    mean: Literal["pixels", "images"]  # over judged pixels of the data set, or over images
    value: Callable[[LossInput], float]  # a sum over judged pixels, or the value of an image
    binary: bool = True  # defined on maps of the foreground
    several: bool = True  # defined on maps of several classes
    needs: Literal["", "logits", "tversky"] = ""  # what must be chosen
    classes: Literal["", "all", "present"] = ""  # if nothing is said


def _bce(given: LossInput) -> float:
    logits = given.choice.logits
    return given.pixels(losses.bce_with_logits_loss if logits else losses.bce_loss)


def _cross_entropy(given: LossInput) -> float:
    return given.pixels(losses.cross_entropy_loss, logits=given.choice.logits)


def _focal(given: LossInput) -> float:
    choice = given.choice
    alpha = choice.alpha[0] if len(choice.alpha) == 1 else choice.alpha or None
    return given.pixels(losses.focal_loss, alpha=alpha, gamma=choice.gamma, logits=choice.logits)


def _overlap(function: Callable[..., Any]) -> Callable[[LossInput], float]:
    return lambda given: given.image(
        function, smooth=given.choice.smooth, classes=given.classes(OVERLAP)
    )


def _tversky(given: LossInput) -> float:
    alpha, beta = given.choice.tversky or (0.5, 0.5)
    options = {"smooth": given.choice.smooth, "classes": given.classes(OVERLAP)}
    return given.image(losses.tversky_loss, alpha=alpha, beta=beta, **options)


def _lovasz_hinge(given: LossInput) -> float:
    return float(losses.lovasz_hinge_loss(given.values, given.truth, ignore=IGNORED))


def _lovasz_softmax(given: LossInput) -> float:
    return given.image(losses.lovasz_softmax_loss, classes=given.classes(LOVASZ))


BCE: Final = "-(t ln p + (1 - t) ln(1 - p))"

LOSSES: Final = {
    loss.name: loss
    for loss in (
        Loss(name="bce", title="BCE", formula=BCE, mean="pixels", value=_bce, several=False),
        Loss(
            name="bce_with_logits",
            title="BCE with logits",
            formula="max(z, 0) - z t + ln(1 + e^-|z|)",
            mean="pixels",
            value=_bce,
            several=False,
            needs="logits",
        ),
        Loss(
            name="cross_entropy",
            title="cross-entropy",
            formula="-ln p[t]",
            mean="pixels",
            value=_cross_entropy,
            binary=False,
        ),
        Loss(
            name="focal",
            title="focal",
            formula="-alpha_t (1 - p_t)^gamma ln p_t",
            mean="pixels",
            value=_focal,
        ),
        Loss(
            name="dice",
            title="soft Dice",
            formula="1 - (2 Σpt + s) / (Σp + Σt + s)",
            mean="images",
            value=_overlap(losses.dice_loss),
            classes=OVERLAP,
        ),
        Loss(
            name="jaccard",
            title="soft Jaccard",
            formula="1 - (Σpt + s) / (Σp + Σt - Σpt + s)",
            mean="images",
            value=_overlap(losses.jaccard_loss),
            classes=OVERLAP,
        ),
        Loss(
            name="tversky",
            title="Tversky",
            formula="1 - (T + s) / (T + αF + βM + s)",
            mean="images",
            value=_tversky,
            needs="tversky",
            classes=OVERLAP,
        ),
        Loss(
            name="lovasz_hinge",
            title="Lovász hinge",
            formula="Lovász extension of 1 - IoU at max(0, 1 - z (2t - 1))",
            mean="images",
            value=_lovasz_hinge,
            several=False,
            needs="logits",
        ),
        Loss(
            name="lovasz_softmax",
            title="Lovász-Softmax",
            formula="Lovász extension of 1 - IoU at |[t = c] - p_c|",
            mean="images",
            value=_lovasz_softmax,
            classes=LOVASZ,
        ),
    )
}
"""Every loss over a data set by name, in the order in which they are shown."""


NEEDS: Final = {
    "logits": "it needs logits; type --logits if the maps hold them",
    "tversky": "it needs the prices of false positives and misses; type --tversky 0.3,0.7",
}
"""What to type for what a loss needs."""


def applicable_losses(choice: LossChoice, *, binary: bool) -> tuple[str, ...]:
    """Return the losses that were chosen, or all that are defined on maps of this kind."""
    reasons = {name: _reason_against(loss, choice, binary=binary) for name, loss in LOSSES.items()}
    if not choice.losses:
        return tuple(name for name, reason in reasons.items() if not reason)
    for name in choice.losses:
        if name not in LOSSES:
            raise SettingError(f"no loss is called {name!r}; they are {', '.join(LOSSES)}")
        if reasons[name]:
            raise SettingError(f"--loss {name}: {reasons[name]}")
    return tuple(name for name in LOSSES if name in choice.losses)


def _reason_against(loss: Loss, choice: LossChoice, *, binary: bool) -> str:
    """Say why a loss cannot be valued, or return an empty text."""
    if loss.needs and not getattr(choice, loss.needs):
        return NEEDS[loss.needs]
    if binary and not loss.binary:
        return "the maps hold the foreground only; take bce"
    if not binary and not loss.several:
        return "the maps hold several classes; take cross_entropy or lovasz_softmax"
    return ""
