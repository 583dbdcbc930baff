"""Bands and trimaps equal one erosion a class, by the kernel and without it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from made.classmaps import any_class_maps
from numpy.typing import NDArray
from scipy import ndimage

from segeval.boundaries import bands
from segeval.boundaries.widths import Width, parse_widths
from segeval.errors import SettingError

Map = NDArray[Any]
WAYS = ["kernel", "numpy"]


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "numpy":
        monkeypatch.setattr(bands, "KERNEL", None)
    elif bands.KERNEL is None:
        pytest.skip("the kernel is not compiled, or not wanted")
    return str(request.param)


def pixels_near(side: Map, classes: int, reach: int, *, edge: bool) -> Map:
    """Return the class of pixels near another value, and K elsewhere: one dilation a class."""
    found = np.full(side.shape, classes)
    for index in range(classes + 2):
        others = ((side != index) & (side != classes)).astype(np.uint8)
        near = ndimage.maximum_filter(others, 2 * reach + 1, mode="constant", cval=edge)
        found[(near == 1) & (side == index)] = index
    return found


def slow_bands(truth: Map, prediction: Map, classes: int, reach: int) -> Map:
    near = [pixels_near(side, classes, reach, edge=True) for side in (truth, prediction)]
    both = np.where(near[0] == near[1], near[0], classes)
    return np.array([[np.sum(each == k) for k in range(classes)] for each in (*near, both)])


def slow_trimap(truth: Map, prediction: Map, classes: int, reach: int) -> Map:
    near = pixels_near(truth, classes, reach, edge=False) != classes
    sides = [
        np.minimum(side[near & (prediction != classes)], classes) for side in (truth, prediction)
    ]
    found = np.zeros((classes + 1, classes + 1), np.int64)
    np.add.at(found, tuple(side.astype(int) for side in sides), 1)
    return found


def compare(seeds: range) -> None:
    for seed in seeds:
        random = np.random.default_rng([17, seed])
        truth, prediction, classes = any_class_maps(random)
        reach = int(random.integers(1, 4)) if random.random() < 0.7 else int(random.integers(1, 40))
        given = truth, prediction, classes, reach
        assert np.array_equal(bands.band_counts(*given), slow_bands(*given)), seed
        assert np.array_equal(bands.trimap_counts(*given), slow_trimap(*given)), seed


@pytest.mark.usefixtures("way")
def test_bands_and_trimaps_of_any_maps() -> None:
    compare(range(300))


@pytest.mark.slow
@pytest.mark.usefixtures("way")
def test_bands_and_trimaps_of_ten_thousand_maps() -> None:
    compare(range(10_000))


@pytest.mark.usefixtures("way")
def test_large_maps_have_rows_of_many_blocks() -> None:
    random = np.random.default_rng(3)
    truth = random.integers(0, 5, (30, 40)).repeat(7, 0).repeat(9, 1).astype(np.uint8)
    prediction = np.where(truth == 4, 4, np.roll(truth, 3, 0) % 4).astype(np.uint8)
    assert bands.band_counts(truth, prediction, 4, 11).tolist() == (
        slow_bands(truth, prediction, 4, 11).tolist()
    )


def test_a_band_worked_out_by_hand() -> None:
    truth = np.zeros((5, 5), np.uint8)
    truth[2, 2] = 1
    assert bands.band_counts(truth, np.zeros_like(truth), 2, 1).tolist() == [
        [24, 1],  # all of class 0 touches the edge of the image or the speck
        [16, 0],  # without the speck, nine pixels are deep
        [16, 0],
    ]
    assert bands.trimap_counts(truth, truth, 2, 1).tolist() == [[8, 0, 0], [0, 1, 0], [0, 0, 0]]


@pytest.mark.parametrize("dtype", [np.uint8, np.int32])
def test_volumes_and_wide_maps_are_counted_without_the_kernel(dtype: type) -> None:
    random = np.random.default_rng(4)
    shape = (6, 8, 9) if dtype == np.uint8 else (9, 11)
    classes = 3 if dtype == np.uint8 else 300
    truth, prediction = random.integers(0, 3, (2, *shape)).astype(dtype) * (classes // 3)
    given = truth, prediction, classes, 2
    near = [bands.band_counts(*given), bands.trimap_counts(*given)]
    if classes == 3:
        assert np.array_equal(near[0], slow_bands(*given))
        assert np.array_equal(near[1], slow_trimap(*given))
    else:
        narrow = (truth // 100).astype(np.uint8), (prediction // 100).astype(np.uint8), 3, 2
        assert np.array_equal(near[0][:, [0, 100, 200]], bands.band_counts(*narrow))
        assert near[1].sum() == bands.trimap_counts(*narrow).sum()


@pytest.mark.parametrize(
    "wrong",
    [(8, 8, 3, 0, 0), (8, 9, 3, 1, 0), (8, 8, 254, 1, 1), (8, 8, 0, 1, 1)],
)
def test_the_kernel_refuses_numbers_that_do_not_fit(wrong: tuple[Any, ...]) -> None:
    if bands.KERNEL is None:
        pytest.skip("the kernel is not compiled, or not wanted")
    truth = np.zeros((8, 8), np.uint8)
    with pytest.raises(ValueError, match="not possible"):
        bands.KERNEL(truth, truth, *wrong)
    with pytest.raises(ValueError, match="not possible"):
        bands.KERNEL(truth, truth[1:], 8, 8, 3, 1, 0)


def test_widths_are_pixels_or_a_share_of_the_diagonal() -> None:
    assert [str(width) for width in parse_widths("2%,0.5%, 5px,2%")] == ["2%", "0.5%", "5px"]
    for shape in ((64, 64), (96, 96), (1, 1), (7, 700), (100, 384, 384)):
        diagonal = math.sqrt(sum(length**2 for length in shape))
        assert Width.parse("2%").pixels(shape) == max(1, round(0.02 * diagonal))
    assert Width.parse("10%").pixels((9, 12)) == 2  # of 1.5 the even number
    assert Width.parse("10%").pixels((15, 20)) == 2  # and of 2.5


def test_a_width_has_up_to_twelve_characters() -> None:
    assert Width.parse("1.0000000000%") == Width.parse("1%")


@pytest.mark.parametrize(
    "text", ["2", "", "%", "0%", "-1px", "1.5px", "101%", "2 em", "²px", "1e3px", "1.00000000000%"]
)
def test_what_is_no_width_is_refused(text: str) -> None:
    with pytest.raises(SettingError, match=r"is no width: type (a share|2px)"):
        Width.parse(text)
