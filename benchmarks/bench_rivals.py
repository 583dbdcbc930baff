"""What other tools take for the same pairs, and whether they come to the same number."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, Final

from bench_pairs import question
from made_masks import OBJECTS, STREETS, THINGS
from measuring import Took, Unavailable, Worker
from rich.markup import escape
from tables import ratio, section, times

import segeval

if TYPE_CHECKING:
    from data_sets import DataSet, DataSets
    from rich.table import Table

ROUNDS: Final = 3
KINDS: Final = {
    "2048×1024, 19 classes": (STREETS, 1),
    "512×512 palette, 21 classes": (THINGS, 4),
    "854×480, binary": (OBJECTS, 4),
}
"""Kinds, and how many times the pairs of street scenes a round takes of each."""

PAIRS: Final = {
    "segeval": 56,
    "kornia-rs decodes": 24,
    "Pillow decodes": 16,
    "hotcoco": 16,
    "usual script": 8,
    "cityscapesScripts": 4,
    "scikit-learn": 2,
    "torchmetrics": 1,
    "MONAI": 1,
}
"""Ways, and how many pairs of street scenes one round takes."""

FEW: Final = 8
EQUAL: Final = 1e-6
"""Figures that differ by less are the same: some tools work in float32."""


def data_of(sets: DataSets, way: str, title: str) -> DataSet:
    """Return the pairs that a way is asked for; one has values of its own for the same classes."""
    kind, more = KINDS[title]
    if way == "cityscapesScripts" and kind == STREETS:
        kind = kind.stored_as("label ids")
    return sets.get(kind, PAIRS[way] * more)


def expected(sets: DataSets, way: str, title: str) -> float:
    """Return the mean IoU that segeval finds on the pairs of a way."""
    kind, more = KINDS[title]
    data = sets.get(kind, PAIRS[way] * more)
    return float(segeval.score(prediction=data.prediction, truth=data.truth).summary["miou"])


class Rivals:
    """The ways that can be taken here, and what each took of each kind in each round."""

    def __init__(self, sets: DataSets) -> None:
        """Start every way that is installed."""
        self.sets = sets
        self.workers: dict[str, Worker] = {}
        self.reasons: dict[str | tuple[str, str], str] = {}
        self.taken: dict[tuple[str, str], list[Took]] = {}
        for way in PAIRS:
            try:
                self.workers[way] = Worker(way)
            except Unavailable as reason:
                self.reasons[way] = f"skipped: {reason}"

    def measure(self) -> None:
        """Take all ways of all kinds in turns, after one round that does not count."""
        for number in range(ROUNDS + 1):
            for title in KINDS:
                for way, worker in self.workers.items():
                    self._ask(way, worker, title, counts=number > 0)
        for worker in self.workers.values():
            worker.__exit__()

    def _ask(self, way: str, worker: Worker, title: str, *, counts: bool) -> None:
        if (way, title) in self.reasons:
            return
        data = data_of(self.sets, way, title)
        try:
            took = worker.ask(question(data))
            if way == "segeval":
                less = worker.ask(question(self.sets.get(data.kind, FEW)))
                took = Took(took.processor - less.processor, took.clock - less.clock)
        except Unavailable as reason:
            self.reasons[way, title] = str(reason)
            return
        if counts:
            pairs = PAIRS[way] * KINDS[title][1] - (FEW if way == "segeval" else 0)
            each = Took(took.processor / pairs, took.clock / pairs, took.figure)
            self.taken.setdefault((way, title), []).append(each)

    def cell(self, way: str, title: str) -> str:
        """Return how many times as long as segeval a way takes, or why it does not apply."""
        if (way, title) not in self.taken:
            return self.reasons.get((way, title), "–")
        own, unit = self.taken[way, title], self.taken["segeval", title]
        used = ratio(times(own, "processor"), times(unit, "processor"))
        clock = ratio(times(own, "clock"), times(unit, "clock"))
        return " / ".join(f"{each:.{0 if each >= 10 else 1}f}" for each in (used, clock))

    def number(self, way: str) -> str:
        """Say whether a way comes to the same mean IoU as segeval."""
        if way in self.reasons:
            return self.reasons[way]
        compared, others = 0, []
        for title in KINDS:
            found = {took.figure for took in self.taken.get((way, title), [])} - {None}
            right = expected(self.sets, way, title) if found else 0.0
            compared += len(found)
            others += [
                f"{figure:.4f} for {right:.4f}"
                for figure in found
                if figure is not None and not abs(figure - right) < EQUAL
            ]
        if others:
            return f"another: {', '.join(others)}"
        return "the same" if compared else ""


def measure_rivals(sets: DataSets) -> Table:
    """Measure other tools on three kinds of masks, in one table."""
    rivals = Rivals(sets)
    rivals.measure()
    units = {title: rivals.taken["segeval", title] for title in KINDS}
    table = section(
        "Processor time / time by the clock a pair, as multiples of segeval score, 1 worker",
        "way",
        *(
            f"{title} (1 = {1000 * median(times(own, 'processor')):.2f} ms)"
            for title, own in units.items()
        ),
        "its mean IoU",
    )
    for way in PAIRS:
        cells = (rivals.cell(way, title) for title in KINDS)
        table.add_row(way, *cells, escape(rivals.number(way)))
    return table
