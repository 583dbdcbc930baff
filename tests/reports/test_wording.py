"""Sentences about numbers."""

from __future__ import annotations

from made.sets import frozen, made_run

from segeval.labels.labelmap import numbered
from segeval.reports.document import make_document
from segeval.reports.wording import note_on_absent
from segeval.scoring.convention import Convention
from segeval.scoring.score import score_run


def test_a_metric_that_scores_absent_classes_by_the_formula_is_named() -> None:
    convention = Convention(overrides=(("recall", "absent", "formula"),))
    run = made_run((frozen([[0, 0, 1, 1]]), frozen([[0, 1, 1, 1]])))
    document = make_document(score_run(run, numbered("three", range(3)), convention))
    assert note_on_absent(document) == "not in the means, score by the formula in recall"
