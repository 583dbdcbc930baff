"""Two runs over the same images -> what changed, and whether chance alone would change as much.

Both runs are scored with the same labels and the same convention. Every difference is that of the
second run minus the first, the baseline; all scores are better the higher they are,
but for errors of topology (`is_error`), which are better the lower they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segeval.counting.alignment import align, with_waivers
from segeval.counting.confusion import ClassCounts
from segeval.counting.run import CountedRun
from segeval.errors import DataError
from segeval.labels.choose import choose_shared
from segeval.scoring.convention import Convention
from segeval.scoring.means import Summary, minus, summarize
from segeval.scoring.measured import Asked
from segeval.scoring.metrics import ROUNDING
from segeval.scoring.resampling import (
    Resampling,
    Units,
    changed,
    draw,
    holm,
    percentile_interval,
    randomization_p,
    swap,
)
from segeval.scoring.sample import Sample, excluded_indices, pools_of, signature_parts, units_of
from segeval.scoring.score import Scores, score_images, score_run, write_signature
from segeval.settings import LabelChoice, Unknown


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Difference:
    """A score of two runs, or the scores of their K classes; NaN where undefined."""

    baseline: NDArray[np.float64]
    value: NDArray[np.float64]
    bounds: NDArray[np.float64]  # (2,) or (2, K) of value - baseline, resampled alike
    p: NDArray[np.float64]  # of the approximate randomisation test, two-sided
    undefined: NDArray[np.int64]  # resamples that the bounds leave out

    @property
    def delta(self) -> NDArray[np.float64]:
        """How much higher the second run scores; what rounding alone can make is 0."""
        return without_rounding(minus(self.value, self.baseline))

    @property
    def corrected(self) -> NDArray[np.float64]:
        """The p-values of the classes, corrected for their number."""
        return holm(self.p)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RunComparison:
    """A run against a baseline."""

    baseline: Scores
    scores: Scores
    means: Mapping[str, Difference]  # means and overall scores by name
    classes: Mapping[str, Difference]  # by metric
    metric: str  # the score by which images are compared
    images: NDArray[np.float64]  # (2, N); that score, of the baseline and of the run
    units: Units
    resampling: Resampling
    signature: str


def without_rounding(differences: NDArray[np.float64]) -> NDArray[np.float64]:
    """Set differences of scores to 0 that the rounding of floats alone can make."""
    return np.where(np.abs(differences) <= ROUNDING, 0.0, differences)


def compare_runs(
    runs: Sequence[CountedRun],
    choice: LabelChoice | None = None,
    convention: Convention | None = None,
    *,
    unknown: Unknown = "error",
    resampling: Resampling | None = None,
    common: bool = False,
    group_by: str | None = None,
    measures: Sequence[Asked] = (),
) -> list[RunComparison]:
    """Compare runs with the first of them; one comparison for each of the others.

    Without a choice, the classes are those found in all runs together. Images that are not in all
    runs are an error, or left out if only those in ``common`` are asked for.
    """
    resampling, convention = resampling or Resampling(), convention or Convention()
    faults = list(dict.fromkeys(problem for run in runs for problem in run.provenance.problems))
    if faults:
        raise DataError(faults)
    aligned = align(runs, common=common)
    rows = zip(*(run.images.column("group") for run in aligned), strict=True)
    groups = [next(filter(None, row), "") for row in rows]
    aligned = [run.with_groups(groups) for run in aligned]
    units = units_of(convention, aligned[0], group_by)
    if units.problems():
        raise DataError(units.problems())
    labels = choose_shared(aligned, choice or LabelChoice())
    how: Any = {"unknown": unknown, "group_by": group_by, "measures": measures}
    first, *others = [score_run(run, labels, convention, **how) for run in aligned]
    facts = [
        *(part for each in measures for part in each.signature_parts()),
        *signature_parts(first.convention, units, group_by),
        *([f"common:{len(groups)}of{max(map(len, runs))}"] if common else []),
        resampling.signature_part(units),
    ]
    signature = write_signature(with_waivers(aligned[0], runs), labels, facts, unknown=unknown)
    return [_compare(first, other, units, resampling, signature) for other in others]


def _compare(
    baseline: Scores, scores: Scores, units: Units, resampling: Resampling, signature: str
) -> RunComparison:
    metric = baseline.convention.headline.partition("_worst")[0]
    pools = [
        pools_of(scores.convention, side.run, side.counts.images, units)
        for side in (baseline, scores)
    ]
    sides, (units, _) = zip(*pools, strict=True)
    samples, both = [*map(Sample.of, sides)], Sample.of(ClassCounts.concatenate(sides))
    drawn = _differences(
        scores, ((side.drawn(draws) for side in samples) for draws in draw(units, resampling))
    )
    swapped = _differences(
        scores,
        ((both.drawn(draws) for draws in changed(coins)) for coins in swap(units, resampling)),
    )
    return RunComparison(
        baseline=baseline,
        scores=scores,
        means={
            name: difference(baseline.summary[name], value, drawn.means[name], swapped.means[name])
            for name, value in scores.summary.items()
        },
        classes={
            name: difference(
                baseline.class_scores[name], values, drawn.classes[name], swapped.classes[name]
            )
            for name, values in scores.class_scores.items()
        },
        metric=metric,
        images=np.stack([score_images(side, metric) for side in (baseline, scores)]),
        units=units,
        resampling=resampling,
        signature=signature,
    )


def difference(
    baseline: ArrayLike, value: ArrayLike, drawn: NDArray[np.float64], swapped: NDArray[np.float64]
) -> Difference:
    """Compare two scores, or those of K classes, given their differences in R rounds: (R, …)."""
    first, second = np.asarray(baseline), np.asarray(value)
    return Difference(
        baseline=first,
        value=second,
        bounds=percentile_interval(drawn),
        p=randomization_p(minus(second, first), swapped),
        undefined=np.isnan(drawn).sum(axis=0),
    )


def _differences(scores: Scores, rounds: Iterable[Iterable[Sample]]) -> Summary:
    """Score both samples of every block of rounds, and subtract the first from the second."""
    excluded = excluded_indices(scores.convention, scores.labels)
    summaries = ([summarize(scores.convention, s, excluded) for s in pair] for pair in rounds)
    return Summary.concatenate(second.minus(first) for first, second in summaries)
