"""What one flipped bit, or a cut, does to a valid mask of each format: the table of the docs.

``python tests/fuzz/faults.py`` flips 600 bits of each of ten files, one at a time, cuts each at
every place, and prints what came of it.
"""

from __future__ import annotations

import random
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

if __name__ == "__main__":  # this folder is a package, found from the one above
    sys.path[:1] = [str(folder) for folder in Path(__file__).parents[1:3]]

import numpy as np
from fuzz.fuzz import SHARED
from fuzz.targets import array, saved, small

from segeval.errors import MaskError
from segeval.inputs.masks import Mask, read_mask

FLIPS: Final = 600
OUTCOMES: Final = "refused", "as before", "other values", "another shape"


def made_files() -> dict[str, bytes]:
    """Return ten masks of 40 × 48 pixels and 5 classes."""
    mask = np.kron(small(5, (10, 12)), np.ones((4, 4), int)).astype(np.uint8)
    rgb = np.dstack([mask, mask * 3, mask + 100])
    return {
        "PNG, grey": saved(mask, "PNG"),
        "PNG, palette": saved(mask, "PNG", palette=True),
        "PNG, RGB": saved(rgb, "PNG"),
        "`.npz`": array(mask, np.savez_compressed),
        "TIFF, Deflate": saved(mask, "TIFF", compression="tiff_adobe_deflate"),
        "TIFF, LZW": saved(mask, "TIFF", compression="tiff_lzw"),
        "TIFF, uncompressed": saved(mask, "TIFF"),
        "BMP": saved(mask, "BMP", palette=True),
        "GIF": saved(mask, "GIF", palette=True, optimize=False),
        "`.npy`": array(mask),
    }


def flips(data: bytes, number: int) -> Iterator[bytes]:
    """Flip bits, one at a time, spread over the whole file."""
    chance = random.Random(0)
    for bit in chance.sample(range(8 * len(data)), number):
        at, value = bit >> 3, 1 << (bit & 7)
        yield data[:at] + bytes([data[at] ^ value]) + data[at + 1 :]


def outcome(path: Path, data: bytes, whole: Mask) -> str:
    """Say what came of a damaged file."""
    path.write_bytes(data)
    try:
        values = read_mask(path).values
    except MaskError:
        return "refused"
    if values.shape != whole.values.shape:
        return "another shape"
    return "as before" if np.array_equal(values, whole.values) else "other values"


def count(*, flipped: int = FLIPS, step: int = 1) -> dict[str, tuple[Counter[str], Counter[str]]]:
    """Return the outcomes of flips, and of cuts at every so many bytes, by kind of file."""
    found = {}
    with tempfile.TemporaryDirectory(dir=SHARED) as folder:
        path = Path(folder) / "mask"
        for name, data in made_files().items():
            path.write_bytes(data)
            whole = read_mask(path)
            cuts = (data[:length] for length in range(0, len(data), step))
            found[name] = (
                Counter(outcome(path, damaged, whole) for damaged in flips(data, flipped)),
                Counter(outcome(path, damaged, whole) for damaged in cuts),
            )
    return found


def table() -> str:
    """Return the outcomes as a Markdown table."""
    lines = [
        "| file | flips | refused | as before | other values | another shape | cuts | refused |",
        f"|---|{'--:|' * 7}",
    ]
    for name, (one, other) in count().items():
        cells = [one.total(), *(one[kind] for kind in OUTCOMES)]
        cells += [other.total(), other["refused"]]
        lines.append(f"| {name} | {' | '.join(map(str, cells))} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(table())
