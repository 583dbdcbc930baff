"""The losses of one image: which there are, as data, and their values.

Adding a loss is adding a row to `LOSSES`. What a loss is stands in ``segeval.losses``; here it is
said on which data it is defined, and whether it is a mean over pixels or one number an image.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from segeval import losses
from segeval.errors import SettingError
from segeval.losses.arrays import Classes, flatten, sigmoid, softmax
from segeval.losses.overlap import Overlap, overlap_sums
from segeval.scoring.pooling import POOLINGS
from segeval.settings import LossChoice

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
    listed: tuple[int, ...] = ()
    overlaps: dict[bool, Overlap] = field(default_factory=dict)  # by whether they are of squares

    @property
    def judged(self) -> int:
        """Number of judged pixels."""
        return int(np.count_nonzero(self.truth >= 0))

    def pixels(self, function: Callable[..., Any], **options: Any) -> float:
        """Return the sum of a loss over judged pixels."""
        return float(function(self.values, self.truth, ignore=IGNORED, reduction="sum", **options))

    def image(self, function: Callable[..., Any], **options: Any) -> float:
        """Return the value of a loss of the probabilities that is one number an image."""
        return float(function(self.probabilities, self.truth, ignore=IGNORED, **options))

    def overlap(self, *, squared: bool) -> Overlap:
        """Add up the overlap of each class, once for all losses."""
        if squared not in self.overlaps:
            pixels = flatten(self.probabilities, self.truth, IGNORED, "mean", None, logits=False)
            self.overlaps[squared] = overlap_sums(
                pixels, self.classes(OVERLAP), "mean", per_image=False, squared=squared
            )
        return self.overlaps[squared]

    def classes(self, usual: Classes) -> Classes:
        """Return the classes that are scored: as chosen, or as usual for a loss."""
        return self.listed or self.choice.classes_mode or usual


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """A loss over a data set."""

    name: str
    title: str
    formula: str  # of a pixel, or of a class of an image
    mean: Literal["pixels", "images"] = "images"  # over the judged pixels of all, or over images
    value: Callable[[LossInput], float]  # a sum over judged pixels, or the value of an image
    binary: bool = True  # defined on maps of the foreground
    several: bool = True  # defined on maps of several classes
    needs: Literal["", "logits", "tversky", "losses"] = ""  # "losses": valued by name only
    classes: Literal["", "all", "present"] = ""  # if nothing is said
    divisor: Callable[[LossInput], float] = lambda given: given.judged  # of a sum over pixels
    ratio: Callable[[Overlap, LossChoice], float] | None = None  # of sums, where it is one

    def squared(self, choice: LossChoice) -> bool:
        """Whether the sums are those of squares."""
        return choice.squared and self.name in OPTIONS["squared"][0]

    def pooled(self, choice: LossChoice) -> Callable[[Overlap, LossChoice], float] | None:
        """Return the ratio of sums over the data set, if that is what it is."""
        return self.ratio if sums_images(choice) else None


def sums_images(choice: LossChoice) -> bool:
    """Whether losses of overlap are of sums over the data set."""
    return "sum images" in POOLINGS[choice.pooling].steps


def _bce(given: LossInput) -> float:
    weight = given.choice.positive_weight
    return given.pixels(
        losses.bce_with_logits_loss if given.choice.logits else losses.bce_loss,
        positive_weight=1 if weight is None else weight,
    )


def _cross_entropy(given: LossInput) -> float:
    choice = given.choice
    return given.pixels(
        losses.cross_entropy_loss,
        logits=choice.logits,
        class_weights=choice.class_weights or None,
        label_smoothing=choice.label_smoothing,
    )


def _sum_of_class_weights(given: LossInput) -> float:
    if not given.choice.class_weights:
        return given.judged
    return float(np.array(given.choice.class_weights)[given.truth[given.truth >= 0]].sum())


def _sum_of_focus(given: LossInput) -> float:
    """Add up (1 - p_t)^gamma where the focal loss is divided by it."""
    if not given.choice.normalized:
        return given.judged
    judged, several = given.truth >= 0, given.values.ndim == 3
    values = given.values[..., judged].astype(np.float64)
    if given.choice.logits:
        values = softmax(np, values, axis=0) if several else sigmoid(np, values)
    truth = given.truth[judged].astype(np.int64)
    stacked = values if several else np.stack([1 - values, values])
    misses = 1 - np.take_along_axis(stacked, truth[None], axis=0)
    return float((np.maximum(misses, 0) ** given.choice.gamma).sum())


def _focal(given: LossInput) -> float:
    choice = given.choice
    alpha = choice.alpha[0] if len(choice.alpha) == 1 else choice.alpha or None
    return given.pixels(losses.focal_loss, alpha=alpha, gamma=choice.gamma, logits=choice.logits)


def _of_sums(ratio: Callable[[Overlap, LossChoice], float], *, name: str, **words: Any) -> Loss:
    """Return the row of a loss that is a ratio of sums, of an image or of the data set."""

    def value(given: LossInput) -> float:
        return ratio(given.overlap(squared=row.squared(given.choice)), given.choice)

    row = Loss(name=name, value=value, ratio=ratio, **words)
    return row


def _dice(sums: Overlap, choice: LossChoice) -> float:
    return float(sums.loss(*sums.dice_terms, choice.smooth, log=choice.log))


def _jaccard(sums: Overlap, choice: LossChoice) -> float:
    return float(sums.loss(*sums.jaccard_terms, choice.smooth, log=choice.log))


def _tversky(sums: Overlap, choice: LossChoice) -> float:
    terms = sums.tversky_terms(*(choice.tversky or (0.5, 0.5)))
    return float(sums.loss(*terms, choice.smooth, log=choice.log))


def _generalized_dice(sums: Overlap, choice: LossChoice) -> float:
    return float(sums.generalized_loss(choice.smooth))


def _lovasz_hinge(given: LossInput) -> float:
    return float(losses.lovasz_hinge_loss(given.values, given.truth, ignore=IGNORED))


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
            divisor=_sum_of_class_weights,
        ),
        Loss(
            name="focal",
            title="focal",
            formula="-alpha_t (1 - p_t)^gamma ln p_t",
            mean="pixels",
            value=_focal,
            divisor=_sum_of_focus,
        ),
        _of_sums(
            _dice,
            name="dice",
            title="soft Dice",
            formula="1 - (2 Σpt + s) / (Σp + Σt + s)",
            classes=OVERLAP,
        ),
        _of_sums(
            _jaccard,
            name="jaccard",
            title="soft Jaccard",
            formula="1 - (Σpt + s) / (Σp + Σt - Σpt + s)",
            classes=OVERLAP,
        ),
        _of_sums(
            _tversky,
            name="tversky",
            title="Tversky",
            formula="1 - (T + s) / (T + αF + βM + s)",
            needs="tversky",
            classes=OVERLAP,
        ),
        _of_sums(
            _generalized_dice,
            name="generalized_dice",
            title="generalised Dice",
            formula="1 - (2 Σ w Σpt + s) / (Σ w (Σp + Σt) + s), w = 1 / (Σt)² of the class",
            binary=False,
            needs="losses",
        ),
        Loss(
            name="lovasz_hinge",
            title="Lovász hinge",
            formula="Lovász extension of 1 - IoU at max(0, 1 - z (2t - 1))",
            value=_lovasz_hinge,
            several=False,
            needs="logits",
        ),
        Loss(
            name="lovasz_softmax",
            title="Lovász-Softmax",
            formula="Lovász extension of 1 - IoU at |[t = c] - p_c|",
            value=lambda given: given.image(
                losses.lovasz_softmax_loss, classes=given.classes(LOVASZ)
            ),
            classes=LOVASZ,
        ),
    )
}  # every loss over a data set by name, in the order in which they are shown

OPTIONS: Final[dict[str, tuple[tuple[str, ...], str]]] = {
    "positive_weight": (("bce", "bce_with_logits"), "positives count {:g}"),
    "class_weights": (("cross_entropy",), "times the weight of t, over the sum of the weights"),
    "label_smoothing": (("cross_entropy",), "{:g} of the truth spread over all classes"),
    "normalized": (("focal",), "over the sum of (1 - p_t)^gamma"),
    "squared": (("dice", "jaccard"), "of squares below: Σp² and Σt²"),
    "log": (("dice", "jaccard", "tversky"), "as -ln(1 - loss)"),
    "loss_classes": (
        ("dice", "jaccard", "tversky", "generalized_dice", "lovasz_softmax"),
        "of the classes listed",
    ),
}  # fields of `LossChoice` of a few losses: which, and what is said of them beside the formula


def formula_of(loss: Loss, choice: LossChoice) -> str:
    """Return the formula of a loss, and the options that change it.

    >>> formula_of(LOSSES["bce"], LossChoice(positive_weight=2.0))
    '-(t ln p + (1 - t) ln(1 - p)), positives count 2'
    """
    said = [loss.formula]
    for option in stated_options(choice):
        names, words = OPTIONS[option]
        if loss.name in names:
            said.append(words.format(getattr(choice, option)))
    return ", ".join(said)


def stated_options(choice: LossChoice) -> list[str]:
    """Return the options of a few losses that are not as usual."""
    return [name for name in OPTIONS if getattr(choice, name) not in {None, (), 0.0}]


NEEDS: Final = {
    "logits": "it needs logits; type --logits if the maps hold them",
    "losses": "it is valued by name only; type --loss with its name",
    "tversky": "it needs the prices of false positives and misses; type --tversky 0.3,0.7",
}  # what to type for what a loss needs
UNPOOLED: Final = (
    "it is no ratio of sums: over the data set it needs the pixels of all images at once; type "
    "--pooling image"
)


def applicable_losses(choice: LossChoice, *, binary: bool) -> tuple[str, ...]:
    """Return the losses that were chosen, or all that are defined on maps of this kind."""
    reasons = {name: _reason_against(loss, choice, binary=binary) for name, loss in LOSSES.items()}
    for option in stated_options(choice):
        of = [n for n in OPTIONS[option][0] if not reasons[n] and n in (choice.losses or LOSSES)]
        if not of:
            raise SettingError(
                f"--{option.replace('_', '-')} is of {', '.join(OPTIONS[option][0])}, and none of "
                "them is valued here"
            )
    if not choice.losses:
        return tuple(name for name, reason in reasons.items() if not reason)
    for name in choice.losses:
        if name not in LOSSES:
            raise SettingError(f"no loss is called {name!r}; they are {', '.join(LOSSES)}")
        if reasons[name]:
            raise SettingError(f"--loss {name}: {reasons[name]}")
    return tuple(name for name in LOSSES if name in choice.losses)


def _reason_against(loss: Loss, choice: LossChoice, *, binary: bool) -> str:
    if loss.needs and not getattr(choice, loss.needs):
        return NEEDS[loss.needs]
    if sums_images(choice) and loss.mean == "images" and loss.ratio is None:
        return UNPOOLED
    if binary and not loss.binary:
        return "the maps hold the foreground only; take bce"
    if not binary and not loss.several:
        return "the maps hold several classes; take cross_entropy or lovasz_softmax"
    return ""
