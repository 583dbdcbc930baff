"""Masks of single classes, where a pixel may be of several: a file each, or channels of one file.

They are read as sets of bits: a pixel has the sum of 2^k over the classes k that it is of.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from segeval.errors import MaskError
from segeval.inputs.annotations import Annotation, Shape
from segeval.inputs.files import OpenFile, named, opened
from segeval.inputs.formats import numpyfiles
from segeval.inputs.forms import CLASS_FILES, names_in
from segeval.inputs.masks import decode, kind_of, read_header
from segeval.settings import CHANNELS, MAX_PIXELS
from segeval.storage.path import located
from segeval.text import counted, listed
from segeval.values import COLOR, FLOAT, STEPS, describe_values, float_values

MOST_CLASSES: Final = 61  # bits of the integers of masks
PLACE: Final = "{class}"  # in a path, where the name of the class stands
SHOWN: Final = 10  # names or values that an error lists
NOTHING: Final = (0, FLOAT, COLOR)
WHOLE: Final = (1, 255, FLOAT + STEPS, FLOAT + 255 * STEPS, COLOR + 0xFFFFFF)


def form_of(kind: str, **facts: Sequence[str]) -> str:
    """Write what decides the bits, e.g. ``per-class,classes:car;road``."""
    parts = [f"{what}:{';'.join(quote(name, safe=' ') for name in names)}"
             for what, names in facts.items() if names]  # fmt: skip
    return ",".join([kind, *parts])


def bits_of(classes: Sequence[str]) -> dict[int, str]:
    """Return the classes by their bits."""
    return {1 << place: name for place, name in enumerate(classes)}


@dataclass(frozen=True, slots=True, kw_only=True)
class BitSets(Annotation):
    """The classes of one image, each with a mask of its own."""

    def __str__(self) -> str:
        """Write the path, which holds nothing else."""
        return str(self.path)

    def content(self) -> bytes:
        """Return the bytes of all files."""
        parts = []
        for path in self.files:
            with named(path), opened(path) as file:
                parts.append(file.content(file.status.st_size))
        return b"".join(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassFiles(BitSets):
    """A file a class; ``path`` holds `PLACE` instead of its name."""

    @property
    def files(self) -> list[Path]:
        """The files that there are."""
        paths = map(self._file, names_in(self.form))
        return [path for path in paths if path.exists()]

    def _file(self, name: str) -> Path:
        return located(str(self.path).replace(PLACE, name))

    def naming(self) -> AbstractContextManager[None]:
        """Leave faults as they are: each file is named where it is read."""
        return nullcontext()

    def shape(self, other: Shape | None) -> Shape:
        """Return the size of the first file."""
        del other
        for path in self.files:
            with named(path), opened(path) as file:
                header = read_header(file.stream)
                return header.height, header.width
        raise MaskError(f"{self.path}: there is no file of any class; write one a class")

    def values(self, shape: Shape) -> NDArray[Any]:
        """Return the bit sets, (H, W); a MaskError names the file that is no mask of a class."""
        names = names_in(self.form)
        found = np.zeros(shape, _type_for(len(names)))
        for place, name in enumerate(names):
            path = self._file(name)
            if not path.exists() and names_in(self.form, "missing"):
                continue
            with named(path), opened(path) as file:
                values, _ = decode(file, read_header(file.stream), max(MAX_PIXELS, found.size))
                if values.shape != shape:
                    raise MaskError(
                        f"it is {values.shape[1]}×{values.shape[0]} pixels, and {self.files[0]} is "
                        f"{shape[1]}×{shape[0]}; save all classes of an image in one size"
                    )
                found[_inside(values)] |= found.dtype.type(1 << place)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassChannels(BitSets):
    """A channel a class."""

    def shape(self, other: Shape | None) -> Shape:
        """Return the size of the image."""
        del other
        with opened(self.path) as file:
            return _header(file, last=self.form.startswith(CHANNELS[1]))[0]

    def values(self, shape: Shape) -> NDArray[Any]:
        """Return the bit sets, (H, W); a MaskError names the channel that is no mask of a class."""
        names = names_in(self.form)
        channels = names_in(self.form, "order") or names
        found = np.zeros(shape, _type_for(len(names)))
        with opened(self.path) as file:
            last = self.form.startswith(CHANNELS[1])
            planes = _planes(file, last=last)
        if len(planes) != len(channels):
            other = planes.shape[1 if last else 2]
            named_ones = f"{CHANNELS[not last]}:{listed(channels, SHOWN)}".replace(", ", ",")
            advice = (
                f"type --per-class {named_ones} if they lie along the other axis"
                if other == len(channels)
                else "save one channel a class, or name them: --per-class channels:NAME,NAME"
            )
            raise MaskError(
                f"it holds {counted(len(planes), 'channel')}, and there are {len(channels)} "
                f"classes ({listed(channels, SHOWN)}); {advice}"
            )
        for name, plane in zip(channels, planes, strict=True):
            try:
                found[_inside(plane)] |= found.dtype.type(1 << names.index(name))
            except MaskError as error:
                raise MaskError(f"channel of {name}: {error}") from error
        return found


def _header(file: OpenFile, *, last: bool) -> tuple[Shape, Any]:
    """Return the size of the image, and the header of the file."""
    kind = kind_of(file.stream.read(8))
    file.stream.seek(0)
    if kind not in {"NPY", "NPZ"}:
        header = read_header(file.stream)
        return (header.height, header.width), header
    array = numpyfiles.read_header(file.stream, archive=kind == "NPZ")
    shape: tuple[int, ...] = array.shape
    if len(shape) not in {2, 3} or array.dtype.kind not in "biuf" or 0 in shape:
        expected = "(H, W, K)" if last else "(K, H, W)"
        raise MaskError(f"it holds {array.dtype} of shape {shape}; expected {expected} of 0 and 1")
    height, width = shape[:2] if last else shape[-2:]
    return (height, width), array


def _planes(file: OpenFile, *, last: bool) -> NDArray[Any]:
    """Return the planes of all channels, (K, H, W); those of pictures come last."""
    header = _header(file, last=last)[1]
    samples: NDArray[Any] = header.decode(file.content(header.stored))
    if samples.ndim == 2:
        return samples[np.newaxis]
    first = isinstance(header, numpyfiles.Header) and not last
    return samples if first else np.moveaxis(samples, -1, 0)


def _inside(values: NDArray[Any]) -> NDArray[np.bool_]:
    """Return where a mask of one class is not 0; it must be binary."""
    low, high = values.min().item(), values.max().item()
    one: NDArray[np.bool_] = values == high
    if high in WHOLE and (low == high or (low in NOTHING and bool((one | (values == low)).all()))):
        return one
    if low == high and low in NOTHING:
        return ~one
    held = float_values(values) if values.dtype.kind == "f" else values
    raise MaskError(
        f"it holds {describe_values(np.unique(held)[:SHOWN].tolist())}; a mask of one class holds "
        "0 and 1, or 0 and 255: save it so, or leave out --per-class if these are classes (where "
        "nothing is judged is said by --roi)"
    )


def _type_for(classes: int) -> np.dtype[Any]:
    """Return the smallest type of so many bits."""
    fits = {8: "u1", 16: "u2", 32: "u4"}
    return np.dtype(next((kind for bits, kind in fits.items() if classes <= bits), "i8"))


def number_of_channels(path: Path, *, last: bool) -> int:
    """Return how many channels a file holds; a MaskError names it if they are none of classes."""
    with named(path), opened(path) as file:
        planes = _planes(file, last=last)
        number = len(planes)
        if number > MOST_CLASSES:
            raise MaskError(
                f"it holds {number} channels of {planes.shape[2]}×{planes.shape[1]} pixels, and a "
                f"pixel may be of {MOST_CLASSES} classes at most; type --per-class "
                f"{CHANNELS[not last]} if they lie along the other axis"
            )
        return number


def stored_bits(path: str, form: str, size: Shape) -> BitSets:
    """Return the bit sets of an image that a run tells of."""
    kind = ClassFiles if form.startswith(CLASS_FILES) else ClassChannels
    return kind(path=located(path), key=Path(path).stem, form=form, size=size)
