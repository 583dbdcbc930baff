"""What is written below a picture: its name, scores and legend, as an array of codes."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from segeval.pictures.caption import Caption
from segeval.pictures.fonts import OWN, Piece, font, split_pieces, split_words
from segeval.pictures.palettes import INKS, Palette
from segeval.text import UNDEFINED, defined, show_count, show_score

LEGEND_ROWS: Final = 3  # rows of the legend; what does not fit is counted
DASH: Final = "-"  # of an undefined score: Pillow's own font has no longer one
SMALLEST: Final = 12
LARGEST: Final = 110
PER_LINE: Final = 38  # pixels of a letter, at least and at most, and how many make the width


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A piece of text, with the swatch of a code before it if there is one."""

    text: str
    code: int | None = None


def font_size(width: int) -> int:
    """Return the height of letters that are read well below a picture of some width."""
    return max(SMALLEST, min(LARGEST, width // PER_LINE))


def draw_strip(card: Caption, width: int, scheme: Palette) -> NDArray[np.unsignedinteger]:
    """Write the name, the scores and the legend of a picture, in codes and as high as is needed."""
    size = font_size(width)
    shown = ((title, show_score(defined(value))) for title, value in card.scores)
    scores = [Item(text=f"{title} {value.replace(UNDEFINED, DASH)}") for title, value in shown]
    note = [Item(text=card.note)] if card.note else []
    entries = [
        Item(text=f"{title}: {show_count(pixels)}", code=code)
        for code, title, pixels in card.legend
    ]
    void = [item for item in entries if item.code == scheme.void]
    entries = [item for item in entries if item.code != scheme.void]
    lead = "no wrong pixel" if not any(scheme.errors[item.code or 0] for item in entries) else ""
    lead = card.lead or lead or "wrong, by true class:"
    legend = entries if card.subject and not card.lead else [Item(text=lead), *entries]
    rows = [
        [Item(text=_fitting(card.name, size, width - 2 * size))],
        *_flow([Item(text=card.subject or "all classes"), *scores, *void, *note], size, width),
        *_shortened(_flow(legend, size, width), size, width),
    ]
    return np.concatenate([_draw_row(row, size, width, scheme) for row in rows])


def _flow(items: Sequence[Item], size: int, width: int) -> list[list[Item]]:
    rows: list[list[Item]] = [[]]
    used = 0
    for item in items:
        needed = _item_width(item, size)
        if rows[-1] and used + needed > width - size:
            rows.append([])
            used = 0
        rows[-1].append(item)
        used += needed
    return rows


def _shortened(rows: list[list[Item]], size: int, width: int) -> list[list[Item]]:
    if len(rows) <= LEGEND_ROWS:
        return rows
    kept, left_out = rows[:LEGEND_ROWS], sum(map(len, rows[LEGEND_ROWS:]))
    last = kept[-1]
    while len(last) > 1 and _row_width([*last, Item(text=f"and {left_out} more")], size) > width:
        last.pop()
        left_out += 1
    last.append(Item(text=f"and {left_out} more"))
    return kept


def _row_width(items: Sequence[Item], size: int) -> int:
    return sum(_item_width(item, size) for item in items) + size


def _item_width(item: Item, size: int) -> int:
    swatch = 0 if item.code is None else round(1.3 * size)
    return swatch + _text_width(item.text, size) + size


@functools.lru_cache(1 << 14)
def _word_width(word: str, size: int) -> int:
    return round(sum(_piece_width(piece, size) for piece in split_pieces(word)))


def _piece_width(piece: Piece, size: int) -> float:
    return font(piece.path, size).getlength(piece.text, direction=piece.direction)


def _text_width(text: str, size: int) -> int:
    words = split_words(text)
    return sum(_word_width(word, size) for word in words) + (len(words) - 1) * _space(size)


def _space(size: int) -> int:
    return round(0.3 * size)


def _fitting(text: str, size: int, width: int) -> str:
    """Shorten a name in its middle until it fits; its end says most."""
    if _text_width(text, size) <= width:
        return text
    for kept in range(len(text) - 1, 0, -1):
        head = kept // 3
        short = f"{text[:head]}…{text[len(text) - kept + head :]}"
        if _text_width(short, size) <= width:
            return short
    return ""


def _draw_row(
    items: Sequence[Item], size: int, width: int, scheme: Palette
) -> NDArray[np.unsignedinteger]:
    row = np.full((round(1.55 * size), width), scheme.paper, scheme.striped.dtype)
    left = size // 2
    for item in items:
        start = left
        if item.code is not None:
            top, side = round(0.3 * size), size
            row[top - 1 : top + side + 1, start - 1 : start + side + 1] = scheme.paper + INKS // 2
            row[top : top + side, start : start + side] = _swatch(item.code, side, scheme)[
                :, : width - start
            ]
            start += round(1.3 * size)
        write_text(row, item.text, (start, round(0.18 * size)), size, scheme)
        left += _item_width(item, size)
    return row


def _swatch(code: int, side: int, scheme: Palette) -> NDArray[np.unsignedinteger]:
    """Return a small square of a code, hatched as it is in the picture."""
    return np.where(_stripes(side), scheme.striped[code], scheme.striped.dtype.type(code))


@functools.lru_cache(8)
def _stripes(side: int) -> NDArray[np.bool_]:
    line = np.add.outer(np.arange(side), np.arange(side))
    period = max(4, side // 2)
    return line % period < max(1, round(period / 3))


def write_text(
    codes: NDArray[np.unsignedinteger],
    text: str,
    place: tuple[int, int],
    size: int,
    scheme: Palette,
) -> None:
    """Write dark text onto codes, left and top given; what lies beyond the edge is cut off."""
    left, top = place
    for word in split_words(text):
        ink = _ink(word, size)
        part = codes[top : top + ink.shape[0], left : left + ink.shape[1]]
        darker = ink[: part.shape[0], : part.shape[1]] + codes.dtype.type(scheme.paper)
        np.maximum(part, darker, out=part)
        left += _word_width(word, size) + _space(size)


@functools.lru_cache(1 << 14)
def _ink(word: str, size: int) -> NDArray[np.uint8]:
    """Draw a word, in steps of ink; the same words and groups of digits come up again and again."""
    from PIL import Image, ImageDraw

    canvas = Image.new("L", (_word_width(word, size) + 2, round(1.5 * size)))
    pen, left = ImageDraw.Draw(canvas), 0.0
    baseline = font(OWN, size).getmetrics()[0]
    for piece in split_pieces(word):
        drawn = font(piece.path, size)
        place = left, baseline
        pen.text(place, piece.text, 255, drawn, anchor="ls", direction=piece.direction)
        left += _piece_width(piece, size)
    levels: NDArray[np.uint8] = np.asarray(canvas)
    return levels // np.uint8(16)
