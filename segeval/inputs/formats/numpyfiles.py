"""NumPy's own files: one array, by itself or alone in an archive, never a pickle."""

import io
import math
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any, Final

import numpy as np
from numpy.typing import NDArray

from segeval.errors import MaskError

MAGIC: Final = b"\x93NUMPY"
LONGEST: Final = 1 << 16  # bytes of a header, and of the table of contents of an archive
TAIL: Final = 22 + (1 << 16)  # bytes in which the end of an archive stands
LAYOUT: Final = re.compile(
    rb"\{\s*'descr':\s*'([<>|][biufcSUVOmM]\d{0,9}(?:\[\w+\])?)',\s*"
    rb"'fortran_order':\s*(True|False),\s*'shape':\s*\(([\d, L]{0,999})\),?\s*\}\s*"
)  # as NumPy writes it, and what imitates it; Python 2 wrote numbers such as 3L
NUMBER: Final = re.compile(r"\d+")
METHODS: Final = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Header:
    """Shape, order and type of an array, and what comes before it in its stream."""

    shape: tuple[int, ...]
    columns_first: bool  # Fortran's order
    dtype: np.dtype[Any]
    start: int
    archive: bool

    @property
    def width(self) -> int:
        """Pixels a row, where each row is the last axis."""
        return self.shape[-1]

    @property
    def height(self) -> int:
        """Rows."""
        return self.shape[-2]

    @property
    def stored(self) -> int:
        """Bytes of the array."""
        return self.dtype.itemsize * math.prod(self.shape)

    @property
    def form(self) -> str:
        """Storage form in words."""
        return f"NumPy {self.dtype}"

    def decode(self, data: bytes) -> NDArray[Any]:
        """Return the array of a file, which must hold nothing else; read-only."""
        if self.archive:
            with _only_member(io.BytesIO(data)) as member:
                data = member.read(self.start + self.stored + 1)  # checked at the end of it
        if (found := len(data) - self.start) != self.stored:
            raise MaskError(
                f"the file is broken: {found} bytes are there, and its header tells of an array of "
                f"{self.stored}; write it again, one array a file"
            )
        values: NDArray[Any] = np.frombuffer(data, self.dtype, offset=self.start)
        if self.columns_first:
            return values.reshape(self.shape[::-1]).T
        return values.reshape(self.shape)


def read_header(stream: IO[bytes], *, archive: bool) -> Header:
    """Read the header of the array that a file is, or of the only one that an archive holds."""
    if not archive:
        return _read_header(stream, archive=False)
    with _only_member(stream) as member:
        return _read_header(member, archive=True)


def _read_header(stream: IO[bytes], *, archive: bool) -> Header:
    """Read no more than a header may have, whatever length it claims."""
    start = stream.read(8)
    if start[:6] != MAGIC:
        raise MaskError("the file is broken: it holds no NumPy array; write it again")
    if (version := (start[6], start[7])) not in {(1, 0), (2, 0)}:
        raise MaskError(f"NumPy format {version} is not that of an array of numbers")
    size = stream.read(2 * version[0])
    text = stream.read(min(int.from_bytes(size, "little"), LONGEST))
    found = LAYOUT.fullmatch(text)
    if found is None:
        raise MaskError("the file is broken: its NumPy header is not plain; write it again")
    kind, columns_first, numbers = (group.decode() for group in found.groups())
    return Header(
        shape=tuple(int(number) for number in NUMBER.findall(numbers)),
        columns_first=columns_first == "True",
        dtype=np.dtype(kind),
        start=8 + len(size) + len(text),
        archive=archive,
    )


@contextmanager
def _only_member(stream: IO[bytes]) -> Iterator[IO[bytes]]:
    """Open the only member of an archive, whose contents are looked at only if they are few."""
    size = stream.seek(0, io.SEEK_END)
    stream.seek(max(0, size - TAIL))
    tail = stream.read(TAIL)
    end = tail[tail.rfind(b"PK\5\6") :][:22]
    if int.from_bytes(end[12:16], "little") > LONGEST:
        count = int.from_bytes(end[10:12], "little")
        raise MaskError(f"the archive holds {count} arrays; expected one")
    with zipfile.ZipFile(stream) as members:
        names = members.namelist()
        if len(names) != 1:
            raise MaskError(f"the archive holds {len(names)} arrays {names[:5]}; expected one")
        if members.infolist()[0].compress_type not in METHODS:
            raise MaskError("the archive is compressed as NumPy does not; write it again")
        with members.open(names[0]) as member:
            yield member
