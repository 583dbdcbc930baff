"""The tables of a run file, and what SQLite's errors mean for the user.

A file is data: it is opened only if its tables are made of the words of ours, so that no view,
trigger, check or computed column of a file is ever carried out.
"""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from segeval.errors import RunError
from segeval.files import NO_PLACE, STDOUT, real_path
from segeval.storage.path import StoredPath
from segeval.text import quoted, reason_of
from segeval.textfiles import open_binary

SCHEMA: Final = 4

TABLES: Final = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE images (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, group_name TEXT NOT NULL,
    height INTEGER NOT NULL, width INTEGER NOT NULL,
    truth_path TEXT NOT NULL, prediction_path TEXT NOT NULL,
    truth_form TEXT NOT NULL, prediction_form TEXT NOT NULL, fingerprints TEXT NOT NULL,
    roi_path TEXT NOT NULL DEFAULT '', checksum INTEGER NOT NULL DEFAULT 0);
CREATE TABLE counts (
    image INTEGER NOT NULL REFERENCES images (id),
    truth INTEGER NOT NULL, prediction INTEGER NOT NULL, pixels INTEGER NOT NULL,
    PRIMARY KEY (image, truth, prediction)) WITHOUT ROWID;
CREATE TABLE problems (name TEXT NOT NULL, kind TEXT NOT NULL, detail TEXT NOT NULL);
"""
MEASURES: Final = """
CREATE TABLE measures (
    image INTEGER NOT NULL REFERENCES images (id), kind TEXT NOT NULL, data BLOB NOT NULL,
    checksum INTEGER NOT NULL, PRIMARY KEY (image, kind)) WITHOUT ROWID;
"""
"""The table that files before schema 4 lack."""

COLUMNS: Final = (
    "name", "group_name", "height", "width", "truth_path", "prediction_path", "truth_form",
    "prediction_form", "fingerprints", "roi_path",
)  # fmt: skip
LATER: Final = {"roi_path": "TEXT NOT NULL DEFAULT ''", "checksum": "INTEGER NOT NULL DEFAULT 0"}
"""Columns of images that files of older schemas may lack, and how they are added."""
NEEDED: Final[Mapping[str, set[str]]] = {
    "meta": {"key", "value"},
    "images": {"id", *COLUMNS} - LATER.keys(),
    "counts": {"image", "truth", "prediction", "pixels"},
    "problems": {"name", "kind", "detail"},
}
SUMMED, MEASURED = 3, 4  # schemas from which on images have checksums, and runs measures
SMALLEST: Final = 8  # bytes of a file that the least row takes


def connect(path: Path, mode: str) -> sqlite3.Connection:
    """Connect to a file; only mode ``rwc`` makes one, and nothing that is there changes."""
    with explained(path):
        if mode == "rwc":
            _make_place(path)
        if isinstance(path, StoredPath):
            return _in_memory(path)
        uri = f"{real_path(path).as_uri()}?mode={mode}"
        connection = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=1)
        with closed_on_error(connection):
            connection.execute("PRAGMA trusted_schema = OFF")
            connection.execute("PRAGMA synchronous = NORMAL")
            if mode == "rwc":  # one program writes; another one is told so
                connection.execute("PRAGMA main.locking_mode = EXCLUSIVE")
        return connection


def _in_memory(path: StoredPath) -> sqlite3.Connection:
    """Connect to a file in an archive or a store of objects, which nobody can write."""
    try:
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        raise RunError(f"{path}: cannot be read: {reason_of(error)}") from error
    connection = sqlite3.connect(":memory:", isolation_level=None)
    with closed_on_error(connection):
        connection.deserialize(data)
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA query_only = ON")
    return connection


@contextmanager
def closed_on_error(connection: sqlite3.Connection) -> Iterator[None]:
    """Close a connection that turns out to be of no use, so that it locks no file."""
    try:
        yield
    except BaseException:
        connection.close()
        raise


def has_tables(path: Path, connection: sqlite3.Connection) -> bool:
    """Whether there is anything in a file, which must be of SQLite."""
    with explained(path):
        return bool(connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])


def columns_of(connection: sqlite3.Connection, table: str, place: str = "main") -> set[str]:
    """Return the names of the columns of a table, none if it is not there."""
    return {row[1] for row in connection.execute(f"PRAGMA {place}.table_info({table})")}


def room_for_rows(path: Path) -> int:
    """Return how many rows a file can hold at most, by its size."""
    size = path.entry().st_size if isinstance(path, StoredPath) else os.path.getsize(path)
    return size // SMALLEST


def make_tables(path: Path, connection: sqlite3.Connection) -> None:
    """Make the tables of an empty run file."""
    with explained(path):
        connection.executescript(f"BEGIN IMMEDIATE; {TABLES} {MEASURES}")
        connection.execute("INSERT INTO meta VALUES ('schema', ?)", (str(SCHEMA),))
        connection.execute("COMMIT")


def check_schema(path: Path, connection: sqlite3.Connection) -> None:
    """Refuse what is not a run of this schema, or of an older one."""
    with explained(path):
        _check_tables(path, connection)
        row = connection.execute("SELECT value FROM meta WHERE key = 'schema'").fetchone()
        schema = str(row[0]) if row else ""
        if not re.fullmatch("[1-9][0-9]{0,8}", schema):
            raise RunError(f"{path} is not a segeval run file: it names no schema")
        if int(schema) > SCHEMA:
            raise RunError(
                f"{path} was written by a newer segeval (schema {schema}, this one reads "
                f"{SCHEMA}); update segeval"
            )
        told = {"images": SUMMED, "measures": MEASURED}
        wrong = [
            t
            for t, n in told.items()
            if ("checksum" in columns_of(connection, t)) != (int(schema) >= n)
        ]
        if wrong:
            raise ValueError(f"its tables are not those of schema {schema}")


def _check_tables(path: Path, connection: sqlite3.Connection) -> None:
    """Refuse a file that lacks a table of a run, or has anything that ours do not have."""
    words = set(re.findall(r"\w+", TABLES + MEASURES))
    for name, sql in connection.execute("SELECT name, sql FROM sqlite_master"):
        if not words.issuperset(re.findall(r"\w+", sql or "")):
            raise RunError(
                f"{path} is not a segeval run file: {quoted(name)} in it is no table of one; "
                "count again"
            )
    if any(not needed <= columns_of(connection, table) for table, needed in NEEDED.items()):
        raise RunError(f"{path} is not a segeval run file: it lacks the tables of one")


def check_pages(path: Path, connection: sqlite3.Connection) -> None:
    """Refuse to write into a file whose pages are damaged."""
    with explained(path):
        (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if found != "ok":
            raise ValueError(found)


@contextmanager
def explained(path: Path, *, keeps: bool = False) -> Iterator[None]:
    """Say what an error of SQLite, or content that makes no sense, means for the user.

    A run that ``keeps`` what was written so far can be resumed.
    """
    try:
        yield
    except sqlite3.Error as error:
        name = getattr(error, "sqlite_errorname", "")
        raise RunError(f"{path}: {_meaning(name, str(error), keeps=keeps)}") from error
    except (
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
        OverflowError,
        RecursionError,
    ) as error:
        raise RunError(f"{path}: {_meaning('', str(error))}") from error


def _meaning(name: str, text: str, *, keeps: bool = False) -> str:
    if name.startswith(("SQLITE_FULL", "SQLITE_IOERR")):
        kept, how = (
            ("; the images written so far are kept", "with --resume") if keeps else ("", "again")
        )
        return (
            f"it cannot be written to the disk ({text}){kept}: free some space and type the same "
            f"command {how}"
        )
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return "another program is writing this run; wait for it to end"
    if name == "SQLITE_NOTADB":
        return "this is not a segeval run file"
    if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM")):
        return f"it cannot be opened or written here ({text}); choose another folder"
    return f"the run file is damaged ({text}); remove it and count again"


def check_free(path: Path, *, overwrite: bool) -> None:
    """Refuse to write a whole run over a file that is there, unless that is asked for."""
    if path.exists() and path.stat().st_size and not overwrite:
        raise RunError(f"{path} exists; type --overwrite to replace it")
    _make_place(path)


def _make_place(path: Path) -> None:
    """Make the folder of a run file, which cannot be stdout."""
    if path == STDOUT:
        raise RunError("a run file cannot be written to stdout; name a file")
    if isinstance(path, StoredPath):
        raise RunError(f"{path}: {NO_PLACE}")
    if path.is_dir():
        raise RunError(f"{path} is a folder; name a file, e.g. {path / 'run.segeval'}")
    try:
        real_path(path).parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(
            f"{path}: no folder can be made for it: {reason_of(error)}; choose another one"
        ) from error


RUN_FILE: Final = b"SQLite format 3\0"


def is_run_file(path: str | Path | None) -> bool:
    """Whether an argument is a run file, which is counted already."""
    try:
        with open_binary(path or "") as file:
            return file.read(len(RUN_FILE)) == RUN_FILE
    except (OSError, ValueError):
        return False
