"""Label maps turn values and colours into indices, void or unknown."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from made.sets import frozen

from segeval.errors import LabelError, SettingError
from segeval.labels.labelmap import (
    UNKNOWN,
    VOID,
    Label,
    LabelMap,
    Side,
    add_offset,
    numbered,
)
from segeval.labels.load import load_labels
from segeval.values import COLOR, NO_PREDICTION, color_value

RED, GREY, BLACK = (255, 0, 0), (70, 70, 70), (0, 0, 0)
ROAD = Label(name="road", truth_values=(7, 8), prediction_values=(0,), colors=(RED,))
CAR = Label(name="car", truth_values=(9,), prediction_values=(1,), colors=(GREY,))
BOTH = LabelMap(name="both", labels=(ROAD, CAR), void=(255,), void_colors=(BLACK,))


def index(labels: LabelMap, values: list[int], side: Side = "truth") -> list[int]:
    indices: list[int] = labels.index(frozen(values, "int64"), side).tolist()
    return indices


def test_values_become_indices_by_the_side_they_come_from() -> None:
    assert index(BOTH, [7, 8, 9, 255, 0]) == [0, 0, 1, VOID, UNKNOWN]
    assert index(BOTH, [0, 1, 7, 255], "prediction") == [0, 1, UNKNOWN, UNKNOWN]


def test_colours_become_indices_and_void_is_only_in_the_truth() -> None:
    colors = [color_value(RED), color_value(GREY), color_value(BLACK), COLOR + 5]
    assert index(BOTH, colors) == [0, 1, VOID, UNKNOWN]
    assert index(BOTH, colors, "prediction") == [0, 1, UNKNOWN, UNKNOWN]


def test_three_equal_channels_are_indices_where_the_index_is_known() -> None:
    greys = [COLOR + 0x010101 * value for value in (7, 9, 70)]
    assert index(BOTH, greys) == [0, 1, 1]


def test_a_missing_prediction_is_unknown_also_under_a_threshold() -> None:
    assert index(BOTH, [NO_PREDICTION, 0], "prediction") == [UNKNOWN, 0]
    labels = LabelMap(name="grey", labels=(CAR, ROAD), prediction_threshold=-1.0)
    assert index(labels, [NO_PREDICTION, 0], "prediction") == [UNKNOWN, 1]


def test_an_empty_side_has_no_indices() -> None:
    assert index(BOTH, []) == []


@pytest.mark.parametrize("side", ["truth", "prediction"])
def test_a_threshold_counts_its_own_value_as_foreground(side: Side) -> None:
    binary = load_labels("binary").ignoring((255,))
    labels = LabelMap(
        name="grey",
        labels=binary.labels,
        void=(255,),
        truth_threshold=128 if side == "truth" else None,
        prediction_threshold=128 if side == "prediction" else None,
    )
    void = VOID if side == "truth" else 1
    assert index(labels, [0, 127, 128, 254, 255], side) == [0, 0, 1, 1, void]
    other: Side = "prediction" if side == "truth" else "truth"
    assert index(labels, [0, 1, 128], other) == [0, 1, UNKNOWN]


def test_thresholds_are_named_after_their_options() -> None:
    labels = LabelMap(name="x", labels=(ROAD,), truth_threshold=0.0, prediction_threshold=2.5)
    assert labels.thresholds == {"threshold": 2.5, "truth-threshold": 0.0}
    assert BOTH.thresholds == {}


@pytest.mark.parametrize(
    ("colors", "void_colors", "message"),
    [
        ((RED, RED), (), "#ff0000 is the colour of a and of b"),
        ((RED, BLACK), (BLACK,), "#000000 is the colour of void and of b"),
    ],
)
def test_a_repeated_colour_is_refused_on_colour_masks_only(
    colors: tuple[tuple[int, int, int], tuple[int, int, int]],
    void_colors: tuple[tuple[int, int, int], ...],
    message: str,
) -> None:
    pair = [
        Label(name=name, truth_values=(value,), prediction_values=(value,), colors=(color,))
        for name, value, color in zip("ab", (0, 1), colors, strict=True)
    ]
    labels = LabelMap(name="twice", labels=tuple(pair), void_colors=void_colors)
    assert labels.repeated_color == message
    assert index(labels, [0, 1, COLOR + 0]) != []
    with pytest.raises(LabelError, match=f"twice cannot read colour masks: {message}; convert"):
        index(labels, [color_value(RED), 0])


def test_the_built_in_map_with_a_repeated_colour_says_so() -> None:
    labels = load_labels("ade20k")
    assert "is the colour of" in labels.repeated_color
    assert index(labels, [0, 1, 150]) == [VOID, 0, 149]
    assert load_labels("cityscapes").repeated_color == ""


def test_ignoring_adds_void_and_drops_classes_without_values() -> None:
    labels = BOTH.ignoring((7, 9, 1))
    assert labels.names == ["road"]
    assert labels.void == (1, 7, 9, 255)
    assert index(labels, [7, 8, 9, 1]) == [VOID, 0, VOID, VOID]
    assert index(labels, [0, 1], "prediction") == [0, UNKNOWN]


def test_ignoring_keeps_classes_that_have_only_a_colour() -> None:
    wall = Label(name="wall", truth_values=(), prediction_values=(), colors=(RED,))
    labels = LabelMap(name="colours", labels=(wall, CAR)).ignoring((9, 1))
    assert labels.names == ["wall"]


def test_ignoring_a_colour_makes_it_void() -> None:
    labels = BOTH.ignoring((color_value(RED),))
    assert index(labels, [color_value(RED), color_value(GREY)]) == [VOID, 1]


def test_an_ignored_colour_is_no_class_of_a_prediction_whose_map_has_it_too() -> None:
    red = color_value(RED)
    alike = BOTH.predicting(BOTH).ignoring((red,))
    assert index(alike, [red], "prediction") == [UNKNOWN]
    other = replace(BOTH, labels=(replace(ROAD, colors=(RED, BLACK)), CAR), void_colors=())
    own = BOTH.predicting(other).ignoring((red,))
    assert index(own, [red], "prediction") == [0]


def test_ignoring_every_value_leaves_no_map() -> None:
    with pytest.raises(LabelError, match="both: it names no class"):
        BOTH.ignoring((0, 1, 7, 8, 9))


def test_ignoring_changes_a_copy() -> None:
    BOTH.ignoring((7,))
    assert BOTH.void == (255,)
    assert ROAD.truth_values == (7, 8)


def test_predictions_may_be_read_by_another_map_of_the_same_names() -> None:
    labels = load_labels("cityscapes").predicting(load_labels("cityscapes-train"))
    assert labels.name == "cityscapes/cityscapes-train"
    assert index(labels, [7, 33, 0]) == [0, 18, VOID]
    assert index(labels, [0, 18, 33], "prediction") == [0, 18, UNKNOWN]


def test_predictions_are_matched_by_name_and_not_by_order() -> None:
    turned = LabelMap(name="turned", labels=(CAR, ROAD))
    assert index(BOTH.predicting(turned), [0, 1], "prediction") == [0, 1]


def test_maps_of_different_names_do_not_go_together() -> None:
    with pytest.raises(LabelError, match="both and short name different classes: road; both must"):
        BOTH.predicting(LabelMap(name="short", labels=(CAR,)))


def test_positions_are_found_by_name() -> None:
    assert BOTH.positions(["car", "road", "car"]) == (0, 1)
    assert BOTH.positions([]) == ()
    with pytest.raises(SettingError, match=r"'ca'; did you mean 'car'. the classes are road, car"):
        BOTH.positions(["car", "ca"])


@pytest.mark.parametrize(
    ("names", "values", "expected"),
    [
        (("road", "background"), (0, 1), 1),
        (("a", "Bg"), (0, 1), 1),
        (("unlabeled background", "b"), (7, 0), 0),
        (("a", "b"), (5, 0), 1),
        (("a", "b"), (1, 2), None),
    ],
)
def test_the_background_is_named_or_has_the_value_0(
    names: tuple[str, ...], values: tuple[int, ...], expected: int | None
) -> None:
    classes = [
        Label(name=name, truth_values=(value,), prediction_values=(value,))
        for name, value in zip(names, values, strict=True)
    ]
    labels = LabelMap(name="made", labels=tuple(classes))
    assert labels.background == expected
    if expected is None:
        with pytest.raises(SettingError, match="made names a and b; call one of them background"):
            labels.two_classes("this")
    else:
        assert labels.two_classes("this").names == [names[expected], names[1 - expected]]


def test_numbered_classes_are_named_after_their_values() -> None:
    labels = numbered("found", [0, 3, 255], void=(255, 9, 9))
    assert labels.names == ["0", "3"]
    assert labels.void == (9, 255)
    assert index(labels, [0, 3, 255, 9, 1]) == [0, 1, VOID, VOID, UNKNOWN]


@pytest.mark.parametrize(
    ("labels", "void", "message"),
    [
        ((), (), "label map x: it names no class"),
        ((ROAD, ROAD), (), "label map x: name road is that of two classes"),
        (
            (ROAD, Label(name="b", truth_values=(8,), prediction_values=())),
            (),
            "label map x: value 8 is that of road and of b",
        ),
        (
            (ROAD, Label(name="b", truth_values=(), prediction_values=(0,))),
            (),
            "label map x: value 0 is that of road and of b",
        ),
        ((ROAD,), (7,), "label map x: value 7 is that of road and of void"),
    ],
)
def test_a_value_or_name_stands_for_one_thing(
    labels: tuple[Label, ...], void: tuple[int, ...], message: str
) -> None:
    with pytest.raises(LabelError, match=f"^{re.escape(message)}$"):
        LabelMap(name="x", labels=labels, void=void)


def test_an_offset_is_added_to_predicted_values_alone() -> None:
    labels = replace(load_labels("ade20k"), prediction_offset=1)
    assert labels.index(frozen([0, 149, 150], "int64"), "prediction").tolist() == [0, 149, -2]
    assert labels.index(frozen([0, 1, 150], "int64"), "truth").tolist() == [-1, 0, 149]


@pytest.mark.parametrize(("void", "white"), [((255,), 255), ((0,), 256), ((), 256)])
def test_an_offset_moves_no_colour_no_missing_prediction_and_no_void_255(
    void: tuple[int, ...], white: int
) -> None:
    values = frozen([NO_PREDICTION, 0, 254, 255, COLOR, COLOR + 7], "int64")
    moved = [NO_PREDICTION, 1, 255, white, COLOR, COLOR + 7]
    assert add_offset(values, 1, void).tolist() == moved
