"""Where reports may be written: over earlier reports, but over nothing that is read or counted."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

from segeval.cli.options.output import ReportFiles
from segeval.counting.runschema import is_run_file
from segeval.errors import SettingError
from segeval.files import check_writable, real_path
from segeval.inputs.folders import is_mask, masks_below
from segeval.inputs.pairing import image_tables, read_pairs

NAMES_OR_FILES: Final = "labels", "pred_labels"  # options that take a name or a file


def check_reports(texts: Collection[Path], *given: Any, plots: Collection[Path] = ()) -> None:
    """Check that reports can be written, none of them over what the command reads or counts.

    ``given`` are families of options, or paths, that name it. A text replaces texts only, see
    `check_writable`; a plot may look like a mask.
    """
    read = [path for each in given for path in _named_paths(each)]
    reports = (*texts, *plots)
    places = {real_path(path) for path in read} if reports else set()
    for report in reports:
        if real_path(report) in places:
            raise SettingError(
                f"{report} is the run or the baseline, or is read by this command; name another "
                "file to write"
            )
    tables = [table for each in given if (table := getattr(each, "pairs", None)) is not None]
    for plot in filter(Path.is_file, plots):
        place = real_path(plot)
        if is_run_file(plot) or (
            is_mask(place.name) and place in map(real_path, _masks(read, tables))
        ):
            raise SettingError(
                f"{plot} is a run file or one of the masks that are read; name another file to "
                "write"
            )
    check_writable(texts, plots)


def _named_paths(given: Any) -> Iterator[Path]:
    """Yield the paths of a family of options, without those of its reports."""
    if isinstance(given, Path):
        yield given
        return
    reports = given.targets() if isinstance(given, ReportFiles) else {}
    for name in {field.name for field in fields(given)} - {*reports}:
        value = getattr(given, name)
        if name in NAMES_OR_FILES and Path(value or "").is_file():
            yield Path(value)
        yield from (
            path
            for path in (value if isinstance(value, list) else [value])
            if isinstance(path, Path)
        )


def _masks(read: Collection[Path], tables: Collection[Path]) -> Iterator[Path]:
    """Yield the masks of folders, and those that tables of pairs name."""
    for folder in read:
        yield from masks_below(folder)
    for table in tables:
        if shards := image_tables(table):
            yield from shards
            continue
        for pair in read_pairs(table, missing="skip").pairs:
            yield from pair.files
