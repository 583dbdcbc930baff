"""The images of a run, filtered and ordered on the counts: which ones, and by which value.

Nothing is scored or counted here; every value is taken from the scores and the counts of the run.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from segeval.counting.groups import group_names, split_groups
from segeval.counting.run import CountedRun
from segeval.labels.lookups import RunLookup, lookup_of
from segeval.pictures.caption import image_scores, in_parts
from segeval.scoring.compare import without_rounding
from segeval.scoring.metrics import METRICS
from segeval.scoring.score import Scores
from segeval.viewer.cache import SizedCache

Order = Literal["worst", "best", "name", "lost", "gained"]
ORDERS_KEPT: Final = 16  # lists of positions that are kept for the next page of the same list


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Which images are listed, and in what order."""

    text: str = ""  # what names hold, in any case
    position: int | None = None  # a class that occurs on either side
    lowest: bool = False  # that class has the lowest IoU
    pair: tuple[int, int] | None = None  # truth, and what was predicted; K is no class
    group: int | None = None
    order: Order = "worst"  # by IoU, or pixels of the pair; or by how they differ


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cells:
    """Wrong pixels of all images, by ascending image; the class K is none, and cells may repeat."""

    image: NDArray[np.int64]
    truth: NDArray[np.int64]
    prediction: NDArray[np.int64]
    pixels: NDArray[np.int64]


def wrong_cells(run: CountedRun, translation: RunLookup) -> Cells:
    """Return the judged pixels of a run whose classes differ, classes as pictures have them."""
    counts = run.counts
    truth, prediction = translation.pair(counts.truth, counts.prediction)
    wrong = (truth >= 0) & (truth != prediction)
    predicted = prediction[wrong].astype(np.int64)
    predicted[predicted < 0] = translation.classes
    return Cells(
        image=counts.image[wrong],
        truth=truth[wrong].astype(np.int64),
        prediction=predicted,
        pixels=counts.pixels[wrong],
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Baseline:
    """A run of the same images that another one is held against."""

    catalogue: Catalogue
    names: tuple[str, str]  # of the baseline and of the other run
    notes: Sequence[str]  # what is to be known of the two
    other_truths: Collection[int]  # positions of the images whose truths differ


class Catalogue:
    """The images of a run with what they are found and ordered by, and its baseline if any."""

    def __init__(
        self, scores: Scores, group_by: str | None = None, baseline: Baseline | None = None
    ) -> None:
        self.scores, self.baseline = scores, baseline
        self.parts = in_parts(scores)  # of which each pixel has one: those that confusions are of
        self.translation = lookup_of(scores.run, self.parts.labels, unknown=scores.unknown)
        self.cells = wrong_cells(scores.run, self.translation)
        self.groups = split_groups(group_names(scores.run, group_by))
        self.names = scores.run.images.names
        self.member = np.full(len(self.names), -1)
        for number, positions in enumerate(self.groups.values()):
            self.member[positions] = number
        counts = scores.counts.images
        self._headline = next(iter(image_scores(scores, scores.foreground).values()))
        self._iou = scores.convention.score_classes(METRICS["iou"], counts)
        self.occurs = counts.support + counts.predicted > 0
        shown = np.where(self.occurs & ~np.isnan(self._iou), self._iou, np.inf)
        self._lowest = (shown == shown.min(axis=1, keepdims=True)) & (shown < np.inf)
        self._folded = [_folded(name) for name in self.names]
        self._orders: SizedCache[Query, NDArray[np.intp]] = SizedCache(ORDERS_KEPT)

    @property
    def sides(self) -> list[Catalogue]:
        """The catalogues of the runs that are shown, the baseline first."""
        return [self] if self.baseline is None else [self.baseline.catalogue, self]

    def differences(self, position: int | None) -> NDArray[np.float64]:
        """Return how much higher `values` are than those of the baseline, without rounding."""
        before, after = (side.values(position) for side in self.sides)
        return without_rounding(after - before)

    def values(self, position: int | None) -> NDArray[np.float64]:
        """Return the IoU of a class in every image, or the headline; (N,), NaN where undefined."""
        return self._headline if position is None else self._iou[:, position]

    def pixels_of(self, pair: tuple[int, int]) -> NDArray[np.int64]:
        """Return the pixels of a true class that were predicted as another, of every image."""
        chosen = (self.cells.truth == pair[0]) & (self.cells.prediction == pair[1])
        sums = np.bincount(self.cells.image[chosen], self.cells.pixels[chosen], len(self.names))
        return sums.astype(np.int64)

    def find(self, query: Query) -> NDArray[np.intp]:
        """Return the positions of images in the order of a query: undefined last, equal by name."""
        return self._orders.get(query, lambda: self._find(query))

    def _find(self, query: Query) -> NDArray[np.intp]:
        chosen = np.ones(len(self.names), np.bool_)
        if query.position is not None:
            occurs = np.any([side.occurs for side in self.sides], axis=0)
            chosen &= (self._lowest if query.lowest else occurs)[:, query.position]
        if query.pair is not None:
            chosen &= np.any([side.pixels_of(query.pair) > 0 for side in self.sides], axis=0)
        if query.group is not None:
            chosen &= self.member == query.group
        if query.text:
            text = _folded(query.text)
            chosen &= np.fromiter((text in name for name in self._folded), np.bool_, chosen.size)
        found = np.flatnonzero(chosen)
        if query.order == "name":
            return found
        ranked = self._ranks(query)[found]
        if query.order in ("best", "gained"):
            ranked = -ranked
        return found[np.argsort(ranked, kind="stable")]

    def _ranks(self, query: Query) -> NDArray[np.float64]:
        """Return what images are ordered by, the higher the better; NaN where undefined."""
        sides = self.sides if query.order in ("lost", "gained") else [self]
        if query.pair is None:
            values = [side.values(query.position) for side in sides]
        else:
            values = [-side.pixels_of(query.pair).astype(np.float64) for side in sides]
        return values[0] if len(sides) == 1 else without_rounding(values[1] - values[0])

    def confusions(self, number: int | None) -> dict[tuple[int, int], int]:
        """Return the pixels of each confusion of an image, or of all: of truth, prediction or K."""
        rows = slice(None)
        if number is not None:
            start, stop = np.searchsorted(self.cells.image, [number, number + 1]).tolist()
            rows = slice(start, stop)
        columns = len(self.parts.labels.labels) + 1
        codes, inverse = np.unique(
            self.cells.truth[rows] * columns + self.cells.prediction[rows], return_inverse=True
        )
        sums = np.bincount(inverse, self.cells.pixels[rows], codes.size).astype(np.int64)
        truth, prediction = np.divmod(codes, columns)
        pairs = zip(truth.tolist(), prediction.tolist(), strict=True)
        return dict(zip(pairs, sums.tolist(), strict=True))


def _folded(text: str) -> str:
    """Write a text so that case and the way of writing accents make no difference."""
    return unicodedata.normalize("NFC", text).casefold()
