"""Class maps -> the border pixels of every class, found for all classes at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.intp]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Points:
    """Pixels of K classes, as flat indices, those of one class after those of another."""

    flat: Indices
    starts: Indices  # (K + 1,); class k is flat[starts[k] : starts[k + 1]]

    @classmethod
    def of(cls, chosen: NDArray[np.bool_], classes: NDArray[Any], count: int) -> Points:
        """Take the chosen pixels, in the order of their classes."""
        flat = np.flatnonzero(chosen)
        found = classes.reshape(-1)[flat]
        order = np.argsort(found, kind="stable")
        starts = np.searchsorted(found[order], np.arange(count + 1))
        return cls(flat=flat[order], starts=starts)

    def of_class(self, k: int) -> Indices:
        """Return the flat indices of the pixels of one class."""
        return self.flat[self.starts[k] : self.starts[k + 1]]

    @property
    def sizes(self) -> Indices:
        """How many pixels each class has."""
        return np.diff(self.starts)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Borders:
    """The borders of K classes on two sides: all pixels, and those that are not of both."""

    whole: tuple[Points, Points]
    apart: tuple[Points, Points]
    both: NDArray[np.bool_]  # border of the same class on both sides: at distance 0

    @classmethod
    def of(
        cls, sides: tuple[NDArray[Any], NDArray[Any]], count: int, *, beyond: bool = False
    ) -> Borders:
        """Find the borders on both sides, as `find_borders` does."""
        found = [find_borders(side, count, beyond=beyond) for side in sides]
        both = found[0] & found[1] & (sides[0] == sides[1])
        whole, apart = (
            (
                Points.of(found[0] & kept, sides[0], count),
                Points.of(found[1] & kept, sides[1], count),
            )
            for kept in (np.True_, ~both)
        )
        return cls(whole=whole, apart=apart, both=both)


def find_borders(classes: NDArray[Any], count: int, *, beyond: bool = False) -> NDArray[np.bool_]:
    """Find the pixels of classes below `count` that have a neighbour across an edge outside theirs.

    The edge of the image is outside. Pixels of the class `count` are void: an edge towards void is
    no border, unless all edges of a class are such, or what is beyond them counts (`beyond`).
    """
    void = classes == count
    if beyond or not void.any():
        return _edges(classes, None) & (classes < count)
    border = _edges(classes, void) & (classes < count)
    held, bordered = (
        np.bincount(classes[which], minlength=count)[:count] > 0
        for which in (classes < count, border)
    )
    if (held & ~bordered).any():
        lost = np.append(held & ~bordered, [False, False])
        border |= _edges(classes, None) & lost[classes]
    return border


def _edges(classes: NDArray[Any], void: NDArray[np.bool_] | None) -> NDArray[np.bool_]:
    """Find the pixels at the edge of the image, or beside another class, or none, not void."""
    edges = np.zeros(classes.shape, np.bool_)
    for axis in range(classes.ndim):
        one, two = np.moveaxis(classes, axis, 0)[:-1], np.moveaxis(classes, axis, 0)[1:]
        differ = one != two
        if void is not None:
            along = np.moveaxis(void, axis, 0)
            differ &= ~(along[:-1] | along[1:])
        turned = np.moveaxis(edges, axis, 0)
        turned[:-1] |= differ
        turned[1:] |= differ
        turned[0] = turned[-1] = True
    return edges
