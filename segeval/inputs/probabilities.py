"""Read what a network says of each class at each pixel: probabilities, or logits.

Arrays are read, not mapped, so that nothing that happens to a file later changes them. Whether they
hold probabilities or logits, and on which axis the classes are, is said by the caller and never
guessed from the numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from segeval.errors import MaskError
from segeval.inputs.annotations import Annotation, Masked
from segeval.inputs.files import OpenFile, check_size, memory_for, named, opened
from segeval.inputs.formats import numpyfiles, png
from segeval.inputs.masks import decode, kind_of
from segeval.settings import MAX_PIXELS, Channels, LossChoice

READABLE: Final = ".npy, .npz or a grey 8- or 16-bit PNG"
TYPES: Final = frozenset({"float16", "float32", "float64", "uint8", "uint16"})
GREY: Final = frozenset({"PNG grey 8-bit", "PNG grey 16-bit", "PNG grey and alpha 8-bit"})
SUM_SLACK: Final = 1e-3  # how far a pixel may sum to something else than 1, beside the rounding

STEPS: Final = {"uint8": 1 / 255, "uint16": 1 / 65535, "float16": 2.0**-11}  # between values near 1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Probabilities:
    """The values of one file, read-only; float32 at least, integers as fractions of their type."""

    values: NDArray[np.floating[Any]]  # (K, H, W), or (H, W) of the foreground
    stored: str  # the type in the file
    form: str  # e.g. NumPy float32


def sum_tolerance(stored: str, classes: int) -> float:
    """Return how far the probabilities of a pixel may be from 1 in sum, for a type in the file.

    `SUM_SLACK` plus half a step a class: 0.001 for float32, 0.038 for 19 classes as uint8.
    """
    return SUM_SLACK + classes * STEPS.get(stored, 0.0) / 2


def read_probabilities(
    path: Masked, choice: LossChoice, *, max_pixels: int = MAX_PIXELS
) -> Probabilities:
    """Read the probabilities, or logits, of one image.

    A ``.npy`` or ``.npz`` file holds an array of shape (K, H, W), or (H, W, K) if classes are said
    to come last, or (H, W) or (1, H, W) of the foreground; a grey PNG is that of the foreground.
    Types are float16, float32, float64, uint8 and uint16; only floats can be logits.
    """
    if isinstance(path, Annotation):
        raise MaskError(f"{path}: it holds no probabilities; they are read from {READABLE}")
    with named(path), opened(path) as file:
        start = file.stream.read(8)
        file.stream.seek(0)
        kind = kind_of(start)
        if kind == "PNG":
            values, form = _read_grey(file, max_pixels)
        elif kind in {"NPY", "NPZ"}:
            values = _read_array(file, choice.channels, max_pixels, archive=kind == "NPZ")
            form = f"NumPy {values.dtype}"
        else:
            found = f"it is {kind}" if kind else f"it starts with {start.decode('latin-1')!a}"
            raise MaskError(f"{found}; probabilities are read from {READABLE}{_advice(kind)}")
        stored = values.dtype.name
        if choice.logits and values.dtype.kind != "f":
            raise MaskError(f"it holds {stored}, which cannot be logits; leave out --logits")
        return Probabilities(values=_floats(values), stored=stored, form=form)


def _advice(kind: str) -> str:
    """Say what to type where a picture may hold probabilities of the foreground."""
    advice = {
        "JPEG": ("predict again, as it no longer has the levels that were saved", "128"),
        "TIFF": ("type numpy.save('a.npy', numpy.asarray(PIL.Image.open('a.tif')))", "0.5"),
    }
    if kind not in advice:
        return ""
    again, level = advice[kind]
    return f"; {again}, or `segeval score --threshold {level}` for scores without losses"


def _read_grey(file: OpenFile, max_pixels: int) -> tuple[NDArray[Any], str]:
    header = png.read_header(file.stream)
    if header.form not in GREY:
        raise MaskError(
            f"it is {header.form}; probabilities are read from {READABLE}; masks of classes are "
            "for `segeval score`"
        )
    return decode(file, header, max_pixels)[0], header.form


def _read_array(
    file: OpenFile, channels: Channels, max_pixels: int, *, archive: bool
) -> NDArray[Any]:
    """Read the array of a file, or the one of an archive, with classes on the first axis."""
    header = numpyfiles.read_header(file.stream, archive=archive)
    height, width, classes = _check_array(header.shape, header.dtype, channels)
    check_size(width, height, max_pixels, classes=classes)
    with memory_for(width, height):
        values = header.decode(file.content(header.stored))
        values = np.asarray(values, header.dtype.newbyteorder("="))
    if values.ndim == 3 and channels == "last":
        values = np.moveaxis(values, -1, 0)
    return values[0] if values.ndim == 3 and classes == 1 else values


def _check_array(
    shape: tuple[int, ...], dtype: np.dtype[Any], channels: Channels
) -> tuple[int, int, int]:
    """Return height, width and number of classes."""
    if dtype.name not in TYPES:
        raise MaskError(f"it holds {dtype} of shape {shape}; expected {', '.join(sorted(TYPES))}")
    if len(shape) not in {2, 3}:
        last = "(H, W, K)" if channels == "last" else "(K, H, W)"
        raise MaskError(
            f"it has shape {shape}; expected {last} of K classes, or (H, W) of the foreground, "
            "one image a file"
        )
    height, width = shape[:2] if channels == "last" else shape[-2:]
    classes = shape[2 if channels == "last" else 0] if len(shape) == 3 else 1
    if classes == 0:
        raise MaskError(f"it has shape {shape}: no class at all")
    return height, width, classes


def _floats(values: NDArray[Any]) -> NDArray[np.floating[Any]]:
    """Read whole numbers as fractions of the highest that their type holds; float32 at least."""
    if values.dtype.kind == "u":
        return values / np.float32(np.iinfo(values.dtype).max)
    return values.astype(np.float32) if values.dtype == np.float16 else values
