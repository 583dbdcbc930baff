"""``segeval plot``: a run as a picture for a paper."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import MISSING, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from segeval.cli import options
from segeval.cli.command import command
from segeval.cli.console import notify
from segeval.cli.options.pairing import ReadingOptions
from segeval.cli.runs import count_or_read
from segeval.errors import SettingError
from segeval.text import listed

if TYPE_CHECKING:
    from segeval.counting.run import CountedRun
    from segeval.scoring.convention import Convention

_plot = options.in_panel("Plot")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlotOptions:
    """What is drawn, and where it goes."""

    out: Path = _plot(
        "File of the plot: its name ends in .svg, .png or .pdf; - is SVG to stdout.",
        "--out",
        "-o",
        metavar="F",
        default=MISSING,
        common=True,
    )
    kind: Literal["confusion", "classes", "images", "curves", "boundary", "distances"] = _plot(
        "The confusion matrix, scores of the classes or the images, curves over all thresholds, "
        "or boundary IoU by width or distances of borders that a run holds.",
        default="confusion",
        common=True,
    )
    class_name: str | None = _plot(
        "Class of --kind boundary or distances; without it all classes.",
        "--class",
        metavar="CLASS",
    )
    metric: str = _plot(
        "Score of the classes for --kind classes: any column of their table, e.g. dice.",
        "--metric",  # Typer 0.27 takes the value for the name
        metavar="METRIC",
        autocompletion=lambda: [*_metrics()],
        default="iou",
        common=True,
    )


@command
def plot(
    reading: ReadingOptions,
    labels: options.LabelOptions,
    convention: options.GroupedOptions,
    plotted: PlotOptions,
    *,
    quiet: options.Quiet = False,
) -> None:
    """Plot PRED against TRUTH, or a saved run in its place, as SVG, PNG or PDF.

        # the confusion matrix
        segeval plot run.segeval -o confusion.svg
        # a bar for the Dice of each class
        segeval plot run.segeval -o dice.pdf --kind classes --metric dice
        # how far the borders of a class are apart, of a run with --distances
        segeval plot run.segeval -o class.svg --kind distances --class 7

    --kind says what is drawn: shares of each true class (confusion), a bar
    for each class (classes), the spread of mIoU over images (images), or
    precision, recall, Dice and IoU of grey predictions at every threshold
    (curves); boundary IoU against the width of the bands (boundary) and the
    histogram of distances between borders (distances), of a run that was
    scored with --boundary and --distances.
    """
    from segeval.cli.deliver import write_report
    from segeval.cli.notices import say_classes
    from segeval.cli.places import check_reports
    from segeval.reports.plots.plots import draw_plot, plot_data
    from segeval.reports.plots.style import missing_letters, plot_format, save
    from segeval.scoring.score import label_and_score

    ending = plot_format(plotted.out.name)
    if plotted.metric not in _metrics():
        raise SettingError(
            f"--metric {plotted.metric!r} is no score of classes; choose {', '.join(_metrics())}"
        )
    if plotted.class_name is not None and plotted.kind not in {"boundary", "distances"}:
        raise SettingError("--class needs --kind boundary or --kind distances")
    check_reports([], reading, labels, convention, plots=[plotted.out])
    rules = convention.convention()
    lossy = labels.threshold is not None or plotted.kind == "curves"
    run = count_or_read(reading, quiet=quiet, lossy=lossy)
    if plotted.kind == "curves":
        data = _swept(run, labels, rules)
    else:
        scores = label_and_score(
            run, labels.choice(), rules, unknown=labels.unknown, group_by=convention.group_by
        )
        say_classes(run, scores.counts, scores.labels, quiet=quiet)
        name = plotted.class_name
        position = None if name is None else scores.labels.positions([name])[0]
        data = plot_data(scores, plotted.kind, position)
    figure = draw_plot(plotted.kind, data | {"metric": plotted.metric})
    write_report(plotted.out, save(figure, ending))
    if ending != "svg":
        _say_letters(missing_letters(figure), quiet=quiet)


def _say_letters(letters: Sequence[str], *, quiet: bool) -> None:
    if letters:
        notify(
            f"notice: the font of plots lacks {listed(letters, 5, ' and {} more letters')}: they "
            "are boxes; an .svg holds them as text",
            quiet=quiet,
        )


def _metrics() -> list[str]:
    from segeval.scoring.metrics import METRICS, shown

    return [metric.name for metric in shown(METRICS, "classes")]


def _swept(run: CountedRun, labels: options.LabelOptions, rules: Convention) -> dict[str, Any]:
    from segeval.labels.choose import choose_labels
    from segeval.reports.sweep import make_document
    from segeval.scoring.sweep import sweep

    choice = labels.choice()
    if choice.threshold is not None or choice.prediction_offset:
        raise SettingError("curves show every threshold; leave out --threshold and --pred-offset")
    choice = replace(choice, labels=choice.labels or "binary")
    return make_document(sweep(run, choose_labels(run, choice, sides=("truth",)), rules))
