"""Tables in Arrow's own formats: record batches in a row, as Hugging Face keeps data sets.

They are read, not mapped, as a mapped file that shrinks kills the program. So places of batches
are taken from the messages, and each batch is read as a stream of its own. A file that ends with
a list of its batches, as Feather does, holds the same messages.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from segeval.storage.source import Source
from segeval.storage.store import StorageError

FILE: Final = b"ARROW1"  # starts a file that ends with a list of its batches
STREAM: Final = b"\xff\xff\xff\xff"  # starts every message
OLD: Final = b"FEA1"
PADDED: Final = 8  # bytes before the first message of a file
SCHEMA, DICTIONARY, BATCH = 1, 2, 3
SPACE: Final = 1 << 24  # bytes of a message about a batch, at most
BROKEN: Final = "the table is cut or broken; write it again"


class Message(NamedTuple):
    """A part of the file, and what it says of itself."""

    kind: int
    rows: int  # of a batch
    empty: int  # values that are missing, in all of its columns
    start: int
    end: int


class ArrowGroups:
    """Record batches of a file or stream."""

    def __init__(self, source: Source, start: bytes) -> None:
        from pyarrow import ipc

        if start.startswith(OLD):
            raise StorageError("it is Feather of version 1; write it as version 2")
        self._ipc: Any = ipc
        self._source = source
        found = [*_messages(source, PADDED if start.startswith(FILE) else 0)]
        if not found or found[0].kind != SCHEMA:
            raise StorageError(BROKEN)
        self._batches = [each for each in found if each.kind == BATCH]
        self._before = [each for each in found if each.kind != BATCH]
        self.schema = ipc.open_stream(self._bytes(found[0])).schema
        self.sizes = [each.rows for each in self._batches]

    def may_lack(self, leaf: str, group: int) -> bool:  # noqa: ARG002 - columns are not told apart
        """Whether any column of a batch has rows without a value."""
        return self._batches[group].empty > 0

    def bytes_of(self, leaf: str, group: int) -> int:  # noqa: ARG002 - all of it is read
        """Return the bytes of a batch."""
        return self._batches[group].end - self._batches[group].start

    def read(self, leaf: str, group: int) -> Any:
        """Return a column of a batch, which is checked before anything is read through it."""
        names = self.schema.names
        column = leaf if leaf in names else leaf.rpartition(".")[0]
        options = self._ipc.IpcReadOptions(included_fields=[names.index(column)], use_threads=False)
        batch = self._batches[group]
        before = [each for each in self._before if each.start < batch.start]
        data = b"".join(map(self._bytes, [*before, batch]))
        values = self._ipc.open_stream(data, options=options).read_next_batch().column(0)
        values.validate(full=True)
        return values

    def texts(self, column: str) -> Iterator[Any]:
        """Yield what a column holds, batch by batch."""
        for group in range(len(self._batches)):
            yield from self.read(column, group).to_pylist()

    def _bytes(self, message: Message) -> bytes:
        data = self._source.read_at(message.start, message.end - message.start)
        if len(data) != message.end - message.start:
            raise StorageError(BROKEN)
        return data


def _messages(source: Source, place: int) -> Iterator[Message]:
    """Yield all messages, up to the one that ends them, or to the end of a stream."""
    while head := source.read_at(place, 8):
        sign, size = head[:4], int.from_bytes(head[4:], "little")
        if len(head) < 8 or sign != STREAM or size > SPACE:
            raise StorageError(BROKEN)
        if not size:
            return
        try:
            kind, rows, empty, body = _told(source.read_at(place + 8, size))
        except (struct.error, IndexError) as error:
            raise StorageError(BROKEN) from error
        end = place + 8 + size + body
        if min(rows, empty, body) < 0 or end > source.size:
            raise StorageError(BROKEN)
        yield Message(kind, rows, empty, place, end)
        place = end


def _told(data: bytes) -> tuple[int, int, int, int]:
    """Return kind, rows, missing values and bytes of the body of a message, in FlatBuffers."""
    message = _number("<I", data, 0)
    header = _field(data, message, 2)
    header += _number("<I", data, header)
    rows = nodes = 0
    kind = data[_field(data, message, 1)]
    if kind == BATCH:
        place = _field(data, header, 0)
        rows = _number("<q", data, place) if place else 0
        place = _field(data, header, 1)
        place += _number("<I", data, place)
        count = _number("<I", data, place)
        nodes = sum(_number("<q", data, place + 4 + 16 * each + 8) for each in range(count))
    body = _field(data, message, 3)
    return kind, rows, nodes, _number("<q", data, body) if body else 0


def _field(data: bytes, table: int, number: int) -> int:
    """Return where a field of a table lies; 0 if it has none."""
    listed = table - _number("<i", data, table)
    if 4 + 2 * number >= _number("<H", data, listed):
        return 0
    offset = _number("<H", data, listed + 4 + 2 * number)
    return table + offset if offset else 0


def _number(form: str, data: bytes, place: int) -> int:
    if place < 0:
        raise IndexError(place)
    found: int = struct.unpack_from(form, data, place)[0]
    return found
