"""A run: the contingency tables of the images of a data set, and what happened while counting.

A run knows values, not classes. Every score is a view of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from segeval.contingency import ContingencyTable
    from segeval.errors import Problem

__all__ = ["Counts", "ImageCounts", "Run"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageCounts:
    """One counted pair.

    Attributes
    ----------
    name, group : str
        Name of the pair, and of the group that it belongs to.
    height, width : int
        Size of the truth in pixels.
    truth_path, prediction_path : str
        The files; empty for a prediction that is missing.
    truth_form, prediction_form : str
        How the files store their masks; empty for a prediction that is missing.
    table : ContingencyTable
        The counts.
    """

    name: str
    height: int
    width: int
    truth_path: str
    prediction_path: str
    truth_form: str
    prediction_form: str
    table: ContingencyTable
    group: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Counts:
    """The tables of all images of a run as four columns of equal length N.

    Attributes
    ----------
    image : (N,) int64 array
        Position of the image in ``Run.images``.
    truth, prediction, pixels : (N,) int64 arrays
        As in `ContingencyTable`.
    """

    image: NDArray[np.int64]
    truth: NDArray[np.int64]
    prediction: NDArray[np.int64]
    pixels: NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Run:
    """The counted images of a data set in stable order.

    Attributes
    ----------
    images : tuple of ImageCounts
        One for each pair that could be counted.
    problems : tuple of Problem
        What could not be counted and was not waived.
    missing, skipped, extra : tuple of str
        Waived truths without a prediction, waived unreadable pairs, predictions without a truth.
    waivers : tuple of str
        What was waived, for the signature, e.g. ``"missing:skip"``.
    """

    images: tuple[ImageCounts, ...]
    problems: tuple[Problem, ...] = ()
    missing: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    waivers: tuple[str, ...] = ()

    def columns(self) -> Counts:
        """Lay the tables of all images end to end."""
        sizes = [image.table.pixels.size for image in self.images]

        def join(arrays: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
            return np.concatenate(arrays) if arrays else np.empty(0, np.int64)

        return Counts(
            image=np.repeat(np.arange(len(sizes)), sizes),
            truth=join([image.table.truth for image in self.images]),
            prediction=join([image.table.prediction for image in self.images]),
            pixels=join([image.table.pixels for image in self.images]),
        )
