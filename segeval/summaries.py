"""Every score of a sample of images: the means, the overall scores, and those of each class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from segeval.averages import class_means, mean_over_images, total_means, worst_means
from segeval.metrics import METRICS, OVERALL

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from segeval.conventions import Convention
    from segeval.pools import Sample

__all__ = ["Summary", "end_to_end", "summarize"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Summary:
    """Scores of B drawings of the images, NaN where undefined.

    Attributes
    ----------
    means : mapping of str to (B,) float64 array
        Means and overall scores by name.
    classes : mapping of str to (B, K) float64 array
        Scores of each class by metric.
    """

    means: Mapping[str, NDArray[np.float64]]
    classes: Mapping[str, NDArray[np.float64]]

    def minus(self, other: Summary) -> Summary:
        """Subtract the scores of another summary of equally many drawings."""
        return Summary(
            means={name: values - other.means[name] for name, values in self.means.items()},
            classes={name: values - other.classes[name] for name, values in self.classes.items()},
        )


def end_to_end(summaries: Iterable[Summary]) -> Summary:
    """Put the drawings of several summaries one after the other."""
    parts = list(summaries)
    return Summary(
        means={n: np.concatenate([part.means[n] for part in parts]) for n in parts[0].means},
        classes={n: np.concatenate([part.classes[n] for part in parts]) for n in parts[0].classes},
    )


def summarize(convention: Convention, sample: Sample, excluded: Sequence[int]) -> Summary:
    """Score a sample under a convention.

    Parameters
    ----------
    convention : Convention
        What is pooled, left out and weighed.
    sample : Sample
        Counts of each image and class, and how often the images are drawn.
    excluded : sequence of int
        Positions of the classes that are left out of the means.

    Returns
    -------
    Summary
    """
    means: dict[str, NDArray[np.float64]] = {}
    classes: dict[str, NDArray[np.float64]] = {}
    for metric in METRICS.values():
        classes[metric.name] = class_means(convention, metric, sample)
        means[metric.mean] = total_means(convention, metric, sample, excluded)
        if convention.worst is not None:
            worst = worst_means(convention, metric, sample, excluded)
            means[f"{metric.mean}_worst{convention.worst:g}"] = worst
    together = convention.pooling in {"dataset", "micro"}
    for overall in OVERALL.values():
        if together:
            means[overall.name] = overall.score(sample.pool)
        else:
            means[overall.name] = mean_over_images(overall.score(sample.images), sample)
    return Summary(means=means, classes=classes)
