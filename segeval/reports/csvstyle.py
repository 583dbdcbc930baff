"""How tables are written as CSV."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from typing import Final

from segeval.errors import SettingError
from segeval.text import quoted


@dataclass(frozen=True, slots=True, kw_only=True)
class CsvStyle:
    """How tables are written as CSV."""

    columns: tuple[tuple[str, str], ...] = ()  # that are picked, and what they are called
    float_format: str = ""  # of numbers with a fraction, e.g. .6f; empty for all digits
    safe: bool = False  # what spreadsheets take for formulas becomes text

    def __post_init__(self) -> None:
        """Refuse what formats no number, and two columns of one name."""
        if self.float_format and not re.fullmatch(r"\.\d{1,2}[efg]", self.float_format):
            raise SettingError(
                f"--float-format {quoted(self.float_format)} is not a number of digits and one of "
                "e, f, g; type e.g. .6f"
            )
        names = [name for _, name in self.columns]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise SettingError(f"--csv-columns: two columns are called {quoted(twice[0])}")


PLAIN: Final = CsvStyle()


def parse_csv_columns(text: str) -> tuple[tuple[str, str], ...]:
    """Parse columns that are picked, each with the name behind ``=`` if there is one.

    Quotes of CSV hold names with a comma.

    >>> parse_csv_columns('image=id,mdice,"iou_a,b"')
    (('image', 'id'), ('mdice', 'mdice'), ('iou_a,b', 'iou_a,b'))
    """
    try:
        parts = [part.rpartition("=") for part in next(csv.reader([text], strict=True))]
    except csv.Error:
        parts = []
    if not parts or any(not name or (equals and not column) for column, equals, name in parts):
        raise SettingError(
            f"--csv-columns {quoted(text)} is not a list of COLUMN or COLUMN=NAME, e.g. "
            "image=id,mdice=score"
        )
    return tuple((column or name, name) for column, _, name in parts)
