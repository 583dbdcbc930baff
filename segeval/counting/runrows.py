"""The rows of a run file, which are checked here, once, before anything is made of them.

Damage shows in types, in ranges, in numbers of pixels and in checksums. What is made on purpose
can have a right checksum, so that no check stands in for another.
"""

from __future__ import annotations

import itertools
import json
import zlib
from array import array
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Final, Never

import numpy as np
from numpy.typing import NDArray

from segeval.counting.contingency import ContingencyTable
from segeval.counting.run import Counts, ImageInfo, Provenance
from segeval.counting.runschema import COLUMNS, LATER, columns_of
from segeval.errors import Problem
from segeval.text import shortened
from segeval.values import COLOR, are_values

if TYPE_CHECKING:
    import sqlite3

MARK: Final = 1 << 24  # of colours in schema 1, in place of `COLOR`
MOST: Final = 1 << 53  # pixels of an image, below which float64 counts exactly
FIELDS: Final = [{"group_name": "group"}.get(name, name) for name in COLUMNS]  # of `ImageInfo`
NUMBERS: Final = {"id", "checksum", "height", "width"}  # columns of images; others hold text


@dataclass(slots=True, kw_only=True)
class StoredImage:
    """An image of a file; one with a fault can be counted again."""

    number: int
    info: ImageInfo
    row: int  # checksum of what is known of it, without its counts
    checksum: int
    fault: str = ""


def row_of(image: ImageInfo) -> list[Any]:
    """Return what is known of an image, in the order of `COLUMNS`."""
    return [getattr(image, name) for name in FIELDS]


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


def checksum_of_run(facts: str, problems: Iterable[Problem], images: Iterable[int]) -> str:
    """Return the CRC-32 of what happened, and of the checksums of all images."""
    stated = [facts, [[p.name, p.kind, p.detail] for p in problems], sorted(images)]
    return str(zlib.crc32(json.dumps(stated).encode()))


def read_rows(
    connection: sqlite3.Connection, schema: str, most: int
) -> tuple[list[StoredImage], Counts]:
    """Read all images, in the order of their names, with their counts; ``most`` bounds the rows.

    What cannot be a row of ours is a ValueError or TypeError. Counts that can be, and are not as
    they were written, are a fault of their image. The checksum of an image is that of its row, xor
    that of its counts.
    """
    images = _read_images(connection, most)
    counts = _read_counts(connection, schema, [image.number for image in images], most)
    areas = np.array([image.info.height * image.info.width for image in images], np.int64)
    sums = np.bincount(counts.image, counts.pixels, len(images))
    sums[counts.image[_are_wrong(counts, areas)]] = -1
    whole = (sums == areas).tolist()
    summed = "checksum" in columns_of(connection, "images")
    starts = np.searchsorted(counts.image, np.arange(len(images) + 1)).tolist()
    truth, prediction, pixels = packed(counts)
    for place, image in enumerate(images):
        part = slice(starts[place], starts[place + 1])
        mark = image.row ^ checksum_of_counts(truth[part], prediction[part], pixels[part])
        if not whole[place]:
            image.fault = f"the counts of {shortened(image.info.name)} are not complete"
        elif summed and mark != image.checksum:
            image.fault = f"{shortened(image.info.name)} is not as it was written"
        image.checksum = mark
    return images, counts


def _are_wrong(counts: Counts, areas: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether rows cannot be counts: too few or many pixels, no values, or a pair that is there."""
    wrong = (counts.pixels < 1) | (counts.pixels > areas[counts.image])
    wrong |= ~(are_values(counts.truth) & are_values(counts.prediction))
    wrong[1:] |= np.all(
        [column[1:] == column[:-1] for column in (counts.image, counts.truth, counts.prediction)],
        axis=0,
    )
    return wrong


def _read_images(connection: sqlite3.Connection, most: int) -> list[StoredImage]:
    there, stored = columns_of(connection, "images"), ("id", "checksum", *COLUMNS)
    columns = [name if name in there else LATER[name].split()[-1] for name in stored]
    query = f"SELECT {', '.join(columns)} FROM images ORDER BY name"  # noqa: S608 - constant names
    rows = list(select(connection, query, most))
    for name, column in zip(stored, zip(*rows, strict=True), strict=False):
        check_types(column, int if name in NUMBERS else str)
        if name in {"id", "name"} and len(set(column)) < len(column):
            raise ValueError("an image stands there twice")
    images = []
    for number, mark, *cells in rows:
        info = ImageInfo(**dict(zip(FIELDS, cells, strict=True)))
        if min(info.height, info.width) < 0 or info.height * info.width >= MOST:
            raise ValueError(f"an image is {info.width}×{info.height} pixels")
        row = checksum_of_row(cells)
        images.append(StoredImage(number=number, info=info, row=row, checksum=mark))
    return images


def _read_counts(
    connection: sqlite3.Connection, schema: str, numbers: Sequence[int], most: int
) -> Counts:
    """Read all counts in the order of their images, which have these numbers."""
    query = "SELECT image, truth, prediction, pixels FROM counts"
    cells = array("q", itertools.chain.from_iterable(select(connection, query, most)))
    number, truth, prediction, pixels = np.asarray(cells).reshape(-1, 4).T
    if schema == "1":
        truth, prediction = _recolored(truth), _recolored(prediction)
    image = _positions(number, np.array(numbers, np.int64))
    counts = Counts(image=image, truth=truth, prediction=prediction, pixels=pixels)
    if not _is_ascending(counts.image):
        counts = counts.select(np.argsort(counts.image, kind="stable"))
    if not _is_ascending(counts.image, counts.truth, counts.prediction):
        counts = counts.select(np.lexsort((counts.prediction, counts.truth, counts.image)))
    return counts


def _positions(numbers: NDArray[np.int64], known: NDArray[np.int64]) -> NDArray[np.intp]:
    """Return where each number stands among those that are known; equal ones lie together."""
    starts = np.flatnonzero(np.append(True, numbers[1:] != numbers[:-1])[: numbers.size])
    if not np.isin(numbers[starts], known).all():
        raise ValueError("there are counts of an image that is not there")
    order = np.argsort(known)
    place = order[np.searchsorted(known, numbers[starts], sorter=order)]
    return np.repeat(place, np.diff(starts, append=numbers.size))


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
    raise ValueError("there are more rows than the file has room for")


def check_types(cells: Collection[Any], kind: type) -> None:
    """Refuse cells of another type, and texts that no name, path or message can be."""
    if any(found is not kind for found in map(type, cells)):
        raise TypeError(f"there is no {kind.__name__} in the place of one")
    if kind is str and any("\0" in cell for cell in cells):
        raise ValueError("there is NUL in a text")
