"""Pairs whose masks are columns of a table of images, or of several that are read as one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from segeval.errors import Problem
from segeval.inputs.folders import is_included, split_extension
from segeval.inputs.pairing import Pair, Pairing
from segeval.settings import Missing
from segeval.storage.archives import archive_at
from segeval.storage.path import StoredPath
from segeval.storage.store import StorageError
from segeval.storage.tables import ImageTable
from segeval.text import reason_of

SIDES: Final = "prediction", "truth"


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """What the columns of a table are called; that of names may be missing."""

    prediction: str
    truth: str
    name: str | None


def read_image_pairs(
    tables: Sequence[Path], named: Mapping[str, str], *, include: str | None, missing: Missing
) -> Pairing:
    """Read the pairs of tables, of which no mask is decoded; all that is wrong is a problem.

    A pair without a name is called by its row, from 0 on, with its table if there are several.
    """
    columns = Columns(
        prediction=named.get("prediction", "prediction"),
        truth=named.get("truth", "truth"),
        name=named.get("name"),
    )
    pairs: dict[str, Pair] = {}
    problems: list[Problem] = []
    absent: set[str] = set()
    stems = _stems(tables)
    for path, stem in zip(tables, stems, strict=True):
        for row, pair in _pairs(path, stem, columns, problems):
            if not is_included(include, pair.name, pair.name):
                continue
            if pair.name in pairs or pair.name in absent:
                detail = f"{path}: row {row}: name {pair.name!r} stands in an earlier row as well"
                problems.append(
                    Problem(name=pair.name, kind="two files of one name", detail=detail)
                )
                continue
            if pair.prediction is None and missing == "error":
                detail = f"{path}: row {row}: column {columns.prediction!r} holds no image"
                problems.append(Problem(name=pair.name, kind="missing prediction", detail=detail))
            if pair.prediction is None:
                absent.add(pair.name)
            if pair.prediction is not None or missing == "worst":
                pairs[pair.name] = pair
    if not pairs and not problems:
        detail = f"{tables[0]} names no pairs to score"
        problems.append(Problem(name=str(tables[0]), kind="no pairs", detail=detail))
    return Pairing(
        pairs=tuple(sorted(pairs.values(), key=lambda pair: pair.name)),
        problems=tuple(problems),
        missing=tuple(sorted(absent)) if missing != "error" else (),
    )


def _stems(tables: Sequence[Path]) -> list[str]:
    """Return what stands before the numbers of rows: nothing for one table."""
    if len(tables) == 1:
        return [""]
    common = len(tables[0].parent.parts)
    while len({each.parts[:common] for each in tables}) > 1:
        common -= 1
    return [f"{Path(*each.with_suffix('').parts[common:]).as_posix()}/" for each in tables]


def _pairs(
    path: Path, stem: str, columns: Columns, problems: list[Problem]
) -> Iterator[tuple[int, Pair]]:
    """Yield the rows of a table as pairs; rows without a truth or a name are problems."""
    found = _opened(path, columns, problems)
    if found is None:
        return
    table, names, groups = found
    empty = {side: {*table.empty_rows(getattr(columns, side))} for side in SIDES}
    digits = len(str(max(table.rows - 1, 0)))
    for row in range(table.rows):
        given = names[row] if names else f"{stem}{row:0{digits}}"
        name = "" if given is None else split_extension(str(given))[0]
        faults = [] if name else ["its name is empty"]
        if row in empty["truth"]:
            faults.append(f"column {columns.truth!r} holds no image")
        for fault in faults:
            detail = f"{path}: row {row}: {fault}"
            problems.append(Problem(name=name or str(path), kind="unreadable row", detail=detail))
        if not faults:
            truth = StoredPath(f"{path}/{columns.truth}/{row}")
            guess = StoredPath(f"{path}/{columns.prediction}/{row}")
            found_guess = None if row in empty["prediction"] else guess
            group = str(groups[row] or "") if groups else ""
            yield row, Pair(name=name, truth=truth, prediction=found_guess, group=group)


def _opened(
    path: Path, columns: Columns, problems: list[Problem]
) -> tuple[ImageTable, list[Any], list[Any]] | None:
    """Return a table with its names and groups; what is wrong with its columns is a problem."""
    faults: list[str] = []
    try:
        table = archive_at(str(path))
        if not isinstance(table, ImageTable):
            raise StorageError("it is an archive, and no table of images")
        faults = [fault for side in SIDES if (fault := table.fault_of(getattr(columns, side)))]
        names, groups = table.texts(columns.name, "name"), table.texts(None, "group")
        if not faults:
            return table, names, groups
    except OSError as error:
        faults.append(reason_of(error))
    for fault in faults:
        detail = f"{path}: {fault}"
        problems.append(Problem(name=str(path), kind="unreadable table", detail=detail))
    return None
