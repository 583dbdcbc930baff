"""Volumes of labels, read slab by slab, so that memory does not grow with them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from importlib.util import find_spec
from os import PathLike
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from segeval.errors import MaskError
from segeval.inputs.annotations import Masked
from segeval.inputs.files import OpenFile, first_bytes, named, opened
from segeval.inputs.fingerprints import fingerprint_of
from segeval.inputs.geometry import Volume

NIFTI: Final = (
    b"\x1f\x8b",  # gzip
    *(size.to_bytes(4, order) for size in (348, 540) for order in ("little", "big")),
)
META_IMAGE: Final = b"ObjectTy", b"NDims = ", b"NDims=", b"Comment "
NRRD: Final = b"NRRD000"
LIBRARIES: Final = {"NIfTI": "nibabel", "MetaImage": "SimpleITK", "NRRD": "SimpleITK"}


def kind_of(start: bytes) -> str:
    """Return the format of a volume that its first eight bytes tell; an empty text for others.

    >>> kind_of(b"NRRD0004"), kind_of(b"GIF89a")
    ('NRRD', '')
    """
    if start.startswith(NIFTI):
        return "NIfTI"
    if start.startswith(NRRD):
        return "NRRD"
    return "MetaImage" if start.startswith(META_IMAGE) else ""


def is_volume(path: str | PathLike[str]) -> bool:
    """Whether a path is that of a volume, by the first bytes of the file."""
    return bool(kind_of(first_bytes(path)))


def check_opens(mask: Masked) -> None:
    """Refuse a file that is not there, cannot be read, or is empty."""
    if isinstance(mask, Path):
        with named(mask), opened(mask):
            pass


class VolumeFile:
    """An open file of a volume: its header is read, its slices are still to come."""

    def __init__(self, path: Path, max_pixels: int) -> None:
        self.path = path
        self._beside: OpenFile | None = None
        self._stack = ExitStack()
        with ExitStack() as on_error, named(path):
            on_error.push(self._stack)
            self._file = self._stack.enter_context(opened(path))
            self.volume = self._read_header()
            _check_size(self.volume, max_pixels)
            on_error.pop_all()

    def __enter__(self) -> Self:
        """Return the file itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self._stack.close()

    def _read_header(self) -> Volume:
        stream = self._file.stream
        start = stream.read(8)
        kind = kind_of(start)
        stream.seek(0)
        if not kind:
            found = ascii(start.decode("latin-1"))
            raise MaskError(f"no volume: it starts with {found}")
        library = LIBRARIES[kind]
        if find_spec(library) is None:
            raise MaskError(
                f"{kind} volumes are read by {library}, which is not installed; type pip install "
                '"segeval-masks[medical]"'
            )
        from segeval.inputs.formats import itk, nifti

        if kind == "NIfTI":
            return nifti.read_header(stream)
        if kind == "NRRD":
            return itk.read_nrrd(stream, self.path)
        beside = itk.data_beside(stream, self.path)
        if beside is None:
            return itk.read_meta_image(stream, self.path, None)
        with named(beside):
            self._beside = self._stack.enter_context(opened(beside))
        return itk.read_meta_image(stream, self.path, self._beside.stream)

    def slabs(self) -> Iterator[NDArray[Any]]:
        """Yield the values of all slices, (n, rows, columns), in their order."""
        with named(self.path):
            yield from self.volume.slabs()

    def fingerprint(self) -> str:
        """Return the fingerprint of the bytes that were read."""
        with named(self.path):
            return fingerprint_of(self._file, *filter(None, [self._beside]))


def read_volume(
    path: Path, max_pixels: int, *, fingerprints: bool
) -> tuple[NDArray[Any], str, str]:
    """Read a whole volume: (slices, rows, columns), its form, and its fingerprint if asked."""
    with VolumeFile(path, max_pixels) as file:
        values = np.concatenate([*file.slabs()])
        return values, file.volume.form, file.fingerprint() if fingerprints else ""


def _check_size(volume: Volume, max_pixels: int) -> None:
    slices, rows, columns = volume.shape
    voxels, found = slices * rows * columns, f"{columns}×{rows}×{slices}"
    if min(volume.shape) < 1:
        raise MaskError(f"its header claims {found}: no voxel at all")
    if voxels > max_pixels:
        raise MaskError(
            f"its header claims {found} = {voxels} voxels, more than {max_pixels}; if that is "
            "right, raise --max-pixels"
        )
