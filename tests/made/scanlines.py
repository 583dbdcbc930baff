"""PNG files that differ in all that a kernel over scan lines depends on, from a seed.

Written from the specification; shares no code with the readers under test.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from made.png import CHANNELS, chunk, packed, png_start

if TYPE_CHECKING:
    from numpy.typing import NDArray

DEPTHS: Final = {0: (1, 2, 4, 8, 16), 2: (8,), 3: (1, 2, 4, 8), 4: (8,), 6: (8,)}
FORMATS: Final = [(kind, bits) for kind, depths in DEPTHS.items() for bits in depths]


def values(random: np.random.Generator, shape: tuple[int, int], highest: int) -> NDArray[Any]:
    """Draw a mask (H, W): of one value, of blocks, of stripes, of noise, or of several of these."""
    height, width = shape
    few = random.integers(0, highest, random.integers(1, 6), endpoint=True)
    mask = np.full(shape, few[0])
    for _ in range(random.integers(0, 6)):
        y, x = random.integers(0, height), random.integers(0, width)
        part = mask[y : y + random.integers(1, height + 1), x : x + random.integers(1, width + 1)]
        kind = random.integers(0, 4)
        if kind == 0:
            part[...] = random.choice(few)
        elif kind == 1:
            part[...] = random.choice(few, part.shape[1])
        elif kind == 2:
            part[...] = random.choice(few, (part.shape[0], 1))
        else:
            part[...] = random.integers(0, highest, part.shape, endpoint=True)
    return mask


def samples(random: np.random.Generator, mask: NDArray[Any], color_type: int) -> NDArray[Any]:
    """Return samples (H, W, channels) of a mask: colours of its values, alpha that is opaque."""
    if color_type in {0, 3}:
        return mask[..., None]
    alpha = np.full((*mask.shape, 1), 255)
    if color_type == 4:
        return np.concatenate([mask[..., None], alpha], axis=2)
    colors = random.integers(0, 256, (256, 3))[mask]
    return colors if color_type == 2 else np.concatenate([colors, alpha], axis=2)


def filtered(rows: list[bytes], unit: int, filters: list[int]) -> bytes:
    """Filter each row by its own filter; ``unit`` is the distance in bytes to the pixel before."""
    above, lines = np.zeros(len(rows[0]), int), []
    for raw, kind in zip(rows, filters, strict=True):
        row = np.frombuffer(raw, np.uint8).astype(int)
        left, corner = (np.concatenate([np.zeros(unit, int), r])[: row.size] for r in (row, above))
        guess = left + above - corner
        near = np.abs(guess - np.stack([left, above, corner])).argmin(axis=0)
        predicted = {
            0: np.zeros_like(row),
            1: left,
            2: above,
            3: (left + above) // 2,
            4: np.choose(near, [left, above, corner]),
        }[kind]
        lines.append(bytes([kind]) + (row - predicted).astype(np.uint8).tobytes())
        above = row
    return b"".join(lines)


def rows_of(array: NDArray[Any], bits: int) -> list[bytes]:
    """Pack each row of samples (H, W, channels)."""
    return [packed(row.ravel(), bits) for row in array]


def file_of(
    random: np.random.Generator, shape: tuple[int, int], color_type: int, bits: int, lines: bytes
) -> bytes:
    """Write scan lines as a file: a palette where one belongs, one to many IDAT, some empty."""
    stream = zlib.compress(lines, int(random.integers(0, 10)))
    cuts = np.sort(random.integers(0, len(stream) + 1, random.choice([0, 0, 1, 3, 9]))).tolist()
    parts = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    palette = random.integers(0, 256, 3 << bits, np.uint8).tobytes() if color_type == 3 else b""
    chunks = [(b"gAMA", b"\0\0\xb1\x8f"), (b"PLTE", palette)][1 - random.integers(0, 2) :]
    chunks = [each for each in chunks if each[1]] + [(b"IDAT", part) for part in parts]
    chunks += [(b"tEXt", b"a\0b")] * int(random.integers(0, 2)) + [(b"IEND", b"")]
    start = png_start(shape[1], shape[0], color_type=color_type, bits=bits)
    return start + b"".join(chunk(*each) for each in chunks)


def any_lines(
    random: np.random.Generator, shape: tuple[int, int], color_type: int, bits: int
) -> tuple[bytes, int, int]:
    """Filter a mask that is made up, each row by another filter, or all by one.

    Returns scan lines, bits a sample and samples a pixel.
    """
    mask = values(random, shape, (1 << bits) - 1)
    rows = rows_of(samples(random, mask, color_type), bits)
    kinds = random.integers(0, 5, shape[0]) if random.random() < 0.7 else [random.integers(0, 5)]
    filters = np.resize(kinds, shape[0]).tolist()
    channels = CHANNELS[color_type]
    return filtered(rows, max(1, bits * channels // 8), filters), bits, channels


def any_file(
    random: np.random.Generator, shape: tuple[int, int], color_type: int, bits: int
) -> bytes:
    """Write a mask that is made up as a file."""
    lines, _, _ = any_lines(random, shape, color_type, bits)
    return file_of(random, shape, color_type, bits, lines)


def any_shape(random: np.random.Generator) -> tuple[int, int]:
    """Draw a height and a width, often 1, and around whole bytes and words."""
    height, width = random.choice([1, 1, 2, 7, 8, 9, 33, 70], 2).tolist()
    return height, width


def mutated(random: np.random.Generator, data: bytes) -> bytes:
    """Damage a file: bytes changed, cut out, put in, or cut off; checksums stay as they were."""
    content = bytearray(data)
    for _ in range(random.integers(1, 4)):
        at, kind = int(random.integers(8, max(9, len(content)))), random.integers(0, 4)
        if kind == 0:
            content[at : at + 1] = bytes([random.integers(0, 256)])
        elif kind == 1:
            del content[at : at + int(random.integers(1, 20))]
        elif kind == 2:
            content[at:at] = random.integers(0, 256, random.integers(1, 20), np.uint8).tobytes()
        else:
            del content[at:]
    return bytes(content)


def repaired(data: bytes) -> bytes:
    """Write the checksum of each chunk anew, as far as there are chunks."""
    content, at = bytearray(data), 8
    while at + 12 <= len(content):
        end = at + 8 + int.from_bytes(content[at : at + 4], "big")
        if end + 4 > len(content):
            break
        content[end : end + 4] = zlib.crc32(content[at + 4 : end]).to_bytes(4, "big")
        at = end + 4
    return bytes(content)


def damaged_lines(random: np.random.Generator, lines: bytes) -> bytes:
    """Change a few bytes of scan lines, mostly into what filters have."""
    content = bytearray(lines)
    for at in random.integers(0, len(content), random.integers(0, 4)):
        content[at] = random.integers(0, random.choice([5, 256]))
    return bytes(content)


def damaged_file(
    random: np.random.Generator, shape: tuple[int, int], color_type: int, bits: int, lines: bytes
) -> bytes:
    """Write scan lines as a file that is damaged anywhere, or damaged rows in a whole file."""
    if random.random() < 0.3:
        return file_of(random, shape, color_type, bits, damaged_lines(random, lines))
    data = mutated(random, file_of(random, shape, color_type, bits, lines))
    return repaired(data) if random.random() < 0.7 else data


def any_damaged_file(
    random: np.random.Generator, shape: tuple[int, int], color_type: int, bits: int
) -> bytes:
    """Write a mask that is made up as a damaged file."""
    lines, _, _ = any_lines(random, shape, color_type, bits)
    return damaged_file(random, shape, color_type, bits, lines)
