"""Values and laws of the losses on NumPy arrays; all arrays given to them are read-only."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made.losses import BINARY, CASES, GROUPS, IDS, MULTI, SHAPE, frozen, made

from segeval.losses import (
    bce_loss,
    bce_with_logits_loss,
    cross_entropy_loss,
    dice_coefficient,
    dice_loss,
    focal_loss,
    generalized_dice_loss,
    jaccard_loss,
    lovasz_hinge_loss,
    lovasz_softmax_loss,
    tversky_loss,
)

# Worked numbers, from the seed cases of the definitions.
MASK_TRUTH = frozen(np.array([[1, 0, 0], [0, 1, 1], [0, 0, 1]]))
MASK = frozen(np.array([[1, 0, 1], [0, 1, 0], [0, 0, 0]]))
SOFT = frozen(
    np.array(
        [
            [0.01, 0.03, 0.02, 0.02],
            [0.05, 0.12, 0.09, 0.07],
            [0.89, 0.85, 0.88, 0.91],
            [0.99, 0.97, 0.95, 0.97],
        ]
    )
)
SOFT_TRUTH = frozen(np.repeat([0, 0, 1, 1], 4).reshape(4, 4))
BCE_TRUTH = frozen(np.array([1, 0, 0, 1, 1]))
FOCAL_TRUTH = frozen(np.array([1, 1, 0, 1, 1]))


def test_dice_and_iou_of_the_worked_masks() -> None:
    assert dice_coefficient(MASK, MASK_TRUTH) == 2 * 2 / (2 * 2 + 1 + 2)
    assert dice_coefficient(MASK, MASK_TRUTH, smooth=1e-6) == pytest.approx(
        0.5714286326530524, abs=1e-15
    )
    assert 1 - jaccard_loss(MASK, MASK_TRUTH) == pytest.approx(0.4, abs=1e-15)
    assert 1 - lovasz_softmax_loss(MASK, MASK_TRUTH) == pytest.approx(0.4, abs=1e-15)


@pytest.mark.parametrize("smooth", [0, 1e-6, 1])
def test_soft_dice_of_the_worked_probabilities(smooth: float) -> None:
    expected = (2 * 7.41 + smooth) / (7.82 + 8.0 + smooth)
    assert dice_coefficient(SOFT, SOFT_TRUTH, smooth=smooth) == pytest.approx(expected, abs=1e-14)
    assert dice_loss(SOFT, SOFT_TRUTH, smooth=smooth) == pytest.approx(1 - expected, abs=1e-14)


def test_bce_of_the_worked_numbers() -> None:
    probabilities = np.array([0.4428, 0.3455, 0.4402, 0.7933, 0.6809])
    logits = np.array([-0.2296, -0.6389, -0.2405, 1.3451, 0.758])
    assert bce_loss(probabilities, BCE_TRUTH) == pytest.approx(0.4869, abs=1e-4)
    assert bce_with_logits_loss(logits, BCE_TRUTH) == pytest.approx(0.4869, abs=1e-4)


def test_focal_loss_of_the_worked_numbers() -> None:
    probabilities = np.array([0.2055, 0.6219, 0.2655, 0.4047, 0.4274])
    logits = np.array([-1.3521, 0.4975, -1.0178, -0.3859, -0.2923])
    options: dict[str, Any] = {"alpha": 1, "gamma": 2, "balanced": False}
    of_probabilities = focal_loss(probabilities, FOCAL_TRUTH, **options)
    assert of_probabilities == pytest.approx(0.3375, abs=2e-4)
    of_logits = focal_loss(logits, FOCAL_TRUTH, logits=True, **options)
    assert of_logits == pytest.approx(0.3375, abs=2e-4)


@pytest.mark.parametrize("loss", [dice_loss, jaccard_loss, tversky_loss])
def test_the_logarithm_of_an_overlap_is_that_of_its_ratio(loss: Any) -> None:
    values, truth, _ = made("multi")
    options: dict[str, Any] = {"ignore": 255, "smooth": 0.5, "reduction": "none"}
    found = loss(values, truth, log=True, **options)
    np.testing.assert_allclose(found, -np.log(1 - loss(values, truth, **options)), atol=1e-13)
    missed = loss(np.zeros((1, 4)), np.ones((1, 4)), log=True)
    assert missed == pytest.approx(-math.log(1e-7))


@pytest.mark.parametrize(("weighting", "power"), [("uniform", 0), ("simple", 1), ("square", 2)])
def test_the_generalised_dice_is_the_plain_definition(weighting: Any, power: int) -> None:
    values, truth, _ = made("multi")
    judged = truth != 255
    above, below, weights = [], [], []
    for k in range(4):
        hit = (truth == k) & judged
        weights.append(1.0 / hit.sum() ** power if hit.any() else 0.0)
        above.append(2 * values[:, k][hit].sum())
        below.append(values[:, k][judged].sum() + hit.sum())
    weights[3] = max(weights)  # class 3 is not in the truth
    expected = 1 - (np.dot(weights, above) + 0.1) / (np.dot(weights, below) + 0.1)
    found = generalized_dice_loss(values, truth, ignore=255, weighting=weighting, smooth=0.1)
    assert found == pytest.approx(expected, abs=1e-13)


def test_the_generalised_dice_of_each_image_is_its_own() -> None:
    values, truth, _ = made("multi")
    each = generalized_dice_loss(values, truth, ignore=255, per_image=True, reduction="none")
    alone = [generalized_dice_loss(v, t, ignore=255) for v, t in zip(values, truth, strict=True)]
    assert each.tolist() == pytest.approx(alone, abs=1e-15)
    with pytest.raises(ValueError, match="weighting must be one of"):
        generalized_dice_loss(values, truth, ignore=255, weighting="cubic")  # type: ignore[arg-type]


@pytest.mark.parametrize("group", ["binary", "multi", "logit", "logits"])
def test_the_normalised_focal_loss_is_a_weighted_mean_of_cross_entropies(group: str) -> None:
    values, truth, _ = made(group)
    options: dict[str, Any] = {"ignore": 255, "logits": group.startswith("logit")}
    surprise = focal_loss(values, truth, gamma=0.0, reduction="none", **options)
    focus = (1 - np.exp(-surprise)) ** 3
    expected = (focus * surprise).sum() / focus[truth != 255].sum()
    found = focal_loss(values, truth, gamma=3.0, normalized=True, **options)
    assert found == pytest.approx(expected, abs=1e-12)
    plain = focal_loss(values, truth, gamma=3.0, **options)
    assert found > plain


def plain_lovasz(errors: Any, foreground: Any, weights: Any) -> float:
    """Follow the definition: the loss of each set of worst pixels, times the step to the next."""
    order = sorted(range(len(errors)), key=lambda i: -errors[i])
    total = math.fsum(weights[foreground])
    value, before, hit, union = 0.0, 0.0, total, total
    for i in order:
        if foreground[i]:
            hit -= weights[i]
        else:
            union += weights[i]
        after = 1 - hit / union if union > 0 else 0.0
        value += errors[i] * (after - before)
        before = after
    return value


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_lovasz_softmax_equals_the_plain_definition(dtype: type, *, weighted: bool) -> None:
    values, truth, weights = made("multi", dtype=dtype)
    valid = truth != 255
    own = weights if weighted else np.ones_like(weights)
    expected = [
        plain_lovasz(abs((truth == k) - values[:, k])[valid], (truth == k)[valid], own[valid])
        for k in range(4)
    ]
    options: dict[str, Any] = {
        "weights": weights if weighted else None,
        "ignore": 255,
        "classes": "all",
    }
    found = lovasz_softmax_loss(values, truth, reduction="none", **options)
    np.testing.assert_allclose(found, expected, atol=1e-6 if dtype == np.float32 else 1e-13)
    mean = lovasz_softmax_loss(values, truth, ignore=255)
    if not weighted:
        assert mean == pytest.approx(np.mean(expected[:3]), abs=1e-6)


def test_the_hinge_equals_the_plain_definition() -> None:
    values, truth, _ = made("logit")
    means = []
    for z, t in zip(values, truth, strict=True):
        valid = t != 255
        errors = np.maximum(0, 1 - z * (2 * t - 1))[valid]
        means.append(plain_lovasz(errors, (t == 1)[valid], np.ones(valid.sum())))
    found = lovasz_hinge_loss(values, truth, ignore=255, per_image=True, reduction="none")
    np.testing.assert_allclose(found, means, atol=1e-13)


masks = st.integers(2, 5).flatmap(
    lambda k: st.lists(
        st.tuples(st.integers(0, k - 1), st.integers(0, k - 1)), min_size=1, max_size=40
    ).map(lambda pairs: (k, np.array(pairs)))
)


@given(masks, st.sampled_from([np.float32, np.float64, np.int64, bool]))
@settings(max_examples=200, deadline=None)
def test_lovasz_on_one_hot_is_exactly_one_minus_iou(drawn: tuple[int, Any], dtype: type) -> None:
    classes, pairs = drawn
    truth, prediction = pairs[None, :, 0], pairs[None, :, 1]
    numbers = np.arange(classes)[:, None, None]
    one_hot = frozen((prediction == numbers).astype(dtype))
    common = ((truth == numbers) & (prediction == numbers)).sum(axis=(1, 2))
    union = ((truth == numbers) | (prediction == numbers)).sum(axis=(1, 2))
    iou = np.where(union > 0, common / np.maximum(union, 1), 1.0)
    found = lovasz_softmax_loss(one_hot, frozen(truth), classes="all", reduction="none")
    assert found.tolist() == (1 - iou).tolist()
    soft = jaccard_loss(one_hot, truth, reduction="none")
    np.testing.assert_allclose(soft, 1 - iou, atol=1e-15)


@pytest.mark.parametrize(("group", "name"), CASES, ids=IDS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_permuting_pixels_changes_nothing(group: str, name: str, dtype: type) -> None:
    loss = GROUPS[group][name]
    values, truth, weights = made(group, dtype=dtype)
    order = np.random.default_rng(1).permutation(30)

    def permuted(array: Any) -> Any:
        return array.reshape(*array.shape[:-2], 30)[..., order].reshape(array.shape)

    for own in (None, weights):
        moved = None if own is None else permuted(own)
        assert loss(permuted(values), permuted(truth), ignore=255, weights=moved) == pytest.approx(
            loss(values, truth, ignore=255, weights=own), abs=1e-12
        )


@pytest.mark.parametrize(("group", "name"), CASES, ids=IDS)
def test_void_pixels_are_as_if_they_were_cut_out(group: str, name: str) -> None:
    loss = GROUPS[group][name]
    values, truth, _ = made(group, void=0)
    truth, values = truth.copy(), values.copy()
    truth[:, 2:] = 255
    expected = loss(values[..., :2, :], truth[:, :2])
    values[..., 2:, :] = np.nan
    assert loss(values, truth, ignore=255) == pytest.approx(expected, abs=1e-12)
    assert loss(values, truth, ignore=[255, 254]) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(("group", "name"), CASES, ids=IDS)
def test_only_void_pixels_cost_nothing(group: str, name: str) -> None:
    loss = GROUPS[group][name]
    values, truth, weights = made(group)
    void = frozen(np.full_like(truth, 255))
    perfect = 1.0 if name == "dice coefficient" else 0.0
    assert loss(values, void, ignore=255) == perfect
    assert loss(values, void, ignore=255, weights=weights) == perfect


@pytest.mark.parametrize(("group", "name"), CASES, ids=IDS)
def test_reductions_agree(group: str, name: str) -> None:
    loss = GROUPS[group][name]
    values, truth, _ = made(group, void=0)
    each = loss(values, truth, reduction="none")
    perfect = 1.0 if name == "dice coefficient" else 0.0
    assert loss(values, truth, reduction="sum") == pytest.approx(np.sum(each), abs=1e-12)
    if np.all(each != perfect) and not {"weighted", "normalised"} & set(name.split()):
        assert loss(values, truth) == pytest.approx(np.mean(each), abs=1e-12)


@pytest.mark.parametrize(("group", "name"), CASES, ids=IDS)
def test_float16_is_computed_in_more(group: str, name: str) -> None:
    loss = GROUPS[group][name]
    values, truth, _ = made(group)
    half = frozen(values.astype(np.float16))
    wide = loss(half.astype(np.float64), truth, ignore=255)
    assert loss(half, truth, ignore=255) == pytest.approx(wide, rel=1e-5, abs=1e-5)


@pytest.mark.parametrize(("group", "name"), CASES, ids=IDS)
def test_weights_of_one_change_nothing(group: str, name: str) -> None:
    loss = GROUPS[group][name]
    values, truth, weights = made(group)
    ones = np.ones_like(weights)
    plain = loss(values, truth, ignore=255)
    assert loss(values, truth, ignore=255, weights=ones) == pytest.approx(plain, abs=1e-12)


@pytest.mark.parametrize("name", BINARY)
def test_one_channel_is_binary(name: str) -> None:
    values, truth, _ = made("binary")
    expected = BINARY[name](values, truth, ignore=255)
    assert BINARY[name](values[:, None], truth, ignore=255) == expected
    assert BINARY[name](values[:, None], truth[:, None], ignore=255) == expected


@pytest.mark.parametrize("name", ["dice", "focal", "lovasz all", "tversky", "cross-entropy"])
def test_many_blocks_give_what_one_gives(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    values, truth, weights = made("multi")
    expected = MULTI[name](values, truth, ignore=255, weights=weights)
    monkeypatch.setattr("segeval.losses.arrays.BLOCK", 28)
    found = MULTI[name](values, truth, ignore=255, weights=weights)
    assert found == pytest.approx(expected, abs=1e-14)


@pytest.mark.parametrize("group", ["logit", "logits"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_losses_of_large_logits_are_finite(group: str, dtype: type) -> None:
    values, truth, _ = made(group, void=0)
    large = frozen((100 * np.sign(values)).astype(dtype))
    for name, loss in GROUPS[group].items():
        assert np.isfinite(loss(large, truth)), name
        assert np.isfinite(loss(frozen(1e30 * large), truth)), name


def test_logits_and_their_probabilities_cost_the_same() -> None:
    logits, truth, _ = made("logits")
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    for name, loss in MULTI.items():
        expected = loss(probabilities, truth, ignore=255)
        found = loss(logits, truth, ignore=255, logits=True)
        assert found == pytest.approx(expected, abs=1e-12), name


def test_two_classes_cost_what_their_foreground_does() -> None:
    values, truth, _ = made("binary")
    both = np.stack([1 - values, values], axis=1)
    choices: list[dict[str, Any]] = [
        {},
        {"alpha": 0.25},
        {"alpha": 2.0, "balanced": False, "gamma": 0.5},
    ]
    for options in choices:
        expected = focal_loss(values, truth, ignore=255, **options)
        found = focal_loss(both, truth, ignore=255, **options)
        assert found == pytest.approx(expected, abs=1e-14)
    found = cross_entropy_loss(both, truth, ignore=255)
    assert found == pytest.approx(bce_loss(values, truth, ignore=255), abs=1e-14)


def test_a_focal_loss_of_gamma_0_is_the_cross_entropy() -> None:
    values, truth, _ = made("multi")
    expected = cross_entropy_loss(values, truth, ignore=255)
    assert focal_loss(values, truth, ignore=255, gamma=0) == pytest.approx(expected, abs=1e-15)


def test_tversky_holds_dice_and_jaccard() -> None:
    values, truth, _ = made("multi")
    options: dict[str, Any] = {"ignore": 255, "reduction": "none"}
    np.testing.assert_allclose(
        tversky_loss(values, truth, **options), dice_loss(values, truth, **options), atol=1e-14
    )
    np.testing.assert_allclose(
        tversky_loss(values, truth, alpha=1, beta=1, **options),
        jaccard_loss(values, truth, **options),
        atol=1e-14,
    )


def test_soft_truths_lie_between_the_hard_ones() -> None:
    values, truth, _ = made("binary", void=0)
    soft = 0.9 * truth + 0.1 * (1 - truth)
    expected = 0.9 * bce_loss(values, truth) + 0.1 * bce_loss(values, 1 - truth)
    assert bce_loss(values, soft) == pytest.approx(expected, abs=1e-14)
    assert bce_loss(values, truth.astype(np.float32)) == bce_loss(values, truth)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_probabilities_of_0_and_1_cost_100_where_they_are_wrong(dtype: type) -> None:
    values = frozen(np.array([0, 1, 0, 1], dtype))
    each = bce_loss(values, np.array([0, 1, 1, 0]), reduction="none")
    assert each.tolist() == [0, 0, 100, 100]


def test_logarithms_are_exact_down_to_the_floor() -> None:
    tiny = frozen(np.array([1e-40, 1e-43, 1e-44]))
    each = bce_loss(tiny, np.ones(3), reduction="none")
    assert each.tolist() == [*(-np.log(tiny[:2])).tolist(), 100]


@pytest.mark.parametrize("name", ["dice", "jaccard", "lovasz", "lovasz all", "tversky"])
def test_pixels_of_weight_0_have_no_part_in_an_overlap(name: str) -> None:
    for group in ("binary", "multi"):
        values, truth, _ = made(group)
        loss = GROUPS[group].get(name, GROUPS[group]["dice"])
        weights = (truth != 255).astype(np.float64)
        judged = frozen(np.where(truth == 255, 0, truth))
        options = {"classes": [1], "reduction": "none"}
        expected = loss(values, truth, ignore=255, **options)
        np.testing.assert_allclose(loss(values, judged, weights=weights, **options), expected)
        absent = np.zeros_like(judged)
        expected = loss(values, np.where(truth == 255, 255, 0), ignore=255, **options)
        np.testing.assert_allclose(loss(values, absent, weights=weights, **options), expected)


def test_the_worst_pixel_has_no_part_in_the_lovasz_loss_if_its_weight_is_0() -> None:
    values, weights = np.array([[0.9, 0.25]]), np.array([[0.0, 1.0]])
    truth = np.zeros((1, 2), np.int64)
    assert lovasz_softmax_loss(values, truth, weights=weights, classes=[1]) == 0.25


def test_a_coefficient_of_no_scored_class_is_1() -> None:
    values, truth, _ = made("binary")
    nothing = np.zeros_like(truth)
    for reduction in ("mean", "none"):
        options: dict[str, Any] = {"classes": "present", "reduction": reduction}
        assert dice_coefficient(values, nothing, **options) == 1
        assert dice_loss(values, nothing, **options) == 0


def test_a_class_absent_from_both_sides_is_right() -> None:
    values = np.array([[[1.0, 0.0]], [[0.0, 1.0]], [[0.0, 0.0]]])
    truth = np.array([[0, 1]])
    for loss in (dice_loss, jaccard_loss, tversky_loss, lovasz_softmax_loss):
        found = loss(values, truth, classes="all", reduction="none")
        assert found.tolist() == [0, 0, 0], loss.__name__
    assert dice_coefficient(values, truth, reduction="none").tolist() == [1, 1, 1]


def test_nan_is_never_hidden_but_in_a_class_that_is_not_scored() -> None:
    values, truth, _ = made("multi", void=0)
    spoilt = values.copy()
    spoilt[0, 3, 0, 0] = np.nan
    assert np.isfinite(lovasz_softmax_loss(spoilt, truth))
    assert np.isnan(lovasz_softmax_loss(spoilt, truth, classes="all"))
    spoilt[0, :, 0, 0] = np.nan
    for name, loss in MULTI.items():
        assert np.isnan(loss(spoilt, truth)), name


def test_an_image_without_rows_costs_nothing() -> None:
    values, truth = np.zeros((4, 0, 6)), np.zeros((0, 6), np.int64)
    for name, loss in MULTI.items():
        assert loss(values, truth) == 0, name


@pytest.mark.parametrize(
    ("values", "truth", "options", "message"),
    [
        (np.zeros((3, 4, 5)), np.zeros((4, 6), int), {}, r"shape \(3, 4, 5\) .* \(4, 6\)"),
        (np.zeros((2, 3, 4, 5)), np.zeros((4, 5), int), {}, r"\(2, 3, 4, 5\) do not fit"),
        (np.zeros((0, 4, 5)), np.zeros((4, 5), int), {}, r"shape \(0, 4, 5\)"),
        (np.zeros((3, 4, 5)), np.full((4, 5), 3), {}, r"\(4, 5\) must lie in 0 to 2 .* 3 to 3"),
        (np.zeros((3, 4, 5)), np.full((4, 5), -1), {}, "found -1 to -1"),
        (np.zeros((3, 4, 5)), np.zeros((4, 5)), {}, "integers, found float64"),
        (np.zeros((4, 5)), np.full((4, 5), 2), {}, "must lie in 0 to 1"),
        (np.full((4, 5), 1.5), np.zeros((4, 5), int), {}, r"in \[0, 1\], found 1.5 to 1.5"),
        (np.zeros((4, 5), complex), np.zeros((4, 5), int), {}, "real numbers, found complex128"),
        (np.zeros((4, 5)), np.zeros((4, 5), int), {"reduction": "max"}, "found 'max'"),
        (
            np.zeros((4, 5)),
            np.zeros((4, 5), int),
            {"weights": np.zeros(5)},
            r"weights of shape \(5,\), but truth of shape \(4, 5\)",
        ),
    ],
)
@pytest.mark.parametrize("loss", [dice_loss, focal_loss, lovasz_softmax_loss, jaccard_loss])
def test_what_does_not_fit_is_refused(
    loss: Any, values: Any, truth: Any, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        loss(values, truth, **options)


def test_options_that_do_not_fit_are_refused() -> None:
    values, truth, _ = made("multi", void=0)
    with pytest.raises(ValueError, match="'present', 'all' or a list, found 'some'"):
        lovasz_softmax_loss(values, truth, classes="some")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"some of \[0, 1, 2, 3\], each once, found \[4\]"):
        dice_loss(values, truth, classes=[4])
    with pytest.raises(ValueError, match=r"found shape \(2, 5, 6\) .* use bce_loss"):
        cross_entropy_loss(values[:, 0], truth)
    with pytest.raises(ValueError, match=r"one logit a pixel, found .*\(2, 4, 5, 6\)"):
        lovasz_hinge_loss(values, truth)
    with pytest.raises(ValueError, match="2 factors for 4 classes"):
        focal_loss(values, truth, alpha=[1, 2])
    with pytest.raises(ValueError, match=r"class_weights of shape \(3,\) for 4 classes"):
        cross_entropy_loss(values, truth, class_weights=[1, 2, 3])
    with pytest.raises(ValueError, match="gamma must be 0 or more, found -1"):
        focal_loss(values, truth, gamma=-1)
    with pytest.raises(ValueError, match="0 or 1, found values between"):
        focal_loss(np.zeros((2, 2)), np.full((2, 2), 0.5))


def test_small_integer_truths_do_not_overflow() -> None:
    values, truth, _ = made("multi")
    for name, loss in MULTI.items():
        expected = loss(values, truth, ignore=255)
        assert loss(values, truth.astype(np.uint8), ignore=255) == expected, name
    assert truth.shape == (SHAPE[0], *SHAPE[2:])
