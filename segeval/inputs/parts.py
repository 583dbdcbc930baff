"""A band or a frame of files that hold several; files of one are read as they are."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from numpy.typing import NDArray

from segeval.errors import MaskError
from segeval.inputs.annotations import Annotation, Masked, Shape
from segeval.inputs.files import Header, first_bytes, named, opened
from segeval.inputs.forms import NAMED_NO_DATA
from segeval.inputs.masks import decode, kind_of, one_value_a_pixel, read_header
from segeval.settings import MAX_PIXELS


@dataclass(frozen=True, slots=True, kw_only=True)
class FilePart(Annotation):
    """One band, one frame, or one band of a frame; both are counted from 1."""

    def __str__(self) -> str:
        """Write the path of the file."""
        return str(self.path)

    @property
    def numbers(self) -> tuple[int | None, int | None]:
        """The band and the frame that are read, or None."""
        facts = dict(fact.partition(":")[::2] for fact in self.form.split(",")[1:])
        numbers = {what: int(facts[what]) for what in ("band", "frame") if what in facts}
        return numbers.get("band"), numbers.get("frame")

    def _header(self, stream: IO[bytes]) -> Header:
        kind = kind_of(stream.read(8))
        stream.seek(0)
        if kind != "TIFF":
            return read_header(stream)
        from segeval.inputs.formats import tiff

        return tiff.read_header(stream, self.numbers[1])

    def stored_form(self) -> str:
        """Return what was asked for, and the value of no data that the file names."""
        with named(self.path), opened(self.path, held=0) as file:
            return form_of(self, self._header(file.stream))

    def content(self) -> bytes:
        """Return the bytes of the file."""
        with opened(self.path) as file:
            return file.content(file.status.st_size)

    def shape(self, other: Shape | None) -> Shape:
        """Return the size of the image."""
        del other
        with opened(self.path) as file:
            header = self._header(file.stream)
            return header.height, header.width

    def values(self, shape: Shape) -> NDArray[Any]:
        """Return the values, (H, W); a MaskError if there is no such band."""
        band = self.numbers[0]
        with opened(self.path) as file:
            header = self._header(file.stream)
            if band is None:
                return decode(file, header, max(MAX_PIXELS, shape[0] * shape[1]))[0]
            samples = header.decode(file.content(header.stored))
        return one_value_a_pixel(pick(samples, band))


def start_of(mask: Masked) -> bytes:
    """Return the first bytes of a file, or of that of a part; none of other masks."""
    if not isinstance(mask, (Path, FilePart)):
        return b""
    return first_bytes(mask if isinstance(mask, Path) else mask.path)


def form_of(part: FilePart, header: Header) -> str:
    """Return the form of a part as a run keeps it, with the value of no data of its file."""
    no_data = getattr(header, "no_data", "")  # TIFF alone has one
    return f"{part.form}{no_data and NAMED_NO_DATA}{no_data}"


def pick(samples: NDArray[Any], band: int) -> NDArray[Any]:
    """Return one band of samples, (H, W); a MaskError if there is none of this number."""
    if samples.ndim == 2:
        return samples
    if band > samples.shape[2]:
        raise MaskError(f"it holds {samples.shape[2]} bands, so there is no --band {band}")
    chosen: NDArray[Any] = samples[..., band - 1]
    return chosen


def no_data_of(form: str) -> float | None:
    """Return the value of no data that a form names, or None.

    >>> no_data_of("TIFF grey 8-bit,nodata:255.0"), no_data_of("TIFF grey 8-bit")
    (255.0, None)
    """
    with suppress(ValueError):
        return float(form.partition(NAMED_NO_DATA)[2])
    return None
