"""Two arrays of codes are settled, and counted, as NumPy does it pixel by pixel."""

from __future__ import annotations

import numpy as np
import pytest

from segeval.counting import native
from segeval.counting.kernel import KERNEL


@pytest.mark.skipif(KERNEL is None, reason="the kernel is not compiled, or not wanted")
@pytest.mark.parametrize("length", [0, 1, 2, 63, 64, 65, 66, 128, 129, 300, 1000])
def test_void_on_either_side_is_void_on_both(length: int) -> None:
    random, classes = np.random.default_rng(length), 3
    for number in range(12):
        runs = random.integers(1, (2, 9, 90)[number % 3], (2, length + 1))
        sides = [
            np.repeat(random.integers(0, most, length + 1), run)[:length].astype(np.uint8)
            for most, run in zip((classes + 1, classes + 3), runs, strict=True)
        ]
        off = (sides[0] == classes) | (sides[1] == classes + 2)
        expected = [np.where(off, classes, side) for side in sides]
        counts = [[np.sum((side == k) & ~off) for k in range(classes)] for side in sides]
        totals = native.settle(sides[0], sides[1], classes)
        assert totals is not None
        assert totals.tolist() == counts
        assert all(map(np.array_equal, sides, expected))


def test_what_cannot_be_written_on_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    truth, prediction = np.array([[0, 1], [1, 2]], np.uint8), np.zeros((2, 2), np.uint8)
    fixed = np.frombuffer(truth.tobytes(), np.uint8).reshape(2, 2)
    for left in ((fixed, prediction), (truth.T, prediction), (truth.astype(np.int32), prediction)):
        assert native.settle(left[0], left[1], 2) is None
    monkeypatch.setattr(native, "KERNEL", None)
    assert native.settle(truth, prediction, 2) is None
    assert prediction.sum() == 0
