"""Presets side by side: each axis is named where it alone makes the difference."""

from __future__ import annotations

import math
import re
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made.sets import Mask, frozen, made_run

from segeval.errors import SettingError
from segeval.labels.classify import classify
from segeval.labels.labelmap import numbered
from segeval.presets.distances import _switches, distance_rules, load_distance_presets
from segeval.presets.explain import PresetScorer, Rule, explain, main_rules, steps_between
from segeval.presets.preset import find_preset, load_presets, preset
from segeval.presets.wording import describe_rule
from segeval.scoring.score import score_run

VOID = 255


def case_of(*pairs: tuple[list[int], list[int]], classes: int = 3) -> PresetScorer:
    masks = [(frozen([truth]), frozen([prediction])) for truth, prediction in pairs]
    labels = numbered("indices", range(classes), void=[VOID])
    return PresetScorer(counts=classify(made_run(*masks), labels), labels=labels)


HALF = ([0, 0, 1, 1, 2, 2], [0, 1, 1, 2, 2, 0])
RIGHT = ([0, 0, 0, 1, 2, 2], [0, 0, 0, 1, 2, 2])
AXES = {
    "pooling": ("monai", case_of(HALF, RIGHT)),
    "absent": ("smp", case_of(HALF, classes=4)),
    "pred_only": ("detectron2", case_of(([0, 0, 1, 1], [0, 2, 1, 1]))),
    "truth_only": ("mmseg:fscore", case_of(([0, 0, 1, 2], [0, 0, 1, 1]))),
    "disjoint": ("mmseg:fscore", case_of(([0, 0, 1, 2], [0, 0, 2, 1]))),
    "classes": ("nnunet", case_of(([0, 0, 0, 1, 1, 2], [0, 0, 1, 1, 2, 2]))),
    "weights": ("sklearn:weighted", case_of(([0, 0, 0, 0, 1, 2], [0, 0, 1, 1, 1, 2]))),
    "smoothing": ("smoothed-dice", case_of(([0, 1, 0, 1], [0, 1, 1, 0]), classes=2)),
    "floor": ("isic2018", case_of(([0, 1, 1, 1], [0, 0, 0, 1]), classes=2)),
    "thresholds": ("tgs-salt", case_of(([0, 1, 1, 1], [0, 0, 1, 1]), classes=2)),
    "generalized": ("torchmetrics:generalized", case_of(([0, 0, 0, 0, 1, 2], [0, 0, 0, 1, 1, 2]))),
    "empty": ("jdt-class", case_of(HALF, HALF, classes=4)),
    "nothing": ("monai", case_of(([VOID], [0]))),
}


@pytest.mark.parametrize("axis", AXES)
def test_the_one_axis_that_makes_the_difference_is_named(axis: str) -> None:
    name, case = AXES[axis]
    (row,) = explain(case, [name])
    assert row.differs_by == axis


def test_a_preset_that_agrees_with_the_default_is_moved_by_nothing() -> None:
    (row,) = explain(case_of(HALF, RIGHT), ["cityscapes"])
    assert (row.rules, row.differs_by) == ((), "")


def test_every_rule_is_the_change_that_resetting_its_axis_makes() -> None:
    case = case_of(([0, 0, 1, 1], [0, 2, 1, 1]), HALF, RIGHT)
    (row,) = explain(case, ["monai"])
    reset = {rule.axis: row.value - rule.change for rule in row.rules}
    assert set(reset) == {"pooling", "pred_only"}
    image = np.mean([(0.5 + 0 + 1) / 3, 1 / 3, 1.0])
    assert reset["pred_only"] == pytest.approx(image)


def test_values_are_those_of_like() -> None:
    masks = [(frozen([[0, 0, 1, 2]]), frozen([[0, 1, 1, 1]])), (frozen([[0]]), frozen([[0]]))]
    run, labels = made_run(*masks), numbered("indices", range(3))
    rows = explain(PresetScorer(counts=classify(run, labels), labels=labels))
    assert {row.preset for row in rows} == set(load_presets())
    for row in rows:
        scores = score_run(run, labels, preset(row.preset))
        assert row.value == pytest.approx(scores.summary[row.metric], abs=1e-12, nan_ok=True)


def test_rows_run_from_the_highest_value_to_the_undefined_ones() -> None:
    rows = explain(case_of(HALF, ([0], [0]), classes=4))
    values = [row.value for row in rows]
    defined = [value for value in values if not math.isnan(value)]
    assert values[: len(defined)] == sorted(defined, reverse=True)
    assert len(defined) < len(values)


def test_entered_values_are_counted() -> None:
    case = case_of(HALF, ([0, 0], [0, 0]), classes=4)
    entered = {row.preset: row.entered for row in explain(case)}
    assert entered["cityscapes"] == 3
    assert entered["smp"] == 4
    assert entered["monai"] == 4
    assert entered["seg-metrics"] == 8
    assert entered["smp:micro"] == 1
    assert entered["smp:micro-imagewise"] == 2


def test_the_main_rules_are_told_with_what_they_meet() -> None:
    case = case_of(HALF, ([0, 0], [0, 0]), ([0, 0], [0, 1]))
    rules = main_rules(explain(case, ["cityscapes", "seg-metrics", "monai"]))
    told = {rule.axis: describe_rule(case, rule) for rule in rules}
    assert told["absent"].startswith("class 2 is on neither side in 2 of 3 images, class 1 is on")
    assert "counted as 1 there: +" in told["absent"]
    assert told["absent"].endswith("points (seg-metrics)")
    assert "class 1 is predicted but not true in 1 of 3 images; left out there" in told["pred_only"]


def test_what_a_rule_does_is_told_from_the_counts() -> None:
    case = case_of(HALF, RIGHT)
    (pooled,) = (rule for rule in explain(case, ["smp:micro"])[0].rules if rule.axis == "pooling")
    assert "the largest decide; class 0 holds 42 % of the true pixels: +" in describe_rule(
        case, pooled
    )
    micro = Rule(axis="pooling", setting="micro", change=0.01, preset="smp:micro")
    assert "class 0 holds 33 % of the true pixels" in describe_rule(case_of(HALF), micro)
    void = Rule(axis="void_image", setting="skip", change=0.01, preset="monai")
    told = describe_rule(case_of(HALF, RIGHT, ([VOID], [0])), void)
    assert told.startswith("1 image without a judged pixel, ")
    whole, objects = (
        describe_rule(case, Rule(axis="classes", setting=setting, change=0.01, preset="x"))
        for setting in ("all", "foreground")
    )
    assert whole == "all classes are in the mean: +1.0 points (x)"
    assert objects == "class 0 is left out of the mean as background: +1.0 points (x)"


def test_each_axis_of_a_preset_of_distances_is_switched_once() -> None:
    presets = load_distance_presets()
    for name, axes in {
        "medpy": ["hausdorff", "void", "one_sided"],
        "metricsreloaded": ["void", "one_sided", "empty"],
    }.items():
        assert [axis for axis, _, _ in _switches(presets[name].rules, "hd")] == axes
    assert distance_rules(None).tolerances == (1.0, 2.0)


def test_an_unknown_variant_of_a_preset_is_answered_with_all_there_are() -> None:
    with pytest.raises(SettingError) as refused:
        find_preset("smp:nosuch")
    listed = str(refused.value).split("? ")[0]
    assert {name for name in load_presets() if name.startswith("smp")} <= set(
        re.split("[ ,]+", listed)
    )
    assert "monai" not in listed


def test_every_setting_of_every_preset_can_be_told() -> None:
    case = case_of(HALF, ([0, 0], [0, 1]), ([VOID, VOID], [0, 1]), classes=4)
    for row in explain(case):
        for rule in row.rules:
            told = describe_rule(case, rule)
            assert "{" not in told
            assert not told.startswith("None")


MASKS = st.lists(st.integers(0, 3), min_size=6, max_size=6).map(lambda row: frozen([row]))


@settings(deadline=None, max_examples=15)
@given(pairs=st.lists(st.tuples(MASKS, MASKS), min_size=1, max_size=3), void=st.booleans())
def test_steps_between_presets_add_up_exactly(
    pairs: list[tuple[Mask, Mask]], *, void: bool
) -> None:
    labels = numbered("indices", range(4), void=[0] if void else [])
    case = PresetScorer(counts=classify(made_run(*pairs), labels), labels=labels)
    names = [name for name in load_presets() if ":" not in name or "worst" in name]
    for first, last in permutations(names, 2):
        steps = steps_between(case, first, last)
        values = [case.value(case.convention(name)) for name in (first, last)]
        if math.isnan(sum(values)):
            assert not steps
            continue
        assert sum(step.change for step in steps) == values[1] - values[0]
        assert sum(step.change for step in reversed(steps)) == values[1] - values[0]
        assert not steps or steps[-1].value == values[1]
