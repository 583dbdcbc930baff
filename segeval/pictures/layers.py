"""What pictures show beside errors: bands along the edges, and distances between borders.

Both are computed from the very classes that are drawn, of volumes from all of their slices, by
what measures them for a score; so the scores below a picture are those of `segeval score`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from segeval.boundaries.bands import band_counts, bands_of
from segeval.boundaries.widths import Width
from segeval.counting.measures import Layer
from segeval.distances.borders import Borders
from segeval.distances.kept import DistanceTable
from segeval.distances.means import mean_defined
from segeval.distances.measure import DistanceMeasure
from segeval.distances.nearest import Spacing, distances_between
from segeval.distances.rules import DistanceRules
from segeval.distances.values import score_cells
from segeval.pictures.caption import Caption
from segeval.pictures.classmaps import Sheet
from segeval.pictures.errormaps import Kind
from segeval.pictures.overlay import Classes, Codes, Panel
from segeval.pictures.palettes import FAR, GROUND, INKS, LONE, SHADED, Palette, with_distances
from segeval.scoring.metrics import KNOWN, ratio

Bands = tuple[NDArray[Any], NDArray[Any]]
Legend = tuple[tuple[int, str, int], ...]
EDGES: Final = (0, 1, 2, 4, 8, 16, 32)  # the largest distance of each colour but the last
LONELY: Final = {(True, False): "the prediction", (False, True): "the truth"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What is drawn: the class at a position, or all of K if that is None, and their names."""

    position: int | None
    names: tuple[str, ...]
    overlap: bool = False  # the classes are parts, which scores do not know

    @property
    def chosen(self) -> list[int]:
        """The classes that are drawn."""
        return [*range(len(self.names))] if self.position is None else [self.position]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Drawing:
    """The codes of all pixels, what is written below them, and the pixel in the ring if any."""

    codes: Codes
    lead: str
    legend: Legend
    measured: Callable[[], tuple[tuple[str, float], ...]] = tuple
    note: str = ""
    peak: int | None = None  # flat index

    @property
    def scores(self) -> tuple[tuple[str, float], ...]:
        """Titles and values of what is drawn, measured in the pixels."""
        return self.measured()

    @property
    def place(self) -> str:
        """Say where the farthest pixel is: column and row from 0, the slice from 1."""
        if self.peak is None:
            return ""
        *slices, row, column = map(int, np.unravel_index(self.peak, self.codes.shape))
        return f"column {column}, row {row}" + "".join(f", slice {z + 1}" for z in slices)

    def card(self, card: Caption) -> Caption:
        """Return a caption with the scores and the legend of the drawing."""
        own = replace(card, lead=self.lead, scores=self.scores + card.scores, legend=self.legend)
        return own.noted(self.note)


@dataclass(frozen=True, slots=True, kw_only=True)
class BandLayer:
    """Errors in the bands along the edges, as boundary IoU counts them."""

    name: ClassVar[str] = "boundary"
    opaque: ClassVar[bool] = False  # on photographs
    width: Width

    def scheme(self, palette: Palette) -> Palette:
        """Return the colours, which are those of errors."""
        return palette

    def ranks(self, scheme: Palette) -> NDArray[np.intp]:
        """Return which code of a cell is shown in a small picture: wrong ones, then matched."""
        ground = scheme.background | (np.arange(len(scheme.colors)) >= scheme.void)
        return np.where(scheme.errors, 2, np.where(ground, 0, 1))

    def draw(
        self,
        truth: Classes,
        prediction: Classes,
        subject: Subject,
        spacing: Spacing | None,  # noqa: ARG002 - bands are of pixels
    ) -> Drawing:
        """Draw one class as a `Kind`, or of all classes those pixels whose bands differ."""
        count = len(subject.names)
        reach = self.width.pixels(truth.shape)
        layer = (*class_maps(truth, prediction, count), count)
        bands = bands_of(*layer, reach)
        drawn = _all_bands if subject.position is None else _bands_of_one
        codes, legend = drawn(truth, bands, subject)
        lead = f"band of {reach} px:"
        if subject.position is None:
            lead = f"wrong in bands of {reach} px, by true class:"
        measured = partial(_boundary_iou, layer, subject, reach)
        return Drawing(codes=codes, lead=lead, measured=measured, legend=legend)


@dataclass(frozen=True, slots=True, kw_only=True)
class DistanceLayer:
    """Border pixels by how far the border of the other side is."""

    name: ClassVar[str] = "distances"
    opaque: ClassVar[bool] = True
    lone: str = ": counts the diagonal"  # what is said of a class on one side only

    def scheme(self, palette: Palette) -> Palette:
        """Return the colours with those of distances."""
        return with_distances(palette)

    def ranks(self, scheme: Palette) -> NDArray[np.intp]:
        """Return which code of a cell is shown in a small picture: that of the farthest border."""
        return np.where(scheme.errors, np.arange(len(scheme.colors)), 0)

    def draw(
        self, truth: Classes, prediction: Classes, subject: Subject, spacing: Spacing | None
    ) -> Drawing:
        """Draw the borders of the chosen classes on both sides."""
        count, position = len(subject.names), subject.position
        layer = (*class_maps(truth, prediction, count), count)
        void = Kind.VOID if position is not None else 3 * count
        base = void + 2
        kind = np.min_scalar_type(base + SHADED + INKS)
        codes: Codes = truth.astype(kind)
        if position is not None:
            codes = np.where(truth == position, kind.type(base + SHADED), kind.type(base + GROUND))
        codes[truth < 0] = void
        far = np.full(truth.shape, -1.0)
        for places, values in _distances(layer, subject.chosen, spacing):
            flat = far.reshape(-1)
            flat[places] = np.maximum(flat[places], values)
        there = far >= 0
        steps = np.searchsorted(EDGES, far[there])
        codes[there] = np.where(np.isinf(far[there]), LONE, steps) + base
        finite = np.where(np.isinf(far), -1, far)
        peak = int(finite.argmax())
        unit = "px" if spacing is None else "mm"
        return Drawing(
            codes=codes,
            lead="borders, by the distance to the other side:" if there.any() else "no border",
            measured=partial(_hausdorff, layer, subject, spacing),
            legend=_distance_legend(codes, base, void, unit),
            note=_one_sided(layer, subject, self.lone),
            peak=peak if finite.reshape(-1)[peak] > 0 else None,
        )


PictureLayer = BandLayer | DistanceLayer


def class_maps(
    truth: Classes, prediction: Classes, count: int
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return what is measured: K where nothing is judged, K + 1 where no class is predicted."""
    kind = np.uint8 if count <= 253 else np.int32
    void, nothing = kind(count), kind(count + 1)
    predicted = np.where(prediction < 0, nothing, prediction.astype(kind))
    return (
        np.where(truth < 0, void, truth.astype(kind)),
        np.where(truth < 0, void, predicted),
    )


def lay_out(drawing: Drawing, sheet: Sheet, title: str, empty: int) -> tuple[Panel, str]:
    """Lay a drawing out, and say where the pixel of its ring is if that is in no shown slice."""
    codes = sheet.lay_out(drawing.codes, empty)
    if drawing.peak is None:
        return Panel(title=title, codes=codes), ""
    marks = np.zeros(drawing.codes.shape, np.bool_)
    marks.reshape(-1)[drawing.peak] = True
    seen = np.argwhere(sheet.lay_out(marks, 0))
    if len(seen):
        row, column = seen[0].tolist()
        return Panel(title=title, codes=codes, ring=(row, column)), ""
    number = drawing.peak // marks[0].size + 1
    return Panel(title=title, codes=codes), f"farthest pixel in slice {number}"


def _all_bands(truth: Classes, bands: Bands, subject: Subject) -> tuple[Codes, Legend]:
    """Return codes as those of all errors, wrong where the bands differ; the most wrong first."""
    count = len(subject.names)
    kind = np.uint8 if count < 75 else np.uint32
    codes: Codes = truth.astype(kind) + (bands[0] != bands[1]) * kind(count)
    codes[truth < 0] = 3 * count
    found = np.bincount(codes.ravel(), minlength=3 * count + 1)
    order = np.argsort(-found[count : 2 * count], kind="stable").tolist()
    rows = [*((count + k, subject.names[k]) for k in order), (3 * count, "void")]
    return codes, tuple((code, name, int(found[code])) for code, name in rows if found[code])


def _bands_of_one(truth: Classes, bands: Bands, subject: Subject) -> tuple[Codes, Legend]:
    """Return each pixel as a `Kind`, what is outside of the bands as a true negative."""
    one, two = (band == subject.position for band in bands)
    codes: Codes = one.astype(np.uint8) * np.uint8(2) + two
    codes[truth < 0] = Kind.VOID
    found = np.bincount(codes.ravel(), minlength=len(Kind))
    rows = (Kind.TRUE_POSITIVE, Kind.FALSE_POSITIVE, Kind.FALSE_NEGATIVE, Kind.VOID)
    return codes, tuple(
        (kind, kind.name.lower().replace("_", " "), int(found[kind]))
        for kind in rows
        if kind != Kind.VOID or found[kind]
    )


def _is_in_parts(subject: Subject) -> bool:
    return subject.overlap and subject.position is None


def _boundary_iou(layer: Layer, subject: Subject, reach: int) -> tuple[tuple[str, float], ...]:
    """Return boundary IoU of the class, or its mean over classes."""
    if _is_in_parts(subject):
        return ()
    one, two, both = band_counts(*layer, reach)[:, subject.chosen]
    metric = KNOWN["boundary_iou"]
    title = metric.mean_title if subject.position is None else metric.title
    return ((title, float(mean_defined(ratio(both, one + two - both)))),)


def _distances(
    layer: Layer, chosen: list[int], spacing: Spacing | None
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.float64]]]:
    """Yield border pixels of a class and side, and their distances; infinite where none is."""
    truth, prediction, count = layer
    borders = Borders.of((truth, prediction), count)
    even = spacing is None or len(set(spacing)) == 1
    shared = np.flatnonzero(borders.both)
    shared = shared[np.isin(truth.reshape(-1)[shared], chosen)]
    yield shared, np.zeros(shared.size)
    for k in chosen:
        for here, other in ((0, 1), (1, 0)):
            places, targets = borders.apart[here].of_class(k), borders.whole[other].of_class(k)
            if not places.size:
                continue
            if not targets.size:
                yield places, np.full(places.size, np.inf)
                continue
            far = distances_between(places, targets, truth.shape, None if even else spacing)
            step = 1.0 if spacing is None else spacing[0]
            yield places, np.sqrt(far) * step if even else far


def _hausdorff(
    layer: Layer, subject: Subject, spacing: Spacing | None
) -> tuple[tuple[str, float], ...]:
    """Return HD and HD95 of the class, or their means over classes."""
    if _is_in_parts(subject):
        return ()
    table = DistanceTable.of([DistanceMeasure()([layer], spacing)], layer[2])
    cells = score_cells(table, DistanceRules())
    mean = "" if subject.position is not None else "mean "
    unit = "px" if spacing is None else "mm"
    return tuple(
        (f"{mean}{name.upper()} ({unit})", float(mean_defined(cells[name][0, subject.chosen])))
        for name in ("hd", "hd95")
    )


def _distance_legend(codes: NDArray[Any], base: int, void: int, unit: str) -> Legend:
    """Say what each colour is, of those that are there."""
    counts = np.bincount(codes.ravel(), minlength=base + SHADED + 1).tolist()
    names = [f"{EDGES[0]} {unit}", *(f"to {edge} {unit}" for edge in EDGES[1:])]
    names += [f"over {EDGES[-1]} {unit}", "the other side has none"]
    assert len(names) == FAR + 1
    rows = [(base + k, name, counts[base + k]) for k, name in enumerate(names)]
    return tuple(row for row in (*rows, (void, "void", counts[void])) if row[2])


def _one_sided(layer: Layer, subject: Subject, consequence: str) -> str:
    """Name the classes that one side lacks, and say what that does."""
    held = [np.bincount(side.ravel(), minlength=layer[2] + 2) > 0 for side in layer[:2]]
    lacking = [
        f"no {subject.names[k]} in {LONELY[bool(held[0][k]), bool(held[1][k])]}"
        for k in subject.chosen
        if held[0][k] != held[1][k]
    ]
    return f"{', '.join(lacking)}{consequence}" if lacking else ""
