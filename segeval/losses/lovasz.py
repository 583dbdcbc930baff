"""Lovász extensions of the Jaccard loss: 1 - IoU, carried over to errors of any size.

The errors are sorted, and the loss of the set of pixels beyond is added up over the steps from each
error to the next, times the height of the step. On hard predictions one step is left: 1 - IoU.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

import numpy as np
from array_api_compat import device, is_numpy_namespace, is_torch_namespace

from segeval.losses.arrays import (
    Array,
    Classes,
    Ignore,
    Pixels,
    Reduction,
    as_probabilities,
    chosen_classes,
    flatten,
    mask_and_check,
    reduce_classes,
    sums,
    to_float64,
    zero_with_gradient,
)

FEW: Final = 0.75  # share of pixels with an error below which it pays to set the others aside


def lovasz_softmax_loss(
    probabilities: Array,
    truth: Array,
    /,
    *,
    ignore: Ignore = None,
    reduction: Reduction = "mean",
    weights: Array | None = None,
    classes: Classes = "present",
    per_image: bool = False,
    logits: bool = False,
) -> Array:
    r"""Return the Lovász-Softmax loss.

    The mean over classes c of the Lovász extension of the Jaccard loss, at the errors
    :math:`m_i(c) = |[t_i = c] - p_i(c)|`; in [0, 1]. On probabilities of 0 and 1 it is 1 - IoU of
    each class, with 0/0 as 1. It is 0 if every pixel is void, or no class is scored.

    Parameters
    ----------
    probabilities, truth, ignore, logits
        As in `dice_coefficient`, but without soft truths. If binary, only class 1 is scored.
    reduction : {"mean", "sum", "none"}
        As in `dice_coefficient`, with 0 for a class that is not scored.
    weights : array of the shape of the truth, optional
        What each pixel counts in intersections and unions; 0 or more.
    classes : {"present", "all"} or sequence of int
        Score the classes that occur in the truth, all of them, or those listed. A class absent
        from the truth costs its highest probability.
    per_image : bool
        Whether each image is scored alone, and the mean over images taken. An image without
        judged pixels, or without scored classes, counts as 0.

    References
    ----------
    .. [1] M. Berman, A. Rannen Triki, M. B. Blaschko, "The Lovász-Softmax loss", 2018,
       doi:10.1109/CVPR.2018.00464

    Examples
    --------
    >>> import numpy as np
    >>> truth = np.array([[1, 1, 0, 0]])
    >>> prediction = np.array([[1.0, 0.0, 0.0, 0.0]])
    >>> probabilities = np.stack([1 - prediction, prediction])
    >>> print(lovasz_softmax_loss(probabilities, truth, reduction="none").round(4))
    [0.3333 0.5   ]
    """
    pixels = flatten(probabilities, truth, ignore, reduction, weights, logits=logits)
    chosen, judged = chosen_classes(classes, pixels), mask_and_check(pixels)
    judged = replace(judged, values=as_probabilities(judged))
    present = isinstance(classes, str) and classes == "present"
    rows = [
        [_softmax_loss(pool, number, present=present) for number in chosen]
        for pool in _pools(judged, per_image=per_image)
    ]
    return _reduced(judged, rows, reduction, per_image=per_image)


def lovasz_hinge_loss(
    logits: Array,
    truth: Array,
    /,
    *,
    ignore: Ignore = None,
    reduction: Reduction = "mean",
    weights: Array | None = None,
    per_image: bool = False,
) -> Array:
    r"""Return the Lovász hinge loss of binary logits.

    The Lovász extension of the Jaccard loss of class 1, at the errors
    :math:`\max(0, 1 - z_i (2 t_i - 1))`; in [0, ∞), 0 if every pixel is void.

    Parameters
    ----------
    logits : array of the shape of the truth
        The log-odds of class 1, or any score that is positive for it.
    truth : (H, W) or (N, H, W) array of 0 and 1
        The first of three or more axes counts images.
    reduction : {"mean", "sum", "none"}
        Over images if `per_image`; "none" gives an array of one value an image. Other parameters
        and source as in `lovasz_softmax_loss`.

    Examples
    --------
    >>> import numpy as np
    >>> print(lovasz_hinge_loss(np.array([[2.0, -2.0, -0.5]]), np.array([[1, 0, 1]])))
    0.75
    """
    pixels = flatten(logits, truth, ignore, reduction, weights, logits=True)
    if not pixels.binary:
        raise ValueError(
            f"the hinge takes one logit a pixel, found logits of shape {tuple(logits.shape)} for"
            f" truth of shape {pixels.shape}"
        )
    judged = mask_and_check(pixels)
    rows = [[_hinge_loss(pool)] for pool in _pools(judged, per_image=per_image)]
    return _reduced(judged, rows, reduction, per_image=per_image)


def _reduced(
    judged: Pixels, rows: list[list[Array | None]], reduction: str, *, per_image: bool
) -> Array:
    """Reduce the losses of pools and classes, None where a class is not scored."""
    xp, nothing = judged.xp, zero_with_gradient(judged.xp, judged.values)
    if not rows:
        return nothing if reduction != "none" else judged.values[:, ..., 0]
    losses = xp.stack(
        [xp.stack([nothing if loss is None else loss for loss in row]) for row in rows]
    )
    scored = xp.asarray(
        [[loss is not None for loss in row] for row in rows], device=device(judged.values)
    )
    return reduce_classes(
        losses, scored, reduction, per_image=per_image, binary=judged.binary, empty=0.0
    )


def _pools(pool: Pixels, *, per_image: bool) -> Iterator[Pixels]:
    """Part the judged pixels by image, or leave them in one pool."""
    if not per_image:
        yield pool
        return
    for number in range(pool.truth.shape[0]):
        own = slice(number, number + 1)
        yield replace(
            pool,
            values=pool.values[own, ...],
            truth=pool.truth[own, :],
            weights=None if pool.weights is None else pool.weights[own, :],
            valid=None if pool.valid is None else pool.valid[own, :],
        )


def _softmax_loss(pool: Pixels, number: int, *, present: bool) -> Array | None:
    """Return the loss of a class; None if it is absent and only those present are scored."""
    xp = pool.xp
    foreground = pool.truth == number
    if pool.valid is not None:
        foreground = foreground & pool.valid
    weighing = foreground if pool.weights is None else foreground & (pool.weights > 0)
    if present and not bool(xp.any(weighing)):
        return None
    values = pool.values if pool.binary else pool.values[:, number, :]
    return _extension(pool, xp.abs(xp.astype(foreground, values.dtype) - values), foreground)


def _hinge_loss(pool: Pixels) -> Array:
    xp = pool.xp
    errors = 1 - pool.values * (2 * pool.truth - 1)
    return _extension(pool, xp.maximum(errors, xp.zeros_like(errors)), pool.truth == 1)


def _extension(pool: Pixels, errors: Array, foreground: Array) -> Array:
    """Return the Lovász extension at errors; void ones get 0, and so no part in any step."""
    xp = pool.xp
    if pool.valid is not None:
        errors = errors * xp.astype(pool.valid, errors.dtype)
    errors, foreground = xp.reshape(errors, (-1,)), xp.reshape(foreground, (-1,))
    weights = None if pool.weights is None else xp.reshape(pool.weights, (-1,))
    if errors.shape[0] == 0:
        return zero_with_gradient(xp, pool.values)
    found, floats = 0, {np.dtype(np.float32), np.dtype(np.float64)}
    if weights is not None or not is_numpy_namespace(xp) or errors.dtype not in floats:
        order = xp.argsort(_keys(xp, errors))
        errors, foreground = xp.take(errors, order, axis=0), xp.take(foreground, order, axis=0)
        weights = None if weights is None else xp.take(weights, order, axis=0)
    else:
        errors, foreground, found = _sorted(errors, foreground)
    losses = _jaccard_losses(xp, errors, foreground, weights, found)
    return sums(
        xp, losses * to_float64(xp, errors - xp.concat([xp.zeros_like(errors[:1]), errors[:-1]]))
    )


def _keys(xp: Any, errors: Array) -> Array:
    """Return what to order errors by: PyTorch orders their bits 8 times as fast as the floats."""
    if not is_torch_namespace(xp):
        return errors
    return errors.detach().view(xp.int32 if errors.dtype == xp.float32 else xp.int64)


def _sorted(errors: Array, foreground: Array) -> tuple[Array, Array, int]:
    """Sort errors by their bits, 5 times as fast as an order; the sign bit holds the truth.

    Returns the number of foreground pixels that were set aside for having no error, too.
    """
    bits = np.dtype(f"u{errors.dtype.itemsize}")
    keys = errors.view(bits) << bits.type(1)
    keys |= foreground
    total, found = errors.size, 0
    if np.count_nonzero(errors) < FEW * total:
        kept = keys > 1
        found = int(np.count_nonzero(foreground)) - int(np.count_nonzero(foreground & kept))
        keys = keys[kept]
    keys.sort()
    return (keys >> bits.type(1)).view(errors.dtype), keys & bits.type(1), found


def _jaccard_losses(
    xp: Any, errors: Array, foreground: Array, weights: Array | None, found: int
) -> Array:
    """Return the loss if a pixel and all after are wrong; ``found`` right ones are set aside."""
    dtype = xp.float64 if is_numpy_namespace(xp) else errors.dtype
    if weights is None:
        marks = xp.astype(foreground, xp.int64)
        inside = xp.astype(xp.cumulative_sum(marks) - marks + found, dtype)
        beyond = xp.arange(errors.shape[0], 0, -1, dtype=dtype, device=device(errors))
        return 1 - inside / (inside + beyond)
    weights = xp.astype(weights, dtype)
    marks = xp.astype(foreground, dtype) * weights
    inside = xp.cumulative_sum(marks) - marks
    beyond = xp.flip(xp.cumulative_sum(xp.flip(weights)))
    union = inside + beyond
    empty = xp.astype(union <= 0, dtype)
    return (1 - inside / (union + empty)) * (1 - empty)
