"""Scores of what is measured in the pixels, beside those of their counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from segeval.counting.confusion import CLASS_PARTS, ClassCounts
from segeval.counting.measures import AnyMeasure, Measure
from segeval.counting.run import CountedRun
from segeval.labels.choose import choose_labels, choose_shared
from segeval.labels.classify import ClassifiedRun, void_outside
from segeval.labels.labelmap import LabelMap
from segeval.scoring.convention import Convention
from segeval.settings import LabelChoice, Unknown


class Asked(Protocol):
    """Measured scores that were asked for: bands of certain widths, for example."""

    @property
    def measure(self) -> Measure:
        """What has to be measured in every image for them."""

    @property
    def option(self) -> str:
        """What is typed for them."""

    @property
    def names(self) -> Sequence[str]:
        """The names of the scores, that of the summary first."""

    def counts(
        self, run: CountedRun, labels: LabelMap, unknown: Unknown, classified: ClassifiedRun
    ) -> Mapping[str, ClassCounts]:
        """Return the counts of each score, (N, K), by its name in `MEASURED`.

        A `SettingError` says what to type, if the run does not hold them.
        """

    def signature_parts(self) -> list[str]:
        """Return what defines the scores."""

    def block(self, run: CountedRun, scores: Mapping[str, Any]) -> dict[str, Any]:
        """Return the part of a document that is theirs."""


def with_measured(
    counts: ClassifiedRun,
    asked: Sequence[Asked],
    run: CountedRun,
    labels: LabelMap,
    unknown: Unknown,
) -> ClassifiedRun:
    """Return the counts of a run with those of the scores that are asked for."""
    measured: dict[str, ClassCounts] = {}
    for each in asked:
        measured |= each.counts(run, labels, unknown, counts)
    return replace(counts, images=replace(counts.images, measured=measured))


def measure_for(
    measures: Sequence[AnyMeasure],
    runs: Sequence[CountedRun],
    choice: LabelChoice,
    convention: Convention,
    unknown: Unknown,
    **how: Any,
) -> CountedRun:
    """Return the first of some runs with what is measured for scores; see `measure_run`.

    The classes are those of all runs together. A run with problems stays as it is, as it is not
    scored.
    """
    run = runs[0]
    if not measures or not run.images or any(each.provenance.problems for each in runs):
        return run
    from segeval.labels.measuring import measure_run

    labels = choose_labels(run, choice) if len(runs) == 1 else choose_shared(runs, choice)
    labels, unknown = judged_by(convention, run, labels, unknown)
    return measure_run(run, labels, measures, unknown=unknown, **how)


def judged_by(
    convention: Convention, run: CountedRun, labels: LabelMap, unknown: Unknown
) -> tuple[LabelMap, Unknown]:
    """Return the classes and what unknown values are, as a convention has them."""
    if convention.outside == "ignore":
        return void_outside(run, labels), "ignore"
    return labels, unknown


def counts_of_values(classified: ClassifiedRun, values: NDArray[Any]) -> ClassCounts:
    """Return counts whose tp / support is the mean of the values of images and classes, (N, K).

    A class that an image holds on neither side has no value there, so it is in no mean.
    """
    there = (classified.images.support + classified.images.predicted > 0).astype(np.int64)
    parts: dict[str, Any] = {"tp": values * there, "support": there, "predicted": there}
    return replace(classified.images, **parts, squares=None, measured={})


def merged(parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Put together what a document says of several scores of the same counts."""
    rows = zip(*(part["classes"] for part in parts), strict=True)
    return {**_joined(parts), "classes": [_joined(each) for each in rows]}


def _joined(parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Join what is said of several scores, and the intervals of all of them."""
    bounds = {name: ends for part in parts for name, ends in part.get("intervals", {}).items()}
    whole = {key: value for part in parts for key, value in part.items()}
    return whole | ({"intervals": bounds} if bounds else {})


def without_counts(part: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a document says of a score of values, whose counts mean nothing."""
    rows = [{k: v for k, v in row.items() if k not in CLASS_PARTS} for row in part["classes"]]
    return {**part, "classes": rows}
