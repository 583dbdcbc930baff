"""Losses that are one number a class: which classes are scored, sums of overlap, means.

Decides what stands for a class that is not scored and for a ratio of 0/0; which ratio a loss is,
others decide.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from array_api_compat import device

from segeval.lossarrays import (
    Array,
    Ignore,
    Pixels,
    arrange,
    as_probabilities,
    at_least_zero,
    judge,
    sums,
)

__all__ = ["Classes", "Overlap", "choose", "measure", "reduce_classes"]

Classes: TypeAlias = Literal["present", "all"] | Sequence[int]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Overlap:
    """Sums over judged pixels, for R images (or one pool of them) and C classes.

    Attributes
    ----------
    pixels : Pixels
        What the sums run over.
    common, predicted, actual : (R, C) arrays
        Sums of p t, of p and of t; or of p t, p² and t².
    scored : (R, C) array of bool
        Which classes are scored.
    reduction : str
        How classes and images are reduced.
    per_image : bool
        Whether each image has sums of its own.
    """

    pixels: Pixels
    common: Array
    predicted: Array
    actual: Array
    scored: Array
    reduction: str
    per_image: bool

    def coefficient(self, numerator: Array, denominator: Array, smooth: float) -> Array:
        """Reduce the ratios of classes, 1 where a class is not scored."""
        ratios = self._ratios(numerator, denominator, smooth)
        return reduce_classes(
            self.pixels, ratios, self.scored, self.reduction, per_image=self.per_image, empty=1.0
        )

    def loss(self, numerator: Array, denominator: Array, smooth: float) -> Array:
        """Reduce 1 minus the ratios of classes, 0 where a class is not scored."""
        losses = 1 - self._ratios(numerator, denominator, smooth)
        return reduce_classes(
            self.pixels, losses, self.scored, self.reduction, per_image=self.per_image
        )

    def _ratios(self, numerator: Array, denominator: Array, smooth: float) -> Array:
        """Divide, after adding the same to both; 0/0 is 1."""
        at_least_zero(smooth=smooth)
        xp = self.pixels.xp
        undefined = xp.astype(denominator + smooth == 0, denominator.dtype)
        return (numerator + smooth + undefined) / (denominator + smooth + undefined)


def measure(
    probabilities: Array,
    truth: Array,
    *,
    ignore: Ignore,
    reduction: str,
    weights: Array | None,
    classes: Classes,
    per_image: bool,
    squared: bool,
    logits: bool,
) -> Overlap:
    """Add up the overlap of probabilities and truth in each class."""
    pixels = arrange(
        probabilities,
        truth,
        ignore=ignore,
        reduction=reduction,
        weights=weights,
        logits=logits,
        soft=True,
    )
    chosen, judged = choose(classes, pixels), judge(pixels)
    predicted = _of_chosen(judged, as_probabilities(judged), chosen)
    actual = _members(judged, chosen, predicted)
    parts = (
        predicted * actual,
        predicted**2 if squared else predicted,
        actual**2 if squared else actual,
    )
    common, predicted, actual = (_sums(judged, part, per_image=per_image) for part in parts)
    present = isinstance(classes, str) and classes == "present"
    return Overlap(
        pixels=judged,
        common=common,
        predicted=predicted,
        actual=actual,
        scored=actual > 0 if present else judged.xp.ones_like(actual, dtype=judged.xp.bool),
        reduction=reduction,
        per_image=per_image,
    )


def _of_chosen(judged: Pixels, values: Array, chosen: list[int]) -> Array:
    """Return the values of the chosen classes, as an (N, C, P) array."""
    if judged.binary:
        return values[:, None, :]
    if chosen == list(range(judged.classes)):
        return values
    numbers = judged.xp.asarray(chosen, dtype=judged.xp.int64, device=device(values))
    return judged.xp.take(values, numbers, axis=1)


def _members(judged: Pixels, chosen: list[int], like: Array) -> Array:
    """Return the truth of each class in [0, 1], as an (N, C, P) array."""
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


def choose(classes: Classes, pixels: Pixels) -> list[int]:
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
    pixels: Pixels,
    scores: Array,
    scored: Array,
    reduction: str,
    *,
    per_image: bool,
    empty: float = 0.0,
) -> Array:
    """Reduce (R, C) scores of R images, or of one pool, to a mean, a sum or one a class.

    `empty` stands for a class that is not scored, and for an image in which none is.
    """
    xp = pixels.xp
    counted = xp.where(scored, scores, xp.zeros_like(scores))
    if reduction == "sum":
        return xp.sum(counted)
    absent = xp.astype(~scored, scores.dtype)
    if reduction == "mean":
        number = xp.sum(1 - absent, axis=1)
        none = xp.astype(number == 0, scores.dtype)
        means = xp.sum(counted, axis=1) / (number + none) + empty * none
        return xp.sum(means) / max(means.shape[0], 1)
    each = counted + empty * absent
    each = each[:, 0] if pixels.binary else each
    return each if per_image else each[0, ...]
