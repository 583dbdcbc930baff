"""Run lengths are what their pixels are: counted, painted, written and read."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from segeval.counting.contingency import count_values
from segeval.counting.kernel import KERNEL
from segeval.counting.runlengths import count_runs
from segeval.errors import MaskError
from segeval.inputs.rle import (
    Runs,
    check_runs,
    counts_of_text,
    parse_pairs,
    spans_of_counts,
    text_of_counts,
    unite,
)
from segeval.settings import RleOrder
from segeval.values import OUTSIDE

ORDERS = st.sampled_from(["column", "row"])
SIZES = st.tuples(st.integers(1, 9), st.integers(1, 9))
BACKGROUNDS = st.sampled_from([0, 3, OUTSIDE])
VALUES = st.sampled_from([[0, 1], [0, 3], [0, 1, 2, 255], [OUTSIDE, 0, 1, 2], [0, 7, 300, 70_000]])


@st.composite
def masks(draw: st.DrawFn, number: int = 1) -> list[Any]:
    """Draw masks of one size, which hold some of a few values."""
    shape, values = draw(SIZES), draw(VALUES)
    return [draw(arrays(np.int64, shape, elements=st.sampled_from(values))) for _ in range(number)]


@given(masks(2), ORDERS, st.tuples(BACKGROUNDS, BACKGROUNDS))
def test_runs_are_counted_as_their_pixels(
    pair: list[Any], order: RleOrder, below: tuple[int, int]
) -> None:
    truth, prediction = (Runs.of(m, order, b) for m, b in zip(pair, below, strict=True))
    assert count_runs(truth, prediction) == count_values(truth=pair[0], prediction=pair[1])
    for runs, mask in zip((truth, prediction), pair, strict=True):
        np.testing.assert_array_equal(runs.mask(), mask)


def told(mask: Any, how: str, order: RleOrder) -> Any:
    """Return a mask as the kernel takes it."""
    down, runs = order == "column", Runs.of(mask, order)
    if how == "lines":
        lines = np.zeros((mask.shape[0], 1 + 2 * mask.shape[1]), np.uint8)
        lines[:, 1:] = mask.astype(">u2").view(np.uint8)
        return lines.tobytes(), 16, 1
    if how == "runs":
        return down, np.stack((runs.starts, runs.ends, runs.values)).tobytes()
    values = np.unique(runs.values)
    rows = [(f"a\t{runs.only(v).pairs(1)}\n".encode(), v) for v in values.tolist()]
    return down, 1, False, ord("\t"), 1, rows


WAYS = st.sampled_from(["lines", "runs", "texts"])


@pytest.mark.skipif(KERNEL is None, reason="there is no kernel")
@settings(max_examples=200)
@given(masks(2), st.tuples(WAYS, WAYS), st.tuples(ORDERS, ORDERS), st.sampled_from([0, 4, 8]))
def test_the_kernel_counts_any_two_sides(
    pair: list[Any], ways: tuple[str, str], orders: tuple[RleOrder, RleOrder], neighbours: int
) -> None:
    assert KERNEL is not None
    (height, width), low, high = pair[0].shape, np.min(pair), np.max(pair)
    hows = [how if 0 <= low <= high <= 65535 else "runs" for how in ways]
    sides = [told(*each) for each in zip(pair, hows, orders, strict=True)]
    found = KERNEL.count_sides(width, height, *sides, neighbours)
    if low < 0:
        assert found is None
    elif high <= 65535:
        lines = [told(mask, "lines", "row") for mask in pair]
        expected = KERNEL.count(width, height, *lines[0], *lines[1], neighbours)
        rows = [
            np.frombuffer(each, np.int64).reshape(5 if neighbours else 3, -1).T.tolist()
            for each in (found, expected)
        ]
        assert sorted(rows[0]) == sorted(rows[1])
    if low >= 0 and not neighbours:
        table = count_values(truth=pair[0], prediction=pair[1])
        columns = np.frombuffer(found, np.int64).reshape(3, -1)
        np.testing.assert_array_equal(columns, [table.truth, table.prediction, table.pixels])


def test_runs_of_other_orders_or_sizes_are_left_to_pixels() -> None:
    one = Runs.of(np.eye(2, dtype=int), "row")
    assert count_runs(one, Runs.of(np.eye(2, dtype=int), "column")) is None
    assert count_runs(one, Runs.of(np.eye(3, dtype=int), "row")) is None


@given(masks(), ORDERS, st.sampled_from([0, 1]))
def test_pairs_are_read_as_they_were_written(mask: list[Any], order: RleOrder, base: int) -> None:
    runs = Runs.of(mask[0], order).only()
    starts, ends = parse_pairs(runs.pairs(base).encode(), base)
    assert not [*check_runs(starts, ends, runs.shape, base)]
    again = unite([(starts, ends, 1)], runs.shape, order)
    np.testing.assert_array_equal(again.mask(), mask[0] != 0)


@given(masks(), st.integers(0, 1 << 40))
def test_counts_of_coco_are_read_as_they_were_written(mask: list[Any], more: int) -> None:
    runs = Runs.of(mask[0], "column").only()
    counts = runs.counts()
    again = unite([(*spans_of_counts(counts), 1)], runs.shape, "column")
    np.testing.assert_array_equal(again.mask(), mask[0] != 0)
    counts[len(counts) // 2] += more
    assert counts_of_text(text_of_counts(counts)).tolist() == counts.tolist()


def test_counts_are_written_as_text_like_coco() -> None:
    assert text_of_counts(np.array([6, 1, 40, 4, 5, 4, 5, 4, 21])) == b"61X13mN000`0"
    assert counts_of_text(b"61X13mN000`0").tolist() == [6, 1, 40, 4, 5, 4, 5, 4, 21]
    assert counts_of_text(b"").tolist() == []


@pytest.mark.parametrize(
    ("text", "words"),
    [(b"61 ", "the character ' '"), (b"6\xff", "character"), (b"61X", "break off")],
)
def test_text_that_coco_has_not_written_is_refused(text: bytes, words: str) -> None:
    with pytest.raises(MaskError, match=words):
        counts_of_text(text)


@settings(max_examples=50)
@given(masks(3), ORDERS, BACKGROUNDS)
def test_later_rows_win(layers: list[Any], order: RleOrder, below: int) -> None:
    shape = layers[0].shape
    painted = np.full(shape, below)
    rows = []
    for number, layer in zip((5, 0, 1), layers, strict=True):  # 0 may cover as well
        painted[layer != 0] = number
        runs = Runs.of(layer, order).only()
        rows.append((runs.starts, runs.ends, number))
    np.testing.assert_array_equal(unite(rows, shape, order, below).mask(), painted)
