"""A few dozen combinations of options; `make torture` tries thousands. See `options.py`."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from properties.options import cases, check


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_plain_count_of_pixels_agrees_under_all_options(seed: int, tmp_path: Path) -> None:
    ends: Counter[str] = Counter()
    for case in cases(12, seed, tmp_path):
        end, faults = check(case)
        ends[end] += 1
        assert not faults, dict(case.row)
    assert ends["scored"] >= 6, ends
