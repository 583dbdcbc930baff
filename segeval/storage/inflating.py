"""A compressed stream that is read from any place, in memory that does not grow with it.

It is inflated in blocks. The blocks of late are kept, and so is the state of the inflater at some
of their beginnings; from the nearest of these on it is inflated again. Who reads in order
inflates once.
"""

from __future__ import annotations

import io
import threading
import zlib
from collections import OrderedDict
from collections.abc import Callable
from copy import copy
from typing import Final, Protocol, Self

from segeval.storage.source import Source
from segeval.storage.store import StorageError, Window

BLOCK: Final = 1 << 20  # bytes
HELD: Final = 32  # blocks that are kept
STATES: Final = 256  # of the inflater, about 40 KB each
FED: Final = 1 << 18  # compressed bytes that are read at once
GENEROUS: Final = 1 << 30  # bytes that any stream may hold
RATIO: Final = 200  # how many times more it may hold than its compressed bytes
GZIP: Final = b"\x1f\x8b"
WINDOW: Final = 1 << 27  # bytes that Zstandard may look back


class Inflater(Protocol):
    """What inflates a stream from its beginning on."""

    def read(self, size: int) -> bytes:
        """Return so many bytes, or less at the end."""

    def copy(self) -> Inflater | None:
        """Return another one that goes on from here; None if there can be none."""


class Deflated:
    """What inflates one stream of deflate, or several of gzip one after another."""

    def __init__(self, source: Source, start: int, end: int, *, gzip: bool) -> None:
        self._source, self._place, self._end = source, start, end
        self._bits = 31 if gzip else -15
        self._inflater = zlib.decompressobj(self._bits)
        self._fed = b""  # what is read and waits

    def copy(self) -> Self:
        """Return another one that goes on from here."""
        other = copy(self)
        other.__dict__["_inflater"] = self._inflater.copy()
        return other

    def read(self, size: int) -> bytes:
        """Return so many bytes, or less at the end."""
        parts: list[bytes] = []
        while size and not self._has_ended():
            if not self._fed:
                self._feed()
            given = bool(self._fed)
            part = self._inflater.decompress(self._fed, size)
            self._fed = self._inflater.unconsumed_tail or self._inflater.unused_data
            if not (given or part or self._inflater.eof):
                raise StorageError("it ends too early; write it again")
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def _has_ended(self) -> bool:
        """Whether there is no other stream, but zeros that fill a tape."""
        if not self._inflater.eof:
            return False
        if len(self._fed) < len(GZIP):
            self._feed()
        if self._bits < 0 or not self._fed.startswith(GZIP):
            return True
        self._inflater = zlib.decompressobj(self._bits)
        return False

    def _feed(self) -> None:
        data = self._source.read_at(self._place, min(FED, self._end - self._place))
        self._place += len(data)
        self._fed += data


class Zstandard:
    """What inflates streams of Zstandard, which never begins but at their beginning."""

    def __init__(self, source: Source, end: int) -> None:
        try:
            import zstandard
        except ImportError:
            raise StorageError(
                "Zstandard is read by a library that is not installed; type pip install zstandard"
            ) from None
        stream = io.BufferedReader(Window(source.read_at, end), FED)
        inflater = zstandard.ZstdDecompressor(max_window_size=WINDOW)
        self._reader = inflater.stream_reader(stream, read_across_frames=True)
        self._fault: type[Exception] = zstandard.ZstdError

    def copy(self) -> None:
        """Return nothing."""

    def read(self, size: int) -> bytes:
        """Return so many bytes, or less at the end."""
        parts: list[bytes] = []
        try:
            while size and (part := self._reader.read(size)):
                parts.append(part)
                size -= len(part)
        except self._fault as error:
            raise StorageError(f"it cannot be inflated: {error}; write it again") from error
        return b"".join(parts)


class Inflated:
    """The inflated bytes of a stream that takes so many bytes in its file."""

    def __init__(self, begin: Callable[[], Inflater], packed: int) -> None:
        self._begin, self._most = begin, max(GENEROUS, RATIO * packed)
        self._lock = threading.Lock()
        self._inflater, self._next = begin(), 0  # and the block that it gives next
        self._states: dict[int, Inflater] = {}
        self._every = 1  # blocks between two states
        self._blocks: OrderedDict[int, bytes] = OrderedDict()

    def read_at(self, place: int, size: int) -> bytes:
        """Return so many bytes from a place on; less at the end."""
        parts = []
        with self._lock:
            for number in range(place // BLOCK, (place + size - 1) // BLOCK + 1):
                start = number * BLOCK
                block = self._block(number)
                parts.append(block[max(place - start, 0) : place + size - start])
                if len(block) < BLOCK:
                    break
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def sum(self) -> tuple[int, int]:
        """Inflate all of it, and return how many bytes there are, and their CRC."""
        size = found = 0
        while True:
            block = self.read_at(size, BLOCK)
            size, found = size + len(block), zlib.crc32(block, found)
            if len(block) < BLOCK:
                return size, found

    def _block(self, number: int) -> bytes:
        """Return a block: of those of late, or inflated from the nearest state on."""
        if number in self._blocks:
            self._blocks.move_to_end(number)
            return self._blocks[number]
        self._go_back(number)
        block = b"-" * BLOCK
        while self._next <= number and len(block) == BLOCK:
            block = self._next_block()
        return block if self._next > number else b""

    def _go_back(self, number: int) -> None:
        """Take the nearest inflater that is not beyond a block."""
        near = max((each for each in self._states if each <= number), default=0)
        if near <= self._next <= number:
            return
        found = self._states[near].copy() if near in self._states else None
        self._inflater, self._next = (found, near) if found else (self._begin(), 0)

    def _next_block(self) -> bytes:
        """Inflate one block more."""
        number = self._next
        if number % self._every == 0 and number not in self._states:
            self._keep_state(number)
        try:
            block = self._inflater.read(BLOCK)
        except zlib.error as error:
            raise StorageError(f"it cannot be inflated: {error}; write it again") from error
        if number * BLOCK + len(block) > self._most:
            raise StorageError(
                f"it inflates to more than {self._most >> 20} MB, over {RATIO} times its size, as "
                "bombs do; store the masks as PNG, in several archives"
            )
        self._next += 1
        self._blocks[number] = block
        if len(self._blocks) > HELD:
            self._blocks.popitem(last=False)
        return block

    def _keep_state(self, number: int) -> None:
        if (state := self._inflater.copy()) is not None:
            self._states[number] = state
        if len(self._states) > STATES:
            self._every *= 2
            self._states = {n: s for n, s in self._states.items() if n % self._every == 0}
