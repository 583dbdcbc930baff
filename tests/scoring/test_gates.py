"""Bounds as they are typed: ``[METRIC=]VALUE``."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from segeval.errors import SettingError
from segeval.scoring.baseline import Drop, parse_drop
from segeval.scoring.gates import Threshold, parse_ceiling, parse_threshold


def test_a_bound_without_a_metric_is_one_of_the_headline() -> None:
    assert parse_threshold("0.5", default="mdice") == Threshold(metric="mdice", minimum=0.5)
    assert parse_drop("2%", default="mdice") == Drop(metric="mdice", amount=0.02, relative=True)


def test_a_metric_may_hold_equals_signs() -> None:
    assert parse_threshold("iou.a=b=0.5") == Threshold(metric="iou.a=b", minimum=0.5)
    assert parse_drop("iou.a=b=0.5") == Drop(metric="iou.a=b", amount=0.5)


def test_a_perfect_score_may_be_asked_for_and_nothing_above() -> None:
    assert parse_threshold("miou=1").minimum == 1
    with pytest.raises(SettingError, match=r"did you mean 0\.015\?"):
        parse_threshold("miou=1.5")


@pytest.mark.parametrize(
    ("parse", "text", "message"),
    [
        (
            parse_threshold,
            "miou=x",
            (
                "--fail-under 'miou=x': 'x' is not a number; expected [METRIC=]VALUE, "
                "e.g. 0.75, iou.road=0.9 or dice.*=0.5"
            ),
        ),
        (
            parse_threshold,
            "miou=75",
            "--fail-under 'miou=75': scores are fractions up to 1; did you mean 0.75?",
        ),
        (parse_ceiling, "0.5", "--fail-over '0.5' is not LOSS=VALUE, e.g. bce=0.2 or ece=0.05"),
        (parse_ceiling, "bce=x", "--fail-over 'bce=x' is not LOSS=VALUE, e.g. bce=0.2 or ece=0.05"),
        (
            parse_drop,
            "miou=5%%",
            (
                "--max-drop 'miou=5%%': '5%%' is neither a difference from 0 to 1, e.g. 0.005, "
                "nor a percentage of the baseline, e.g. 2%"
            ),
        ),
    ],
)
def test_what_is_no_bound_is_refused(
    parse: Callable[[str], object], text: str, message: str
) -> None:
    with pytest.raises(SettingError) as error:
        parse(text)
    assert str(error.value) == message
