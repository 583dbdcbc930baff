"""Losses with which segmentation networks are trained, for NumPy arrays and tensors alike.

All share one form, ``f(probabilities_or_logits, truth, /, *, ignore=None, reduction="mean",
weights=None, ...)``. Each is written once against the array-API standard: NumPy arrays give NumPy
values with sums in float64, PyTorch tensors give tensors that can be differentiated, on the device
where they are. float16 is computed in float32. Void pixels are in neither numerator nor
denominator, and a loss of void pixels alone is 0. No argument is ever written to. Losses are
combined by adding them.

Nothing is guessed from the values: logits are logits where the caller says so. Every loss raises
ValueError if shapes do not fit, probabilities leave [0, 1], or the truth leaves the classes.
Shapes alone decide: values of the shape of the truth, or with one channel, are binary; (K, H, W)
for a truth of (H, W), or (N, K, H, W) for (N, H, W), holds K classes.

`bce_loss` and `dice_coefficient` describe all that the losses share; the others say what differs.
"""

from segeval.losses.lovasz import lovasz_hinge_loss, lovasz_softmax_loss
from segeval.losses.overlap import (
    dice_coefficient,
    dice_loss,
    generalized_dice_loss,
    jaccard_loss,
    tversky_loss,
)
from segeval.losses.pixelwise import bce_loss, bce_with_logits_loss, cross_entropy_loss, focal_loss

__all__ = [
    "bce_loss",
    "bce_with_logits_loss",
    "cross_entropy_loss",
    "dice_coefficient",
    "dice_loss",
    "focal_loss",
    "generalized_dice_loss",
    "jaccard_loss",
    "lovasz_hinge_loss",
    "lovasz_softmax_loss",
    "tversky_loss",
]
