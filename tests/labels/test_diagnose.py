"""Two sides that differ are explained only where the pixels leave no doubt."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made.sets import frozen, made_run

from segeval.errors import LabelError
from segeval.labels.choose import choose_labels
from segeval.labels.colors import _partners
from segeval.labels.diagnose import _binary_advice, explain_unknown, unpredicted_void
from segeval.labels.labelmap import LabelMap, numbered
from segeval.labels.load import load_labels
from segeval.settings import LabelChoice
from segeval.values import COLOR


@given(
    classes=st.integers(3, 60),
    wrong=st.floats(0, 0.6),
    void=st.booleans(),
    unpredicted=st.integers(0, 60),
    seed=st.integers(0, 2**32 - 1),
)
def test_class_numbers_from_0_are_never_in_doubt(
    classes: int, wrong: float, seed: int, unpredicted: int, *, void: bool
) -> None:
    random = np.random.default_rng(seed)
    truth = np.resize(np.arange(classes), (40, classes))
    prediction = np.where(
        random.random(truth.shape) < wrong, random.integers(0, classes, truth.shape), truth
    )
    if 0 < unpredicted < classes:
        prediction[prediction == unpredicted] = 0
    truth[:1, : classes * void] = 255
    run = made_run((frozen(truth), frozen(prediction)))
    labels = choose_labels(run, LabelChoice())
    assert labels.names == [str(k) for k in range(classes)]


def explained(labels: LabelMap, *pixels: tuple[int, int, int]) -> str:
    """Explain an image with so many pixels of each (truth, prediction, number)."""
    truth, prediction = (
        frozen([np.repeat([row[side] for row in pixels], [row[2] for row in pixels])], "int64")
        for side in (0, 1)
    )
    return explain_unknown(made_run((truth, prediction)), labels)


def test_a_stray_value_is_not_explained_away() -> None:
    assert explained(numbered("indices", range(4)), (0, 0, 9), (1, 1, 9), (2, 77, 1)) == ""
    assert explained(load_labels("binary"), (0, 0, 9), (1, 1, 9), (1, 7, 1)) == ""
    assert explained(load_labels("voc"), (0, 0, 9), (3, 3, 9), (2, 30, 1)) == ""


def test_one_class_that_agrees_is_no_explanation() -> None:
    assert explained(numbered("indices", range(2)), (0, 1, 9)) == ""
    assert explained(numbered("indices", range(3)), (1, 0, 9), (2, 2, 1)) == ""
    assert "type --classes 4 --ignore 0 --pred-offset 1" in explained(
        numbered("indices", range(3)), (1, 0, 9), (2, 1, 9), (3, 2, 9)
    )


def test_a_map_is_explained_by_another_only_if_more_pixels_agree() -> None:
    ade = load_labels("ade20k")
    assert explained(ade, (1, 1, 9), (2, 2, 9), (3, 0, 1)) == ""
    assert "type --labels ade20k-train in place" in explained(ade, (0, 0, 9), (2, 2, 9), (3, 0, 1))


def test_a_truth_that_is_unknown_needs_no_more_than_as_many() -> None:
    ade = load_labels("ade20k")
    assert "type --labels ade20k-train in place" in explained(
        ade, (1, 1, 9), (2, 2, 9), (255, 3, 1)
    )


def test_without_unknown_values_five_times_the_pixels_must_agree() -> None:
    ade = load_labels("ade20k")
    poor = [(2, 1, 5), (3, 2, 5), (4, 4, 2)]
    assert "agree under ade20k, and 10 if you type" in explained(ade, *poor)
    assert explained(ade, *poor, (5, 5, 1)) == ""


def test_void_that_is_never_predicted_needs_half_of_the_classes_of_a_map() -> None:
    ids = [label.truth_values[0] for label in load_labels("cityscapes").labels]
    truth = {0, 3, *ids[:10]}
    said = unpredicted_void(truth, set(ids[:10]), None)
    assert said.startswith("no prediction holds 0,3 of the truth, which is void in cityscapes; ")
    assert unpredicted_void(truth - {ids[9]}, set(ids[:9]), None) == ""
    assert unpredicted_void(truth, {0, *ids}, None) == ""
    assert unpredicted_void(truth, set(ids), (0, 3)) == ""
    assert unpredicted_void(truth, set(ids), ()) == ""
    assert "--labels cityscapes --ignore 255 if" in unpredicted_void({255, *truth}, set(ids), None)
    assert unpredicted_void(truth, set(ids), None, 20) == ""


def test_a_predicted_0_is_a_miss_where_the_truth_counts_from_0() -> None:
    truth, prediction = frozen([[0, 1, 2, 3, 3, 3]]), frozen([[1, 2, 3, 4, 4, 0]])
    run = made_run((truth, prediction))
    with pytest.raises(LabelError, match=r"type --pred-offset -1 --classes 4 --unknown wrong$"):
        choose_labels(run, LabelChoice())


def test_the_same_class_numbers_in_turn_are_no_shift() -> None:
    truth = frozen([[0, 1, 2, 255]])
    labels = choose_labels(made_run((truth, frozen([[1, 2, 0, 0]]))), LabelChoice())
    assert labels.names == ["0", "1", "2"]


def test_classes_counted_from_1_need_not_be_those_of_a_map() -> None:
    truth = frozen([range(8)])
    prediction = frozen([[3, *range(7)]])
    message = (
        "7 of 8 pixels agree if 1 is added to the prediction, 0 as they are; type --pred-offset 1 "
        r"--ignore 0, or --labels loveda --pred-labels loveda-train if that is what they are$"
    )
    with pytest.raises(LabelError, match=message):
        choose_labels(made_run((truth, prediction)), LabelChoice())


def test_a_huge_value_proposes_no_map_of_as_many_classes() -> None:
    pixels = (0, 0, 5), (1, 1, 5), (2**40, 1, 1)
    assert not explained(numbered("indices", range(2)), *pixels)


def test_a_colour_belongs_to_a_number_if_half_of_the_pixels_agree() -> None:
    red, blue = COLOR + 1, COLOR + 2
    numbers, colors = [0, 1, 0, 1], [red, blue, blue, red]
    assert _partners([2, 2, 2, 2], numbers, colors) == {0: [red], 1: [blue]}
    assert _partners([2] * 9, [0, 0, 0, 1, 1, 1, 2, 2, 2], [red, blue, COLOR + 3] * 3) == {}


def test_white_is_void_beside_numbers_of_objects_alone() -> None:
    labels = numbered("indices", [0, 1])
    assert "--ignore 255" in _binary_advice(labels, {0, 1, 2, 255}, set())
    for truth in ({0, 1, 255}, {0, 1, 2}):
        said = _binary_advice(labels, truth, set())
        assert "type --truth-threshold 1 in place of --classes 2" in said
        assert "--ignore" not in said
