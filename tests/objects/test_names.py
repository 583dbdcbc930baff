"""How scores of objects are named and typed, and what may be ids of objects."""

import numpy as np
import pytest
from made.sets import frozen, made_run

from segeval.distances.measure import DistanceMeasure
from segeval.errors import SettingError
from segeval.labels.choose import choose_labels
from segeval.objectdistances.measure import ObjectDistanceMeasure
from segeval.objects.doubts import may_be_ids
from segeval.objects.names import plain_name
from segeval.objects.rules import parse_iou_thresholds
from segeval.settings import LabelChoice
from segeval.values import float_values


def test_the_threshold_of_a_score_is_written_plainly_and_the_name_of_a_class_is_kept() -> None:
    assert plain_name("f1@.75.cell@.5") == "f1@0.75.cell@.5"


def test_steps_that_are_too_small_are_refused() -> None:
    assert len(parse_iou_thresholds("0.5:0.0005:1")) == 1001
    with pytest.raises(SettingError, match="is neither a number"):
        parse_iou_thresholds("0.5:0.000499:1")


@pytest.mark.parametrize(
    ("last", "fewer", "ids"),
    [
        (range(1, 10), range(1, 6), True),  # 1 to 9, and 1 to 5
        (range(1, 10), range(1, 10), False),  # as many on each image: classes
        (range(1, 9), range(1, 6), False),  # too few to be sure
        ([*range(1, 9), 10], range(1, 6), False),  # with a gap
    ],
)
def test_ids_are_numbered_from_1_on_each_image(last: range, fewer: range, *, ids: bool) -> None:
    masks = [frozen([[0, *numbers, *[0] * (12 - len(numbers))]]) for numbers in (last, fewer)]
    run = made_run(*((mask, mask) for mask in masks))
    assert may_be_ids(run, choose_labels(run, LabelChoice())) is ids


def test_ids_that_are_stored_as_floats_are_those_numbers() -> None:
    measure = ObjectDistanceMeasure(distances=DistanceMeasure())
    for stored in (float_values(np.array([[0.0, 3.0]])), np.array([[0, 3]])):
        assert measure._ids(stored, "truth").tolist() == [[0, 3]]
