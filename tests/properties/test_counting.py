"""Laws of counting, against a slow model in plain Python."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from segeval.counting import contingency
from segeval.counting.contingency import ContingencyTable, count_values
from segeval.values import NO_PREDICTION

DTYPES = ["bool", "uint8", "int8", "uint16", "int16", "uint32", "int32", "int64", "uint64"]


def slow_count(truth: NDArray[Any], prediction: NDArray[Any]) -> Counter[tuple[int, int]]:
    pairs = zip(truth.ravel().tolist(), prediction.ravel().tolist(), strict=True)
    return Counter((int(t), int(p)) for t, p in pairs)


def as_counter(table: ContingencyTable) -> Counter[tuple[int, int]]:
    pairs = zip(table.truth.tolist(), table.prediction.tolist(), strict=True)
    return Counter(dict(zip(pairs, table.pixels.tolist(), strict=True)))


@st.composite
def masks(draw: st.DrawFn, shape: tuple[int, int], dtype: str) -> NDArray[Any]:
    """Draw runs of few values, or noise of any values of the dtype."""
    kind = np.dtype(dtype)
    if kind.kind == "b" or draw(st.booleans()):
        few = st.integers(0, 1) if kind.kind == "b" else st.sampled_from([0, 1, 3, 18, 100, 127])
        rows = draw(st.lists(st.lists(few, min_size=1, max_size=4), min_size=1, max_size=3))
        tiles = np.array([np.resize(row, shape[1]).repeat(7)[: shape[1]] for row in rows], dtype)
        mask = np.resize(tiles, shape).astype(dtype)
    else:
        top = min(np.iinfo(kind).max, np.iinfo(np.int64).max)
        mask = draw(hnp.arrays(kind, shape, elements=st.integers(np.iinfo(kind).min, top)))
    mask.flags.writeable = False
    return mask


@st.composite
def pairs(draw: st.DrawFn) -> tuple[NDArray[Any], NDArray[Any]]:
    shape = draw(st.tuples(st.integers(1, 12), st.integers(1, 60)))
    first = draw(masks(shape, draw(st.sampled_from(DTYPES))))
    return first, draw(masks(shape, draw(st.sampled_from(DTYPES))))


@given(pairs(), st.sampled_from([8, 64, contingency.BLOCK]))
@settings(max_examples=400, deadline=None)
def test_counts_equal_a_slow_count(pair: tuple[NDArray[Any], NDArray[Any]], block: int) -> None:
    truth, prediction = pair
    whole = contingency.BLOCK
    contingency.BLOCK = block  # type: ignore[misc]  # small blocks reach every border
    try:
        table = count_values(truth=truth, prediction=prediction)
    finally:
        contingency.BLOCK = whole  # type: ignore[misc]
    assert as_counter(table) == slow_count(truth, prediction)
    assert table.total == truth.size
    order = list(zip(table.truth.tolist(), table.prediction.tolist(), strict=True))
    assert order == sorted(set(order))
    assert (table.pixels > 0).all()


@given(pairs(), st.integers(1, 200))
@settings(max_examples=100, deadline=None)
def test_few_pending_runs_change_nothing(
    pair: tuple[NDArray[Any], NDArray[Any]], pending: int
) -> None:
    truth, prediction = (mask.astype(np.uint8) for mask in pair)
    usual = contingency.BLOCK, contingency.PENDING, contingency.FEW
    contingency.BLOCK, contingency.PENDING = 64, max(pending, 8)  # type: ignore[misc]
    contingency.FEW = 0  # type: ignore[misc]  # so that few runs go the way of many
    try:
        table = count_values(truth=truth, prediction=prediction)
    finally:
        contingency.BLOCK, contingency.PENDING, contingency.FEW = usual  # type: ignore[misc]
    assert as_counter(table) == slow_count(truth, prediction)


@given(pairs())
@settings(max_examples=100, deadline=None)
def test_tables_add_like_masks_side_by_side(pair: tuple[NDArray[Any], NDArray[Any]]) -> None:
    truth, prediction = pair
    middle = truth.shape[1] // 2
    left = count_values(truth=truth[:, :middle], prediction=prediction[:, :middle])
    right = count_values(truth=truth[:, middle:], prediction=prediction[:, middle:])
    assert left + right == count_values(truth=truth, prediction=prediction)


@given(pairs(), st.sampled_from(["rows", "columns", "transpose"]))
@settings(max_examples=100, deadline=None)
def test_flipping_an_image_changes_nothing(
    pair: tuple[NDArray[Any], NDArray[Any]], how: str
) -> None:
    turned: dict[str, Any] = {
        "rows": slice(None, None, -1),
        "columns": (slice(None), slice(None, None, -1)),
    }
    truth, prediction = pair
    flipped = (
        count_values(truth=truth.T, prediction=prediction.T)
        if how == "transpose"
        else count_values(truth=truth[turned[how]], prediction=prediction[turned[how]])
    )
    assert flipped == count_values(truth=truth, prediction=prediction)


@given(pairs())
@settings(max_examples=100, deadline=None)
def test_exchanging_the_sides_transposes(pair: tuple[NDArray[Any], NDArray[Any]]) -> None:
    truth, prediction = pair
    swapped = as_counter(count_values(truth=prediction, prediction=truth))
    expected = {(p, t): n for (t, p), n in slow_count(truth, prediction).items()}
    assert swapped == expected


@given(hnp.arrays(np.uint16, (5, 9)))
def test_a_missing_prediction_is_counted_against_a_reserved_value(truth: NDArray[Any]) -> None:
    table = count_values(truth=truth, prediction=None)
    assert set(table.prediction.tolist()) == {NO_PREDICTION}
    assert table.total == truth.size
