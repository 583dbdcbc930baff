"""The connected parts of the classes of a mask: pixels of a class that touch, at corners as well.

What thinning does to a pixel depends on the pixels around it alone, and those of another part of
the class are none of them. So each part may be thinned by itself, in its own box, by as many
passes as it needs: the skeleton is that of the whole image.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from segeval.topology.skimage import library

Box = tuple[slice, ...]
CALL: Final = 4000  # pixels that are visited in the time that one more piece costs


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Parts:
    """The parts of K classes, in the order of their first pixels, and the box of each class."""

    mask: NDArray[Any]  # index of the class of each pixel; K is none
    labels: NDArray[np.int64]  # 1 … P of each pixel, 0 of those of no class
    kinds: NDArray[np.int64]  # (P,); the class of each part
    boxes: list[Box | None]  # (K,); where a class is, if it is anywhere

    @classmethod
    def of(cls, mask: NDArray[Any], classes: int) -> Parts:
        """Find the parts of a mask; what is not below the number of classes is of none."""
        kinds = np.minimum(mask, classes).astype(np.int32)
        labels = library("measure").label(kinds, background=classes, connectivity=mask.ndim)
        found = np.full(labels.max() + 1, classes)
        found[labels.ravel()] = kinds.ravel()
        return cls(
            mask=kinds,
            labels=labels,
            kinds=found[1:],
            boxes=_boxes(kinds + 1, classes),
        )

    @property
    def counts(self) -> NDArray[np.int64]:
        """How many parts each class has, (K,)."""
        return np.bincount(self.kinds, minlength=len(self.boxes))

    def pieces(self) -> Iterator[tuple[int, Box, NDArray[np.bool_]]]:
        """Yield classes, boxes and the pixels in them, in pieces that are quickly thinned.

        A piece is a part, or a whole class where its parts are too many, or their boxes too large.
        """
        passes = np.sqrt(np.bincount(self.labels.ravel())[1:]) / 2 + 1
        few = self.counts * CALL < self.labels.size
        own = self._boxes_of(few[self.kinds])
        for k, box in enumerate(self.boxes):
            if box is None:
                continue
            parts = np.flatnonzero(self.kinds == k).tolist() if few[k] else []
            together = passes[self.kinds == k].max() * _size(box) + CALL
            if few[k] and sum(CALL + passes[n] * _size(own[n]) for n in parts) < together:
                yield from ((k, own[n], self.labels[own[n]] == n + 1) for n in parts)
            else:
                yield k, box, self.mask[box] == k

    def _boxes_of(self, chosen: NDArray[np.bool_]) -> dict[int, Box]:
        """Return the boxes of some parts."""
        numbers = np.zeros(self.kinds.size + 1, np.int32)
        numbers[1:][chosen] = np.arange(1, chosen.sum() + 1)
        boxes = _boxes(numbers[self.labels], int(chosen.sum()))
        return dict(zip(np.flatnonzero(chosen).tolist(), boxes, strict=True))


def _boxes(labels: NDArray[Any], most: int) -> list[Any]:
    """Return where each label is, from 1 to the most; None where it is nowhere."""
    from scipy.ndimage import find_objects  # scikit-image brings it

    found: list[Any] = find_objects(labels, most)
    return found


def _size(box: Box) -> int:
    return math.prod(side.stop - side.start for side in box)
