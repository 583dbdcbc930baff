"""The list of entries at the end of a ZIP archive, which is long where masks are many."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

from segeval.storage.source import Source
from segeval.storage.store import StorageError

BROKEN: Final = "the archive is cut or broken: {}; write it again"
END: Final = struct.Struct("<4s4H2LH")  # of the archive
LOCATOR: Final = struct.Struct("<4sLQL")  # before it, where numbers are too large for it
LARGE_END: Final = struct.Struct("<4sQ2H2L4Q")
LISTED: Final = struct.Struct("<4s6H3L5H2L")
MOST_BEHIND: Final = 1 << 16  # bytes of a remark behind the end
FULL: Final = 0xFFFFFFFF  # stands for a number that is too large
UTF_8: Final = 0x800  # flag of a name


class Listed(NamedTuple):
    """What the list says of an entry."""

    name: str
    name_size: int  # bytes
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    mode: int  # of the file, on systems that have one
    start: int  # of its header


def listed(source: Source) -> Iterator[Listed]:
    """Yield the entries of an archive in the order of its list."""
    start, size, shift = _place_of_list(source)
    data = source.read_at(start, size)
    place = 0
    try:
        while place < size:
            (sign, _, _, flags, method, _, _, crc, packed, stored, *lengths, _, _, mode, begins) = (
                LISTED.unpack_from(data, place)
            )
            if sign != b"PK\1\2":
                raise StorageError(BROKEN.format("its list of entries"))
            name_end = place + LISTED.size + lengths[0]
            name = data[place + LISTED.size : name_end]
            place = name_end + lengths[1] + lengths[2]
            if FULL in {packed, stored, begins}:
                extra = data[name_end : name_end + lengths[1]]
                stored, packed, begins = _large(extra, (stored, packed, begins))
            text = name.decode("utf-8" if flags & UTF_8 else "cp437")
            yield Listed(
                text, len(name), flags, method, crc, packed, stored, mode >> 16, begins + shift
            )
    except (struct.error, UnicodeDecodeError) as error:
        raise StorageError(BROKEN.format(error)) from error
    if place != size:
        raise StorageError(BROKEN.format("its list of entries"))


def _place_of_list(source: Source) -> tuple[int, int, int]:
    """Return where the list begins, its bytes, and how far all lies behind where it should."""
    before = max(0, source.size - MOST_BEHIND - END.size)
    tail = source.read_at(before, source.size - before)
    found = tail.rfind(b"PK\5\6")
    if found < 0 or found + END.size > len(tail):
        raise StorageError(BROKEN.format("its end is missing"))
    *_, size, start, _ = END.unpack_from(tail, found)
    end = before + found
    if FULL in {size, start} or tail[max(found - LOCATOR.size, 0) :].startswith(b"PK\6\7"):
        data = source.read_at(end - LOCATOR.size - LARGE_END.size, LARGE_END.size)
        if not data.startswith(b"PK\6\6"):
            raise StorageError(BROKEN.format("its end is missing"))
        *_, size, start = LARGE_END.unpack(data)
        end -= LOCATOR.size + LARGE_END.size
    shift = end - size - start
    if shift < 0:
        raise StorageError(BROKEN.format("its list of entries"))
    return start + shift, size, shift


def _large(extra: bytes, numbers: tuple[int, ...]) -> list[int]:
    """Return size, packed size and place; those that are full stand in the extra field."""
    while len(extra) >= 4:
        kind, size = struct.unpack_from("<2H", extra)
        if kind == 1:
            values = list(struct.unpack_from(f"<{size // 8}Q", extra, 4))
            return [values.pop(0) if number == FULL and values else number for number in numbers]
        extra = extra[4 + size :]
    return [*numbers]
