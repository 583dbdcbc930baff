"""One way to open a file that users name: a regular one, its header first, faults under its name.

Pipes, devices and sockets would be waited on, and a file may be far larger than what it holds. So
only regular files are opened, and a large one is read no sooner than its header has told how many
bytes its pixels take.
"""

import io
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from os import PathLike
from pathlib import Path
from typing import IO, Any, Final, Protocol

from numpy.typing import NDArray

from segeval.errors import MaskError
from segeval.storage.path import StoredPath, located
from segeval.storage.store import Entry, StorageError
from segeval.text import reason_of
from segeval.textfiles import open_at_once

ROOM: Final = 64 << 20  # bytes a file may hold beside its pixels: texts, profiles, tables
AHEAD: Final = 1 << 18  # bytes that are read at once of a file of many masks
GROWTH: Final = 2  # how much larger than its pixels the worst compression makes a file
EMPTY: Final = "the file is empty (0 bytes); write it again"
ENDS: Final = (KeyboardInterrupt, SystemExit, GeneratorExit)  # what is no fault of a decoder
OTHERS: Final = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


Stamp = tuple[int, int | str]
"""Size of a file, and what changes when it does."""


class Header(Protocol):
    """What a file says of its pixels before any is decoded; that they are whole and plain."""

    @property
    def width(self) -> int:
        """Pixels a row."""

    @property
    def height(self) -> int:
        """Rows."""

    @property
    def stored(self) -> int:
        """Bytes that the samples of all pixels take, without compression."""

    @property
    def form(self) -> str:
        """Storage form in words, e.g. ``"PNG palette 8-bit"``."""

    def decode(self, data: bytes) -> NDArray[Any]:
        """Return the samples of a file, (H, W) or (H, W, channels), as stored."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OpenFile:
    """A regular file that is open; its content is in memory already unless it is large."""

    path: str | PathLike[str]
    stream: IO[bytes]
    status: os.stat_result | Entry

    def check_fits(self, stored: int) -> None:
        """Refuse a file that is far larger than pixels of so many bytes can make it."""
        if self.status.st_size > ROOM + GROWTH * stored:
            raise MaskError(
                f"the file has {self.status.st_size} bytes, but its header tells of pixels that "
                f"take {stored}; write it again"
            )

    def content(self, stored: int) -> bytes:
        """Return all bytes of a file that fits pixels of so many bytes."""
        self.check_fits(stored)
        if isinstance(self.stream, io.BytesIO):
            return self.stream.getvalue()
        self.stream.seek(0)
        return _read_whole(self.stream, self.status.st_size)


@contextmanager
def opened(path: str | PathLike[str], *, held: int = ROOM) -> Iterator[OpenFile]:
    """Open a regular file that is not empty; the errors do not name it, see `named`.

    Its content is read at once if it has at most ``held`` bytes.
    """
    path = path if isinstance(path, Path) else located(path)
    if isinstance(path, StoredPath):
        stored = _stored(path)
        with stored.stream:
            yield stored
        return
    with _open(path) as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise MaskError("it is no regular file any more")
        if status.st_size == 0:
            raise MaskError(EMPTY)
        stream: IO[bytes] = file
        if status.st_size <= held:
            stream = io.BytesIO(_read_whole(file, status.st_size))
        yield OpenFile(path=path, stream=stream, status=status)


def _stored(path: StoredPath) -> OpenFile:
    """Open what lies in an archive or a store of objects."""
    try:
        entry, stream = path.entry(), path.stream()
    except (OSError, ValueError) as error:
        raise MaskError(f"cannot be read: {reason_of(error)}") from error
    if entry.st_size == 0:
        raise MaskError(EMPTY)
    return OpenFile(path=path, stream=stream, status=entry)


def first_bytes(path: str | PathLike[str]) -> bytes:
    """Return the first eight bytes of a regular file; none if it cannot be read."""
    try:
        if isinstance(path, StoredPath):
            return path.stream().read(8)
        if not stat.S_ISREG(os.stat(path).st_mode):
            return b""
        with open(path, "rb", buffering=0, opener=open_at_once) as file:
            return file.read(8)
    except (OSError, ValueError):
        return b""


def stamp_of(path: Path) -> Stamp:
    """Return what tells that a file is still the same; an OSError if there is none."""
    if isinstance(path, StoredPath):
        entry = path.entry()
        return entry.st_size, entry.mark
    status = os.stat(path)
    return status.st_size, status.st_mtime_ns


def read_parts(path: Path, stamp: Stamp, places: Iterable[tuple[int, int]]) -> list[bytes]:
    """Read parts of a file, each from a place on; a MaskError if the file is not as it was.

    Where parts are asked for in the order of the file, it is read ahead, so each byte once.
    """
    places, ahead = [*places], _ahead(path, stamp)
    start, data = ahead.held
    first, last = min(places, default=(start, 0))[0], max(map(sum, places), default=start)
    follows, ahead.last = 0 <= first - ahead.last < AHEAD, last
    if not start <= first <= last <= start + len(data):
        if not follows or last - first > AHEAD:
            return _read_from(path, stamp, places)
        start, data = ahead.held = first, _read_from(path, stamp, [(first, AHEAD)])[0]
    return [data[place - start : place - start + size] for place, size in places]


class _Ahead:
    """What was read of a file beyond what was asked for; threads take or change it as a whole."""

    def __init__(self) -> None:
        self.held = 0, b""
        self.last = 0  # where what was asked for last ends


@lru_cache(maxsize=4)
def _ahead(path: Path, stamp: Stamp) -> _Ahead:
    del path, stamp
    return _Ahead()


def _read_from(path: Path, stamp: Stamp, places: list[tuple[int, int]]) -> list[bytes]:
    try:
        if isinstance(path, StoredPath):
            same, stream = stamp_of(path) == stamp, path.stream()
        else:
            stream = open(path, "rb", buffering=0, opener=open_at_once)  # noqa: SIM115
            status = os.fstat(stream.fileno())
            same = (status.st_size, status.st_mtime_ns) == stamp
        with stream:
            if not same:
                raise MaskError("the file changes while it is read; wait until it is written")
            parts = []
            for start, size in places:
                stream.seek(start)
                parts.append(stream.read(size))
            return parts
    except OSError as error:
        raise MaskError(f"cannot be read: {reason_of(error)}") from error


def _open(path: str | PathLike[str]) -> io.FileIO:
    """Open a file without waiting for anybody who may write it."""
    try:
        other = OTHERS.get(stat.S_IFMT(os.stat(path).st_mode))
        if other is None:
            return open(path, "rb", buffering=0, opener=open_at_once)
    except (OSError, ValueError) as error:
        raise MaskError(f"cannot be opened: {reason_of(error)}") from error
    raise MaskError(f"it is {other}; only regular files are read")


def _read_whole(file: IO[bytes], size: int) -> bytes:
    """Read a file of a known size; one byte more would tell that it grows."""
    try:
        data = file.read(size + 1) or b""
        while len(data) < size and (more := file.read(size + 1 - len(data))):
            data += more
    except OSError as error:
        raise MaskError(f"cannot be read: {reason_of(error)}") from error
    if len(data) != size:
        raise MaskError("its size changes while it is read; wait until it is written")
    return data


@contextmanager
def named(path: str | PathLike[str]) -> Iterator[None]:
    """Tell whatever goes wrong with a file under its name.

    Decoders raise anything on bad input, also what is no `Exception`; all of it means one thing.
    """
    try:
        yield
    except MaskError as error:
        raise MaskError(f"{path}: {error}") from error.__cause__
    except ENDS:
        raise
    except StorageError as error:
        raise MaskError(f"{path}: cannot be read: {reason_of(error)}") from error
    except MemoryError as error:
        raise MaskError(f"{path}: there is not enough memory to read it") from error
    except BaseException as error:
        reason = str(error).rstrip(".") or type(error).__name__
        message = f"{path}: the file is broken: {reason}; write it again"
        raise MaskError(message) from error


@contextmanager
def memory_for(width: int, height: int) -> Iterator[None]:
    """Tell how many pixels there is not enough memory for."""
    try:
        yield
    except MemoryError as error:
        message = f"there is not enough memory to read {width}×{height} pixels"
        raise MaskError(message) from error


def check_size(width: int, height: int, max_pixels: int, *, classes: int = 1) -> None:
    """Refuse more pixels than are allowed, or numbers where each class has one a pixel, or none."""
    if min(width, height) < 1:
        raise MaskError(f"its header claims {width}×{height}: no pixel at all")
    if width * height * classes > max_pixels:
        found = f"{width}×{height} = {width * height} pixels"
        if classes > 1:
            found = f"{classes} classes × {width}×{height} = {width * height * classes} numbers"
        raise MaskError(
            f"its header claims {found}, more than {max_pixels}; if that is right, raise "
            "--max-pixels"
        )
