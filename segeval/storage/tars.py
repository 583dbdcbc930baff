"""Archives of the tar format: entries one after another, alone or in one compressed stream."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable
from typing import IO, Any, Final

from segeval.storage.archive import Archive
from segeval.storage.inflating import Deflated, Inflated, Zstandard
from segeval.storage.source import Source
from segeval.storage.store import Entry, StorageError, Window

BLOCK: Final = tarfile.BLOCKSIZE
ENDLESS: Final = 1 << 62  # bytes, of a stream whose end is not known


class TarArchive(Archive):
    """An archive whose entries are found by going through it once."""

    def __init__(self, source: Source, mark: str, packing: str = "") -> None:
        super().__init__(source)
        self._mark, self._packed = mark, bool(packing)
        self._read_at = source.read_at
        if packing == "gzip":
            begin: Any = lambda: Deflated(source, 0, source.size, gzip=True)  # noqa: E731
            self._read_at = Inflated(begin, source.size).read_at
        elif packing:
            self._read_at = Inflated(lambda: Zstandard(source, source.size), source.size).read_at
        size = ENDLESS if packing else source.size
        try:
            self._list(io.BufferedReader(Window(self._read_at, size), 1 << 16))
        except tarfile.TarError as error:
            raise StorageError(f"the archive is broken: {error}; write it again") from error

    def _list(self, stream: IO[bytes]) -> None:
        """Go through all entries."""
        with tarfile.open(fileobj=stream, mode="r:") as archive:
            while (info := archive.next()) is not None:
                archive.members = []  # type: ignore[attr-defined]  # it would keep them all
                if info.isdir():
                    continue
                kind = "" if info.isreg() and not info.issparse() else "link in archive"
                mark = self._mark and f"at:{info.offset_data}.{self._mark}"
                self.take(info.name, info.size, mark, info.offset_data, kind)
            end = archive.offset
        if self._read_at(end, BLOCK) != bytes(BLOCK):  # which ends every archive
            raise StorageError("the archive is cut or broken behind its last entry; write it again")

    def span(self, entry: Entry) -> tuple[int, int]:
        """Return where a file lies; nowhere in a stream, which is read in order."""
        return (0, 0) if self._packed else (entry.where, entry.st_size)

    def read(self, entry: Entry) -> bytes:
        """Return all bytes of a file."""
        data = self._read_at(entry.where, entry.st_size) if entry.st_size else b""
        if len(data) != entry.st_size:
            raise StorageError("the archive ends in it; write it again")
        return data

    def reader(self, entry: Entry) -> Callable[[int, int], bytes]:
        """Return what reads parts of a large file."""
        return lambda start, size: self._read_at(entry.where + start, min(size, entry.st_size))
