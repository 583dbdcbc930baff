"""How the published cases of other tools are written as calls of ours."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final, TypeAlias

import numpy as np
from made.arguments import Arguments, NotUnderstoodError

from segeval.losses import (
    bce_loss,
    bce_with_logits_loss,
    cross_entropy_loss,
    dice_loss,
    focal_loss,
    generalized_dice_loss,
    jaccard_loss,
    lovasz_hinge_loss,
    lovasz_softmax_loss,
    tversky_loss,
)
from segeval.losses.arrays import Reduction

Record: TypeAlias = dict[str, Any]
Inputs: TypeAlias = dict[str, Any]
"""Values, and the truth."""

NEGLIGIBLE: Final = 1e-5
"""Smoothing that moves no value by as much as rounding does."""


def peer_fails(record: Record) -> str:
    """Say what a tool returns where that is no number; empty where it is one."""
    if record["result"] is not None or record["numpy"] is not None:
        return ""
    return f"{record['peer']}: {record.get('error') or record['flag']}"


def nothing_is_judged(inputs: Inputs, record: Record) -> bool:
    """Whether an image of a case, or all of it, holds void pixels only."""
    args = record["args"]
    void = args.get("ignore", args.get("ignore_index"))
    truth = np.asarray(_truth(inputs))
    images = truth.reshape(truth.shape[0], -1)
    return bool((images == void).all(axis=1).any())


def ours(xp: Any, record: Record, inputs: Inputs) -> Any:
    """Value a case, and refuse one of whose arguments no use is made."""
    args = Arguments(record["args"], record["call"])
    if len(inputs) != 2:
        raise NotUnderstoodError(f"{record['call']}: no use is made of some of {[*inputs]}")
    if record["ref"] not in CALLS:
        raise NotUnderstoodError(f"no function of ours is written for {record['ref']}")
    value = CALLS[record["ref"]](xp, inputs, args)
    args.close()
    return value


def _values(inputs: Inputs) -> Any:
    return next(inputs[name] for name in ("probas", "logits", "input", "y_pred") if name in inputs)


def _truth(inputs: Inputs) -> Any:
    return next(inputs[name] for name in ("labels", "target", "y_true") if name in inputs)


def _planes(xp: Any, truth: Any, classes: int, void: int | None) -> list[Any]:
    """Return truths of 0 and 1 for each class, void where the truth is."""
    planes = [xp.where(truth == k, xp.ones_like(truth), 0) for k in range(classes)]
    return planes if void is None else [xp.where(truth == void, truth, plane) for plane in planes]


def _weighted_mean(xp: Any, each: Any, weights: Any) -> Any:
    """Average the losses of classes."""
    if weights is None:
        return xp.mean(each)
    factors = xp.asarray(weights, dtype=each.dtype)
    return xp.sum(each * factors) / xp.sum(factors)


def _lovasz_softmax(_xp: Any, inputs: Inputs, args: Arguments) -> Any:
    return lovasz_softmax_loss(
        _values(inputs),
        _truth(inputs),
        classes=args.take("classes", "present"),
        per_image=args.flag("per_image"),
        ignore=args.take("ignore"),
    )


def _lovasz_hinge(_xp: Any, inputs: Inputs, args: Arguments) -> Any:
    return lovasz_hinge_loss(
        _values(inputs),
        _truth(inputs),
        per_image=args.flag("per_image", usual=True),
        ignore=args.take("ignore"),
    )


def _bce(_xp: Any, inputs: Inputs, args: Arguments) -> Any:
    return bce_loss(
        _values(inputs), _truth(inputs), reduction=args.one_of("reduction", "mean", "sum")
    )


def _bce_with_logits(_xp: Any, inputs: Inputs, args: Arguments) -> Any:
    (positive,) = args.take("pos_weight", [1.0])
    return bce_with_logits_loss(
        _values(inputs),
        _truth(inputs),
        reduction=args.one_of("reduction", "mean", "sum"),
        positive_weight=positive,
    )


def _cross_entropy(_xp: Any, inputs: Inputs, args: Arguments) -> Any:
    return cross_entropy_loss(
        _values(inputs),
        _truth(inputs),
        ignore=args.take("ignore_index", -100),
        reduction=args.one_of("reduction", "mean", "sum"),
        class_weights=args.take("weight"),
        label_smoothing=args.take("label_smoothing", 0.0),
        logits=True,
    )


def _smp_focal(xp: Any, inputs: Inputs, args: Arguments) -> Any:
    """Follow it in giving each class a sigmoid of its own, and in dividing twice if normalised."""
    values, truth, void = _values(inputs), _truth(inputs), args.take("ignore_index")
    mode = args.one_of("mode", "multiclass", "binary", "multilabel")
    normalized = args.flag("normalized")
    mean = args.one_of("reduction", "mean", "sum") == "mean"
    args.only(from_logits=True)
    args.only(reduced_threshold=None)
    if mode == "binary":
        pairs = [(values, truth)]
    else:
        several = mode == "multilabel"
        planes = (
            [truth[:, k] for k in range(values.shape[1])]
            if several
            else _planes(xp, truth, values.shape[1], void)
        )
        pairs = [(values[:, k], plane) for k, plane in enumerate(planes)]
    options = {"alpha": args.take("alpha"), "gamma": args.take("gamma", 2.0), "ignore": void}
    reduction: Reduction = "mean" if mean or normalized else "sum"
    each = xp.stack(
        [
            focal_loss(z, t, normalized=normalized, reduction=reduction, logits=True, **options)
            for z, t in pairs
        ]
    )
    if normalized and mean:
        plane = pairs[0][1]
        each = each / (math.prod(plane.shape) if void is None else int(xp.sum(plane != void)))
    return _weighted_mean(xp, each, args.take("class_weights"))


def _smp_dice(xp: Any, inputs: Inputs, args: Arguments) -> Any:
    """Follow it in smoothing twice: its Dice loss is a Tversky loss."""
    return _smp_overlap(tversky_loss, xp, inputs, args)


def _smp_jaccard(xp: Any, inputs: Inputs, args: Arguments) -> Any:
    return _smp_overlap(jaccard_loss, xp, inputs, args)


def _smp_overlap(loss: Callable[..., Any], xp: Any, inputs: Inputs, args: Arguments) -> Any:
    """Follow it in counting the loss of an absent class as 0, within the mean."""
    values, truth = _values(inputs), _truth(inputs)
    args.only(eps=1e-7)
    options: dict[str, Any] = {
        "ignore": args.take("ignore_index"),
        "smooth": args.take("smooth", 0.0),
        "log": args.flag("log_loss"),
        "logits": args.flag("from_logits", usual=True),
        "classes": "present",
        "reduction": "none",
    }
    if args.one_of("mode", "multiclass", "binary", "multilabel") == "multilabel":
        planes = range(values.shape[1])
        each = xp.stack([loss(values[:, k], truth[:, k], **options) for k in planes])
    else:
        each = loss(values, truth, **options)
    chosen, weights = args.take("classes"), args.take("class_weights")
    if chosen is not None:
        each = each[chosen]
        weights = None if weights is None else [weights[k] for k in chosen]
    return _weighted_mean(xp, each, weights)


def _smp_lovasz(_xp: Any, inputs: Inputs, args: Arguments) -> Any:
    options = {
        "ignore": args.take("ignore_index"),
        "per_image": args.flag("per_image"),
    }
    args.flag("from_logits", usual=True)  # it takes logits whatever is said
    if args.one_of("mode", "multiclass", "binary", "multilabel") == "multiclass":
        return lovasz_softmax_loss(_values(inputs), _truth(inputs), logits=True, **options)
    return lovasz_hinge_loss(_values(inputs), _truth(inputs), **options)


def _smp_soft_bce(_xp: Any, inputs: Inputs, args: Arguments) -> Any:
    """Follow it in dividing by all pixels, void ones too."""
    given, smoothing = _truth(inputs), args.take("smooth_factor") or 0.0
    void = args.take("ignore_index", -100)
    truth = given
    if smoothing:
        truth = (1 - given) * smoothing + given * (1 - smoothing)
        if void is not None:
            truth = truth + (given == void) * (void - truth)
    positive = args.take("pos_weight")
    total = bce_with_logits_loss(
        _values(inputs),
        truth,
        ignore=void,
        reduction="sum",
        positive_weight=1.0 if positive is None else float(np.asarray(positive).item()),
    )
    mean = args.one_of("reduction", "mean", "sum") == "mean"
    return total / truth.reshape(-1).shape[0] if mean else total


def _monai_smoothing(args: Arguments) -> float:
    """Return what it adds below the line, if it adds the same, or next to nothing, above."""
    above, below = args.take("smooth_nr", 1e-5), args.take("smooth_dr", 1e-5)
    if above != below and max(above, below) > NEGLIGIBLE:
        raise NotUnderstoodError(f"smoothing of {above} above the line and {below} below it")
    return float(above)


def _monai_activation(args: Arguments, classes: int) -> bool:
    """Whether it is given logits; of several classes each with a sigmoid is not understood."""
    sigmoid, softmax = args.flag("sigmoid"), args.flag("softmax")
    one_hot = args.flag("to_onehot_y")
    if classes > 1 and (sigmoid or not one_hot):
        raise NotUnderstoodError("several classes that are not exclusive")
    return bool(sigmoid or softmax)


def _monai_classes(args: Arguments, classes: int) -> Any:
    whole = args.flag("include_background", usual=True) or classes == 1
    return "all" if whole else list(range(1, classes))


def _monai_dice(xp: Any, inputs: Inputs, args: Arguments) -> Any:
    """Follow it in smoothing with 1e-5 and in scoring each image alone, unless in batches."""
    values, truth = _values(inputs), _truth(inputs)
    classes, jaccard = values.shape[1], args.flag("jaccard")
    args.only(soft_label=False)
    each = (jaccard_loss if jaccard else dice_loss)(
        values,
        truth if classes == 1 else truth[:, 0],
        logits=_monai_activation(args, classes),
        classes=_monai_classes(args, classes),
        smooth=_monai_smoothing(args) / (2 if jaccard else 1),
        squared=args.flag("squared_pred"),
        per_image=not args.flag("batch"),
        ignore=args.take("ignore_index"),
        reduction="none",
    )
    weights = args.take("weight")
    if weights is not None and classes > 1:
        each = each * xp.asarray(weights, dtype=each.dtype)
    return (xp.mean if args.one_of("reduction", "mean", "sum") == "mean" else xp.sum)(each)


def _monai_generalized_dice(xp: Any, inputs: Inputs, args: Arguments) -> Any:
    """Follow it in that nothing costs anything where no class has a true pixel."""
    values, truth = _values(inputs), _truth(inputs)
    classes, batch = values.shape[1], args.flag("batch")
    args.only(soft_label=False)
    chosen = _monai_classes(args, classes)
    weighting = args.one_of("w_type", "square", "simple", "uniform")
    each = generalized_dice_loss(
        values,
        truth if classes == 1 else truth[:, 0],
        logits=_monai_activation(args, classes),
        classes=chosen,
        weighting=weighting,
        smooth=_monai_smoothing(args),
        per_image=not batch,
        reduction="none",
    )
    seen = truth >= 0 if chosen == "all" and classes > 1 else truth > 0
    seen = xp.any(xp.reshape(seen, (1 if batch else truth.shape[0], -1)), axis=1)
    if weighting != "uniform":
        each = xp.reshape(each, seen.shape)
        each = xp.where(seen, each, xp.zeros_like(each))
    return (xp.mean if args.one_of("reduction", "mean", "sum") == "mean" else xp.sum)(each)


def _monai_focal(xp: Any, inputs: Inputs, args: Arguments) -> Any:
    """Follow it in dividing by pixels times channels, unless void pixels are named."""
    values, truth = _values(inputs), _truth(inputs)
    classes, void = values.shape[1], args.take("ignore_index")
    options = {"alpha": args.take("alpha"), "gamma": args.take("gamma", 2.0), "logits": True}
    args.only(include_background=True)
    args.only(weight=None)
    args.only(reduction="mean")
    one_hot = args.flag("to_onehot_y")
    if args.flag("use_softmax"):
        loss = focal_loss(values, truth[:, 0], ignore=void, **options)
        return loss if void is not None else loss / classes
    if one_hot and classes > 1:
        truth = xp.stack(_planes(xp, truth[:, 0], classes, void), 1)
    loss = focal_loss(values, truth, ignore=void, **options)
    return loss if void is None else loss * classes


CALLS: Final[dict[str, Callable[[Any, Inputs, Arguments], Any]]] = {
    "lovasz_softmax": _lovasz_softmax,
    "lovasz_hinge": _lovasz_hinge,
    "BCELoss": _bce,
    "BCEWithLogitsLoss": _bce_with_logits,
    "CrossEntropyLoss": _cross_entropy,
    "smp_FocalLoss": _smp_focal,
    "smp_DiceLoss": _smp_dice,
    "smp_JaccardLoss": _smp_jaccard,
    "smp_LovaszLoss": _smp_lovasz,
    "smp_SoftBCEWithLogitsLoss": _smp_soft_bce,
    "monai_DiceLoss": _monai_dice,
    "monai_GeneralizedDiceLoss": _monai_generalized_dice,
    "monai_FocalLoss": _monai_focal,
}
"""The function of a tool, and ours with its arguments: namespace, inputs, arguments."""
