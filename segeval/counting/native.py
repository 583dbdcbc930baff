"""Count pairs of PNG files from their scan lines, without making pixels of them.

This is a short cut and nothing else. Whatever is unusual about a file, damage included, is left to
those who read pixels: they find the same numbers, or the words to refuse the file with.
"""

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from segeval.counting.contingency import ContingencyTable
from segeval.counting.kernel import KERNEL
from segeval.errors import MaskError
from segeval.inputs.files import GROWTH, ROOM
from segeval.inputs.fingerprints import fingerprint
from segeval.inputs.formats import png
from segeval.textfiles import NO_WAITING

DEPTHS: Final = {0: {1, 2, 4, 8, 16}, 2: {8}, 3: {1, 2, 4, 8}, 4: {8}, 6: {8}}
"""Bits a sample, by colour type, of the scan lines that the kernel reads."""

MOST: Final = 4  # bytes a pixel
FLAGS: Final = os.O_RDONLY | NO_WAITING | getattr(os, "O_BINARY", 0)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _File:
    """A PNG file that the kernel may read."""

    header: png.Header
    data: bytes
    status: os.stat_result

    @property
    def lines(self) -> tuple[bytes | bytearray, int, int]:
        """Its scan lines, bits a sample and samples a pixel, as the kernel takes them."""
        channels = png.CHANNELS[self.header.color_type]
        return png.scan_lines(self.data, self.header), self.header.bits, channels


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CountedFiles:
    """The counts of two files of one size, their forms, and fingerprints if they were asked for."""

    shape: tuple[int, int]
    forms: tuple[str, str]
    table: ContingencyTable
    fingerprints: str


def count_files(
    truth: Path, prediction: Path, *, max_pixels: int, fingerprints: bool
) -> CountedFiles | None:
    """Count two PNG files; None if there is no kernel, or it is not for them."""
    if KERNEL is None:
        return None
    try:
        # the prediction first, as that is more often of another kind: no truth is read for nothing
        files = [_read(path, max_pixels) for path in (prediction, truth)][::-1]
        width, height = files[0].header.width, files[0].header.height
        if (files[1].header.width, files[1].header.height) != (width, height):
            return None
        found = KERNEL(width, height, *files[0].lines, *files[1].lines)
    except (MaskError, OSError, ValueError, MemoryError):
        return None
    if found is None:
        return None
    columns = np.frombuffer(found, np.int64).reshape(3, -1)
    return CountedFiles(
        shape=(height, width),
        forms=(files[0].header.form, files[1].header.form),
        table=ContingencyTable(truth=columns[0], prediction=columns[1], pixels=columns[2]),
        fingerprints="\n".join(fingerprint(file.status, file.data) for file in files)
        if fingerprints
        else "",
    )


def _read(path: Path, max_pixels: int) -> _File:
    """Read a file whose header is that of a PNG the kernel is for, and of a plausible size."""
    descriptor = os.open(path, FLAGS)
    try:
        status = os.fstat(descriptor)
        start = os.read(descriptor, png.FIRST)
        header = png.parse_header(start)
        pixels, size = header.width * header.height, status.st_size
        if not (
            start.startswith(png.SIGNATURE)
            and header.bits in DEPTHS[header.color_type]
            and not header.interlaced
            and 0 < pixels <= max_pixels
            and stat.S_ISREG(status.st_mode)
            and size <= ROOM + GROWTH * MOST * pixels
        ):
            raise MaskError("it is not for the kernel")
        os.lseek(descriptor, 0, os.SEEK_SET)
        data = os.read(descriptor, size + 1)
    finally:
        os.close(descriptor)
    if len(data) != size:
        raise MaskError("its size changes while it is read")
    return _File(header=header, data=data, status=status)
