"""Values that are no class are named: which, on how many pixels, in which files."""

from __future__ import annotations

import numpy as np
import pytest
from made.sets import frozen, made_run

from segeval.labels.classify import classify
from segeval.labels.labelmap import numbered

ADVICE = "type --ignore 7 if it is void, or name the classes with --labels"


@pytest.mark.parametrize(("images", "more"), [(1, ""), (2, " and 1 more"), (3, " and 2 more")])
def test_an_unknown_value_names_one_file_and_counts_the_others(images: int, more: str) -> None:
    clean, odd = frozen([[0, 1, 1]]), frozen([[7, 1, 7]])
    run = made_run((clean, clean), *[(odd, clean)] * images)
    (problem,) = classify(run, numbered("indices", [0, 1])).problems
    pixels = 2 * images
    detail = f"truth/image_1.png{more}: 7 on {pixels} pixels is no class; {ADVICE}"
    assert (problem.name, problem.kind) == ("image_1", "unknown value in the truth")
    assert problem.detail == detail


@pytest.mark.parametrize("side", ["truth", "prediction"])
@pytest.mark.parametrize(("values", "left_out"), [(20, None), (21, 1), (30, 10)])
def test_twenty_unknown_values_are_listed_and_the_others_counted(
    side: str, values: int, left_out: int | None
) -> None:
    clean, odd = np.zeros((1, values)), np.arange(100, 100 + values)[None]
    pair = (odd, clean) if side == "truth" else (clean, odd)
    run = made_run((frozen(pair[0]), frozen(pair[1])))
    problems = classify(run, numbered("indices", [0])).problems
    named = [problem.detail.split(" on ")[0] for problem in problems[:20]]
    assert [detail.split(": ")[1] for detail in named] == [str(value) for value in range(100, 120)]
    rest = [problem.detail for problem in problems[20:]]
    expected = [] if left_out is None else [f"{left_out} more {side} values are no class either"]
    assert rest == expected
