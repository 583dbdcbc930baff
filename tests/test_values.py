"""Values are numbers or colours, and are shown as users know them."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from made.sets import frozen

from segeval.counting.arrays import count_arrays
from segeval.errors import DataError, MaskError
from segeval.inputs.masks import read_mask
from segeval.labels.labelmap import numbered
from segeval.values import (
    COLOR,
    FLOAT,
    FURTHEST,
    LAST_FLOAT,
    LIMIT,
    NO_PREDICTION,
    NOT_FINITE,
    OUTSIDE,
    STEPS,
    as_numbers,
    color_value,
    describe_value,
    describe_values,
    float_values,
    hex_color,
    is_float,
    plain_values,
    reaches,
)


@pytest.mark.parametrize(
    ("color", "text"),
    [((0, 0, 0), "#000000"), ((1, 2, 255), "#0102ff"), ((255, 255, 255), "#ffffff")],
)
def test_a_colour_keeps_all_its_channels(color: tuple[int, int, int], text: str) -> None:
    assert hex_color(color) == text
    assert color_value(color) == COLOR + int(text[1:], 16)
    assert describe_value(color_value(color)) == text


FILES = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
NOTHING: dict[str, Any] = dict.fromkeys(("truth", "prediction"), frozen([[0, 0]]))
SIDES = st.sampled_from(["truth", "prediction"])


@FILES
@given(value=st.integers(-LIMIT, LIMIT), side=SIDES)
@example(value=2**24, side="truth")
def test_no_integer_of_a_file_means_anything_else(value: int, side: str, tmp_path: Path) -> None:
    """Not a colour, a float, a missing prediction, or a pixel outside the field of view."""
    array = frozen([[value, 0]], "int64")
    np.save(tmp_path / "a.npy", array)
    assert read_mask(tmp_path / "a.npy").values.tolist() == array.tolist()
    run = count_arrays(**NOTHING | {side: array})
    held = getattr(run.counts, side)
    assert set(held.tolist()) == {value, 0}
    assert describe_value(value) == str(value)
    assert plain_values(held).tolist() == held.tolist()
    assert not is_float(held).any()
    known = numbered("made", sorted({0, value}))
    assert (known.index(held, "truth") >= 0).all()


@FILES
@given(value=st.integers(-(2**63), -LIMIT - 1) | st.integers(LIMIT + 1, 2**64 - 1), side=SIDES)
@example(value=NO_PREDICTION, side="prediction")
@example(value=OUTSIDE, side="truth")
def test_integers_that_mean_something_else_are_refused(
    value: int, side: str, tmp_path: Path
) -> None:
    array = frozen([[value, 0]], "int64" if value < 2**63 else "uint64")
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(MaskError, match=rf"a\.npy: {value} is no value of a mask.*\^61"):
        read_mask(tmp_path / "a.npy")
    with pytest.raises(DataError, match=f"{side}: {value} is no value of a mask"):
        count_arrays(**NOTHING | {side: array})


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([], ""),
        ([3], "3"),
        ([1, 0], "0,1"),
        ([0, 1, 2], "0..2"),
        ([3, 0, 1, 2, 255, 255], "0..3,255"),
        ([0, 1, 3, 4, 5, 9], "0,1,3..5,9"),
        ([-3, -2, -1], "-3..-1"),
        ([5, COLOR, COLOR + 1, COLOR + 2], "5,#000000,#000001,#000002"),
    ],
)
def test_sets_of_values_are_written_in_short(values: list[int], text: str) -> None:
    assert describe_values(values) == text


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], []),
        ([0, 7, 255], [0, 7, 255]),
        ([COLOR, COLOR + 0x070707], [0, 7]),
        ([COLOR + 0xFFFFFF, 3, NO_PREDICTION], [255, 3, NO_PREDICTION]),
        ([COLOR + 0x070707, COLOR + 0x070708], [COLOR + 0x070707, COLOR + 0x070708]),
        ([COLOR + 0x070707, COLOR + 0x080707], [COLOR + 0x070707, COLOR + 0x080707]),
    ],
)
def test_a_side_whose_colours_are_all_grey_holds_one_channel(
    values: list[int], expected: list[int]
) -> None:
    assert plain_values(frozen(values, "int64")).tolist() == expected


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ([], [0, 70]),
        ([COLOR + 0x464646], [0, COLOR + 0x464646]),
        ([COLOR + 0x464646, 70], [0, 70]),
        ([COLOR, COLOR + 0x464646, 0], [0, COLOR + 0x464646]),
    ],
)
def test_a_grey_colour_stays_one_if_only_the_colour_is_known(
    known: list[int], expected: list[int]
) -> None:
    assert plain_values(frozen([COLOR, COLOR + 0x464646], "int64"), known).tolist() == expected


EDGES = sorted({*(k / 1000 for k in range(1001)), *(k / 255 for k in range(256))})
"""Thresholds that people type, and those of a sweep."""


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@given(numbers=hnp.arrays(float, 40, elements=st.floats(-9, 9)), data=st.data())
def test_a_float_reaches_a_threshold_where_numpy_says_so(
    dtype: str, numbers: np.ndarray, data: st.DataObject
) -> None:
    thresholds = data.draw(st.lists(st.sampled_from(EDGES), min_size=1, max_size=9))
    near = itertools.chain.from_iterable(
        (edge, np.nextafter(edge, -1), np.nextafter(edge, 2), np.nextafter(np.float32(edge), -1))
        for edge in map(np.float64, thresholds)
    )
    stored = frozen([*numbers.tolist(), *near], dtype)
    compared = stored.astype("float32") if dtype == "float16" else stored
    values = float_values(stored)
    for threshold in [*thresholds, -1.5, 8.0]:
        expected = compared >= threshold
        np.testing.assert_array_equal(reaches(values, threshold), expected)


def test_floats_are_told_from_indices_colours_and_missing_predictions() -> None:
    numbers = frozen([0.25, -1e30, 1e30, np.nan, np.inf, -np.inf], "float64")
    values = float_values(numbers)
    assert values.tolist() == [
        FLOAT + STEPS // 4,
        FLOAT - FURTHEST,
        LAST_FLOAT,
        *[NOT_FINITE] * 3,
    ]
    assert is_float(values).all()
    others = [NO_PREDICTION, -(2**31), 0, 2**32, COLOR, 2**63 - 1, NOT_FINITE - 1, LAST_FLOAT + 1]
    assert not is_float(frozen(others, "int64")).any()
    np.testing.assert_array_equal(as_numbers(values[[0, 3]]), [0.25, np.nan])
    assert as_numbers(frozen([7], "int64")).tolist() == [7]


def test_floats_are_described_by_their_range() -> None:
    values = float_values(frozen([0.5, 0.125, 0.75, np.nan], "float64")).tolist()
    assert describe_values([*values, 3, 4]) == "NaN or infinity,0.125 to 0.75,3,4"
    assert describe_values(values[:1]) == describe_value(values[0]) == "0.5"
