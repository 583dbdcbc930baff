"""One side empty, or both: the table of the docs, and what it does to means."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Final

import numpy as np
import pytest

from segeval.distances.kept import DistanceTable
from segeval.distances.means import Cells, mean_cells
from segeval.distances.names import score_names
from segeval.distances.rules import DistanceRules
from segeval.distances.values import score_cells
from segeval.presets.distances import load_distance_presets
from segeval.scoring.beside import once

pytest.importorskip("scipy")
PAGE: Final = Path(__file__).parents[2] / "docs" / "conventions" / "distances.md"
CASES: Final = {"missed": (True, False), "false alarm": (False, True), "neither": (False, False)}
DIAGONAL: Final = 5.0  # of an image of 3 x 4 pixels


def cases(rules: DistanceRules) -> dict[str, list[float]]:
    """Score images of 3 x 4 pixels in which only one side holds a class, or none; four scores."""
    blobs = []
    for sides in CASES.values():
        masks = [np.full((3, 4), 2, np.uint8) for _ in sides]
        for mask, held in zip(masks, sides, strict=True):
            mask[1, 1:3] = 0 if held else 2
        blobs.append(rules.measure([(masks[0], masks[1], 1)], None))
    scores = score_cells(DistanceTable.of(blobs, 1), rules)
    columns = [scores[name][:, 0] for name in ("hd", "hd95", "assd", "nsd@1")]
    return {case: [float(c[n]) for c in columns] for n, case in enumerate(CASES)}


def shown(value: float) -> str:
    if value == DIAGONAL:
        return "diagonal"
    return "–" if math.isnan(value) else "∞" if math.isinf(value) else f"{value:g}"


def written() -> list[str]:
    """Write the rows of the table, as they are to be."""
    presets = load_distance_presets().items()
    rules = {"(default)": DistanceRules(), **{f"`{name}`": each.rules for name, each in presets}}
    return [
        f"| {name} | {' | '.join(shown(v) for values in cases(r).values() for v in values)} |"
        for name, r in rules.items()
    ]


def test_all_cases_of_either_side_empty_are_as_the_docs_tell() -> None:
    page = PAGE.read_text("utf-8")
    assert [row for row in written() if row not in page] == []


def test_a_missed_class_never_helps() -> None:
    """Without the prediction of a class, every score of it is worse."""
    truth, good = np.full((2, 9, 9), 2, np.uint8)
    truth[2:6, 2:6], good[3:6, 2:6] = 0, 0
    nothing = np.full((9, 9), 2, np.uint8)
    rules, means = DistanceRules(), []
    for second in (good, nothing):
        blobs = [rules.measure([(truth, each, 1)], None) for each in (good, second)]
        cells = Cells.of(DistanceTable.of(blobs, 1), rules)
        means.append(mean_cells(cells, once(2), kept=[0], pooling="class").means)
    for name in score_names(rules):
        found, missed = (float(mean[name][0]) for mean in means)
        assert (missed < found) if name.startswith("nsd") else (missed > found)
    assert [float(m["miss_rate"][0]) for m in means] == [0, 0.5]


@pytest.mark.parametrize(
    ("pooling", "expected"), [("dataset", 2.75), ("class", 2.75), ("image", 3.0), ("pair", 8 / 3)]
)
def test_means_go_over_images_and_classes_in_the_order_of_the_pooling(
    pooling: str, expected: float
) -> None:
    values = np.array([[1.0, 3.0], [4.0, np.nan]])
    both = np.ones((2, 2), np.bool_)
    cells = Cells(scores={"hd": values}, true=both, predicted=both)
    for kept, mean in {(0, 1): expected, (0,): 2.5}.items():
        found = mean_cells(cells, once(2), kept=kept, pooling=pooling)
        assert found.means["hd"].tolist() == [pytest.approx(mean)]


def test_an_infinite_distance_makes_its_means_infinite_as_often_as_it_is_drawn() -> None:
    both = np.ones((2, 1), np.bool_)
    cells = Cells(scores={"hd": np.array([[np.inf], [2.0]])}, true=both, predicted=both)
    draws = np.array([[1.0, 1.0], [0.0, 2.0]])
    found = mean_cells(cells, draws, kept=[0], pooling="class")
    assert found.means["hd"].tolist() == [np.inf, 2.0]
