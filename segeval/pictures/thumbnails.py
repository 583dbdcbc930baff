"""Small pictures of some images for the page: photograph, truth, prediction, and errors.

A pixel is one pixel of the masks, the same one in every layer: nothing is mixed.
"""

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from segeval.counting.run import ImageCounts
from segeval.errors import MaskError
from segeval.inputs.photographs import read_photograph
from segeval.labels.lookups import RunLookup
from segeval.pictures.caption import Caption
from segeval.pictures.classmaps import read_picture
from segeval.pictures.overlay import Classes, Style, draw_panels, to_png
from segeval.settings import Reading
from segeval.text import defined
from segeval.values import hex_color

HIGHEST: Final = 2  # small pictures are at most so many times as high as they may be wide
QUALITY: Final = 85
LISTED: Final = 6  # wrong classes that are named below a picture


@dataclass(frozen=True, slots=True, kw_only=True)
class Album:
    """Images that stand for a section, in order; counts and photographs are by name."""

    sections: Mapping[str, Sequence[Caption]]
    images: Mapping[str, ImageCounts]
    photographs: Mapping[str, Path]
    style: Style
    translation: RunLookup
    reading: Reading


def draw_album(album: Album, *, width: int, each: int) -> list[dict[str, Any]]:
    """Draw so many pictures of each section of an album, at most so many pixels wide.

    They are the first of a section, in the middle the innermost ones. A picture whose masks
    are gone or have changed has no ``layers``, and says so in ``trouble``.
    """
    sections = []
    for title, cards in album.sections.items():
        first = max(0, len(cards) - each) // 2 if title == "median" else 0
        pictures = [_draw(album, card, width) for card in cards[first : first + each]]
        sections.append({"title": title, "pictures": pictures})
    return [section for section in sections if section["pictures"]]


def _draw(album: Album, card: Caption, width: int) -> dict[str, Any]:
    """Draw the layers of one picture, or say why there are none."""
    color, void = album.style.scheme.color, album.style.scheme.void
    classes = [entry for entry in card.legend if entry[0] != void]
    named = [*classes[:LISTED], *(entry for entry in card.legend if entry[0] == void)]
    picture: dict[str, Any] = {
        "name": card.name,
        "note": card.note,
        "scores": [(title, defined(value)) for title, value in card.scores],
        "legend": [(hex_color(color(code)), title, pixels) for code, title, pixels in named],
        "more": max(0, len(classes) - LISTED),
        "layers": {},
        "trouble": "",
    }
    try:
        image = album.images[card.name]
        *sides, slices = read_picture(image.info.pair, album.reading, album.translation, image)
    except MaskError as error:
        return picture | {"trouble": str(error)}
    photograph, note = _photograph(album, card.name, sides[0].shape)
    truth, prediction, below = shrink(sides, photograph, width, HIGHEST * width)
    style = replace(album.style, plain=True, side_by_side=True)
    layers = dict(zip(*draw_panels(truth, prediction, style, below), strict=True))
    return picture | {
        "note": "; ".join(filter(None, (card.note, slices, note))),
        "width": truth.shape[1],
        "height": truth.shape[0],
        "pixelated": truth.shape == sides[0].shape,
        "layers": {
            title: _data_uri(layer, style, photographic=below is not None)
            for title, layer in layers.items()
        },
    }


def _photograph(
    album: Album, name: str, shape: tuple[int, ...]
) -> tuple[NDArray[np.uint8] | None, str]:
    """Read the photograph of an image; what is odd about it comes back in words."""
    path = album.photographs.get(name)
    if path is None:
        return None, "no photograph of the name" if album.photographs else ""
    try:
        photograph, resized = read_photograph(
            path, (shape[0], shape[1]), max_pixels=album.reading.max_pixels
        )
    except MaskError as error:
        return None, f"no photograph: {error}"
    return photograph, "photograph resized" if resized else ""


def shrink(
    sides: Sequence[Classes], photograph: NDArray[np.uint8] | None, width: int, height: int
) -> tuple[Classes, Classes, NDArray[np.uint8] | None]:
    """Bring both sides, and a photograph, into a box: of rows and columns evenly apart."""
    shape = sides[0].shape
    factor = max(1.0, shape[1] / width, shape[0] / height)
    sizes = [max(1, int(side / factor)) for side in shape]
    rows, columns = (
        ((np.arange(size) + 0.5) * side / size).astype(np.intp)
        for size, side in zip(sizes, shape, strict=True)
    )
    truth, prediction = (side[np.ix_(rows, columns)] for side in sides)
    below = None if photograph is None else _shrunk(photograph, len(columns), len(rows))
    return truth, prediction, below


def _shrunk(photograph: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    from PIL import Image

    image = Image.fromarray(photograph)
    return np.asarray(image.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=2.0))


def _data_uri(layer: NDArray[Any], style: Style, *, photographic: bool) -> str:
    """Write a layer as a data URI: flat colours as PNG, photographs as JPEG if that is smaller."""
    from PIL import Image

    content, kind = to_png(layer, style.scheme), "png"
    if photographic:
        buffer = io.BytesIO()
        Image.fromarray(layer).save(buffer, "JPEG", quality=QUALITY, subsampling=0)
        if len(buffer.getvalue()) < len(content):
            content, kind = buffer.getvalue(), "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
