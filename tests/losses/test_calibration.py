"""Reliability of probabilities, against cases on paper and a slow model in plain Python."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made.maps import plain_calibration
from made.sets import frozen

from segeval.losses.calibration import Calibration, ReliabilityBins, bin_probabilities, calibrate

Pixels = list[tuple[float, bool]]

EDGES = [b / n for n in (2, 3, 5, 10, 15) for b in range(n + 1)]
PROBABILITIES = st.floats(0, 1) | st.sampled_from(EDGES)
IMAGES = st.lists(
    st.lists(st.tuples(PROBABILITIES, st.booleans()), max_size=8), min_size=1, max_size=5
)


def evidence(pixels: Pixels, bins: int = 5, dtype: str = "float64") -> ReliabilityBins:
    """Collect pixels of the foreground: its probability, and whether it is there."""
    stated = frozen([p for p, _ in pixels], dtype)
    hits = frozen([hit for _, hit in pixels], "bool")
    towards = np.where(hits, stated, 1 - stated).astype(np.float64)
    nll = -float(np.log(np.maximum(towards, math.exp(-100))).sum())
    squared = float(((1 - towards) ** 2).sum())
    return bin_probabilities(
        stated, hits, bins, squared=squared, nll=nll, impossible=int((towards <= 0).sum())
    )


def calibrated(*images: Pixels, bins: int = 5) -> Calibration:
    return calibrate([evidence(pixels, bins) for pixels in images])


def test_a_case_on_paper() -> None:
    result = calibrated([(0.1, False), (0.1, True), (0.9, True), (0.7, False)])
    assert result.pixels.tolist() == [2, 0, 0, 1, 1]
    np.testing.assert_allclose(result.confidence, [0.1, math.nan, math.nan, 0.7, 0.9])
    np.testing.assert_allclose(result.frequency, [0.5, math.nan, math.nan, 0, 1])
    assert result.ece == pytest.approx((2 * 0.4 + 0.7 + 0.1) / 4)
    assert result.mce == pytest.approx(0.7)
    assert result.brier == pytest.approx((0.01 + 0.81 + 0.01 + 0.49) / 4)
    assert result.nll == pytest.approx(-math.log(0.9 * 0.1 * 0.9 * 0.3) / 4)
    assert result.impossible == 0


def test_the_error_is_a_mean_over_pixels_and_not_over_bins_or_images() -> None:
    result = calibrated([(0.5, True)] * 3, [(0.9, True)])
    assert result.ece == pytest.approx((3 * 0.5 + 0.1) / 4)


@pytest.mark.parametrize(
    ("probability", "number"),
    [(0.0, 0), (0.2, 1), (np.nextafter(0.2, 0), 0), (0.8, 4), (1.0, 4), (-5e-5, 0), (1.00005, 4)],
)
def test_a_bin_holds_its_lower_edge_and_the_last_one_holds_1(
    probability: float, number: int
) -> None:
    pixels = evidence([(probability, True)]).pixels
    assert pixels.tolist() == [int(b == number) for b in range(5)]


@pytest.mark.parametrize("bins", [1, 2, 3, 7, 10, 15, 49, 100])
def test_every_edge_begins_a_bin(bins: int) -> None:
    stated = [(b / bins, False) for b in range(bins)]
    assert evidence(stated, bins).pixels.tolist() == [1] * bins


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_binning_compares_what_is_stored_with_exact_edges(dtype: str) -> None:
    for b in range(10):
        stored = float(np.array(b / 10, dtype))
        expected = b if stored >= b / 10 else b - 1
        assert evidence([(b / 10, True)], 10, dtype).pixels[expected] == 1


def test_one_bin_holds_everything() -> None:
    result = calibrated([(0.0, True), (1.0, True), (0.5, False)], bins=1)
    assert result.pixels.tolist() == [3]
    assert result.ece == result.mce == pytest.approx(2 / 3 - 0.5)


def test_hits_and_sums_go_to_the_same_bin() -> None:
    found = evidence([(0.1, True), (0.15, False), (0.95, True)])
    assert found.pixels.tolist() == [2, 0, 0, 0, 1]
    assert found.correct.tolist() == [1, 0, 0, 0, 1]
    np.testing.assert_allclose(found.confidence, [0.25, 0, 0, 0, 0.95])


@pytest.mark.parametrize("images", [1, 3])
def test_nothing_is_defined_where_no_pixel_is_judged(images: int) -> None:
    result = calibrated(*[[]] * images)
    assert all(math.isnan(getattr(result, name)) for name in ("ece", "mce", "brier", "nll"))
    assert result.pixels.tolist() == [0] * 5
    assert np.isnan(result.confidence).all()
    assert np.isnan(result.frequency).all()


def test_images_without_a_judged_pixel_change_nothing() -> None:
    pixels = [(0.3, True), (0.6, False)]
    assert_same(calibrated(pixels), calibrated([], pixels, []))


def test_impossible_truths_are_counted() -> None:
    found = evidence([(0.0, True), (1.0, False), (0.0, False), (1e-30, True)])
    assert found.impossible == 2
    assert calibrated([(0.0, True)], [(1.0, False)]).impossible == 2
    assert calibrated([(0.0, True)]).nll == pytest.approx(100)


def test_certain_and_right_is_perfect() -> None:
    result = calibrated([(0.0, False), (1.0, True)])
    assert (result.ece, result.mce, result.brier, result.nll) == (0, 0, 0, 0)


def test_certain_and_wrong_is_worst() -> None:
    result = calibrated([(0.0, True), (1.0, False)])
    assert (result.ece, result.mce, result.brier) == (1, 1, 1)


def test_no_argument_is_written_to_and_a_bin_needs_no_pixel() -> None:
    stated, hits = frozen([0.5], "float32"), frozen([True], "bool")
    found = bin_probabilities(stated, hits, 1000, squared=0.25, nll=0.69, impossible=0)
    assert (found.brier, found.nll) == (0.25, 0.69)
    assert found.pixels.size == found.correct.size == found.confidence.size == 1000
    assert found.pixels.sum() == 1


def assert_same(first: Calibration, second: Calibration) -> None:
    for name in ("ece", "mce", "brier", "nll", "impossible"):
        ours, theirs = getattr(first, name), getattr(second, name)
        assert ours == theirs or (math.isnan(ours) and math.isnan(theirs)), name
    for name in ("confidence", "frequency", "pixels"):
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name), name)


@given(images=IMAGES, bins=st.sampled_from([1, 2, 3, 5, 10, 15]))
def test_calibration_equals_a_slow_model(images: list[Pixels], bins: int) -> None:
    pixels = [pixel for image in images for pixel in image]
    if not pixels:
        return
    result = calibrated(*images, bins=bins)
    stated, hits = (np.array(column) for column in zip(*pixels, strict=True))
    ece, mce, counts = plain_calibration(stated, hits, bins)
    assert result.ece == pytest.approx(ece, abs=1e-12)
    assert result.mce == pytest.approx(mce, abs=1e-12)
    assert result.pixels.tolist() == counts
    brier = sum((p - hit) ** 2 for p, hit in pixels) / len(pixels)
    assert result.brier == pytest.approx(brier, abs=1e-12)


@given(images=IMAGES, seed=st.randoms(use_true_random=False))
def test_the_order_of_images_changes_no_bit(images: list[Pixels], seed: Any) -> None:
    shuffled = seed.sample(images, len(images))
    assert_same(calibrated(*images), calibrated(*shuffled))


@given(images=IMAGES, bins=st.integers(1, 30))
def test_calibration_stays_within_its_bounds(images: list[Pixels], bins: int) -> None:
    result = calibrated(*images, bins=bins)
    assert result.pixels.sum() == sum(map(len, images))
    if result.pixels.any():
        assert 0 <= result.ece <= result.mce + 1e-15 <= 1 + 2e-15
        assert 0 <= result.brier <= 1
        assert 0 <= result.nll <= 100 + 1e-12


@given(rows=st.lists(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=2), min_size=2))
def test_sums_of_images_are_exact_before_they_are_rounded(rows: list[list[float]]) -> None:
    parts = [
        ReliabilityBins(
            pixels=np.array([1]),
            correct=np.array([1]),
            confidence=np.array([0.5]),
            brier=brier,
            nll=nll,
            impossible=0,
        )
        for brier, nll in rows
    ]
    result = calibrate(parts)
    assert result.brier == math.fsum(brier for brier, _ in rows) / len(rows)
    assert result.nll == math.fsum(nll for _, nll in rows) / len(rows)
