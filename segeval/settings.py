"""What a user can say about a job, as plain records and closed choices.

Nothing here computes or imports NumPy: the command line knows its options without it.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, get_args

from segeval.errors import SettingError

if TYPE_CHECKING:
    from segeval.labels.labelmap import LabelMap

Missing = Literal["error", "skip", "worst"]
Match = Literal["path", "stem"]
OnError = Literal["stop", "skip"]
Unknown = Literal["error", "wrong", "ignore"]
Pooling = Literal["dataset", "image", "class", "pair", "micro", "image-micro", "group"]
Absent = Literal["skip", "zero", "one", "undefined"]
Treatment = Literal["formula", "skip", "zero", "one", "undefined"]
Classes = Literal["all", "foreground"]
Weights = Literal["none", "support", "support-or-one"]
Weightless = Literal["skip", "zero", "mean"]
Weighting = Literal["none", "simple", "square", "uniform"]
Unseen = Literal["largest", "zero"]
VoidImage = Literal["score", "skip"]
Scale = Literal["none", "min-max"]
Outside = Literal["unknown", "ignore"]

Level = Literal["class", "category"]
Channels = Literal["first", "last"]
ClassesMode = Literal["present", "all"]
VoidLoss = Literal["skip", "zero"]

MAX_BINS: Final = 10_000

HALF: Final = 0.5
"""Maps of the foreground: it is where the probability is this or more, if nothing is said."""

MAX_PIXELS: Final = 1 << 28
"""Default limit on the number of pixels of one mask."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where the masks are and how they are paired; see `find_pairs` and `read_pairs`.

    ``shard="I/N"`` takes every N-th pair, from the I-th on. ``roi`` is a folder of fields of view.
    """

    prediction: Path | None = None
    truth: Path | None = None
    pairs: Path | None = None
    pred_suffix: str = ""
    truth_suffix: str = ""
    match: Match = "path"
    include: str | None = None
    missing: Missing = "error"
    shard: str | None = None
    roi: Path | None = None
    roi_suffix: str = ""

    def __post_init__(self) -> None:
        """Refuse what is no choice."""
        _check_choice("missing", self.missing, Missing)
        _check_choice("match", self.match, Match)
        if self.roi_suffix and self.roi is None:
            raise SettingError("--roi-suffix needs --roi, the folder of the fields of view")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How masks are read; ``on_error`` says whether a pair that cannot be is left out by name.

    A prediction of another size is refused, or brought to the size of the truth (nearest). Grey
    JPEG predictions are read if ``lossy`` says that they will meet a threshold.
    """

    max_pixels: int = MAX_PIXELS
    resize_prediction: bool = False
    lossy: bool = False
    on_error: OnError = "stop"

    def __post_init__(self) -> None:
        """Refuse what is no choice."""
        _check_choice("on_error", self.on_error, OnError)


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelChoice:
    """What the user says about classes; everything is optional.

    Attributes
    ----------
    labels, prediction_labels : str, path or LabelMap, optional
        A label map, its name or its file; the second where predictions are stored differently.
    classes : int, optional
        Values 0…N-1 are the classes.
    ignore : tuple of int, optional
        Void values: added to those of a label map, in place of 255 where classes are found.
    threshold, truth_threshold : float, optional
        Grey masks: foreground where value >= threshold.
    prediction_offset : int
        Added to every predicted value before it is looked up, e.g. 1 where the truth counts its
        classes from 1 and the prediction from 0.
    level : {"class", "category"}
        Whether classes are scored, or the groups of classes that the label map names.
    """

    labels: str | PathLike[str] | LabelMap | None = None
    prediction_labels: str | PathLike[str] | LabelMap | None = None
    classes: int | None = None
    ignore: tuple[int, ...] | None = None
    threshold: float | None = None
    truth_threshold: float | None = None
    prediction_offset: int = 0
    level: Level = "class"


@dataclass(frozen=True, slots=True, kw_only=True)
class LossChoice:
    """What the user says about losses.

    Attributes
    ----------
    losses : tuple of str
        Names of the losses; empty for all that the data allow.
    logits : bool
        Whether the maps hold logits, and not probabilities.
    channels : {"first", "last"}
        Where the classes are: (K, H, W) or (H, W, K).
    threshold : float, optional
        Maps of the foreground: where it is this or more, a probability of floats and logits, and a
        level of integers; None is a probability of 0.5.
    alpha : tuple of float
        Of the focal loss: one that balances, or one a class; empty for 1.
    gamma : float
        Of the focal loss: exponent, 0 or more.
    smooth : float
        Added to both terms of the Dice, Jaccard and Tversky loss, 0 or more.
    tversky : tuple of float, optional
        Prices of false positives and of misses; without them, no Tversky loss.
    classes_mode : {"present", "all"}, optional
        Which classes of an image enter its mean; None leaves it to each loss.
    void_image : {"skip", "zero"}
        Whether an image without judged pixels is left out of the means over images, or counts 0.
    bins : int
        Of the reliability table.
    positive_weight : float, optional
        Of the binary cross-entropy: factor of positives.
    class_weights : tuple of float
        Of the cross-entropy: one a class; the mean divides by their sum over judged pixels.
    label_smoothing : float
        Of the cross-entropy: share of the truth that is spread over all classes.
    normalized : bool
        Whether the mean of the focal loss divides by the sum of (1 - p_t)^gamma.
    squared, log : bool
        Of the losses of overlap: squares below, and -ln of the overlap.
    loss_classes : tuple of str
        Names of the classes that enter means over classes; empty leaves it to `classes_mode`.
    """

    losses: tuple[str, ...] = ()
    logits: bool = False
    channels: Channels = "first"
    threshold: float | None = None
    alpha: tuple[float, ...] = ()
    gamma: float = 2.0
    smooth: float = 0.0
    tversky: tuple[float, float] | None = None
    classes_mode: ClassesMode | None = None
    void_image: VoidLoss = "skip"
    bins: int = 15
    positive_weight: float | None = None
    class_weights: tuple[float, ...] = ()
    label_smoothing: float = 0.0
    normalized: bool = False
    squared: bool = False
    log: bool = False
    loss_classes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what no loss is defined for."""
        if self.bins > MAX_BINS:
            raise SettingError(f"--bins is at most {MAX_BINS}, not {self.bins}")
        lowest = {"gamma": self.gamma, "smooth": self.smooth, "bins": self.bins - 1}
        for name, value in lowest.items():
            if not 0 <= value < math.inf:
                raise SettingError(f"--{name} must be {int(name == 'bins')} or more, and finite")
        several = {
            "alpha": self.alpha,
            "tversky": self.tversky or (),
            "class-weights": self.class_weights,
            "positive-weight": (self.positive_weight or 0,),
        }
        for name, values in several.items():
            if any(not 0 <= value < math.inf for value in values):
                raise SettingError(f"--{name} must be 0 or more, and finite")
        if not 0 <= self.label_smoothing <= 1:
            raise SettingError(f"--label-smoothing is a share, 0 to 1, not {self.label_smoothing}")
        if self.loss_classes and self.classes_mode:
            raise SettingError("--loss-classes lists the classes; leave out --classes-mode")
        if len(self.alpha) == 1 and self.alpha[0] > 1:
            raise SettingError(
                f"one --alpha weighs positives against negatives: 0 to 1, not {self.alpha[0]:g}"
            )
        threshold = HALF if self.threshold is None else self.threshold
        if not 0 < threshold < (1 + 1e-9 if self.logits else math.inf):
            raise SettingError(f"--threshold is a probability above 0, not {threshold:g}")

    @property
    def decision(self) -> str:
        """How maps of the foreground are decided, for the signature."""
        threshold = HALF if self.threshold is None else self.threshold
        level = threshold >= 1 and not self.logits
        return f"{'value' if level else 'p'}>={threshold:g}"


def _check_choice(name: str, value: str, choices: object) -> None:
    if value not in get_args(choices):
        raise SettingError(f"{name} is one of {', '.join(get_args(choices))}, not {value!r}")


def parse_shard(text: str) -> tuple[int, int]:
    """Parse ``I/N`` with 1 <= I <= N.

    >>> parse_shard("2/4")
    (2, 4)
    """
    match = re.fullmatch(r"(\d+)/(\d+)", text)
    number, count = (int(part) for part in match.groups()) if match else (0, 0)
    if not 1 <= number <= count:
        raise SettingError(f"--shard {text!r} is not I/N with I from 1 to N, e.g. 2/4")
    return number, count
