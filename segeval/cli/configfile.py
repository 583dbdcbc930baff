"""Find and read the file of settings: ``segeval.toml``, or ``[tool.segeval]`` of pyproject.toml.

It decides which file counts and on which line a key stands; what a key means is not known here.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from segeval.errors import SettingError

OWN: Final = "segeval.toml"
SHARED: Final = "pyproject.toml"
TABLE: Final = "tool.segeval"
HEADER: Final = re.compile(r"\s*\[\s*([^\[\]]+?)\s*\]\s*(?:#.*)?$")
KEY: Final = re.compile(r"""\s*([\w\-."' ]+?)\s*=""")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigFile:
    """A file of settings as it states itself.

    Attributes
    ----------
    path : Path
        The file, as seen from the working folder.
    table : str
        The table that holds the settings; empty for the whole file.
    content : mapping
        Keys and values, and a mapping a command.
    lines : mapping
        The line of every key, by its dotted name.
    """

    path: Path
    table: str
    content: Mapping[str, Any]
    lines: Mapping[str, int]

    def dotted(self, *keys: str) -> str:
        """Return the full name of a key or table."""
        return ".".join([*filter(None, [self.table]), *keys])

    def line(self, *keys: str) -> int | None:
        """Return the line on which a key or table stands, if it was found."""
        return self.lines.get(self.dotted(*keys))

    def place(self, *keys: str) -> str:
        """Return the file, with the line if it is known."""
        line = self.line(*keys)
        return str(self.path) if line is None else f"{self.path}:{line}"


def find_config() -> ConfigFile | None:
    """Return the settings nearest to the working folder, from there upward.

    Raises
    ------
    SettingError
        If the file cannot be read or is not valid TOML.
    """
    try:
        here = Path.cwd()
    except FileNotFoundError:  # the working folder was deleted: no file is near
        return None
    folder = Path()
    for _ in [here, *here.parents]:
        for name in (OWN, SHARED):
            if os.path.isfile(folder / name):
                try:
                    found = read_config(folder / name)
                except SettingError as error:
                    raise SettingError(f"{error}; --no-config ignores it") from error
                if found is not None:
                    return found
        folder /= ".."
    return None


def read_config(path: Path) -> ConfigFile | None:
    """Read a file of settings; None for a ``pyproject.toml`` without ``[tool.segeval]``.

    Raises
    ------
    SettingError
        If it cannot be read or is not valid TOML.
    """
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise SettingError(f"{path}: cannot be read: {reason}") from error
    if path.name == SHARED and "segeval" not in text:
        return None
    content = _parse(path, text)
    table = TABLE if path.name == SHARED else ""
    for key in table.split(".") if table else ():
        if key not in content:
            return None
        content = content[key]
        if not isinstance(content, dict):
            raise SettingError(f"{path}: [{table}] is not a table")
    return ConfigFile(path=path, table=table, content=content, lines=_lines(text))


def _parse(path: Path, text: str) -> Any:
    import tomllib

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingError(f"{path}: not valid TOML: {error}") from error


def _lines(text: str) -> dict[str, int]:
    r"""Find the line of every table and key.

    >>> _lines('a = 1\n[tool."b"]\nc.d = 2')
    {'a': 1, 'tool.b': 2, 'tool.b.c.d': 3}
    """
    lines: dict[str, int] = {}
    table = ""
    for number, line in enumerate(text.splitlines(), 1):
        if header := HEADER.match(line):
            table = _plain(header[1])
            lines.setdefault(table, number)
        elif key := KEY.match(line):
            lines.setdefault(f"{table}.{_plain(key[1])}".lstrip("."), number)
    return lines


def _plain(dotted: str) -> str:
    return ".".join(word.strip(" \"'") for word in dotted.split("."))
