"""The rows of a run file, which are checked here, once, before anything is made of them.

Damage shows in types, in ranges, in numbers of pixels and in checksums. What is made on purpose
can have a right checksum, so that no check stands in for another.
"""

from __future__ import annotations

import itertools
import json
import operator
import re
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Final, Never

import numpy as np
from numpy.typing import NDArray

from segeval.counting.contingency import ContingencyTable
from segeval.counting.counts import BLOCK, Counts
from segeval.counting.run import ImageInfo, Images, Provenance
from segeval.counting.runschema import COLUMNS, LATER, columns_of
from segeval.errors import Problem
from segeval.text import shortened
from segeval.values import COLOR, are_values

if TYPE_CHECKING:
    import sqlite3

MARK: Final = 1 << 24  # of colours in schema 1, in place of `COLOR`
MANY: Final = 1 << 10  # images of a run that are looked at together, at most
MOST: Final = 1 << 53  # pixels of an image, below which float64 counts exactly
FIELDS: Final = [{"group_name": "group"}.get(name, name) for name in COLUMNS]  # of `ImageInfo`
NUMBERS: Final = {"id", "checksum", "height", "width"}  # columns of images; others hold text
INTEGERS: Final = re.compile(r"\[[-0-9,]*\]")  # a list of JSON that holds nothing else
SELECT_COUNTS: Final = (
    "SELECT json_group_array(image), json_group_array(truth), json_group_array(prediction), "
    "json_group_array(pixels) FROM (SELECT image, truth, prediction, pixels FROM counts "
    "WHERE image BETWEEN ? AND ? LIMIT ?)"
)
INSERT_COUNTS: Final = "INSERT INTO counts (image, truth, prediction, pixels) VALUES "
TOO_MANY: Final = "there are more rows than the file has room for"
TOGETHER: Final = 128  # rows of counts in one statement, half the time of one each


@dataclass(slots=True, kw_only=True)
class StoredImages:
    """The images of a file in the order of their names; one with a fault can be counted again."""

    numbers: NDArray[np.int64]
    images: Images
    rows: NDArray[np.int64]  # checksums of what is known of each, without its counts
    checksums: NDArray[np.int64]
    faults: dict[int, str] = field(default_factory=dict)  # by position


row_of: Callable[[ImageInfo], tuple[Any, ...]] = operator.attrgetter(*FIELDS)
"""Returns what is known of an image, in the order of `COLUMNS`."""


def checksum_of_row(row: Iterable[Any]) -> int:
    """Return the CRC-32 of what is known of an image, as text parted by NUL."""
    return zlib.crc32("\0".join(map(str, row)).encode())


def checksum_of_counts(truth: memoryview, prediction: memoryview, pixels: memoryview) -> int:
    """Return the CRC-32 of the counts of an image, column by column; see `packed`."""
    return zlib.crc32(pixels, zlib.crc32(prediction, zlib.crc32(truth)))


def packed(table: ContingencyTable | Counts) -> list[memoryview]:
    """Return the three columns of counts as little-endian integers of 64 bits."""
    columns = (table.truth, table.prediction, table.pixels)
    return [np.ascontiguousarray(column, "<i8").data for column in columns]


def insert_counts(
    connection: sqlite3.Connection,
    numbers: NDArray[np.int64],
    tables: Sequence[ContingencyTable | Counts],
) -> None:
    """Write the rows of tables, end to end, each with the number of its image."""
    if not tables:
        return
    columns = zip(*((t.truth, t.prediction, t.pixels) for t in tables), strict=True)
    rows = np.stack([numbers, *map(np.concatenate, columns)], axis=1)
    whole = len(rows) // TOGETHER * TOGETHER
    for size, part in ((TOGETHER, rows[:whole]), (1, rows[whole:])):
        query = INSERT_COUNTS + ", ".join(["(?, ?, ?, ?)"] * size)
        connection.executemany(query, map(np.ndarray.tolist, part.reshape(-1, 4 * size)))


def checksum_of_run(facts: str, problems: Iterable[Problem], images: Iterable[int]) -> str:
    """Return the CRC-32 of what happened, and of the checksums of all images, in order.

    That of the JSON of three lists, of which the last is never held as a whole.
    """
    stated = json.dumps([facts, [[p.name, p.kind, p.detail] for p in problems], []])
    done = zlib.crc32(stated.removesuffix("]]").encode())
    marks, comma = iter(images), ""
    while block := ", ".join(map(str, itertools.islice(marks, BLOCK))):
        done, comma = zlib.crc32(f"{comma}{block}".encode(), done), ", "
    return str(zlib.crc32(b"]]", done))


def read_rows(
    connection: sqlite3.Connection, schema: str, most: int, *, fingerprints: bool = True
) -> tuple[StoredImages, Counts]:
    """Read all images, in the order of their names, with their counts; ``most`` bounds the rows.

    Fingerprints take as much memory as all else that is known of an image, and are left out if they
    are not asked for.

    What cannot be a row of ours is a ValueError or TypeError. Counts that can be, and are not as
    they were written, are a fault of their image. The checksum of an image is that of its row, xor
    that of its counts.
    """
    stored = _read_images(connection, most, fingerprints=fingerprints)
    summed = "checksum" in columns_of(connection, "images")
    parts = _read_counts(connection, schema, stored.numbers, most)
    counts = _check_all(stored, parts, summed=summed)
    _check_number(connection, len(counts), most)
    return stored, counts


def checked_blocks(
    connection: sqlite3.Connection, schema: str, most: int
) -> Iterator[StoredImages]:
    """Check everything as `read_rows` does, but yield some images at a time, by their numbers."""
    rows = _select_images(connection, most, "id")
    summed, size, seen = "checksum" in columns_of(connection, "images"), 1, 0
    while block := list(itertools.islice(rows, size)):
        stored = _stored(block, object())
        counts = _read_counts(connection, schema, stored.numbers, most)
        found = len(_check_all(stored, counts, summed=summed))
        seen += found
        size = max(1, min(MANY, BLOCK * size // max(1, found)))
        yield stored
    _check_number(connection, seen, most)


def _check_number(connection: sqlite3.Connection, seen: int, most: int) -> None:
    """Refuse a file that holds more counts than those of its images."""
    query = "SELECT count(*) FROM (SELECT 1 FROM counts LIMIT ?)"
    if connection.execute(query, (most + 1,)).fetchone() != (seen,):
        raise ValueError("there are counts of an image that is not there")


def _check_all(stored: StoredImages, parts: Iterable[Counts], *, summed: bool) -> Counts:
    """Put counts in order, and check those of every image."""
    counts = _in_order(Counts.joined(parts))
    done = 0
    for block in counts.blocks():
        end = int(block.image[-1]) + 1
        _check(stored, block, slice(done, end), summed=summed)
        done = end
    _check(stored, counts.select(slice(0)), slice(done, len(stored.images)), summed=summed)
    return counts


def _check(stored: StoredImages, block: Counts, part: slice, *, summed: bool) -> None:
    """Find the faults of some images, and give each the checksum of what is there."""
    places = range(len(stored.images))[part]
    height, width = (stored.images.column(name)[part] for name in ("height", "width"))
    areas = np.array(height, np.int64) * np.array(width, np.int64)
    image = block.image - part.start
    sums = np.bincount(image, block.pixels, len(places))
    sums[image[_are_wrong(block, areas[image])]] = -1
    whole = (sums == areas).tolist()
    starts = np.searchsorted(image, np.arange(len(places) + 1)).tolist()
    columns = packed(block)
    known, rows = stored.checksums[part].tolist(), stored.rows[part].tolist()
    for number, place in enumerate(places):
        own = slice(starts[number], starts[number + 1])
        mark = rows[number] ^ checksum_of_counts(*(column[own] for column in columns))
        if not whole[number]:
            name = shortened(stored.images.names[place])
            stored.faults[place] = f"the counts of {name} are not complete"
        elif summed and mark != known[number]:
            name = shortened(stored.images.names[place])
            stored.faults[place] = f"{name} is not as it was written"
        rows[number] = mark
    stored.checksums[part] = rows


def _are_wrong(counts: Counts, areas: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether rows cannot be counts: too few or many pixels, no values, or a pair that is there."""
    image, truth, prediction = counts.image, counts.truth, counts.prediction
    wrong = (counts.pixels < 1) | (counts.pixels > areas)
    wrong |= ~(are_values(truth) & are_values(prediction))
    same = (column[1:] == column[:-1] for column in (image, truth, prediction))
    wrong[1:] |= np.logical_and.reduce([*same])
    return wrong


def _read_images(connection: sqlite3.Connection, most: int, *, fingerprints: bool) -> StoredImages:
    """Read all images in the order of their names."""
    images, origin = Images(), object()
    columns = [np.empty((0, 3), np.int64)]
    for block in blocks_of(_select_images(connection, most, "name"), MANY):
        part = _stored(block, origin, fingerprints=fingerprints)
        images.join(part.images)
        columns.append(np.stack([part.numbers, part.rows, part.checksums], axis=1))
    numbers, rows, checksums = np.concatenate(columns).T.copy()
    names = images.names
    ascending = all(map(operator.lt, names, itertools.islice(names, 1, None)))
    if not ascending or np.unique(numbers).size < len(names):
        raise ValueError("an image stands there twice")
    return StoredImages(images=images, numbers=numbers, rows=rows, checksums=checksums)


def _select_images(
    connection: sqlite3.Connection, most: int, order: str
) -> Iterator[tuple[Any, ...]]:
    """Return number, checksum and all that is known of every image."""
    known = ", ".join(columns_known(connection))
    query = f"SELECT id, {known} FROM images ORDER BY {order}"  # noqa: S608 - constant names
    return select(connection, query, most)


def columns_known(connection: sqlite3.Connection, place: str = "main") -> list[str]:
    """Return the columns of images but their numbers, or constants for those that are not there."""
    there = columns_of(connection, "images", place)
    stored = ("checksum", *COLUMNS)
    return [name if name in there else LATER[name].split()[-1] for name in stored]


def _stored(
    block: Sequence[tuple[Any, ...]], origin: object, *, fingerprints: bool = True
) -> StoredImages:
    """Check rows of images, and make columns of them."""
    cells = dict(zip(("id", "checksum", *COLUMNS), zip(*block, strict=True), strict=True))
    for name, column in cells.items():
        check_types(column, int if name in NUMBERS else str)
    for height, width in zip(cells["height"], cells["width"], strict=True):
        if min(height, width) < 0 or height * width >= MOST:
            raise ValueError(f"an image is {width}×{height} pixels")
    known = {own: cells[name] for own, name in zip(FIELDS, COLUMNS, strict=True)}
    if not fingerprints:
        known["fingerprints"] = ("",) * len(block)
    images = Images()
    images.extend(known | {"origin": [origin] * len(block)})
    return StoredImages(
        images=images,
        numbers=np.array(cells["id"], np.int64),
        rows=np.array([checksum_of_row(row[2:]) for row in block], np.int64),
        checksums=np.array(cells["checksum"], np.int64),
    )


def blocks_of(rows: Iterator[tuple[Any, ...]], size: int) -> Iterator[list[tuple[Any, ...]]]:
    """Cut rows into blocks."""
    while block := list(itertools.islice(rows, size)):
        yield block


def _read_counts(
    connection: sqlite3.Connection, schema: str, numbers: NDArray[np.int64], most: int
) -> Iterator[Counts]:
    """Read the counts of the images of these numbers, those of some images at a time."""
    order = np.argsort(numbers)
    ordered = numbers[order]
    first, size = 0, 1
    while first < len(order):
        some = ordered[first : first + size]
        number, truth, prediction, pixels = _select_counts(connection, some[0], some[-1], most)
        if schema == "1":
            truth, prediction = _recolored(truth), _recolored(prediction)
        place = np.searchsorted(ordered, number)
        if (ordered[place] != number).any():
            raise ValueError("there are counts of an image that is not there")
        yield Counts(image=order[place], truth=truth, prediction=prediction, pixels=pixels)
        first += size
        most -= number.size
        size = max(1, min(MANY, BLOCK * size // max(1, number.size)))


def _select_counts(
    connection: sqlite3.Connection, first: int, last: int, most: int
) -> NDArray[np.int64]:
    """Return image, truth, prediction and pixels of the counts of images in a range, (4, N).

    SQLite writes each column as a text, which takes half the time of a tuple a row.
    """
    texts = connection.execute(SELECT_COUNTS, (int(first), int(last), most + 1)).fetchone()
    if not all(map(INTEGERS.fullmatch, texts)):
        raise TypeError("there is no int in the place of one")
    cells = ",".join(text[1:-1] for text in texts).strip(",")  # commas alone where there is none
    columns = np.fromstring(cells, np.int64, sep=",") if cells else np.empty(0, np.int64)
    if columns.size > 4 * most:
        raise ValueError(TOO_MANY)
    return columns.reshape(4, -1)


def _in_order(counts: Counts) -> Counts:
    """Sort rows by image, truth and prediction, which they mostly are."""
    counts = counts.ordered()
    if all(_is_ascending(block.image, block.truth, block.prediction) for block in counts.blocks()):
        return counts
    return counts.select(np.lexsort((counts.prediction, counts.truth, counts.image)))


def _recolored(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return values of schema 1 as they are now."""
    return np.where((values >= MARK) & (values < 2 * MARK), values + (COLOR - MARK), values)


def _is_ascending(*columns: NDArray[np.int64]) -> bool:
    """Whether rows stand in the order of their columns, the first before the next."""
    ascending = np.ones(max(0, columns[0].size - 1), np.bool_)
    for column in reversed(columns):
        ascending &= column[1:] == column[:-1]
        ascending |= column[1:] > column[:-1]
    return bool(ascending.all())


def read_facts(text: str) -> Provenance:
    """Read what happened while a run was counted, but for the problems, from its JSON."""
    stated = json.loads(text)
    check_types([stated], dict)
    lists = {each.name for each in fields(Provenance)} - {"problems", "source", "names"}
    facts: dict[str, Any] = {name: stated[name] for name in lists & stated.keys()}
    source, named = stated.get("source", {}), stated.get("names", {})
    check_types(facts.values(), list)
    check_types([source, named, *named.values()], dict)
    called = [*itertools.chain(*(names.values() for names in named.values()))]
    check_types([*itertools.chain(*facts.values()), *source.values(), *called], str)
    check_types([int(value) for names in named.values() for value in names], int)
    parts = {name: tuple(texts) for name, texts in facts.items()}
    return Provenance(**parts, source=source, names=named)


def read_problems(connection: sqlite3.Connection, most: int) -> tuple[Problem, ...]:
    """Read what could not be counted."""
    rows = list(select(connection, "SELECT name, kind, detail FROM problems", most))
    check_types([*itertools.chain.from_iterable(rows)], str)
    return tuple(Problem(name=name, kind=kind, detail=detail) for name, kind, detail in rows)


def select(connection: sqlite3.Connection, query: str, most: int) -> Iterator[tuple[Any, ...]]:
    """Return rows, but no more than there is room for: one page can be made to stand for many."""
    rows = connection.execute(query)
    return itertools.chain(itertools.islice(rows, most), map(_refuse, rows))


def _refuse(_row: object) -> Never:
    raise ValueError(TOO_MANY)


def check_types(cells: Collection[Any], kind: type) -> None:
    """Refuse cells of another type, and texts that no name, path or message can be."""
    if any(found is not kind for found in map(type, cells)):
        raise TypeError(f"there is no {kind.__name__} in the place of one")
    if kind is str and any("\0" in cell for cell in cells):
        raise ValueError("there is NUL in a text")
