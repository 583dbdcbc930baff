"""Pictures of errors: one image as PNG, with its photograph, legend and scores."""

import io
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from segeval.pictures.caption import Caption
from segeval.pictures.errormaps import error_codes, hatched, magnified, paint, side_codes
from segeval.pictures.lettering import draw_strip, font_size, write_text
from segeval.pictures.palettes import Palette

Classes = NDArray[np.signedinteger]
Codes = NDArray[np.unsignedinteger]
Picture = NDArray[np.unsignedinteger]

NARROWEST: Final = 480  # smaller pictures are magnified, so that text is readable
WIDE: Final = 1.2  # panels of at least this width, in heights, stand two by two
DIMMED: Final = 0.45  # brightness of the photograph where all classes are right
RING_SIZE: Final = 60  # the longer side of a picture, in radii of a ring
COMPRESSION: Final = 3  # twice as fast as at the default for flat colours, and hardly larger


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """How pictures look; a position of None stands for the errors of all classes.

    A plain picture is the errors alone, in the size of the mask, with nothing written. The opacity
    is that of the colours on a photograph.
    """

    scheme: Palette
    position: int | None
    classes: int
    plain: bool = False
    side_by_side: bool = False
    opacity: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Panel:
    """What is drawn in place of the errors, and the row and column in the ring if there is one."""

    title: str
    codes: Codes  # (H, W)
    ring: tuple[int, int] | None = None


def draw_picture(
    truth: Classes,
    prediction: Classes,
    style: Style,
    card: Caption,
    photograph: NDArray[np.uint8] | None = None,
    *,
    panel: Panel | None = None,
) -> bytes:
    """Draw the errors of an image of class indices, or another panel of it, as PNG."""
    titles, parts = draw_panels(truth, prediction, style, photograph, panel)
    height, width = truth.shape
    columns = 2 if len(parts) > 1 and width >= WIDE * height else len(parts)
    if style.plain:
        return to_png(_tiled(parts, columns, _paper(parts[0], style.scheme)), style.scheme)
    size = font_size(max(NARROWEST, width * columns))
    captions = titles if style.side_by_side else []
    framed = [
        np.concatenate([_caption(title, part, size, style.scheme), part])
        for title, part in zip(captions, parts, strict=False)
    ]
    picture = _tiled(framed or parts, columns, _paper(parts[0], style.scheme), gap=size // 3)
    strip = draw_strip(card, max(NARROWEST, picture.shape[1]), style.scheme)
    return to_png(_stacked(picture, strip, style.scheme), style.scheme)


def draw_side(side: Classes, truth: Classes, style: Style) -> bytes:
    """Draw one side of an image as PNG in the size of the mask; what is not judged is void."""
    shown = _shown(side, truth, style)
    return to_png(hatched(shown, style.scheme.veiled), style.scheme)


def draw_panels(
    truth: Classes,
    prediction: Classes,
    style: Style,
    photograph: NDArray[np.uint8] | None,
    panel: Panel | None = None,
) -> tuple[list[str], list[Picture]]:
    """Draw the panels that are asked for, all as codes, or all as colours with a photograph."""
    codes = {}
    if style.side_by_side:
        codes = {
            "truth": _shown(truth, truth, style),
            "prediction": _shown(prediction, truth, style),
        }
    if panel is None:
        errors = error_codes(truth, prediction, style.position, style.classes)
        panel = Panel(title="errors", codes=errors)
    factor = 1 if style.plain else _factor(truth.shape, len(codes) + 1)
    stripes = {panel.title: style.scheme.striped}
    drawn: dict[str, Picture] = {
        title: hatched(magnified(part, factor), stripes.get(title, style.scheme.veiled))
        for title, part in (codes | {panel.title: panel.codes}).items()
    }
    if panel.ring is not None and not style.plain:
        _draw_ring(drawn[panel.title], panel.ring, factor, style.scheme)
    if photograph is None:
        return [*drawn], [*drawn.values()]
    below = magnified(photograph, factor)
    painted = {title: paint(part, style.scheme) for title, part in drawn.items()}
    dimmed = 1.0 if style.position is not None or style.scheme.haze else DIMMED
    painted[panel.title] = paint(
        drawn[panel.title], style.scheme, below, opacity=style.opacity, dimmed=dimmed
    )
    if style.side_by_side:
        painted = {"photograph": below} | painted
    return [*painted], [*painted.values()]


def _draw_ring(codes: Picture, place: tuple[int, int], factor: int, scheme: Palette) -> None:
    """Draw a black ring with white edges around a pixel, which stays as it is."""
    radius = max(factor, 6) + max(codes.shape) // RING_SIZE
    thick = max(2, radius // 5)
    rows, columns = (
        np.arange(length) - (at + 0.5) * factor
        for length, at in zip(codes.shape, place, strict=True)
    )
    far = np.abs(np.hypot(rows[:, None], columns[None]) - radius)
    codes[far < thick] = scheme.paper
    codes[far < thick / 2] = len(scheme.colors) - 1


def _factor(shape: tuple[int, ...], panels: int) -> int:
    """Return how often small masks are magnified, so that what is written fits below them."""
    wanted = -(-NARROWEST // (shape[1] * panels))
    return max(1, min(wanted, 2 * NARROWEST // shape[0]))


def _shown(side: Classes, truth: Classes, style: Style) -> Codes:
    """Show one side: each class in its colour, or the chosen class in that of true positives."""
    codes = side_codes(side, style.position, style.classes, style.scheme.striped.dtype)
    codes[(truth < 0) if style.position is not None else (side < 0) | (truth < 0)] = (
        style.scheme.void
    )
    return codes


def _caption(title: str, part: Picture, size: int, scheme: Palette) -> Picture:
    """Write the title of a panel, in codes or in colours as the panel is."""
    codes = np.full((round(1.55 * size), part.shape[1]), scheme.paper, scheme.striped.dtype)
    write_text(codes, title, (0, round(0.18 * size)), size, scheme)
    return codes if part.ndim == 2 else paint(codes, scheme)


def _paper(part: Picture, scheme: Palette) -> int:
    """Return white, as a code or as the level of a colour."""
    return scheme.paper if part.ndim == 2 else 255


def _tiled(parts: list[Picture], columns: int, paper: int, *, gap: int = 0) -> Picture:
    """Put parts of one size beside and below each other, on paper."""
    height, width = parts[0].shape[:2]
    rows = -(-len(parts) // columns)
    shape = (rows * (height + gap) - gap, columns * (width + gap) - gap, *parts[0].shape[2:])
    whole = np.full(shape, paper, parts[0].dtype)
    for number, part in enumerate(parts):
        top, left = (height + gap) * (number // columns), (width + gap) * (number % columns)
        whole[top : top + height, left : left + width] = part
    return whole


def _stacked(picture: Picture, strip: Codes, scheme: Palette) -> Picture:
    """Put a picture on a strip, in the middle if it is narrower."""
    below = strip if picture.ndim == 2 else paint(strip, scheme)
    margin = below.shape[1] - picture.shape[1]
    sides = ((0, 0), (margin // 2, margin - margin // 2), (0, 0))[: picture.ndim]
    padded = np.pad(picture, sides, constant_values=_paper(picture, scheme))
    return np.concatenate([padded, below.astype(picture.dtype)])


def to_png(picture: Picture, scheme: Palette) -> bytes:
    """Write codes (H, W), or colours (H, W, 3), as PNG; a palette, where it will do, is smaller."""
    from PIL import Image

    if picture.ndim == 2 and len(scheme.colors) > 256:
        picture = paint(picture, scheme)
    if picture.ndim == 2:
        height, width = picture.shape
        image = Image.frombytes("P", (width, height), picture.astype(np.uint8).tobytes())
        image.putpalette(scheme.colors.tobytes())
    else:
        image = Image.fromarray(picture)
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=COMPRESSION if picture.ndim == 2 else 1)
    return buffer.getvalue()
