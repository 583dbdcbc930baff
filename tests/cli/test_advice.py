"""Every message about classes names options that, typed, lead to the right number."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from made.maps import losses, map_set
from made.sets import data_set, document, segeval

from segeval.labels.load import load_labels

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray


def drawn(classes: int, size: tuple[int, int] = (48, 64)) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return a truth of every class, in stripes, and a prediction that is right in nine of ten."""
    truth = np.sort(np.resize(np.arange(classes), size[0] * size[1])).reshape(size)
    random = np.random.default_rng(12)  # anew: the same masks in any order
    wrong = random.random(size) < 0.1
    return truth, np.where(wrong, random.integers(0, classes, size), truth)


def miou(folder: Path, truth: NDArray[Any], prediction: NDArray[Any], *options: object) -> float:
    """Return the mIoU of a pair of masks, written into a folder."""
    folders = data_set(folder, {"a": (truth, prediction)})
    value: float = document(*folders, *options)["summary"]["miou"]
    return value


def test_an_offset_scores_as_shifted_masks_do(tmp_path: Path) -> None:
    truth, prediction = drawn(5)
    expected = miou(tmp_path / "plain", truth, prediction)
    folders = data_set(tmp_path / "shifted", {"a": (truth + 1, prediction)})
    for options in ((), ("--classes", 6)):
        found = document(*folders, "--pred-offset", 1, *options)
        assert found["summary"]["miou"] == expected
        assert "|pred-offset:1|" in found["signature"]
        assert found["settings"]["pred_offset"] == 1
    back = data_set(tmp_path / "back", {"a": (truth, prediction + 1)})
    assert document(*back, "--pred-offset", -1)["summary"]["miou"] == expected


def test_pictures_and_comparisons_know_the_offset(tmp_path: Path) -> None:
    truth, prediction = drawn(5)
    plain = data_set(tmp_path / "plain", {"a": (truth + 1, prediction + 1)})
    shifted = data_set(tmp_path / "shifted", {"a": (truth + 1, prediction)})
    offset = "--pred-offset", 1
    assert segeval("show", *shifted, *offset).stdout == segeval("show", *plain).stdout
    for folders, options in ((plain, ()), (shifted, offset)):
        segeval("overlay", *folders, "-o", folders[0].parent / "drawn", *options)
    drawings = [
        (folders[0].parent / "drawn" / "a.png").read_bytes() for folders in (plain, shifted)
    ]
    assert drawings[0] == drawings[1]
    said = segeval(
        "plot", *shifted, "--kind", "curves", "-o", tmp_path / "a.svg", *offset, expect=2
    )
    assert "leave out --threshold and --pred-offset" in said.stderr


@pytest.mark.parametrize("name", ["ade20k", "loveda", "pascal-context"])
def test_maps_that_count_from_one_are_scored_against_train_ids(tmp_path: Path, name: str) -> None:
    count = {"ade20k": 150, "loveda": 7, "pascal-context": 59}[name]
    truth, prediction = drawn(count)
    expected = miou(tmp_path / "plain", truth, prediction)
    truth = truth + 1
    truth[0], prediction[0] = 0, 3
    maps = miou(
        tmp_path / "maps", truth, prediction, "--labels", name, "--pred-labels", f"{name}-train"
    )
    offset = miou(tmp_path / "offset", truth, prediction, "--labels", name, "--pred-offset", 1)
    assert maps == offset == pytest.approx(expected, abs=0.05)


CITY = np.array([label.truth_values[0] for label in load_labels("cityscapes").labels])
"""The values of the classes of cityscapes."""

Masks = tuple[Any, Any]


def with_row(truth: NDArray[Any], values: Any) -> NDArray[Any]:
    """Return a truth with other values in its first row, which mean nothing."""
    changed = truth.copy()
    changed[0] = np.resize(values, truth.shape[1])
    return changed


def cities() -> tuple[Masks, Masks]:
    truth, prediction = drawn(19)
    return (with_row(CITY[truth], range(7)), prediction), (with_row(truth, 255), prediction)


def label_ids() -> tuple[Masks, Masks]:
    (truth, prediction), expected = cities()
    return (truth, CITY[prediction]), expected


def from_one(classes: int = 150) -> tuple[Masks, Masks]:
    truth, prediction = drawn(classes)
    return (with_row(truth + 1, 0), prediction), (with_row(truth, 255), prediction)


def few_from_one() -> tuple[Masks, Masks]:
    return from_one(7)


def train_ids() -> tuple[Masks, Masks]:
    truth, prediction = drawn(150)
    expected = with_row(truth, 255), prediction
    return expected, expected


def predicted_from_one() -> tuple[Masks, Masks]:
    expected, _ = train_ids()
    return (expected[0], expected[1] + 1), expected


def objects() -> tuple[Masks, Masks]:
    """DAVIS: several objects in the truth, one foreground in the prediction."""
    truth, prediction = drawn(3)
    expected = np.minimum(truth, 1), np.minimum(prediction, 1)
    return (truth, expected[1] * 255), expected


def one_object() -> tuple[Masks, Masks]:
    _, (truth, prediction) = objects()
    return (truth, prediction * 255), (truth, prediction)


def predicted_objects() -> tuple[Masks, Masks]:
    truth, prediction = drawn(3)
    expected = np.minimum(truth, 1), np.minimum(prediction, 1)
    return (expected[0] * 255, prediction), expected


def grey() -> tuple[Masks, Masks]:
    levels = np.arange(256).reshape(16, 16)
    return (levels, levels[:, ::-1]), (levels >= 128, levels[:, ::-1] >= 128)


def grey_objects() -> tuple[Masks, Masks]:
    """Several objects in the truth, grey levels of one foreground in the prediction."""
    truth = np.resize(np.arange(4), (16, 16))
    levels = np.arange(256).reshape(16, 16)
    return (truth, levels), (truth > 0, levels >= 128)


def predicted_multiples() -> tuple[Masks, Masks]:
    truth, prediction = drawn(4)
    expected = with_row(truth, 255), prediction
    return (expected[0], prediction * 85), expected


def multiples() -> tuple[Masks, Masks]:
    truth, prediction = drawn(4)
    return (truth * 85, prediction), (truth, prediction)


PALETTE = np.array([[0, 0, 0], [128, 0, 0], [0, 128, 0], [128, 128, 0]])
"""Colours of DAVIS and VOC."""


def colored_predictions() -> tuple[Masks, Masks]:
    truth, prediction = drawn(4)
    expected = with_row(truth, 255), prediction
    return (expected[0], PALETTE[prediction]), expected


def colored_truths() -> tuple[Masks, Masks]:
    truth, prediction = drawn(4)
    return (PALETTE[truth], prediction), (truth, prediction)


def colored() -> tuple[Masks, Masks]:
    truth, prediction = drawn(4)
    return (PALETTE[truth], PALETTE[prediction]), (truth, prediction)


def colored_objects() -> tuple[Masks, Masks]:
    """Several objects in colours, one foreground in the truth."""
    truth, prediction = drawn(4)
    expected = np.minimum(truth, 1), np.minimum(prediction, 1)
    return (expected[0] * 255, PALETTE[prediction]), expected


WALKS = [
    (colored_predictions, ""),
    (colored_truths, ""),
    (colored, ""),
    (colored_objects, ""),
    (cities, ""),
    (cities, "--labels cityscapes"),
    (cities, "--labels cityscapes-train"),
    (label_ids, ""),
    (label_ids, "--ignore 255"),
    (label_ids, "--labels cityscapes-train"),
    (from_one, ""),
    (from_one, "--labels ade20k"),
    (from_one, "--labels ade20k-train"),
    (from_one, "--classes 150"),
    (few_from_one, ""),
    (few_from_one, "--labels loveda"),
    (train_ids, "--labels ade20k"),
    (predicted_from_one, ""),
    (predicted_from_one, "--labels ade20k"),
    (objects, ""),
    (objects, "--labels binary"),
    (objects, "--classes 2"),
    (one_object, ""),
    (one_object, "--classes 2"),
    (predicted_objects, ""),
    (predicted_objects, "--labels binary"),
    (grey, "--threshold 128"),
    (grey_objects, ""),
    (grey, "--truth-threshold 128"),
    (grey, "--labels binary"),
    (multiples, ""),
    (predicted_multiples, ""),
    (predicted_multiples, "--classes 4 --ignore 255"),
]

OPTIONS = re.compile(r"[tT]ype ((?:--[\w-]+ [^\s;,]+ ?)+)")


def advised(said: str, typed: list[str], folder: Path) -> list[str]:
    """Return what is typed next by someone who does what is said."""
    (found, *_) = OPTIONS.findall(said)
    if line := re.search(r"labels = \[.*\]", said):
        (folder / "labels.toml").write_text(line.group())
        found = found.replace("labels.toml", str(folder / "labels.toml"))
    return [*([] if "in place of" in said else typed), *found.split()]


@pytest.mark.parametrize(("made", "typed"), WALKS)
def test_what_is_advised_leads_to_the_right_number(
    tmp_path: Path, made: Callable[[], tuple[Masks, Masks]], typed: str
) -> None:
    masks, expected = made()
    folders = data_set(tmp_path / "a", {"a": masks})
    done = segeval("score", *folders, *typed.split(), expect=3)
    assert "--unknown" not in done.stderr
    checked = segeval("check", *folders, *typed.split(), expect=3).stdout
    options = advised(done.stderr, typed.split(), tmp_path)
    assert advised(checked, typed.split(), tmp_path) == options
    score = document(*folders, *options)["summary"]["miou"]
    assert score == pytest.approx(miou(tmp_path / "b", *expected), rel=1e-12)  # of another order


@pytest.mark.parametrize(
    "command",
    [
        "score {0} {1}",
        "report run",
        "explain {0} {1}",
        "explain run",
        "compare run run",
        "overlay {0} {1} -o drawn",
        "show {0} {1}",
        "view run",
        "plot run -o a.svg",
    ],
)
def test_every_command_gives_the_same_advice(tmp_path: Path, command: str) -> None:
    for number, (made, typed) in enumerate([(cities, "--labels cityscapes"), (from_one, "")]):
        folder = tmp_path / str(number)
        folders = data_set(folder, {name: made()[0] for name in ("a", "b")})
        segeval("score", *folders, "--classes", 256, "-o", folder / "run")
        words = command.format("pred", "truth").split()
        words += ["a"] if command.startswith("show") else []
        said = segeval(*words, *typed.split(), expect=3, cwd=folder).stderr
        name = "cityscapes" if typed else "ade20k"
        assert f"--labels {name} --pred-labels {name}-train" in said
        assert "--unknown" not in said


@pytest.mark.parametrize("curves", [False, True])
def test_a_sweep_over_more_than_two_classes_says_what_makes_them_two(
    tmp_path: Path, *, curves: bool
) -> None:
    (truth, _), (binary, _) = objects()
    levels = np.resize(np.arange(256), truth.shape)
    folders, expected = (
        data_set(tmp_path / name, {"a": (mask, levels)})
        for name, mask in (("classes", truth), ("binary", binary))
    )
    command = ["plot", "--kind", "curves", "-o", tmp_path / "a.svg"] if curves else ["sweep"]
    said = segeval(*command, *folders, expect=3).stderr
    options = advised(said, [], tmp_path)
    assert options == ["--truth-threshold", "1"]
    assert "classes are scored by `segeval score`" in said
    wanted = segeval("sweep", *expected, "--format", "csv").stdout
    curves_found = segeval("sweep", *folders, *options, "--format", "csv").stdout
    assert curves_found.replace("|truth-threshold:1|", "|") == wanted


@pytest.mark.parametrize("typed", ["", "--labels cityscapes-train"])
def test_losses_of_label_ids_say_which_map_has_the_channels(tmp_path: Path, typed: str) -> None:
    truth, prediction = drawn(19)
    maps = np.eye(19)[prediction].transpose(2, 0, 1) * 0.62 + 0.02
    plain, ids = (
        map_set(tmp_path / name, {"a": maps}, {"a": mask.astype(np.uint8)})
        for name, mask in (("plain", truth), ("ids", CITY[truth]))
    )
    said = segeval("losses", *ids, *typed.split(), expect=3).stderr
    options = advised(said, [], tmp_path)
    assert options == ["--labels", "cityscapes"]
    found, expected = (losses(*pair, *more) for pair, more in ((ids, options), (plain, [])))
    assert [row["value"] for row in found["losses"]] == [row["value"] for row in expected["losses"]]


def test_most_pixels_of_no_class_are_said_aloud(tmp_path: Path) -> None:
    folders = data_set(tmp_path, {"a": cities()[0]})
    options = "--labels", "cityscapes", "--unknown"
    for unknown in ("wrong", "ignore"):
        said = segeval("score", *folders, *options, unknown, "--quiet").stderr
        assert "pixels hold a predicted value that is no class of cityscapes; predict" in said
        assert "if you type --labels cityscapes --pred-labels cityscapes-train" in said
    assert "warning: " in segeval("explain", *folders, *options, "wrong").stderr


def test_a_few_pixels_of_no_class_are_no_alarm(tmp_path: Path) -> None:
    truth, prediction = drawn(4)
    folders = data_set(tmp_path, {"a": (truth, np.where(prediction == 3, 9, prediction))})
    assert segeval("score", *folders, "--classes", 4, "--unknown", "wrong").stderr == ""
    said = segeval("score", *folders, "--classes", 4, expect=3).stderr
    assert said.index("--pred-labels") < said.index("--unknown ignore") < said.index("wrong")


def test_classes_that_agree_after_a_shift_only_are_said_aloud(tmp_path: Path) -> None:
    masks, expected = from_one()
    folders = data_set(tmp_path, {"a": masks})
    said = segeval("score", *folders, "--classes", 151, "--quiet").stderr
    options = re.findall(r"if you type (.*)", said)[0].split()
    score = document(*folders, *options)["summary"]["miou"]
    assert score == miou(tmp_path / "plain", *expected)


def test_a_value_that_is_never_predicted_is_a_notice_where_classes_are_few(tmp_path: Path) -> None:
    (truth, prediction), expected = few_from_one()
    folders = data_set(tmp_path, {"a": (truth, prediction + 1)})
    said = segeval("score", *folders).stderr
    assert said.startswith("notice: no prediction holds 0 of the truth, which is void in loveda")
    score = document(*folders, *advised(said, [], tmp_path))["summary"]["miou"]
    assert score == miou(tmp_path / "plain", *expected)
    for options in (("--ignore", "none"), ("--ignore", 0), ("--classes", 8)):
        assert segeval("score", *folders, *options).stderr == ""
