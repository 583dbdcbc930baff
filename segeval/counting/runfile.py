"""A run in one SQLite file: written while counting, resumed after any interruption.

Images are committed about once a second, each with all of its counts, so that a file holds whole
images only. There is no write-ahead log: one file remains, readable where nothing can be written.
"""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np

from segeval.counting.run import CountedRun, Counts, ImageCounts, ImageInfo, Provenance
from segeval.counting.runschema import (
    COLUMNS,
    SCHEMA,
    check_schema,
    closed_on_error,
    connect,
    explained,
    has_regions,
    has_tables,
    make_tables,
)
from segeval.errors import Problem, RunError
from segeval.inputs.fingerprints import still_all
from segeval.inputs.pairing import Pair
from segeval.values import COLOR

if TYPE_CHECKING:
    import sqlite3

WRITE_EVERY: Final = 1.0  # seconds between commits
INSERT_IMAGE: Final = (
    f"INSERT INTO images (id, {COLUMNS}, fingerprints) VALUES (?,?,?,?,?,?,?,?,?,?,?)"  # noqa: S608 - constant names
)
MARK: Final = 1 << 24  # of colours in schema 1, in place of `COLOR`


def _marked(side: str) -> str:
    """Return a value of schema 1 as it is now, in SQL."""
    return f"{side} + {COLOR - MARK} * ({side} BETWEEN {MARK} AND {2 * MARK - 1})"


VALUES: Final = {"1": f"{_marked('truth')}, {_marked('prediction')}", "2": "truth, prediction"}
"""How the two values of a row of counts are read, by schema."""


class RunFile:
    """An open run file, by `RunFile.open` or, for one that is to be written, `RunFile.create`."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection
        self._forgets = False
        self._images: list[tuple[Any, ...]] = []
        self._counts: list[tuple[Any, ...]] = []
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
                if not (resume or overwrite):
                    raise RunError(
                        f"{path} exists; type --resume to count only what is new or changed, "
                        "or --overwrite to start anew"
                    )
            else:
                make_tables(path, connection)
            _upgrade(path, connection)
            file = cls(path, connection)
        file._forgets = overwrite
        return file

    def close(self) -> None:
        """Write what waits, as far as that is possible, and close the file."""
        with suppress(RunError):
            self._write()
        self._connection.close()

    def pending(self, pairs: Sequence[Pair], begun: Provenance) -> list[Pair]:
        """Drop images that vanished or changed, and return the pairs that are to be counted.

        All pairs of the data set are given; waivers and shards must be those of the run.
        """
        with explained(self.path):
            self._begin()
            if self._forgets:
                for table in ("counts", "images", "problems", "meta WHERE key <> 'schema'"):
                    self._connection.execute(f"DELETE FROM {table}")  # noqa: S608 - constant names
            self._check_settings(begun)
            kept = self._kept(pairs)
            rows = self._connection.execute("SELECT id, name FROM images")
            gone = [(number,) for number, name in rows if name not in kept]
            new = [(pair.group, kept[pair.name], pair.name) for pair in pairs if pair.name in kept]
            self._connection.executemany("DELETE FROM counts WHERE image = ?", gone)
            self._connection.executemany("DELETE FROM images WHERE id = ?", gone)
            self._connection.executemany(
                "UPDATE images SET group_name = ?, fingerprints = ? WHERE name = ?", new
            )
            self._set_provenance(begun)
            self._set("complete", "0")
            self._connection.execute("COMMIT")
        return [pair for pair in pairs if pair.name not in kept]

    def _check_settings(self, begun: Provenance) -> None:
        settings = [[*part.waivers, *part.shards] for part in (self._provenance(), begun)]
        if self._get("facts") and settings[0] != settings[1]:
            ours, theirs = (" ".join(stated) or "none" for stated in settings)
            self._connection.execute("ROLLBACK")
            raise RunError(
                f"{self.path} was read under other settings ({ours}) than these ({theirs}); "
                "type the same options, or --overwrite"
            )

    def _kept(self, pairs: Sequence[Pair]) -> dict[str, str]:
        """Return the images that still stand for their pair, with their fingerprints."""
        rows = self._connection.execute(
            "SELECT name, fingerprints, truth_path, roi_path, prediction_path FROM images WHERE "
            "height * width = (SELECT total(pixels) FROM counts WHERE image = images.id)"
        )
        stored = {name: (paths, marks) for name, marks, *paths in rows}
        marks = {p.name: still_all(p.files, *stored[p.name]) for p in pairs if p.name in stored}
        return {name: mark for name, mark in marks.items() if mark is not None}

    def add(self, image: ImageCounts) -> None:
        """Add one image with its counts; it is written with others, about once a second."""
        info = image.info
        self._images.append((
            self._next, info.name, info.group, info.height, info.width, info.truth_path,
            info.prediction_path, info.truth_form, info.prediction_form, info.roi_path,
            image.fingerprints,
        ))  # fmt: skip
        table = image.table
        columns = (table.truth.tolist(), table.prediction.tolist(), table.pixels.tolist())
        self._counts.extend(zip(itertools.repeat(self._next), *columns, strict=False))
        self._next += 1
        if time.monotonic() - self._written > WRITE_EVERY:
            self._write()

    def _write(self) -> None:
        if not self._images:
            return
        with explained(self.path):
            self._begin()
            self._connection.executemany(INSERT_IMAGE, self._images)
            self._connection.executemany("INSERT INTO counts VALUES (?,?,?,?)", self._counts)
            self._connection.execute("COMMIT")
        self._images.clear()
        self._counts.clear()
        self._written = time.monotonic()

    def finish(self, provenance: Provenance) -> None:
        """Write down what happened; from now on the run is complete."""
        self._write()
        with explained(self.path):
            self._begin()
            problems = [(p.name, p.kind, p.detail) for p in provenance.problems]
            self._connection.execute("DELETE FROM problems")
            self._connection.executemany("INSERT INTO problems VALUES (?,?,?)", problems)
            self._set_provenance(provenance)
            self._set("complete", "1")
            self._connection.execute("COMMIT")

    def read(self) -> CountedRun:
        """Read the whole run, unless its counting was interrupted."""
        with explained(self.path):
            if self._get("complete") != "1":
                count = self._connection.execute("SELECT count(*) FROM images").fetchone()[0]
                raise RunError(
                    f"{self.path}: the counting was interrupted after {count} images; type the "
                    "same score command with --resume to finish it"
                )
            problems = self._connection.execute("SELECT name, kind, detail FROM problems")
            provenance = replace(
                self._provenance(),
                problems=tuple(Problem(name=n, kind=k, detail=d) for n, k, d in problems),
            )
            numbers, images = self._read_images()
            counts = self._read_counts(numbers)
            pixels = np.bincount(counts.image, counts.pixels, len(images)).tolist()
            for image, total in zip(images, pixels, strict=True):
                if total != image.height * image.width:
                    raise ValueError(f"the counts of {image.name} are not complete")
            return CountedRun(images=images, counts=counts, provenance=provenance)

    def _read_images(self) -> tuple[list[int], tuple[ImageInfo, ...]]:
        columns = COLUMNS if has_regions(self._connection) else COLUMNS.replace("roi_path", "''")
        rows = self._connection.execute(f"SELECT id, {columns} FROM images ORDER BY name")  # noqa: S608 - constant names
        names = [part.strip().replace("group_name", "group") for part in COLUMNS.split(",")]
        numbers, images = [], []
        for number, *values in rows:
            numbers.append(number)
            images.append(ImageInfo(**dict(zip(names, values, strict=True))))
        return numbers, tuple(images)

    def _read_counts(self, numbers: list[int]) -> Counts:
        (size,) = self._connection.execute("SELECT count(*) FROM counts").fetchone()
        values = VALUES[self._get("schema") or ""]
        rows = self._connection.execute(f"SELECT image, {values}, pixels FROM counts")  # noqa: S608 - constant names
        cells = np.fromiter(itertools.chain.from_iterable(rows), np.int64, 4 * size)
        image, truth, prediction, pixels = cells.reshape(-1, 4).T
        position = np.full(max(numbers, default=0) + 1, -1)
        position[numbers] = np.arange(len(numbers))
        counts = Counts(image=position[image], truth=truth, prediction=prediction, pixels=pixels)
        if np.all(counts.image[1:] >= counts.image[:-1]):
            return counts
        return counts.select(np.argsort(counts.image, kind="stable"))

    def _provenance(self) -> Provenance:
        stored = json.loads(self._get("facts") or "{}")
        known = {part.name for part in fields(Provenance)}
        values: dict[str, Any] = {
            name: tuple(v) if isinstance(v, list) else v for name, v in stored.items()
        }
        return Provenance(**{name: value for name, value in values.items() if name in known})

    def _set_provenance(self, provenance: Provenance) -> None:
        """Write down what happened, but for the problems, which have a table of their own."""
        self._set("facts", json.dumps(asdict(provenance) | {"problems": []}))

    def _get(self, key: str) -> str | None:
        row = self._connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def _set(self, key: str, value: str) -> None:
        self._connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def _begin(self) -> None:
        if not self._connection.in_transaction:
            self._connection.execute("BEGIN IMMEDIATE")


def _upgrade(path: Path, connection: sqlite3.Connection) -> None:
    """Bring a file that is to be written from any older schema to this one."""
    with explained(path):
        connection.execute("BEGIN IMMEDIATE")
        if not has_regions(connection):
            connection.execute("ALTER TABLE images ADD COLUMN roi_path TEXT NOT NULL DEFAULT ''")
        if connection.execute("SELECT value FROM meta WHERE key = 'schema'").fetchone()[0] == "1":
            colors = f"(truth, prediction) = ({VALUES['1']}) WHERE max(truth, prediction) >= {MARK}"
            connection.execute(f"UPDATE counts SET {colors}")  # noqa: S608 - constant names
            connection.execute("UPDATE meta SET value = ? WHERE key = 'schema'", (str(SCHEMA),))
        connection.execute("COMMIT")


def read_run(path: Path) -> CountedRun:
    """Read a run file whole; see `RunFile.open` and `RunFile.read` for what is refused."""
    file = RunFile.open(path)
    try:
        return file.read()
    finally:
        file.close()


def write_run(run: CountedRun, path: Path, *, overwrite: bool = False) -> None:
    """Write a run to a new file; see `RunFile.create` for what is refused."""
    file = RunFile.create(path, resume=False, overwrite=overwrite)
    try:
        file.pending([], run.provenance)
        for image in run:
            file.add(image)
        file.finish(run.provenance)
    finally:
        file.close()
