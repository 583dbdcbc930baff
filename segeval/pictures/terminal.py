"""A picture of errors in the terminal: half blocks of two cells each, or characters.

A cell stands for many pixels. If one of them is wrong, the cell is: small errors do not vanish.
"""

import string
from collections.abc import Iterable, Mapping
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from segeval.pictures.caption import Caption
from segeval.pictures.errormaps import Kind, coarsened, magnified
from segeval.pictures.palettes import Palette
from segeval.text import defined, show_count, show_score, visible

Codes = NDArray[np.unsignedinteger]

Colors = Literal["24bit", "256", "none"]
FEWEST: Final = 40  # columns to which a small mask is magnified
KINDS: Final[Mapping[int, str]] = {
    Kind.TRUE_NEGATIVE: ".",
    Kind.FALSE_POSITIVE: "+",
    Kind.FALSE_NEGATIVE: "-",
    Kind.TRUE_POSITIVE: "#",
}  # characters of the kinds of one class

VOID: Final = "/"
LETTERS: Final = string.ascii_letters + string.digits  # of classes that are wrong somewhere
STEPS: Final = np.array([0, 95, 135, 175, 215, 255])  # of the cube of 256 colours


def draw_text(codes: Codes, scheme: Palette, card: Caption, *, columns: int, colors: Colors) -> str:
    """Draw a picture as lines of text of some width, its legend and scores below."""
    codes = magnified(codes, max(1, min(FEWEST, columns) // codes.shape[1]))
    height, width = codes.shape
    across = min(columns, width)
    down = max(1, round(height * across / width / (2 if colors == "none" else 1)))
    cells = coarsened(codes, scheme.errors, min(down, height), across)
    if colors == "none":
        signs = _signs(scheme, card)
        picture = ["".join(signs.get(code, ".") for code in row) for row in cells.tolist()]
        marks = signs
    else:
        picture = [*_half_blocks(cells, scheme, colors)]
        marks = {c: f"{_escape(scheme, c, colors, 38)}██\x1b[0m" for c, _, _ in card.legend}
    scale = f"a cell is {width / across:.3g}×{height / cells.shape[0]:.3g} pixels, wrong if any is"
    rows = [*_rows(card, marks, columns, len("██" if colors != "none" else "."))]
    return "\n".join([*picture, *rows, *([scale] if width > across else [])]) + "\n"


def _half_blocks(cells: Codes, scheme: Palette, colors: Colors) -> Iterable[str]:
    """Yield lines of upper half blocks: above in the foreground, below in the background."""
    rows = cells.tolist()
    for above, below in zip(rows[::2], [*rows[1::2], None], strict=False):
        line, last = [], ""
        for place, code in enumerate(above):
            style = _escape(scheme, code, colors, 38)
            style += "\x1b[49m" if below is None else _escape(scheme, below[place], colors, 48)
            line.append(f"{style if style != last else ''}▀")
            last = style
        yield "".join(line) + "\x1b[0m"


def _escape(scheme: Palette, code: int, colors: Colors, ground: int) -> str:
    color = scheme.color(code)
    if colors == "24bit":
        return "\x1b[{};2;{};{};{}m".format(ground, *color)
    return f"\x1b[{ground};5;{_nearest(color)}m"


def _nearest(color: tuple[int, int, int]) -> int:
    """Return the number of the nearest colour among the cube and the greys.

    >>> _nearest((0, 0, 0)), _nearest((255, 255, 255)), _nearest((96, 96, 96))
    (16, 231, 59)
    """
    cube = [int(np.abs(STEPS - channel).argmin()) for channel in color]
    grey = max(0, min(23, round((sum(color) / 3 - 8) / 10)))
    off_cube = sum((int(STEPS[c]) - channel) ** 2 for c, channel in zip(cube, color, strict=True))
    off_grey = sum((8 + 10 * grey - channel) ** 2 for channel in color)
    return 232 + grey if off_grey < off_cube else 16 + 36 * cube[0] + 6 * cube[1] + cube[2]


def _signs(scheme: Palette, card: Caption) -> dict[int, str]:
    """Return the character of each code: of the kinds of one class, or of the wrong classes."""
    if card.subject:
        return {**KINDS, scheme.void: VOID}
    wrong = sorted(code for code, _, _ in card.legend if scheme.errors[code])
    letters = {code: LETTERS[n] if n < len(LETTERS) else "?" for n, code in enumerate(wrong)}
    return {**letters, scheme.void: VOID}


def _rows(card: Caption, marks: Mapping[int, str], columns: int, mark_width: int) -> Iterable[str]:
    scores = [f"{title} {show_score(defined(value))}" for title, value in card.scores]
    title = [card.name, card.subject or "all classes"]
    yield from _flow([(text, len(text)) for text in map(visible, title)], columns)
    note = [card.note] if card.note else []
    yield from _flow([(text, len(text)) for text in map(visible, [*scores, *note])], columns)
    if not card.subject:
        yield "wrong pixels by true class:" if any(p for _, _, p in card.legend) else "all right"
    entries = [
        (code, f"{visible(name)}: {show_count(pixels)}") for code, name, pixels in card.legend
    ]
    yield from _flow(
        [(f"{marks[code]} {text}", mark_width + 1 + len(text)) for code, text in entries], columns
    )


def _flow(items: Iterable[tuple[str, int]], columns: int) -> Iterable[str]:
    line, used = "", 0
    for text, width in items:
        if line and used + 2 + width > columns:
            yield line
            line, used = "", 0
        line, used = (f"{line}  {text}", used + 2 + width) if line else (text, width)
    if line:
        yield line
