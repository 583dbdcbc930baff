"""NIfTI volumes of labels, read with the standard library and NumPy."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

TYPES: Final = {2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8", 256: "i1", 512: "u2", 768: "u4"}
"""Data types of the format by their codes."""


def read_labels(path: Path) -> NDArray[np.int64]:
    """Read whole numbers from a little-endian NIfTI-1 file, one plane below the other."""
    data = gzip.decompress(path.read_bytes())
    rank, *sizes = struct.unpack_from("<8h", data, 40)
    (code,) = struct.unpack_from("<h", data, 70)
    offset, slope, intercept = struct.unpack_from("<3f", data, 108)
    dtype = np.dtype(f"<{TYPES[code]}")
    shape = tuple(sizes[:rank])
    raw: NDArray[Any] = np.frombuffer(data, dtype, int(np.prod(shape)), int(offset))
    values: NDArray[np.int64] = (raw * (slope or 1) + intercept).round().astype(np.int64)
    return values.reshape(shape[::-1]).reshape(-1, shape[0])
