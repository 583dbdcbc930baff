"""Which font draws which letter, and what is written for a letter that no font has.

Pillow's own font holds hardly more than ASCII. For other letters the fonts of the machine are
searched, by the table in each file that says which letters it has; ASCII needs none of them.
"""

from __future__ import annotations

import functools
import importlib.util
import os
import re
import struct
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont

FOLDERS: Final = (
    *("~/.local/share/fonts", "~/.fonts", "/usr/local/share/fonts", "/usr/share/fonts"),
    *("/System/Library/Fonts", "/Library/Fonts", "~/Library/Fonts"),
    *("$WINDIR/Fonts", "$LOCALAPPDATA/Microsoft/Windows/Fonts"),
)  # where Linux, macOS and Windows keep fonts
LIKED: Final = ("dejavusans", "notosans", "liberationsans", "arial")  # names that come first
FANCY: Final = re.compile("bold|italic|oblique|light|thin|black|medium|condensed|mono|serif|math")
UNFIT: Final = re.compile("emoji|lastresort|blank")  # of one size only, or they hide what lacks
OWN: Final = ""  # stands for Pillow's own font
NOWHERE: Final = "\uffff"  # no character, so that no font has it
BLANK: Final = "\N{NO-BREAK SPACE}"  # stands for a space at which words are not split
KINDS: Final = {"R": "R", "AL": "R", "L": "L", "EN": "N", "AN": "N", "NSM": "M"}
LEFTWARD: Final = re.compile("R(?:[RNMo]*[RNM])?")
"""What runs from right to left within a text that does not: rules W2, W7, N1 of Unicode's UAX 9."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a word that one font draws; pieces stand from left to right."""

    text: str
    path: str
    leftward: bool

    @property
    def direction(self) -> str | None:
        """The direction that Pillow is told; it knows one only if it can shape letters."""
        return "rtl" if self.leftward else None


def split_words(text: str) -> list[str]:
    r"""Split a text at its spaces, but for those inside of what runs from right to left.

    >>> split_words("a b"), [len(word) for word in split_words("a \u05d0 \u05d0 b")]
    (['a', 'b'], [1, 3, 1])
    """
    if text.isascii():
        return text.split(" ")
    letters = list(unicodedata.normalize("NFC", text))
    for start, stop in _leftward("".join(letters)):
        letters[start:stop] = [BLANK if c == " " else c for c in letters[start:stop]]
    return "".join(letters).split(" ")


@functools.lru_cache(1 << 14)
def split_pieces(word: str) -> tuple[Piece, ...]:
    """Split a word by the fonts that draw it; what no font has is written as code points."""
    pieces: list[Piece] = []
    done = 0
    for start, stop in [*_leftward(word), (len(word), len(word))]:
        pieces += _pieces(word[done:start], leftward=False)
        pieces += _pieces(word[start:stop], leftward=True)[::-1]
        done = stop
    return tuple(pieces)


def missing_letters(texts: Iterable[str]) -> list[str]:
    """Return the letters of some texts, but for controls, that no font has; each once."""
    named = dict.fromkeys(text for text in texts if not text.isascii())
    words = dict.fromkeys(word for text in named for word in split_words(text))
    letters = dict.fromkeys(letter for word in words for letter in _letters(word))
    return [letter for letter in letters if letter.isprintable() and font_of(letter) is None]


def packages_for(letters: Iterable[str]) -> list[str]:
    """Name the packages of Debian and Ubuntu that have what is missing for some letters."""
    from PIL import features

    wanted: dict[str, None] = {}
    for letter in letters:
        if _is_shaped(letter) and not features.check("raqm"):
            wanted["libfribidi0"] = None
        wide = any(unicodedata.east_asian_width(c) in {"W", "F"} for c in letter)
        wanted["fonts-noto-cjk" if wide else "fonts-noto-core"] = None
    return sorted(wanted)


def _leftward(text: str) -> list[tuple[int, int]]:
    """Return where what runs from right to left starts and stops."""
    if text.isascii():
        return []
    kinds = "".join(KINDS.get(unicodedata.bidirectional(c), "o") for c in text)
    return [match.span() for match in LEFTWARD.finditer(kinds)]


def _pieces(text: str, *, leftward: bool) -> list[Piece]:
    """Give the letters of a text of one direction their fonts: a single one if it has them all."""
    letters = _letters(text)
    paths = [font_of(letter) for letter in letters]
    for path in dict.fromkeys(paths):
        if path is not None and all(_has(path, letter) for letter in letters):
            return [Piece(text.replace(BLANK, " "), path, leftward)]
    pieces: list[Piece] = []
    for letter, path in zip(letters, paths, strict=True):
        piece = Piece(letter.replace(BLANK, " "), path or OWN, leftward and bool(path))
        if path is None:
            piece = Piece(letter.encode("unicode_escape").decode(), OWN, leftward=False)
        if pieces and (pieces[-1].path, pieces[-1].leftward) == (piece.path, piece.leftward):
            piece = Piece(pieces.pop().text + piece.text, piece.path, piece.leftward)
        pieces.append(piece)
    return pieces


def _letters(text: str) -> list[str]:
    """Split a text into letters, each with the marks and joiners that follow it."""
    letters: list[str] = []
    for c in text:
        if letters and unicodedata.category(c) in {"Mn", "Mc", "Me", "Cf"}:
            letters[-1] += c
        else:
            letters.append(c)
    return letters


def _is_shaped(letter: str) -> bool:
    """Whether a letter is drawn right by Raqm only: it has marks, or runs from right to left."""
    kinds = {KINDS.get(unicodedata.bidirectional(c), "o") for c in letter}
    return bool(kinds & {"R", "M"}) or any(unicodedata.category(c) == "Mc" for c in letter)


@functools.lru_cache(1 << 14)
def font_of(letter: str) -> str | None:
    """Return the path of the first font that draws a letter, or None."""
    from PIL import features

    if _is_shaped(letter) and not features.check("raqm"):
        return None
    if _has(OWN, letter):
        return OWN
    return next((path for path in font_files() if _has(path, letter)), None)


def _has(path: str, letter: str) -> bool:
    seen = (c for c in letter if unicodedata.category(c) not in {"Cf", "Zs"})
    if path == OWN:
        return all(_is_own(c) for c in seen)
    codes = np.array([ord(c) for c in seen])
    first, last = _ranges(path)
    place = np.searchsorted(first, codes, "right") - 1
    return bool((place >= 0).all() and (codes <= last[place]).all() and _opens(path))


@functools.lru_cache(1 << 12)
def _is_own(character: str) -> bool:
    """Whether Pillow's own font has a character: it draws the same sign for all that it lacks."""
    own = font(OWN, 16)
    return bytes(own.getmask(character)) != bytes(own.getmask(NOWHERE))


@functools.lru_cache(1)
def font_files() -> list[str]:
    """List the fonts of the machine, and of Matplotlib if it is there: plain ones first."""
    folders = [Path(os.path.expandvars(os.path.expanduser(folder))) for folder in FOLDERS]
    matplotlib = importlib.util.find_spec("matplotlib")
    if matplotlib is not None and matplotlib.origin:
        folders.append(Path(matplotlib.origin).parent / "mpl-data" / "fonts" / "ttf")
    found = (path for folder in folders for path in folder.rglob("*"))
    fonts = [path for path in found if path.suffix.lower() in {".ttf", ".otf", ".ttc"}]
    fit = [path for path in fonts if not UNFIT.search(path.stem.lower())]
    return [str(path) for path in sorted(fit, key=_rank)]


def _rank(path: Path) -> tuple[bool, bool, str]:
    name = path.stem.lower()
    return bool(FANCY.search(name)), not name.startswith(LIKED), name


@functools.cache
def _opens(path: str) -> bool:
    try:
        font(path, 16)
    except OSError:
        return False
    return True


@functools.lru_cache(64)
def font(path: str, size: int) -> FreeTypeFont:
    """Open a font in some height of letters."""
    from PIL import ImageFont

    if path == OWN:
        return cast("FreeTypeFont", ImageFont.load_default(size))
    return ImageFont.truetype(path, size)


@functools.cache
def _ranges(path: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the first and the last characters of the ranges that a font has, ascending."""
    try:
        with open(path, "rb") as file:
            head = file.read(16)
            if head[:4] == b"ttcf":
                file.seek(*struct.unpack(">I", head[12:]))
            else:
                file.seek(0)
            (tables,) = struct.unpack(">4xH6x", file.read(12))
            entries = struct.iter_unpack(">4s4xII", file.read(16 * tables))
            at, size = next((at, size) for tag, at, size in entries if tag == b"cmap")
            file.seek(at)
            return _mapped(file.read(size))
    except (OSError, ValueError, struct.error, StopIteration):
        return (np.empty(0, np.int64),) * 2


def _mapped(table: bytes) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Read the ranges of characters from a table ``cmap`` of OpenType, formats 4 and 12."""
    (parts,) = struct.unpack_from(">2xH", table)
    ranges = np.empty((2, 0), np.int64)
    for platform, encoding, at in struct.iter_unpack(">HHI", table[4 : 4 + 8 * parts]):
        if platform != 0 and (platform, encoding) not in {(3, 1), (3, 10)}:
            continue
        (kind,) = struct.unpack_from(">H", table, at)
        if kind == 12:
            (groups,) = struct.unpack_from(">I", table, at + 12)
            found = np.frombuffer(table, ">u4", 3 * groups, at + 16).reshape(-1, 3).T[:2]
        elif kind == 4:
            segments = struct.unpack_from(">H", table, at + 6)[0] // 2
            last = np.frombuffer(table, ">u2", segments, at + 14)
            found = np.stack([np.frombuffer(table, ">u2", segments, at + 16 + 2 * segments), last])
        else:
            continue
        if found.shape[1] and found[1, -1] >= ranges[1].max(initial=0):
            ranges = found.astype(np.int64)
    return ranges[0], ranges[1]
