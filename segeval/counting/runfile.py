"""A run in one SQLite file: written while counting, resumed after any interruption.

Images are committed about once a second, each with all of its counts, so that a file holds whole
images only. There is no write-ahead log: one file remains, readable where nothing can be written.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np

from segeval.counting.contingency import ContingencyTable
from segeval.counting.counts import Counts
from segeval.counting.measurerows import INSERT as INSERT_MEASURE
from segeval.counting.measurerows import facts_of, read_measures, row_of_measure, text_of
from segeval.counting.measures import Measured
from segeval.counting.run import CountedRun, ImageCounts, Provenance
from segeval.counting.runrows import (
    StoredImages,
    checked_blocks,
    checksum_of_counts,
    checksum_of_row,
    checksum_of_run,
    insert_counts,
    packed,
    read_facts,
    read_problems,
    read_rows,
    row_of,
    select,
)
from segeval.counting.runschema import (
    COLUMNS,
    LATER,
    MEASURES,
    SCHEMA,
    SUMMED,
    check_free,
    check_pages,
    check_schema,
    closed_on_error,
    columns_of,
    connect,
    explained,
    has_tables,
    make_tables,
    room_for_rows,
)
from segeval.errors import Problem, RunError
from segeval.files import put_in_place
from segeval.inputs.fingerprints import still_all
from segeval.inputs.pairing import Pair, placed
from segeval.text import counted

if TYPE_CHECKING:
    import sqlite3

WRITE_EVERY: Final = 1.0  # seconds between commits
INSERT_IMAGE: Final = (
    f"INSERT INTO images (id, {', '.join(COLUMNS)}, checksum) "  # noqa: S608 - constant names
    f"VALUES (?, {'?, ' * len(COLUMNS)}?)"
)
UPDATE_IMAGE: Final = (
    "UPDATE images SET group_name = ?, fingerprints = ?, checksum = ? WHERE id = ?"
)
TABLES_OF_IMAGES: Final = {"counts": "image", "measures": "image", "images": "id"}
"""Tables of which an image has rows, and their columns that say which."""


class RunFile:
    """An open run file, by `RunFile.open` or, for one that is to be written, `RunFile.create`."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection
        self._forgets = False
        self._explained = partial(explained, path)
        self.kept = CountedRun.of(())  # what `pending` found unchanged
        self._images: list[tuple[Any, ...]] = []
        self._tables: list[ContingencyTable] = []
        self._measures: list[tuple[Any, ...]] = []
        with explained(path):
            last = connection.execute("SELECT max(id) FROM images").fetchone()[0]
            self._next = (last or 0) + 1
        self._written = time.monotonic()

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open a run file; one that is missing, damaged, newer or no run is a `RunError`."""
        if not path.is_file():
            raise RunError(f"{path}: there is no such run file")
        connection = connect(path, "rw")
        with closed_on_error(connection):
            check_schema(path, connection)
            return cls(path, connection)

    @classmethod
    def create(cls, path: Path, *, resume: bool, overwrite: bool) -> Self:
        """Open a run file for writing: a new one, or one that is resumed or overwritten."""
        connection = connect(path, "rwc")
        with closed_on_error(connection):
            if has_tables(path, connection):
                check_schema(path, connection)
                check_pages(path, connection)
                if not (resume or overwrite):
                    raise RunError(
                        f"{path} exists; type --resume to count only what is new or changed, "
                        "or --overwrite to start anew"
                    )
            else:
                make_tables(path, connection)
            file = cls(path, connection)
        file._forgets = overwrite
        file._explained = partial(explained, path, keeps=True)
        return file

    @classmethod
    @contextmanager
    def whole(cls, path: Path, *, overwrite: bool) -> Iterator[Self]:
        """Give a new file that takes its place when all is well; else what was there stays."""
        check_free(path, overwrite=overwrite)
        if path.exists() and (path.stat().st_size or not path.is_file()):
            with closing(cls.create(path, resume=False, overwrite=overwrite)) as old:
                old.check_replaceable()
        with put_in_place(path) as target, closing(connect(target, "rwc")) as connection:
            with explained(path):
                connection.execute("PRAGMA journal_mode = OFF")  # a half file is thrown away
            make_tables(path, connection)
            file = cls(target, connection)
            file._explained = partial(explained, path)
            yield file

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Give the connection to who writes images in another way; errors are explained."""
        with self._explained():
            yield self._connection

    def check_replaceable(self) -> None:
        """Refuse a file that cannot be written to, or that another program writes."""
        with self._explained():
            self._begin()
            self._connection.execute("ROLLBACK")

    def close(self) -> None:
        """Write what waits, as far as that is possible, and close the file."""
        with suppress(RunError):
            self.flush()
        self._connection.close()

    def pending(self, pairs: Sequence[Pair], begun: Provenance) -> Sequence[Pair]:
        """Drop images that vanished or changed, and return the pairs that are to be counted.

        All pairs of the data set are given; waivers and shards must be those of the run.
        """
        with self._explained():
            self._begin()
            if not columns_of(self._connection, "measures"):
                self._connection.execute(MEASURES)
            if self._forgets:
                for table in (*TABLES_OF_IMAGES, "problems", "meta WHERE key <> 'schema'"):
                    self._connection.execute(f"DELETE FROM {table}")  # noqa: S608 - constant names
            self._check_settings(begun)
            stored, counts = self._rows()
            self._upgrade(stored, counts)
            measured = self._measured(stored)
            kept, left = _kept(stored, pairs)
            there = sorted(kept)
            gone = np.delete(stored.numbers, there).tolist()
            for table, key in TABLES_OF_IMAGES.items():
                query = f"DELETE FROM {table} WHERE {key} = ?"  # noqa: S608 - constant names
                self._connection.executemany(query, ((number,) for number in gone))
            self._connection.executemany(UPDATE_IMAGE, _changed(stored, kept))
            images = stored.images.take(there)
            for column, name in enumerate(("group", "fingerprints")):
                images = images.with_column(name, [kept[place][column] for place in there])
            places = np.full(len(stored.images), -1)
            places[there] = np.arange(len(there))
            measured = {kind: each.take(there) for kind, each in measured.items()}
            counts = counts.renumbered(places)
            self.kept = CountedRun.assembled(images, counts, measured=measured)
            self._set_provenance(begun)
            self._set("complete", "0")
            self._connection.execute("COMMIT")
        return [pairs[place] for place in left] if kept else pairs

    def _rows(self, *, fingerprints: bool = True) -> tuple[StoredImages, Counts]:
        """Read all images with their counts; see `read_rows`."""
        room = room_for_rows(self.path)
        return read_rows(self._connection, self._get("schema"), room, fingerprints=fingerprints)

    def _measured(self, stored: StoredImages) -> dict[str, Measured]:
        """Read what was measured in these images, for as far as it is as it was written."""
        places = dict(zip(stored.numbers.tolist(), range(len(stored.images)), strict=True))
        known = facts_of(self._get("measured"))
        room = room_for_rows(self.path)
        return read_measures(self._connection, known, places, stored.images.names, room)

    def _upgrade(self, stored: StoredImages, counts: Counts) -> None:
        """Bring the tables of an older schema to this one."""
        for column in LATER.keys() - columns_of(self._connection, "images"):
            self._connection.execute(f"ALTER TABLE images ADD COLUMN {column} {LATER[column]}")
        if self._get("schema") == "1":
            self._connection.execute("DELETE FROM counts")
            for block in counts.blocks():
                insert_counts(self._connection, stored.numbers[block.image], [block])
        if self._get("schema") != str(SCHEMA):
            marks = zip(stored.checksums.tolist(), stored.numbers.tolist(), strict=True)
            self._connection.executemany("UPDATE images SET checksum = ? WHERE id = ?", marks)
            self._set("schema", str(SCHEMA))

    def _check_settings(self, begun: Provenance) -> None:
        settings = [[*part.waivers, *part.shards] for part in (self._provenance(), begun)]
        if self._get("facts") and settings[0] != settings[1]:
            ours, theirs = (" ".join(stated) or "none" for stated in settings)
            self._connection.execute("ROLLBACK")
            raise RunError(
                f"{self.path} was read under other settings ({ours}) than these ({theirs}); "
                "type the same options, or --overwrite"
            )

    def add(self, image: ImageCounts) -> None:
        """Add one image with its counts; it is written with others, about once a second."""
        row = row_of(image.info)
        mark = checksum_of_row(row) ^ checksum_of_counts(*packed(image.table))
        self._images.append((self._next, *row, mark))
        self._tables.append(image.table)
        self._next += 1
        if time.monotonic() - self._written > WRITE_EVERY:
            self.flush()

    def measuring(self, facts: Mapping[str, Mapping[str, Any]]) -> None:
        """Say what will be measured in the images; what was measured otherwise is gone."""
        if not facts:
            return
        with self._explained():
            self._begin()
            known = facts_of(self._get("measured"))
            for kind in (kind for kind in facts if known.get(kind) != facts[kind]):
                self._connection.execute("DELETE FROM measures WHERE kind = ?", (kind,))
            self._set("measured", text_of({**known, **facts}))
            self._connection.execute("COMMIT")

    def add_measure(self, name: str, kind: str, facts: Mapping[str, Any], data: bytes) -> None:
        """Add what was measured in an image, which is written as `add` does."""
        self._measures.append(row_of_measure(name, kind, facts, data))
        if time.monotonic() - self._written > WRITE_EVERY:
            self.flush()

    def flush(self) -> None:
        """Write what waits."""
        if not self._images and not self._measures:
            return
        with self._explained():
            self._begin()
            self._connection.executemany(INSERT_IMAGE, self._images)
            numbers = np.arange(self._next - len(self._tables), self._next)
            sizes = [table.pixels.size for table in self._tables]
            insert_counts(self._connection, np.repeat(numbers, sizes), self._tables)
            self._connection.executemany(INSERT_MEASURE, self._measures)
            self._connection.execute("COMMIT")
        for waiting in (self._images, self._tables, self._measures):
            waiting.clear()
        self._written = time.monotonic()

    def finish(self, provenance: Provenance) -> None:
        """Write down what happened; from now on the run is complete."""
        self.flush()
        with self._explained():
            self._begin()
            problems = [(p.name, p.kind, p.detail) for p in provenance.problems]
            self._connection.execute("DELETE FROM problems")
            self._connection.executemany("INSERT INTO problems VALUES (?,?,?)", problems)
            self._set_provenance(provenance)
            self._set("checksum", self._checksum(provenance.problems))
            self._set("complete", "1")
            self._connection.execute("COMMIT")

    def read(self, *, fingerprints: bool = True) -> CountedRun:
        """Read the whole run, unless its counting was interrupted, or it is damaged."""
        provenance = self.stated()
        with explained(self.path):
            stored, counts = self._rows(fingerprints=fingerprints)
            self._refuse_faults(stored)
            self._check_whole(provenance)
            return CountedRun.assembled(stored.images, counts, provenance, self._measured(stored))

    def facts(self) -> dict[str, Mapping[str, Any]]:
        """Read what was measured in the images, by kind."""
        with explained(self.path):
            return facts_of(self._get("measured"))

    def stated(self) -> Provenance:
        """Read what happened while the run was counted, unless that was interrupted."""
        with explained(self.path):
            if self._get("complete") != "1":
                raise RunError(
                    f"{self.path}: the counting was interrupted after {self._size()}; type the "
                    "same score command with --resume to finish it"
                )
            problems = read_problems(self._connection, room_for_rows(self.path))
            return replace(self._provenance(), problems=problems)

    def checked_images(self) -> Iterator[tuple[int, int]]:
        """Check everything as `read` does, and yield numbers and checksums of images meanwhile."""
        provenance = self.stated()
        with explained(self.path):
            self._connection.execute("BEGIN")  # nobody writes until the file is closed
            schema, room = self._get("schema"), room_for_rows(self.path)
            for stored in checked_blocks(self._connection, schema, room):
                self._refuse_faults(stored)
                yield from zip(stored.numbers.tolist(), stored.checksums.tolist(), strict=True)
            self._check_whole(provenance)

    def _refuse_faults(self, stored: StoredImages) -> None:
        for fault in stored.faults.values():
            raise RunError(
                f"{self.path}: the run file is damaged ({fault}); type the same score command "
                "with --resume to count that image again, or remove the file"
            )

    def _check_whole(self, provenance: Provenance) -> None:
        problems = provenance.problems
        summed = int(self._get("schema")) >= SUMMED
        whole = self._checksum(problems) if summed else ""
        if self._get("checksum") != whole:
            raise ValueError("it is not as it was written")

    def _size(self) -> str:
        (count,) = self._connection.execute("SELECT count(*) FROM images").fetchone()
        return counted(count, "image")

    def _checksum(self, problems: Iterable[Problem]) -> str:
        """Return the checksum of all that the file holds."""
        query = "SELECT checksum FROM images ORDER BY checksum"
        marks = select(self._connection, query, room_for_rows(self.path))
        return checksum_of_run(self._get("facts"), problems, (mark for (mark,) in marks))

    def _provenance(self) -> Provenance:
        return read_facts(self._get("facts") or "{}")

    def _set_provenance(self, provenance: Provenance) -> None:
        """Write down what happened, but for the problems, which have a table of their own."""
        self._set("facts", json.dumps(asdict(provenance) | {"problems": []}))

    def _get(self, key: str) -> str:
        """Return what the file states under a key, or nothing."""
        row = self._connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return "" if row is None else str(row[0])

    def _set(self, key: str, value: str) -> None:
        self._connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def _begin(self) -> None:
        if not self._connection.in_transaction:
            self._connection.execute("BEGIN IMMEDIATE")


def _kept(
    stored: StoredImages, pairs: Iterable[Pair]
) -> tuple[dict[int, tuple[str, str]], list[int]]:
    """Return group and fingerprints of images that still stand for their pair, by position.

    Behind them come the positions of the other pairs.
    """
    if not len(stored.images):
        return {}, []
    places = {name: place for place, name in enumerate(stored.images.names)}
    paths = [stored.images.column(f"{side}_path") for side in ("truth", "roi", "prediction")]
    marks, kept, left = stored.images.column("fingerprints"), {}, []
    for number, (name, group, masks) in enumerate(placed(pairs)):
        place, now = places.get(name, -1), None
        if place >= 0 and place not in stored.faults:
            now = still_all(masks, [column[place] for column in paths], marks[place])
        if now is None:
            left.append(number)
        else:
            kept[place] = group, now
    return kept, left


def _changed(
    stored: StoredImages, kept: Mapping[int, tuple[str, str]]
) -> Iterator[tuple[Any, ...]]:
    """Yield the images of which something else is known now than before, for `UPDATE_IMAGE`."""
    groups, known = (stored.images.column(name) for name in ("group", "fingerprints"))
    for place, (group, marks) in kept.items():
        if (group, marks) != (groups[place], known[place]):
            image = replace(stored.images[place], group=group, fingerprints=marks)
            row = checksum_of_row(row_of(image))
            mark = int(stored.checksums[place] ^ stored.rows[place]) ^ row
            yield group, marks, mark, int(stored.numbers[place])


def read_run(path: Path, *, fingerprints: bool = True) -> CountedRun:
    """Read a run file whole; see `RunFile.open` and `RunFile.read` for what is refused.

    Who scores a run, and neither writes nor adds it, needs no ``fingerprints``.
    """
    with closing(RunFile.open(path)) as file:
        return file.read(fingerprints=fingerprints)


def write_run(run: CountedRun, path: Path, *, overwrite: bool = False) -> None:
    """Write a run to a new file; see `RunFile.whole` for what is refused."""
    with RunFile.whole(path, overwrite=overwrite) as file:
        file.measuring({kind: each.facts for kind, each in run.measured.items()})
        for place, image in enumerate(run.by_object()):
            file.add(image)
            for kind, each in run.measured.items():
                if (data := each.data[place]) is not None:
                    file.add_measure(image.info.name, kind, each.facts, data)
        file.finish(run.provenance)
