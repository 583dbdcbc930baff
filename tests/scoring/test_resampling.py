"""Chance as numbers: draws, intervals and p-values, against SciPy, by hand, and as laws."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from made.sets import frozen
from numpy.typing import NDArray
from scipy import stats

from segeval.counting.confusion import ClassCounts
from segeval.errors import SettingError
from segeval.presets.preset import load_presets, preset
from segeval.scoring import means as means_module
from segeval.scoring import sample as sample_module
from segeval.scoring.convention import Convention
from segeval.scoring.intervals import find_intervals
from segeval.scoring.means import image_scores, mean_of_worst, mean_over_images, summarize
from segeval.scoring.metrics import METRICS
from segeval.scoring.resampling import (
    Resampling,
    Units,
    draw,
    holm,
    percentile_interval,
    randomization_p,
    swap,
)
from segeval.scoring.sample import Sample, exact_weighted_sum

QUICK = Resampling(rounds=200)
WORST: dict[str, Any] = {"pooling": "class", "worst": 30}
CONVENTIONS = {
    **{pooling: Convention(pooling=pooling) for pooling in ("dataset", "image", "class", "pair")},
    "micro": Convention(pooling="micro", exclude=("1",)),
    "image-micro": Convention(pooling="image-micro"),
    "worst images": Convention(pooling="image", worst=30),
    "worst of classes": Convention(**WORST),
    "spoilt": Convention(pooling="image", pred_only="undefined"),
    "weighed": Convention(pooling="image", weights="support", weightless="mean"),
    "skipping": Convention(pooling="image", void_image="skip", absent="one"),
    **{name: preset(name) for name in load_presets()},
}


def images_of(seed: int, images: int = 12, classes: int = 4) -> ClassCounts:
    """Make counts of images; some classes are rare, on one side only, or nowhere."""
    random = np.random.default_rng(seed)
    there = random.random((images, classes)) < np.linspace(1, 0.15, classes)
    support = np.where(there, random.integers(1, 50, (images, classes)), 0)
    tp = (support * random.random((images, classes))).astype(np.int64)
    tp[:, 0] = support[:, 0]
    invented = np.where(random.random((images, classes)) < 0.2, 1, 0)
    support[0] = tp[0] = invented[0] = 0
    predicted = tp + np.minimum(invented, (support - tp).sum(axis=1, keepdims=True))
    return ClassCounts(
        tp=frozen(tp, "int64"),
        support=frozen(support, "int64"),
        predicted=frozen(predicted, "int64"),
        total=frozen(support.sum(axis=1), "int64"),
    )


def repeated(images: ClassCounts, times: NDArray[Any]) -> ClassCounts:
    """Write down each image as often as it is drawn."""
    rows = np.repeat(np.arange(times.size), times.astype(int))
    return ClassCounts(
        tp=images.tp[rows],
        support=images.support[rows],
        predicted=images.predicted[rows],
        total=images.total[rows],
    )


@pytest.mark.parametrize("name", CONVENTIONS)
def test_a_drawing_scores_like_the_images_written_down_as_often(name: str) -> None:
    convention, images = CONVENTIONS[name], images_of(1)
    units = Units.of([""] * 12)
    draws = next(draw(units, Resampling(rounds=100)))[:12]
    scores = summarize(convention, Sample.of(images, draws), (1,))
    for row, times in enumerate(draws):
        alone = summarize(convention, Sample.of(repeated(images, times)), (1,))
        for key, value in alone.means.items():
            np.testing.assert_allclose(scores.means[key][row], value[0], rtol=1e-12, err_msg=key)
        for key, values in alone.classes.items():
            np.testing.assert_allclose(scores.classes[key][row], values[0], rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("pooling", ["dataset", "image", "class", "pair", "micro", "image-micro"])
def test_intervals_are_those_of_scipy(pooling: Any) -> None:
    convention, images = Convention(pooling=pooling), images_of(2)
    found = find_intervals(convention, images, (), Units.of([""] * 12), QUICK)

    @functools.cache
    def means(*times: int) -> Mapping[str, Any]:
        return summarize(convention, Sample.of(repeated(images, np.array(times))), ()).means

    for metric in ("miou", "mdice", "pixel_accuracy", "fwiou"):
        expected = stats.bootstrap(
            (np.arange(12),),
            lambda drawn, of=metric: float(
                means(*np.bincount(drawn, minlength=12).tolist())[of][0]
            ),
            n_resamples=200,
            method="percentile",
            vectorized=False,
            rng=np.random.default_rng(QUICK.seed),
        ).confidence_interval
        np.testing.assert_allclose(found.means[metric], expected, rtol=1e-12)


@pytest.mark.parametrize("groups", [[""] * 12, list("aabbbccd") + [""] * 4])
@pytest.mark.parametrize("name", ["dataset", "image", "class", "pair", "worst of classes"])
def test_the_size_of_the_blocks_changes_no_bit(name: str, groups: list[str]) -> None:
    images, units, few = images_of(3), Units.of(groups), Resampling(rounds=50)

    def scores(block: int) -> list[bytes]:
        parts = [
            summarize(CONVENTIONS[name], Sample.of(images, draws), ())
            for draws in draw(units, few, block=block)
        ]
        names = parts[0].means
        return [np.concatenate([part.means[n] for part in parts]).tobytes() for n in names]

    assert scores(1) == scores(7) == scores(16) == scores(50)
    swaps = [np.concatenate(list(swap(units, few, block=b))) for b in (1, 7, 50)]
    assert all(np.array_equal(swaps[0], other) for other in swaps)


@pytest.mark.parametrize("name", ["image", "class", "pair", "image-micro", "skipping", "weighed"])
def test_images_are_scored_once_for_all_that_is_drawn_of_them(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    convention, sample = CONVENTIONS[name], Sample.of(images_of(4))
    calls, score = [0], Convention.score_classes

    def counted(self: Convention, *given: Any) -> NDArray[np.float64]:
        calls[-1] += 1
        return score(self, *given)

    for block, draws in enumerate(draw(Units.of([""] * 12), Resampling(rounds=24), block=8)):
        anew = summarize(convention, Sample.of(sample.images, draws), (1,)).means
        if block == 2:  # as if there were too many images to keep their scores
            monkeypatch.setattr(sample_module, "KEPT", 0)
        with monkeypatch.context() as patched:
            patched.setattr(Convention, "score_classes", counted)
            known = summarize(convention, sample.drawn(draws), (1,)).means
        assert all(np.array_equal(known[each], anew[each], equal_nan=True) for each in anew)
        calls.append(0)
    assert calls[0] > calls[1] == 0 < calls[2]


@pytest.mark.parametrize("pooling", ["image", "pair", "image-micro"])
def test_images_are_scored_alike_in_blocks(pooling: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    how = Convention(pooling=pooling), METRICS["iou"], images_of(5), (2,)
    whole = image_scores(*how)
    monkeypatch.setattr(means_module, "AT_ONCE", 5)
    np.testing.assert_array_equal(image_scores(*how), whole)


def test_the_seed_decides() -> None:
    units = Units.of([""] * 30)
    one, same, other = (next(draw(units, Resampling(seed=seed))) for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_sums_do_not_depend_on_the_order_of_adding() -> None:
    random = np.random.default_rng(0)
    values, draws = random.random(1000), random.integers(0, 5, (3, 1000)).astype(float)
    order = random.permutation(1000)
    sums = exact_weighted_sum(draws, values)
    assert np.array_equal(sums, exact_weighted_sum(draws[:, order], values[order]))
    assert sums.tolist() == [
        math.fsum(d * v for d, v in zip(r, values, strict=True)) for r in draws
    ]
    big = exact_weighted_sum(np.array([[3.0, 1.0]]), np.array([2**51 - 1, 1]))
    assert big.tolist() == [3 * (2**51 - 1) + 1]


def test_images_of_a_group_are_drawn_together() -> None:
    units = Units.of(["a", "", "b", "a", ""])
    assert (units.kind, units.count) == ("groups", 4)
    for draws in draw(units, QUICK):
        assert np.array_equal(draws[:, 0], draws[:, 3])
        assert set((draws[:, [0, 1, 2, 4]]).sum(axis=1).tolist()) == {4.0}
    for swaps in swap(units, QUICK):
        assert np.array_equal(swaps[:, 0], swaps[:, 3])
        assert set(swaps.reshape(-1).tolist()) == {0.0, 1.0}


def test_undefined_rounds_are_left_out_of_an_interval() -> None:
    values = np.array([[0.1, np.nan, np.nan], [0.3, 0.5, np.nan]])
    low, high = percentile_interval(values)
    np.testing.assert_allclose(low, [0.105, 0.5, np.nan])
    np.testing.assert_allclose(high, [0.295, 0.5, np.nan])


@pytest.mark.parametrize(
    ("rounds", "expected"),
    [
        ([math.inf] * 50, (math.inf, math.inf)),
        ([-math.inf] * 50, (-math.inf, -math.inf)),
        ([1.0] * 45 + [math.inf] * 5, (1, math.inf)),
        ([-math.inf] * 5 + [1.0] * 45, (-math.inf, 1)),
        ([-math.inf, math.inf, math.nan], (-math.inf, math.inf)),
        ([*range(41), math.inf], (1.025, 39.975)),
    ],
)
def test_an_interval_with_infinite_ends_is_what_it_is(
    rounds: list[float], expected: tuple[float, float]
) -> None:
    bounds = percentile_interval(np.array([rounds, [0.5] * len(rounds)]).T)
    assert bounds.T.tolist() == [pytest.approx(expected), [0.5, 0.5]]


def test_p_by_hand() -> None:
    swapped = np.array([[0.1, 0.0, np.nan], [-0.3, 0.0, 0.4], [0.2, 0.0, 0.1]])
    p = randomization_p(np.array([0.2, 0.0, 0.3]), swapped)
    assert p.tolist() == [3 / 4, 1.0, 2 / 3]
    assert np.isnan(randomization_p(np.array([np.nan]), swapped[:, :1])).all()


def test_holm_by_hand() -> None:
    p = np.array([0.01, np.nan, 0.04, 0.03, 0.5])
    np.testing.assert_allclose(holm(p), [0.04, np.nan, 0.09, 0.09, 0.5])
    assert holm(np.array([0.6, 0.7])).tolist() == [1.0, 1.0]


def test_the_worst_share_of_what_is_drawn() -> None:
    values = np.array([[0.5], [0.1], [np.nan], [0.9]])
    draws = np.array([[1.0, 2, 0, 1], [4, 0, 0, 0], [0, 0, 4, 0], [1, 1, 1, 1]])
    assert mean_of_worst(values, 75, draws=draws)[:2].tolist() == [[0.7 / 3], [0.5]]
    assert np.isnan(mean_of_worst(values, 75, draws=draws)[2, 0])
    spoilt = np.isnan(values)
    reached = mean_of_worst(values, 100, propagates=spoilt, draws=draws)[:, 0]
    assert np.isnan(reached).tolist() == [False, False, True, True]
    assert np.isnan(mean_of_worst(values, 25, propagates=spoilt, draws=draws)[3, 0])


def test_one_spoilt_value_spoils_a_drawing_and_only_those_that_hold_it() -> None:
    support, predicted = frozen([[4, 0]] * 3, "int64"), frozen([[4, 0], [4, 0], [4, 1]], "int64")
    images = ClassCounts(
        tp=support, support=support, predicted=predicted, total=frozen([4, 4, 4], "int64")
    )
    draws = np.array([[1.0, 1, 1], [2, 1, 0], [0, 0, 3]])
    for pooling in ("image", "class", "pair"):
        convention = Convention(pooling=pooling, pred_only="undefined")
        means = summarize(convention, Sample.of(images, draws), ()).means["miou"]
        np.testing.assert_array_equal(means, [np.nan, 1.0, np.nan])


def test_means_over_images_follow_the_draws() -> None:
    images, draws = images_of(4, images=3), np.array([[3.0, 0, 0], [1, 1, 1], [0, 2, 1]])
    means = mean_over_images(np.array([np.nan, 0.25, 1.0]), Sample.of(images, draws))
    np.testing.assert_array_equal(means, [np.nan, 0.625, 0.5])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"rounds": 9}, "the number of resamples is 10 to 100000"),
        ({"rounds": 100_001}, "--ci 100001"),
        ({"seed": -1}, "--seed is 0 or more, not -1"),
    ],
)
def test_resamplings_that_make_no_sense_are_refused(settings: dict[str, int], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        Resampling(**settings)
