"""A small writer of BMP files."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
from made.png import packed
from numpy.typing import NDArray


def made_bmp(
    samples: NDArray[Any],
    *,
    bits: int,
    upwards: bool = True,
    header: int = 40,
    colors: int | None = None,
    gap: int = 0,
    bitfields: tuple[int, ...] = (),
    compression: int | None = None,
) -> bytes:
    """Write samples (H, W), or (H, W, channels) in the order of the file, behind a palette.

    ``gap`` bytes stand between palette and rows; ``bitfields`` are masks of the channels.
    """
    height, width = samples.shape[:2]
    rows = samples[::-1] if upwards else samples
    lines = [packed(row.ravel(), min(bits, 8)) for row in rows]
    content = b"".join(line + bytes(-len(line) % 4) for line in lines)
    used = colors if colors is not None else (1 << bits if bits <= 8 else 0)
    if header == 12:
        fields = struct.pack("<IHHHH", 12, width, height, 1, bits)
    else:
        method = (3 if bitfields else 0) if compression is None else compression
        signed = height if upwards else -height
        fields = struct.pack(
            "<IiiHHIIiiII", header, width, signed, 1, bits, method, 0, 0, 0, used, 0
        )
        masks = struct.pack(f"<{len(bitfields)}I", *bitfields)
        fields = (fields + masks).ljust(header, b"\0")
    palette = np.random.default_rng(used).bytes(used * (3 if header == 12 else 4))
    start = 14 + len(fields) + len(palette) + gap
    head = b"BM" + struct.pack("<IHHI", start + len(content), 0, 0, start)
    return head + fields + palette + bytes(gap) + content
