"""The benchmark compares like with like: the same classes in every form, and the same number."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from bench_pairs import per_pair, question
from data_sets import DataSets
from made_masks import SMALL_STREETS, THINGS, TINY
from measuring import Took, Unavailable, Worker
from ways import WAYS, Data, answer

import segeval

if TYPE_CHECKING:
    from data_sets import DataSet
    from made_masks import Kind


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> DataSets:
    return DataSets(tmp_path_factory.mktemp("sets"))


def score(data: DataSet) -> float:
    labels = data.options[1] if data.options else None
    result = segeval.score(prediction=data.prediction, truth=data.truth, labels=labels)
    return float(result.summary["miou"])


@pytest.mark.parametrize("kind", [SMALL_STREETS, THINGS, TINY], ids=lambda kind: kind.name)
def test_the_usual_script_comes_to_the_same_number(sets: DataSets, kind: Kind) -> None:
    data = sets.get(kind, 3)
    took = answer(WAYS["usual script"](), Data(**question(data)))
    assert took["figure"] == pytest.approx(score(data), abs=1e-12)
    assert took["processor"] > 0


@pytest.mark.parametrize("form", ["palette", "RGB", "16-bit", "label ids"])
def test_masks_of_another_form_hold_the_same_classes(sets: DataSets, form: str) -> None:
    data = sets.get(SMALL_STREETS.stored_as(form), 3)
    if form == "label ids":
        result = segeval.score(prediction=data.prediction, truth=data.truth, labels="cityscapes")
        assert result.summary["miou"] == pytest.approx(score(sets.get(SMALL_STREETS, 3)))
    else:
        assert score(data) == score(sets.get(SMALL_STREETS, 3))


@pytest.mark.parametrize("form", ["1-bit", "grey and alpha"])
def test_binary_masks_of_another_form_hold_the_same_foreground(sets: DataSets, form: str) -> None:
    assert score(sets.get(TINY.stored_as(form), 3)) == score(sets.get(TINY, 3))


def test_a_way_that_does_not_apply_or_is_missing_says_why(sets: DataSets) -> None:
    with pytest.raises(Unavailable, match="KeyError: 'no such tool'"):
        Worker("no such tool")
    with Worker("Pillow decodes") as worker:
        took = worker.ask(question(sets.get(TINY, 3)))
    assert took.figure is None
    assert took.clock > 0


def test_a_pair_is_what_many_take_more_than_few() -> None:
    each = per_pair([Took(5.0, 9.0), Took(7.0, 10.0)], [Took(1.0, 1.0), Took(1.0, 2.0)], 4)
    assert each == [Took(1.0, 2.0), Took(1.5, 2.0)]
