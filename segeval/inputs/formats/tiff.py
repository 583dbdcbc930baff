"""TIFF files of one upright image, all of whose strips or tiles are there, read as stored.

Sources of the layout: Aldus, TIFF 6.0; Adobe, Photoshop TIFF Technical Note 3 (floats).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import IO, Any, Final

import numpy as np
from numpy.typing import NDArray

from segeval.errors import MaskError
from segeval.inputs.formats.bmp import unpacked
from segeval.inputs.formats.tiffpieces import (
    FAX,
    FAX_TAGS,
    METHODS,
    PREDICTED,
    STORED,
    Packing,
    unpack,
)
from segeval.inputs.formats.tifftags import Tags, read_tags
from segeval.inputs.forms import NAMED_NO_DATA

WIDTH, HEIGHT, BITS, METHOD, MEANING, FILL_ORDER = 256, 257, 258, 259, 262, 266
STRIPS, ORIENTATION, CHANNELS, STRIP_ROWS, STRIP_BYTES = 273, 274, 277, 278, 279
PLANES, PREDICTOR, TILE_WIDTH, TILE_HEIGHT, TILES, TILE_BYTES = 284, 317, 322, 323, 324, 325
EXTRA, KIND, NO_DATA = 338, 339, 42113

KINDS: Final = {1: "u", 2: "i", 3: "f"}
TYPES: Final = {*product("u", (1, 2, 4, 8, 16, 32, 64)), *product("i", (8, 16, 32, 64))} | {
    *product("f", (16, 32, 64))
}
FIRST: Final = 8  # bytes of the file before which no strip or tile can be
ALPHA: Final = {1, 2}  # kinds of a channel beside the colours that are alpha
BANDS: Final = " bands"  # the end of the name of samples that are no colours
JPEG: Final = {6, 7}  # methods of compression
BLOCK: Final = 1 << 20  # pixels that are read at once, or a row of strips or tiles
LARGEST: Final = 1 << 24  # pixels of a tile that is larger than its image
PLAIN: Final = {1: ("grey", 1), 2: ("RGB", 3), 3: ("palette", 1)}  # meanings that are read
OTHER_MEANINGS: Final = {
    0: "grey with white as 0",
    4: "a transparency mask",
    5: "CMYK",
    6: "YCbCr",
    8: "CIELab",
}
TURNED: Final = {
    2: "mirrored",
    3: "turned by half",
    4: "upside down",
    5: "with rows as columns",
    6: "turned to the right",
    7: "with rows as columns, backwards",
    8: "turned to the left",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pieces:
    """The strips or tiles, in the order of the file: from left to right, then down."""

    name: str  # strip or tile
    rows: int
    columns: int
    wanted: int  # as many as make the image
    offsets: tuple[int, ...]
    lengths: tuple[int, ...]

    def check(self, size: int) -> None:
        """Refuse a file of some size that does not hold all of them."""
        found = len(self.offsets)
        if not found == len(self.lengths) == self.wanted or min(self.rows, self.columns) < 1:
            raise MaskError(
                f"the file is broken: it tells of {found} {self.name}s, and {self.wanted} make the "
                "image; write it again, with all pixels"
            )
        for number, (offset, length) in enumerate(zip(self.offsets, self.lengths, strict=True), 1):
            if offset < FIRST or length == 0 or offset + length > size:
                raise MaskError(
                    f"the file is broken: {self.name} {number} of {found} is not in it; write it "
                    "again, with all pixels"
                )
        if sum(self.lengths) > size:
            raise MaskError(f"the file is broken: its {self.name}s overlap; write it again")


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What the tags of an image say."""

    width: int
    height: int
    form: str
    bands: int  # channels that are no colours; 1 if there are none of these
    no_data: str  # the value that is no data, as GDAL writes it
    channels: int
    bits: int
    kind: str  # "u", "i" or "f": unsigned, signed, float
    order: str  # "<" or ">", as in `struct`
    planes: bool  # each channel has strips or tiles of its own
    pieces: Pieces
    method: int
    fax: tuple[int, ...]  # order of bits, and options of either CCITT method
    predictor: int

    @property
    def stored(self) -> int:
        """Bytes of all samples."""
        return self.height * ((self.width * self.channels * self.bits + 7) // 8)

    def decode(self, data: bytes) -> NDArray[Any]:
        """Return samples (H, W) or (H, W, channels)."""
        self._check(len(data))
        view, pieces = memoryview(data), self.pieces
        places = zip(pieces.offsets, pieces.lengths, strict=True)
        return self.assembled([view[start : start + size] for start, size in places])

    def blocks(self, stream: IO[bytes], size: int) -> Iterator[NDArray[Any]]:
        """Yield the samples of some rows, as `decode`, from a file of some size."""
        self._check(size)
        pieces = self._split().pieces
        across = -(-self.width // pieces.columns)
        planes = self.channels if self.planes else 1
        lines = len(pieces.offsets) // planes // across  # of strips or tiles
        some = max(1, BLOCK // (pieces.rows * self.width))
        for first in range(0, lines, some):
            last = min(first + some, lines)
            height = min(last * pieces.rows, self.height) - first * pieces.rows
            starts = (plane * lines * across for plane in range(planes))
            numbers = [start + n for start in starts for n in range(first * across, last * across)]
            places = ((pieces.offsets[number], pieces.lengths[number]) for number in numbers)
            found = [memoryview(_read(stream, *place)) for place in places]
            yield replace(self, height=height, pieces=pieces).assembled(found)

    def _split(self) -> Header:
        """Return the header with smaller strips, where all rows lie one after the other."""
        pieces, planes = self.pieces, self.channels if self.planes else 1
        row = (self.width * (self.channels // planes) * self.bits + 7) // 8
        whole = pieces.name == "strip" and pieces.rows == self.height
        if self.method != STORED or not whole or set(pieces.lengths) != {row * self.height}:
            return self
        rows = max(1, BLOCK // self.width)
        starts = range(0, self.height, rows)
        lengths = [min(rows, self.height - start) * row for start in starts] * planes
        offsets = [offset + start * row for offset in pieces.offsets for start in starts]
        split = replace(pieces, rows=rows, offsets=tuple(offsets), lengths=tuple(lengths))
        return replace(self, pieces=split)

    def _check(self, size: int) -> None:
        pieces = self.pieces
        pieces.check(size)
        if pieces.rows * pieces.columns > max(self.width * self.height, LARGEST):
            raise MaskError("its tiles are far larger than its image; save it as PNG")

    def assembled(self, found: list[memoryview]) -> NDArray[Any]:
        """Return the samples of all strips or tiles, plane by plane."""
        planes = self.channels if self.planes else 1
        each = len(found) // planes
        parts = [
            self._plane(found[number * each : (number + 1) * each], self.channels // planes)
            for number in range(planes)
        ]
        samples = parts[0] if planes == 1 else np.concatenate(parts, axis=2)
        return samples if self.channels > 1 else samples[..., 0]

    def _plane(self, pieces: list[memoryview], channels: int) -> NDArray[Any]:
        """Return the samples (H, W, channels) of some strips or tiles, which lie in rows."""
        rows, columns = self.pieces.rows, self.pieces.columns
        tiled = self.pieces.name == "tile"  # these are whole also at the edges of the image
        packing = Packing(
            method=self.method,
            rows=rows * len(pieces) if tiled else self.height,
            piece_rows=rows,
            columns=columns,
            row_bytes=(columns * channels * self.bits + 7) // 8,
            fax=self.fax,
        )
        samples = self._samples(unpack(pieces, packing), columns, channels)
        if not tiled:
            return samples
        across = -(-self.width // columns)
        tiles = samples.reshape(-1, across, rows, columns, channels).swapaxes(1, 2)
        whole = tiles.reshape(-1, across * columns, channels)
        return whole[: self.height, : self.width]

    def _samples(self, lines: NDArray[np.uint8], columns: int, channels: int) -> NDArray[Any]:
        """Return the samples (rows, columns, channels) of rows of bytes."""
        shape, size = (len(lines), columns, channels), self.bits // 8
        if self.bits < 8:
            return unpacked(lines, self.bits)[:, : columns * channels].reshape(shape)
        if self.predictor == 3:
            sums = lines.reshape(len(lines), -1, channels).cumsum(axis=1, dtype=np.uint8)
            places = sums.reshape(len(lines), size, -1).transpose(0, 2, 1)
            return np.ascontiguousarray(places).view(f">f{size}").reshape(shape)
        if self.predictor == 2:
            steps = lines.view(f"{self.order}u{size}").reshape(shape)
            return steps.cumsum(axis=1, dtype=f"u{size}").view(f"{self.kind}{size}")
        return lines.view(f"{self.order}{self.kind}{size}").reshape(shape)


def _read(stream: IO[bytes], start: int, size: int) -> bytes:
    """Read some bytes of a file; it may hand out fewer at once."""
    stream.seek(start)
    data = stream.read(size)
    while len(data) < size and (more := stream.read(size - len(data))):
        data += more
    return data


def read_header(stream: IO[bytes], frame: int | None = None) -> Header:
    """Read the tags, and refuse what is not one plain upright image, or that of a frame."""
    tags = read_tags(stream, frame)
    name, bits, kind, channels = _samples(tags)
    no_data = _no_data(tags)
    named = f"{NAMED_NO_DATA}{no_data}" if no_data else ""
    method, predictor = _compression(tags, bits, kind)
    width, height, planes = tags.number(WIDTH), tags.number(HEIGHT), tags.number(PLANES, 1)
    if planes not in {1, 2}:
        raise MaskError("the file is broken: its channels lie in no known order; write it again")
    pieces = _pieces(tags, width, height, channels if planes == 2 else 1)
    fax = tuple(tags.number(tag, default) for tag, default in zip(FAX_TAGS, (1, 0, 0), strict=True))
    if fax[0] != 1 and method not in FAX:
        raise MaskError("its bits stand in reverse order; save it as PNG")
    return Header(
        width=width,
        height=height,
        form=f"TIFF {name} {bits}-bit{' float' if kind == 'f' else ''}{named}",
        bands=channels if name.endswith(BANDS) else 1,
        no_data=no_data,
        channels=channels,
        bits=bits,
        kind=kind,
        order=tags.file.order,
        planes=planes == 2,
        pieces=pieces,
        method=method,
        fax=fax,
        predictor=predictor,
    )


def _pieces(tags: Tags, width: int, height: int, planes: int) -> Pieces:
    """Return where the strips or tiles are, which must be as many as the image takes."""
    tiled = TILES in tags.fields
    if tiled and STRIPS in tags.fields:
        raise MaskError("the file is broken: it tells of strips and of tiles; write it again")
    rows, columns = min(tags.number(STRIP_ROWS, height), height), width
    if tiled:
        rows, columns = tags.number(TILE_HEIGHT), tags.number(TILE_WIDTH)
    return Pieces(
        name="tile" if tiled else "strip",
        rows=rows,
        columns=columns,
        wanted=-(-width // max(columns, 1)) * -(-height // max(rows, 1)) * planes,
        offsets=tags.numbers(TILES if tiled else STRIPS),
        lengths=tags.numbers(TILE_BYTES if tiled else STRIP_BYTES),
    )


def _samples(tags: Tags) -> tuple[str, int, str, int]:
    """Return what samples mean, their bits, kind and number; refuse what is not read exactly."""
    turned = tags.number(ORIENTATION, 1)
    if turned != 1:
        raise MaskError(
            f"its rows are stored {TURNED.get(turned, 'in an unknown order')} (orientation "
            f"{turned}); save it upright, as PNG"
        )
    meaning, bits = tags.number(MEANING), tags.number(BITS, 1)
    kind, channels = KINDS.get(tags.number(KIND, 1), ""), tags.number(CHANNELS, 1)
    name, least = PLAIN.get(meaning, (OTHER_MEANINGS.get(meaning, f"meaning {meaning}"), 99))
    if channels < least or (kind, bits) not in TYPES:
        described = {"f": " float", "i": " signed"}.get(kind, "")
        raise MaskError(
            f"its pixels are stored as {name}, {channels} × {bits} bits{described}, which is not "
            "read; save it as 8- or 16-bit PNG"
        )
    if channels == 1 or (channels == least and kind == "u" and bits in {8, 16}):
        return name, bits, kind, channels
    opaque = channels == least + 1 and tags.number(EXTRA, 2) in ALPHA
    if opaque and kind == "u" and bits in {8, 16}:
        return f"{name} and alpha", bits, kind, channels
    return f"{channels}{BANDS}", bits, kind, channels


def _no_data(tags: Tags) -> str:
    """Return the value that GDAL is told to take for no data, if it is a number."""
    text = tags.text(NO_DATA)
    try:
        return repr(float(text)) if text else ""
    except ValueError:
        return ""


def _compression(tags: Tags, bits: int, kind: str) -> tuple[int, int]:
    """Return the method of compression, and the predictor that goes with it."""
    method = tags.number(METHOD, 1)
    if method in JPEG:
        raise MaskError("its pixels are JPEG-compressed, which is lossy; save it as PNG")
    if method not in METHODS or (method in FAX and bits != 1):
        raise MaskError(f"its compression (method {method}) is not read; save it as PNG")
    predictor = tags.number(PREDICTOR, 1) if method in PREDICTED else 1
    if (
        predictor not in {1, 2, 3}
        or (predictor > 1 and bits < 8)
        or (predictor == 3 and kind != "f")
    ):
        raise MaskError(f"the file is broken: no such predictor ({predictor}); write it again")
    return method, predictor
