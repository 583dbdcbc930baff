"""The library's front door to comparisons: `compare` on two runs, with plain arguments."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from os import PathLike
from typing import TYPE_CHECKING, Any

from segeval.counting.run import Run
from segeval.labels.labelmap import LabelMap
from segeval.reports.compare import class_frame, image_frame, make_document
from segeval.scoring import compare as comparison
from segeval.scoring.compare import compare_runs
from segeval.scoring.convention import Convention
from segeval.scoring.resampling import SEED, Resampling
from segeval.settings import LabelChoice, Unknown

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Comparison:
    """A run against a baseline.

    Attributes
    ----------
    comparison : Comparison
        Everything in full precision, as arrays.
    """

    comparison: comparison.RunComparison

    def __repr__(self) -> str:
        """Show the difference of the headline and what it means."""
        headline = self.comparison.scores.convention.headline
        figures = self.summary[headline]
        return f"Comparison({headline} {figures['delta']:+.4f}, p={figures['p']!r})"

    @property
    def summary(self) -> Mapping[str, Mapping[str, float | None]]:
        """Of each mean and overall score: baseline, value, delta, low, high and p."""
        summary: Mapping[str, Mapping[str, float | None]] = self.document["summary"]
        return summary

    @property
    def signature(self) -> str:
        """The definition of these numbers in one line."""
        return self.comparison.signature

    @property
    def document(self) -> dict[str, Any]:
        """The document of schema ``segeval.comparison/1`` as plain data."""
        return make_document([self.comparison], ["baseline", "run"])

    @property
    def classes(self) -> pd.DataFrame:
        """One row a class and score, with the p-value corrected by Holm, NaN where undefined."""
        return class_frame(self.document)

    @property
    def images(self) -> pd.DataFrame:
        """One row an image: the headline's score in both runs."""
        return image_frame(self.comparison)


def compare(
    baseline: Run,
    run: Run,
    *,
    labels: str | PathLike[str] | LabelMap | None = None,
    ignore: Collection[int] | None = None,
    unknown: Unknown = "error",
    convention: Convention | None = None,
    ci: int = 1000,
    seed: int = SEED,
    common: bool = False,
) -> Comparison:
    """Compare two runs over the same images.

    Parameters
    ----------
    baseline, run : Run
        What is compared to, and what is compared.
    labels, ignore, unknown, convention
        As for `segeval.score`; without labels, the values found in both runs are the classes.
    ci : int
        Number of resamples, and of swaps.
    seed : int
        Of the resamples and swaps.
    common : bool
        Whether images that are not in both runs are left out, instead of being an error.

    Returns
    -------
    Comparison

    Raises
    ------
    RunError
        If the runs are not over the same images, or not against the same truths.
    DataError
        If a run has problems, or there are less than two images.
    """
    named = os.fspath(labels) if isinstance(labels, os.PathLike) else labels
    void = None if ignore is None else tuple(ignore)
    (comparison,) = compare_runs(
        [baseline, run],
        LabelChoice(labels=named, ignore=void),
        convention,
        unknown=unknown,
        resampling=Resampling(rounds=ci, seed=seed),
        common=common,
    )
    return Comparison(comparison=comparison)
