"""MetaImage and NRRD volumes: headers through SimpleITK, slices straight from the file.

SimpleITK reads a compressed volume as a whole for each slab, and two of them do not fit into
little memory. It is asked for the numbers only where they are stored in neither of two ways.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
from numpy.typing import NDArray

from segeval.errors import MaskError
from segeval.inputs.formats.inflate import Inflated
from segeval.inputs.geometry import Geometry, Volume

LONGEST: Final = 1 << 16  # bytes of a header of text
META_LINE: Final = re.compile(r"\s*(\w+)\s*=\s*(.*?)\s*")
NRRD_LINE: Final = re.compile(r"([\w ]+): *(.*?)\s*")
TYPES: Final = {
    **{f"{bits}-bit {'un' * (sign == 'u')}signed integer": f"{sign}{bits // 8}"
       for bits in (8, 16, 32, 64) for sign in "iu"},
    "32-bit float": "f4",
    "64-bit float": "f8",
}  # fmt: skip
"""Types of numbers, as SimpleITK calls them."""

MODULES: Final = {"MetaImage": "MetaImageIO", "NRRD": "NrrdImageIO"}  # of SimpleITK

Facts = dict[str, str]


def read_meta_image(stream: IO[bytes], path: Path, data: IO[bytes] | None) -> Volume:
    """Read the header of a MetaImage; ``data`` is the file beside it that holds the numbers."""
    facts, start = _meta_lines(stream)
    source = stream if data is None else data
    source.seek(start if data is None else max(0, int(facts.get("HeaderSize", "0"))))
    big = "true" in {facts.get(f"{n}ByteOrderMSB", "").lower() for n in ("BinaryData", "Element")}
    read: Any = None
    if facts.get("BinaryData", "True").lower() == "true":
        compressed = facts.get("CompressedData", "").lower() == "true"
        read = Inflated(source) if compressed else source
    return _volume(path, "MetaImage", read, big=big)


def data_beside(stream: IO[bytes], path: Path) -> Path | None:
    """Return the file that holds the numbers of a MetaImage; None if they stand in its own."""
    name = _meta_lines(stream)[0]["ElementDataFile"]
    if name.upper() == "LOCAL":
        return None
    if not name or "%" in name or name.upper().startswith("LIST"):
        raise MaskError("its data are in several files; save them as one .mha")
    return path.parent / name


def _meta_lines(stream: IO[bytes]) -> tuple[Facts, int]:
    """Read what a MetaImage states, up to the line that names its data, and where these begin."""
    stream.seek(0)
    facts: Facts = {}
    text, place = stream.read(LONGEST).decode("latin-1"), 0
    for line in text.splitlines(keepends=True):
        place += len(line)
        if (found := META_LINE.fullmatch(line)) is not None:
            facts[found[1]] = found[2]
        if "ElementDataFile" in facts:
            return facts, place
    raise MaskError("the file is broken: its header names no data; write it again")


def read_nrrd(stream: IO[bytes], path: Path) -> Volume:
    """Read the header of a NRRD file whose data stand in it."""
    stream.seek(0)
    header, end, _ = stream.read(LONGEST).replace(b"\r\n", b"\n").partition(b"\n\n")
    lines = map(NRRD_LINE.fullmatch, header.decode("latin-1").split("\n"))
    facts = {line[1].lower(): line[2].lower() for line in lines if line is not None}
    if {"data file", "datafile"} & facts.keys():
        raise MaskError("its data are in another file; save it as one .nrrd")
    stream.seek(len(header) + len(end))
    reads: dict[str | None, Any] = {"raw": stream, "gzip": Inflated(stream), "gz": Inflated(stream)}
    plain = not {"byte skip", "byteskip", "line skip", "lineskip"} & facts.keys()
    read = reads.get(facts.get("encoding")) if plain and b"\r" not in header else None
    return _volume(path, "NRRD", read, big=facts.get("endian") == "big")


def _volume(path: Path, kind: str, data: Any, *, big: bool) -> Volume:
    """Return a volume whose numbers are read from a stream; without one, by SimpleITK."""
    import SimpleITK

    library: Any = SimpleITK
    reader = library.ImageFileReader()
    reader.SetImageIO(MODULES[kind])
    reader.SetFileName(str(path))
    _ask(reader.ReadImageInformation)
    size = reader.GetSize()
    dtype = _dtype(library.GetPixelIDValueAsString(reader.GetPixelIDValue()), reader)
    geometry = _geometry(reader)

    def read(start: int, stop: int) -> NDArray[Any]:
        count = (stop - start) * size[0] * size[1]
        found = data.read(count * dtype.itemsize)
        if len(found) < count * dtype.itemsize:
            raise MaskError("the file is broken: it ends amid its slices; write it again")
        values: NDArray[Any] = np.frombuffer(found, dtype.newbyteorder(">" if big else "<"))
        return values.reshape(stop - start, size[1], size[0])

    def read_whole(start: int, stop: int) -> NDArray[Any]:
        nonlocal data
        if data is None:
            data = library.GetArrayFromImage(_ask(reader.Execute)).reshape(-1, size[1], size[0])
        slab: NDArray[Any] = data[start:stop]
        return slab

    end = data.check_end if isinstance(data, Inflated) else lambda: None
    how: dict[str, Any] = {"read": read_whole if data is None else read, "check_end": end}
    return Volume(kind=f"{kind} {dtype}", geometry=geometry, **how)


def _dtype(name: str, reader: Any) -> np.dtype[Any]:
    layers = reader.GetNumberOfComponents()
    if layers != 1 or name not in TYPES:
        raise MaskError(
            f"it holds {name}, {layers} numbers a voxel; expected one integer a voxel: save each "
            "layer by itself"
        )
    return np.dtype(TYPES[name])


def _geometry(reader: Any) -> Geometry:
    rank, size = reader.GetDimension(), reader.GetSize()
    if any(extent != 1 for extent in size[3:]):
        found = "×".join(map(str, size))
        raise MaskError(f"it has {rank} axes ({found}); expected one label map of three")
    full = np.eye(max(3, rank))
    full[:rank, :rank] = np.reshape(reader.GetDirection(), (rank, rank))
    spacing = np.array([*reader.GetSpacing(), 1.0])[:3]
    origin = np.array([*reader.GetOrigin(), 0.0])[:3]
    return Geometry.of(size, full[:3, :3].T * spacing[:, None], origin)


def _ask(work: Callable[[], Any]) -> Any:
    """Let SimpleITK work; its last word, without its addresses, says what is wrong."""
    try:
        return work()
    except RuntimeError as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        said = lines[-1] if lines else "SimpleITK cannot read it"
        raise MaskError(f"the file is broken: {said.rstrip('.')}; write it again") from error
