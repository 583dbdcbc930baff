"""Values are numbers or colours, and are shown as users know them."""

from __future__ import annotations

import numpy as np
import pytest
from made.sets import frozen

from segeval.values import (
    COLOR,
    color_value,
    describe_value,
    describe_values,
    hex_color,
    plain_values,
)

NO_PREDICTION = int(np.iinfo(np.int64).min)


@pytest.mark.parametrize(
    ("color", "text"),
    [((0, 0, 0), "#000000"), ((1, 2, 255), "#0102ff"), ((255, 255, 255), "#ffffff")],
)
def test_a_colour_keeps_all_its_channels(color: tuple[int, int, int], text: str) -> None:
    assert hex_color(color) == text
    assert color_value(color) == COLOR + int(text[1:], 16)
    assert describe_value(color_value(color)) == text


def test_no_index_of_16_bits_is_taken_for_a_colour() -> None:
    assert COLOR > 65535
    assert describe_value(65535) == "65535"


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
