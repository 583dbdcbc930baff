"""Every axis of a convention, on counts that a person can check on paper."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from made.sets import frozen, made_run

from segeval.counting.confusion import ClassCounts
from segeval.errors import SettingError
from segeval.labels.labelmap import numbered
from segeval.presets.preset import preset
from segeval.scoring.convention import Convention
from segeval.scoring.means import (
    class_scores,
    count_classes_in_means,
    count_images_in_means,
    generalized_dice,
    image_scores,
    mean_of_worst,
    mean_score,
    worst_mean,
)
from segeval.scoring.metrics import METRICS
from segeval.scoring.sample import Sample
from segeval.scoring.score import per_image, score_run

NAN = math.nan


def counts(*images: tuple[list[int], list[int], list[int]]) -> ClassCounts:
    """Make counts of images, each as (tp, support, predicted) by class."""
    tp, support, predicted = (frozen(part, "int64") for part in zip(*images, strict=True))
    return ClassCounts(tp=tp, support=support, predicted=predicted, total=support.sum(axis=1))


# Classes: both sides (iou 1/2, dice 2/3), predicted only, true only, neither, both but never hit.
ONE = counts(([4, 0, 0, 0, 0], [6, 0, 2, 0, 3], [6, 1, 0, 0, 4]))


def mean(
    images: ClassCounts, metric: str = "iou", excluded: tuple[int, ...] = (), **axes: Any
) -> float:
    sample = Sample.of(images)
    return float(mean_score(Convention(**axes), METRICS[metric], sample, excluded)[0])


def same(value: float, expected: float) -> None:
    assert math.isclose(value, expected, rel_tol=1e-12) or (
        math.isnan(value) and math.isnan(expected)
    )


@pytest.mark.parametrize(
    ("axes", "expected"),
    [
        ({}, 1 / 2 / 4),
        ({"absent": "zero"}, 1 / 2 / 5),
        ({"absent": "one"}, 3 / 2 / 5),
        ({"absent": "undefined"}, NAN),
        ({"pred_only": "skip"}, 1 / 2 / 3),
        ({"pred_only": "one"}, 3 / 2 / 4),
        ({"pred_only": "undefined"}, NAN),
        ({"pred_only": "formula"}, 1 / 2 / 4),
        ({"truth_only": "skip"}, 1 / 2 / 3),
        ({"disjoint": "skip"}, 1 / 2 / 3),
        ({"disjoint": "one"}, 3 / 2 / 4),
        ({"pred_only": "skip", "truth_only": "skip", "disjoint": "skip"}, 1 / 2),
        ({"overrides": (("iou", "absent", "one"),)}, 3 / 2 / 5),
        ({"overrides": (("dice", "absent", "one"),)}, 1 / 2 / 4),
        ({"classes": "foreground"}, 1 / 2 / 4),
        ({"weights": "support"}, 6 / 2 / 11),
        ({"weights": "support-or-one"}, 6 / 2 / (6 + 1 + 2 + 3)),
        ({"weights": (1.0, 2.0, 3.0, 4.0, 5.0)}, 1 / 2 / (1 + 2 + 3 + 5)),
    ],
)
def test_what_a_class_is_worth(axes: dict[str, Any], expected: float) -> None:
    same(mean(ONE, **axes), expected)


def test_a_class_never_predicted_has_the_precision_that_the_convention_says() -> None:
    for worth, expected in (("zero", 4 / 6 / 4), ("skip", 4 / 6 / 3), ("one", (4 / 6 + 1) / 4)):
        same(mean(ONE, "precision", truth_only=worth), expected)
    same(mean(ONE, "precision", truth_only="formula"), 4 / 6 / 3)


def test_smoothing_is_added_to_both_sides_of_the_fraction() -> None:
    axes: dict[str, Any] = {
        "pred_only": "formula",
        "truth_only": "formula",
        "absent": "one",
        "smoothing": 1.0,
    }
    same(mean(ONE, "dice", **axes), (9 / 13 + 1 / 2 + 1 / 3 + 1 + 1 / 8) / 5)
    same(mean(ONE, "iou", **axes), (5 / 9 + 1 / 2 + 1 / 3 + 1 + 1 / 8) / 5)
    same(mean(ONE, "recall", **axes), mean(ONE, "recall", **axes | {"smoothing": 0.0}))


def test_scores_below_the_floor_count_as_0_before_they_are_averaged() -> None:
    plain = mean(TWO, pooling="image")
    same(plain, ((1 / 2 + 1) / 2 + 1 / 4) / 2)
    same(mean(TWO, pooling="image", floor=0.5), ((1 / 2 + 1) / 2 + 0) / 2)
    same(mean(TWO, pooling="image", floor=0.51), (1 / 2 + 0) / 2)


def test_a_score_below_0_stays_where_there_is_no_floor() -> None:
    crossed = counts(([0, 2], [1, 3], [1, 3]))
    plain = Convention().score_classes(METRICS["kappa"], crossed)
    assert plain.min() < 0
    assert Convention(floor=0.1).score_classes(METRICS["kappa"], crossed).min() == 0


def test_thresholds_make_a_score_the_share_of_them_that_it_exceeds() -> None:
    levels = (0.2, 0.25, 0.5, 0.75)
    same(mean(TWO, pooling="image", thresholds=levels), ((2 / 4 + 1) / 2 + 1 / 4) / 2)
    undefined = mean(counts(([0], [0], [0])), thresholds=levels)
    assert np.isnan(undefined).all()


# Image one: class 0 iou 1/2, class 1 iou 1. Image two: class 0 iou 1/4, class 1 on neither side.
TWO = counts(([2, 3], [3, 3], [3, 3]), ([1, 0], [2, 0], [3, 0]))


@pytest.mark.parametrize(
    ("pooling", "expected"),
    [
        ("dataset", (3 / 8 + 1) / 2),
        ("image", (3 / 4 + 1 / 4) / 2),
        ("class", (3 / 8 + 1) / 2),
        ("pair", (1 / 2 + 1 + 1 / 4) / 3),
        ("micro", 6 / 11),
        ("image-micro", (5 / 7 + 1 / 4) / 2),
    ],
)
def test_pooling_decides_what_is_summed_and_averaged(pooling: str, expected: float) -> None:
    same(mean(TWO, pooling=pooling), expected)


@pytest.mark.parametrize("pooling", ["dataset", "image", "class", "pair", "micro", "image-micro"])
def test_excluded_classes_enter_no_mean(pooling: str) -> None:
    alone = counts(([2], [3], [3]), ([1], [2], [3]))
    for metric in ("iou", "dice", "precision", "recall"):
        same(mean(TWO, metric, (1,), pooling=pooling), mean(alone, metric, pooling=pooling))


@pytest.mark.parametrize("pooling", ["micro", "image-micro"])
@pytest.mark.parametrize("excluded", [(0,), (1,)])
def test_the_generalized_dice_of_summed_classes_is_their_dice(
    pooling: str, excluded: tuple[int, ...]
) -> None:
    plain = mean(TWO, "dice", excluded, pooling=pooling, absent="zero")
    axes: dict[str, Any] = {"pooling": pooling, "absent": "zero", "generalized": "simple"}
    same(mean(TWO, "dice", excluded, **axes), plain)


# The second image holds nothing of the two classes.
EMPTY = counts(([1, 0], [2, 0], [1, 0]), ([0, 0], [0, 0], [0, 0]))


@pytest.mark.parametrize(
    ("axes", "expected"),
    [
        ({"pooling": "image"}, 1 / 2),
        ({"pooling": "image", "empty": "zero"}, 1 / 4),
        ({"pooling": "image", "empty": "one"}, 3 / 4),
        ({"pooling": "image", "empty": "undefined"}, NAN),
        ({"pooling": "image", "absent": "one"}, (3 / 4 + 1) / 2),
        ({"pooling": "image", "absent": "one", "void_image": "skip"}, 3 / 4),
        ({"pooling": "image-micro", "absent": "one"}, 3 / 4),
        ({"pooling": "class"}, 1 / 2),
        ({"pooling": "class", "empty": "zero"}, 1 / 4),
        ({"pooling": "class", "empty": "undefined"}, NAN),
    ],
)
def test_what_an_image_or_a_class_without_a_value_is_worth(
    axes: dict[str, Any], expected: float
) -> None:
    same(mean(EMPTY, **axes), expected)


def test_an_undefined_class_that_is_excluded_harms_no_mean() -> None:
    same(mean(EMPTY, excluded=(1,), pooling="class", empty="undefined"), 1 / 2)
    same(mean(ONE, excluded=(3,), absent="undefined"), 1 / 2 / 4)


def test_the_mean_of_nothing() -> None:
    nothing = counts(([0, 0], [0, 0], [0, 0]))
    for pooling in ("dataset", "pair", "class", "micro"):
        same(mean(nothing, pooling=pooling), NAN)
        same(mean(nothing, nothing="zero", pooling=pooling), 0.0)
    same(mean(nothing, nothing="zero", absent="undefined"), NAN)


def test_an_image_whose_classes_weigh_nothing() -> None:
    invented = counts(([2, 0], [4, 0], [2, 0]), ([0, 0], [0, 0], [0, 5]))
    axes: dict[str, Any] = {"pooling": "image", "weights": "support"}
    same(mean(invented, **axes), 1 / 2)
    same(mean(invented, weightless="zero", **axes), 1 / 4)
    same(mean(invented, weightless="mean", pred_only="one", **axes), 3 / 4)


def test_weights_must_fit_the_classes() -> None:
    with pytest.raises(SettingError, match="2 weights do not fit 5 classes"):
        mean(ONE, weights=(1.0, 2.0))


def test_vectors_of_classes_follow_the_pooling() -> None:
    iou = METRICS["iou"]
    for pooling, expected in (
        ("dataset", [1 / 2, NAN]),
        ("micro", [1 / 2, NAN]),
        ("image", [1 / 2, NAN]),
        ("class", [1 / 2, 0.0]),
    ):
        convention = Convention(pooling=pooling, empty="zero")  # type: ignore[arg-type]
        scores = class_scores(convention, iou, Sample.of(EMPTY))
        np.testing.assert_array_equal(scores, [expected])


def test_values_of_images_follow_the_convention() -> None:
    iou, dice = METRICS["iou"], METRICS["dice"]
    np.testing.assert_array_equal(image_scores(Convention(), iou, TWO, ()), [3 / 4, 1 / 4])
    micro = Convention(pooling="micro")
    np.testing.assert_array_equal(image_scores(micro, iou, TWO, ()), [5 / 7, 1 / 4])
    generalized = Convention(pooling="image", generalized="uniform")
    np.testing.assert_array_equal(image_scores(generalized, dice, TWO, ()), [10 / 12, 2 / 5])


def test_generalized_dice_by_hand() -> None:
    pool = counts(([2, 0, 0], [4, 1, 0], [2, 0, 3]))
    for weighting, unseen, expected in (
        ("uniform", "zero", 4 / (6 + 1 + 3)),
        ("simple", "zero", 4 / 4 / (6 / 4 + 1)),
        ("simple", "largest", 4 / 4 / (6 / 4 + 1 + 3)),
        ("square", "largest", 4 / 16 / (6 / 16 + 1 + 3)),
    ):
        score = generalized_dice(pool, weighting, unseen=unseen)  # type: ignore[arg-type]
        same(float(score[0]), expected)
    invented = counts(([0, 0], [0, 0], [0, 3]), ([0, 0], [0, 0], [0, 0]))
    for unseen in ("zero", "largest"):
        scores = generalized_dice(invented, "square", unseen=unseen)  # type: ignore[arg-type]
        np.testing.assert_array_equal(scores, [0.0, NAN])
    axes: dict[str, Any] = {"pooling": "image", "generalized": "square"}
    same(mean(invented, "dice", absent="one", **axes), 1 / 2)
    same(mean(invented, "dice", absent="zero", **axes), 0.0)


def test_specificity_follows_its_formula_on_one_side_too() -> None:
    specificity = METRICS["specificity"]
    scores = Convention().score_classes(specificity, ONE)[0]
    np.testing.assert_allclose(scores, [1 - 2 / 5, 1 - 1 / 11, 1.0, NAN, 1 - 4 / 8])
    everywhere = counts(([0], [3], [0]))
    assert Convention().score_classes(specificity, everywhere)[0].tolist() == [0.0]
    skipped = Convention(pred_only="skip").score_classes(specificity, ONE)[0]
    assert np.isnan(skipped).tolist() == [False, True, False, True, False]


def test_undefined_values_make_the_worst_share_undefined_as_the_mean() -> None:
    values = np.array([[0.5], [NAN], [0.1]])
    assert np.isnan(mean_of_worst(values, 34, propagates=np.isnan(values))).all()
    assert mean_of_worst(values, 67) == [0.1]
    assert mean_of_worst(values, 100) == [0.3]
    run = made_run(*[(frozen([[0, 1]]), frozen([[0, 1]]))] * 3, (frozen([[0, 0]]),) * 2)
    for pooling in ("image", "class"):
        convention = Convention(pooling=pooling, absent="undefined", worst=50)
        summary = score_run(run, numbered("two", range(2)), convention).summary
        assert math.isnan(summary["miou"])
        assert math.isnan(summary["miou_worst50"])


def test_the_worst_share_of_a_class_without_images() -> None:
    for empty, expected in (("skip", 1 / 2), ("zero", 1 / 4), ("undefined", NAN)):
        convention = Convention(pooling="class", empty=empty, worst=50)  # type: ignore[arg-type]
        same(float(worst_mean(convention, METRICS["iou"], Sample.of(EMPTY), ())[0]), expected)


@pytest.mark.parametrize(
    ("axes", "expected"),
    [
        ({"pooling": "dataset"}, 2),
        ({"pooling": "image"}, 1),
        ({"pooling": "image", "void_image": "skip"}, 1),
        ({"pooling": "image", "empty": "zero"}, 3),
        ({"pooling": "image", "empty": "zero", "void_image": "skip"}, 2),
        ({"pooling": "image", "absent": "one"}, 3),
        ({"pooling": "image-micro"}, 1),
        ({"pooling": "image-micro", "absent": "undefined"}, 3),
        ({"pooling": "class", "empty": "zero"}, 1),
        ({"pooling": "pair"}, 1),
    ],
)
def test_images_of_a_mean_are_counted(axes: dict[str, Any], expected: int) -> None:
    images = counts(([4, 1], [4, 2], [4, 1]), ([3, 0], [3, 0], [3, 0]), ([0, 0], [0, 0], [0, 0]))
    number = count_images_in_means(Convention(**axes), Sample.of(images), [0])
    assert number["miou"] == number["mdice"] == expected
    assert number["pixel_accuracy"] == 2


def test_classes_of_a_mean_are_counted() -> None:
    def number(images: ClassCounts, metric: str = "iou", **axes: Any) -> int:
        counts = count_classes_in_means(Convention(**axes), Sample.of(images), (0,))
        return counts[METRICS[metric].mean]

    assert number(ONE) == 3
    assert number(ONE, absent="one") == 4
    assert number(ONE, pred_only="skip", truth_only="skip") == 1
    assert number(ONE, weights="support") == 2
    assert number(ONE, pooling="micro") == 4
    assert number(EMPTY, pooling="class", empty="zero") == 1


@pytest.mark.parametrize(
    ("axes", "message"),
    [
        ({"pooling": "city"}, "'city' is none of dataset, image"),
        ({"absent": "two"}, "'two' is none of skip, zero, one, undefined"),
        ({"pred_only": "half"}, "'half' is none of formula"),
        ({"weights": "area"}, "'area' is none of none, support"),
        ({"overrides": (("jaccard", "absent", "one"),)}, "'jaccard' is none of iou"),
        ({"overrides": (("iou", "missing", "one"),)}, "'missing' is none of absent"),
        ({"smoothing": -1.0}, "smoothing is 0 or more, not -1.0"),
        ({"exclude": ["sky"]}, "exclude is a tuple"),
        ({"worst": 5.0}, "needs pooling by image or by class"),
    ],
)
def test_what_is_not_on_the_axes_is_refused(axes: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        Convention(**axes)


def test_the_signature_names_the_axes_that_deviate() -> None:
    assert Convention().signature_parts() == ["pooling:dataset", "absent:skip", "mean:all"]
    convention = Convention(
        like="made",
        pooling="image",
        classes="foreground",
        exclude=("sky",),
        weights=(1.0, 2.5),
        smoothing=1e-6,
        overrides=(("precision", "truth_only", "skip"),),
    )
    assert (
        convention.signature_parts()
        == (
            "like:made pooling:image absent:skip mean:foreground-sky precision.truth_only:skip "
            "smoothing:1e-06 weights:1,2.5"
        ).split()
    )
    assert replace(convention, like="").signature_parts()[0] == "pooling:image"


def test_the_foreground_is_all_but_the_background() -> None:
    truth, prediction = frozen([[0, 0, 1, 1]]), frozen([[0, 1, 1, 1]])
    run, foreground = made_run((truth, prediction)), Convention(classes="foreground")
    scores = score_run(run, numbered("two", range(2)), foreground)
    assert scores.summary["miou"] == 2 / 3
    assert scores.excluded == ["0"]
    assert scores.class_scores["iou"][0] == 1 / 2
    assert per_image(scores)["miou"].tolist() == [2 / 3]
    alone = made_run((frozen([[0, 0]]), frozen([[0, 0]])))
    assert math.isnan(score_run(alone, numbered("one", range(1)), foreground).summary["miou"])


@pytest.mark.parametrize("name", ["torchmetrics:dice-global-foreground", "nnunet"])
def test_the_first_class_found_is_not_the_background(name: str) -> None:
    run = made_run((frozen([[1, 1, 2, 2]] * 2), frozen([[1, 2, 2, 2]] * 2)))
    scores = score_run(run, numbered("found", [1, 2]), preset(name))
    assert scores.summary["mdice"] == pytest.approx((2 / 3 + 0.8) / 2)
    assert scores.excluded == []
