"""Objects and their matches, against every pair looked at by itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from made.objects import aggregated_jaccard, best_matches, held_by, ids_of, overlaps, run_of
from numpy.typing import NDArray

from segeval.labels.ids import object_labels
from segeval.labels.labelmap import numbered
from segeval.objects.counts import ObjectCounts, count_objects
from segeval.objects.matching import match
from segeval.objects.rules import ObjectRules
from segeval.objects.scores import score_counts, summarize_objects
from segeval.objects.table import find_objects

LEVELS = (0.1, 0.25, 0.4, 0.5, 0.6, 0.75)


def masks(seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Two label maps of a few blocks and stripes, with gaps in the ids."""
    random = np.random.default_rng(seed)
    side = int(random.integers(3, 9))
    truth, prediction = np.zeros((2, side, side), np.int64)
    for mask in (truth, prediction):
        for _ in range(random.integers(0, 7)):
            top, left = random.integers(0, side, 2)
            height, width = random.integers(1, side + 1, 2)
            mask[top : top + height, left : left + width] = random.choice([1, 2, 5, 300, 70_000])
    return truth, prediction


def counted(*pairs: tuple[NDArray[np.int64], NDArray[np.int64]], **rules: Any) -> ObjectCounts:
    table = find_objects(run_of(*pairs), object_labels())
    return count_objects(table, ObjectRules(**rules))


def test_counts_are_those_of_every_pair_of_objects_looked_at() -> None:
    pairs = [masks(seed) for seed in range(120)]
    counts = counted(*pairs, thresholds=LEVELS)
    scores = score_counts(counts, ObjectRules(thresholds=LEVELS))
    for n, (truth, prediction) in enumerate(pairs):
        sizes = len(ids_of(truth)), len(ids_of(prediction))
        iou = overlaps(truth, prediction)
        for t, level in enumerate(LEVELS):
            tp, total = best_matches(iou, level)
            found = [int(getattr(counts, name)[n, 0, 0, t]) for name in ("tp", "fp", "fn")]
            assert found == [tp, sizes[1] - tp, sizes[0] - tp], (n, level)
            assert counts.iou[n, 0, 0, t] == pytest.approx(total), (n, level)
        everyone = sum(sizes) - counts.tp[n, 0, 0]
        if everyone[-1]:
            dice = 2 * iou / (1 + iou)
            most = dice[iou >= LEVELS[-1]].sum() / everyone[-1]  # above 0.5 all that fit match
            assert scores["object_dice"][n, 0, 0, -1] == pytest.approx(most)
        assert counts.merges[n, 0, 0] == held_by(truth, prediction)
        assert counts.splits[n, 0, 0] == held_by(prediction, truth)
        aji = aggregated_jaccard(truth, prediction)
        assert scores["aji"][n, 0, 0] == pytest.approx(aji, nan_ok=True)


def test_of_two_halves_one_matches_at_one_half_without_scipy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("segeval.objects.matching._solver", None)
    truth, halves = np.array([[7, 7, 0]]), np.array([[1, 2, 0]])
    for one, other in ((truth, halves), (halves, truth)):
        counts = counted((one, other), thresholds=(0.5, 0.55))
        assert counts.tp[0, 0, 0].tolist() == [1, 0]
        strict = counted((one, other), thresholds=(0.5,), strict=True)
        assert strict.tp.sum() == 0


def test_the_highest_iou_first_can_find_fewer_matches() -> None:
    truth, prediction = np.array([[1, 1, 1, 1, 2, 2]]), np.array([[8, 9, 9, 9, 9, 0]])
    table = find_objects(run_of((truth, prediction)), object_labels())
    most = match(table, ObjectRules(matching="most"), 0.2)
    greedy = match(table, ObjectRules(matching="greedy"), 0.2)
    assert (most.size, greedy.size) == (2, 1)
    assert table.overlaps.iou[greedy].tolist() == [0.6]


def test_void_leaves_the_union_and_hides_what_lies_mostly_in_it() -> None:
    truth = np.array([[1, 1, 9, 9, 9, 9, 9, 0]])
    prediction = np.array([[4, 4, 4, 5, 5, 6, 6, 6]])
    table = find_objects(run_of((truth, prediction)), object_labels(void=(9,)))
    counts = count_objects(table, ObjectRules(thresholds=(0.5,)))
    assert counts.iou.item() == 1  # 4 and its third pixel, which is void
    assert (counts.tp.item(), counts.fp.item(), counts.fn.item()) == (1, 0, 0)
    prediction[0, 5] = 5
    prediction[0, 4] = 0
    wrong = count_objects(
        find_objects(run_of((truth, prediction)), object_labels(void=(9,))),
        ObjectRules(thresholds=(0.5,)),
    )
    assert wrong.fp.item() == 1  # 6 has one of two pixels in void: no more than half


def test_objects_match_within_their_class_only() -> None:
    truth, prediction = np.array([[0, 1, 1, 2, 2]]), np.array([[0, 1, 1, 1, 2]])
    table = find_objects(run_of((truth, prediction)), numbered("found", range(4)))
    counts = count_objects(table, ObjectRules(thresholds=(0.5, 0.75)))
    assert table.kinds == ("1", "2", "3")
    assert counts.tp[0, :, 0].tolist() == [[1, 0], [1, 0], [0, 0]]
    assert counts.fp[0, :, 0].tolist() == [[0, 1], [0, 1], [0, 0]]


def test_bins_take_a_match_by_the_size_of_its_true_object() -> None:
    truth = np.array([[1, 1, 1, 1, 0, 0, 0, 5, 0]])
    prediction = np.array([[3, 3, 3, 0, 0, 4, 4, 0, 6]])
    counts = counted((truth, prediction), thresholds=(0.5,), sizes=(2, 4))
    assert counts.tp[0, 0, :, 0].tolist() == [0, 0, 1]
    assert counts.fp[0, 0, :, 0].tolist() == [1, 1, 0]  # 6 is smaller than every bin
    assert counts.fn[0, 0, :, 0].tolist() == [1, 0, 0]


def test_scores_of_nothing_are_undefined_and_those_of_one_side_are_zero() -> None:
    empty, full = np.zeros((2, 2), np.int64), np.ones((2, 2), np.int64)
    pairs = [(empty, empty), (empty, full), (full, empty), (full, full)]
    counts = counted(*pairs, thresholds=(0.5,))
    for name, values in score_counts(counts, ObjectRules(thresholds=(0.5,))).items():
        assert values.ravel()[1:].tolist() == [0, 0, 1], name
        assert np.isnan(values.ravel()[0]), name
    means = {
        empty: summarize_objects(
            counts, ObjectRules(thresholds=(0.5,), pooling="image", empty=empty)
        )["pq"].item()
        for empty in ("skip", "zero", "one")
    }
    assert means == {"skip": pytest.approx(1 / 3), "zero": 0.25, "one": 0.5}


def test_resamples_are_sets_in_which_images_occur_as_often_as_drawn() -> None:
    pairs = [masks(seed) for seed in range(6)]
    drawn = np.array([0, 0, 3, 4, 4, 5])
    weights = np.bincount(drawn, minlength=6)[None].astype(float)
    for pooling in ("dataset", "image"):
        rules = ObjectRules(pooling=pooling)
        once = summarize_objects(counted(*pairs), rules, weights)
        again = summarize_objects(counted(*(pairs[n] for n in drawn)), rules)
        for name, values in again.items():
            assert once[name] == pytest.approx(values, rel=1e-12, nan_ok=True), name
