"""Tables of run lengths, as competitions want them: one row a mask, one image in several rows.

A table is walked once, line by line, for what is where; the rows of an image are read when its mask
is wanted. So memory does not grow with the run lengths.
"""

from __future__ import annotations

import csv
import os
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from segeval.errors import MaskError, Problem
from segeval.inputs.annotations import Annotation, Index, Shape
from segeval.inputs.files import named
from segeval.inputs.rle import Runs, check_runs, parse_pairs, unite
from segeval.settings import AnnotationChoice
from segeval.text import quoted, reason_of
from segeval.textfiles import TextError, lines_with_places, open_at_once

if TYPE_CHECKING:
    from numpy.typing import NDArray

COLUMNS: Final = {
    "image": "imageid image_id id img image filename file_name name".split(),
    "rle": "encodedpixels encoded_pixels rle rle_mask predicted segmentation annotation".split(),
    "class": "classid class_id class categoryid category_id label class_name".split(),
    "height": "height image_height img_height".split(),
    "width": "width image_width img_width".split(),
}
"""What competitions call the columns, in small letters, the usual name first."""

TABLE_FORMS: Final = {"kaggle-rle"}
FOREGROUND: Final = 1  # the value of the runs of a table without classes


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How the lines of a table are read: what parts their cells, and which cell is what."""

    form: str
    delimiter: str
    places: dict[str, int]  # of the columns of `COLUMNS` that there are
    header: bool = True

    def cells(self, line: bytes) -> list[str]:
        """Return the cells of a line."""
        text = line.decode("utf-8").rstrip("\r\n")
        if '"' not in text:
            return text.split(self.delimiter)
        return next(csv.reader([text], delimiter=self.delimiter, strict=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Where a row of a table is, and what its runs hold."""

    line: int
    start: int  # of its bytes in the file
    length: int
    value: int = FOREGROUND


@dataclass(frozen=True, slots=True, kw_only=True)
class TableMask(Annotation):
    """The rows of one image in a table of run lengths."""

    layout: Layout
    choice: AnnotationChoice
    rows: tuple[Row, ...]
    stamp: tuple[int, int]  # size and time of the file when its lines were found

    def content(self) -> bytes:
        """Return the lines of this image; a MaskError if the table has changed meanwhile."""
        return b"".join(self._lines())

    def _lines(self) -> list[bytes]:
        try:
            with open(self.path, "rb", opener=open_at_once) as file:
                if _stamp(os.fstat(file.fileno())) != self.stamp:
                    raise MaskError("the table changes while it is read; wait until it is written")
                return [os.pread(file.fileno(), row.length, row.start) for row in self.rows]
        except OSError as error:
            raise MaskError(f"cannot be read: {reason_of(error)}") from error

    def runs(self, shape: Shape) -> Runs:
        """Return the mask as run lengths; a MaskError tells all that is wrong with its rows."""
        found, faults = [], []
        for row, line in zip(self.rows, self._lines(), strict=True):
            try:
                cell = self.layout.cells(line)[self.layout.places["rle"]].strip().encode()
                starts, ends = parse_pairs(cell, self.choice.rle_base)
                wrong = [*check_runs(starts, ends, shape[0] * shape[1], self.choice.rle_base)]
                found.append((starts, ends, row.value))
            except MaskError as error:
                wrong = [str(error)]
            faults += [f"line {row.line}: image {self.key}: {fault}" for fault in wrong]
        if faults:
            raise MaskError("; ".join(faults))
        return unite(found, shape, self.choice.rle_order)

    def values(self, shape: Shape) -> NDArray[Any]:
        """Return the mask, (H, W); a MaskError tells all that is wrong with its rows."""
        return self.runs(shape).mask()


@dataclass(slots=True, kw_only=True)
class _Table:
    """What is found in a table: the rows of every image, and what is wrong with lines."""

    layout: Layout
    stamp: tuple[int, int]
    rows: dict[str, list[Row]] = field(default_factory=dict)
    sizes: dict[str, Shape] = field(default_factory=dict)
    faults: list[tuple[str, str]] = field(default_factory=list)  # image or file, what is wrong


def index_table(path: Path, choice: AnnotationChoice) -> Index:
    """Find the images of a table."""
    try:
        with named(path):
            table = _walk(str(path), _stamp(os.stat(path)), choice)
    except MaskError as error:
        problem = Problem(name=str(path), kind="unreadable table", detail=str(error))
        return Index(files={}, problems=[problem])
    except OSError as error:
        detail = f"{path}: cannot be read: {reason_of(error)}"
        return Index(
            files={}, problems=[Problem(name=str(path), kind="unreadable table", detail=detail)]
        )
    problems = [
        Problem(name=name, kind="unreadable row", detail=f"{path}: {fault}")
        for name, fault in table.faults
    ]
    masks = {key: _mask(path, key, table, choice) for key in table.rows}
    facts = (table.layout.form, *([choice.said_size] if choice.size else []))
    return Index(files=masks, problems=problems, facts=(f"format:{facts[0]}", *facts[1:]))


def table_mask(path: Path, key: str, form: str, size: Shape) -> TableMask:
    """Find the rows of an image again, by what a run tells of it."""
    choice = AnnotationChoice(size=size, **_choices(form))
    with named(path):
        table = _walk(str(path), _stamp(os.stat(path)), choice)
    return _mask(path, key, table, choice)


def _choices(form: str) -> dict[str, Any]:
    stated = dict(part.partition(":")[::2] for part in form.split(",")[1:])
    return {"rle_order": stated["order"], "rle_base": int(stated["base"])}


def _mask(path: Path, key: str, table: _Table, choice: AnnotationChoice) -> TableMask:
    return TableMask(
        path=path,
        key=key,
        form=table.layout.form,
        size=table.sizes.get(key, choice.size),
        layout=table.layout,
        choice=choice,
        rows=tuple(table.rows.get(key, ())),
        stamp=table.stamp,
    )


def _stamp(status: os.stat_result) -> tuple[int, int]:
    return status.st_size, status.st_mtime_ns


@lru_cache(maxsize=4)
def _walk(path: str, stamp: tuple[int, int], choice: AnnotationChoice) -> _Table:
    """Find the rows of every image; a table is walked once a process, as long as it is the same."""
    lines = lines_with_places(path)
    table: _Table | None = None
    try:
        for number, (start, line) in enumerate(lines, 1):
            if table is None:
                table = _Table(layout=layout_of(line, choice), stamp=stamp)
                if table.layout.header:
                    continue
            if line.strip():
                _add(table, Row(line=number, start=start, length=len(line)), line)
    except TextError as error:
        raise MaskError(str(error)) from error
    if table is None:
        raise MaskError("the table is empty")
    return table


def _add(table: _Table, row: Row, line: bytes) -> None:
    cells = table.layout.cells(line)
    key = cells[table.layout.places["image"]].strip()
    table.rows.setdefault(key, []).append(row)


def layout_of(line: bytes, choice: AnnotationChoice) -> Layout:
    """Tell from the first line of a table what its columns are."""
    text = line.decode("utf-8-sig").rstrip("\r\n")
    settings = f"order:{choice.rle_order},base:{choice.rle_base}"
    cells = next(csv.reader([text]), [])
    names = [cell.strip().lower() for cell in cells]
    places = {
        what: names.index(name)
        for what, known in COLUMNS.items()
        for name in known
        if name in names
    }
    if not {"image", "rle"} <= places.keys():
        raise MaskError(
            f"line 1: {quoted(text)} does not name the columns of a table of run lengths"
        )
    return Layout(form=f"kaggle-rle,{settings}", delimiter=",", places=places)
