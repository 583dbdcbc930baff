"""NumPy's own files: one array, by itself or alone in an archive, never a pickle."""

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from segeval.errors import MaskError


@contextmanager
def open_array(file: IO[bytes], *, archive: bool) -> Iterator[IO[bytes]]:
    """Open the array that a file is, or the only one that an archive (``.npz``) holds."""
    if not archive:
        yield file
        return
    with zipfile.ZipFile(file) as members:
        names = members.namelist()
        if len(names) != 1:
            raise MaskError(f"the archive holds {len(names)} arrays {names[:5]}; expected one")
        with members.open(names[0]) as stream:
            yield stream


def read_header(stream: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Return shape, whether columns come first (Fortran's order), and type of the array."""
    version = np.lib.format.read_magic(stream)
    read = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }.get(version)
    if read is None:
        raise MaskError(f"NumPy format {version} is not that of an array of numbers")
    return read(stream)


def read_array(stream: IO[bytes]) -> NDArray[Any]:
    """Read the array whose header has been read."""
    stream.seek(0)
    return np.ascontiguousarray(np.lib.format.read_array(stream, allow_pickle=False))
