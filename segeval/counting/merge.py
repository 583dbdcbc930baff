"""Run files added inside SQLite: memory does not grow with them, and nothing known gets lost."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Final

import numpy as np

from segeval.counting.contingency import tabulate
from segeval.counting.measures import united_facts
from segeval.counting.run import ImageCounts, ImageInfo, Provenance, check_same, united_provenance
from segeval.counting.runfile import RunFile
from segeval.counting.runrows import FIELDS, MARK, columns_known
from segeval.counting.runschema import COLUMNS, columns_of
from segeval.errors import RunError
from segeval.files import real_path
from segeval.storage.path import StoredPath
from segeval.values import COLOR

CHOSEN: Final = "CREATE TEMP TABLE chosen (id INTEGER PRIMARY KEY, mark INTEGER NOT NULL)"
VALUE: Final = {
    "1": f"iif({{0}} >= {MARK} AND {{0}} < {2 * MARK}, {{0}} + {COLOR - MARK}, {{0}})",
    "2": "{0}",
    "3": "{0}",
    "4": "{0}",
}
"""A value as it is now, by the schema that it stands in."""


def merge_runs(paths: Sequence[Path], out: Path, *, overwrite: bool) -> tuple[int, Provenance]:
    """Write the sum of run files to another; return how many images it has, and what happened.

    What `CountedRun.united` refuses is refused, and then the other file is as it was. It may be one
    of those that are added.
    """
    with RunFile.whole(out, overwrite=overwrite) as total, ExitStack() as stack:
        files = [stack.enter_context(closing(RunFile.open(path))) for path in paths]
        provenance = united_provenance([file.stated() for file in files])
        total.measuring(united_facts([file.facts() for file in files]))
        with total.writing() as connection:
            connection.execute(CHOSEN)
            for file in files:
                _append(connection, file)
            (size,) = connection.execute("SELECT count(*) FROM images").fetchone()
        total.finish(provenance)
    return size, provenance


def _append(total: sqlite3.Connection, file: RunFile) -> None:
    """Check a run, and add the images that are not there yet."""
    if isinstance(file.path, StoredPath):
        raise RunError(f"{file.path}: runs are merged from files of this machine; copy it there")
    total.execute("BEGIN")
    total.execute("DELETE FROM temp.chosen")
    total.executemany("INSERT INTO temp.chosen VALUES (?, ?)", file.checked_images())
    total.execute("COMMIT")
    total.execute("ATTACH ? AS added", (f"{real_path(file.path).as_uri()}?mode=rw",))
    (schema,) = total.execute("SELECT value FROM added.meta WHERE key = 'schema'").fetchone()
    known = ", ".join(columns_known(total, "added")[1:])
    truth, prediction = (VALUE[schema].format(side) for side in ("truth", "prediction"))
    total.execute("BEGIN")
    _leave_out_same(total, known, f"{truth}, {prediction}, pixels")
    (last,) = total.execute("SELECT max(id) FROM main.images").fetchone()
    total.execute(
        f"INSERT INTO main.images (id, {', '.join(COLUMNS)}, checksum) SELECT id + ?, {known}, mark"  # noqa: S608 - constant names
        " FROM temp.chosen JOIN added.images USING (id) ORDER BY id",
        (last or 0,),
    )
    total.execute(
        f"INSERT INTO main.counts SELECT image + ?, {truth}, {prediction}, pixels"  # noqa: S608
        " FROM added.counts WHERE image IN (SELECT id FROM temp.chosen) ORDER BY image",
        (last or 0,),
    )
    if columns_of(total, "measures", "added"):
        total.execute(
            "INSERT INTO main.measures SELECT image + ?, kind, data, checksum FROM added.measures"
            " WHERE image IN (SELECT id FROM temp.chosen) ORDER BY image",
            (last or 0,),
        )
    total.execute("COMMIT")
    total.execute("DETACH added")


def _leave_out_same(total: sqlite3.Connection, known: str, counts: str) -> None:
    """Choose no image that is there already, which must be the same."""
    pairs = total.execute(
        "SELECT one.id, other.id FROM added.images AS other JOIN main.images AS one USING (name)"
        " ORDER BY name"
    )
    for one, other in pairs:
        check_same(
            _image(total, one, "main", ", ".join(COLUMNS), "truth, prediction, pixels"),
            _image(total, other, "added", known, counts),
        )
        total.execute("DELETE FROM temp.chosen WHERE id = ?", (other,))


def _image(
    total: sqlite3.Connection, number: int, place: str, known: str, counts: str
) -> ImageCounts:
    """Read one image with its counts."""
    row = total.execute(f"SELECT {known} FROM {place}.images WHERE id = ?", (number,)).fetchone()  # noqa: S608
    rows = total.execute(f"SELECT {counts} FROM {place}.counts WHERE image = ?", (number,))  # noqa: S608
    truth, prediction, pixels = np.array(rows.fetchall(), np.int64).reshape(-1, 3).T
    info = ImageInfo(**dict(zip(FIELDS, row, strict=True)))
    return ImageCounts(info=info, table=tabulate(truth, prediction, pixels))
