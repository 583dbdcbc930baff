"""Run + label map + convention -> scores: the instant, repeatable half of the work."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from segeval.counting.dataset import NOTHING
from segeval.counting.groups import split_groups
from segeval.counting.run import CountedRun
from segeval.errors import DataError, LabelError, Problem
from segeval.labels.choose import choose_labels
from segeval.labels.classify import ClassifiedRun, classify, of_whole
from segeval.labels.labelmap import LabelMap
from segeval.scoring.convention import Convention
from segeval.scoring.intervals import Intervals, find_intervals
from segeval.scoring.means import (
    count_classes_in_means,
    count_images_in_means,
    image_scores,
    summarize,
)
from segeval.scoring.measured import Asked, judged_by, with_measured
from segeval.scoring.metrics import (
    KNOWN,
    METRICS,
    OVERALL,
    Metric,
    Place,
    class_scores,
    mean_titles,
    metric_of,
    shown,
)
from segeval.scoring.resampling import Resampling
from segeval.scoring.sample import (
    Sample,
    excluded_indices,
    names_of_groups,
    pools_of,
    signature_parts,
    units_of,
)
from segeval.settings import LabelChoice, Unknown
from segeval.values import describe_values
from segeval.version import __version__

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def label_and_score(
    run: CountedRun,
    choice: LabelChoice,
    convention: Convention | None = None,
    *,
    unknown: Unknown = "error",
    group_by: str | None = None,
    resampling: Resampling | None = None,
    measures: Sequence[Asked] = (),
) -> Scores:
    """Score a run, and its groups, with the classes that the user chose or that its values show.

    Intervals, if there is a resampling, are found for the whole run only. A `DataError` lists all
    problems, those of reading, pairing and labels alike; a `LabelError` is the only one.
    """
    if not run.images:
        raise DataError(run.provenance.problems or [NOTHING])
    try:
        labels = choose_labels(run, choice)
    except LabelError as error:
        if not run.provenance.problems:
            raise
        doubt = Problem(name="labels", kind="classes in doubt", detail=str(error))
        raise DataError((*run.provenance.problems, doubt)) from error
    names = names_of_groups(convention or Convention(), run, group_by)
    how: Any = {"unknown": unknown, "group_by": group_by, "measures": measures}
    scores = score_run(run, labels, convention, **how, resampling=resampling)
    parts = split_groups(names)
    whole, plain = of_whole(run, labels) if parts else (run, labels)
    groups = {
        name: score_run(whole.select(positions), plain, convention, **how)
        for name, positions in parts.items()
    }
    return replace(scores, groups=groups, group_names=names)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scores:
    """Every score of a run under one label map and one convention; NaN where undefined."""

    run: CountedRun
    labels: LabelMap
    convention: Convention
    counts: ClassifiedRun
    class_scores: Mapping[str, NDArray[np.float64]]  # (K,) by metric
    summary: Mapping[str, float]  # means and overall scores by name
    averaged: Mapping[str, int]  # classes in each mean
    averaged_images: Mapping[str, int]  # images in each mean and overall score
    signature: str  # the definition of these numbers
    unknown: Unknown = "error"  # what a predicted value is that is no class
    groups: Mapping[str, Scores] = field(default_factory=dict)  # of each group of images
    group_names: Sequence[str] = ()  # of every image, empty if it is in none
    intervals: Intervals | None = None
    measures: Sequence[Asked] = ()  # what else was asked for than scores of pixels

    @property
    def foreground(self) -> int | None:
        """Index of the class whose scores are the headline: of two, the one that is counted."""
        position = self.labels.foreground
        left_out = excluded_indices(self.convention, self.labels)
        return None if position in left_out else position

    def metrics(self, *places: Place) -> list[Metric]:
        """Return the scores of classes that are seen at some places, as far as they are there."""
        return [metric for metric in shown(KNOWN, *places) if metric.name in self.class_scores]

    @property
    def excluded(self) -> list[str]:
        """Classes that the convention leaves out of the means, whatever their counts."""
        names = self.labels.names
        unused = [names[k] for k in excluded_indices(self.convention, self.labels)]
        return list(dict.fromkeys((*self.convention.exclude, *unused)))

    @property
    def absent(self) -> list[str]:
        """Classes on neither side, excluded ones aside: left out of the means, or as told."""
        classes = self.counts.classes
        undefined = classes.support + classes.predicted == 0
        excluded = self.excluded
        return [
            n for n, u in zip(self.labels.names, undefined, strict=True) if u and n not in excluded
        ]


def score_run(
    run: CountedRun,
    labels: LabelMap,
    convention: Convention | None = None,
    *,
    unknown: Unknown = "error",
    resampling: Resampling | None = None,
    group_by: str | None = None,
    measures: Sequence[Asked] = (),
) -> Scores:
    """Score a run under a convention, by default the pooled counts of all classes."""
    convention = (convention or Convention()).for_classes(labels.names)
    labels, unknown = judged_by(convention, run, labels, unknown)
    excluded = excluded_indices(convention, labels)
    counts = classify(run, labels, unknown=unknown)
    units = units_of(convention, run, group_by)
    too_few = units.problems() if resampling else ()
    if problems := (*run.provenance.problems, *counts.problems, *too_few):
        raise DataError(problems)
    counts = with_measured(counts, measures, run, labels, unknown)
    pools, drawn = pools_of(convention, run, counts.images, units)
    sample = Sample.of(pools)
    summary = summarize(convention, sample, excluded)
    facts = [part for each in measures for part in each.signature_parts()]
    facts += signature_parts(convention, units, group_by, resampling)
    return Scores(
        run=run,
        labels=labels,
        convention=convention,
        counts=counts,
        class_scores={name: values[0] for name, values in summary.classes.items()},
        summary={name: float(values[0]) for name, values in summary.means.items()},
        averaged=count_classes_in_means(convention, sample, excluded),
        averaged_images=count_images_in_means(convention, sample, excluded),
        signature=write_signature(run, labels, facts, unknown=unknown),
        unknown=unknown,
        measures=measures,
        intervals=find_intervals(convention, pools, excluded, drawn, resampling)
        if resampling
        else None,
    )


def write_signature(
    run: CountedRun, labels: LabelMap, facts: Iterable[str], *, unknown: Unknown = "error"
) -> str:
    """Write down what all numbers depend on, and the facts of a special kind of number."""
    parts = [
        f"labels:{labels.name}",
        *(f"{name}:{value:g}" for name, value in labels.thresholds.items()),
        *([f"pred-offset:{labels.prediction_offset}"] if labels.prediction_offset else []),
        f"classes:{len(labels.labels)}",
        *(["multilabel:yes"] if labels.overlap else []),
        f"ignore:{describe_values(labels.void) or 'none'}",
        *run.provenance.waivers,
        *([f"unknown:{unknown}"] if unknown != "error" else []),
        *facts,
        *(f"shard:{shard}" for shard in run.provenance.shards),
        f"images:{len(run.images)}",
        f"segeval:{__version__}",
    ]
    return "|".join(part.replace("|", "/") for part in parts)


def per_image(scores: Scores) -> dict[str, NDArray[np.float64]]:
    """Score every image by itself, under the same convention for absent and excluded classes.

    First the means over classes (``miou``, …) and overall scores, then ``iou_<class>`` for every
    class, and so for each metric that is broken down; (N,) values, NaN where undefined.
    """
    classes = {
        f"{metric.name}_{name}": values
        for metric in scores.metrics("breakdown", "files")
        for name, values in image_class_scores(scores, metric).items()
    }
    return image_means(scores) | classes


def image_means(scores: Scores) -> dict[str, NDArray[np.float64]]:
    """Score every image by each mean over classes, and by each overall score; (N,) values."""
    measured = (f"m{name}" for name in scores.counts.images.measured)
    return {name: score_images(scores, name) for name in (*image_mean_names(), *measured)}


def image_mean_names() -> tuple[str, ...]:
    """Name the means and overall scores of pixels of single images, the briefest first."""
    means = (metric.mean for metric in METRICS.values())
    return tuple(dict.fromkeys((*mean_titles("brief"), *means, *OVERALL)))


def image_class_scores(scores: Scores, metric: Metric) -> dict[str, NDArray[np.float64]]:
    """Score every image by one metric of each class; (N,) values by the name of the class."""
    values = scores.convention.score_classes(metric, scores.counts.images.of(metric.name)).T
    return dict(zip(scores.labels.names, values, strict=True))


def score_images(scores: Scores, name: str) -> NDArray[np.float64]:
    """Score every image by a mean over its classes, by an overall score, or for one class."""
    if name in OVERALL:
        return OVERALL[name].score(scores.counts.images)
    metric, _, label = name.partition(".")
    if label:
        values = scores.convention.score_classes(KNOWN[metric], scores.counts.images.of(metric))
        return values[:, scores.labels.names.index(label)]
    excluded = excluded_indices(scores.convention, scores.labels)
    return image_scores(scores.convention, metric_of(name), scores.counts.images, excluded)


def image_spread(scores: Scores) -> dict[str, dict[str, Any]]:
    """Say how the scores of single images spread: what is shown in brief, and the headline.

    Of the images whose score is defined: their number, the standard deviation of a sample (divided
    by n - 1; undefined for one image), and the quartiles, linear between neighbours.
    """
    import numpy as np

    spread = {}
    judged = scores.counts.images.total > 0
    names = [metric_of(scores.convention.headline).mean, *mean_titles("brief")]
    if scores.foreground is not None:
        names += class_scores(scores.labels.names[scores.foreground])
    for name in dict.fromkeys(names):
        values = score_images(scores, name)
        values = values[~np.isnan(values) & (judged | (scores.convention.void_image == "score"))]
        quartiles = np.percentile(values, [25, 50, 75]) if values.size else np.full(3, np.nan)
        spread[name] = {
            "images": values.size,
            "std": float(values.std(ddof=1)) if values.size > 1 else np.nan,
            "quartiles": quartiles.tolist(),
        }
    return spread
