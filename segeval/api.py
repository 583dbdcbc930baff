"""The library's front door: `score` on paths, with plain arguments and pandas frames."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from segeval.counting import run
from segeval.counting.dataset import count_dataset
from segeval.counting.runfile import read_run
from segeval.labels.labelmap import LabelMap
from segeval.reports.document import make_document
from segeval.scoring.convention import Convention
from segeval.scoring.resampling import SEED, Resampling
from segeval.scoring.score import Scores, label_and_score
from segeval.settings import LabelChoice, Missing, Source, Unknown

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Result", "Run", "score"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Result:
    """Scores of a data set.

    Attributes
    ----------
    scores : Scores
        Everything in full precision, as arrays.
    """

    scores: Scores

    def __repr__(self) -> str:
        """Show the headline and what it means."""
        headline = self.scores.convention.headline
        return f"Result({headline}={self.summary[headline]!r}, {self.signature!r})"

    @property
    def summary(self) -> Mapping[str, float]:
        """Means and overall scores by name, in [0, 1]; NaN where undefined."""
        return self.scores.summary

    @property
    def intervals(self) -> Mapping[str, tuple[float, float]]:
        """Lower and upper bound of each summary score; empty unless they were asked for."""
        if self.scores.intervals is None:
            return {}
        return {name: (low, high) for name, (low, high) in _lists(self.scores.intervals.means)}

    @property
    def signature(self) -> str:
        """The definition of these numbers in one line."""
        return self.scores.signature

    @property
    def document(self) -> dict[str, Any]:
        """The document of schema ``segeval.scores/1`` as plain data."""
        return make_document(self.scores)

    @property
    def classes(self) -> pd.DataFrame:
        """One row a class: counts, scores and their bounds, NaN where undefined."""
        from segeval.reports.csv import class_frame

        return class_frame(self.document)

    @property
    def images(self) -> pd.DataFrame:
        """One row an image: pixels, means over classes, and the IoU of each class."""
        from segeval.reports.csv import image_frame

        return image_frame(self.scores)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Run(run.Run):
    """The counts of a data set: opened from a file, added, looked at as frames, scored.

    Examples
    --------
    >>> nothing = Run.of([])
    >>> len(nothing + nothing)
    0
    """

    @classmethod
    def open(cls, path: str | PathLike[str]) -> Self:
        """Read a run file.

        Raises
        ------
        RunError
            If there is none, or it is damaged, unfinished, or of a newer segeval.
        """
        read = read_run(Path(path))
        return cls(**{part.name: getattr(read, part.name) for part in fields(run.Run)})

    def score(
        self,
        *,
        labels: str | PathLike[str] | LabelMap | None = None,
        ignore: Collection[int] | None = None,
        unknown: Unknown = "error",
        convention: Convention | None = None,
        ci: int | None = None,
        seed: int = SEED,
    ) -> Result:
        """Score the run; see `segeval.score` for the parameters."""
        void = None if ignore is None else tuple(ignore)
        choice = LabelChoice(labels=_name_or_map(labels), ignore=void)
        resampling = None if ci is None else Resampling(rounds=ci, seed=seed)
        scores = label_and_score(self, choice, convention, unknown=unknown, resampling=resampling)
        return Result(scores=scores)

    def per_image(self, *, labels: str | PathLike[str] | LabelMap | None = None) -> pd.DataFrame:
        """Return one row an image: pixels, means over classes, and the IoU of each class."""
        return self.score(labels=labels).images

    def contingency(self) -> pd.DataFrame:
        """Return one row an image and pair of values: how many pixels hold it."""
        import pandas as pd

        names = np.array([image.name for image in self.images], object)
        counts = self.counts
        columns = {"truth": counts.truth, "prediction": counts.prediction, "pixels": counts.pixels}
        return pd.DataFrame({"image": names[counts.image], **columns})


def score(
    *,
    prediction: str | PathLike[str],
    truth: str | PathLike[str],
    labels: str | PathLike[str] | LabelMap | None = None,
    prediction_labels: str | PathLike[str] | LabelMap | None = None,
    classes: int | None = None,
    ignore: Collection[int] | None = None,
    threshold: float | None = None,
    unknown: Unknown = "error",
    convention: Convention | None = None,
    missing: Missing = "error",
    pred_suffix: str = "",
    truth_suffix: str = "",
    workers: int | None = 1,
    ci: int | None = None,
    seed: int = SEED,
) -> Result:
    """Score a folder of predicted masks against a folder of true ones.

    Parameters
    ----------
    prediction, truth : path
        Two folders, or two files.
    labels : str, path or LabelMap, optional
        A label map, the name of a built-in one, or a file; by default the values found are the
        classes.
    prediction_labels : str, path or LabelMap, optional
        The same for the predictions, if they store the classes by other values.
    classes : int, optional
        The classes are the values 0…N-1, in place of ``labels``.
    ignore : collection of int, optional
        Truth values that are void.
    threshold : float, optional
        Grey predictions: foreground where value >= threshold.
    unknown : {"error", "wrong", "ignore"}
        What a predicted value is that is no class: a problem, a miss, or not judged.
    convention : Convention, optional
        Pooling, absent classes, classes of the means; ``preset("monai")`` is that of a tool.
    missing : {"error", "skip", "worst"}
        What a truth without a prediction is: a problem, left out, or all wrong.
    pred_suffix, truth_suffix : str
        End of the names on that side, stripped before names are matched.
    workers : int, optional
        Number of processes; None decides by the size of the set.
    ci : int, optional
        Number of resamples, e.g. 1000: every score gets a 95 % interval, in ``intervals``.
    seed : int
        Seed of the resamples.

    Returns
    -------
    Result

    Raises
    ------
    DataError
        If the data set has problems; all of them are listed.
    LabelError
        If it is unclear what the values mean.

    Examples
    --------
    >>> result = score(prediction="sample_masks/pred", truth="sample_masks/truth")
    >>> result.signature
    'labels:found|classes:8|ignore:255|pooling:dataset|absent:skip|mean:all|images:12|segeval:0.1.0'
    """
    source = Source(
        prediction=Path(prediction),
        truth=Path(truth),
        missing=missing,
        pred_suffix=pred_suffix,
        truth_suffix=truth_suffix,
    )
    choice = LabelChoice(
        labels=_name_or_map(labels),
        prediction_labels=_name_or_map(prediction_labels),
        classes=classes,
        ignore=None if ignore is None else tuple(ignore),
        threshold=threshold,
    )
    resampling = None if ci is None else Resampling(rounds=ci, seed=seed)
    counted = count_dataset(source, workers=workers)
    scores = label_and_score(counted, choice, convention, unknown=unknown, resampling=resampling)
    return Result(scores=scores)


def _lists(arrays: Mapping[str, NDArray[np.float64]]) -> list[tuple[str, list[float]]]:
    return [(name, array.tolist()) for name, array in arrays.items()]


def _name_or_map(labels: str | PathLike[str] | LabelMap | None) -> str | LabelMap | None:
    return os.fspath(labels) if isinstance(labels, os.PathLike) else labels
