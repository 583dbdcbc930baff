"""What the lines of a table of run lengths are: told by its first line, or by the user.

Competitions agree on what a row says, and not on what its columns are called.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from segeval.settings import AnnotationChoice
from segeval.text import did_you_mean, quoted
from segeval.textfiles import TextError

SPELLINGS: Final = {
    "image": "imageid id img image filename file name",
    "rle": "encodedpixels rle rlemask predicted prediction segmentation annotation mask",
    "class": "classid class categoryid category label classname",
    "height": "height imageheight imgheight",
    "width": "width imagewidth imgwidth",
}
"""What competitions call the columns, in small letters and digits alone, the usual name first."""

JOINED: Final = {"imageidclassid", "imageclassid", "imagelabel", "imageidlabel"}
"""Columns of an image and its class, with a line under between them."""

DELIMITERS: Final = ",\t;"
IMAGE_NAME: Final = re.compile(r"[^,;]+\.(?:jpe?g|png|tiff?|bmp)", re.IGNORECASE)
EXAMPLE: Final = "--columns image=NAME,rle=NAME"


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How the lines of a table are read: what parts their cells, and which cell is what."""

    name: str  # of the form, e.g. kaggle-rle
    delimiter: str
    places: Mapping[str, int]  # of the columns of `SPELLINGS` that there are
    width: int  # number of cells of a line
    joined: bool = False  # whether the class stands behind the name of the image
    header: bool = True

    def cells(self, line: bytes) -> list[str]:
        """Return the cells of a line; a TextError says why it has not as many as it should."""
        text = _text(line)
        cells = text.split(self.delimiter) if '"' not in text else _unquoted(text, self.delimiter)
        if len(cells) == 1 < self.width and not self.header:
            cells.append("")  # a tab at the end was lost
        if len(cells) == 1 and self.delimiter in cells[0] and '"' in text:
            raise TextError(
                "the whole line stands in quotes, so it is one cell; write it without them"
            )
        if len(cells) != self.width:
            raise TextError(f"it has {len(cells)} cells, not {self.width} as the first line")
        return [cell.strip() for cell in cells]

    def run_lengths(self, cells: list[str]) -> bytes:
        """Return the run lengths of a line."""
        return cells[self.places["rle"]].encode()

    def image(self, cells: list[str]) -> tuple[str, str]:
        """Return the image of a line and its class, which is empty if there are no classes."""
        key = cells[self.places["image"]]
        if self.joined:
            name, _, label = key.rpartition("_")
            return (name, label) if name else (key, "")
        return key, cells[self.places["class"]] if "class" in self.places else ""

    def likely_image(self, line: bytes) -> str:
        """Return what seems to be the image of a line that is not understood, to name it."""
        cells = line.decode("utf-8", "replace").split(self.delimiter)
        return cells[min(self.places["image"], len(cells) - 1)].strip(' "\r\n')

    @property
    def classes(self) -> bool:
        """Whether rows state a class."""
        return self.joined or "class" in self.places

    def size(self, cells: list[str]) -> tuple[str, str] | None:
        """Return what a line says of height and width, or None."""
        if not {"height", "width"} <= self.places.keys():
            return None
        return cells[self.places["height"]], cells[self.places["width"]]


def layout_of(line: bytes, choice: AnnotationChoice) -> Layout:
    """Tell from the first line of a table what its columns are; a TextError if it does not say."""
    text = _text(line)
    named = [(mark, _unquoted(text, mark)) for mark in DELIMITERS if mark in text]
    for delimiter, cells in named:
        places = _places(cells, choice)
        if {"image", "rle"} <= places.keys():
            name = plain_name(cells[places["image"]])
            return Layout(
                name="table-rle" if choice.columns else "kaggle-rle",
                delimiter=delimiter,
                places=places,
                width=len(cells),
                joined=name in JOINED and "class" not in places,
            )
    if not choice.columns and _is_plain_row(text):
        places = {"image": 0, "rle": 1}
        return Layout(name="tianchi-rle", delimiter="\t", places=places, width=2, header=False)
    raise TextError(_advice(text, named, choice))


def _text(line: bytes) -> str:
    try:
        return line.decode().removeprefix("\ufeff").rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise TextError("it is not UTF-8 text") from error


def _unquoted(text: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([text], delimiter=delimiter, strict=True), [""])
    except csv.Error as error:
        raise TextError(f"its quotes are not closed ({error})") from error


def plain_name(name: str) -> str:
    """Return small letters and digits of the name of a column, which spellings have in common."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _places(cells: list[str], choice: AnnotationChoice) -> dict[str, int]:
    """Return which column is what, by the names that the user gave, or else by the usual ones."""
    stated, names = dict(choice.columns), [cell.strip() for cell in cells]
    plain = [plain_name(name) for name in names]
    places = {what: names.index(name) for what, name in stated.items() if name in names}
    for what in SPELLINGS.keys() - stated.keys():
        known = [*SPELLINGS[what].split(), *(JOINED if what == "image" else ())]
        if found := [plain.index(name) for name in known if name in plain]:
            places[what] = found[0]
    return places


def _is_plain_row(text: str) -> bool:
    """Whether a line is a row of a table without a header: a name, a tab, and run lengths."""
    name, tab, runs = text.partition("\t")
    if not tab:
        return IMAGE_NAME.fullmatch(text) is not None
    return bool(name) and not runs.strip("0123456789 -")


def _advice(text: str, named: list[tuple[str, list[str]]], choice: AnnotationChoice) -> str:
    """Say what the first line lacks, and what to do."""
    if text.startswith('"') and text.endswith('"') and '"' not in text.strip('"'):
        return "line 1: the whole line stands in quotes, so it is one cell; write it without them"
    names = max((cells for _, cells in named), key=len, default=[text])
    for what, name in choice.columns:
        if name and name not in names:
            return (
                f"line 1: there is no column {quoted(name)} for --columns {what}"
                f"{did_you_mean(name, names)}; there are {quoted(', '.join(names))}"
            )
    return (
        f"line 1: {quoted(text)} does not name the columns of a table of run lengths; write "
        f"ImageId,EncodedPixels above the rows, or name yours with {EXAMPLE}"
    )
