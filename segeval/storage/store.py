"""What every store can do: say what it holds, and read it."""

from __future__ import annotations

import io
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import IO, Any, Final, NamedTuple, Protocol

AT_ONCE: Final = 64 << 20  # bytes of an entry that are read and held as a whole


class StorageError(OSError):
    """What is wrong with a store, or with what it holds; the message does not name it."""


class Entry(NamedTuple):
    """A file in a store."""

    name: str
    st_size: int  # bytes, called as the system calls those of files
    mark: str  # changes when the content does, and holds no space; empty if nothing tells
    where: Any = None  # what the store needs to read it


class Fault(NamedTuple):
    """An entry that is refused, or a store."""

    name: str
    kind: str
    detail: str


class Store(Protocol):
    """Files by name; names are parted by slashes."""

    def faults(self, folder: str) -> list[Fault]:
        """Return what stands in the way below a folder."""

    def names(self, folder: str) -> list[str]:
        """Return the names of all files below a folder, from the folder on, in order."""

    def has_folder(self, folder: str) -> bool:
        """Whether there is such a folder."""

    def entry(self, name: str) -> Entry:
        """Return a file; a FileNotFoundError if there is none."""

    def read(self, entry: Entry) -> bytes:
        """Return all bytes of a file, which are what they were when it was written."""

    def reader(self, entry: Entry) -> Callable[[int, int], bytes]:
        """Return what reads so many bytes of a file from a place on."""

    def expect(self, name: str) -> None:
        """Begin to fetch a file that will be asked for, if it is far away."""


class Window(io.RawIOBase):
    """A file of which parts are read when they are asked for."""

    def __init__(self, read_at: Callable[[int, int], bytes], size: int) -> None:
        self._read_at = read_at
        self._size = size
        self._place = 0

    def readable(self) -> bool:
        """Whether it can be read."""
        return True

    def seekable(self) -> bool:
        """Whether parts can be read in any order."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to another place."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._size}[whence]
        self._place = max(0, start + offset)
        return self._place

    def readinto(self, buffer: Any, /) -> int:
        """Fill a buffer as far as the file goes."""
        wanted = min(len(buffer), self._size - self._place)
        data = self._read_at(self._place, wanted) if wanted > 0 else b""
        buffer[: len(data)] = data
        self._place += len(data)
        return len(data)


class Recent:
    """The bytes of some files, which take no more memory than the largest one that is held."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: OrderedDict[tuple[Store, Entry], bytes] = OrderedDict()
        self._size = 0

    def read(self, store: Store, entry: Entry) -> bytes:
        """Return all bytes of a file."""
        if entry.st_size > AT_ONCE:
            raise StorageError("it is too large to be read at once")
        key = store, entry
        with self._lock:
            if (known := self._held.get(key)) is not None:
                return known
        data = store.read(entry)
        with self._lock:
            if key not in self._held:
                self._size += len(data)
                self._held[key] = data
            while self._size > AT_ONCE:
                self._size -= len(self._held.popitem(last=False)[1])
        return data


RECENT: Final = Recent()


def stream_of(store: Store, entry: Entry) -> IO[bytes]:
    """Return a file as a stream; it is in memory unless it is large."""
    if entry.st_size <= AT_ONCE:
        return io.BytesIO(RECENT.read(store, entry))
    return stream_at(store.reader(entry), entry.st_size)


def stream_at(read_at: Callable[[int, int], bytes], size: int) -> IO[bytes]:
    """Return as a stream what is read from any place."""
    return io.BufferedReader(Window(read_at, size), 1 << 20)
