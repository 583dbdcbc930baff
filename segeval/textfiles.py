"""Text files that users write: one way to open and read them, one to parse each format.

What comes back is plain: whole numbers of 64 bits, finite numbers, texts without NUL, nothing that
lies too deep. What is wrong is a `TextError`, with the line where that is known; who asked for
the file tells it under its name, as an error of its own kind, by `named`.
"""

from __future__ import annotations

import io
import json
import math
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, Any, Final, Literal, Never

from segeval.errors import SegevalError
from segeval.storage.path import open_stored
from segeval.text import quoted, reason_of

MOST: Final = 4 << 20  # bytes of a text file, but of tables of pairs and documents
LONGEST: Final = 64 << 20  # bytes of a line of a table
DEEPEST: Final = 32  # tables and lists inside each other
LARGEST: Final = (1 << 63) - 1
NO_WAITING: Final = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)
HEADER_OR_KEY: Final = re.compile(r"\s*(?:\[([^\[\]]+)\]\s*(?:#.*)?$|([\w\-.\"' ]+)=)")


class TextError(SegevalError):
    """What is wrong with a text, without the name of its file."""


@contextmanager
def named(path: str | os.PathLike[str], kind: type[SegevalError]) -> Iterator[None]:
    """Tell what is wrong with a text under the name of its file, as an error of one kind."""
    try:
        yield
    except (TextError, kind) as error:
        raise kind(f"{path}: {error}") from error.__cause__


def read_text(path: str | os.PathLike[str], most: int = MOST) -> str:
    """Read a file of UTF-8 text; a pipe that nobody writes to is empty, and not waited for."""
    try:
        with open_binary(path) as file:
            data = file.read(most + 1)
    except (OSError, ValueError) as error:  # the last: NUL in a path
        raise TextError(f"cannot be read: {reason_of(error)}") from error
    if len(data) > most:
        raise TextError(f"it is larger than {most >> 20} MB, so it is no file of this kind")
    if (place := data.find(b"\0")) >= 0:
        raise TextError(f"cannot be read: line {_line(data, place)} holds NUL, which no text does")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = _line(data, error.start)
        raise TextError(f"cannot be read: it is not UTF-8 text (line {line})") from error


def lines_with_places(path: str | os.PathLike[str]) -> Iterator[tuple[int, bytes]]:
    """Yield the lines of a text file, each with the place of its first byte; one is held at a time.

    Lines are UTF-8 text of no more than `LONGEST` bytes.
    """
    start = 0
    try:
        with open_binary(path) as file:
            while line := file.readline(LONGEST + 1):
                if len(line) > LONGEST:
                    raise TextError(f"a line has more than {LONGEST >> 20} MB, so it is no table")
                if b"\0" in line:
                    raise TextError("cannot be read: it holds NUL, which no text does")
                yield start, line
                start += len(line)
    except (OSError, ValueError) as error:  # the last: NUL in a path
        raise TextError(f"cannot be read: {reason_of(error)}") from error


def open_binary(path: str | os.PathLike[str]) -> IO[bytes]:
    """Open a file, or what lies in an archive or a store of objects."""
    if (stored := open_stored(path)) is not None:
        return stored
    file = open(path, "rb", opener=open_at_once)  # noqa: SIM115 - the caller closes it
    os.set_blocking(file.fileno(), True)
    return file


def open_at_once(path: str, flags: int) -> int:
    """Open a file without waiting for anybody who may write it."""
    return os.open(path, flags | NO_WAITING)


def _line(data: bytes, place: int) -> int:
    return data.count(b"\n", 0, place) + 1


def lines_of(text: str) -> list[str]:
    """Return the lines of a text, which only line feeds and carriage returns end."""
    return [line.rstrip("\n") for line in io.StringIO(text, newline=None)]


def parse_toml(text: str) -> dict[str, Any]:
    """Parse TOML."""
    import tomllib

    try:
        content = tomllib.loads(text)
    except RecursionError:
        raise TextError("not valid TOML: its lists lie too deep inside each other") from None
    except ValueError as error:  # whole numbers of thousands of digits as well
        raise TextError(f"not valid TOML: {error}") from error
    check_plain(content, toml_lines(text))
    return content


def toml_lines(text: str) -> dict[str, int]:
    r"""Find the line of every table and key.

    >>> toml_lines('a = 1\n[tool."b"]\nc.d = 2')
    {'a': 1, 'tool.b': 2, 'tool.b.c.d': 3}
    """
    lines: dict[str, int] = {}
    table = ""
    for number, line in enumerate(lines_of(text), 1):
        if found := HEADER_OR_KEY.match(line):
            header, key = (re.sub(r"[\s\"']", "", name or "") for name in found.groups())
            table = header or table
            lines.setdefault(".".join(filter(None, [table, key])), number)
    return lines


def parse_json(text: str) -> Any:
    """Parse JSON."""
    try:
        content = json.loads(text, parse_constant=_refuse_constant)
    except RecursionError:
        raise TextError("not valid JSON: its lists lie too deep inside each other") from None
    except ValueError as error:
        raise TextError(f"not valid JSON: {error}") from error
    check_plain(content, {})
    return content


def _refuse_constant(name: str) -> Never:
    raise ValueError(f"{name} is no number of JSON")


def check_plain(content: object, lines: Mapping[str, int]) -> None:
    """Refuse what is deeper or larger than anything that is meant."""
    waiting = [("", content, 0)]
    while waiting:
        name, value, depth = waiting.pop()
        if fault := _fault(value, depth):
            line = f"line {lines[name]}: " if name in lines else ""
            raise TextError(f"{line}{quoted(name)} {fault}")
        if isinstance(value, dict):
            waiting += [
                (f"{name}.{key}".strip("."), each, depth + 1) for key, each in value.items()
            ]
        elif isinstance(value, list):
            waiting += [(name, each, depth + 1) for each in value]


def _fault(value: object, depth: int) -> str:
    """Say why a value is none that is meant, or return nothing."""
    if depth > DEEPEST:
        return f"lies deeper than {DEEPEST} tables or lists inside each other"
    if isinstance(value, str) and "\0" in value:
        return "holds NUL, which no name or path does"
    if isinstance(value, int) and not -LARGEST <= value <= LARGEST:
        return "is a whole number of more than 64 bits"
    if isinstance(value, float) and not math.isfinite(value):
        return "is no finite number"
    return ""


def parse_csv(text: str) -> tuple[list[str], list[tuple[int, dict[str, Any]]]]:
    """Parse CSV with a header; return the columns, and every row with the line where it ends."""
    import csv

    reader = csv.DictReader(io.StringIO(text, newline=""), skipinitialspace=True)
    try:
        columns = list(reader.fieldnames or ())
        return columns, [(reader.line_num, row) for row in reader]
    except csv.Error as error:
        raise TextError(f"line {reader.reader.line_num}: {error}") from error


@dataclass(slots=True, kw_only=True)
class Node:
    """A value of YAML and its line: a scalar, a list, or the pairs of a mapping, keys first."""

    line: int
    value: Any = None
    items: list[Node] = field(default_factory=list)
    kind: Literal["scalar", "list", "map"] = "scalar"

    def pairs(self) -> list[tuple[Node, Node]]:
        """Return the keys of a mapping with their values, and nothing of anything else."""
        items = self.items if self.kind == "map" else []
        return list(zip(items[::2], items[1::2], strict=True))

    def plain(self) -> Any:
        """Return the value, or the scalars of a list or mapping, with None for all but scalars."""
        if self.kind == "map":
            return {key.value: value.value for key, value in self.pairs()}
        return [item.value for item in self.items] if self.kind == "list" else self.value


def parse_yaml(text: str) -> Node:
    """Parse a document of YAML; tags are not obeyed, and aliases are refused."""
    import yaml

    try:
        loader = yaml.SafeLoader(text)
        return _yaml_tree(loader)
    except yaml.YAMLError as error:
        raise TextError(f"not valid YAML: {' '.join(str(error).split())}") from error


def _yaml_tree(loader: Any) -> Node:
    """Build the tree of a document from its events, one after the other."""
    import yaml

    root = Node(line=1, kind="list")
    above = [root]
    while loader.check_event():
        event = loader.get_event()
        line = event.start_mark.line + 1
        if isinstance(event, yaml.AliasEvent):
            raise TextError(f"line {line}: *{event.anchor} stands for something else; write it out")
        if isinstance(event, yaml.CollectionEndEvent):
            above.pop()
        elif isinstance(event, yaml.NodeEvent):
            node = _yaml_node(loader, event, line)
            above[-1].items.append(node)
            if node.kind != "scalar":
                above.append(node)
            if len(above) > DEEPEST:
                raise TextError(f"line {line}: lists lie too deep inside each other")
    if len(root.items) > 1:
        raise TextError(f"line {root.items[1].line}: a second document begins; give each a file")
    return root.items[0] if root.items else root


def _yaml_node(loader: Any, event: Any, line: int) -> Node:
    import yaml

    if not isinstance(event, yaml.ScalarEvent):
        mapping = isinstance(event, yaml.MappingStartEvent)
        return Node(line=line, kind="map" if mapping else "list")
    tag = event.tag or loader.resolve(yaml.ScalarNode, event.value, event.implicit)
    kind = str(tag).rpartition(":")[2]
    if kind not in {"int", "float", "bool", "null"}:
        return Node(line=line, value=event.value)
    try:
        value = loader.construct_object(yaml.ScalarNode(tag, event.value))
    except (yaml.YAMLError, ValueError, LookupError, ArithmeticError) as error:
        raise TextError(f"line {line}: {quoted(event.value)} is no {kind}") from error
    if fault := _fault(value, 0):
        raise TextError(f"line {line}: {quoted(event.value)} {fault}")
    return Node(line=line, value=value)
