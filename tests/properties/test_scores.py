"""Laws of scores, against a slow model in plain Python."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from made.sets import frozen, made_run
from numpy.typing import NDArray

from segeval.labels.labelmap import Label, LabelMap, numbered
from segeval.scoring.convention import Convention
from segeval.scoring.metrics import METRICS, OVERALL
from segeval.scoring.score import Scores, per_image, score_run

CLASSES, VOID = 4, 255
LABELS = numbered("indices", range(CLASSES), void=(VOID,))
Pairs = list[tuple[NDArray[Any], NDArray[Any]]]


@st.composite
def data_sets(draw: st.DrawFn, *, void: bool = True) -> Pairs:
    """Draw one to three pairs of small masks, with void in the truth and absent classes."""
    values = st.sampled_from(draw(st.sampled_from([[0, 1], [0, 1, 2], [1, 3], [0, 1, 2, 3]])))
    truths = values | st.just(VOID) if void else values
    shapes = draw(st.lists(st.tuples(st.integers(1, 5), st.integers(1, 5)), min_size=1, max_size=3))
    return [
        (
            frozen(draw(hnp.arrays(np.uint8, shape, elements=truths))),
            frozen(draw(hnp.arrays(np.uint8, shape, elements=values))),
        )
        for shape in shapes
    ]


def scored(pairs: Pairs, labels: LabelMap = LABELS, **axes: Any) -> Scores:
    return score_run(made_run(*pairs), labels, Convention(**axes))


def slow_iou(pairs: Pairs, label: int) -> float:
    """Apply the definition, pixel by pixel; NaN for a class that is nowhere."""
    both = either = 0
    for truth, prediction in pairs:
        for t, p in zip(truth.ravel().tolist(), prediction.ravel().tolist(), strict=True):
            if t != VOID:
                both += t == p == label
                either += label in {t, p}
    return both / either if either else math.nan


def mean(values: list[float]) -> float:
    defined = [value for value in values if not math.isnan(value)]
    return sum(defined) / len(defined) if defined else math.nan


def same(a: object, b: object) -> None:
    np.testing.assert_allclose(np.array(a), np.array(b), rtol=1e-12, atol=1e-15)


@given(data_sets())
@settings(max_examples=200, deadline=None)
def test_iou_and_its_means_follow_the_definition(pairs: Pairs) -> None:
    scores = scored(pairs)
    expected = [slow_iou(pairs, label) for label in range(CLASSES)]
    same(scores.class_scores["iou"], expected)
    same(scores.summary["miou"], mean(expected))
    table = [[slow_iou([pair], label) for label in range(CLASSES)] for pair in pairs]
    columns = [list(column) for column in zip(*table, strict=True)]
    same(scored(pairs, pooling="image").summary["miou"], mean([mean(row) for row in table]))
    same(scored(pairs, pooling="class").summary["miou"], mean([mean(c) for c in columns]))
    same(scored(pairs, pooling="pair").summary["miou"], mean([v for row in table for v in row]))
    same(per_image(scores)["miou"], [mean(row) for row in table])


@given(data_sets())
@settings(max_examples=100, deadline=None)
def test_every_pixel_is_accounted_for(pairs: Pairs) -> None:
    counts = scored(pairs).counts
    judged = sum(int((truth != VOID).sum()) for truth, _ in pairs)
    assert counts.confusion is not None
    assert counts.confusion.total == judged == int(counts.images.total.sum())
    assert int(counts.pixels.sum()) == sum(truth.size for truth, _ in pairs)
    same(counts.images.tp.sum(axis=0), counts.confusion.classes.tp)
    same(counts.images.support.sum(axis=0), counts.confusion.classes.support)
    same(counts.images.predicted.sum(axis=0), counts.confusion.classes.predicted)


@given(data_sets(), st.permutations(range(CLASSES)))
@settings(max_examples=100, deadline=None)
def test_permuting_classes_permutes_scores(pairs: Pairs, order: list[int]) -> None:
    labels = tuple(
        Label(name=str(value), truth_values=(value,), prediction_values=(value,)) for value in order
    )
    usual = scored(pairs)
    permuted = scored(pairs, LabelMap(name="permuted", labels=labels, void=(VOID,)))
    for name in METRICS:
        same(permuted.class_scores[name], usual.class_scores[name][list(order)])
    ordered = {name for name, overall in OVERALL.items() if overall.ordered}
    for name in usual.summary.keys() - ordered:
        same(permuted.summary[name], usual.summary[name])


@given(data_sets(void=False))
@settings(max_examples=150, deadline=None)
def test_exchanging_the_sides_does_what_the_metric_says(pairs: Pairs) -> None:
    usual, swapped = scored(pairs), scored([(p, t) for t, p in pairs])
    for metric in METRICS.values():
        if metric.swapped:
            same(swapped.class_scores[metric.name], usual.class_scores[metric.swapped])
        assert metric.symmetric == (metric.swapped == metric.name)
    for overall in OVERALL.values():
        if overall.symmetric:
            same(swapped.summary[overall.name], usual.summary[overall.name])


@given(data_sets(), st.sampled_from(["skip", "zero", "one"]))
@settings(max_examples=150, deadline=None)
def test_scores_stay_in_their_range(pairs: Pairs, absent: str) -> None:
    scores = scored(pairs, absent=absent)
    for name, values in scores.class_scores.items():
        defined, (low, high) = values[~np.isnan(values)], METRICS[name].range
        assert ((defined >= low - 1e-12) & (defined <= high + 1e-12)).all()
    for overall in OVERALL.values():
        value, (low, high) = scores.summary[overall.name], overall.range
        assert math.isnan(value) or low - 1e-12 <= value <= high + 1e-12
    undefined = {name: np.isnan(values).tolist() for name, values in scores.class_scores.items()}
    nowhere = [math.isnan(slow_iou(pairs, label)) for label in range(CLASSES)]
    assert undefined["iou"] == (nowhere if absent == "skip" else [False] * CLASSES)
    assert undefined["iou"] == undefined["dice"] == undefined["precision"] == undefined["recall"]


@given(data_sets())
@settings(max_examples=100, deadline=None)
def test_dice_and_iou_say_the_same(pairs: Pairs) -> None:
    scores = scored(pairs).class_scores
    same(scores["dice"], 2 * scores["iou"] / (1 + scores["iou"]))


@given(data_sets(void=False))
@settings(max_examples=50, deadline=None)
def test_identical_masks_score_one(pairs: Pairs) -> None:
    scores = scored([(truth, truth) for truth, _ in pairs])
    for name in ("iou", "dice", "precision", "recall"):
        assert set(scores.class_scores[name][~np.isnan(scores.class_scores[name])]) == {1.0}
    assert scores.summary["miou"] == scores.summary["pixel_accuracy"] == 1.0


@given(data_sets(), st.integers(0, 255))
@settings(max_examples=100, deadline=None)
def test_void_pixels_may_hold_any_prediction(pairs: Pairs, value: int) -> None:
    changed = [
        (truth, frozen(np.where(truth == VOID, value, prediction))) for truth, prediction in pairs
    ]
    usual, other = scored(pairs), scored(changed)
    same(list(usual.summary.values()), list(other.summary.values()))


@given(data_sets(void=False))
@settings(max_examples=100, deadline=None)
def test_overlooking_a_class_never_raises_a_score(pairs: Pairs) -> None:
    """Predict everything of class 1 as class 0: no mean over the same classes may rise for it."""
    blind = [
        (truth, frozen(np.where(prediction == 1, 0, prediction))) for truth, prediction in pairs
    ]
    usual, other = scored(pairs), scored(blind)
    usual_ones = [m.name for m in METRICS.values() if not (m.negatives or m.signed)]
    for name in usual_ones:
        before, after = usual.class_scores[name][1], other.class_scores[name][1]
        assert math.isnan(after) or after == 0.0
        assert math.isnan(before) or math.isnan(after) or after <= before


def test_every_metric_is_classified() -> None:
    for metric in METRICS.values():
        assert metric.mean == f"m{metric.name}"
        assert metric.swapped in {*METRICS, ""}
        assert metric.reference
        assert metric.formula
    for overall in OVERALL.values():
        assert overall.reference


@pytest.mark.parametrize("pooling", ["image", "class"])
def test_the_worst_share_of_everything_is_the_mean(pooling: str) -> None:
    random = np.random.default_rng(3)
    pairs = [(frozen(random.integers(0, 4, (6, 6))), frozen(random.integers(0, 4, (6, 6))))] * 5
    summary = scored(pairs, pooling=pooling, worst=100).summary
    same(summary["miou_worst100"], summary["miou"])
