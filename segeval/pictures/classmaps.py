"""Masks as class indices: the values of files, looked up by what the whole run holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segeval.counting.contingency import count_values
from segeval.counting.dataset import resize
from segeval.counting.run import ImageCounts
from segeval.errors import MaskError
from segeval.inputs.pairing import Pair
from segeval.inputs.regions import read_pair
from segeval.labels.labelmap import VOID, LabelMap
from segeval.labels.lookups import RunLookup
from segeval.pictures.slices import laid_out, say_slices, worst_slices
from segeval.settings import Reading


def read_values(
    pair: Pair, reading: Reading, counted: ImageCounts
) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """Read both masks of a pair as their files store them; a missing prediction is None.

    Masks that hold anything else than was counted are a `MaskError`.
    """
    true, predicted = read_pair(pair, max_pixels=reading.max_pixels, lossy=True, volumes=True)
    truth, prediction = true.values, None if predicted is None else predicted.values
    if prediction is not None and reading.resize_prediction:
        prediction = resize(prediction, truth.shape)
    size = counted.info.height * counted.info.width
    same_size = truth.size == size and (prediction is None or prediction.shape == truth.shape)
    if not same_size or count_values(truth=truth, prediction=prediction) != counted.table:
        raise MaskError(
            f"{pair.name}: it holds other pixels than were counted; {pair.truth} or "
            f"{pair.prediction} changed meanwhile"
        )
    return truth, prediction


def read_classes(
    pair: Pair, reading: Reading, translation: RunLookup, counted: ImageCounts
) -> tuple[NDArray[np.signedinteger], NDArray[np.signedinteger]]:
    """Read both masks of a pair as class indices, as `read_values`; no prediction is all missed.

    Of volumes, (H, W) are the worst slices.
    """
    truth, prediction, _ = read_picture(pair, reading, translation, counted)
    return truth, prediction


def read_picture(
    pair: Pair, reading: Reading, translation: RunLookup, counted: ImageCounts
) -> tuple[NDArray[np.signedinteger], NDArray[np.signedinteger], str]:
    """Read classes as `read_classes`, and say which slices of a volume they are."""
    sides = translation.pair(*read_values(pair, reading, counted))
    sheet = Sheet.of(*sides)
    truth, prediction = (sheet.lay_out(side, VOID) for side in sides)
    return truth, prediction, sheet.note


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """How pixels come into a picture: as they are, or as the worst slices of a volume."""

    chosen: list[int]  # none of an image
    slices: int

    @classmethod
    def of(cls, truth: NDArray[Any], prediction: NDArray[Any]) -> Sheet:
        """Choose the slices of class indices."""
        if truth.ndim == 2:
            return cls(chosen=[], slices=0)
        return cls(chosen=worst_slices(truth, prediction), slices=len(truth))

    @property
    def note(self) -> str:
        """Name the slices."""
        return say_slices(self.chosen, self.slices) if self.chosen else ""

    def lay_out(self, pixels: NDArray[Any], empty: int) -> NDArray[Any]:
        """Return what is seen of pixels; what lies between slices is empty."""
        return laid_out(pixels, self.chosen, empty) if self.chosen else pixels


def drawn_labels(labels: LabelMap, position: int | None) -> tuple[LabelMap, int | None]:
    """Return the classes of which each pixel has one, and the position of the one that is drawn.

    Where classes overlap, these are a class and the rest, or all `parts`.
    """
    if not labels.overlap or position is None:
        return labels.parts, position
    return labels.against_rest(position), 1
