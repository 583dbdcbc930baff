"""How the published cases of other tools are written as calls of ours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias

from segeval.losses import (
    bce_loss,
    bce_with_logits_loss,
    cross_entropy_loss,
    dice_loss,
    focal_loss,
    jaccard_loss,
    lovasz_hinge_loss,
    lovasz_softmax_loss,
    tversky_loss,
)

Case: TypeAlias = dict[str, Any]
"""The arguments that a tool was called with."""

EMPTY: Final = (
    "an image or a batch without judged pixels is an empty tensor or a crash there: 0 here"
)
GENERALISED: Final = "generalised Dice weighs classes by their area: no loss of ours"


def why_not(record: dict[str, Any]) -> str | None:
    """Return how a tool deviates where no option of ours can follow; None where one can."""
    if record["ref"] == "monai_GeneralizedDiceLoss":
        return GENERALISED
    if record["numpy"] is not None:
        return None
    if record.get("flag") == "nan":
        return "the mean over no pixels is NaN there: 0 here"
    return EMPTY


def _values(inputs: Case) -> Any:
    return next(inputs[name] for name in ("probas", "logits", "input", "y_pred") if name in inputs)


def _truth(inputs: Case) -> Any:
    return next(inputs[name] for name in ("labels", "target", "y_true") if name in inputs)


def _one_hot(xp: Any, truth: Any, classes: int, void: int | None) -> Any:
    """Return (N, K, H, W) truths of 0 and 1 for each class, void where the truth is."""
    planes = [xp.where(truth == k, xp.ones_like(truth), 0) for k in range(classes)]
    if void is not None:
        planes = [xp.where(truth == void, truth, plane) for plane in planes]
    return xp.stack(planes, 1)


def _lovasz_softmax(_xp: Any, inputs: Case, args: Case) -> Any:
    return lovasz_softmax_loss(_values(inputs), _truth(inputs), **args)


def _lovasz_hinge(_xp: Any, inputs: Case, args: Case) -> Any:
    return lovasz_hinge_loss(_values(inputs), _truth(inputs), **args)


def _bce(_xp: Any, inputs: Case, args: Case) -> Any:
    return bce_loss(_values(inputs), _truth(inputs), **args)


def _bce_with_logits(_xp: Any, inputs: Case, args: Case) -> Any:
    positive = args.get("pos_weight", [1.0])[0]
    return bce_with_logits_loss(
        _values(inputs), _truth(inputs), reduction=args["reduction"], positive_weight=positive
    )


def _cross_entropy(_xp: Any, inputs: Case, args: Case) -> Any:
    return cross_entropy_loss(
        _values(inputs),
        _truth(inputs),
        ignore=args["ignore_index"],
        reduction=args["reduction"],
        class_weights=args.get("weight"),
        label_smoothing=args.get("label_smoothing", 0.0),
        logits=True,
    )


def _smp_focal(xp: Any, inputs: Case, args: Case) -> Any:
    """Follow it in giving each class a sigmoid of its own, with the mean over all of them."""
    values, truth, void = _values(inputs), _truth(inputs), args.get("ignore_index")
    if args["mode"] == "multiclass":
        truth = _one_hot(xp, truth, values.shape[1], void)
    return focal_loss(
        values, truth, ignore=void, alpha=args.get("alpha"), gamma=args["gamma"], logits=True
    )


def _smp_dice(xp: Any, inputs: Case, args: Case) -> Any:
    """Follow it in smoothing twice: its Dice loss is a Tversky loss."""
    return _smp_overlap(tversky_loss, xp, inputs, args)


def _smp_jaccard(xp: Any, inputs: Case, args: Case) -> Any:
    return _smp_overlap(jaccard_loss, xp, inputs, args)


def _smp_overlap(loss: Callable[..., Any], xp: Any, inputs: Case, args: Case) -> Any:
    """Follow it in counting the loss of an absent class as 0, within the mean."""
    options = {"ignore": args.get("ignore_index"), "smooth": args.get("smooth", 0.0)}
    each = loss(
        _values(inputs),
        _truth(inputs),
        classes="present",
        reduction="none",
        logits=True,
        **options,
    )
    return xp.mean(each[args["classes"]] if "classes" in args else each)


def _smp_lovasz(_xp: Any, inputs: Case, args: Case) -> Any:
    options = {"ignore": args.get("ignore_index"), "per_image": args.get("per_image", False)}
    if args["mode"] == "binary":
        return lovasz_hinge_loss(_values(inputs), _truth(inputs), **options)
    return lovasz_softmax_loss(_values(inputs), _truth(inputs), logits=True, **options)


def _smp_soft_bce(_xp: Any, inputs: Case, args: Case) -> Any:
    """Follow it in dividing by all pixels, void ones too."""
    truth, smoothing = _truth(inputs), args.get("smooth_factor", 0.0)
    void = args.get("ignore_index")
    if smoothing:
        truth = (1 - truth) * smoothing + truth * (1 - smoothing)
    total = bce_with_logits_loss(_values(inputs), truth, ignore=void, reduction="sum")
    return total / truth.reshape(-1).shape[0]


def _monai_dice(_xp: Any, inputs: Case, args: Case) -> Any:
    """Follow it in smoothing with 1e-5 and in scoring each image alone, unless in batches."""
    values, truth = _values(inputs), _truth(inputs)
    binary = values.shape[1] == 1
    jaccard = args.get("jaccard", False)
    options: dict[str, Any] = {
        "smooth": args.get("smooth_nr", 1e-5) / (2 if jaccard else 1),
        "squared": args.get("squared_pred", False),
        "per_image": not args.get("batch", False),
        "ignore": args.get("ignore_index"),
    }
    if not args.get("include_background", True):
        options["classes"] = list(range(1, values.shape[1]))
    loss = jaccard_loss if jaccard else dice_loss
    return loss(values, truth if binary else truth[:, 0], logits=True, **options)


def _monai_focal(xp: Any, inputs: Case, args: Case) -> Any:
    """Follow it in dividing by pixels times channels, unless void pixels are named."""
    values, truth = _values(inputs), _truth(inputs)
    options = {"alpha": args.get("alpha"), "gamma": args["gamma"], "logits": True}
    void = args.get("ignore_index")
    if args.get("use_softmax"):
        loss = focal_loss(values, truth[:, 0], ignore=void, **options)
        return loss if void is not None else loss / values.shape[1]
    if args.get("to_onehot_y"):
        truth = _one_hot(xp, truth[:, 0], values.shape[1], void)
    return focal_loss(values, truth, ignore=void, **options)


CALLS: Final[dict[str, Callable[[Any, Case, Case], Any]]] = {
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
    "monai_FocalLoss": _monai_focal,
}
"""The function of a tool, and ours with its arguments: namespace, inputs, arguments."""
