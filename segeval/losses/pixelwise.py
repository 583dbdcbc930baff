"""Losses that are a mean over pixels: binary cross-entropy, cross-entropy and focal loss.

Each is a function of one pixel's values and truth. The mean divides by the judged pixels, void
ones excluded; pixel weights multiply the losses and do not change what the mean divides by.
"""

from collections.abc import Sequence

from segeval.losses.arrays import Array, Ignore, Reduction, at_least_zero, flatten
from segeval.losses.crossentropy import (
    binary_cross_entropy,
    binary_focal,
    class_factors,
    cross_entropy,
    focal,
    reduce_pixels,
)


def bce_loss(
    probabilities: Array,
    truth: Array,
    /,
    *,
    ignore: Ignore = None,
    reduction: Reduction = "mean",
    weights: Array | None = None,
    positive_weight: float = 1.0,
) -> Array:
    r"""Return the binary cross-entropy of probabilities.

    :math:`-\mathrm{mean}(w\,[t \ln p + (1 - t) \ln(1 - p)])`, in [0, 100]; 0 if every pixel is
    void.

    Parameters
    ----------
    probabilities : array of floats in [0, 1], any shape
        The probability of the foreground; float16 is computed in float32. One channel, as in
        (N, 1, H, W) for truth of (N, H, W), is taken as well.
    truth : array of the same shape
        0 or 1 of any dtype; floats between them are soft truths.
    ignore : int or collection of int, optional
        Truth values that are void: such pixels are in neither numerator nor denominator.
    reduction : {"mean", "sum", "none"}
        Mean over judged pixels, sum, or an array of the shape of the truth with 0 at void pixels.
    weights : array of the shape of the truth, optional
        Factors of the pixels' losses. The mean still divides by the number of judged pixels.
    positive_weight : float
        Factor of the term of positives.

    Returns
    -------
    array
        Of no dimension, or of the shape of the truth. NumPy sums are taken in float64.

    Raises
    ------
    ValueError
        If shapes differ, probabilities leave [0, 1], or the truth does.

    Notes
    -----
    ln 0 counts as -100, with a gradient of 0, as does the logarithm of anything below exp(-100)
    or below the smallest normal number (1.2e-38 in float32). Nothing else is clamped.
    `bce_with_logits_loss` needs none of this and is the one to train with.

    References
    ----------
    .. [1] I. J. Good, "Rational Decisions", 1952, doi:10.1111/j.2517-6161.1952.tb00104.x

    Examples
    --------
    >>> import numpy as np
    >>> truth = np.array([1, 0, 0, 1, 1])
    >>> loss = bce_loss(np.array([0.4428, 0.3455, 0.4402, 0.7933, 0.6809]), truth)
    >>> print(f"{loss:.4f}")
    0.4869
    """
    pixels = flatten(probabilities, truth, ignore, reduction, weights, logits=False, soft=True)
    return reduce_pixels(
        pixels, reduction, lambda judged: binary_cross_entropy(judged, positive_weight)
    )


def bce_with_logits_loss(
    logits: Array,
    truth: Array,
    /,
    *,
    ignore: Ignore = None,
    reduction: Reduction = "mean",
    weights: Array | None = None,
    positive_weight: float = 1.0,
) -> Array:
    r"""Return the binary cross-entropy of logits, finite wherever they are.

    :math:`\max(z, 0) - z t + \ln(1 + e^{-|z|})`, which is `bce_loss` at :math:`1 / (1 + e^{-z})`
    without its rounding; in [0, ∞), 0 if every pixel is void.

    Parameters
    ----------
    logits : array of floats, any shape
        The log-odds of the foreground. Other parameters as in `bce_loss`, with its source.

    Examples
    --------
    >>> import numpy as np
    >>> truth = np.array([1, 0, 0, 1, 1])
    >>> loss = bce_with_logits_loss(np.array([-0.2296, -0.6389, -0.2405, 1.3451, 0.758]), truth)
    >>> print(f"{loss:.4f}")
    0.4869
    """
    pixels = flatten(logits, truth, ignore, reduction, weights, logits=True, soft=True)
    return reduce_pixels(
        pixels, reduction, lambda judged: binary_cross_entropy(judged, positive_weight)
    )


def cross_entropy_loss(
    probabilities: Array,
    truth: Array,
    /,
    *,
    ignore: Ignore = None,
    reduction: Reduction = "mean",
    weights: Array | None = None,
    class_weights: Sequence[float] | Array | None = None,
    label_smoothing: float = 0.0,
    logits: bool = False,
) -> Array:
    r"""Return the cross-entropy of the class probabilities.

    :math:`-\mathrm{mean} \ln p[t]`, of logits :math:`\ln \sum_k e^{z_k} - z_t`; in [0, 100] from
    probabilities, in [0, ∞) from logits, and 0 if every pixel is void.

    Parameters
    ----------
    probabilities : (K, H, W) or (N, K, H, W) array
        Probabilities of the classes, whose logarithms are bounded as in `bce_loss`; or logits.
    truth : (H, W) or (N, H, W) array of integers
        Class indices. Other parameters as in `bce_loss`.
    class_weights : sequence of K floats, optional
        Factors of the losses by true class. The mean divides by their sum over judged pixels.
    label_smoothing : float
        Share of the truth, from 0 to 1, that is spread evenly over all classes.
    logits : bool
        Whether logits are given.

    References
    ----------
    .. [1] I. J. Good, "Rational Decisions", 1952, doi:10.1111/j.2517-6161.1952.tb00104.x
    .. [2] C. Szegedy et al., "Rethinking the Inception Architecture", 2016 (label smoothing),
       doi:10.1109/CVPR.2016.308

    Examples
    --------
    >>> import numpy as np
    >>> probabilities = np.array([[[0.5, 0.1]], [[0.5, 0.9]]])
    >>> print(cross_entropy_loss(probabilities, np.array([[0, 1]]), reduction="none").round(4))
    [[0.6931 0.1054]]
    """
    pixels = flatten(probabilities, truth, ignore, reduction, weights, logits=logits)
    if pixels.binary:
        raise ValueError(
            f"expected two or more classes, found shape {tuple(probabilities.shape)} for truth of"
            f" shape {pixels.shape}: use bce_loss or bce_with_logits_loss"
        )
    if not 0 <= label_smoothing <= 1:
        raise ValueError(f"label_smoothing must lie in [0, 1], found {label_smoothing}")
    return reduce_pixels(
        pixels, reduction, lambda judged: cross_entropy(judged, class_weights, label_smoothing)
    )


def focal_loss(
    probabilities: Array,
    truth: Array,
    /,
    *,
    ignore: Ignore = None,
    reduction: Reduction = "mean",
    weights: Array | None = None,
    alpha: float | Sequence[float] | Array | None = None,
    balanced: bool = True,
    gamma: float = 2.0,
    normalized: bool = False,
    logits: bool = False,
) -> Array:
    r"""Return the focal loss: cross-entropy in which pixels count little that are right already.

    :math:`\mathrm{mean}(\alpha_t (1 - p_t)^\gamma (-\ln p_t))` with :math:`p_t` the probability of
    the truth; in [0, ∞), 0 if every pixel is void. With gamma 0 it is the cross-entropy.

    Parameters
    ----------
    probabilities, truth : arrays
        As in `bce_loss` if binary, else as in `cross_entropy_loss`. Other parameters as there.
    alpha : float or sequence of K floats, optional
        Factor of all pixels, or of each true class (binary: background, foreground); None is 1.
    balanced : bool
        Whether one alpha is the factor of positives and 1 - alpha that of negatives, as in [1]_.
        Of several classes, class 0 is then the negative one. If false, it multiplies all.
    gamma : float
        Exponent, 0 or more.
    normalized : bool
        Whether the mean divides by the sum of :math:`(1 - p_t)^\gamma` in place of the number of
        judged pixels [2]_, so that easy pixels do not shrink it.

    References
    ----------
    .. [1] T.-Y. Lin et al., "Focal Loss for Dense Object Detection", 2017,
       doi:10.1109/ICCV.2017.324
    .. [2] K. Sofiiuk, O. Barinova, A. Konushin, "AdaptIS: Adaptive Instance Selection Network",
       2019 (normalised focal loss), arXiv:1909.07829

    Examples
    --------
    >>> import numpy as np
    >>> probabilities = np.array([0.2055, 0.6219, 0.2655, 0.4047, 0.4274])
    >>> print(f"{focal_loss(probabilities, np.array([1, 1, 0, 1, 1])):.4f}")
    0.3375
    """
    at_least_zero(gamma=gamma)
    pixels = flatten(probabilities, truth, ignore, reduction, weights, logits=logits)
    factors = class_factors(alpha, 2 if pixels.binary else pixels.classes, balanced=balanced)
    terms = binary_focal if pixels.binary else focal
    return reduce_pixels(
        pixels, reduction, lambda judged: terms(judged, gamma, factors, normalized=normalized)
    )
