"""Conventions: what is done where the field disagrees.

A convention decides which counts are pooled, what a class is worth that occurs nowhere, and which
classes enter the mean. It never touches a count.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

import numpy as np

from segeval.errors import SettingError
from segeval.metrics import ratio
from segeval.settings import Absent, Pooling

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from segeval.confusion import ClassCounts
    from segeval.metrics import Metric

__all__ = ["Convention", "mean_defined", "mean_of_worst"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Convention:
    """How counts become scores and scores become means.

    Attributes
    ----------
    pooling : {"dataset", "image", "class", "pair"}
        ``dataset``: counts summed over images, mean over classes. ``image``: mean over images of
        the mean over classes. ``class``: mean over classes of the mean over images. ``pair``: mean
        over all (class, image) values.
    absent : {"skip", "zero", "one"}
        What a class is worth that is in neither the truth nor the prediction of its pool:
        undefined and left out of every mean, 0, or 1.
    exclude : tuple of str
        Classes left out of the means; their pixels still count as errors of the others.
    worst : float, optional
        For ``image`` and ``class`` pooling also the mean of so many percent of the lowest values.
    """

    pooling: Pooling = "dataset"
    absent: Absent = "skip"
    exclude: tuple[str, ...] = ()
    worst: float | None = None

    def __post_init__(self) -> None:
        """Refuse what is not on the axes."""
        for value, allowed in ((self.pooling, Pooling), (self.absent, Absent)):
            if value not in get_args(allowed):
                raise SettingError(f"{value!r} is none of {', '.join(get_args(allowed))}")
        if not isinstance(self.exclude, tuple):
            raise SettingError(f"exclude is a tuple of class names, not {self.exclude!r}")
        if self.worst is not None and not 0 < self.worst <= 100:
            raise SettingError(f"worst is a percentage above 0 and up to 100, not {self.worst}")
        if self.worst is not None and self.pooling not in {"image", "class"}:
            raise SettingError("the worst share needs pooling by image or by class")

    def score_classes(self, metric: Metric, counts: ClassCounts) -> NDArray[np.float64]:
        """Score every class of every pool.

        A class that occurs on one side only scores 0, also where the formula alone is undefined,
        so that all scores are defined for the same classes.

        Returns
        -------
        (..., K) float64 array
            Values in [0, 1]; NaN where undefined.
        """
        scores = ratio(*metric.terms(counts))
        in_truth, in_prediction = counts.support > 0, counts.predicted > 0
        scores[in_truth != in_prediction] = 0.0
        scores[~in_truth & ~in_prediction] = {"skip": np.nan, "zero": 0.0, "one": 1.0}[self.absent]
        return scores


def mean_defined(values: NDArray[np.float64], axis: int | None = None) -> NDArray[np.float64]:
    """Average the defined values; NaN where there is none."""
    defined = ~np.isnan(values)
    return ratio(np.where(defined, values, 0.0).sum(axis=axis), defined.sum(axis=axis))


def mean_of_worst(values: NDArray[np.float64], percent: float) -> float:
    """Average the lowest so many percent of the defined values, at least one; NaN if there is none.

    References
    ----------
    Wang et al. 2023, Revisiting Evaluation Metrics for Semantic Segmentation, NeurIPS.
    """
    defined = np.sort(values[~np.isnan(values)])
    count = max(1, int(defined.size * percent / 100))
    return float(mean_defined(defined[:count]))
