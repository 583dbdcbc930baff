"""The photographs that pictures of errors lie on: found by the names of the masks, read as RGB.

One that is missing or broken stops nothing: it is said, and grey is used in its place.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from segeval.errors import MaskError, SettingError
from segeval.inputs.files import check_size, memory_for, named, opened
from segeval.inputs.folders import index_folder
from segeval.settings import MAX_PIXELS
from segeval.storage.path import is_folder

if TYPE_CHECKING:
    from PIL.Image import Image

FORMATS: Final = "JPEG", "PNG", "TIFF", "BMP", "GIF", "WEBP", "JPEG2000"
ORIENTATION: Final = 0x0112  # tag of metadata
TURNED: Final = range(5, 9)  # orientations by a quarter
MOST_BYTES: Final = 8  # of a pixel, before compression


def find_photographs(folder: Path, *, suffix: str = "") -> dict[str, Path]:
    """Return the photographs of a folder by name: the path without extension and suffix."""
    if not is_folder(folder):
        raise SettingError(f"--images {folder}: there is no such folder; check the path")
    found = index_folder(folder, "photograph", suffix).files
    if not found:
        ending = f" with names ending in {suffix!r}" if suffix else ""
        raise SettingError(f"--images {folder}: there is no photograph{ending} in it")
    return found


def size_of_photograph(path: Path) -> tuple[int, int]:
    """Return rows and columns of an image as it is shown, upright."""
    from PIL import Image, UnidentifiedImageError

    with named(path), opened(path) as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            image = Image.open(file.stream, formats=FORMATS)
        except UnidentifiedImageError as error:
            raise MaskError(f"it is no image; expected {', '.join(FORMATS)}") from error
        turned = image.getexif().get(ORIENTATION) in TURNED
        return image.size if turned else image.size[::-1]


def read_photograph(
    path: Path, shape: tuple[int, int], *, max_pixels: int = MAX_PIXELS
) -> tuple[NDArray[np.uint8], bool]:
    """Read (H, W, 3) colours, upright if only this fits, and say whether they were resized."""
    from PIL import Image, ImageOps, UnidentifiedImageError

    size = shape[1], shape[0]
    with named(path), opened(path) as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of odd metadata, and of sizes, which are checked here
        try:
            image = Image.open(file.stream, formats=FORMATS)
        except UnidentifiedImageError as error:
            raise MaskError(f"it is no image; expected {', '.join(FORMATS)}") from error
        check_size(*image.size, max_pixels)
        file.check_fits(MOST_BYTES * image.width * image.height)
        with memory_for(*image.size):
            upright = image if image.size == size else ImageOps.exif_transpose(image)
            colors = _as_rgb(upright if upright.size == size else image)
    if colors.size == size:
        return np.asarray(colors), False
    return np.asarray(colors.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)), True


def _as_rgb(image: Image) -> Image:
    """Convert to RGB; 16-bit grey keeps its upper byte, and transparency shows white."""
    from PIL import Image as Images

    if image.mode.startswith("I;16"):
        samples: NDArray[Any] = np.asarray(image)
        image = Images.fromarray((samples >> 8).astype(np.uint8))
    if image.mode in {"RGBA", "LA", "PA"} or "transparency" in image.info:
        paper = Images.new("RGBA", image.size, "white")
        image = Images.alpha_composite(paper, image.convert("RGBA"))
    return image.convert("RGB")
