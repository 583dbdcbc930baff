"""Read a mask as the values that its file stores.

The format is told by its first bytes, and the size is checked before any pixel is decoded. Nothing
is converted on a guess: a file that does not say exactly one value per pixel is refused.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import import_module
from os import PathLike
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
from numpy.typing import NDArray

from segeval.errors import MaskError
from segeval.inputs.annotations import Annotation, Shape
from segeval.inputs.files import Header, OpenFile, check_size, memory_for, named, opened
from segeval.inputs.fingerprints import fingerprint
from segeval.inputs.formats import png
from segeval.inputs.rle import Runs
from segeval.inputs.volumes import kind_of as kind_of_volume
from segeval.inputs.volumes import read_volume
from segeval.settings import MAX_PIXELS
from segeval.text import counted
from segeval.values import COLOR, as_zero_one, float_values, integer_fault

SIGNATURES: Final = {
    png.SIGNATURE: "PNG",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"II+\0": "TIFF",
    b"MM\0+": "TIFF",
    b"BM": "BMP",
    b"GIF8": "GIF",
    b"\x93NUMPY": "NPY",
    b"PK\x03\x04": "NPZ",
    b"PK\x05\x06": "NPZ",
    b"\xff\xd8\xff": "JPEG",
    b"\0\0\0\x0cjP": "JPEG 2000",
    b"RIFF": "WebP",
}
LOSSY: Final = {"JPEG", "JPEG 2000", "WebP"}
READABLE: Final = "PNG, TIFF, BMP, GIF, .npy, .npz, NIfTI, MetaImage or NRRD"
BLOCK: Final = 1 << 18  # pixels whose colours or floats become values at once


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Mask:
    """A mask and the form in which its file stores it."""

    values: NDArray[Any]  # (H, W), or slices of a volume, (D, H, W); see `segeval.values`
    form: str  # e.g. PNG palette 8-bit
    fingerprint: str = ""  # if it was asked for


def read_mask(
    path: str | PathLike[str] | Annotation,
    *,
    max_pixels: int = MAX_PIXELS,
    fingerprints: bool = False,
    lossy: bool = False,
    shape: Shape | None = None,
    objects: bool = False,
    volumes: bool = False,
) -> Mask:
    """Read one mask from a PNG, TIFF, BMP, GIF, ``.npy`` or ``.npz`` file, or from an annotation.

    Palette masks are read as indices, 1-bit masks as 0 and 1, 16-bit masks as they are, colours as
    one number, floats as levels, and volumes whole. An alpha channel that is opaque everywhere is
    dropped. A grey JPEG is read only where ``lossy`` allows it, as for a map that meets a
    threshold. ``shape`` is that of the other side, for an annotation that does not state its own.
    With ``objects`` an annotation gives each object a value of its own; see
    `segeval.values.object_values`. A volume is refused unless ``volumes`` are expected.
    """
    if isinstance(path, Annotation):
        how = {"fingerprints": fingerprints, "objects": objects}
        return _read_annotation(path, shape, max_pixels, **how)
    with named(path), opened(path) as file:
        start = file.stream.read(8)
        file.stream.seek(0)
        if not kind_of_volume(start):
            header = read_header(file.stream, lossy=lossy)
            values, data = decode(file, header, max_pixels)
            mark = fingerprint(file.status, data) if fingerprints else ""
            return Mask(values=values, form=header.form, fingerprint=mark)
    if not volumes:
        raise MaskError(f"{path}: it is a volume; only masks of rows and columns serve here")
    values, form, mark = read_volume(Path(path), max_pixels, fingerprints=fingerprints)
    return Mask(values=values, form=form, fingerprint=mark)


def _read_annotation(
    annotation: Annotation,
    shape: Shape | None,
    max_pixels: int,
    *,
    fingerprints: bool,
    objects: bool,
) -> Mask:
    with annotation.naming():
        height, width = annotation.shape(shape)
        check_size(width, height, max_pixels)
        with memory_for(width, height):
            make = annotation.objects if objects else annotation.values
            values = make((height, width))
        mark = annotation.fingerprint() if fingerprints else ""
        return Mask(values=values, form=annotation.stored_form(), fingerprint=mark)


def read_runs(
    annotation: Annotation, shape: Shape | None, max_pixels: int, *, objects: bool = False
) -> Runs | None:
    """Read one mask as run lengths; None if it is not held as such."""
    with annotation.naming():
        height, width = annotation.shape(shape)
        check_size(width, height, max_pixels)
        return annotation.runs((height, width), objects=objects)


def decode(file: OpenFile, header: Header, max_pixels: int) -> tuple[NDArray[Any], bytes]:
    """Return the values of an open file, and the bytes that they were decoded from."""
    check_size(header.width, header.height, max_pixels)
    with memory_for(header.width, header.height):
        data = file.content(header.stored)
        refuse_bands(header)
        return one_value_a_pixel(header.decode(data)), data


def refuse_bands(header: Header) -> None:
    """Refuse an image whose channels are no colours, of which one must be chosen."""
    bands = getattr(header, "bands", 1)  # TIFF alone has more
    if bands > 1:
        raise MaskError(
            f"it holds {bands} bands; type --band N for one of them, or --per-class "
            "channels if each is the mask of a class"
        )


def kind_of(data: bytes) -> str:
    """Return the format that the first bytes of a file tell; an empty text for none of them.

    >>> kind_of(b"GIF89a"), kind_of(b"text")
    ('GIF', '')
    """
    return next((name for magic, name in SIGNATURES.items() if data.startswith(magic)), "")


def read_header(stream: IO[bytes], *, lossy: bool = False) -> Header:
    """Read what a file says of its pixels, whatever its format; a MaskError if it is none."""
    start = stream.read(8)
    kind = kind_of(start)
    if not kind:
        found = ascii(start.decode("latin-1"))
        raise MaskError(f"not an image: it starts with {found}; expected {READABLE}")
    if kind in LOSSY and not (lossy and kind == "JPEG"):
        raise MaskError(
            f"{kind} is lossy, so class values may have changed; save the masks as PNG "
            "from their source (grey JPEG predictions can be scored with --threshold 128)"
        )
    stream.seek(0)
    if kind in {"NPY", "NPZ"}:
        return _array_header(stream, archive=kind == "NPZ")
    reader = import_module(f"segeval.inputs.formats.{kind.lower()}")
    header: Header = reader.read_header(stream)
    return header


def one_value_a_pixel(array: NDArray[Any]) -> NDArray[Any]:
    """Return the values of samples (H, W) or (H, W, channels), one a pixel."""
    if array.ndim == 3:
        return _single_channel(array)
    if array.dtype.kind == "f":
        return _by_rows(float_values, array)
    if array.dtype.kind == "b":
        return as_zero_one(array)
    if array.dtype.itemsize == 8 and (fault := integer_fault(int(array.min()), int(array.max()))):
        raise MaskError(f"{fault}; number the classes from 0")
    return np.ascontiguousarray(array, array.dtype.newbyteorder("="))


def _single_channel(array: NDArray[Any]) -> NDArray[Any]:
    """Reduce (H, W, C) to (H, W): grey as it is, colours to one number, opaque alpha dropped."""
    channels = array.shape[2]
    if channels in {2, 4}:
        see_through = int(np.count_nonzero(array[..., -1] != np.iinfo(array.dtype).max))
        if see_through:
            raise MaskError(
                f"its alpha channel is not opaque on {counted(see_through, 'pixel')}, so it is "
                "unclear which values count; save the mask without alpha"
            )
    if channels <= 2:
        return np.ascontiguousarray(array[..., 0])
    if array.dtype == np.uint8:
        return _by_rows(_color_values, array)
    red, green, blue = array[..., 0], array[..., 1], array[..., 2]
    if np.array_equal(red, green) and np.array_equal(red, blue):
        return np.ascontiguousarray(red)
    raise MaskError("it holds 16-bit colours; save it with 8 bits per channel, or as indices")


def _by_rows(
    values_of: Callable[[NDArray[Any]], NDArray[np.int64]], array: NDArray[Any]
) -> NDArray[np.int64]:
    """Return the values of an array, one block of rows after another, which needs less memory."""
    values = np.empty(array.shape[:2], np.int64)
    rows = max(1, BLOCK // array.shape[1])
    for start in range(0, len(array), rows):
        values[start : start + rows] = values_of(array[start : start + rows])
    return values


def _color_values(array: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return the numbers of colours (H, W, 3 or 4)."""
    color = array[..., 0].astype(np.uint32)
    for channel in (1, 2):
        color <<= 8
        color |= array[..., channel]
    return color | np.int64(COLOR)


def _array_header(stream: IO[bytes], *, archive: bool) -> Header:
    """Read the header of an array with one number a pixel."""
    from segeval.inputs.formats import numpyfiles

    header = numpyfiles.read_header(stream, archive=archive)
    shape, dtype = header.shape, header.dtype
    if len(shape) == 3 and shape[0] == 1 and dtype.kind == "f":
        header = replace(header, shape=shape[1:])
    if len(header.shape) != 2 or dtype.kind not in "biuf" or dtype.itemsize > 8:
        raise MaskError(
            f"it holds {dtype} of shape {shape}; expected integers, or one float a pixel, of "
            "shape (H, W); type --per-class channels if each is the mask of a class; probabilities "
            "of several classes are for `segeval losses`"
        )
    return header
