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


def save_volume(
    path: Path, values: NDArray[Any], affine: object = None, *, compress: bool = False
) -> Path:
    """Write (x, y, z) values with an affine of NIfTI, in the format of the extension."""
    path.parent.mkdir(parents=True, exist_ok=True)
    matrix = np.diag([0.8, 1.1, 2.5, 1.0]) if affine is None else np.asarray(affine, np.float64)
    if ".nii" in path.name:
        import nibabel

        library: Any = nibabel
        library.save(library.Nifti1Image(values, matrix), path)
        return path
    import SimpleITK

    library = SimpleITK
    image = library.GetImageFromArray(np.ascontiguousarray(values.T))
    steps = np.diag([-1.0, -1.0, 1.0]) @ matrix[:3]  # right and front are left and back there
    spacing = np.linalg.norm(steps[:, :3], axis=0)
    image.SetSpacing(spacing.tolist())
    image.SetOrigin(steps[:, 3].tolist())
    image.SetDirection((steps[:, :3] / spacing).ravel().tolist())
    library.WriteImage(image, str(path), compress)
    return path
