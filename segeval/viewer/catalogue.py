"""The images of a run, filtered and ordered on the counts: which ones, and by which value.

Nothing is scored or counted here; every value is taken from the scores and the counts of the run.
"""

import unicodedata
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from segeval.counting.groups import group_names, split_groups
from segeval.counting.run import CountedRun
from segeval.pictures.caption import image_scores
from segeval.pictures.classmaps import RunLookup
from segeval.scoring.metrics import METRICS
from segeval.scoring.score import Scores
from segeval.viewer.cache import SizedCache

Order = Literal["worst", "best", "name"]
ORDERS_KEPT: Final = 16  # lists of positions that are kept for the next page of the same list


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Which images are listed, and in what order."""

    text: str = ""  # what names hold, in any case
    position: int | None = None  # a class that occurs on either side
    lowest: bool = False  # that class has the lowest IoU
    pair: tuple[int, int] | None = None  # truth, and what was predicted; K is no class
    group: int | None = None
    order: Order = "worst"  # by IoU, or pixels of the pair


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


class Catalogue:
    """The images of a run with what they are found and ordered by."""

    def __init__(self, scores: Scores, translation: RunLookup, group_by: str | None = None) -> None:
        self.scores = scores
        self.cells = wrong_cells(scores.run, translation)
        self.groups = split_groups(group_names(scores.run, group_by))
        self.names = [image.name for image in scores.run.images]
        self.member = np.full(len(self.names), -1)
        for number, positions in enumerate(self.groups.values()):
            self.member[positions] = number
        counts = scores.counts.images
        self._headline = next(iter(image_scores(scores, scores.foreground).values()))
        self._iou = scores.convention.score_classes(METRICS["iou"], counts)
        self._occurs = counts.support + counts.predicted > 0
        shown = np.where(self._occurs & ~np.isnan(self._iou), self._iou, np.inf)
        self._lowest = (shown == shown.min(axis=1, keepdims=True)) & (shown < np.inf)
        self._folded = [_folded(name) for name in self.names]
        self._orders: SizedCache[Query, NDArray[np.intp]] = SizedCache(ORDERS_KEPT)

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
        values = self.values(query.position)
        if query.position is not None:
            chosen &= (self._lowest if query.lowest else self._occurs)[:, query.position]
        if query.pair is not None:
            pixels = self.pixels_of(query.pair)
            chosen &= pixels > 0
            values = -pixels.astype(np.float64)
        if query.group is not None:
            chosen &= self.member == query.group
        if query.text:
            text = _folded(query.text)
            chosen &= np.fromiter((text in name for name in self._folded), np.bool_, chosen.size)
        found = np.flatnonzero(chosen)
        if query.order == "name":
            return found
        ranked = values[found] if query.order == "worst" else -values[found]
        return found[np.argsort(ranked, kind="stable")]

    def confusions(self, number: int | None, most: int) -> list[tuple[int, int, int]]:
        """Return the largest confusions of an image, or of all: truth, prediction or K, pixels."""
        rows = slice(None)
        if number is not None:
            start, stop = np.searchsorted(self.cells.image, [number, number + 1]).tolist()
            rows = slice(start, stop)
        columns = len(self.scores.labels.labels) + 1
        codes, inverse = np.unique(
            self.cells.truth[rows] * columns + self.cells.prediction[rows], return_inverse=True
        )
        sums = np.bincount(inverse, self.cells.pixels[rows], codes.size).astype(np.int64)
        order = np.argsort(-sums, kind="stable")[:most]
        truth, prediction = np.divmod(codes[order], columns)
        return list(zip(truth.tolist(), prediction.tolist(), sums[order].tolist(), strict=True))


def _folded(text: str) -> str:
    """Write a text so that case and the way of writing accents make no difference."""
    return unicodedata.normalize("NFC", text).casefold()
