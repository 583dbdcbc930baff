"""The bytes of an archive, read from any place by several threads and forked processes."""

from __future__ import annotations

import os
import threading
import weakref
from typing import Final, Protocol

FLAGS: Final = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)


class Source(Protocol):
    """Bytes that are read from any place."""

    size: int

    def read_at(self, place: int, size: int) -> bytes:
        """Return so many bytes from a place on; less at the end."""

    def expect(self, place: int, size: int) -> None:
        """Begin to fetch what will be read, if it is far away."""


class LocalSource:
    """An open file; nothing depends on how far somebody else has read."""

    def __init__(self, path: str) -> None:
        self._descriptor = os.open(path, FLAGS)
        weakref.finalize(self, os.close, self._descriptor)
        self._lock = threading.Lock()
        self.size = os.fstat(self._descriptor).st_size

    def read_at(self, place: int, size: int) -> bytes:
        """Return so many bytes from a place on; less at the end."""
        if hasattr(os, "pread"):
            data = os.pread(self._descriptor, size, place)
            while len(data) < size and (
                more := os.pread(self._descriptor, size - len(data), place + len(data))
            ):
                data += more
            return data
        with self._lock:  # no process is forked there
            os.lseek(self._descriptor, place, os.SEEK_SET)
            return os.read(self._descriptor, size)

    def expect(self, place: int, size: int) -> None:
        """Do nothing, as reading a file takes no time."""
