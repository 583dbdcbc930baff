"""Read a mask as the values that its file stores.

The format is told by its first bytes, and the size is checked before any pixel is decoded. Nothing
is converted on a guess: a file that does not say exactly one value per pixel is refused.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib import import_module
from os import PathLike
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from segeval.errors import MaskError
from segeval.inputs import numpyfiles, png
from segeval.inputs.fingerprints import fingerprint
from segeval.settings import MAX_PIXELS
from segeval.text import counted
from segeval.values import COLOR, as_zero_one, float_values, integer_fault

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

DECODERS: dict[int, Callable[..., NDArray[Any]]] = {}  # by bits; without, Pillow reads

with suppress(ImportError):
    from kornia_rs.io import decode_image_png_u8, decode_image_png_u16

    DECODERS.update({8: decode_image_png_u8, 16: decode_image_png_u16})

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
READABLE: Final = "PNG, TIFF, BMP, GIF, .npy or .npz"
SCALED: Final = {"L;2": 85, "L;4": 17}  # factors by which Pillow stretches grey to 0..255
FAITHFUL: Final = frozenset(
    "1 L P P;1 P;2 P;4 LA PA I;12 I;16 I;16B I;16N I;16S I;16NS I;16BS "
    "I;32S I;32N I;32NS I;32BS F;32F F;32BF RGB RGBA RGBX BGR BGRA BGRX".split()
)  # raw modes that Pillow hands on as stored; all others it inverts, stretches or cuts to 8 bits


BMP_MODES: Final = {1: {"1", "P"}, 4: {"P"}, 8: {"P", "L"}, 24: {"RGB"}, 32: {"RGB", "RGBA"}}
"""Bits a pixel of a BMP file, and the modes in which Pillow then hands on what is stored."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Mask:
    """A mask and the form in which its file stores it."""

    values: NDArray[Any]  # (H, W); see `segeval.values`
    form: str  # e.g. PNG palette 8-bit
    fingerprint: str = ""  # if it was asked for


def keep_memory() -> None:
    """Free a large block, whereupon glibc keeps the memory of one mask for the next."""
    np.empty((32 << 20) - (64 << 10), np.uint8)


def read_mask(
    path: str | PathLike[str],
    *,
    max_pixels: int = MAX_PIXELS,
    fingerprints: bool = False,
    lossy: bool = False,
) -> Mask:
    """Read one mask from a PNG, TIFF, BMP, GIF, ``.npy`` or ``.npz`` file.

    Palette masks are read as indices, 1-bit masks as 0 and 1, 16-bit masks as they are, colours as
    one number, floats as levels. An alpha channel that is opaque everywhere is dropped. A grey
    JPEG is read only where ``lossy`` allows it, as for a map that meets a threshold.
    """
    try:
        with open(path, "rb", buffering=0) as file:
            status = os.fstat(file.fileno()) if fingerprints else None
            data = file.readall()
    except OSError as error:
        raise MaskError(f"{path}: cannot be opened: {error.strerror or error}") from error
    if not data:
        raise MaskError(f"{path}: the file is empty (0 bytes); write it again")
    try:
        mask = _decode(data, max_pixels, lossy=lossy)
    except MaskError as error:
        raise MaskError(f"{path}: {error}") from error.__cause__
    except Exception as error:  # decoders raise anything on bad input; all of it means one thing
        reason = str(error).rstrip(".") or type(error).__name__
        message = f"{path}: the file is broken: {reason}; write it again"
        raise MaskError(message) from error
    if status is None:
        return mask
    return Mask(values=mask.values, form=mask.form, fingerprint=fingerprint(status, data))


def kind_of(data: bytes) -> str:
    """Return the format that the first bytes of a file tell; an empty text for none of them.

    >>> kind_of(b"GIF89a"), kind_of(b"text")
    ('GIF', '')
    """
    return next((name for magic, name in SIGNATURES.items() if data.startswith(magic)), "")


def _decode(data: bytes, max_pixels: int, *, lossy: bool) -> Mask:
    kind = kind_of(data)
    if not kind:
        start = ascii(data[:8].decode("latin-1"))
        raise MaskError(f"not an image: it starts with {start}; expected {READABLE}")
    if kind in LOSSY and not (lossy and kind == "JPEG"):
        raise MaskError(
            f"{kind} is lossy, so class values may have changed; save the masks as PNG "
            "from their source (grey JPEG predictions can be scored with --threshold 128)"
        )
    if kind == "PNG":
        header = png.read_header(data)
        check_size(header.width, header.height, max_pixels)
        return _decode_png(data, header)
    if kind in {"NPY", "NPZ"}:
        return _decode_numpy(data, kind, max_pixels)
    return _decode_pillow(data, kind, max_pixels)


def check_size(width: int, height: int, max_pixels: int) -> None:
    """Refuse more pixels than are allowed, and none at all."""
    if width * height > max_pixels:
        raise MaskError(
            f"its header claims {width}×{height} = {width * height} pixels, more than "
            f"{max_pixels}; if that is right, raise --max-pixels"
        )
    if width * height == 0:
        raise MaskError(f"its header claims {width}×{height}: no pixel at all")


def _decode_png(data: bytes, header: png.Header) -> Mask:
    """Decode a PNG exactly as stored: by kornia-rs if it is there and does so, else by Pillow."""
    try:
        if header.format not in png.DIRECT or not DECODERS:
            return _decode_bare_png(png.without_extras(data, header), header)
        shape, channels = (header.height, header.width), png.DIRECT[header.format]
        array = DECODERS[header.bits](data, shape, channels)
    except MaskError:
        raise
    except Exception as error:
        png.without_extras(data, header)  # says what is damaged, whoever came upon it
        raise MaskError("the file is broken: its pixels make no image; write it again") from error
    return Mask(values=_single_channel(array), form=header.form)


def _decode_bare_png(data: bytes, header: png.Header) -> Mask:
    """Decode with Pillow; it keeps one byte of each 16-bit colour, so these are read twice."""
    if header.format not in {(2, 16), (6, 16)}:
        return replace(_decode_pillow(data, "PNG", header.width * header.height), form=header.form)
    from PIL.PngImagePlugin import PngImageFile

    high, low = PngImageFile(io.BytesIO(data)), PngImageFile(io.BytesIO(data))
    mode = f"{low.mode};16L"  # the order of bytes for which Pillow keeps the other one
    low.tile = [tile._replace(args=mode) for tile in low.tile]
    array = np.asarray(high).astype(np.uint16) << 8 | np.asarray(low)
    return Mask(values=_single_channel(array), form=header.form)


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
        return array[..., 0]
    red, green, blue = array[..., 0], array[..., 1], array[..., 2]
    if array.dtype == np.uint8:
        color = red.astype(np.uint32)
        for channel in (green, blue):
            color <<= 8
            color |= channel
        return color | np.int64(COLOR)
    if np.array_equal(red, green) and np.array_equal(red, blue):
        return red
    raise MaskError("it holds 16-bit colours; save it with 8 bits per channel, or as indices")


def _decode_pillow(data: bytes, kind: str, max_pixels: int) -> Mask:
    module = import_module(f"PIL.{kind.title()}ImagePlugin")
    plugin: type[ImageFile] = getattr(module, f"{kind.title()}ImageFile")
    with plugin(io.BytesIO(data)) as image:
        check_size(*image.size, max_pixels)
        frames = getattr(image, "n_frames", 1)
        if frames > 1:
            raise MaskError(f"it holds {frames} frames; save one mask a file")
        if "jpeg" in str(image.info.get("compression", "")):
            raise MaskError("its pixels are JPEG-compressed, which is lossy; save it as PNG")
        if kind == "JPEG" and image.mode != "L":
            raise MaskError(f"it is a JPEG in colour ({image.mode}); save a grey one, or PNG")
        raw_mode = _raw_mode(image)
        if kind == "BMP" and image.mode not in BMP_MODES.get(_bmp_bits(data), ()):
            raise MaskError(f"its {_bmp_bits(data)}-bit palette is not read; save it as PNG")
        array = np.asarray(image)
        if kind == "TIFF":
            array = array.view(_tiff_type(image, array.dtype))
    if raw_mode in SCALED:
        array = array // np.uint8(SCALED[raw_mode])
    elif raw_mode not in FAITHFUL:
        raise MaskError(
            f"its pixels are stored as {raw_mode}, which cannot be read exactly; "
            "save it as 8- or 16-bit PNG"
        )
    form = f"{kind} {raw_mode}"
    if array.dtype == np.bool_:
        array = as_zero_one(array)
    if array.dtype.kind == "f":
        array = float_values(array)
    return Mask(values=_single_channel(np.atleast_3d(array)), form=form)


def _raw_mode(image: ImageFile) -> str:
    """Return how the file packs its pixels, in Pillow's word."""
    arguments = image.tile[0].args if image.tile else image.mode
    raw = arguments[0] if isinstance(arguments, tuple) else arguments
    return raw if isinstance(raw, str) else image.mode


def _bmp_bits(data: bytes) -> int:
    """Return the bits a pixel from the header of a BMP file, of the short or the long kind."""
    offset = 24 if data[14:18] == b"\x0c\0\0\0" else 28
    return int.from_bytes(data[offset : offset + 2], "little")


def _tiff_type(image: ImageFile, dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the type of the samples of a TIFF file where Pillow takes them for another one."""
    tags = getattr(image, "tag_v2", {})
    kind = tags.get(258, (1,))[0], tags.get(339, (1,))[0]  # bits; unsigned, signed or float
    return np.dtype({(8, 2): np.int8, (32, 1): np.uint32}.get(kind, dtype))


def _decode_numpy(data: bytes, kind: str, max_pixels: int) -> Mask:
    with numpyfiles.open_array(io.BytesIO(data), archive=kind == "NPZ") as stream:
        shape, _, dtype = numpyfiles.read_header(stream)
        if len(shape) == 3 and shape[0] == 1 and dtype.kind == "f":
            shape = shape[1:]
        if len(shape) != 2 or dtype.kind not in "biuf" or dtype.itemsize > 8:
            raise MaskError(
                f"it holds {dtype} of shape {shape}; expected integers, or one float a pixel, of "
                "shape (H, W); probabilities of several classes are for `segeval losses`"
            )
        check_size(shape[1], shape[0], max_pixels)
        values = numpyfiles.read_array(stream).reshape(shape)
    form = f"NumPy {dtype}"
    if dtype.kind == "f":
        return Mask(values=float_values(values), form=form)
    if dtype.itemsize == 8 and (fault := integer_fault(int(values.min()), int(values.max()))):
        raise MaskError(f"{fault}; number the classes from 0")
    return Mask(values=as_zero_one(values) if dtype.kind == "b" else values, form=form)
