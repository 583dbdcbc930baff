"""Class maps of an image -> the distances of all its classes, as bytes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from segeval.counting.measures import Layer
from segeval.distances.borders import Borders, Indices
from segeval.distances.kept import ClassDistances, encode
from segeval.distances.nearest import Spacing, distances_between
from segeval.distances.surfels import element_sizes, surface_elements
from segeval.errors import SettingError

Void = Literal["apart", "outside"]
Elements = Literal["pixels", "surface"]
Histogram = tuple[NDArray[Any], NDArray[Any]]
NOTHING: Final = (np.empty(0), np.empty(0))


def along_axes(steps: Spacing) -> str:
    """Return the size of a pixel as it is typed: along x, y (and z).

    >>> along_axes((2.5, 1.1, 0.8))
    '0.8,1.1,2.5'
    """
    return ",".join(f"{step:g}" for step in reversed(steps))


@dataclass(frozen=True, slots=True, kw_only=True)
class DistanceMeasure:
    """What is measured: a measure of a run, as its numbers depend on nothing else."""

    elements: Elements = "pixels"  # or pieces of surface at the corners of pixels
    void: Void = "apart"  # whether an edge towards void is a border
    spacing: Spacing | None = None  # instead of that of the files
    ignored: bool = False  # spacing counts for nothing

    @property
    def kind(self) -> str:
        """The name of the measure in a run; measures of several kinds stand side by side."""
        given = [
            *([self.elements] if self.elements != "pixels" else []),
            *([self.void] if self.void != "apart" else []),
            *(["unspaced"] if self.ignored else []),
        ]
        return ":".join(["distances", *given])

    @property
    def definition(self) -> Mapping[str, Any]:
        """All that changes its numbers."""
        spacing: Any = "files" if self.spacing is None else list(self.spacing)
        return {
            "border": "neighbours across an edge, the edge of the image is outside",
            "elements": self.elements,
            "spacing": "none" if self.ignored else spacing,
            "void": self.void,
        }

    def __call__(self, layers: Sequence[Layer], spacing: Spacing | None) -> bytes:
        """Measure an image; its classes are those of all layers, one after another."""
        check_scipy()
        shape = layers[0][0].shape
        steps = self.steps(spacing, len(shape))
        found: list[ClassDistances] = []
        cut, before = False, 0
        for truth, prediction, count in layers:
            cut = cut or bool((truth == count).any())
            found += self.classes((truth, prediction, count), steps, before)
            before += count
        return encode(found, shape, steps, cut=cut, spaced=self.is_spaced(spacing))

    def is_spaced(self, files: Spacing | None) -> bool:
        """Whether pixels have a size."""
        return not self.ignored and (self.spacing or files) is not None

    def classes(self, layer: Layer, steps: Spacing, before: int = 0) -> Iterator[ClassDistances]:
        """Yield what is measured of the classes of a layer, numbered after those before it."""
        return {"pixels": self._pixels, "surface": self._surface}[self.elements](
            layer, steps, before
        )

    def steps(self, files: Spacing | None, axes: int) -> Spacing:
        """Return the size of a pixel along each axis."""
        if self.ignored:
            return (1.0,) * axes
        steps = self.spacing or files or (1.0,) * axes
        if len(steps) != axes:
            raise SettingError(
                f"--spacing {along_axes(steps)} is of {len(steps)} axes, "
                f"and the masks have {axes}; give one number for each axis"
            )
        return steps

    def _pixels(self, layer: Layer, steps: Spacing, before: int) -> Iterator[ClassDistances]:
        """Yield the classes of a layer; pixels that are border on both sides are at distance 0."""
        truth, prediction, count = layer
        shape, even = truth.shape, len(set(steps)) == 1
        borders = Borders.of((truth, prediction), count, beyond=self.void == "outside")
        whole, apart = borders.whole, borders.apart
        both_sizes = np.bincount(truth[borders.both], minlength=count)
        scale = None if even else steps
        for k in np.flatnonzero(whole[0].sizes + whole[1].sizes).tolist():
            sizes = whole[0].sizes[k], whole[1].sizes[k]
            sides = [NOTHING, NOTHING]
            if min(sizes) > 0:
                sides = [
                    _histogram(
                        apart[n].of_class(k), whole[1 - n].of_class(k), shape, scale, sizes[n]
                    )
                    for n in (0, 1)
                ]
            shared = both_sizes[k] > 0 or bool(((truth == k) & (prediction == k)).any())
            yield _class(before + k, sizes, sides, shared=shared)

    def _surface(self, layer: Layer, steps: Spacing, before: int) -> Iterator[ClassDistances]:
        """Yield the classes of a layer, by the pieces of their surfaces."""
        *maps, count = layer
        lengths = element_sizes(steps)
        grid = tuple(extent + 1 for extent in layer[0].shape)
        scale = None if len(set(steps)) == 1 else steps
        for k in range(count):
            one, two = (surface_elements(each == k, lengths) for each in maps)
            sizes = one[0].size, two[0].size
            if max(sizes) == 0:
                continue
            sides = [NOTHING, NOTHING]
            if min(sizes) > 0:
                sides = [
                    _weighed(distances_between(here, there, grid, scale), weights)
                    for (here, weights), (there, _) in ((one, two), (two, one))
                ]
            shared = bool(((maps[0] == k) & (maps[1] == k)).any())
            yield _class(before + k, sizes, sides, shared=shared)


def _class(
    index: int, sizes: tuple[int, int], sides: Sequence[Histogram], *, shared: bool
) -> ClassDistances:
    (one, ones), (two, twos) = sides
    return ClassDistances(
        index=index, sizes=sizes, shared=shared, values=(one, two), counts=(ones, twos)
    )


def _histogram(
    points: Indices, targets: Indices, shape: tuple[int, ...], scale: Spacing | None, size: int
) -> Histogram:
    """Count the distances of the points; the others of so many elements are at distance 0."""
    values, counts = np.empty(0), np.empty(0, np.int64)
    if points.size:
        far = distances_between(points, targets, shape, scale)
        values, counts = np.unique(far, return_counts=True)
    if size == points.size:
        return values, counts
    return np.append(0, values), np.append(size - points.size, counts)


def _weighed(far: NDArray[Any], weights: NDArray[np.float64]) -> Histogram:
    values, which = np.unique(far, return_inverse=True)
    return values, np.bincount(which, weights)


def check_scipy() -> None:
    """Refuse to measure without SciPy, with the command that installs it."""
    try:
        import scipy.spatial  # noqa: F401
    except ImportError as error:
        raise SettingError(
            'distances need SciPy; type `pip install "segeval-masks[surface]"`'
        ) from error
