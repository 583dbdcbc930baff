"""Read what a network says of each class at each pixel: probabilities, or logits.

Arrays are mapped, not loaded. Whether they hold probabilities or logits, and on which axis the
classes are, is said by the caller and never guessed from the numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from segeval.errors import MaskError
from segeval.inputs import numpyfiles
from segeval.inputs.masks import check_size, kind_of, read_mask
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
    path: Path, choice: LossChoice, *, max_pixels: int = MAX_PIXELS
) -> Probabilities:
    """Read the probabilities, or logits, of one image.

    A ``.npy`` or ``.npz`` file holds an array of shape (K, H, W), or (H, W, K) if classes are said
    to come last, or (H, W) or (1, H, W) of the foreground; a grey PNG is that of the foreground.
    Types are float16, float32, float64, uint8 and uint16; only floats can be logits.
    """
    try:
        with open(path, "rb") as file:
            start = file.read(8)
    except OSError as error:
        raise MaskError(f"{path}: cannot be opened: {error.strerror or error}") from error
    kind = kind_of(start)
    if kind == "PNG":
        values, form = _read_grey(path, max_pixels)
    elif kind not in {"NPY", "NPZ"}:
        found = f"it starts with {start.decode('latin-1')!a}" if start else "it is empty"
        found = f"it is {kind}" if kind else found
        raise MaskError(f"{path}: {found}; probabilities are read from {READABLE}{_advice(kind)}")
    else:
        try:
            values = _read_array(path, choice.channels, max_pixels, archive=kind == "NPZ")
        except MaskError as error:
            raise MaskError(f"{path}: {error}") from error.__cause__
        except Exception as error:  # readers raise anything on bad input; all means one thing
            raise MaskError(f"{path}: the file is broken: {error}; write it again") from error
        form = f"NumPy {values.dtype}"
    stored = values.dtype.name
    if choice.logits and values.dtype.kind != "f":
        raise MaskError(f"{path}: it holds {stored}, which cannot be logits; leave out --logits")
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


def _read_grey(path: Path, max_pixels: int) -> tuple[NDArray[Any], str]:
    mask = read_mask(path, max_pixels=max_pixels)
    if mask.form not in GREY:
        raise MaskError(
            f"{path}: it is {mask.form}; probabilities are read from {READABLE}; "
            "masks of classes are for `segeval score`"
        )
    return mask.values, mask.form


def _read_array(path: Path, channels: Channels, max_pixels: int, *, archive: bool) -> NDArray[Any]:
    """Map the array of a file, or load the one of an archive; classes on the first axis."""
    with open(path, "rb") as file, numpyfiles.open_array(file, archive=archive) as stream:
        shape, columns_first, dtype = numpyfiles.read_header(stream)
        _check_array(shape, dtype, channels, max_pixels)
        if archive:
            values = numpyfiles.read_array(stream)
        else:
            values = np.asarray(
                np.memmap(
                    path,
                    dtype,
                    mode="r",
                    offset=stream.tell(),
                    shape=shape,
                    order="F" if columns_first else "C",
                )
            )
    values = np.asarray(values, dtype.newbyteorder("="))
    if values.ndim == 3 and channels == "last":
        values = np.moveaxis(values, -1, 0)
    return values[0] if values.ndim == 3 and values.shape[0] == 1 else values


def _check_array(
    shape: tuple[int, ...], dtype: np.dtype[Any], channels: Channels, max_pixels: int
) -> None:
    if dtype.name not in TYPES:
        raise MaskError(f"it holds {dtype} of shape {shape}; expected {', '.join(sorted(TYPES))}")
    if len(shape) not in {2, 3}:
        last = "(H, W, K)" if channels == "last" else "(K, H, W)"
        raise MaskError(
            f"it has shape {shape}; expected {last} of K classes, or (H, W) of the foreground, "
            "one image a file"
        )
    height, width = shape[:2] if channels == "last" else shape[-2:]
    check_size(width, height, max_pixels)
    if len(shape) == 3 and shape[2 if channels == "last" else 0] == 0:
        raise MaskError(f"it has shape {shape}: no class at all")


def _floats(values: NDArray[Any]) -> NDArray[np.floating[Any]]:
    """Read whole numbers as fractions of the highest that their type holds; float32 at least."""
    if values.dtype.kind == "u":
        return values / np.float32(np.iinfo(values.dtype).max)
    return values.astype(np.float32) if values.dtype == np.float16 else values
