"""Edges of classes that are matched within a disk: boundary F of DAVIS, from four integers a class.

An edge pixel of a class is one that differs from its neighbour to the right, below, or below and
right in being of the class; beyond the image there is no neighbour. So a square of two by two
pixels makes an edge for each class that some of its pixels are of, and not all. Pixels of no
class, void ones too, are background.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from segeval.boundaries.rows import bytes_of, rows_of
from segeval.counting.measures import Layer
from segeval.errors import SettingError

Map: TypeAlias = NDArray[Any]

KIND: Final = "edges"

SHARE: Final = 0.008  # of the diagonal, as in DAVIS


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeMeasure:
    """The edge pixels of every class, and those that are matched."""

    @property
    def kind(self) -> str:
        """The key of its bytes in a run."""
        return KIND

    @property
    def definition(self) -> Mapping[str, Any]:
        """All that changes its numbers."""
        return {"reach": SHARE, "neighbours": "right, below, below and right"}

    def __call__(self, layers: Sequence[Layer], spacing: tuple[float, ...] | None) -> bytes:  # noqa: ARG002 - edges are of pixels
        """Count one image: rows of a class and its four counts, of those that have edges."""
        if layers[0][0].ndim != 2:
            raise SettingError(
                "--boundary-f is of images and not of volumes; leave it out, or score slices"
            )
        counts = np.concatenate([edge_counts(*layer) for layer in layers])
        (there,) = np.nonzero(counts.any(axis=1))
        return bytes_of([np.column_stack([there, counts[there]])])


def edge_table(data: Sequence[bytes], classes: int) -> NDArray[np.int64]:
    """Read the counts of N images, (N, K, 4), as ``edge_counts`` has them."""
    image, (place, *counts) = rows_of(data, (classes,), 4)
    table = np.zeros((len(data), classes, 4), np.int64)
    table[image, place] = np.stack(counts, axis=-1)
    return table


class Frame(NamedTuple):
    """What makes a number of a class and a pixel, such that no disk reaches another row."""

    rows: int
    columns: int
    reach: int

    @property
    def size(self) -> int:
        """Numbers of one class."""
        return self.rows * self.columns


def edge_reach(shape: Sequence[int]) -> int:
    """Return the radius of the disk in an image of this shape, in pixels.

    >>> edge_reach((480, 854))
    8
    """
    return math.ceil(SHARE * math.sqrt(sum(length * length for length in shape)))


def edge_counts(truth: Map, prediction: Map, classes: int) -> NDArray[np.int64]:
    """Count the edge pixels of all classes, and those with one of the other side nearby.

    Parameters
    ----------
    truth, prediction
        Class maps of one shape, in two dimensions.
    classes
        Their number K; other values are of no class.

    Returns
    -------
    Array of shape (K, 4)
        Edge pixels of the prediction, those matched; edge pixels of the truth, those matched.

    References
    ----------
    Perazzi et al., A Benchmark Dataset and Evaluation Methodology for Video Object Segmentation,
    CVPR 2016, doi:10.1109/CVPR.2016.85.
    """
    reach = edge_reach(truth.shape)
    frame = Frame(truth.shape[0] + reach, truth.shape[1] + reach, reach)
    sides = [_edges(side, classes, frame) for side in (prediction, truth)]
    columns = [
        np.bincount(edges // frame.size, minlength=classes)
        for own, other in (sides, sides[::-1])
        for edges in (own, own[_are_near(own, other, frame)])
    ]
    return np.stack(columns, axis=1)


def boundary_f(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return precision, recall and F of edges.

    Where only one side has edges, what has none of them is right in all of them: precision or
    recall is 1, the other is 0, and so is F. Where neither has any, all are 1.

    Parameters
    ----------
    counts
        Array of shape (..., 4), as of ``edge_counts``, or sums of such.

    Returns
    -------
    Array of shape (..., 3)
    """
    edges, matched = counts[..., 0::2], counts[..., 1::2]
    shares = np.divide(matched, edges, out=np.ones(edges.shape), where=edges > 0)
    both = shares.sum(axis=-1)
    f = np.divide(2 * shares.prod(axis=-1), both, out=np.zeros(both.shape), where=both > 0)
    return np.concatenate([shares, f[..., None]], axis=-1)


def _edges(side: Map, classes: int, frame: Frame) -> NDArray[np.int64]:
    """Return the numbers of all pairs of a class and an edge pixel of it, sorted."""
    wider = np.pad(side, ((0, 1), (0, 1)), mode="edge")
    four = wider[:-1, :-1], wider[:-1, 1:], wider[1:, :-1], wider[1:, 1:]
    y, x = np.nonzero((four[0] != four[1]) | (four[0] != four[2]) | (four[0] != four[3]))
    values = [each[y, x].astype(np.int64) for each in four]
    found = []
    for at, value in enumerate(values):
        new = value < classes
        for before in values[:at]:
            new &= value != before
        found.append((value * frame.size + y * frame.columns + x)[new])
    return np.sort(np.concatenate(found))


def _are_near(
    edges: NDArray[np.int64], others: NDArray[np.int64], frame: Frame
) -> NDArray[np.bool_]:
    """Return which edges have one of the other side, of the same class, in the disk around them.

    Row by row of the disk, the nearest first; what has found one is not asked again.
    """
    near = np.zeros(len(edges), bool)
    beyond = np.append(others, np.iinfo(np.int64).max)
    left = np.arange(len(edges))
    for dy in sorted(range(-frame.reach, frame.reach + 1), key=abs):
        dx = math.isqrt(frame.reach**2 - dy**2)
        first = edges[left] + dy * frame.columns - dx
        found = beyond[np.searchsorted(others, first)] <= first + 2 * dx
        near[left[found]] = True
        left = left[~found]
    return near
