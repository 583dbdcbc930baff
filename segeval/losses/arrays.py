"""What all losses share: shapes, void pixels, the range of what is given, and the sums.

Written once against the array-API standard: the namespace comes from the arrays, so that NumPy
arrays and tensors take the same way and tensors stay differentiable. No argument is written to.
"""

import math
import operator
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Final, Literal, SupportsIndex, TypeAlias, get_args

import numpy as np
from array_api_compat import array_namespace, device, is_numpy_namespace

from segeval.memory import keep_memory
from segeval.values import SLACK

Array: TypeAlias = Any  # an array of any library that follows the array-API standard
Reduction: TypeAlias = Literal["none", "mean", "sum"]

NEAR: Final = 40.0  # logits up to here have powers whose squares are finite in float32

Block: TypeAlias = tuple[slice, slice]  # images and pixels

Ignore: TypeAlias = SupportsIndex | Collection[SupportsIndex] | None

BLOCK: Final = 1 << 17  # elements of a NumPy array worked on at a time, to stay in the cache


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pixels:
    """The arrays of one call, pixels in a row."""

    xp: Any
    values: Array  # (N, K, P), or (N, P) if binary
    truth: Array  # (N, P); if binary and checked, floats in [0, 1]
    weights: Array | None  # (N, P)
    valid: Array | None = None  # (N, P); which are judged, None for all
    shape: tuple[int, ...]  # of the truth as given
    ignore: tuple[int, ...]
    logits: bool
    soft: bool  # a binary truth may lie between 0 and 1
    near: bool = False  # no logit is further from 0 than `NEAR`

    @property
    def binary(self) -> bool:
        """Whether there is one value a pixel."""
        return bool(self.values.ndim == 2)

    @property
    def classes(self) -> int:
        """The number of classes whose values are given: 1 if binary."""
        return 1 if self.binary else int(self.values.shape[1])


def flatten(
    values: Array,
    truth: Array,
    ignore: Ignore,
    reduction: str,
    weights: Array | None,
    *,
    logits: bool,
    soft: bool = False,
) -> Pixels:
    """Check that the arrays of a call fit together, and lay their pixels in a row."""
    if reduction not in get_args(Reduction):
        raise ValueError(f"reduction must be 'none', 'mean' or 'sum', found {reduction!r}")
    xp = array_namespace(values, truth, *(() if weights is None else (weights,)))
    shape = tuple(truth.shape)
    if weights is not None and tuple(weights.shape) != shape:
        raise ValueError(f"weights of shape {tuple(weights.shape)}, but truth of shape {shape}")
    channels = _channels(tuple(values.shape), shape, logits=logits)
    images = shape[0] if len(shape) > 2 else 1
    row = (images, math.prod(shape[1:] if len(shape) > 2 else shape))
    return Pixels(
        xp=xp,
        values=xp.reshape(values, row if channels is None else (images, channels, row[1])),
        truth=xp.reshape(truth, row),
        weights=None if weights is None else xp.reshape(weights, row),
        shape=shape,
        ignore=_void(ignore),
        logits=logits,
        soft=soft,
    )


def _void(ignore: Ignore) -> tuple[int, ...]:
    """Return the void values as a tuple, from one of them or several, of any integer type."""
    if ignore is None:
        return ()
    try:
        return (operator.index(ignore),)  # type: ignore[arg-type]  # tells one from several
    except TypeError:
        pass
    try:
        return tuple(operator.index(value) for value in ignore)  # type: ignore[union-attr]
    except TypeError:
        raise ValueError(f"ignore must be an integer or several, found {ignore!r}") from None


def at_least_zero(**settings: float) -> None:
    """Refuse settings below 0."""
    for name, value in settings.items():
        if not value >= 0:
            raise ValueError(f"{name} must be 0 or more, found {value}")


def _channels(values: tuple[int, ...], truth: tuple[int, ...], *, logits: bool) -> int | None:
    """Return the number of classes that the shapes tell, None if they are those of binary data."""
    if values == truth:
        return None
    if len(truth) in {2, 3} and (*values[:-3], *values[-2:]) == truth and values[-3] > 0:
        return None if values[-3] == 1 else values[-3]
    raise ValueError(
        f"{'logits' if logits else 'probabilities'} of shape {values} do not fit truth of shape"
        f" {truth}: expected the same shape (binary), (K, H, W) for truth of shape (H, W) or"
        " (N, K, H, W) for (N, H, W)"
    )


def blocks(pixels: Pixels) -> Iterator[Block | None]:
    """Yield blocks of NumPy arrays that fit the cache; None for others, which stay in one piece."""
    images, length = pixels.truth.shape
    step = max(BLOCK // pixels.classes, 1)
    if not is_numpy_namespace(pixels.xp) or images * length <= step:
        yield None
        return
    keep_memory()
    for image in range(images):
        for start in range(0, length, step):
            yield slice(image, image + 1), slice(start, start + step)


def mask_and_check(pixels: Pixels, block: Block | None = None) -> Pixels:
    """Blank void pixels (value 0.5, truth and weight 0), check the others, and convert all."""
    xp, values, truth, weights = pixels.xp, pixels.values, pixels.truth, pixels.weights
    if block is not None:
        values, truth = values[block[0], ..., block[1]], truth[block]
        weights = None if weights is None else weights[block]
    values = _floating(xp, values)
    if weights is not None:
        weights = xp.astype(weights, values.dtype, copy=False)
    if _is(xp, truth.dtype, "integral") and not is_numpy_namespace(xp):
        truth = xp.astype(truth, xp.int64, copy=False)
    valid = _valid(pixels, truth)
    if valid is not None:
        truth = xp.where(valid, truth, xp.zeros_like(truth))
        valid_values = valid if pixels.binary else valid[:, None, :]
        values = xp.where(valid_values, values, constant(xp, 0.5, values))
        weights = None if weights is None else xp.where(valid, weights, xp.zeros_like(weights))
    near = False
    if pixels.logits:
        near = _within(xp, values, -NEAR, NEAR)
        values = values if near else clip_logits(xp, values)
    else:
        values = _checked_probabilities(xp, values)
    if pixels.binary and is_numpy_namespace(xp):
        truth = _as_booleans(truth)
    soft = pixels.soft and _is(xp, truth.dtype, "real floating")
    truth = _checked_truth(pixels, truth, values)
    return replace(
        pixels, values=values, truth=truth, weights=weights, valid=valid, soft=soft, near=near
    )


@cache
def _is(xp: Any, dtype: Any, kind: str | tuple[str, ...]) -> bool:
    """Tell whether a dtype is of a kind, which libraries take long to say."""
    return bool(xp.isdtype(dtype, kind))


def _floating(xp: Any, values: Array) -> Array:
    """Convert to float32 at least; integers and booleans to float64."""
    if not _is(xp, values.dtype, "real floating"):
        if not _is(xp, values.dtype, ("bool", "integral")):
            raise ValueError(f"probabilities or logits must be real numbers, found {values.dtype}")
        return xp.astype(values, xp.float64)
    return xp.astype(values, xp.float32) if xp.finfo(values.dtype).bits < 32 else values


def _valid(pixels: Pixels, truth: Array) -> Array | None:
    """Mark the pixels that are judged; None if none is void."""
    xp, void = pixels.xp, None
    for value in pixels.ignore:
        found = truth == value
        void = found if void is None else void | found
    return None if void is None or not bool(xp.any(void)) else ~void


def _within(xp: Any, values: Array, least: float, most: float) -> bool:
    """Tell whether all values lie between two bounds; NaN does not."""
    if math.prod(values.shape) == 0:
        return True
    return bool(xp.min(values) >= least) and bool(xp.max(values) <= most)


def _checked_probabilities(xp: Any, values: Array) -> Array:
    """Return probabilities, those that are outside [0, 1] by rounding at its ends."""
    if _within(xp, values, 0, 1):
        return values
    low, high = xp.min(values), xp.max(values)
    if low < -SLACK or high > 1 + SLACK:
        raise ValueError(
            f"probabilities must lie in [0, 1], found {low:g} to {high:g} in {values.dtype}:"
            " scale them, or say that they are logits where a loss takes logits"
        )
    return xp.clip(values, 0.0, 1.0)


def _as_booleans(truth: Array) -> Array:
    """Return a truth of 0 and 1 as booleans, which are known to be in range, others as they are.

    Bits are compared, as NumPy takes thirty times as long over numbers of float16.
    """
    if truth.dtype == bool:
        return truth
    bits = truth.view(f"u{truth.itemsize}")
    if truth.dtype.kind in "iu":
        return bits == 1 if bits.max(initial=0) <= 1 else truth
    positive = bits == np.ones(1, truth.dtype).view(bits.dtype)
    return positive if bool((positive | (bits == 0)).all()) else truth


def _checked_truth(pixels: Pixels, truth: Array, values: Array) -> Array:
    """Check the range of the truth; of binary data convert it to the dtype of the values."""
    xp = pixels.xp
    whole = _is(xp, truth.dtype, ("bool", "integral"))
    if not (whole or (pixels.binary and _is(xp, truth.dtype, "real floating"))):
        raise ValueError(f"truth must hold class indices as integers, found {truth.dtype}")
    if math.prod(truth.shape) and not _is(xp, truth.dtype, "bool"):
        highest = 1 if pixels.binary else pixels.classes - 1
        low, high = xp.min(truth), xp.max(truth)
        if not (low >= 0 and high <= highest):
            raise ValueError(
                f"truth of shape {pixels.shape} must lie in 0 to {highest} where it is not"
                f" ignored, found {float(low):g} to {float(high):g} (ignored: {pixels.ignore})"
            )
        if not (whole or pixels.soft or bool(xp.all((truth == 0) | (truth == 1)))):
            raise ValueError("truth must be 0 or 1, found values between them")
    return xp.astype(truth, values.dtype, copy=False) if pixels.binary else truth


def constant(xp: Any, value: object, like: Array) -> Array:
    """Return a number, or an array of numbers, of the dtype and on the device of an array."""
    return xp.asarray(value, dtype=like.dtype, device=device(like))


def into(xp: Any, own: Array) -> dict[str, Array]:
    """Let NumPy write over an array that nothing else holds; tensors remember it for gradients."""
    return {"out": own} if is_numpy_namespace(xp) else {}


def to_float64(xp: Any, values: Array) -> Array:
    """Convert NumPy values to float64, in which their sums are taken."""
    return xp.astype(values, xp.float64, copy=False) if is_numpy_namespace(xp) else values


def sums(xp: Any, values: Array, axis: tuple[int, ...] | None = None) -> Array:
    """Add up: NumPy values in float64, others in their own dtype."""
    dtype = xp.float64 if is_numpy_namespace(xp) else values.dtype
    return xp.sum(values, axis=axis, dtype=dtype)


def zero_with_gradient(xp: Any, values: Array) -> Array:
    """Return 0 as a result that still has a gradient (of zeros) with respect to the values."""
    return sums(xp, values[..., :0])


def as_probabilities(pixels: Pixels) -> Array:
    """Return the values of judged pixels as probabilities."""
    if not pixels.logits:
        return pixels.values
    if pixels.binary:
        return sigmoid(pixels.xp, pixels.values)
    return softmax(pixels.xp, pixels.values, axis=1)


def clip_logits(xp: Any, logits: Array) -> Array:
    """Bound logits so far out (3e32 in float32) that sums of their differences stay finite."""
    limit = xp.finfo(logits.dtype).max / 2**20
    return xp.clip(logits, -limit, limit)


def sigmoid(xp: Any, logits: Array) -> Array:
    """Return 1 / (1 + exp(-z)), without overflow and with all its digits where it is small."""
    size = xp.abs(logits)
    return xp.exp(0.5 * (logits - size)) / (1 + xp.exp(-size))


def softmax(xp: Any, logits: Array, *, axis: int) -> Array:
    """Return exp(z) over its sum along an axis, without overflow."""
    powers = xp.exp(logits - xp.max(logits, axis=axis, keepdims=True))
    return powers / xp.sum(powers, axis=axis, keepdims=True)


Classes: TypeAlias = Literal["present", "all"] | Sequence[int]


def chosen_classes(classes: Classes, pixels: Pixels) -> list[int]:
    """Return the classes that may be scored; of binary data there is one, the class 1."""
    known = [1] if pixels.binary else list(range(pixels.classes))
    if isinstance(classes, str):
        if classes in {"present", "all"}:
            return known
        raise ValueError(f"classes must be 'present', 'all' or a list, found {classes!r}")
    chosen = list(map(operator.index, classes))
    if not chosen or len({*chosen}) < len(chosen) or not set(chosen) <= set(known):
        raise ValueError(
            f"classes must be some of {known}, each once, found {chosen} "
            f"for truth of shape {pixels.shape}"
        )
    return chosen


def reduce_classes(
    scores: Array, scored: Array, reduction: str, *, per_image: bool, binary: bool, empty: float
) -> Array:
    """Reduce (R, C) scores of R images, or of one pool, to a mean, a sum or one a class.

    `empty` stands for a class that is not scored, and for an image in which none is.
    """
    xp = array_namespace(scores)
    counted = xp.where(scored, scores, xp.zeros_like(scores))
    if reduction == "sum":
        return xp.sum(counted)
    absent = xp.astype(~scored, scores.dtype)
    if reduction == "mean":
        number = xp.sum(1 - absent, axis=1)
        none = xp.astype(number == 0, scores.dtype)
        means = xp.sum(counted, axis=1) / (number + none) + empty * none
        return mean_of(means)
    each = counted + empty * absent
    each = each[:, 0] if binary else each
    return each if per_image else each[0, ...]


def mean_of(values: Array) -> Array:
    """Return the mean of (R,) values, 0 of none."""
    return array_namespace(values).sum(values) / max(values.shape[0], 1)
