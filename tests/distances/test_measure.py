"""Distances of class maps against the definition, taken literally."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from segeval.distances import nearest
from segeval.distances.borders import Points, find_borders
from segeval.distances.kept import DistanceTable
from segeval.distances.measure import DistanceMeasure
from segeval.distances.rules import DistanceRules
from segeval.distances.values import score_cells
from segeval.errors import RunError, SettingError

pytest.importorskip("scipy")
RULES = DistanceRules(percentiles=(50.0, 95.0), tolerances=(0.0, 1.0, 2.5))
MADE = np.random.default_rng(17)


def slow_border(classes: NDArray[Any], k: int, void: int) -> list[tuple[int, ...]]:
    """List the pixels of a class with a neighbour outside it; void is no outside, if it can be."""
    inside = [tuple(map(int, at)) for at in np.argwhere(classes == k)]

    def outside(at: tuple[int, ...], *, beyond: bool) -> bool:
        for axis in range(classes.ndim):
            for step in (-1, 1):
                to = tuple(x + step * (a == axis) for a, x in enumerate(at))
                if not all(0 <= x < n for x, n in zip(to, classes.shape, strict=True)):
                    return True
                if classes[to] != k and (beyond or classes[to] != void):
                    return True
        return False

    found = [at for at in inside if outside(at, beyond=False)]
    return found or [at for at in inside if outside(at, beyond=True)]


def slow_scores(a: NDArray[Any], b: NDArray[Any]) -> dict[str, float]:
    """Score sorted distances from the truth and from the prediction."""
    both, total = np.concatenate([a, b]), a.size + b.size
    return {
        "hd": both.max(),
        "hd50": max(np.percentile(a, 50), np.percentile(b, 50)),
        "hd95": max(np.percentile(a, 95), np.percentile(b, 95)),
        "assd": both.sum() / total,
        "masd": (a.mean() + b.mean()) / 2,
        "nsd@0": (both == 0).sum() / total,
        "nsd@1": (both <= 1 + 1e-9).sum() / total,
        "nsd@2.5": (both <= 2.5 + 1e-9).sum() / total,
    }


def made_pair(shape: tuple[int, ...], count: int, *, void: bool) -> tuple[Any, Any]:
    """Make two maps alike, of blocks and specks; void stands at the same places."""
    coarse = MADE.integers(0, count, [n // 3 + 1 for n in shape])
    truth = np.kron(coarse, np.ones([3] * len(shape), np.int64)).astype(np.uint8)
    truth = truth[tuple(slice(n) for n in shape)]
    prediction = np.where(MADE.random(shape) < 0.2, MADE.integers(0, count, shape), truth)
    prediction = np.where(MADE.random(shape) < 0.05, count + 1, prediction).astype(np.uint8)
    if void:
        hidden = np.kron(MADE.random(coarse.shape) < 0.3, np.ones([3] * len(shape), np.bool_))
        hidden = hidden[tuple(slice(n) for n in shape)]
        truth, prediction = (
            np.where(hidden, count, m).astype(np.uint8) for m in (truth, prediction)
        )
    truth.flags.writeable = prediction.flags.writeable = False
    return truth, prediction


@pytest.mark.parametrize("spacing", [None, (0.5, 0.5), (0.8, 2.5)], ids=str)
@pytest.mark.parametrize("void", [False, True])
def test_distances_are_those_of_the_definition(spacing: Any, *, void: bool) -> None:
    for shape in ((9, 13), (1, 1), (12, 1), (7, 7), (4, 20)):
        truth, prediction = made_pair(shape, 3, void=void)
        compare(truth, prediction, spacing)


@pytest.mark.parametrize("spacing", [None, (1.5, 0.8, 0.8)], ids=str)
def test_distances_of_volumes_are_those_of_the_definition(spacing: Any) -> None:
    compare(*made_pair((5, 6, 7), 2, void=True), spacing)


def compare(truth: Any, prediction: Any, spacing: Any) -> None:
    """Score three classes literally, and by the measure."""
    table = DistanceTable.of([DistanceMeasure()([(truth, prediction, 3)], spacing)], 3)
    ours, scale = score_cells(table, RULES), np.array(spacing or (1.0,) * truth.ndim)
    for k in range(3):
        one, two = (np.array(slow_border(m, k, 3), float) for m in (truth, prediction))
        if min(len(one), len(two)) == 0:
            continue
        apart = np.sqrt((((one[:, None] - two[None]) * scale) ** 2).sum(axis=-1))
        for name, value in slow_scores(apart.min(axis=1), apart.min(axis=0)).items():
            assert ours[name][0, k] == pytest.approx(value, rel=1e-12, abs=1e-12), (name, k)


@pytest.mark.parametrize("spacing", [None, (0.7, 1.3)], ids=str)
def test_a_tree_and_a_transform_give_equal_distances(
    spacing: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    truth, prediction = made_pair((60, 90), 3, void=False)
    blobs = []
    for cost in (0.0, 1e9):
        monkeypatch.setattr(nearest, "SEARCH", cost)
        blobs.append(DistanceMeasure()([(truth, prediction, 3)], spacing))
    tables = [DistanceTable.of([blob], 3) for blob in blobs]
    for one, two in zip(tables[0].truth.distance, tables[1].truth.distance, strict=True):
        assert one == pytest.approx(two, rel=1e-12)


def test_long_borders_that_are_equally_far_go_to_the_transform(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[int] = []
    monkeypatch.setattr(nearest, "WORTH_TIMING", 10)
    monkeypatch.setattr(nearest, "TRANSFORM", 1e-9)
    monkeypatch.setattr(nearest, "SEARCH", 0)
    monkeypatch.setattr(nearest, "BUILD", 0)
    slow = nearest._by_transform

    def told(*given: Any) -> NDArray[Any]:
        asked.append(1)
        return slow(*given)

    monkeypatch.setattr(nearest, "_by_transform", told)
    ring = np.flatnonzero(find_borders(np.zeros((40, 40), np.uint8), 1))
    found = nearest.distances_between(np.arange(820, 1000), ring, (40, 40), None)
    assert asked
    assert found.min() == 0


def test_steps_that_are_equal_are_equally_far() -> None:
    """3 · 0.8 - 2 · 0.8 exceeds 0.8 in floats."""
    truth, prediction = np.full((2, 6, 9), 2, np.uint8)
    truth[2:4, 2], prediction[2:4, 3] = 0, 0
    table = DistanceTable.of([DistanceMeasure()([(truth, prediction, 1)], (1.0, 0.8))], 1)
    scores = score_cells(table, DistanceRules(tolerances=(0.8,)))
    assert scores["nsd@0.8"].tolist() == [[1.0]]
    tenths = DistanceTable.of(
        [DistanceMeasure(spacing=(0.1, 0.1))([(truth, prediction, 1)], None)], 1
    )
    assert score_cells(tenths, DistanceRules(tolerances=(0.1,)))["nsd@0.1"].tolist() == [[1.0]]


def test_layers_that_overlap_are_classes_one_after_another() -> None:
    truth, prediction = made_pair((20, 20), 2, void=False)
    layers: list[Any] = [
        (*(np.where(m == k, 0, 2).astype(np.uint8) for m in (truth, prediction)), 1) for k in (0, 1)
    ]
    apart = DistanceMeasure()(layers, None)
    whole = DistanceMeasure()([(truth, prediction, 2)], None)
    one, two = (score_cells(DistanceTable.of([blob], 2), RULES) for blob in (apart, whole))
    for name, values in one.items():
        np.testing.assert_array_equal(values, two[name])


def test_a_class_that_only_void_surrounds_has_its_edge_for_a_border() -> None:
    island = np.full((5, 5), 1, np.uint8)
    island[1:4, 1:4] = 0
    assert find_borders(island, 1).sum() == 8
    assert Points.of(find_borders(island, 1, beyond=True), island, 1).sizes.tolist() == [8]


def test_spacing_of_another_number_of_axes_is_refused() -> None:
    mask = np.zeros((4, 4), np.uint8)
    with pytest.raises(SettingError, match=r"--spacing 3,1,1 is of 3 axes, and the masks have 2"):
        DistanceMeasure(spacing=(1, 1, 3))([(mask, mask, 1)], None)


def test_without_scipy_the_command_that_installs_it_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "scipy.spatial", None)
    mask = np.zeros((4, 4), np.uint8)
    with pytest.raises(SettingError, match=r'pip install "segeval-masks\[surface\]"'):
        DistanceMeasure()([(mask, mask, 1)], None)


def test_bytes_that_are_cut_are_refused() -> None:
    truth, prediction = made_pair((9, 9), 3, void=False)
    blob = DistanceMeasure()([(truth, prediction, 3)], None)
    for damaged in (blob[:-1], blob[:7], b"", b"\7" + blob[1:], blob + b"\0"):
        with pytest.raises(RunError, match="distances of the run are damaged"):
            DistanceTable.of([damaged], 3)


def test_classes_may_overlap_where_no_border_does_and_numbers_of_pixels_stay_small() -> None:
    truth, prediction = np.zeros((2, 9, 9), np.int64)
    truth[1:8, 1:8], prediction[2:7, 2:7] = 1, 1
    truth[0, :2], prediction[8, 7:] = 2, 2
    table = DistanceTable.of([DistanceMeasure()([(truth, prediction, 3)], None)], 3)
    assert table.kind.tolist() == [0, 1, 2]
    assert table.shared.tolist() == [True, True, False]
    assert table.truth.weight.dtype == np.uint8
    assert DistanceMeasure().kind == "distances"
    assert DistanceMeasure(ignored=True).kind == "distances:unspaced"
