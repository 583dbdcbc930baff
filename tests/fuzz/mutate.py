"""Damage of many kinds: bits, cuts, pieces of bytes in a wrong place, numbers out of range.

A mutator takes a source of chance and bytes, and returns other bytes. Those of a format know where
its numbers stand, and repair checksums, so that damage gets past them.
"""

from __future__ import annotations

import random
import struct
import zlib
from collections.abc import Callable, Sequence
from typing import Final, Literal

Mutator = Callable[[random.Random, bytes], bytes]

NUMBERS: Final = (0, 1, 2, 3, 7, 8, 15, 16, 127, 128, 255, 256, 1 << 15, (1 << 16) - 1, 1 << 24)
NUMBERS_WIDE: Final = (*NUMBERS, (1 << 31) - 1, 1 << 31, (1 << 32) - 1, 1 << 40, (1 << 63) - 1)


def flip(chance: random.Random, data: bytes) -> bytes:
    """Flip one bit."""
    at = chance.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1 :]


def cut(chance: random.Random, data: bytes) -> bytes:
    """Keep the beginning."""
    return data[: chance.randrange(len(data))]


def set_byte(chance: random.Random, data: bytes) -> bytes:
    at = chance.randrange(len(data))
    return (
        data[:at]
        + bytes([chance.choice((0, 1, 127, 128, 255, chance.randrange(256)))])
        + data[at + 1 :]
    )


def set_number(chance: random.Random, data: bytes) -> bytes:
    """Write a number of 2, 4 or 8 bytes, in either order."""
    size = chance.choice((2, 4, 8))
    at = chance.randrange(len(data))
    value = chance.choice(NUMBERS_WIDE) % (1 << 8 * size)
    return data[:at] + value.to_bytes(size, chance.choice(("little", "big"))) + data[at + size :]


def _range(chance: random.Random, data: bytes) -> tuple[int, int]:
    start = chance.randrange(len(data))
    return start, min(len(data), start + 1 + int(chance.expovariate(1 / 8)))


def remove(chance: random.Random, data: bytes) -> bytes:
    start, end = _range(chance, data)
    return data[:start] + data[end:]


def repeat(chance: random.Random, data: bytes) -> bytes:
    start, end = _range(chance, data)
    return data[:end] + data[start:end] * chance.choice((1, 1, 2, 50)) + data[end:]


def insert(chance: random.Random, data: bytes) -> bytes:
    at = chance.randrange(len(data) + 1)
    return data[:at] + chance.randbytes(chance.randrange(1, 9)) + data[at:]


def move(chance: random.Random, data: bytes) -> bytes:
    start, end = _range(chance, data)
    rest = data[:start] + data[end:]
    at = chance.randrange(len(rest) + 1)
    return rest[:at] + data[start:end] + rest[at:]


def extend(chance: random.Random, data: bytes) -> bytes:
    return data + (bytes if chance.random() < 0.5 else chance.randbytes)(chance.randrange(1, 40))


ANY: Final[Sequence[Mutator]] = (
    flip, flip, flip, cut, cut, set_byte, set_number, remove, repeat, insert, move, extend,
)  # fmt: skip
"""What any bytes can suffer; what is more frequent stands there more than once."""


def damage(chance: random.Random, data: bytes, mutators: Sequence[Mutator] = ANY) -> bytes:
    """Damage some bytes in one way; where there are none, some come in."""
    return chance.choice(mutators)(chance, data) if data else insert(chance, data)


# PNG ---------------------------------------------------------------------------------------------

KINDS: Final = (
    b"IHDR PLTE IDAT IEND acTL fcTL fdAT gAMA tRNS iCCP zTXt tEXt eXIf abCd ABCD a1cd iDAT IEN\0"
).split()


def png_chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    """List the chunks of a file as far as they go."""
    found, at = [], 8
    while at + 8 <= len(data):
        length = struct.unpack_from(">I", data, at)[0]
        found.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + length]))
        at += 12 + length
    return found


def png_of(chunks: Sequence[tuple[bytes, bytes]]) -> bytes:
    parts = [
        struct.pack(">I", len(content))
        + kind
        + content
        + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in chunks
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def png_order(chance: random.Random, data: bytes) -> bytes:
    """Move, double, drop or add a chunk; all checksums are right."""
    chunks = png_chunks(data) or [(b"IDAT", b"")]
    at, to = chance.randrange(len(chunks)), chance.randrange(len(chunks) + 1)
    what = chance.randrange(4)
    taken = (
        chunks[at]
        if what < 3
        else (chance.choice(KINDS), chance.randbytes(chance.choice((0, 3, 13, 26))))
    )
    if what not in {1, 3}:
        del chunks[at]
    if what != 2:
        chunks.insert(min(to, len(chunks)), taken)
    return png_of(chunks)


def png_content(chance: random.Random, data: bytes) -> bytes:
    """Damage the content of one chunk; all checksums are right."""
    chunks = png_chunks(data) or [(b"IDAT", b"")]
    at = chance.randrange(len(chunks))
    kind, content = chunks[at]
    content = damage(chance, content)
    chunks[at] = (kind if chance.random() < 0.9 else flip(chance, kind)), content
    return png_of(chunks)


def png_stream(chance: random.Random, data: bytes) -> bytes:
    """Damage the rows or their compression, and spread them over chunks; checksums are right."""
    chunks = png_chunks(data)
    stream = b"".join(content for kind, content in chunks if kind == b"IDAT")
    if chance.random() < 0.7:
        try:
            rows = zlib.decompress(stream)
        except zlib.error:
            return flip(chance, data)
        rows = damage(chance, rows, (flip, set_byte, cut, extend, remove, insert))
        stream = zlib.compress(rows, chance.randrange(10))
    else:
        stream = damage(chance, stream)
    cuts = sorted(chance.randrange(len(stream) + 1) for _ in range(chance.randrange(3)))
    parts = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    start = [chunk for chunk in chunks if chunk[0] not in {b"IDAT", b"IEND"}]
    return png_of([*start, *((b"IDAT", part) for part in parts), (b"IEND", b"")])


PNG: Final[Sequence[Mutator]] = (
    *ANY,
    png_order,
    png_order,
    png_content,
    png_content,
    png_stream,
    png_stream,
)


# Formats of numbers at fixed places --------------------------------------------------------------


def tiff_fields(data: bytes) -> list[tuple[int, int]]:
    """Return place and bytes of the numbers in header and directory."""
    order = "<" if data[:2] == b"II" else ">"
    big = data[2:4] in {b"+\0", b"\0+"}
    if len(data) < 16:
        return [(0, 2)]
    place = struct.unpack_from(f"{order}Q" if big else f"{order}I", data, 8 if big else 4)[0]
    size, room = (8, 20) if big else (2, 12)
    count = int.from_bytes(data[place : place + size], "little" if order == "<" else "big")
    fields = [(2, 2), (8, 8) if big else (4, 4), (place, size)]
    for number in range(min(count, 40)):
        at = place + size + number * room
        fields += [
            (at, 2),
            (at + 2, 2),
            (at + 4, 8 if big else 4),
            (at + room // 2 + 2, room // 2 - 2),
        ]
    return fields


def bmp_fields(data: bytes) -> list[tuple[int, int]]:
    del data
    return [
        (2, 4),
        (10, 4),
        (14, 4),
        (18, 4),
        (22, 4),
        (26, 2),
        (28, 2),
        *((at, 4) for at in range(30, 70, 4)),
    ]


def gif_fields(data: bytes) -> list[tuple[int, int]]:
    start = 13 + (6 << (data[10] & 7) if len(data) > 10 and data[10] & 128 else 0)
    return [
        (6, 2),
        (8, 2),
        (10, 1),
        (start, 1),
        *((start + at, 2) for at in range(1, 12, 2)),
        (start + 9, 1),
    ]


def in_fields(fields: Callable[[bytes], list[tuple[int, int]]]) -> Mutator:
    """Write a number where the format has one, or change it by little."""

    def set_field(chance: random.Random, data: bytes) -> bytes:
        at, size = chance.choice(fields(data))
        order: Literal["big", "little"] = "big" if data[:2] == b"MM" else "little"
        now = int.from_bytes(data[at : at + size], order)
        value = chance.choice(
            (*NUMBERS_WIDE, now + 1, now - 1, 2 * now, now // 2, now ^ 1 << chance.randrange(16))
        )
        return data[:at] + (value % (1 << 8 * size)).to_bytes(size, order) + data[at + size :]

    return set_field


TIFF: Final[Sequence[Mutator]] = (*ANY, *[in_fields(tiff_fields)] * 8)
BMP: Final[Sequence[Mutator]] = (*ANY, *[in_fields(bmp_fields)] * 6)
GIF: Final[Sequence[Mutator]] = (*ANY, *[in_fields(gif_fields)] * 4)


# NumPy -------------------------------------------------------------------------------------------

WORDS: Final = (
    b"True",
    b"False",
    b"'<f4'",
    b"'|O'",
    b"'|S9'",
    b"(3, 4)",
    b"()",
    b"(-3, -4)",
    b"9" * 30,
)


def npy_header(chance: random.Random, data: bytes) -> bytes:
    """Put a word in the place of another, or change a number, in the header of an array."""
    if data[:2] == b"PK":
        return npz_member(chance, data)
    end = data.find(b"}") + 1
    header = data[10:end]
    marks = [at for at, byte in enumerate(header) if byte in b" ,()'"] or [0]
    start, stop = sorted(chance.choice(marks) for _ in range(2))
    header = header[:start] + chance.choice(WORDS) + header[stop:]
    return data[:10] + header + data[end:]


def npz_member(chance: random.Random, data: bytes) -> bytes:
    """Damage the array of an archive, whose checksum is right."""
    import io
    import zipfile

    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            content = archive.read(archive.namelist()[0])
    except Exception:  # noqa: BLE001 - it is damaged already
        return flip(chance, data)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", chance.choice((0, 8, 12, 14))) as archive:
        for number in range(chance.choice((1, 1, 1, 2))):
            damaged = damage(chance, content, (*ANY, npy_header))
            archive.writestr(f"{number}.npy", damaged)
    return stream.getvalue()


NPY: Final[Sequence[Mutator]] = (*ANY, *[npy_header] * 6)
