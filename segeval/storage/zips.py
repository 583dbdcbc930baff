"""Archives of the ZIP format: entries lie anywhere, stored or deflated."""

from __future__ import annotations

import stat
import zipfile
import zlib
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from typing import Any, Final, NamedTuple

from segeval.storage.archive import Archive, is_bomb
from segeval.storage.inflating import Deflated, Inflated
from segeval.storage.source import Source
from segeval.storage.store import Entry, StorageError

HEADER: Final = 30  # bytes before the name that an entry repeats
BESIDE: Final = 64  # bytes of what may stand behind the name, mostly
BROKEN: Final = "the archive is broken: {}; write it again"


class Place(NamedTuple):
    """Where the bytes of an entry are."""

    start: int  # of its header
    name: int  # bytes of its name
    packed: int
    deflated: bool
    crc: int


def _inflate(data: bytes, size: int) -> bytes:
    inflater = zlib.decompressobj(-15)
    return inflater.decompress(data, size + 1)


inflate: Callable[[bytes, int], bytes | bytearray] = _inflate
checksum: Callable[..., int] = zlib.crc32
FAULTS: tuple[Any, ...] = (zlib.error,)

with suppress(ImportError):
    import deflate

    inflate, checksum = deflate.deflate_decompress, deflate.crc32
    FAULTS = (deflate.DeflateError,)


class ZipArchive(Archive):
    """An archive with a list of its entries at its end."""

    def __init__(self, source: Source, path: str) -> None:
        super().__init__(source)
        try:
            with zipfile.ZipFile(path) as archive:
                infos = archive.infolist()
        except (zipfile.BadZipFile, NotImplementedError, ValueError, EOFError) as error:
            raise StorageError(BROKEN.format(error)) from error
        end = 0
        for info in sorted(infos, key=lambda each: each.header_offset):
            if info.is_dir() and not info.file_size:
                continue
            name, start = info.orig_filename, info.header_offset
            kind = self._refusal(info)
            if start < end:
                kind = kind or "overlapping entries"
            end = max(end, start + HEADER + len(info.filename) + info.compress_size)
            place = Place(
                start, len(info.filename), info.compress_size, info.compress_type != 0, info.CRC
            )
            self.take(name, info.file_size, f"crc:{info.CRC:08x}", place, kind)
        self._large = lru_cache(maxsize=2)(self._inflated)

    @staticmethod
    def _refusal(info: zipfile.ZipInfo) -> str:
        """Return what kind of fault an entry is, or nothing."""
        mode = info.external_attr >> 16
        if stat.S_IFMT(mode) not in {0, stat.S_IFREG}:
            return "link in archive"
        if info.flag_bits & 0x41:
            return "encrypted entry"
        if info.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
            return "unknown compression"
        return "entry too large" if is_bomb(info.file_size, info.compress_size) else ""

    def read(self, entry: Entry) -> bytes:
        """Return all bytes of a file, whose number and checksum are right."""
        place: Place = entry.where
        start, data = self._data(place, place.packed)
        content: bytes | bytearray = data[start : start + place.packed]
        if place.deflated:
            try:
                content = inflate(data[start : start + place.packed], entry.st_size)
            except FAULTS as error:
                raise StorageError("it cannot be inflated; write the archive again") from error
        if len(content) != entry.st_size or checksum(content) != place.crc:
            raise StorageError("it differs from its checksum; write the archive again")
        return bytes(content)

    def _data(self, place: Place, size: int) -> tuple[int, bytes]:
        """Read an entry with its header; return where so many bytes of it begin."""
        guess = HEADER + place.name + BESIDE + size
        data = self.source.read_at(place.start, guess)
        if data[:4] != b"PK\3\4":
            raise StorageError("the archive holds no entry where it should; write it again")
        start = HEADER + int.from_bytes(data[26:28], "little")
        start += int.from_bytes(data[28:30], "little")
        if start + size > guess:
            data += self.source.read_at(place.start + guess, start + size - guess)
        return start, data

    def reader(self, entry: Entry) -> Callable[[int, int], bytes]:
        """Return what reads parts of a large file."""
        place: Place = entry.where
        first = place.start + self._data(place, 0)[0]
        if place.deflated:
            return self._large(entry, first).read_at

        def read_at(start: int, size: int) -> bytes:
            return self.source.read_at(first + start, min(size, entry.st_size - start))

        return read_at

    def _inflated(self, entry: Entry, first: int) -> Inflated:
        """Return what inflates a large file; all of it is inflated once, for its checksum."""
        place: Place = entry.where
        end = first + place.packed
        inflated = Inflated(lambda: Deflated(self.source, first, end, gzip=False), place.packed)
        if inflated.sum() != (entry.st_size, place.crc):
            raise StorageError("it differs from its checksum; write the archive again")
        return inflated
