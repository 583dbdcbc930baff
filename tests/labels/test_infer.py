"""Classes are taken from the values only where these leave no doubt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from made.sets import frozen, made_run

from segeval.counting.contingency import count_values
from segeval.counting.run import CountedRun, ImageCounts, ImageInfo
from segeval.errors import LabelError, SettingError
from segeval.labels.choose import choose_labels
from segeval.labels.infer import values_on_side
from segeval.labels.load import load_labels
from segeval.settings import LabelChoice
from segeval.values import COLOR, NO_PREDICTION, color_value

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from segeval.labels.labelmap import LabelMap


def run_of(truth: Iterable[int], prediction: Iterable[int]) -> CountedRun:
    """Return a run in which every truth value meets every predicted value once."""
    truths, predictions = list(truth), list(prediction)
    t = frozen([np.repeat(truths, len(predictions))], "int64")
    return made_run((t, frozen([predictions * len(truths)], "int64")))


def found(truth: Iterable[int], prediction: Iterable[int], **choice: Any) -> LabelMap:
    return choose_labels(run_of(truth, prediction), LabelChoice(**choice))


@pytest.mark.parametrize(
    ("truth", "prediction", "ignore", "names", "void"),
    [
        ([0, 1], [0, 1], None, "0 1", (255,)),
        ([0, 1, 255], [0, 1], (255,), "0 1", (255,)),
        ([0, 2, 255], [0, 1, 2, 255], None, "0 1 2", (255,)),
        ([5], [5, 9], None, "5 9", (255,)),
        ([0, 1, 2], [0, 1, 2], (0,), "1 2", (0,)),
        ([0, 1, 2, 255], [0, 1, 255], (), "0 1 2 255", ()),
        ([1, 2, 300], [1, 2], None, "1 2 300", (255,)),
        pytest.param(
            *([*range(257)], [0], None, " ".join(map(str, [*range(255), 256])), (255,)), id="many"
        ),
        ([COLOR, COLOR + 0x010101], [0, 1], None, "0 1", (255,)),
    ],
)
def test_classes_are_the_values_found_except_void(
    truth: list[int],
    prediction: list[int],
    ignore: tuple[int, ...] | None,
    names: str,
    void: tuple[int, ...],
) -> None:
    labels = found(truth, prediction, ignore=ignore)
    assert (labels.name, labels.names, labels.void) == ("found", names.split(), void)


@pytest.mark.parametrize(
    ("truth", "prediction"),
    [([0, 255], [0, 255]), ([255], [0]), ([0], [255]), ([0], [0]), ([255], [255])],
)
def test_masks_of_0_and_255_are_binary(truth: list[int], prediction: list[int]) -> None:
    labels = found(truth, prediction)
    assert labels.name == "binary(found)"
    assert labels.names == ["background", "foreground"]
    assert labels.void == ()
    assert found(truth, prediction, ignore=(7,)).void == (7,)


def test_a_run_without_predictions_or_images_is_no_riddle() -> None:
    table = count_values(truth=frozen([[0, 1]]), prediction=None)
    image = ImageCounts(
        info=ImageInfo(
            name="a",
            height=1,
            width=2,
            truth_path="a.png",
            prediction_path="",
            truth_form="array",
            prediction_form="",
        ),
        table=table,
    )
    run = CountedRun.of([image])
    assert table.prediction.tolist() == [NO_PREDICTION] * 2
    assert values_on_side(run, "truth") == {0, 1}
    assert values_on_side(run, "prediction") == set()
    assert choose_labels(run, LabelChoice()).names == ["0", "1"]
    assert choose_labels(CountedRun.of([]), LabelChoice()).name == "binary(found)"


def test_three_equal_channels_count_as_one() -> None:
    run = run_of([COLOR + 0x070707, COLOR + 0x090909], [7, 9])
    assert values_on_side(run, "truth") == {7, 9}


LEVELS = range(0, 256, 5)
TWO_WAYS = r"binary masks, stored in two ways; type --labels binary"
VOID_OR_NOT = "is 255 foreground or void in the truth\\? Type --threshold 1 if it is foreground"


@pytest.mark.parametrize(
    ("truth", "prediction", "message"),
    [
        ([0, 255], [0, 1], TWO_WAYS),
        ([0, 1], [0, 255], TWO_WAYS),
        ([1], [255], TWO_WAYS),
        ([0, 255], [0, 1, 2], VOID_OR_NOT),
        ([0, 1, 2], [0, 255], "the prediction stores its foreground as 255, the truth does not"),
        (
            [0, 255],
            LEVELS,
            "the prediction is grey; .*type --threshold 128 or other levels .foreground",
        ),
        (
            [0, 1],
            range(256),
            "the prediction is grey; .*type --threshold 128 or other levels .foreground",
        ),
        ([0, 1, 2, 3], LEVELS, "grey; .* type --threshold 128 --truth-threshold 1 or other levels"),
        (range(258), range(258), "257 different values are no classes but grey levels or inst"),
        (range(300, 600), range(2), "302 different values are no classes"),
        ([0, 1], [2, 3], "the two sides have no value but 0 in common; .*--labels FILE"),
        ([255], [0, 1], TWO_WAYS),
    ],
)
def test_doubtful_values_are_stopped_with_what_to_type(
    truth: list[int], prediction: list[int], message: str
) -> None:
    with pytest.raises(LabelError, match=f"^prediction holds .*, truth holds .*: .*(?:{message})"):
        found(truth, prediction)


def test_a_truth_of_void_alone_is_no_data() -> None:
    with pytest.raises(LabelError, match="every pixel of the truth is void"):
        found([9], [1, 9], ignore=(9,))


def test_the_message_tells_what_was_found() -> None:
    with pytest.raises(LabelError, match=r"^prediction holds 2\.\.4, truth holds 0,1,255: "):
        found([0, 1, 255], [2, 3, 4])


CITY_IDS = sorted(label.truth_values[0] for label in load_labels("cityscapes").labels)


@pytest.mark.parametrize(
    ("truth", "prediction", "ours", "theirs"),
    [
        (CITY_IDS, range(19), "cityscapes", "cityscapes-train"),
        ([0, *CITY_IDS], range(19), "cityscapes", "cityscapes-train"),
    ],
)
def test_ids_of_two_maps_of_the_same_classes_are_recognised(
    truth: Iterable[int], prediction: Iterable[int], ours: str, theirs: str
) -> None:
    with pytest.raises(LabelError, match=f"type --labels {ours} --pred-labels {theirs}$"):
        found(truth, prediction)


def test_the_advice_for_two_maps_works() -> None:
    labels = found(CITY_IDS, range(19), labels="cityscapes", prediction_labels="cityscapes-train")
    assert labels.names == load_labels("cityscapes").names
    assert labels.name == "cityscapes/cityscapes-train"


def test_classes_counted_from_one_and_from_zero_are_recognised() -> None:
    truth = frozen([[1, 1, 2, 2, 3, 3, 3, 255, 255]])
    prediction = frozen([[0, 0, 1, 1, 2, 2, 3, 0, 1]])
    message = "6 of 7 pixels agree if 1 is added to the prediction, 1 as they are"
    with pytest.raises(LabelError, match=message):
        choose_labels(made_run((truth, prediction)), LabelChoice())


@pytest.mark.parametrize("prediction", [[1, 0, 2, 1, 3, 2, 3], [0, 0, 1, 1, 3, 3, 3]])
def test_a_poor_prediction_is_not_taken_for_a_shifted_one(prediction: list[int]) -> None:
    truth = frozen([[1, 1, 2, 2, 3, 3, 3]])
    labels = choose_labels(made_run((truth, frozen([prediction]))), LabelChoice())
    assert labels.names == ["0", "1", "2", "3"]


def colors_of(name: str, count: int) -> list[int]:
    colors = dict.fromkeys(color for label in load_labels(name).labels for color in label.colors)
    return [color_value(color) for color in colors][:count]


@pytest.mark.parametrize("name", ["camvid", "cityscapes", "loveda", "voc"])
def test_colours_are_listed_with_the_map_that_fits_best(name: str) -> None:
    colors = colors_of(name, 9)
    with pytest.raises(LabelError, match=f"masks hold colours .*--labels {name}\\b") as caught:
        found(colors, colors[:3])
    assert f"#{min(colors) - COLOR:06x}" in str(caught.value)


def test_colours_of_an_ambiguous_map_ask_for_indices() -> None:
    colors = colors_of("ade20k", 9)
    message = r"they look like ade20k, whose colours are ambiguous \(.*; convert the masks"
    with pytest.raises(LabelError, match=message):
        found(colors, colors)


def test_of_two_ambiguous_maps_that_know_the_same_the_first_is_named() -> None:
    others = {
        color for name in ("camvid", "voc", "mapillary-v2.0") for color in colors_of(name, 99)
    }
    colors = [color for color in colors_of("coco-stuff", 200) if color not in others][:9]
    with pytest.raises(LabelError, match="they look like coco-stuff, whose colours are ambiguous"):
        found(colors, colors)


def test_strange_colours_ask_for_a_table() -> None:
    strange = [COLOR + 65537 * number + 3 for number in range(1, 23)]
    message = r"\(#010004, .* and 10 more\), and no label map .*; type --labels FILE with a CSV"
    with pytest.raises(LabelError, match=message):
        found(strange, strange)


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({"labels": "voc", "classes": 3}, "--labels and --classes both name the classes"),
        ({"prediction_labels": "voc"}, "--pred-labels needs --labels"),
        ({"classes": 0}, "--classes must be 1 to 4096, not 0"),
        ({"classes": 2, "threshold": 5.0}, "--threshold makes masks binary; it does not go"),
        (
            {"labels": "binary", "prediction_labels": "binary", "truth_threshold": 0.0},
            "--threshold makes masks binary; it does not go",
        ),
        ({"threshold": 5.0, "prediction_offset": 1}, "--threshold makes masks binary; it does not"),
        (
            {"labels": "voc", "threshold": 0.0},
            "--threshold needs two classes; voc has 21",
        ),
    ],
)
def test_contradictory_choices_are_refused(choice: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        found([0, 1], [0, 1], **choice)


def test_a_chosen_map_is_taken_whatever_the_values() -> None:
    assert found([0, 255], range(256), labels="voc").name == "voc"
    assert found([0, 255], range(256), labels="voc", ignore=(1,)).void == (1, 255)
    labels = found([0, 255], [0, 1], classes=4, ignore=(255, 2))
    assert (labels.name, labels.names, labels.void) == ("indices", ["0", "1", "3"], (2, 255))


def test_classes_are_found_in_predictions_with_their_offset() -> None:
    labels = found([1, 2, 3, 255], [0, 1, 2, 255], prediction_offset=1)
    assert (labels.name, labels.names, labels.prediction_offset) == ("found", ["1", "2", "3"], 1)
    grey = found([1, 2, 3], [COLOR, COLOR + 0x010101, COLOR + 0x020202], prediction_offset=1)
    assert grey.names == ["1", "2", "3"]


def test_an_offset_that_makes_a_negative_class_is_refused() -> None:
    message = "--pred-offset -1 makes -1 of a predicted 0, which is no class; name the classes"
    with pytest.raises(LabelError, match=message):
        found([0, 1, 2], [0, 1, 2, 3], prediction_offset=-1)
    assert found([0, 1, 2], [1, 2, 3], prediction_offset=-1).names == ["0", "1", "2"]


@pytest.mark.parametrize("offset", [-65536, 65536])
def test_an_offset_is_no_larger_than_16_bit_values(offset: int) -> None:
    with pytest.raises(SettingError, match=f"--pred-offset is -65535 to 65535, not {offset}"):
        found([1], [0], prediction_offset=offset)


def test_thresholds_make_masks_binary() -> None:
    labels = found([0, 255], LEVELS, threshold=1.0, truth_threshold=128.0)
    assert (labels.name, labels.names) == ("binary", ["background", "foreground"])
    assert labels.thresholds == {"threshold": 1.0, "truth-threshold": 128.0}


def test_files_in_the_working_folder_do_not_change_what_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "binary").write_text("a\nb\nc\n")
    (tmp_path / "voc").mkdir()
    monkeypatch.chdir(tmp_path)
    assert found([0, 255], [0, 255]).names == ["background", "foreground"]
    with pytest.raises(LabelError, match="--labels cityscapes"):
        found(colors_of("cityscapes", 9), colors_of("cityscapes", 9))


def strange_colors(count: int) -> list[int]:
    return [COLOR + 65537 * number + 3 for number in range(1, count + 1)]


@pytest.mark.parametrize(
    ("name", "known", "strange", "beside", "proposed"),
    [
        ("isaid", 4, 0, [], True),
        ("isaid", 3, 0, [], False),
        ("isaid", 4, 3, [], True),
        ("isaid", 4, 4, [], False),
        ("isaid", 3, 0, [COLOR], False),
        ("potsdam", 3, 0, [COLOR + 0xFFFFFF], False),
        ("potsdam", 4, 0, [COLOR + 0xFFFFFF], True),
    ],
)
def test_a_map_is_proposed_that_knows_four_colours_and_most_of_them(
    name: str, known: int, strange: int, beside: list[int], *, proposed: bool
) -> None:
    extremes = {COLOR, COLOR + 0xFFFFFF}
    colors = [color for color in colors_of(name, 99) if color not in extremes][:known]
    with pytest.raises(LabelError) as caught:
        found([*colors, *strange_colors(strange), *beside], [0])
    table = "--labels FILE with a CSV of name,r,g,b"
    advice = f"(knows {known} of them), or {table}" if proposed else f"; type {table}"
    assert str(caught.value).endswith(advice)
    assert (f"--labels {name}" in str(caught.value)) is proposed


@pytest.mark.parametrize(
    ("truth", "prediction", "black"),
    [
        ([COLOR], [], "with others add --ignore '#000000' if black is void)"),
        ([], [COLOR], "with others add --unknown wrong if black is void, which makes it a miss"),
        ([COLOR], [COLOR], "add --ignore '#000000' --unknown wrong if black is void, which"),
    ],
)
def test_black_that_a_proposed_map_does_not_know_is_said(
    truth: list[int], prediction: list[int], black: str
) -> None:
    colors = [color for color in colors_of("cityscapes", 99) if color != COLOR][:6]
    with pytest.raises(LabelError, match="--labels cityscapes") as caught:
        found([*colors, *truth], [*colors, *prediction])
    assert black in str(caught.value)
    assert "--labels mapillary-v1.2 (knows 6 of them; black as well: mapillary" in str(caught.value)


def test_colours_of_one_side_are_enough_to_be_stopped() -> None:
    for sides in ((strange_colors(1), [0, 1]), ([0, 1], strange_colors(1))):
        with pytest.raises(LabelError, match="the masks hold colours"):
            found(*sides)


def test_only_a_void_of_255_keeps_masks_of_0_and_255_from_being_binary() -> None:
    labels = found([0, 255], [0, 255], ignore=(255,))
    assert (labels.name, labels.names, labels.void) == ("found", ["0"], (255,))
    for void in (254, 256):
        assert found([0, 255], [0, 255], ignore=(void,)).name == "binary(found)"


def test_predictions_are_grey_from_21_values_on() -> None:
    assert len(found([500, 501], range(500, 520)).names) == 20
    with pytest.raises(LabelError, match="the prediction is grey"):
        found([500, 501], range(500, 521))


def test_predictions_are_grey_from_four_times_the_values_of_the_truth_on() -> None:
    truth = range(500, 506)
    assert len(found(truth, range(500, 524)).names) == 24
    with pytest.raises(LabelError, match="the prediction is grey"):
        found(truth, range(500, 525))


@pytest.mark.parametrize(
    ("truth", "binary"),
    [
        ([0], True),
        ([1], True),
        ([0, 1], True),
        ([0, 255], True),
        ([0, 2], False),
        ([0, 1, 255], False),
        ([1, 255], False),
    ],
)
def test_a_threshold_for_the_truth_is_asked_for_unless_it_is_binary(
    truth: list[int], *, binary: bool
) -> None:
    with pytest.raises(LabelError, match="the prediction is grey") as caught:
        found(truth, range(256))
    assert ("--truth-threshold" in str(caught.value)) is not binary


def choose(*pixels: tuple[int, int, int]) -> LabelMap:
    """Infer the classes of an image with so many pixels of each (truth, prediction, number)."""
    truth, prediction = (
        frozen([np.repeat([row[side] for row in pixels], [row[2] for row in pixels])], "int64")
        for side in (0, 1)
    )
    return choose_labels(made_run((truth, prediction)), LabelChoice())


def test_a_shift_needs_five_times_the_pixels_that_agree_as_they_are() -> None:
    assert choose((501, 500, 2), (502, 501, 2), (500, 500, 1)).name == "found"
    with pytest.raises(LabelError, match="5 of 6 pixels agree if 1 is added to the prediction, 1"):
        choose((501, 500, 3), (502, 501, 2), (500, 500, 1))


def test_a_shift_needs_a_fifth_of_all_pixels() -> None:
    assert choose((501, 500, 1), (502, 501, 1), (500, 502, 9)).name == "found"
    with pytest.raises(LabelError, match="2 of 10 pixels agree if 1 is added to the prediction, 0"):
        choose((501, 500, 1), (502, 501, 1), (500, 502, 8))
    with pytest.raises(
        LabelError, match="9 of 10 pixels agree if -1 is added to the prediction, 0"
    ):
        choose((500, 501, 8), (501, 502, 1), (500, 502, 1))


@pytest.mark.parametrize("pixels", [(1, 0, 9), (0, 1, 9)])
def test_one_class_that_agrees_is_no_sign_of_a_shift(pixels: tuple[int, int, int]) -> None:
    assert choose(pixels).names == ["0", "1"]
    assert choose(pixels, (0, 0, 1), (1, 1, 1)).names == ["0", "1"]


MIXED = "type --labels cityscapes --pred-labels cityscapes-train$"
"""Road, sidewalk and person have the values 7, 8, 24, or 0, 1, 11."""


@pytest.mark.parametrize(
    "pixels",
    [
        [(7, 7, 9), (8, 8, 9), (24, 0, 1)],  # half of the values in common, most pixels equal
        [(7, 7, 9), (8, 8, 9), (11, 11, 9), (24, 0, 1), (25, 0, 1)],
        [(7, 7, 2), (8, 8, 1), (7, 0, 3), (24, 7, 2)],  # as many agree as they are
    ],
)
def test_values_of_two_maps_are_not_suspected_where_pixels_agree(
    pixels: list[tuple[int, int, int]],
) -> None:
    assert choose(*pixels).name == "found"


@pytest.mark.parametrize(
    "pixels",
    [
        [(7, 7, 9), (8, 8, 9), (24, 0, 1), (24, 1, 1)],  # less than half in common
        [(7, 7, 2), (8, 8, 1), (7, 0, 4), (24, 7, 1)],  # one more agrees under the maps
        [(7, 7, 3), (8, 8, 1), (7, 0, 5), (24, 7, 1)],
    ],
)
def test_values_of_two_maps_are_suspected_by_values_or_by_pixels(
    pixels: list[tuple[int, int, int]],
) -> None:
    with pytest.raises(LabelError, match=MIXED):
        choose(*pixels)


def test_more_than_256_values_are_no_classes() -> None:
    assert len(found(range(500, 756), range(500, 756)).names) == 256
    with pytest.raises(LabelError, match="257 different values"):
        found(range(500, 757), range(500, 757))
