"""Count pairs of masks, or make classes of one, by the kernel: without making samples of them.

This is a short cut and nothing else. Whatever is unusual about a file, damage included, is left to
those who read pixels: they find the same numbers, or the words to refuse the file with.
"""

import os
import stat
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from segeval.counting.contingency import ContingencyTable, tabulate
from segeval.counting.kernel import KERNEL
from segeval.counting.numbering import Numbering
from segeval.errors import MaskError, SegevalError
from segeval.inputs.annotations import Annotation, Masked
from segeval.inputs.files import GROWTH, ROOM
from segeval.inputs.fingerprints import fingerprint
from segeval.inputs.formats import png
from segeval.inputs.formats.inflate import checksum, inflate
from segeval.storage.path import StoredPath
from segeval.storage.store import Entry
from segeval.textfiles import NO_WAITING

DEPTHS: Final = {0: {1, 2, 4, 8, 16}, 2: {8}, 3: {1, 2, 4, 8}, 4: {8}, 6: {8}}
"""Bits a sample, by colour type, of the scan lines that the kernel reads."""

Span = tuple[int, int, int]  # of a chunk: start, end, stated checksum
Lines = tuple[bytes | bytearray | memoryview, int, int]
"""Scan lines, bits a sample and samples a pixel, as the kernel takes them."""

Told = Lines | tuple[Any, ...]
"""What the kernel takes for a side: scan lines, or run lengths."""

MOST: Final = 4  # bytes a pixel
AT_ONCE: Final = 1 << 18  # bytes that are read before the header is looked at
FLAGS: Final = os.O_RDONLY | NO_WAITING | getattr(os, "O_BINARY", 0)


_Outline = tuple[int, int, int, int, int, list[Span]]


class _File(NamedTuple):
    """A PNG file that the kernel may read."""

    width: int
    height: int
    bits: int
    color_type: int
    before: int  # how many chunks stand before the pixels
    chunks: list[Span]
    data: bytes
    status: os.stat_result | Entry

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.height, self.width

    @property
    def form(self) -> str:
        """Storage form in words."""
        return png.form_of(self.color_type, self.bits)

    @property
    def lines(self) -> Lines:
        """Its scan lines."""
        view, channels = memoryview(self.data), png.CHANNELS[self.color_type]
        for start, end, stated in self.chunks:
            if checksum(view[start:end]) != stated:
                raise MaskError("it is not for the kernel")
        parts = [view[start + 4 : end] for start, end, _ in self.chunks[self.before :]]
        stream = parts[0] if len(parts) == 1 else b"".join(parts)
        size = self.height * (1 + (self.width * self.bits * channels + 7) // 8)
        return inflate(stream, size), self.bits, channels

    def fingerprint(self) -> str:
        """Return its fingerprint."""
        return fingerprint(self.status, self.data)


class _Rows(NamedTuple):
    """An annotation that is held as run lengths."""

    annotation: Annotation
    shape: tuple[int, int]

    @property
    def form(self) -> str:
        """Storage form."""
        return self.annotation.form

    def texts(self) -> Told | None:
        """Return its rows as they are written, if they are for the kernel."""
        texts = self.annotation.texts()
        return texts and (texts.order == "column", *texts[1:])

    def runs(self) -> Told:
        """Return its runs, later ones upon earlier ones; a MaskError if there are none."""
        runs = None if self.annotation.has_objects else self.annotation.runs(self.shape)
        if runs is None or runs.background:
            raise MaskError("it is not for the kernel")
        columns = np.stack((runs.starts, runs.ends, runs.values)).astype(np.int64, copy=False)
        return runs.order == "column", columns.data

    def fingerprint(self) -> str:
        """Return the fingerprint of its rows."""
        return self.annotation.fingerprint()


_Side = _File | _Rows


class CountedFiles(NamedTuple):
    """The counts of two files of one size, their forms, and fingerprints if they were asked for."""

    shape: tuple[int, int]
    forms: tuple[str, str]
    table: ContingencyTable
    fingerprints: str


def count_files(
    truth: Masked,
    prediction: Masked,
    *,
    max_pixels: int,
    fingerprints: bool,
    numbering: Numbering | None = None,
) -> CountedFiles | None:
    """Count two masks, each a PNG file or an annotation; None if they are not for the kernel.

    An annotation that states no size has that of the other side.
    """
    if KERNEL is None or (numbering is not None and not numbering.neighbours):
        return None
    try:
        sides = _sides(truth, prediction, max_pixels)
        columns = _count(*sides, numbering)
    except (SegevalError, OSError, ArithmeticError, ValueError, MemoryError):
        return None
    return CountedFiles(
        shape=sides[0].shape,
        forms=(sides[0].form, sides[1].form),
        table=_table(columns, numbering),
        fingerprints="\n".join(side.fingerprint() for side in sides) if fingerprints else "",
    )


def class_map(
    path: Path, values: NDArray[np.int64], codes: NDArray[np.uint8], *, max_pixels: int
) -> NDArray[np.uint8] | None:
    """Read a PNG file as the codes of its values, (H, W), one of classes for example.

    ``values`` (V,), ascending, are those that the mask may hold, as `read_mask` gives them, and
    ``codes`` (V,) stand for them. None if it holds another one, or the kernel is not there or for
    the file: then read it with `read_mask`.
    """
    if KERNEL is None:
        return None
    try:
        file = _read(path, max_pixels)
        out = np.empty(file.shape, np.uint8)
        listed = (np.ascontiguousarray(values).data, np.ascontiguousarray(codes).data)
        filled = KERNEL.fill(file.width, file.height, *file.lines, *listed, out.data)
    except (MaskError, OSError, ValueError, MemoryError):
        return None
    return out if filled else None


def _count(truth: _Side, prediction: _Side, numbering: Numbering | None) -> NDArray[np.int64]:
    """Return the columns that the kernel gives; a MaskError if the sides are not for it."""
    assert KERNEL is not None
    height, width = truth.shape
    neighbours = () if numbering is None else (numbering.neighbours,)
    if prediction.shape != (height, width):
        found = None
    elif isinstance(truth, _File) and isinstance(prediction, _File):
        found = KERNEL.count(width, height, *truth.lines, *prediction.lines, *neighbours)
    else:
        found = _count_rows(truth, prediction, *neighbours)
    if found is None:
        raise MaskError("it is not for the kernel")
    return np.frombuffer(found, np.int64).reshape(5 if neighbours else 3, -1)


def _count_rows(truth: _Side, prediction: _Side, *neighbours: int) -> bytes | None:
    """Count sides of which one at least is run lengths: as they are written, or else as runs."""
    assert KERNEL is not None
    height, width = truth.shape
    sides = truth, prediction
    told = [side.lines if isinstance(side, _File) else side.texts() for side in sides]
    found: bytes | None = None
    if None not in told:
        found = KERNEL.count_sides(width, height, *told, *neighbours)
    if found is None:
        told = [told[n] if isinstance(s, _File) else s.runs() for n, s in enumerate(sides)]
        found = KERNEL.count_sides(width, height, *told, *neighbours)
    return found


def settle(truth: NDArray[Any], prediction: NDArray[Any], classes: int) -> NDArray[np.int64] | None:
    """Make void on both sides what is not judged, in place, and count the rest; (2, K).

    Both are codes of K classes; K is void, and K + 2 a predicted value for which a pixel is not
    judged. None, with nothing done, if they are not bytes to be written on, or there is no kernel.
    """
    plain = all(
        side.dtype == np.uint8 and side.flags.writeable and side.flags.c_contiguous
        for side in (truth, prediction)
    )
    if KERNEL is None or not plain:
        return None
    found = KERNEL.settle(truth.data, prediction.data, classes, classes + 2)
    return np.frombuffer(found, np.int64).reshape(2, 256)[:, :classes]


def _table(columns: NDArray[np.int64], numbering: Numbering | None) -> ContingencyTable:
    """Make a table of what the kernel gives, with parts as objects."""
    truth, prediction, pixels = columns[:3]
    if numbering is None:
        return ContingencyTable(truth=truth, prediction=prediction, pixels=pixels)
    truth = numbering.of_parts(truth, columns[3], "truth")
    prediction = numbering.of_parts(prediction, columns[4], "prediction")
    return tabulate(truth, prediction, pixels)


def _sides(truth: Masked, prediction: Masked, max_pixels: int) -> tuple[_Side, _Side]:
    """Return what the kernel is to count, the truth first; a MaskError if it is not for it."""
    if isinstance(truth, Annotation) and isinstance(prediction, Annotation):
        height, width = shape = truth.shape(prediction.size)
        if not 0 < height * width <= max_pixels:
            raise MaskError("it is not for the kernel")
        rows = _Rows(annotation=prediction, shape=prediction.shape(shape))
        return _Rows(annotation=truth, shape=shape), rows
    # the prediction first, as that is more often of another kind: no truth is read for nothing
    other = None if isinstance(prediction, Annotation) else _read(prediction, max_pixels)
    file = None if isinstance(truth, Annotation) else _read(truth, max_pixels)
    return _side(truth, file, other), _side(prediction, other, file)


def _side(mask: Masked, file: _File | None, other: _File | None) -> _Side:
    if isinstance(mask, Annotation):
        return _Rows(annotation=mask, shape=mask.shape(None if other is None else other.shape))
    if file is None:
        raise MaskError("it is not for the kernel")
    return file


def _read(path: Path, max_pixels: int) -> _File:
    """Read a PNG file of a kind and size that the kernel is for, whose chunks are usual."""
    if isinstance(path, StoredPath):
        return _outlined(*path.read_entry(), max_pixels)
    descriptor = os.open(path, FLAGS)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise MaskError("it is no regular file")
        size = status.st_size
        data = os.read(descriptor, min(size, AT_ONCE) + 1)
        if size > AT_ONCE:
            header = png.parse_header(data[: png.FIRST])
            if size > ROOM + GROWTH * MOST * header.width * header.height:
                raise MaskError("it is far larger than its pixels")
            data += os.read(descriptor, size + 1 - len(data))
    finally:
        os.close(descriptor)
    return _outlined(status, data, max_pixels)


def _outlined(status: os.stat_result | Entry, data: bytes, max_pixels: int) -> _File:
    """Find the chunks of a PNG file; a MaskError if it is not for the kernel."""
    whole = len(data) == status.st_size
    outline: _Outline | None = KERNEL.outline(data) if KERNEL and whole else None
    if outline is None:
        raise MaskError("it changes while it is read, or it is not for the kernel")
    width, height, bits, color_type, *_ = outline
    if bits not in DEPTHS.get(color_type, ()) or not 0 < width * height <= max_pixels:
        raise MaskError("it is not for the kernel")
    return _File(*outline, data, status)
