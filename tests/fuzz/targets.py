"""What is fuzzed: valid files, how they are damaged, and what may come of it. One row a target.

A reader may raise a `SegevalError`, and nothing else. What it accepts is held against a second
opinion where there is one. A new target is a row of `TARGETS`: seeds, mutators, and a function that
reads a file and says in a word what came of it; it raises `FindingError` if that may not be.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
from fuzz import annotated, mutate
from fuzz.target import FindingError, Read, Target, attempt
from fuzz.texts import TEXT, TEXTS
from made.bmp import made_bmp
from made.gif import Frame, made_gif
from made.png import CHANNELS, made_png
from made.slowpng import DEPTHS, RefusedError, values_of
from made.tiff import Layout, made_tiff
from numpy.typing import NDArray
from PIL import Image

from segeval.inputs.formats import png
from segeval.inputs.masks import Mask, read_mask
from segeval.inputs.probabilities import read_probabilities
from segeval.settings import LossChoice
from segeval.values import COLOR, float_values

MAX_PIXELS: Final = 1 << 16


def small(values: int, shape: tuple[int, ...] = (7, 11)) -> NDArray[Any]:
    """Draw small arrays; half of a row is like the row above, as in masks."""
    drawn = np.random.default_rng(values).integers(0, values, shape)
    drawn[1::2, : shape[1] // 2] = drawn[0:-1:2, : shape[1] // 2]
    return drawn


def saved(values: NDArray[Any], form: str, *, palette: bool = False, **options: Any) -> bytes:
    """Write an image by Pillow."""
    image = Image.fromarray(values)
    if palette:
        image.putpalette([*range(256)] * 3)
    stream = io.BytesIO()
    image.save(stream, form, **options)
    return stream.getvalue()


def png_seeds() -> dict[str, bytes]:
    found = {}
    for color, depths in DEPTHS.items():
        for bits in depths:
            samples = small(1 << bits, (7, 11, 1)).repeat(CHANNELS[color], axis=2)
            if color in {4, 6}:
                samples[..., -1] = (1 << bits) - 1
            palette = bytes(3 << bits) if color == 3 else None
            for interlaced in (False, True):
                found[f"{color}-{bits}{'-interlaced' * interlaced}"] = made_png(
                    samples, color_type=color, bits=bits, interlaced=interlaced, palette=palette
                )
    for name, samples in (("grey", small(256)), ("rgb", small(256, (7, 11, 3)))):
        found[f"pillow-{name}"] = saved(samples.astype(np.uint8), "PNG")  # it filters its rows
    return found


LAYOUTS: Final = {
    "plain": Layout(),
    "strips": Layout(strip_rows=2, order=">"),
    "tiles": Layout(tile=(4, 8)),
    "deflate": Layout(deflated=True, strip_rows=3),
    "predicted": Layout(deflated=True, predictor=2),
    "big": Layout(big=True, strip_rows=4),
    "planes": Layout(planes=True),
}


def tiff_seeds() -> dict[str, bytes]:
    grey, rgb = small(256).astype(np.uint8), small(256, (7, 11, 3)).astype(np.uint8)
    found = {name: made_tiff(grey, layout=layout) for name, layout in LAYOUTS.items()}
    found |= {f"rgb-{n}": made_tiff(rgb, meaning=2, layout=LAYOUTS[n]) for n in ("plain", "planes")}
    found |= {f"{bits}-bit": made_tiff(grey & ((1 << bits) - 1), bits=bits) for bits in (1, 2, 4)}
    for dtype in ("u2", "i2", "u4", "f4", "f8"):
        found[dtype] = made_tiff(small(200).astype(dtype), layout=LAYOUTS["strips"])
    found["f4-predicted"] = made_tiff(
        small(9).astype("f4"), layout=Layout(deflated=True, predictor=3)
    )
    for method in ("tiff_lzw", "packbits", "lzma", "zstd"):
        found[method] = saved(grey // 64, "TIFF", compression=method)
    found |= {m: saved(grey > 9, "TIFF", compression=m) for m in ("group3", "group4")}
    return found


def bmp_seeds() -> dict[str, bytes]:
    found = {f"{b}-bit": made_bmp(small(1 << b), bits=b) for b in (1, 4, 8)}
    found |= {
        "core": made_bmp(small(256), bits=8, header=12),
        "few": made_bmp(small(4), bits=8, colors=4),
    }
    found |= {"rgb": made_bmp(small(256, (7, 11, 3)), bits=24, upwards=False)}
    return found | {"v5": made_bmp(small(256, (7, 11, 4)), bits=32, header=124)}


def gif_seeds() -> dict[str, bytes]:
    found = {f"{b}-bit": made_gif(Frame(indices=small(1 << b)), bits=b) for b in (2, 4, 8)}
    found["interlaced"] = made_gif(Frame(indices=small(4), interlaced=True), bits=2)
    blobs = (np.arange(600).reshape(20, 30) // 37 % 5).astype(np.uint8)
    return found | {"pillow": saved(blobs, "GIF", palette=True, optimize=False)}


def array(values: NDArray[Any], write: Callable[..., None] = np.save) -> bytes:
    stream = io.BytesIO()
    write(stream, values)
    return stream.getvalue()


def npy_seeds() -> dict[str, bytes]:
    grey = small(100)
    found = {
        dtype: array(grey.astype(dtype)) for dtype in ("u1", ">i2", "<u4", "i8", "f4", "f8", "?")
    }
    found["columns"] = array(np.asfortranarray(grey.astype("u2")))
    return found | {
        w.__name__: array(grey.astype("u2"), w) for w in (np.savez, np.savez_compressed)
    }


def map_seeds() -> dict[str, bytes]:
    shares = np.full((3, 4, 5), 1 / 3)
    found = {dtype: array(shares.astype(dtype)) for dtype in ("f2", "<f4", ">f4", "f8")}
    found |= {"u1": array((shares * 255).astype("u1")), "flat": array(shares[0].astype("f4"))}
    found |= {w.__name__: array(shares.astype("f4"), w) for w in (np.savez, np.savez_compressed)}
    return found | {"png": made_png(small(256), color_type=0, bits=8)}


def same(one: NDArray[Any], other: NDArray[Any], what: str) -> None:
    """Refuse values that differ."""
    if one.shape != other.shape or not np.array_equal(one, other, equal_nan=one.dtype.kind == "f"):
        raise FindingError(f"{what} reads other values")


def read_png(path: Path, data: bytes) -> str:
    """Read a PNG by each decoder; both must say what the slow one says."""
    decoders, found = dict(png.DECODERS), []
    for chosen in (decoders, {}):
        png.DECODERS.clear()
        png.DECODERS.update(chosen)
        found.append(attempt(lambda: read_mask(path, max_pixels=MAX_PIXELS)))
    png.DECODERS.update(decoders)
    (mask, reason), (other, words) = found
    if reason != words:
        raise FindingError(f"kornia-rs: {reason or 'read'}, Pillow: {words or 'read'}")
    try:
        expected = values_of(data)
    except RefusedError as error:
        if mask is not None:
            raise FindingError(f"accepted, though {error}") from error
        return "refused"
    if mask is None:
        if "--max-pixels" in reason or "no pixel" in reason:
            return "refused"
        raise FindingError(f"refused: {reason}")
    same(mask.values, expected, "the slow decoder")
    same(other.values, expected, "the slow decoder without kornia-rs")
    return "confirmed"


Opinion = Callable[[bytes, Mask], "NDArray[Any] | None"]


def reading_masks(second: Opinion) -> Read:
    """Read a mask of another format; where there is a second opinion, it must be the same."""

    def read(path: Path, data: bytes) -> str:
        mask, _ = attempt(lambda: read_mask(path, max_pixels=MAX_PIXELS))
        if mask is None:
            return "refused"
        other = second(data, mask)
        if other is None:
            return "accepted"
        same(mask.values, other, "another reader")
        return "confirmed"

    return read


PLAIN_MODES: Final = {"L", "P", "I;16", "I;16B", "I", "F", "RGB"}


def by_pillow(data: bytes, mask: Mask) -> NDArray[Any] | None:
    """Return what Pillow makes of a file, where it hands values on as they are."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = Image.open(io.BytesIO(data))
            tags = dict(getattr(image, "tag_v2", {}))
            if image.mode not in PLAIN_MODES or any(isinstance(v, bytes) for v in tags.values()):
                return None  # numbers in bytes are not understood
            found = np.asarray(image)
    except Exception:  # noqa: BLE001 - it need not read what the reader accepts
        return None
    bits = mask.form.split()[-1] if not mask.form.endswith("float") else "32-bit"
    if bits not in {"8-bit", "16-bit", "32-bit"} or "alpha" in mask.form:
        return None
    if image.mode == "RGB":
        red, green, blue = np.moveaxis(found.astype(np.int64), -1, 0)
        return np.asarray(COLOR + (red << 16 | green << 8 | blue))
    if image.mode == "F":
        return float_values(found)
    return found.astype(mask.values.dtype) if found.dtype.itemsize == mask.values.itemsize else None


def by_numpy(data: bytes, mask: Mask) -> NDArray[Any] | None:
    """Return what NumPy makes of a file, where it reads it."""
    found = loaded(data)
    if found is None:
        return None
    found = found.reshape(mask.values.shape)
    return float_values(found) if found.dtype.kind == "f" else found


def loaded(data: bytes) -> NDArray[Any] | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found: Any = np.load(io.BytesIO(data), allow_pickle=False)
            return np.asarray(found if isinstance(found, np.ndarray) else found[found.files[0]])
    except Exception:  # noqa: BLE001 - it need not read what the reader accepts
        return None


def read_map(path: Path, data: bytes) -> str:
    """Read a probability map, which must be what NumPy reads."""
    maps, _ = attempt(lambda: read_probabilities(path, LossChoice(), max_pixels=MAX_PIXELS))
    if maps is None:
        return "refused"
    other = None if data.startswith(b"\x89PNG") else loaded(data)
    if other is None:
        return "accepted"
    scale = np.iinfo(other.dtype).max if other.dtype.kind == "u" else 1
    with np.errstate(all="ignore"):
        alike = np.allclose(maps.values, other.reshape(maps.values.shape) / scale, equal_nan=True)
    if not alike:
        raise FindingError("NumPy reads other values")
    return "confirmed"


TARGETS: Final = {
    "png": Target(seeds=png_seeds, mutators=mutate.PNG, read=read_png),
    "tiff": Target(seeds=tiff_seeds, mutators=mutate.TIFF, read=reading_masks(by_pillow)),
    "bmp": Target(seeds=bmp_seeds, mutators=mutate.BMP, read=reading_masks(by_pillow)),
    "gif": Target(seeds=gif_seeds, mutators=mutate.GIF, read=reading_masks(by_pillow)),
    "npy": Target(seeds=npy_seeds, mutators=mutate.NPY, read=reading_masks(by_numpy)),
    "maps": Target(seeds=map_seeds, mutators=mutate.NPY, read=read_map),
    **TEXTS,
    **annotated.targets(TEXT),
}
