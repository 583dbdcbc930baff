"""Counts as narrow columns: the same numbers as int64, whole or in blocks."""

import gc
import pickle
import tracemalloc
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from made.sets import data_set, made_run

from segeval.counting import counts as module
from segeval.counting.contingency import ranked, tabulate
from segeval.counting.counts import Counts, narrowed
from segeval.counting.dataset import count_dataset
from segeval.counting.turned import _pixels
from segeval.settings import Source
from segeval.values import COLOR, NO_PREDICTION


def made() -> Counts:
    return Counts(
        image=[0, 0, 2, 2, 2, 3],
        truth=[0, 255, 1, 1, COLOR + 5, 7],
        prediction=[NO_PREDICTION, 0, 0, 1, 2, 300],
        pixels=[1, 2, 3, 4, 5, 1 << 40],
    )


@pytest.mark.parametrize(
    ("values", "width"),
    [([], 1), ([0, 255], 1), ([0, 256], 2), ([-1, 1], 4), ([1 << 31], 8), ([-(1 << 63)], 8)],
)
def test_columns_are_as_narrow_as_their_numbers(values: list[int], width: int) -> None:
    column = narrowed(np.array(values, np.int64))
    assert (column.itemsize, column.tolist()) == (width, values)


def test_blocks_hold_whole_images_and_all_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BLOCK", 2)
    blocks = [*made().blocks()]
    assert [block.image.tolist() for block in blocks] == [[0, 0], [2, 2, 2], [3]]
    joined = Counts.joined(blocks)
    for name in module.COLUMNS:
        assert joined.column(name).dtype == np.int64
        assert joined.column(name).tolist() == made().column(name).tolist()
    assert made().values("truth").tolist() == [0, 1, 7, 255, COLOR + 5]
    assert made().starts(5).tolist() == [0, 2, 2, 5, 6, 6]


def test_images_are_given_other_places() -> None:
    moved = made().renumbered(np.array([2, -1, 0, -1]))
    assert moved.image.tolist() == [0, 0, 0, 2, 2]
    assert moved.pixels.tolist() == [3, 4, 5, 1, 2]
    assert made().table(2).pixels.tolist() == [3, 4, 5]
    assert made().table(1000).pixels.size == 0


@pytest.mark.parametrize(
    "values",
    [[], [7], [3, -2, 3, 0], [0, 1 << 16, 0], [COLOR + 5, COLOR], [-(1 << 61), 1 << 61, 0]],
)
def test_integers_are_ranked_whether_they_lie_close_together_or_not(values: list[int]) -> None:
    array = np.array(values, np.int64)
    for ours, reference in zip(ranked(array), np.unique(array, return_inverse=True), strict=True):
        assert ours.tolist() == reference.tolist()


def test_images_travel_between_processes_as_a_few_packed_integers() -> None:
    image = made_run((np.eye(9, dtype=np.uint8), np.ones((9, 9), np.uint8))).image(0)
    sent = pickle.dumps(image)
    again = pickle.loads(sent)
    assert again == image
    assert again.info.origin is not image.info.origin
    assert sent.count(b"numpy") == 0
    assert not again.table.pixels.flags.writeable


def test_the_garbage_collector_rests_while_pairs_are_counted(tmp_path: Path) -> None:
    prediction, truth = data_set(tmp_path, {"a": (np.eye(9), np.ones((9, 9)))})
    seen: list[bool] = []
    source = Source(prediction=prediction, truth=truth)
    count_dataset(source, progress=lambda *_: seen.append(gc.isenabled()))
    assert seen == [False]
    assert gc.isenabled()


@pytest.mark.parametrize("block", [3, 50, 1 << 16])
@pytest.mark.parametrize("most", [1, 30])
def test_rows_come_into_the_order_of_their_images_as_by_a_stable_sort(
    block: int, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BLOCK", block)
    random = np.random.default_rng(most)
    image = np.repeat(random.integers(0, 300, 40), random.integers(0, most + 1, 40))
    rows = np.arange(image.size)
    counts = Counts(image=image, truth=rows % 7, prediction=rows, pixels=rows + 1)
    sorted_rows = counts.select(np.argsort(image, kind="stable"))
    for column, expected in zip(counts.ordered().columns, sorted_rows.columns, strict=True):
        np.testing.assert_array_equal(column, expected, strict=True)


def test_rows_out_of_order_are_moved_without_the_places_of_all_rows() -> None:
    rows = 1 << 20
    counts = Counts(
        image=np.repeat(np.arange(1024)[::-1], rows // 1024),
        truth=np.zeros(rows, int),
        prediction=np.ones(rows, int),
        pixels=np.ones(rows, int),
    )
    tracemalloc.start()
    counts.ordered()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10 * rows  # the columns take 5 bytes a row, and places would take 8


@pytest.mark.parametrize("reach", [2, 300, 1 << 40])
@pytest.mark.parametrize("rows", [0, 1, 3, 500])
def test_pairs_are_added_up_alike_however_far_their_values_lie_apart(reach: int, rows: int) -> None:
    random = np.random.default_rng([reach, rows])
    truth, prediction = random.integers(-reach, reach, (2, rows))
    pixels = random.integers(1, 1 << 50, rows)
    expected = Counter[tuple[int, int]]()
    for t, p, n in zip(truth.tolist(), prediction.tolist(), pixels.tolist(), strict=True):
        expected[t, p] += n
    table = tabulate(truth, prediction, pixels)
    columns = (table.truth.tolist(), table.prediction.tolist(), table.pixels.tolist())
    assert [*zip(*columns, strict=True)] == [(*pair, n) for pair, n in sorted(expected.items())]
    narrow = tabulate(np.abs(truth % 200).astype(np.uint8), prediction, pixels)
    assert narrow.truth.dtype == np.int64
    assert narrow.total == pixels.sum()


def test_pixels_that_are_not_0_are_counted_on_each_side() -> None:
    columns = {"image": [0, 0, 1, 1], "truth": [1, 0, 0, 4], "prediction": [0, 5, NO_PREDICTION, 4]}
    counts = Counts(**columns, pixels=[2, 3, 4, 5])
    assert _pixels(counts, 2).tolist() == [[2, 5], [3, 5]]
