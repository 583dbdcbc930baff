"""Losses of the overlap of probabilities and truth: soft Dice, Jaccard, Tversky, generalised Dice.

Each is a ratio of sums over judged pixels, of each class over all images or of each image alone;
0/0 counts as perfect overlap.
"""

from dataclasses import dataclass, replace
from typing import Final

from array_api_compat import array_namespace, device

from segeval.losses.arrays import (
    Array,
    Classes,
    Ignore,
    Pixels,
    Reduction,
    as_probabilities,
    at_least_zero,
    chosen_classes,
    constant,
    flatten,
    mask_and_check,
    mean_of,
    reduce_classes,
    sums,
)
from segeval.scoring.means import POWER
from segeval.settings import Weighting

LEAST: Final = 1e-7  # a ratio below this counts as this in a logarithm, so that no loss is infinite


def dice_coefficient(
    probabilities: Array,
    truth: Array,
    /,
    *,
    ignore: Ignore = None,
    reduction: Reduction = "mean",
    weights: Array | None = None,
    smooth: float = 0.0,
    squared: bool = False,
    classes: Classes = "all",
    per_image: bool = False,
    logits: bool = False,
) -> Array:
    r"""Return the soft Dice coefficient, on masks of 0 and 1 the Dice score.

    :math:`(2 \sum p t + s) / (\sum p + \sum t + s)`, in [0, 1]; 1 where that is 0/0, as if every
    pixel is void.

    Parameters
    ----------
    probabilities : (K, H, W) or (N, K, H, W) array, or one of the shape of the truth
        Probabilities of the classes; if binary, of class 1. Integers are taken as they are.
    truth : (H, W) or (N, H, W) array of integers
        Class indices. If binary, 0 and 1 of any dtype and shape; floats between are soft truths.
    ignore, weights
        As in `bce_loss`; a weight is what its pixel counts in all sums.
    reduction : {"mean", "sum", "none"}
        Over classes and images: mean, sum, or one value a class, as a (C,) array or, per image,
        (N, C), in the order of `classes`; binary data have no axis of classes.
    smooth : float
        The s of the formula: 0, 1e-6, or 1 (Laplace).
    squared : bool
        Whether the denominator is the sum of squares, as in V-Net.
    classes : {"all", "present"} or sequence of int
        Score all classes, those that occur in the truth, or those listed. With "none", a class
        that is not scored has the value of perfect overlap, and adds nothing to a "sum".
    per_image : bool
        Whether sums are taken in each image, and the mean over images. The first of three or more
        axes of the truth counts images.
    logits : bool
        Whether logits are given: they go through softmax, or sigmoid if binary.

    Returns
    -------
    array
        Of no dimension, or one value a class. NumPy sums are taken in float64.

    References
    ----------
    .. [1] F. Milletari, N. Navab, S.-A. Ahmadi, "V-Net", 2016, doi:10.1109/3DV.2016.79

    Examples
    --------
    >>> import numpy as np
    >>> truth = np.array([[1, 0, 0], [0, 1, 1], [0, 0, 1]])
    >>> prediction = np.array([[1, 0, 1], [0, 1, 0], [0, 0, 0]])
    >>> print(f"{dice_coefficient(prediction, truth):.4f}")
    0.5714
    """
    pixels = flatten(probabilities, truth, ignore, reduction, weights, logits=logits, soft=True)
    overlap = overlap_sums(pixels, classes, reduction, per_image=per_image, squared=squared)
    return overlap.coefficient(*overlap.dice_terms, smooth)


def dice_loss(
    probabilities: Array,
    truth: Array,
    /,
    *,
    ignore: Ignore = None,
    reduction: Reduction = "mean",
    weights: Array | None = None,
    smooth: float = 0.0,
    squared: bool = False,
    classes: Classes = "all",
    per_image: bool = False,
    logits: bool = False,
    log: bool = False,
) -> Array:
    r"""Return the soft Dice loss, 1 minus the soft Dice coefficient of each class.

    :math:`1 - (2 \sum p t + s) / (\sum p + \sum t + s)`, in [0, 1]; 0 where that is 0/0, as if
    every pixel is void. A class that is absent from the truth costs 1 without smoothing, unless
    `classes` leaves it out. Other parameters, and the source, as in `dice_coefficient`.

    Parameters
    ----------
    log : bool
        Whether the loss is -ln of the coefficient [1]_, at most 16.2, in place of 1 minus it.

    References
    ----------
    .. [1] K. C. L. Wong, M. Moradi, H. Tang, T. Syeda-Mahmood, "3D Segmentation with Exponential
       Logarithmic Loss for Highly Unbalanced Object Sizes", 2018,
       doi:10.1007/978-3-030-00931-1_70

    Examples
    --------
    >>> import numpy as np
    >>> print(f"{dice_loss(np.array([[0.5, 0.5, 0.0]]), np.array([[1, 0, 0]])):.4f}")
    0.5000
    """
    pixels = flatten(probabilities, truth, ignore, reduction, weights, logits=logits, soft=True)
    overlap = overlap_sums(pixels, classes, reduction, per_image=per_image, squared=squared)
    return overlap.loss(*overlap.dice_terms, smooth, log=log)


def jaccard_loss(
    probabilities: Array,
    truth: Array,
    /,
    *,
    ignore: Ignore = None,
    reduction: Reduction = "mean",
    weights: Array | None = None,
    smooth: float = 0.0,
    squared: bool = False,
    classes: Classes = "all",
    per_image: bool = False,
    logits: bool = False,
    log: bool = False,
) -> Array:
    r"""Return the soft Jaccard loss, on masks of 0 and 1 it is 1 - IoU.

    :math:`1 - (\sum p t + s) / (\sum p + \sum t - \sum p t + s)`, in [0, 1]; 0 where that is 0/0,
    as if every pixel is void. Parameters as in `dice_loss`; its logarithm: [2]_.

    References
    ----------
    .. [1] M. A. Rahman, Y. Wang, "Optimizing Intersection-Over-Union in Deep Neural Networks for
       Image Segmentation", 2016, doi:10.1007/978-3-319-50835-1_22
    .. [2] J. Yu et al., "UnitBox", 2016, doi:10.1145/2964284.2967274

    Examples
    --------
    >>> import numpy as np
    >>> print(f"{jaccard_loss(np.array([[1, 1, 0]]), np.array([[1, 0, 0]])):.4f}")
    0.5000
    """
    pixels = flatten(probabilities, truth, ignore, reduction, weights, logits=logits, soft=True)
    overlap = overlap_sums(pixels, classes, reduction, per_image=per_image, squared=squared)
    return overlap.loss(*overlap.jaccard_terms, smooth, log=log)


def tversky_loss(
    probabilities: Array,
    truth: Array,
    /,
    *,
    ignore: Ignore = None,
    reduction: Reduction = "mean",
    weights: Array | None = None,
    alpha: float = 0.5,
    beta: float = 0.5,
    smooth: float = 0.0,
    classes: Classes = "all",
    per_image: bool = False,
    logits: bool = False,
    log: bool = False,
) -> Array:
    r"""Return the Tversky loss, which prices false positives and misses apart.

    :math:`1 - (T + s) / (T + \alpha F + \beta M + s)` of true positives :math:`T = \sum p t`,
    false positives :math:`F = \sum p (1 - t)` and misses :math:`M = \sum (1 - p) t`; in [0, 1], 0
    where that is 0/0, as if every pixel is void. Without smoothing, 0.5 and 0.5 give the Dice
    loss, 1 and 1 the Jaccard loss.

    Parameters
    ----------
    alpha, beta : float
        Prices of false positives and of misses, 0 or more. Other parameters as in `dice_loss`.

    References
    ----------
    .. [1] S. S. M. Salehi, D. Erdogmus, A. Gholipour, "Tversky loss function", 2017,
       doi:10.1007/978-3-319-67389-9_44

    Examples
    --------
    >>> import numpy as np
    >>> prediction, truth = np.array([[1, 1, 0, 0]]), np.array([[1, 0, 0, 0]])
    >>> print(f"{tversky_loss(prediction, truth, alpha=0.25, beta=0.75):.4f}")
    0.2000
    """
    at_least_zero(alpha=alpha, beta=beta)
    pixels = flatten(probabilities, truth, ignore, reduction, weights, logits=logits, soft=True)
    overlap = overlap_sums(pixels, classes, reduction, per_image=per_image)
    return overlap.loss(*overlap.tversky_terms(alpha, beta), smooth, log=log)


def generalized_dice_loss(
    probabilities: Array,
    truth: Array,
    /,
    *,
    ignore: Ignore = None,
    reduction: Reduction = "mean",
    weights: Array | None = None,
    weighting: Weighting = "square",
    smooth: float = 0.0,
    classes: Classes = "all",
    per_image: bool = False,
    logits: bool = False,
) -> Array:
    r"""Return the generalised Dice loss, which has one ratio of all classes.

    :math:`1 - (2 \sum_c w_c \sum p t + s) / (\sum_c w_c (\sum p + \sum t) + s)` with
    :math:`w_c = 1 / (\sum t)^2`; in [0, 1], 0 where that is 0/0, as if every pixel is void. Of
    binary data, which have one class, it is the Dice loss.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}
        Over images: mean, sum, or one value an image. Without `per_image` there is one value.
    weighting : {"square", "simple", "uniform"}
        The weight of a class: 1 over its squared true pixels, 1 over its true pixels, or 1. A class
        without true pixels has the largest weight of the others; if no class has any, all have 1.
    smooth : float
        Added after the weights. Other parameters as in `dice_coefficient`.

    References
    ----------
    .. [1] C. H. Sudre et al., "Generalised Dice overlap as a deep learning loss function for highly
       unbalanced segmentations", 2017, doi:10.1007/978-3-319-67558-9_28

    Examples
    --------
    >>> import numpy as np
    >>> probabilities = np.array([[[0.8, 0.8, 0.8, 0.4]], [[0.2, 0.2, 0.2, 0.6]]])
    >>> print(f"{generalized_dice_loss(probabilities, np.array([[0, 0, 0, 1]])):.4f}")
    0.3906
    """
    if weighting not in POWER:
        raise ValueError(f"weighting must be one of {', '.join(POWER)}, found {weighting!r}")
    pixels = flatten(probabilities, truth, ignore, reduction, weights, logits=logits, soft=True)
    overlap = overlap_sums(pixels, classes, reduction, per_image=per_image)
    return overlap.generalized_loss(smooth, weighting)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Overlap:
    """Sums over judged pixels, for R images (or one pool of them) and C classes; pools add."""

    common: Array  # (R, C); of p t
    predicted: Array  # (R, C); of p, or p²
    actual: Array  # (R, C); of t, or t²
    present: bool  # only classes that occur in the truth are scored
    binary: bool
    reduction: str
    per_image: bool

    def __add__(self, other: "Overlap") -> "Overlap":
        """Add the sums of two pools of pixels."""
        return replace(
            self,
            common=self.common + other.common,
            predicted=self.predicted + other.predicted,
            actual=self.actual + other.actual,
        )

    @property
    def dice_terms(self) -> tuple[Array, Array]:
        """Numerator and denominator of the Dice coefficient of each class."""
        return 2 * self.common, self.predicted + self.actual

    @property
    def jaccard_terms(self) -> tuple[Array, Array]:
        """Numerator and denominator of the Jaccard index of each class."""
        return self.common, self.predicted + self.actual - self.common

    def tversky_terms(self, alpha: float, beta: float) -> tuple[Array, Array]:
        """Numerator and denominator of the Tversky index of each class."""
        false, missed = self.predicted - self.common, self.actual - self.common
        return self.common, self.common + alpha * false + beta * missed

    def coefficient(self, numerator: Array, denominator: Array, smooth: float) -> Array:
        """Reduce the ratios of classes, 1 where a class is not scored."""
        return self._reduced(_ratios(numerator, denominator, smooth), empty=1.0)

    def loss(self, numerator: Array, denominator: Array, smooth: float, *, log: bool) -> Array:
        """Reduce 1 minus the ratios of classes, or -ln of them, 0 where a class is not scored."""
        ratios, xp = _ratios(numerator, denominator, smooth), array_namespace(numerator)
        losses = 1 - ratios
        if log:
            losses = 0 - xp.log(xp.maximum(ratios, constant(xp, LEAST, ratios)))
        return self._reduced(losses, empty=0.0)

    def generalized_loss(self, smooth: float, weighting: Weighting = "square") -> Array:
        """Reduce 1 minus the ratio of all classes that are scored, in which they are weighted."""
        xp = array_namespace(self.actual)
        factors = _factors(self.actual, POWER[weighting])
        factors = factors * xp.astype(self._scored, factors.dtype)
        common, sizes = (xp.sum(term * factors, axis=1) for term in self.dice_terms)
        losses = 1 - _ratios(common, sizes, smooth)
        if self.reduction == "none":
            return losses if self.per_image else losses[0, ...]
        return xp.sum(losses) if self.reduction == "sum" else mean_of(losses)

    @property
    def _scored(self) -> Array:
        """Whether each class is scored."""
        xp = array_namespace(self.actual)
        return self.actual > 0 if self.present else xp.ones_like(self.actual, dtype=xp.bool)

    def _reduced(self, values: Array, *, empty: float) -> Array:
        return reduce_classes(
            values,
            self._scored,
            self.reduction,
            per_image=self.per_image,
            binary=self.binary,
            empty=empty,
        )


def _ratios(numerator: Array, denominator: Array, smooth: float) -> Array:
    """Divide, after adding the same to both; 0/0 is 1."""
    at_least_zero(smooth=smooth)
    xp = array_namespace(denominator)
    undefined = xp.astype(denominator + smooth == 0, denominator.dtype)
    return (numerator + smooth + undefined) / (denominator + smooth + undefined)


def _factors(actual: Array, power: int) -> Array:
    """Return the weight of each class of each image, from the true pixels of the class."""
    xp = array_namespace(actual)
    unseen = xp.astype(actual == 0, actual.dtype)
    factors = (1 - unseen) / (actual + unseen) ** power
    largest = xp.max(factors, axis=1, keepdims=True)
    return factors + unseen * (largest + xp.astype(largest == 0, largest.dtype))


def overlap_sums(
    pixels: Pixels, classes: Classes, reduction: str, *, per_image: bool, squared: bool = False
) -> Overlap:
    """Add up the overlap of probabilities and truth in each class."""
    chosen, judged = chosen_classes(classes, pixels), mask_and_check(pixels)
    predicted = _of_chosen(judged, as_probabilities(judged), chosen)
    actual = _one_hot(judged, chosen, predicted)
    parts = (
        predicted * actual,
        predicted**2 if squared else predicted,
        actual**2 if squared else actual,
    )
    common, predicted, actual = (_sums(judged, part, per_image=per_image) for part in parts)
    return Overlap(
        common=common,
        predicted=predicted,
        actual=actual,
        present=isinstance(classes, str) and classes == "present",
        binary=judged.binary,
        reduction=reduction,
        per_image=per_image,
    )


def _of_chosen(judged: Pixels, values: Array, chosen: list[int]) -> Array:
    if judged.binary:
        return values[:, None, :]
    if chosen == list(range(judged.classes)):
        return values
    numbers = judged.xp.asarray(chosen, dtype=judged.xp.int64, device=device(values))
    return judged.xp.take(values, numbers, axis=1)


def _one_hot(judged: Pixels, chosen: list[int], like: Array) -> Array:
    if judged.binary:
        return judged.truth[:, None, :]
    xp = judged.xp
    numbers = xp.asarray(chosen, dtype=xp.int64, device=device(judged.truth))
    return xp.astype(judged.truth[:, None, :] == numbers[None, :, None], like.dtype)


def _sums(judged: Pixels, part: Array, *, per_image: bool) -> Array:
    """Add up what judged pixels hold, as an (R, C) array."""
    xp, factors = judged.xp, judged.weights
    if factors is None and judged.valid is not None:
        factors = xp.astype(judged.valid, part.dtype)
    if factors is not None:
        part = part * factors[:, None, :]
    return sums(xp, part, (2,)) if per_image else sums(xp, part, (0, 2))[None, :]
