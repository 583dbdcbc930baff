"""The pictures of an image, drawn when they are asked for: photograph, truth, prediction, errors.

Files are those that the run names; nothing that a browser sends is part of a path.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from segeval.counting.run import ImageInfo
from segeval.errors import MaskError
from segeval.inputs.photographs import read_photograph
from segeval.labels.lookups import RunLookup, lookup_of
from segeval.pictures.caption import Caption, subject_of
from segeval.pictures.classmaps import drawn_labels, read_classes, read_values
from segeval.pictures.overlay import Style, draw_picture, draw_side, to_png
from segeval.pictures.palettes import Palette, palette_of
from segeval.pictures.slices import laid_out, picture_shape, worst_slices
from segeval.pictures.thumbnails import shrink
from segeval.scoring.score import Scores
from segeval.settings import Reading
from segeval.values import OUTSIDE
from segeval.viewer.cache import SizedCache

KINDS: Final = ("photograph", "truth", "prediction", "errors", "thumbnail")
Values = tuple[NDArray[Any], NDArray[Any] | None]
ROOM: Final = 64 << 20  # bytes of pictures that are kept
SMALL: Final = (128, 88)  # pixels of a thumbnail at most, across and down
NO_CARD: Final = Caption(name="", subject="", note="", scores=(), legend=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which picture is asked for; a position of None stands for all classes."""

    image: int
    kind: str
    run: int
    position: int | None = None
    opacity: float | None = None  # of errors on a photograph, if it is not that of the start


class Renderer:
    """Draws the images of one run or two, one picture at a time, and keeps the last ones."""

    def __init__(
        self,
        runs: Sequence[tuple[Scores, RunLookup]],
        photographs: Mapping[str, Path],
        *,
        opacity: float,
        max_pixels: int,
    ) -> None:
        self.photographs, self.opacity = photographs, opacity
        self._max_pixels, self._runs, self._labels = max_pixels, runs, runs[0][0].labels
        self._all_scheme, self._class_scheme = (palette_of(self._labels, p) for p in (None, 0))
        self._kept: SizedCache[Wanted, bytes] = SizedCache(ROOM, len)
        self._values: SizedCache[tuple[int, int], Values] = SizedCache(1)

    def draw(self, wanted: Wanted) -> bytes:
        """Draw one of `KINDS` as PNG; MaskError if a file changed, KeyError without photograph."""
        if wanted.kind not in ("errors", "thumbnail"):
            wanted = replace(wanted, position=None)
        if wanted.kind != "errors":
            wanted = replace(wanted, opacity=None)
        return self._kept.get(wanted, lambda: self._draw(wanted))

    def _draw(self, wanted: Wanted) -> bytes:
        counted = self._runs[wanted.run][0].run.image(wanted.image)
        image = counted.info
        if wanted.kind == "photograph":
            return to_png(self._photograph(image), self._all_scheme)
        translation, place = self._translation(wanted)
        sides = read_classes(image.pair, self._reading(wanted.run), translation, counted)
        style = Style(
            scheme=self.scheme(wanted.position),
            position=place,
            classes=translation.classes,
            plain=True,
            opacity=self.opacity if wanted.opacity is None else wanted.opacity,
        )
        if wanted.kind == "errors":
            return draw_picture(*sides, style, NO_CARD, self._below(image))
        if wanted.kind == "thumbnail":
            truth, prediction, below = shrink(sides, self._below(image), *SMALL)
            return draw_picture(truth, prediction, style, NO_CARD, below)
        truth, prediction = sides
        return draw_side(truth if wanted.kind == "truth" else prediction, truth, style)

    def _translation(self, wanted: Wanted) -> tuple[RunLookup, int | None]:
        """Return how masks become classes of which each pixel has one, and which one is drawn."""
        scores, translation = self._runs[wanted.run]
        subject = subject_of(self._labels, wanted.position)
        drawn, place = drawn_labels(scores.labels, subject)
        if scores.labels.overlap and subject is not None:
            translation = lookup_of(scores.run, drawn, unknown=scores.unknown)
        return translation, place

    def values_at(self, run: int, number: int, x: int, y: int) -> tuple[int, int | None]:
        """Return the values that the files of both masks hold there; no prediction is None.

        The masks of the image that was asked for last are kept.
        """
        truth, prediction = self._values.get((run, number), lambda: self._read(run, number))
        return int(truth[y, x]), None if prediction is None else int(prediction[y, x])

    def _read(self, run: int, number: int) -> Values:
        counted = self._runs[run][0].run.image(number)
        truth, prediction = read_values(counted.info.pair, self._reading(run), counted)
        if truth.ndim == 2:
            return truth, prediction
        chosen = worst_slices(*self._runs[run][1].pair(truth, prediction))
        truth = laid_out(truth.astype(np.int64), chosen, OUTSIDE)
        return truth, None if prediction is None else laid_out(prediction, chosen, 0)

    def scheme(self, position: int | None) -> Palette:
        """Return the colours of errors, of the class at a position or of all."""
        subject = subject_of(self._labels, position)
        return self._all_scheme if subject is None else self._class_scheme

    def _reading(self, run: int) -> Reading:
        return replace(self._runs[run][0].run.reading(), max_pixels=self._max_pixels)

    def _photograph(self, image: ImageInfo) -> NDArray[np.uint8]:
        path = self.photographs[image.name]
        return read_photograph(path, picture_shape(image), max_pixels=self._max_pixels)[0]

    def _below(self, image: ImageInfo) -> NDArray[np.uint8] | None:
        """Return what errors lie on; grey where the photograph is missing or broken."""
        with suppress(MaskError, KeyError):
            return self._photograph(image)
        return None
