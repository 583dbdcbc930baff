"""Volumes: where their voxels lie, as all readers say it, and their slices as they are read.

Sizes and spacings are written x × y × z, as in headers; arrays are slices, rows, columns, so z, y,
x. Coordinates are millimetres to the left, to the back and upwards, as in DICOM; those of NIfTI,
which count to the right and to the front, are turned.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from segeval.errors import MaskError
from segeval.values import integer_fault

SPACING: Final = 1e-3  # share by which spacings may differ
ORIGIN: Final = 1e-2  # voxels by which origins may differ
DIRECTION: Final = 1e-3  # by which cosines may differ
ENDS: Final = "RL", "AP", "IS"  # letters of an axis that runs against and along x, y, z
SAID: Final = re.compile(r"(\d+×\d+×\d+) voxels of (\S+)×(\S+)×(\S+) mm")
SLAB: Final = 1 << 21  # voxels that are read at once

Triple = tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Geometry:
    """Where the voxels of a volume lie."""

    size: tuple[int, int, int]  # columns, rows, slices
    spacing: Triple  # mm
    origin: Triple  # centre of the first voxel
    direction: tuple[Triple, Triple, Triple]  # of the axes x, y, z

    @classmethod
    def of(cls, size: tuple[int, ...], axes: NDArray[Any], origin: NDArray[Any]) -> Geometry:
        """Return the geometry of (3, 3) steps of one voxel along x, y, z; a row each."""
        steps = np.asarray(axes, np.float64)
        lengths = np.sqrt((steps**2).sum(axis=1))
        whole = np.isfinite(steps).all() and np.isfinite(origin).all()
        if not whole or not lengths.all():
            raise MaskError("its header says that voxels have no size; write it again")
        columns, rows, slices = (*size, 1, 1, 1)[:3]
        return cls(
            size=(columns, rows, slices),
            spacing=_triple([_plain(length) for length in lengths]),
            origin=_triple(origin),
            direction=tuple(map(_triple, steps / lengths[:, None])),  # type: ignore[arg-type]
        )

    def __str__(self) -> str:
        """Write size and spacing, as they stand in a run."""
        return f"{_times(self.size)} voxels of {_times(self.spacing)} mm"

    @property
    def orientation(self) -> str:
        """Where the axes run to, e.g. LPS."""
        largest = [max(range(3), key=lambda k, way=way: abs(way[k])) for way in self.direction]  # type: ignore[misc]
        return "".join(ENDS[k][way[k] > 0] for k, way in zip(largest, self.direction, strict=True))

    def differences(self, other: Geometry) -> Iterator[str]:
        """Say in what a volume lies elsewhere than its truth; sizes are compared first."""
        if self.size != other.size:
            turned = " (axes exchanged?)" if sorted(self.size) == sorted(other.size) else ""
            yield f"size {_times(self.size)}, not {_times(other.size)}{turned}"
            return
        if not np.allclose(self.spacing, other.spacing, rtol=SPACING, atol=0):
            yield f"spacing {_times(self.spacing)} mm, not {_times(other.spacing)} mm"
        far = np.abs(np.subtract(self.origin, other.origin))
        if far.max() > ORIGIN * min(other.spacing):
            yield f"origin {_point(self.origin)}, not {_point(other.origin)}"
        if not np.allclose(self.direction, other.direction, rtol=0, atol=DIRECTION):
            ways = (self.orientation, other.orientation)
            if ways[0] == ways[1]:
                ways = tuple(" ".join(map(_point, each.direction)) for each in (self, other))  # type: ignore[assignment]
            yield f"direction {ways[0]}, not {ways[1]}"


def _plain(length: float) -> float:
    """Return the shortest number of those that headers of 32 bits do not tell apart."""
    return float(str(np.float32(length)))


def _triple(numbers: Any) -> Triple:
    first, second, third = map(float, numbers)
    return first, second, third


def _times(numbers: tuple[float, ...]) -> str:
    return "×".join(f"{number:g}" if number % 1 else str(int(number)) for number in numbers)


def _point(numbers: Triple) -> str:
    return f"({', '.join(f'{number + 0.0:.4g}' for number in numbers)})"


def spacing_of(form: str) -> Triple | None:
    """Return the spacing that the form of a volume states; None for what is no volume.

    >>> spacing_of("NIfTI uint8, 24×30×16 voxels of 0.8×1.1×2.5 mm")
    (0.8, 1.1, 2.5)
    """
    found = SAID.search(form)
    return None if found is None else _triple(found.groups()[1:])


def size_of(form: str) -> tuple[int, int, int] | None:
    """Return columns, rows and slices that the form of a volume states; None for others.

    >>> size_of("NIfTI uint8, 24×30×16 voxels of 0.8×1.1×2.5 mm")
    (24, 30, 16)
    """
    found = SAID.search(form)
    if found is None:
        return None
    columns, rows, slices = map(int, found[1].split("×"))
    return columns, rows, slices


def facts_of(forms: Iterable[str]) -> dict[str, Any]:
    """Return the spacing and its unit of the volumes of these forms; None if they have several.

    >>> facts_of(["NIfTI uint8, 24×30×16 voxels of 0.8×1.1×2.5 mm"])
    {'spacing': [0.8, 1.1, 2.5], 'unit': 'mm'}
    >>> facts_of(["PNG palette 8-bit"])
    {}
    """
    spacings = {spacing for form in set(forms) if (spacing := spacing_of(form)) is not None}
    if not spacings:
        return {}
    return {"spacing": [*spacings.pop()] if len(spacings) == 1 else None, "unit": "mm"}


def said_size(form: str, height: int, width: int) -> str:
    """Write the size of an image, or of a volume, as its form states it.

    >>> said_size("PNG palette 8-bit", 480, 640)
    '640×480 pixels'
    """
    found = SAID.search(form)
    return f"{width}×{height} pixels" if found is None else f"{found[1]} voxels"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Volume:
    """A volume whose header is read."""

    kind: str  # format and type of the samples, e.g. NIfTI uint8
    geometry: Geometry
    read: Callable[[int, int], NDArray[Any]]  # some slices, (n, rows, columns), as stored
    check_end: Callable[[], None] = lambda: None  # that nothing is damaged behind the last slice

    @property
    def form(self) -> str:
        """Storage form in words, with size and spacing."""
        return f"{self.kind}, {self.geometry}"

    @property
    def shape(self) -> tuple[int, int, int]:
        """Numbers of slices, rows and columns."""
        columns, rows, slices = self.geometry.size
        return slices, rows, columns

    def slabs(self) -> Iterator[NDArray[Any]]:
        """Yield the values of some slices after another, (n, rows, columns)."""
        slices, rows, columns = self.shape
        step = max(1, SLAB // (rows * columns))
        for start in range(0, slices, step):
            stop = min(slices, start + step)
            yield whole_numbers(self.read(start, stop), start)
        self.check_end()


def whole_numbers(samples: NDArray[Any], start: int) -> NDArray[Any]:
    """Return samples as integers, if that is what they are; slices count from ``start``."""
    if samples.dtype.kind not in "iuf":
        raise MaskError(f"it holds {samples.dtype}; expected one integer a voxel")
    if samples.dtype.kind == "f":
        whole = samples == np.rint(samples)  # false for NaN
        if not whole.all():
            at = tuple(np.argwhere(~whole)[0].tolist())
            raise MaskError(
                f"it holds {samples[at]:g} (slice {start + at[0] + 1}), which is no whole number; "
                "save labels, and round or threshold other values first"
            )
        if np.abs(samples).max(initial=0) >= math.ldexp(1, 53):
            raise MaskError("it holds floats too large to be labels")
        return samples.astype(np.int64)
    if samples.dtype.itemsize == 8 and samples.size:
        fault = integer_fault(int(samples.min()), int(samples.max()))
        if fault:
            raise MaskError(f"{fault}; number the classes from 0")
    return np.ascontiguousarray(samples, samples.dtype.newbyteorder("="))
