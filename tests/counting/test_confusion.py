"""Confusion matrices of arrays."""

from __future__ import annotations

import numpy as np
import pytest
from made.sets import frozen

from segeval import ConfusionMatrix, confusion_matrix
from segeval.counting.contingency import count_values

TRUTH, PREDICTION = frozen([[0, 1, 2, 255]]), frozen([[0, 2, 2, 9]])


def test_rows_are_truth_and_columns_prediction() -> None:
    matrix = confusion_matrix(truth=TRUTH, prediction=PREDICTION, classes=3, ignore=[255])
    assert matrix.counts.tolist() == [[1, 0, 0], [0, 0, 1], [0, 0, 1]]
    assert matrix.total == 3
    np.testing.assert_array_equal(np.asarray(matrix), matrix.counts)
    assert np.asarray(matrix, dtype=float).dtype == float


def test_classes_are_counted_if_not_said() -> None:
    matrix = confusion_matrix(truth=TRUTH, prediction=PREDICTION, ignore=[255])
    assert matrix.counts.shape == (3, 3)
    assert confusion_matrix(truth=TRUTH, prediction=PREDICTION).counts.shape == (256, 256)


def test_predictions_outside_the_classes_are_unknown() -> None:
    matrix = confusion_matrix(truth=TRUTH[:, :3], prediction=frozen([[7, 1, 2]]), classes=3)
    assert matrix.unknown.tolist() == [1, 0, 0]
    assert matrix.classes.fn.tolist() == [1, 0, 0]
    assert matrix.classes.fp.tolist() == [0, 0, 0]
    assert matrix.classes.tn.tolist() == [2, 2, 2]


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(ValueError, match=r"truth has shape \(1, 4\), prediction has"):
        confusion_matrix(truth=TRUTH, prediction=PREDICTION[:, :3])
    with pytest.raises(ValueError, match=r"truth holds 255, which is neither a class 0\.\.2"):
        confusion_matrix(truth=TRUTH, prediction=PREDICTION, classes=3)
    with pytest.raises(TypeError, match="prediction must hold integers, not float64"):
        confusion_matrix(truth=TRUTH, prediction=PREDICTION.astype(float))
    one = confusion_matrix(truth=TRUTH, prediction=PREDICTION, classes=3, ignore=[255])
    with pytest.raises(ValueError, match="cannot add matrices of 3 and 256 classes"):
        one + confusion_matrix(truth=TRUTH, prediction=PREDICTION)
    with pytest.raises(ValueError, match=r"counts of shape \(2, 3\) do not fit 2 classes"):
        ConfusionMatrix(counts=np.zeros((2, 3), np.int64), unknown=np.zeros(2, np.int64))


def test_numbers_beyond_int64_are_refused() -> None:
    with pytest.raises(ValueError, match="truth holds 9223372036854775808, which is beyond the ra"):
        count_values(truth=frozen([[0, 1 << 63]], "uint64"), prediction=frozen([[0, 1]]))


def test_a_matrix_leaves_its_arrays_alone() -> None:
    counts = np.eye(2, dtype=np.int64)
    matrix = ConfusionMatrix(counts=counts, unknown=np.zeros(2, np.int64))
    counts[0, 0] = 5
    assert matrix.counts[0, 0] == 1
    with pytest.raises(ValueError, match="read-only"):
        matrix.counts[0, 0] = 1
    assert (matrix + matrix).total == 2 * matrix.total
