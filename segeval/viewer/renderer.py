"""The pictures of an image, drawn when they are asked for: both sides, errors, layers of borders.

Files are those that the run names; nothing that a browser sends is part of a path.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from segeval.boundaries.widths import Width
from segeval.counting.run import ImageCounts, ImageInfo
from segeval.distances.measure import check_scipy
from segeval.errors import MaskError, SettingError
from segeval.inputs.geometry import spacing_of
from segeval.inputs.photographs import read_photograph
from segeval.labels.labelmap import VOID
from segeval.labels.lookups import RunLookup, lookup_of
from segeval.pictures.caption import Caption, subject_of
from segeval.pictures.classmaps import Sheet, drawn_labels, read_classes, read_values
from segeval.pictures.layers import (
    BandLayer,
    DistanceLayer,
    PictureLayer,
    Subject,
    lay_out,
)
from segeval.pictures.overlay import Style, draw_picture, draw_side, to_png
from segeval.pictures.palettes import Palette, palette_of
from segeval.pictures.slices import laid_out, picture_shape, worst_slices
from segeval.pictures.thumbnails import shrink
from segeval.scoring.score import Scores
from segeval.settings import Reading
from segeval.values import OUTSIDE
from segeval.viewer.cache import SizedCache

BAND: Final = "2%"  # width of the bands, as in `segeval overlay`
LAYERS: Final[dict[str, PictureLayer]] = {
    layer.name: layer for layer in (BandLayer(width=Width.parse(BAND)), DistanceLayer())
}
OF_ALL: Final = ("photograph", "truth", "prediction")  # the same for every class
KINDS: Final = (*OF_ALL, "errors", *LAYERS)
THUMBNAIL: Final = "thumbnail"
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A PNG, what is said of a layer, and the row and column of its farthest pixel if seen."""

    png: bytes
    card: Caption = NO_CARD
    peak: tuple[int, int] | None = None


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
        self._kept: SizedCache[Wanted, Drawn] = SizedCache(ROOM, lambda drawn: len(drawn.png))
        self._values: SizedCache[tuple[int, int], Values] = SizedCache(1)

    @property
    def kinds(self) -> list[str]:
        """The pictures there are: all `KINDS` but for what lacks a library."""
        return [kind for kind in KINDS if not (kind == DistanceLayer.name and self.lacking)]

    @property
    def lacking(self) -> str:
        """Say why there are no distances, or nothing."""
        try:
            check_scipy()
        except SettingError as error:
            return str(error)
        return ""

    def draw(self, wanted: Wanted) -> Drawn:
        """Draw one of `KINDS`; MaskError if a file changed, KeyError without photograph."""
        if wanted.kind in OF_ALL:
            wanted = replace(wanted, position=None)
        if wanted.kind not in ("errors", BandLayer.name):
            wanted = replace(wanted, opacity=None)
        return self._kept.get(wanted, lambda: self._draw(wanted))

    def _draw(self, wanted: Wanted) -> Drawn:
        counted = self._runs[wanted.run][0].run.image(wanted.image)
        if wanted.kind == "photograph":
            return Drawn(png=to_png(self._photograph(counted.info), self._all_scheme))
        if wanted.kind in LAYERS:
            return self._draw_layer(wanted, counted)
        return Drawn(png=self._draw_classes(wanted, counted))

    def _draw_layer(self, wanted: Wanted, counted: ImageCounts) -> Drawn:
        layer, (translation, subject) = LAYERS[wanted.kind], self._translation(wanted)
        sides = translation.pair(
            *read_values(counted.info.pair, self._reading(wanted.run), counted)
        )
        spacing, sheet = spacing_of(counted.info.truth_form), Sheet.of(*sides)
        drawing = layer.draw(*sides, subject, spacing and spacing[::-1])
        style = self._style(wanted, subject)
        panel, unseen = lay_out(drawing, sheet, layer.name, style.scheme.void)
        truth, prediction = (sheet.lay_out(side, VOID) for side in sides)
        below = self._below(counted.info)
        png = draw_picture(truth, prediction, style, NO_CARD, below, panel=panel)
        return Drawn(png=png, card=drawing.card(NO_CARD).noted(unseen), peak=panel.ring)

    def _draw_classes(self, wanted: Wanted, counted: ImageCounts) -> bytes:
        image, (translation, subject) = counted.info, self._translation(wanted)
        sides = read_classes(image.pair, self._reading(wanted.run), translation, counted)
        style = self._style(wanted, subject)
        if wanted.kind == "errors":
            return draw_picture(*sides, style, NO_CARD, self._below(image))
        if wanted.kind == THUMBNAIL:
            truth, prediction, below = shrink(sides, self._below(image), *SMALL)
            return draw_picture(truth, prediction, style, NO_CARD, below)
        truth, prediction = sides
        return draw_side(truth if wanted.kind == "truth" else prediction, truth, style)

    def _style(self, wanted: Wanted, subject: Subject) -> Style:
        layer = LAYERS.get(wanted.kind)
        opacity = (
            1.0
            if layer is not None and layer.opaque
            else self.opacity
            if wanted.opacity is None
            else wanted.opacity
        )
        return Style(
            scheme=self.scheme(wanted.position, wanted.kind),
            position=subject.position,
            classes=len(subject.names),
            plain=True,
            opacity=opacity,
        )

    def _translation(self, wanted: Wanted) -> tuple[RunLookup, Subject]:
        """Return how masks become classes of which each pixel has one, and which one is drawn."""
        scores, translation = self._runs[wanted.run]
        subject = subject_of(self._labels, wanted.position)
        drawn, place = drawn_labels(scores.labels, subject)
        if scores.labels.overlap and subject is not None:
            translation = lookup_of(scores.run, drawn, unknown=scores.unknown)
        overlap = bool(scores.labels.overlap)
        return translation, Subject(position=place, names=tuple(drawn.names), overlap=overlap)

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

    def scheme(self, position: int | None, kind: str = "errors") -> Palette:
        """Return the colours of a kind, of the class at a position or of all."""
        subject = subject_of(self._labels, position)
        scheme = self._all_scheme if subject is None else self._class_scheme
        return LAYERS[kind].scheme(scheme) if kind in LAYERS else scheme

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
