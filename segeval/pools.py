"""Pools: counts put together before they are scored."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from segeval.confusion import ClassCounts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from segeval.conventions import Convention
    from segeval.labels import LabelMap

__all__ = ["chosen_classes", "left_out", "over_classes", "scored", "summed"]


def scored(convention: Convention, images: ClassCounts) -> ClassCounts:
    """Leave out the images without judged pixels, if the convention does."""
    if convention.void_image == "score":
        return images
    tp, support, predicted, total = (
        part[images.total > 0] for part in (*_parts(images), images.total)
    )
    return ClassCounts(tp=tp, support=support, predicted=predicted, total=total)


def left_out(convention: Convention, labels: LabelMap) -> list[int]:
    """Return the positions of the classes that are left out of the means."""
    background = convention.classes == "foreground" and len(labels.labels) > 1
    return sorted({*([0] if background else []), *labels.positions(convention.exclude)})


def summed(images: ClassCounts) -> ClassCounts:
    """Sum the counts of all images into one pool."""
    return ClassCounts(
        tp=images.tp.sum(axis=0, keepdims=True),
        support=images.support.sum(axis=0, keepdims=True),
        predicted=images.predicted.sum(axis=0, keepdims=True),
        total=images.total.sum(axis=0, keepdims=True),
    )


def chosen_classes(counts: ClassCounts, excluded: Sequence[int]) -> ClassCounts:
    """Leave out the counts of the excluded classes."""
    tp, support, predicted = (np.delete(part, excluded, axis=-1) for part in _parts(counts))
    return ClassCounts(tp=tp, support=support, predicted=predicted, total=counts.total)


def over_classes(counts: ClassCounts, excluded: Sequence[int]) -> ClassCounts:
    """Sum the counts of the classes of each pool, as if they were one class."""
    chosen = chosen_classes(counts, excluded)
    tp, support, predicted = (part.sum(axis=-1, keepdims=True) for part in _parts(chosen))
    total = counts.total * chosen.tp.shape[-1]
    return ClassCounts(tp=tp, support=support, predicted=predicted, total=total)


def _parts(counts: ClassCounts) -> tuple[NDArray[np.int64], ...]:
    return counts.tp, counts.support, counts.predicted
