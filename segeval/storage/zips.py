"""Archives of the ZIP format: entries lie anywhere, stored or deflated."""

from __future__ import annotations

import stat
import zlib
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from operator import attrgetter
from typing import Any, Final, NamedTuple

from segeval.storage.archive import Archive, is_bomb
from segeval.storage.directory import Listed, listed
from segeval.storage.inflating import Deflated, Inflated
from segeval.storage.source import Source
from segeval.storage.store import Entry, StorageError

HEADER: Final = 30  # bytes before the name that an entry repeats
BESIDE: Final = 64  # bytes of what may stand behind the name, mostly
STORED: Final = 0
DEFLATED: Final = 8
ENCRYPTED: Final = 0x41  # flags


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

    def __init__(self, source: Source) -> None:
        super().__init__(source)
        end = 0
        for each in sorted(listed(source), key=attrgetter("start")):
            if each.name.endswith("/") and not each.size:
                continue
            kind = _refusal(each)
            if each.start < end:
                kind = kind or "overlapping entries"
            end = max(end, each.start + HEADER + each.name_size + each.packed)
            place = Place(each.start, each.name_size, each.packed, each.method != 0, each.crc)
            self.take(each.name, each.size, f"crc:{each.crc:08x}", place, kind)
        self._large = lru_cache(maxsize=2)(self._inflated)

    def span(self, entry: Entry) -> tuple[int, int]:
        """Return where an entry begins, and how many bytes it has with its header."""
        place: Place = entry.where
        return place.start, HEADER + place.name + BESIDE + place.packed

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


def _refusal(entry: Listed) -> str:
    """Return what kind of fault an entry is, or nothing."""
    if stat.S_IFMT(entry.mode) not in {0, stat.S_IFREG}:
        return "link in archive"
    if entry.flags & ENCRYPTED:
        return "encrypted entry"
    if entry.method not in {STORED, DEFLATED}:
        return "unknown compression"
    return "entry too large" if is_bomb(entry.size, entry.packed) else ""
