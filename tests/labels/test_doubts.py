"""255 in a truth of 0 and 1, thresholds beyond the range of files, and floats without one."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made.maps import map_set
from made.sets import data_set, frozen, made_run, segeval
from PIL import Image

from segeval.errors import LabelError
from segeval.labels.choose import choose_labels
from segeval.labels.classify import classify
from segeval.labels.doubts import foreground_of
from segeval.labels.labelmap import LabelMap
from segeval.settings import LabelChoice
from segeval.values import float_values

TRUTH = frozen([[255, 255, 255, 0], [0, 1, 1, 0], [0, 1, 1, 1]])
GREY = frozen([[255, 3, 200, 9], [3, 250, 129, 128], [0, 200, 100, 128]])
ASKED = "is 255 void or foreground in the truth\\? Type --ignore 255 if it is void, or"


def chosen(truth: Any, prediction: Any, **choice: Any) -> LabelMap:
    return choose_labels(made_run((truth, prediction)), LabelChoice(**choice))


def iou(truth: Any, prediction: Any, **choice: Any) -> float:
    run = made_run((truth, prediction))
    counts = classify(run, choose_labels(run, LabelChoice(**choice))).images
    tp, support, predicted = (part[0, 1] for part in (counts.tp, counts.support, counts.predicted))
    return float(tp / (support + predicted - tp))


EVERY = {
    "score": [],
    "check": [],
    "explain": [],
    "overlay": ["-o", "pictures"],
    "show": ["a"],
    "plot": ["-o", "plot.svg"],
    "compare": [],
    "sweep": [],
    "losses": [],
    "report": [],
}


@pytest.mark.parametrize("options", ["", "--labels binary", "--threshold 128"])
@pytest.mark.parametrize("command", EVERY)
def test_a_truth_of_0_1_and_255_stops_every_command(
    tmp_path: Path, command: str, options: str
) -> None:
    if command in {"sweep", "losses"} and "threshold" in options:
        options = ""
    folders: list[Any] = [*data_set(tmp_path, {"a": (TRUTH, GREY), "b": (TRUTH, GREY)})]
    if options == "--labels binary" and command not in {"sweep", "losses"}:
        folders = [*data_set(tmp_path, dict.fromkeys("ab", (TRUTH, (GREY > 127) * 255)))]
    if command in {"report", "compare"}:
        for run in "rs":
            words = (*folders, "-o", run, "--ignore", 255, "--threshold", 128)
            segeval("score", *words, cwd=tmp_path)
        folders = ["r", "s"][: 1 + (command == "compare")]
    done = segeval(command, *folders, *EVERY[command], *options.split(), cwd=tmp_path, expect=3)
    said = done.stdout + done.stderr
    assert "is 255 void or foreground in the truth? Type --ignore 255 if it is void" in said
    assert "--truth-threshold 1 if it is foreground" in said


def test_the_viewer_does_not_start_either(tmp_path: Path) -> None:
    folders = data_set(tmp_path, {"a": (TRUTH, GREY)})
    segeval("score", *folders, "-o", tmp_path / "r", "--ignore", 255, "--threshold", 128)
    words = ("view", tmp_path / "r", "--threshold", 128)
    assert "is 255 void or foreground" in segeval(*words, expect=3).stderr


@pytest.mark.parametrize("truth", [TRUTH, frozen([[1, 1, 255, 255]] * 3)])
def test_both_ways_out_lead_to_a_number(truth: Any) -> None:
    judged, foreground = truth != 255, truth > 0
    for prediction, choice in ((GREY, {"threshold": 128}), (frozen((GREY > 127) * 255), {})):
        with pytest.raises(LabelError, match=ASKED):
            chosen(truth, prediction, **choice)
        hit = GREY > 127
        for ways, true, where in (
            ({"ignore": (255,)}, foreground, judged),
            ({"truth_threshold": 1.0}, foreground, judged | True),
            ({"ignore": ()}, foreground, judged | True),
        ):
            expected = (hit & true)[where].sum() / (hit | true)[where].sum()
            assert iou(truth, prediction, **choice, **ways) == expected
            if not choice and "truth_threshold" not in ways:
                assert iou(truth, prediction, labels="binary", **ways) == expected


@pytest.mark.parametrize(
    ("truth", "choice"),
    [
        ([0, 1, 2, 255], {}),
        ([0, 255], {}),
        ([0, 1], {}),
        ([0, 1, 255], {"labels": "voc"}),
        ([0, 1, 254], {"labels": "binary", "ignore": (254,)}),
        ([0, 1, 7, 255], {"labels": "binary", "ignore": (7, 255)}),
    ],
)
def test_other_truths_are_not_in_doubt(truth: list[int], choice: dict[str, Any]) -> None:
    chosen(frozen([truth]), frozen([truth]), **choice)


def test_a_void_value_beside_255_does_not_settle_it() -> None:
    truth = frozen([[0, 1, 7, 255]])
    for labels in (None, "binary"):
        with pytest.raises(LabelError, match=ASKED):
            chosen(truth, frozen([[0, 1, 1, 1]]), labels=labels, ignore=(7,))


@pytest.mark.parametrize(
    ("truth", "ignore", "values"),
    [
        ({0, 1}, None, (1,)),
        ({0, 255}, None, (255,)),
        ({0, 1, 255}, (255,), (1,)),
        ({0, 1, 255}, (), (1, 255)),
        ({255}, (255,), (1,)),
        ({0, 2}, None, None),
        ({0, 2}, (2,), (1,)),
    ],
)
def test_losses_take_the_foreground_by_the_same_rule(
    truth: set[int], ignore: tuple[int, ...] | None, values: tuple[int, ...] | None
) -> None:
    assert foreground_of(truth, ignore) == values


def floats(*numbers: float) -> Any:
    return frozen([float_values(np.array(numbers, np.float32))], "int64")


LEVELS, SHARES, WHOLE = frozen([[0, 9, 200]]), floats(0, 0.25, 1), floats(0, 80, 255)
LOGITS = floats(-4, 0.5, 7)
MIXED = frozen([[200, *float_values(np.array([0, 0.25]))]], "int64")
BITS = frozen([[0, 1, 1]])


@pytest.mark.parametrize(
    ("prediction", "threshold", "message"),
    [
        (LEVELS, 0.5, "0.5 on whole numbers 0 to 200 .* --threshold 1 if .* e.g. --threshold 128"),
        (LEVELS, 0.0, "--threshold 0 on whole numbers 0 to 200 takes .* e.g. --threshold 128"),
        (LEVELS, -1.0, "--threshold -1 on whole numbers"),
        (WHOLE, 0.5, "--threshold 0.5 on whole numbers 0 to 255"),
        (SHARES, 128.0, "--threshold 128 on floats 0 to 1: type .* up to 1, e.g. --threshold 0.5"),
        (SHARES, 1.001, "--threshold 1.001 on floats"),
        (SHARES, 0.0, "--threshold 0 on floats 0 to 1: type a threshold above 0"),
        (SHARES, 0.12345, "steps of 1/51000, which --threshold 0.12345 .* type --threshold 0.123$"),
        (
            MIXED,
            0.5,
            "these are whole numbers 200 to 200 and floats 0 to 0.25, on which no --threshold mean",
        ),
        (MIXED, 128.0, "no --threshold means the same; save all masks of this side in one of "),
        (MIXED, 1.0, "no --threshold means the same"),
        (BITS, 128.0, "no value reaches --threshold 128; type --threshold 1"),
        (SHARES, None, "these are floats; .*--threshold 0.5 or another .*, or .*`segeval losses`"),
        (LOGITS, None, "these are floats; .*--threshold 0 or another"),
        (floats(0.5, 80, 255), None, "these are floats; .* type --threshold 128 or another"),
    ],
)
def test_a_threshold_out_of_range_is_stopped_with_what_to_type(
    prediction: Any, threshold: float | None, message: str
) -> None:
    with pytest.raises(LabelError, match=message):
        chosen(BITS, prediction, threshold=threshold)
    for found in (None, "binary") if threshold is None else ():
        with pytest.raises(LabelError, match=r"^prediction holds .*floats"):
            chosen(BITS, prediction, labels=found)
    with pytest.raises(LabelError, match=message.replace("--thr", "--truth-thr").split(", or")[0]):
        chosen(prediction, BITS, truth_threshold=threshold)


@pytest.mark.parametrize(
    ("prediction", "threshold"),
    [
        (LEVELS, 1.0),
        (LEVELS, 0.5 + 1),
        (LEVELS, 201.0),
        (frozen([[-3, 0, 9]], "int16"), 0.0),
        (SHARES, 1.0),
        (SHARES, 0.001),
        (SHARES, 128 / 255),
        (SHARES, 1 / 3),
        (WHOLE, 128.0),
        (LOGITS, 0.0),
        (LOGITS, -2.5),
        (BITS, 1.0),
    ],
)
def test_a_threshold_in_range_is_taken(prediction: Any, threshold: float) -> None:
    assert chosen(BITS, prediction, threshold=threshold).prediction_threshold == threshold


def test_a_number_that_is_none_is_a_problem_where_it_is_judged() -> None:
    run = made_run((frozen([[0, 1, 255, 1]]), floats(0.2, np.nan, np.inf, 0.9)))
    labels = choose_labels(run, LabelChoice(threshold=0.5, ignore=(255,)))
    (problem,) = classify(run, labels).problems
    assert "NaN or infinity on 1 pixel is no class" in problem.detail


@pytest.mark.parametrize(
    ("levels", "threshold", "message"),
    [
        ([[0, 100, 255]], 0.4, "0.4 on whole numbers 0 to 255 .* e.g. --threshold 102"),
        ([[0.0, 0.4, 1.0]], 128, "128 on floats 0 to 1: type a threshold above 0 and up to 1"),
    ],
)
def test_losses_doubt_thresholds_as_scores_do(
    tmp_path: Path, levels: Any, threshold: float, message: str
) -> None:
    kind = np.uint8 if threshold < 1 else np.float32
    pair = map_set(tmp_path, {"a": np.array(levels, kind)}, {"a": BITS})
    done = segeval("losses", *pair, "--threshold", threshold, expect=3)
    assert re.search(message, done.stderr)


READERS: dict[str, Callable[[Path, Any], None]] = {
    "npy": lambda path, p: np.save(path / "a.npy", p),
    "npz": lambda path, p: np.savez(path / "a.npz", p[None]),
    "tif": lambda path, p: Image.fromarray(p).save(path / "a.tif"),
}


@pytest.mark.parametrize("kind", READERS)
def test_float_maps_are_scored_checked_kept_and_swept(tmp_path: Path, kind: str) -> None:
    share = np.array([[0.7, 0.2], [0.69999, 0.9]], np.float32)
    folders = data_set(tmp_path, {"a": ([[1, 0], [1, 1]], [[0, 0], [0, 0]])})
    (folders[0] / "a.png").unlink()
    READERS[kind](folders[0], share)
    assert "`segeval losses`" in segeval("score", *folders, expect=3).stderr
    assert "0.2 to 0.9" in segeval("check", *folders, "--threshold", 0.7).stdout
    run = tmp_path / "r"
    said = segeval("score", *folders, "--threshold", 0.7, "-o", run, "--format", "csv").stdout
    assert f"foreground,3,2,2,0,1,{2 / 3!r}," in said
    assert "|threshold:0.7|" in said
    again = segeval("report", run, "--threshold", 0.7, "--format", "csv").stdout
    assert again == said
    swept = segeval("sweep", run, "--format", "csv").stdout
    rows = [row.split(",") for row in swept.splitlines()[1:]]
    assert [row[0] for row in rows] == [repr(k / 255) for k in range(256)]
    changes = [k for k in range(1, 256) if rows[k - 1][1:] != rows[k][1:]]
    assert changes == [52, 179, 230]  # above 0.2, 0.69999 and 0.7, and 0.9
