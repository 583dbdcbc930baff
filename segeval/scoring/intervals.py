"""Bootstrap intervals of every score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segeval.counting.confusion import ClassCounts
from segeval.scoring.convention import Convention
from segeval.scoring.means import Summary, summarize
from segeval.scoring.resampling import Resampling, Units, draw, percentile_interval
from segeval.scoring.sample import Sample


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Intervals:
    """Percentile intervals of every score; NaN if no round defines it."""

    resampling: Resampling
    units: Units
    means: Mapping[str, NDArray[np.float64]]  # (2,) bounds
    classes: Mapping[str, NDArray[np.float64]]  # (2, K) bounds by metric
    undefined_means: Mapping[str, int]  # rounds that the bounds leave out
    undefined_classes: Mapping[str, NDArray[np.int64]]  # (K,), the same by metric


def find_intervals(
    convention: Convention,
    images: ClassCounts,
    excluded: Sequence[int],
    units: Units,
    resampling: Resampling,
) -> Intervals:
    """Resample the images, and score each resample."""
    sample = Sample.of(images)
    rounds = Summary.concatenate(
        summarize(convention, sample.drawn(draws), excluded) for draws in draw(units, resampling)
    )
    return intervals_of(rounds, units, resampling)


def intervals_of(rounds: Summary, units: Units, resampling: Resampling) -> Intervals:
    """Return the intervals of scores, or of differences of scores, from their values by round."""
    means, classes, bounds = rounds.means, rounds.classes, rounds.map(percentile_interval)
    return Intervals(
        resampling=resampling,
        units=units,
        means=bounds.means,
        classes=bounds.classes,
        undefined_means={name: int(np.isnan(values).sum()) for name, values in means.items()},
        undefined_classes={name: np.isnan(values).sum(axis=0) for name, values in classes.items()},
    )
