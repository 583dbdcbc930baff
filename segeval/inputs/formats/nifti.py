"""NIfTI volumes through nibabel, slab by slab, also out of a gzip stream."""

from __future__ import annotations

import gzip
import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, Final

import numpy as np
from numpy.typing import NDArray

from segeval.errors import MaskError
from segeval.inputs.geometry import Geometry, Volume

LENGTHS: Final = {
    length.to_bytes(4, order): length for length in (348, 540) for order in ("little", "big")
}  # what the first bytes of NIfTI-1 and NIfTI-2 say, in either order
GZIP: Final = b"\x1f\x8b"
UNITS: Final = {"meter": 1e3, "mm": 1.0, "micron": 1e-3, "unknown": 1.0}  # mm; none said is mm
TURNED: Final = np.array([-1.0, -1.0, 1.0])  # right and front become left and back
AFTER: Final = 1 << 24  # bytes that may stand behind the last slice
PIECE: Final = 1 << 20


def read_header(stream: IO[bytes]) -> Volume:
    """Read the header of a NIfTI file; its slices come as they are asked for, in their order."""
    from nibabel import imageglobals
    from nibabel.fileholders import FileHolder
    from nibabel.nifti1 import Nifti1Image
    from nibabel.nifti2 import Nifti2Image

    data = _inflated(stream)
    length = LENGTHS.get(data.read(4))
    if length is None:
        raise MaskError("it is compressed by gzip, and no NIfTI volume is in it")
    data.seek(0)
    holder = FileHolder(fileobj=data)
    kind: Any = Nifti1Image if length == 348 else Nifti2Image
    with _silent(imageglobals.logger):
        image = kind.from_file_map({"header": holder, "image": holder}, mmap=False)
    header, shape = image.header, _shape(image.shape)
    dtype = header.get_data_dtype()
    if dtype.kind not in "iuf":
        raise MaskError(f"it holds {dtype}; expected one integer a voxel")
    factor = UNITS[header.get_xyzt_units()[0]]
    steps = np.asarray(image.affine, np.float64)[:3] * (factor * TURNED[:, None])

    def read(start: int, stop: int) -> NDArray[Any]:
        axes = (slice(None), slice(None), slice(start, stop), *[0] * 9)[: len(image.shape)]
        slab = np.asarray(image.dataobj[axes])
        return slab.reshape(*shape[:2], stop - start, order="F").T

    slope, shift = image.dataobj.slope, image.dataobj.inter
    scaled = "" if (slope, shift) == (1, 0) else f" scaled by {slope:g}"
    return Volume(
        kind=f"NIfTI {dtype.newbyteorder('=')}{scaled}",
        geometry=Geometry.of(shape, steps[:, :3].T, steps[:, 3]),
        read=read,
        check_end=lambda: _check_end(data),
    )


@contextmanager
def _silent(logger: logging.Logger) -> Iterator[None]:
    """Let a logger say nothing: what it would say is raised as well, or is mended without harm."""
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(level)


def _inflated(stream: Any) -> Any:
    """Return the bytes of a file as they are without compression."""
    compressed = stream.read(2) == GZIP
    stream.seek(0)
    return gzip.GzipFile(fileobj=stream) if compressed else io.BufferedReader(stream)


def _shape(shape: tuple[int, ...]) -> tuple[int, int, int]:
    """Return columns, rows and slices; further axes are refused."""
    columns, rows, slices, *others = (*shape, 1, 1)
    if any(other != 1 for other in others):
        found = "×".join(map(str, shape))
        raise MaskError(
            f"it has {len(shape)} axes ({found}); expected one label map of three: save each "
            "point in time or channel by itself"
        )
    return columns, rows, slices


def _check_end(data: gzip.GzipFile | io.BufferedReader) -> None:
    """Read on to the end, where gzip has its checksum; little may stand there."""
    if not isinstance(data, gzip.GzipFile):
        return
    left = AFTER
    while piece := data.read(PIECE):
        left -= len(piece)
        if left < 0:
            raise MaskError("far more stands in it than its header tells of; write it again")
