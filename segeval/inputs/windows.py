"""Large TIFF files: their rows some at a time, so that memory does not grow with the image."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final, Self

from numpy.typing import NDArray

from segeval.inputs.annotations import Masked
from segeval.inputs.files import check_size, named, opened
from segeval.inputs.fingerprints import fingerprint_of
from segeval.inputs.masks import refuse_bands
from segeval.inputs.parts import FilePart, form_of, pick

LARGE: Final = 1 << 25  # pixels from which on an image is read in parts
SMALL: Final = 1 << 20  # bytes of a file that is read at once


class LargeFile:
    """An open TIFF file: its header is read, its rows are still to come."""

    def __init__(self, mask: Masked) -> None:
        from segeval.inputs.formats import tiff

        part = mask if isinstance(mask, FilePart) else None
        self.path = mask if isinstance(mask, Path) else mask.path
        self._band, frame = (None, None) if part is None else part.numbers
        self._stack = ExitStack()
        with ExitStack() as on_error, named(self.path):
            on_error.push(self._stack)
            self._file = self._stack.enter_context(opened(self.path, held=SMALL))
            self.header = tiff.read_header(self._file.stream, frame)
            on_error.pop_all()
        self.shape = self.header.height, self.header.width
        self.form = self.header.form if part is None else form_of(part, self.header)

    def __enter__(self) -> Self:
        """Return the file itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self._stack.close()

    def rows(self, max_pixels: int) -> Iterator[NDArray[Any]]:
        """Yield the samples of some rows, (n, W) or (n, W, channels), from above downwards."""
        with named(self.path):
            check_size(self.header.width, self.header.height, max_pixels)
            self._file.check_fits(self.header.stored)
            if self._band is None:
                refuse_bands(self.header)
            for samples in self.header.blocks(self._file.stream, self._file.status.st_size):
                yield samples if self._band is None else pick(samples, self._band)

    def fingerprint(self) -> str:
        """Return the fingerprint of the bytes that were read."""
        with named(self.path):
            return fingerprint_of(self._file)
