"""Two runs over the same images: differences, chance, and what cannot be compared."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from made.sets import frozen, made_run
from runs.chances import (
    CHOICE,
    as_run,
    coverage,
    false_alarms,
    made_images,
    real_difference,
    worsened,
)

import segeval
from segeval.counting.alignment import align
from segeval.errors import DataError, RunError
from segeval.labels.labelmap import numbered
from segeval.scoring.compare import compare_runs
from segeval.scoring.convention import Convention
from segeval.scoring.resampling import Resampling
from segeval.scoring.score import score_run

QUICK = Resampling(rounds=300)


@pytest.mark.slow
def test_intervals_cover_and_tests_err_as_often_as_they_say() -> None:
    assert 0.86 <= coverage(60) <= 1.0
    assert false_alarms(60) <= 0.12
    delta, p = real_difference()
    assert -0.025 < delta < -0.015
    assert p < 0.01


@pytest.mark.parametrize("pooling", ["dataset", "image", "class", "pair", "micro", "image-micro"])
def test_p_is_that_of_all_swaps(pooling: Any) -> None:
    random = np.random.default_rng(5)
    first = made_images(random, 7)
    second = worsened(first, random, 0.03)
    second[:3] = worsened(first[:3], random, 0.0)
    second[5] = first[5]
    first[6] = worsened(first[6:], random, 0.2)[0]
    convention = Convention(pooling=pooling)
    rounds = Resampling(rounds=20_000)
    (found,) = compare_runs([as_run(first), as_run(second)], CHOICE, convention, resampling=rounds)
    labels = numbered("x", range(5))

    def miou(counts: Any) -> float:
        return score_run(as_run(counts), labels, convention).summary["miou"]

    observed = abs(miou(second) - miou(first))
    reached = []  # a swap and its opposite differ by the same, so one of both will do
    for coins in itertools.product([False, True], repeat=6):
        swap = np.array([False, *coins])[:, None, None]
        delta = miou(np.where(swap, first, second)) - miou(np.where(swap, second, first))
        reached.append(abs(delta) >= observed - 1e-12)
    assert found.means["miou"].p == pytest.approx(np.mean(reached), abs=0.015)
    assert found.means["miou"].delta == pytest.approx(miou(second) - miou(first))


def test_equal_runs_do_not_differ() -> None:
    run = as_run(made_images(np.random.default_rng(0), 30))
    (found,) = compare_runs([run, run], CHOICE, resampling=QUICK)
    for difference in (*found.means.values(), *found.classes.values()):
        assert (difference.delta == 0).all()
        assert (difference.bounds == 0).all()
        assert (difference.p == 1).all()


def test_exchanging_the_runs_turns_the_sign() -> None:
    random = np.random.default_rng(1)
    first = made_images(random, 30)
    runs = [as_run(first), as_run(worsened(first, random, 0.05))]
    (there,), (back,) = (compare_runs(r, CHOICE, resampling=QUICK) for r in (runs, runs[::-1]))
    for name, difference in there.means.items():
        np.testing.assert_array_equal(difference.delta, -back.means[name].delta)
        np.testing.assert_allclose(difference.bounds, -back.means[name].bounds[::-1])
        np.testing.assert_array_equal(difference.p, back.means[name].p)


def test_several_runs_have_one_baseline() -> None:
    random = np.random.default_rng(2)
    first = made_images(random, 30)
    worse = [as_run(worsened(first, random, share)) for share in (0.02, 0.04)]
    both = compare_runs([as_run(first), *worse], CHOICE, resampling=QUICK)
    alone = [compare_runs([as_run(first), run], CHOICE, resampling=QUICK)[0] for run in worse]
    for one, other in zip(both, alone, strict=True):
        assert one.means["miou"].delta == other.means["miou"].delta
        assert one.means["miou"].p == other.means["miou"].p


def test_a_class_that_is_in_no_image_of_one_run_has_no_difference() -> None:
    truth = frozen([[0, 1, 1, 1]])
    first = made_run((truth, frozen([[0, 1, 1, 2]])), (truth, frozen([[0, 1, 1, 1]])))
    second = made_run((truth, truth), (truth, truth))
    for runs in ([first, second], [second, first]):
        (found,) = compare_runs(runs, resampling=QUICK)
        assert found.scores.labels.names == ["0", "1", "2"]
    iou = found.classes["iou"]
    assert np.isnan(iou.delta).tolist() == [False, False, True]
    assert math.isnan(iou.p[2])
    assert math.isnan(iou.corrected[2])
    assert iou.undefined[2] == 300


def test_other_images_are_listed_or_waived() -> None:
    counts = made_images(np.random.default_rng(3), 8)
    whole, part = as_run(counts), as_run(counts[:6])
    with pytest.raises(RunError, match=r"run 2 lacks 2 images: 0006, 0007; type --common"):
        compare_runs([whole, part], CHOICE)
    (found,) = compare_runs([whole, part], CHOICE, resampling=QUICK, common=True)
    assert "common:6of8" in found.signature
    assert found.means["miou"].delta == 0
    with pytest.raises(RunError, match="no image in common"):
        align([whole.select([0, 1]), whole.select([2, 3])], common=True)


def test_other_truths_are_refused() -> None:
    counts = made_images(np.random.default_rng(4), 4)
    changed = counts.copy()
    changed[2, 0] += 1
    with pytest.raises(RunError, match=r"^0002: the truth"):
        compare_runs([as_run(counts), as_run(changed)], CHOICE)
    turned = counts[:, ::-1].copy()
    with pytest.raises(RunError, match=r"^0000 and 3 more"):
        compare_runs([as_run(counts), as_run(turned)], CHOICE)


def test_one_image_is_too_few() -> None:
    run = as_run(made_images(np.random.default_rng(0), 1))
    with pytest.raises(DataError, match="needs 2 images or more, and there is 1"):
        compare_runs([run, run], CHOICE)


def test_comparisons_from_python() -> None:
    random = np.random.default_rng(1)
    first = made_images(random, 30)
    runs = [
        segeval.Run(counted=run) for run in (as_run(first), as_run(worsened(first, random, 0.05)))
    ]
    contrast = segeval.compare(*runs, ci=200, seed=7)
    miou = contrast.summary["miou"]
    assert miou["low"] < miou["delta"] < miou["high"] < 0  # type: ignore[operator]
    assert "ci:200,95%,seed:7,images" in contrast.signature
    assert repr(contrast).startswith("Comparison(miou -0.0")
    assert len(contrast.images) == 30
    iou = contrast.classes.query("score == 'iou'")
    assert iou["name"].tolist() == ["0", "1", "2", "3", "4"]
    assert (iou["p_holm"] >= iou["p"]).all()
    result = runs[0].score(ci=200)
    low, high = result.intervals["miou"]
    assert low < result.summary["miou"] < high
    assert (result.classes["iou_low"] < result.classes["iou_high"]).all()
    assert runs[0].score().intervals == {}
