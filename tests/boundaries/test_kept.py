"""What is measured near borders is kept as rows, and read for all images at once."""

from __future__ import annotations

import numpy as np
import pytest
from made.classmaps import Map, any_class_maps

from segeval.boundaries.bands import trimap_counts
from segeval.boundaries.edges import EdgeMeasure, edge_counts, edge_table
from segeval.boundaries.trimap import TrimapCounts, TrimapMeasure
from segeval.boundaries.widths import parse_widths
from segeval.errors import RunError, SettingError

CLASSES = 4
MEASURE = TrimapMeasure(widths=parse_widths("1px,10%"))


@pytest.fixture(scope="module")
def images() -> list[tuple[Map, Map]]:
    """Class maps of four classes, and among them an image of nothing but void."""
    found = [(np.full((3, 4), CLASSES, np.uint8),) * 2]
    for seed in range(40):
        truth, prediction, classes = any_class_maps(np.random.default_rng(seed))
        if classes == CLASSES:
            found.append((truth, prediction))
    return found


def test_trimaps_are_kept_with_all_their_pairs(images: list[tuple[Map, Map]]) -> None:
    data = [MEASURE([(*sides, CLASSES)], None) for sides in images]
    kept = TrimapCounts.of(data, 2, CLASSES)
    assert kept.support.shape == (2, len(images), CLASSES)
    for number, width in enumerate(MEASURE.widths):
        pairs = [trimap_counts(*each, CLASSES, width.pixels(each[0].shape)) for each in images]
        assert np.array_equal(kept.confusion[number], np.sum(pairs, axis=0))
        for image, each in enumerate(pairs):
            assert np.array_equal(kept.support[number, image], each.sum(axis=1)[:CLASSES])
            assert np.array_equal(kept.predicted[number, image], each.sum(axis=0)[:CLASSES])
            assert np.array_equal(kept.tp[number, image], each.diagonal()[:CLASSES])
            assert kept.total[number, image] == each.sum()
    assert kept.total.any(axis=1).all()


def test_classes_that_overlap_have_a_trimap_each() -> None:
    whole, core = np.full((2, 9, 9), 2, np.uint8)  # 2: outside of the only class
    whole[2:7, 2:7], core[4, 4] = 0, 0
    layers = [(whole, whole, 1), (core, np.full_like(core, 2), 1)]
    kept = TrimapCounts.of([MEASURE(layers, None)], 2, 2)
    assert kept.support[0, 0].tolist() == [16, 1]
    assert kept.predicted[0, 0].tolist() == [16, 0]
    assert kept.tp[0, 0].tolist() == [16, 0]


def test_edges_are_kept_as_four_numbers_of_a_class(images: list[tuple[Map, Map]]) -> None:
    data = [EdgeMeasure()([(*sides, CLASSES)], None) for sides in images]
    table = edge_table(data, CLASSES)
    for image, sides in enumerate(images):
        assert np.array_equal(table[image], edge_counts(*sides, CLASSES))
    assert table.any(axis=(0, 1)).all()
    assert data[0] == b""


def test_damage_and_volumes_are_refused() -> None:
    for damaged in (b"12345678", np.array([4, 1, 1, 1, 1]).tobytes(), np.full(5, -1).tobytes()):
        with pytest.raises(RunError, match="score the masks again"):
            edge_table([damaged], CLASSES)
    volume = np.zeros((2, 3, 4), np.uint8)
    with pytest.raises(SettingError, match="not of volumes; leave it out, or score slices"):
        EdgeMeasure()([(volume, volume, 1)], None)
