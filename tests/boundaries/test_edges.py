"""Edges and their matches equal one mask a class, dilated by a disk."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from segeval.boundaries.edges import boundary_f, edge_counts, edge_reach

Map = NDArray[Any]


def edges_of(mask: Map) -> Map:
    """Return the edge pixels of one object, neighbour by neighbour."""
    found = np.zeros(mask.shape, bool)
    height, width = mask.shape
    for y in range(height):
        for x in range(width):
            for other in ((y, x + 1), (y + 1, x), (y + 1, x + 1)):
                if other[0] < height and other[1] < width:
                    found[y, x] |= mask[y, x] != mask[other]
    return found


def slow_counts(truth: Map, prediction: Map, classes: int, reach: int) -> list[list[int]]:
    y, x = np.ogrid[-reach : reach + 1, -reach : reach + 1]
    disk = x**2 + y**2 <= reach**2
    rows = []
    for index in range(classes):
        sides = [edges_of(side == index) for side in (prediction, truth)]
        near = [ndimage.binary_dilation(side, disk) for side in sides]
        rows.append(
            [
                int(each.sum())
                for each in (sides[0], sides[0] & near[1], sides[1], sides[1] & near[0])
            ]
        )
    return rows


@pytest.mark.parametrize("seed", range(12))
def test_edges_equal_one_mask_a_class(seed: int) -> None:
    random = np.random.default_rng(seed)
    shape = (1, 1) if seed == 0 else random.integers(2, 40, 2) * (1 if seed < 9 else (1, 12))
    truth = random.integers(0, 5, (9, 9)).repeat(5, 0).repeat(60, 1)[: shape[0], : shape[1]]
    prediction = np.where(random.random(truth.shape) < 0.02, 1, np.roll(truth, seed % 4, 1))
    got = edge_counts(truth.astype(np.uint8), prediction.astype(np.uint8), 3)
    assert got.tolist() == slow_counts(truth, prediction, 3, edge_reach(truth.shape))


def test_far_edges_match_only_within_the_disk() -> None:
    truth, prediction = np.zeros((2, 300, 400), np.uint8)  # a disk of 4 pixels
    truth[100:140, 100:150] = 1
    for dy, dx, near in ((4, 0, True), (0, 4, True), (2, 3, True), (3, 3, False), (0, 5, False)):
        prediction[...] = np.roll(truth, (dy, dx), (0, 1))
        corner = edge_counts(truth, prediction, 2)[1]
        assert bool(corner[1] == corner[0]) is near
        assert (
            corner.tolist()
            == slow_counts(truth[90:160, 90:170], prediction[90:160, 90:170], 2, 4)[1]
        )


def test_a_side_without_edges() -> None:
    counts = np.array([[0, 0, 0, 0], [0, 0, 7, 0], [7, 0, 0, 0], [4, 2, 8, 4], [5, 0, 5, 0]])
    assert boundary_f(counts).tolist() == [
        [1, 1, 1],
        [1, 0, 0],
        [0, 1, 0],
        [0.5, 0.5, 0.5],
        [0, 0, 0],
    ]
    by_image = counts.reshape(5, 1, 4)
    assert boundary_f(by_image)[:, 0].tolist() == boundary_f(counts).tolist()


def test_the_disk_is_a_share_of_the_diagonal_rounded_up() -> None:
    for shape in ((480, 854), (75, 100), (1, 1), (30, 40), (1080, 1920)):
        assert edge_reach(shape) == math.ceil(0.008 * np.linalg.norm(shape))
