"""Tables of run lengths, as competitions want them: one row a mask, one image in several rows.

A table is walked once, line by line, for what is where; the rows of an image are read when its mask
is wanted. So memory does not grow with the run lengths.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self
from urllib.parse import quote, unquote

from segeval.errors import MaskError, Problem
from segeval.inputs.annotations import Annotation, Index, RowTexts, Shape
from segeval.inputs.files import Stamp, named, read_parts, stamp_of
from segeval.inputs.layouts import Layout, layout_of
from segeval.inputs.rle import NOTHING, Runs, check_runs, parse_pairs, unite
from segeval.settings import AnnotationChoice, RleOrder
from segeval.text import counted, quoted, reason_of
from segeval.textfiles import TextError, lines_with_places

if TYPE_CHECKING:
    from numpy.typing import NDArray

FOREGROUND: Final = 1  # the value of the runs of a table without classes
MOST_FAULTS: Final = 1000  # rows of a table that are told to be wrong, one by one
MOST_NAME: Final = 4096  # characters of the name of an image
SHOWN: Final = 40  # of those of a longer one
LARGEST_CLASS: Final = 1 << 31


class Row(NamedTuple):
    """Where a row of a table is, and the class of its runs, as the table writes it."""

    line: int
    start: int  # of its bytes in the file
    length: int
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What the rows of a table mean: as the user says, with the values of classes of names."""

    choice: AnnotationChoice
    classes: Mapping[str, int]

    def form(self, layout: Layout) -> str:
        """Write what decides the pixels, and what its columns are called by the user."""
        parts = [layout.name, f"order:{self.choice.rle_order}", f"base:{self.choice.rle_base}"]
        parts += ["starts:relative"] if self.choice.rle_starts == "relative" else []
        parts += ["rows:objects"] if self.choice.rle_rows == "objects" else []
        for what, stated in (("classes", self.classes), ("columns", dict(self.choice.columns))):
            pairs = [
                f"{quote(str(k), safe='')}={quote(str(v), safe='')}" for k, v in stated.items()
            ]
            parts += [f"{what}:{';'.join(pairs)}"] if pairs else []
        return ",".join(parts)

    @classmethod
    def of(cls, form: str, size: Shape | None) -> Self:
        """Read what `form` writes; a ValueError if it has not."""
        parts = dict(part.partition(":")[::2] for part in form.split(",")[1:])
        classes, columns = (_pairs(parts.get(what, "")) for what in ("classes", "columns"))
        choice = AnnotationChoice(
            size=size,
            columns=tuple(columns),
            rle_order="row" if parts.get("order") == "row" else "column",
            rle_base=int(parts.get("base") != "0"),
            rle_starts="relative" if parts.get("starts") == "relative" else "absolute",
            rle_rows="objects" if parts.get("rows") == "objects" else "mask",
        )
        return cls(choice=choice, classes={name: int(value) for name, value in classes})


def _pairs(text: str) -> list[tuple[str, str]]:
    """Parse ``name=value;…``; a ValueError if it is not so."""
    pairs = []
    for part in filter(None, text.split(";")):
        name, value = part.split("=")
        pairs.append((unquote(name), unquote(value)))
    return pairs


@dataclass(frozen=True, slots=True, kw_only=True)
class TableMask(Annotation):
    """The rows of one image in a table of run lengths."""

    layout: Layout
    meaning: Meaning
    rows: tuple[Row, ...]
    stamp: Stamp  # of the file when its lines were found

    def content(self) -> bytes:
        """Return the lines of this image; a MaskError if the table has changed meanwhile."""
        return b"".join(self._lines())

    def _lines(self) -> list[bytes]:
        """Read the lines of the rows, which lie where they were found."""
        return read_parts(self.path, self.stamp, ((row.start, row.length) for row in self.rows))

    def runs(self, shape: Shape, *, objects: bool = False) -> Runs:
        """Return the mask as run lengths; a MaskError tells all that is wrong with its rows."""
        del objects
        found, faults = [], []
        seen: dict[tuple[str, bytes], int] = {}
        base, relative = self.meaning.choice.rle_base, self.meaning.choice.rle_starts == "relative"
        for number, (row, cell) in enumerate(zip(self.rows, self._cells(), strict=True), 1):
            first = seen.setdefault((row.label, cell), row.line)
            try:
                starts, ends = parse_pairs(cell, base, relative=relative)
                wrong = [*check_runs(starts, ends, shape, base)]
                found.append((starts, ends, self._value(row.label, number)))
            except MaskError as error:
                wrong = [str(error)]
            if first != row.line and cell not in NOTHING:
                wrong = [f"the same run lengths stand on line {first} already; remove one of them"]
            faults += [f"line {row.line}: image {self.key}: {fault}" for fault in wrong]
        if faults:
            raise MaskError("; ".join(faults))
        return unite(found, shape, self.meaning.choice.rle_order)

    def texts(self) -> RowTexts:
        """Return the rows as they are written."""
        choice = self.meaning.choice
        values = [self._value(row.label, number) for number, row in enumerate(self.rows, 1)]
        relative = choice.rle_starts == "relative"
        mark, place = ord(self.layout.delimiter), self.layout.places["rle"]
        rows = [*zip(self._lines(), values, strict=True)]
        return RowTexts(choice.rle_order, choice.rle_base, relative, mark, place, rows)

    def _cells(self) -> list[bytes]:
        return [self.layout.run_lengths(self.layout.cells(line)) for line in self._lines()]

    def _value(self, label: str, number: int) -> int:
        """Return what the runs of a row hold, by its class, or by its number in the image."""
        if not label:
            return number if self.meaning.choice.rle_rows == "objects" else FOREGROUND
        return self.meaning.classes[label] if label in self.meaning.classes else int(label)

    def values(self, shape: Shape) -> NDArray[Any]:
        """Return the mask, (H, W); a MaskError tells all that is wrong with its rows."""
        return self.runs(shape).mask()

    def turned(self) -> TableMask:
        """Return the mask whose runs go the other way."""
        order: RleOrder = "row" if self.meaning.choice.rle_order == "column" else "column"
        choice = replace(self.meaning.choice, rle_order=order)
        return replace(self, meaning=replace(self.meaning, choice=choice))


@dataclass(slots=True, kw_only=True)
class Table:
    """What is found in a table: the rows of every image, and what is wrong with lines."""

    layout: Layout
    stamp: Stamp
    rows: dict[str, list[Row]] = field(default_factory=dict)
    sizes: dict[str, Shape] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)  # of classes that are no numbers
    faults: list[tuple[str, str]] = field(default_factory=list)  # of an image, with its line

    def add(self, number: int, start: int, line: bytes) -> None:
        """Take note of a row, or of what is wrong with it."""
        try:
            cells = self.layout.cells(line)
        except TextError as error:
            key = _shown(self.layout.likely_image(line))
            self.rows.setdefault(key, [])
            self.faults.append((key, f"line {number}: image {key}: {error}"))
            return
        name, label = self.layout.image(cells)
        key = _shown(name)
        rows = self.rows.setdefault(key, [])
        label = self.names.setdefault(label, label) if label else ""
        rows.append(Row(number, start, len(line), label))
        faults = [*_label_faults(label)] if label else []
        if "height" in self.layout.places:
            faults += self._size_faults(key, cells)
        if not key:
            faults.append("the name of the image is empty")
        if key != name:
            faults.append(f"the name of the image has {len(name)} characters")
        if self.layout.classes and not label and self.layout.run_lengths(cells) not in NOTHING:
            faults.append("the class of its run lengths is empty")
        self.faults += [(key, f"line {number}: image {key}: {fault}") for fault in faults]

    def mask(self, path: Path, key: str, meaning: Meaning, form: str) -> TableMask:
        """Return the mask of an image; one that is not there has no rows."""
        return TableMask(
            path=path,
            key=key,
            form=form,
            size=self.sizes.get(key, meaning.choice.size),
            layout=self.layout,
            meaning=meaning,
            rows=tuple(self.rows.get(key, ())),
            stamp=self.stamp,
        )

    def _size_faults(self, key: str, cells: list[str]) -> Iterable[str]:
        """Take note of the size that a row states, or say what is wrong with it."""
        stated = self.layout.size(cells)
        if stated is None:
            return
        if not all(text.isdigit() and 0 < len(text) < 10 and int(text) for text in stated):
            yield f"height {quoted(stated[0])} and width {quoted(stated[1])} are no size"
            return
        size = int(stated[0]), int(stated[1])
        if self.sizes.setdefault(key, size) != size:
            yield f"another line says that it is {self.sizes[key][1]}×{self.sizes[key][0]} pixels"


def _shown(name: str) -> str:
    """Cut a name that is longer than that of any file."""
    return name if len(name) <= MOST_NAME else f"{name[:SHOWN]}…"


def _label_faults(label: str) -> Iterable[str]:
    """Say why a class that is a number is none that runs can hold."""
    if label.removeprefix("-").isdigit() and not (
        label.isdigit() and len(label) < 11 and 0 < int(label) < LARGEST_CLASS
    ):
        yield (
            f"class {quoted(label)}: classes are numbered from 1 on, as 0 is what pixels without "
            "runs hold"
        )


def index_table(path: Path, meaning: Meaning) -> Index:
    """Find the images of a table."""
    choice = meaning.choice
    try:
        table = open_table(path, choice)
    except MaskError as error:
        problem = Problem(name=str(path), kind="unreadable table", detail=str(error))
        return Index(files={}, problems=[problem])
    form = meaning.form(table.layout)
    masks = {key: table.mask(path, key, meaning, form) for key in table.rows}
    facts = [f"format:{form.partition(',columns:')[0]}"]
    if choice.size and len(table.sizes) < len(table.rows):
        facts.append(choice.said_size)
    if table.layout.classes:
        facts.append("overlap:later")
    names = {value: name for name, value in meaning.classes.items()}
    return Index(files=masks, problems=_problems(path, table), facts=tuple(facts), names=names)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredMask(Annotation):
    """A mask of a table that a run tells of; its rows are looked for when they are wanted."""

    def _found(self) -> TableMask:
        try:
            meaning = Meaning.of(self.form, self.size)
        except ValueError as error:
            raise MaskError(f"its form {quoted(self.form)} is not understood") from error
        table = open_table(self.path, meaning.choice)
        return table.mask(self.path, self.key, meaning, self.form)

    def content(self) -> bytes:
        """Return the lines of this image."""
        return self._found().content()

    def values(self, shape: Shape) -> NDArray[Any]:
        """Return the mask, (H, W)."""
        return self._found().values(shape)

    def runs(self, shape: Shape, *, objects: bool = False) -> Runs:
        """Return the mask as run lengths."""
        return self._found().runs(shape, objects=objects)

    def texts(self) -> RowTexts:
        """Return the rows as they are written."""
        return self._found().texts()

    def turned(self) -> TableMask:
        """Return the mask whose runs go the other way."""
        return self._found().turned()


def open_table(path: Path, choice: AnnotationChoice) -> Table:
    """Walk a table, once a process as long as it stays the same; a MaskError if it is none."""
    with named(path):
        try:
            return _walk(str(path), stamp_of(path), choice.columns)
        except TextError as error:
            raise MaskError(str(error)) from error
        except OSError as error:
            raise MaskError(f"cannot be read: {reason_of(error)}") from error


def meaning_of(tables: Iterable[Path], choice: AnnotationChoice) -> Meaning:
    """Return what the rows of tables mean; they share the numbers of classes that have names."""
    names: list[str] = []
    for path in tables:
        with suppress(MaskError):  # what cannot be read is told by `index_table`
            names += open_table(path, choice).names
    return Meaning(choice=choice, classes=number_classes(names))


def number_classes(names: Iterable[str]) -> dict[str, int]:
    """Return the numbers of classes from 1 on, in the order of names; none for numbers alone.

    >>> number_classes(["Flower", "Fish", "Fish"]), number_classes(["4", "1"])
    ({'Fish': 1, 'Flower': 2}, {})
    """
    words = sorted(set(names))
    if all(name.removeprefix("-").isdigit() for name in words):
        return {}
    return {name: number for number, name in enumerate(words, 1)}


@lru_cache(maxsize=4)
def _walk(path: str, stamp: Stamp, columns: tuple[tuple[str, str], ...]) -> Table:
    """Find the rows of every image."""
    table: Table | None = None
    for number, (start, line) in enumerate(lines_with_places(path), 1):
        if table is None:
            layout = layout_of(line, AnnotationChoice(columns=columns))
            table = Table(layout=layout, stamp=stamp)
            if layout.header:
                continue
        if line.strip():
            table.add(number, start, line)
    if table is None or not (table.rows or table.faults):
        raise TextError("it holds no rows of run lengths")
    return table


def _problems(path: Path, table: Table) -> list[Problem]:
    """Return what is wrong with rows; with the first ones, where there are many."""
    problems = [
        Problem(name=name, kind="unreadable row", detail=f"{path}: {fault}")
        for name, fault in table.faults[:MOST_FAULTS]
    ]
    if (more := len(table.faults) - MOST_FAULTS) > 0:
        detail = f"{path}: {counted(more, 'more row')} cannot be read either"
        problems.append(Problem(name=str(path), kind="unreadable row", detail=detail))
    return problems
