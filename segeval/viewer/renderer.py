"""The pictures of an image, drawn when they are asked for: photograph, truth, prediction, errors.

Files are those that the run names; nothing that a browser sends is part of a path.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from segeval.counting.run import ImageInfo
from segeval.errors import MaskError
from segeval.inputs.photographs import read_photograph
from segeval.pictures.caption import Caption, subject_of
from segeval.pictures.classmaps import RunLookup, read_classes
from segeval.pictures.overlay import Style, draw_picture, draw_side, to_png
from segeval.pictures.palettes import Palette, palette_of
from segeval.scoring.score import Scores
from segeval.viewer.cache import SizedCache

KINDS: Final = ("photograph", "truth", "prediction", "errors")
ROOM: Final = 64 << 20  # bytes of pictures that are kept
NO_CARD: Final = Caption(name="", subject="", note="", scores=(), legend=())


class Renderer:
    """Draws the images of a run, one picture at a time, and keeps the last ones."""

    def __init__(
        self,
        scores: Scores,
        translation: RunLookup,
        photographs: Mapping[str, Path],
        *,
        opacity: float,
        max_pixels: int,
    ) -> None:
        self.photographs = photographs
        self._images, self._translation, self._opacity = scores.run.images, translation, opacity
        self._reading = replace(scores.run.reading(), max_pixels=max_pixels)
        self._labels = scores.labels
        self._all_scheme, self._class_scheme = (palette_of(scores.labels, p) for p in (None, 0))
        self._kept: SizedCache[tuple[int, str, int | None], bytes] = SizedCache(ROOM, len)

    def draw(self, number: int, kind: str, position: int | None = None) -> bytes:
        """Draw one of `KINDS` as PNG; MaskError if a file changed, KeyError without photograph."""
        key = number, kind, position if kind == "errors" else None
        return self._kept.get(key, lambda: self._draw(*key))

    def _draw(self, number: int, kind: str, position: int | None) -> bytes:
        image = self._images[number]
        if kind == "photograph":
            return to_png(self._photograph(image), self._all_scheme)
        truth, prediction = read_classes(image.pair, self._reading, self._translation)
        style = Style(
            scheme=self.scheme(position),
            position=subject_of(self._labels, position),
            classes=self._translation.classes,
            plain=True,
            opacity=self._opacity,
        )
        if kind == "errors":
            return draw_picture(truth, prediction, style, NO_CARD, self._below(image))
        return draw_side(truth if kind == "truth" else prediction, truth, style)

    def scheme(self, position: int | None) -> Palette:
        """Return the colours of errors, of the class at a position or of all."""
        subject = subject_of(self._labels, position)
        return self._all_scheme if subject is None else self._class_scheme

    def _photograph(self, image: ImageInfo) -> NDArray[np.uint8]:
        size = image.height, image.width
        path = self.photographs[image.name]
        return read_photograph(path, size, max_pixels=self._reading.max_pixels)[0]

    def _below(self, image: ImageInfo) -> NDArray[np.uint8] | None:
        """Return what errors lie on; grey where the photograph is missing or broken."""
        with suppress(MaskError, KeyError):
            return self._photograph(image)
        return None
