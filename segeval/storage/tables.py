"""Tables of images in Parquet or Arrow: the bytes of a file in each row of a column.

``set.parquet/mask/17`` is what row 17, counted from 0, holds in the column ``mask``. Rows are read
in the groups in which they were written, of which a few are held.
"""

from __future__ import annotations

import threading
import zlib
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import accumulate
from typing import Any, Final, Protocol

from segeval.storage.store import Entry, Fault, StorageError
from segeval.text import reason_of

AT_ONCE: Final = 1 << 30  # bytes of a column in a row group, or of all that are held
HELD: Final = 4  # columns of row groups: two sides, and the next group
NO_FOLDER: Final = (
    "it is a table of images, no folder; type --pairs FILE --prediction-column NAME "
    "--truth-column NAME"
)
_LOCK: Final = threading.Lock()
_HELD: Final[OrderedDict[tuple[ImageTable, str, int], tuple[Any, int]]] = OrderedDict()


class Groups(Protocol):
    """The rows of a table, in the groups in which they were written."""

    schema: Any
    sizes: list[int]  # rows of each group

    def may_lack(self, leaf: str, group: int) -> bool:
        """Whether a column of a group may have rows without a value."""

    def bytes_of(self, leaf: str, group: int) -> int:
        """Return how many bytes are read for a column of a group."""

    def read(self, leaf: str, group: int) -> Any:
        """Return a column, or the part of one after a point, of a group."""

    def texts(self, column: str) -> Iterator[Any]:
        """Yield what a column holds, all groups long."""


class ParquetGroups:
    """Groups of a Parquet file, which ``begin`` opens, or gives the path of."""

    def __init__(self, begin: Callable[[], Any]) -> None:
        from pyarrow import parquet

        self._file: Any = parquet.ParquetFile
        self._begin = begin
        with self._opened(None) as file:
            self._metadata, self.schema = file.metadata, file.schema_arrow
        groups = range(self._metadata.num_row_groups)
        self.sizes = [self._metadata.row_group(number).num_rows for number in groups]

    @contextmanager
    def _opened(self, metadata: Any) -> Iterator[Any]:
        file = self._file(self._begin(), metadata=metadata, pre_buffer=False)
        try:
            yield file
        finally:
            file.close()

    def _chunk(self, leaf: str, group: int) -> Any:
        """Return what is said of a column in a row group."""
        stated = self._metadata.row_group(group)
        chunks = map(stated.column, range(stated.num_columns))
        return next(chunk for chunk in chunks if chunk.path_in_schema == leaf)

    def may_lack(self, leaf: str, group: int) -> bool:
        """Whether statistics leave room for rows without a value."""
        told = self._chunk(leaf, group).statistics
        return told is None or not told.has_null_count or bool(told.null_count)

    def bytes_of(self, leaf: str, group: int) -> int:
        """Return the bytes of a column once it is inflated."""
        size: int = self._chunk(leaf, group).total_uncompressed_size
        return size

    def read(self, leaf: str, group: int) -> Any:
        """Return a column of a row group."""
        with self._opened(self._metadata) as file:
            return file.read_row_group(group, columns=[leaf], use_threads=False).column(0)

    def texts(self, column: str) -> Iterator[Any]:
        """Yield what a column holds, some rows at a time."""
        with self._opened(self._metadata) as file:
            for each in file.iter_batches(batch_size=4096, columns=[column], use_threads=False):
                yield from each.column(0).to_pylist()


class ImageTable:
    """The images of a table by column and row."""

    def __init__(self, begin: Callable[[], Groups]) -> None:
        try:
            from pyarrow import types
        except ImportError as error:
            raise StorageError(
                "tables of images are read by pyarrow, which is not installed; type "
                'pip install "segeval-masks[parquet]"'
            ) from error
        self._types: Any = types
        with _telling("the table cannot be read"):
            self._groups = begin()
            self.schema = self._groups.schema
            self.schema.names  # noqa: B018 - which may be no text
        self._starts: list[int] = [0, *accumulate(self._groups.sizes)]

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return self._starts[-1]

    def fault_of(self, column: str) -> str:
        """Say why a column holds no images; empty if it does."""
        if self.schema.names.count(column) == 1 and self._leaf(column):
            return ""
        images = [name for name in dict.fromkeys(self.schema.names) if self._leaf(name)]
        there = f"images are in {', '.join(map(repr, images))}" if images else "no column holds any"
        if column not in self.schema.names:
            return f"there is no column {column!r}; {there}"
        if self.schema.names.count(column) > 1:
            return f"two columns are called {column!r}; rename one"
        kind = self.schema.field(column).type
        return f"column {column!r} holds {kind}, not the bytes of images; {there}"

    def empty_rows(self, column: str) -> Iterator[int]:
        """Yield the rows that have no image; groups that say to have none are not read."""
        leaf = self._leaf(column)
        for group in range(len(self._groups.sizes)):
            if not self._groups.may_lack(leaf, group):
                continue
            with suppress(StorageError):  # is told where the row is read
                values = self._group(column, group)
                for place in range(len(values)):
                    if not _part(values[place], "bytes").is_valid:
                        yield self._starts[group] + place

    def texts(self, named: str | None, usual: str) -> list[Any]:
        """Return what a column holds that is no image, or a part of one, as mask.path.

        The usual column is taken if it is there and none is named.
        """
        column = named or usual
        if named is None and usual not in self.schema.names:
            return []
        top, _, part = (column, "", "") if column in self.schema.names else column.partition(".")
        if top not in self.schema.names:
            raise StorageError(f"there is no column {column!r}")
        kind = self.schema.field(self.schema.names.index(top)).type
        if part and not (self._types.is_struct(kind) and kind.get_field_index(part) >= 0):
            raise StorageError(f"column {top!r} has no part {part!r}")
        with _telling(f"column {column!r} cannot be read"):
            found = [*self._groups.texts(column)]
            return [value and value[part] for value in found] if part else found

    def entry(self, name: str) -> Entry:
        """Return the image of a column and row."""
        data = self._image(name)
        return Entry(name, len(data), f"{zlib.crc32(data):08x}")

    def read(self, entry: Entry) -> bytes:
        """Return all bytes of an image."""
        return self._image(entry.name)

    def reader(self, entry: Entry) -> Callable[[int, int], bytes]:
        """Return what reads so many bytes of an image from a place on."""
        data = self._image(entry.name)
        return lambda place, size: data[place : place + size]

    def expect(self, name: str) -> None:
        """Do nothing: whole groups are read."""

    def faults(self, _: str) -> list[Fault]:
        """Refuse to be a folder."""
        raise StorageError(NO_FOLDER)

    def names(self, _: str) -> list[str]:
        """Refuse to be a folder."""
        raise StorageError(NO_FOLDER)

    def has_folder(self, _: str) -> bool:
        """Refuse to be a folder."""
        raise StorageError(NO_FOLDER)

    def _leaf(self, column: str) -> str:
        """Return the path of the bytes of a column; empty if it has none."""
        found = self.schema.field(self.schema.names.index(column)).type
        types, leaf = self._types, column
        if types.is_struct(found) and found.get_field_index("bytes") >= 0:
            found, leaf = found.field("bytes").type, f"{column}.bytes"
        return leaf if types.is_binary(found) or types.is_large_binary(found) else ""

    def _image(self, name: str) -> bytes:
        column, _, number = name.rpartition("/")
        row = int(number) if number.isdecimal() else -1
        if not 0 <= row < self.rows or column not in self.schema.names:
            raise FileNotFoundError(2, "the table has no such row and column", name)
        if fault := self.fault_of(column):
            raise StorageError(fault)
        group = bisect_right(self._starts, row) - 1
        value = _part(self._group(column, group)[row - self._starts[group]], "bytes")
        if not value.is_valid:
            raise StorageError("the row holds no image")
        data: bytes = value.as_py()
        return data

    def _group(self, column: str, group: int) -> Any:
        """Return a column of a row group; the last ones of all tables are held."""
        key = self, column, group
        with _LOCK:
            if key not in _HELD:
                values, size = self._read(column, group)
                while _HELD and sum(each for _, each in _HELD.values()) + size > AT_ONCE:
                    _HELD.popitem(last=False)
                if len(_HELD) >= HELD:
                    _HELD.popitem(last=False)
                _HELD[key] = values, size
            _HELD.move_to_end(key)
            return _HELD[key][0]

    def _read(self, column: str, group: int) -> tuple[Any, int]:
        """Read a column of a row group, and return its bytes too."""
        leaf = self._leaf(column)
        size = self._groups.bytes_of(leaf, group)
        if size > AT_ONCE:
            raise StorageError(
                f"row group {group} holds {size >> 20} MiB of {column!r}, more than "
                f"{AT_ONCE >> 20}; write the table with row groups of 100 rows"
            )
        with _telling(f"row group {group} cannot be read"):
            values = self._groups.read(leaf, group)
        return values, size


@contextmanager
def _telling(what: str) -> Iterator[None]:
    """Tell errors of the library, which are those of Python, as those of a store."""
    try:
        yield
    except (OSError, ValueError, KeyError, NotImplementedError, MemoryError) as error:
        raise StorageError(f"{what}: {reason_of(error)}; write it again") from error


def _part(value: Any, name: str) -> Any:
    """Return a part of a cell, or the cell if it has none; of nothing, nothing."""
    return value[name] if hasattr(value, "keys") and value.is_valid else value
