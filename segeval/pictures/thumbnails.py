"""Small pictures of some images for the page: photograph, truth, prediction, errors, and edges.

A pixel is one pixel of the masks, the same one in each of them: nothing is mixed. Bands and borders
are thin, so there a pixel is the worst of those that it stands for: none vanishes.
"""

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from segeval.counting.run import ImageCounts
from segeval.distances.nearest import Spacing
from segeval.errors import MaskError
from segeval.inputs.photographs import read_photograph
from segeval.labels.labelmap import VOID
from segeval.labels.lookups import RunLookup
from segeval.pictures.caption import Caption
from segeval.pictures.classmaps import Sheet, read_values
from segeval.pictures.errormaps import coarsened
from segeval.pictures.layers import BandLayer, Legend, PictureLayer, Subject, lay_out
from segeval.pictures.overlay import Classes, Style, draw_panels, to_png
from segeval.pictures.palettes import FAR, Palette
from segeval.settings import Reading
from segeval.text import defined
from segeval.values import hex_color

HIGHEST: Final = 2  # small pictures are at most so many times as high as they may be wide
QUALITY: Final = 85
LISTED: Final = 6  # wrong classes that are named below a picture
Small = tuple[Classes, Classes, NDArray[np.uint8] | None]  # both sides, and the photograph if any


@dataclass(frozen=True, slots=True, kw_only=True)
class Further:
    """A layer beside errors: what it shows, and what a run says of each image, by name."""

    layer: PictureLayer
    meaning: str
    scores: Mapping[str, Sequence[tuple[str, str]]]  # titles and values as they are shown
    spacing: Mapping[str, Spacing | None] = field(default_factory=dict)  # size of its pixels
    trouble: str = ""  # why it is not drawn


@dataclass(frozen=True, slots=True, kw_only=True)
class Album:
    """Images that stand for a section, in order; counts and photographs are by name."""

    sections: Mapping[str, Sequence[Caption]]
    images: Mapping[str, ImageCounts]
    photographs: Mapping[str, Path]
    style: Style
    subject: Subject
    translation: RunLookup
    reading: Reading
    further: Sequence[Further] = ()


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
    picture: dict[str, Any] = {
        "name": card.name,
        "note": card.note,
        "scores": [(title, defined(value)) for title, value in card.scores],
        **_legend(card.legend, album.style.scheme),
        "layers": {},
        "further": [],
        "trouble": "",
    }
    try:
        image = album.images[card.name]
        sides = album.translation.pair(*read_values(image.info.pair, album.reading, image))
    except MaskError as error:
        return picture | {"trouble": str(error)}
    sheet = Sheet.of(*sides)
    whole = [sheet.lay_out(side, VOID) for side in sides]
    photograph, note = _photograph(album, card.name, whole[0].shape)
    small = shrink(whole, photograph, width, HIGHEST * width)
    style = replace(album.style, plain=True, side_by_side=True)
    layers = dict(zip(*draw_panels(*small[:2], style, small[2]), strict=True))
    further = [
        _further(album, each, card.name, sides, small) for each in album.further if not each.trouble
    ]
    shape = small[0].shape
    return picture | {
        "note": "; ".join(filter(None, (card.note, sheet.note, note))),
        "width": shape[1],
        "height": shape[0],
        "pixelated": shape == whole[0].shape,
        "layers": {
            title: _data_uri(layer, style.scheme, photographic=small[2] is not None)
            for title, layer in layers.items()
        }
        | {each["name"]: each["uri"] for each in further},
        "further": further,
    }


def _legend(legend: Legend, scheme: Palette, most: int = LISTED) -> dict[str, Any]:
    """Return what colours mean, of so many classes and void, and how many classes more."""
    classes = [entry for entry in legend if entry[0] != scheme.void]
    named = [*classes[:most], *(entry for entry in legend if entry[0] == scheme.void)]
    return {
        "legend": [(hex_color(scheme.color(code)), title, pixels) for code, title, pixels in named],
        "more": max(0, len(classes) - most),
    }


def _further(
    album: Album, further: Further, name: str, sides: Sequence[Classes], small: Small
) -> dict[str, Any]:
    """Draw a layer beside errors, and say what is written below it."""
    layer, sheet = further.layer, Sheet.of(sides[0], sides[1])
    scheme = layer.scheme(album.style.scheme)
    drawing = layer.draw(sides[0], sides[1], album.subject, further.spacing.get(name))
    panel, unseen = lay_out(drawing, sheet, layer.name, scheme.void)
    codes = coarsened(panel.codes, layer.ranks(scheme), *small[0].shape)
    opacity = 1.0 if layer.opaque else album.style.opacity
    style = replace(album.style, scheme=scheme, plain=True, opacity=opacity)
    _, (picture,) = draw_panels(*small[:2], style, small[2], replace(panel, codes=codes))
    return {
        "name": layer.name,
        "uri": _data_uri(picture, scheme, photographic=small[2] is not None),
        "scores": further.scores[name],
        "lead": drawing.lead,
        "notes": [*filter(None, (drawing.note, unseen))],
        "ring": panel.ring and _ring(panel.ring, panel.codes.shape),
        "farthest": drawing.place if panel.ring else "",
        **_legend(drawing.legend, scheme, LISTED if layer.name == BandLayer.name else FAR + 1),
    }


def _ring(place: tuple[int, int], shape: tuple[int, ...]) -> tuple[float, float]:
    """Return the middle of a pixel in percent, from the left and from the top."""
    top, left = (100 * (at + 0.5) / side for at, side in zip(place, shape, strict=True))
    return left, top


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
) -> Small:
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


def _data_uri(layer: NDArray[Any], scheme: Palette, *, photographic: bool) -> str:
    """Write a layer as a data URI: flat colours as PNG, photographs as JPEG if that is smaller."""
    from PIL import Image

    content, kind = to_png(layer, scheme), "png"
    if photographic:
        buffer = io.BytesIO()
        Image.fromarray(layer).save(buffer, "JPEG", quality=QUALITY, subsampling=0)
        if len(buffer.getvalue()) < len(content):
            content, kind = buffer.getvalue(), "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
