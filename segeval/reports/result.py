"""Scores and comparisons with all that is made of them: frames, pages, plots, files, notebooks."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segeval.distances.result import DistanceScores
from segeval.errors import SettingError
from segeval.files import write_bytes, write_text
from segeval.labels.labelmap import LabelMap
from segeval.objects.result import ObjectScores
from segeval.reports.document import make_document
from segeval.reports.plots.plots import PLOTS, Kind, draw_plot, plot_data
from segeval.reports.plots.style import check_matplotlib, plot_format, save
from segeval.scoring.baseline import named_values
from segeval.scoring.beside import Contrast
from segeval.scoring.compare import RunComparison
from segeval.scoring.gates import BOUNDS
from segeval.scoring.score import Scores
from segeval.settings import LabelChoice, Unknown
from segeval.storage.path import located
from segeval.values import NO_DATA

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

AnyPath = str | PathLike[str]


def label_settings(choice: LabelChoice, unknown: Unknown) -> dict[str, Any]:
    """Lay out what values mean as the documents of the command line do."""
    return {
        "labels": _name(choice.labels),
        "classes": choice.classes,
        "ignore": None if choice.ignore is None else [_void(value) for value in choice.ignore],
        "truth_threshold": choice.truth_threshold,
        "pred_labels": _name(choice.prediction_labels),
        "pred_offset": choice.prediction_offset,
        "unknown": unknown,
        "threshold": choice.threshold,
        "level": choice.level,
    }


def _void(value: int) -> int | str:
    return "nodata" if value == NO_DATA else value


def _name(labels: AnyPath | LabelMap | None) -> str | None:
    """Return what a label map is called by the user."""
    if labels is None:
        return None
    return labels.name if isinstance(labels, LabelMap) else os.fspath(labels)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Result:
    """Scores of a data set.

    Attributes
    ----------
    scores : Scores
        Everything in full precision, as arrays.
    settings : mapping
        Where the masks are and what their values mean, for the record.
    object_scores : ObjectScores, optional
        Scores of objects, where these were asked for, as arrays.
    distance_scores : DistanceScores, optional
        Distances, where these were asked for, as arrays.
    """

    scores: Scores
    settings: Mapping[str, Any]
    object_scores: ObjectScores | None = None
    distance_scores: DistanceScores | None = None

    def __repr__(self) -> str:
        """Show the headline and what it means."""
        headline = self.scores.convention.headline
        return f"Result({headline}={self.summary[headline]!r}, {self.signature!r})"

    def _repr_html_(self) -> str:
        """Show the tables of the terminal in a notebook."""
        from segeval.reports.html.notebook import to_html
        from segeval.reports.table import to_renderable

        return to_html(to_renderable(self.document))

    @property
    def summary(self) -> Mapping[str, float]:
        """Means and overall scores by name, in [0, 1]; NaN where undefined."""
        return self.scores.summary

    @property
    def intervals(self) -> Mapping[str, tuple[float, float]]:
        """Lower and upper bound of each summary score; empty unless they were asked for."""
        if self.scores.intervals is None:
            return {}
        means = self.scores.intervals.means
        return {name: (float(low), float(high)) for name, (low, high) in means.items()}

    @property
    def signature(self) -> str:
        """The definition of these numbers in one line."""
        return self.scores.signature

    @property
    def document(self) -> dict[str, Any]:
        """The document of schema ``segeval.scores/1`` as plain data."""
        further: Any = {"objects": self.object_scores, "distances": self.distance_scores}
        return make_document(self.scores, settings=self.settings, **further)

    @property
    def objects(self) -> Mapping[str, Any]:
        """Scores of objects as in the document, by name; empty unless they were asked for."""
        return {} if self.object_scores is None else self.object_scores.block()

    @property
    def distances(self) -> Mapping[str, Any]:
        """Distances as in the document; empty unless they were asked for."""
        return {} if self.distance_scores is None else self.distance_scores.block()

    @property
    def classes(self) -> pd.DataFrame:
        """One row a class: counts, scores and their bounds, NaN where undefined."""
        from segeval.reports.csv import class_frame

        return class_frame(self.document)

    @property
    def images(self) -> pd.DataFrame:
        """One row an image: pixels, means over classes, and the IoU of each class."""
        from segeval.reports.csv import image_frame

        return image_frame(self.scores, self.object_scores, self.distance_scores)

    def flat(self, prefix: str = "") -> dict[str, float]:
        """Return every defined number by its name, as trackers of experiments take them.

        Parameters
        ----------
        prefix : str
            What every name begins with, e.g. ``"val/"``.

        Returns
        -------
        dict of str to float
            Means and overall scores (``miou``), scores of classes (``iou.road``), of groups
            (``miou@night``), and bounds (``miou.low``, ``iou.road.high``). An undefined score is
            left out, as a tracker would take it for a number or refuse it.
        """
        numbers = named_values(self.scores) | dict(_bounds(self.scores))
        numbers |= {} if self.object_scores is None else self.object_scores.named()
        numbers |= {} if self.distance_scores is None else self.distance_scores.named()
        return {f"{prefix}{name}": v for name, v in numbers.items() if math.isfinite(v)}

    def plot(
        self, kind: Kind = "confusion", path: AnyPath | None = None, *, metric: str = "iou"
    ) -> Figure:
        """Plot the scores.

        Parameters
        ----------
        kind : {"confusion", "classes", "images", "curves", "boundary", "distances"}
            Shares of each true class, a bar a class, the spread of mIoU over images, grey
            predictions at every threshold, or, where they were asked for, boundary IoU by width
            and the distances of borders.
        path : path, optional
            Also written here, as SVG, PNG or PDF by its ending.
        metric : {"iou", "dice", "precision", "recall"}
            Score of the bars.

        Returns
        -------
        matplotlib.figure.Figure

        Raises
        ------
        SettingError
            If Matplotlib is not installed, there is no such plot, or nothing was measured for it.
        """
        from segeval.reports import sweep as curves
        from segeval.scoring.sweep import sweep

        check_matplotlib()
        if path is not None:
            plot_format(str(path))
        if kind not in PLOTS:
            raise SettingError(f"a plot is one of {', '.join(PLOTS)}, not {kind!r}")
        scores = self.scores
        if metric not in scores.class_scores:
            known = ", ".join(scores.class_scores)
            raise SettingError(f"the metric of a class is one of {known}, not {metric!r}")
        data = (
            curves.make_document(sweep(scores.run, scores.labels))
            if kind == "curves"
            else plot_data(scores, kind)
        )
        figure = draw_plot(kind, data | {"metric": metric})
        if path is not None:
            write_bytes(Path(path), save(figure, plot_format(str(path))))
        return figure

    def html(
        self, path: AnyPath, *, photographs: AnyPath | None = None, percent: bool = False
    ) -> None:
        """Write one page of HTML that needs nothing else, with tables, charts and pictures.

        Parameters
        ----------
        path : path
            The file.
        photographs : path, optional
            Folder of the photographs below the pictures, by the names of the images.
        percent : bool
            Whether scores are shown times 100.
        """
        from segeval.inputs.photographs import find_photographs
        from segeval.reports.html.findings import make_page

        found = {} if photographs is None else find_photographs(located(photographs))
        page = make_page(self.scores, self.document, found, self.distance_scores, percent=percent)
        write_text(Path(path), page)

    def to_csv(self, path: AnyPath) -> None:
        """Write one row a class, then the means, as ``--csv`` does."""
        from segeval.reports.csv import classes_csv

        write_text(Path(path), classes_csv(self.document))

    def to_json(self, path: AnyPath) -> None:
        """Write the whole document, as ``--json`` does."""
        from segeval.reports.json import to_json

        write_text(Path(path), to_json(self.document))


def _bounds(scores: Scores) -> Iterator[tuple[str, float]]:
    """Yield the bounds of every score, as gates name them."""
    if scores.intervals is None:
        return
    for end, at in BOUNDS.items():
        for name, bounds in scores.intervals.means.items():
            yield f"{name}.{end}", float(bounds[at])
        for metric, bounds in scores.intervals.classes.items():
            for label, bound in zip(scores.labels.names, bounds[at].tolist(), strict=True):
                yield f"{metric}.{label}.{end}", bound


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Comparison:
    """A run against a baseline.

    Attributes
    ----------
    comparison : RunComparison
        Everything in full precision, as arrays.
    settings : mapping
        What the values of the masks mean, for the record.
    further : mapping of str to Contrast
        Differences of further scores as arrays, where these were asked for: ``objects``,
        ``distances``, and ``object_distances``.
    """

    comparison: RunComparison
    settings: Mapping[str, Any]
    further: Mapping[str, Contrast] = field(default_factory=dict)

    def __repr__(self) -> str:
        """Show the difference of the headline and what it means."""
        headline = self.comparison.scores.convention.headline
        figures = self.summary[headline]
        return f"Comparison({headline} {figures['delta']:+.4f}, p={figures['p']!r})"

    def _repr_html_(self) -> str:
        """Show the table of the terminal in a notebook."""
        from segeval.reports.compare import to_renderable
        from segeval.reports.html.notebook import to_html

        return to_html(to_renderable(self.document))

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
        from segeval.reports.compare import make_document

        names = ["baseline", "run"]
        further = [self.further]
        return make_document([self.comparison], names, settings=self.settings, further=further)

    @property
    def objects(self) -> Mapping[str, Any]:
        """Differences of scores of objects as in the document; empty unless they were asked for."""
        found: Mapping[str, Any] = self.document.get("objects", {})
        return found

    @property
    def distances(self) -> Mapping[str, Any]:
        """Differences of distances as in the document; empty unless they were asked for."""
        found: Mapping[str, Any] = self.document.get("distances", {})
        return found

    @property
    def classes(self) -> pd.DataFrame:
        """One row a class and score, with the p-value corrected by Holm, NaN where undefined."""
        from segeval.reports.compare import class_frame

        return class_frame(self.document)

    @property
    def images(self) -> pd.DataFrame:
        """One row an image: the headline's score in both runs."""
        from segeval.reports.compare import image_frame

        return image_frame(self.comparison)

    def html(
        self, path: AnyPath, *, photographs: AnyPath | None = None, percent: bool = False
    ) -> None:
        """Write one page of HTML with a verdict, bars, and pictures of what changed most.

        Parameters are those of `Result.html`.
        """
        from segeval.inputs.photographs import find_photographs
        from segeval.reports.html.comparison import make_page

        found = {} if photographs is None else find_photographs(located(photographs))
        page = make_page([self.comparison], self.document, found, [self.further], percent=percent)
        write_text(Path(path), page)

    def to_csv(self, path: AnyPath) -> None:
        """Write one row a mean, class and score."""
        from segeval.reports.compare import to_csv

        write_text(Path(path), to_csv(self.document))

    def to_json(self, path: AnyPath) -> None:
        """Write the whole document."""
        from segeval.reports.json import to_json

        write_text(Path(path), to_json(self.document))
