"""``segeval compare``: whether a difference is real."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from segeval.cli import options
from segeval.cli.command import command
from segeval.cli.console import notify, progress_bar
from segeval.cli.options.output import (
    ReportFiles,
    csv_column_names,
    csv_float_format,
    csv_safe_flag,
    document_file,
    percent_flag,
    photograph_folder,
    photograph_suffix,
    report_file,
)
from segeval.cli.options.pairing import FolderOptions
from segeval.cli.options.panels import argument
from segeval.cli.runs import say_decoder
from segeval.counting.runschema import is_run_file
from segeval.errors import SettingError

if TYPE_CHECKING:
    from segeval.counting.numbering import Numbering
    from segeval.counting.run import CountedRun
    from segeval.distances.rules import DistanceRules
    from segeval.objects.rules import ObjectRules
    from segeval.scoring.beside import Contrast
    from segeval.scoring.compare import RunComparison
    from segeval.settings import LabelChoice

_pairing = options.in_panel("Pairing and reading")
_convention = options.in_panel("Convention")
_output = options.in_panel("Output and gate")


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedOptions(FolderOptions):
    """Which runs are compared, and how folders among them are counted."""

    runs: list[Path] = argument(
        "Run files, or folders of predicted masks; the others are compared with the first.",
        metavar="RUN...",
        default=MISSING,
    )
    truth: Path | None = _pairing(
        "Folder of true masks, if folders of predictions are compared.",
        "--truth",
        metavar="TRUTH",
        common=True,
    )
    common: bool = _convention(
        "Leave out images that are not in all runs.", "--common", default=False, common=True
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ResamplingOptions(options.GroupedOptions):
    """How counts become scores, and how often they are drawn: always, in a comparison."""

    ci: int | None = _convention(
        "Intervals and p-values from N resamples of the images, or of their groups.",
        metavar="N",
        common=True,
        show_default="1000",
    )
    group_by: str | None = _convention(
        "Groups for --pooling group: what the first capture group of this regular expression "
        "finds in the name.",
        metavar="REGEX",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonOutput(ReportFiles):
    """What comes out."""

    printed: ClassVar = {"table": "compare:to_renderable"}

    output_format: Literal["table", "csv", "json", "markdown"] = _output(
        "What is printed.", "--format", default="table", common=True
    )
    percent: bool = percent_flag()
    csv: Path | None = report_file("compare:to_csv", "Write all scores as CSV.", common=True)
    per_image: Path | None = report_file(
        "compare:images_csv", "Write the scores of the images as CSV.", common=True
    )
    csv_columns: str | None = csv_column_names()
    float_format: str = csv_float_format()
    csv_safe: bool = csv_safe_flag()
    json: Path | None = document_file()
    markdown: Path | None = report_file("compare:to_markdown", "Write the table as Markdown.")
    html: Path | None = report_file(
        "html.comparison:make_page",
        "Write a report with bars and pictures of what changed, as one page of HTML.",
        common=True,
    )
    images: Path | None = photograph_folder()
    image_suffix: str = photograph_suffix()


@command
def compare(
    compared: ComparedOptions,
    labels: options.LabelOptions,
    convention: ResamplingOptions,
    objects: options.ObjectOptions,
    measures: options.MeasureOptions,
    *,
    output: ComparisonOutput,
    quiet: options.Quiet = False,
) -> None:
    """Compare runs over the same images with the first of them.

        # two runs that were saved by `segeval score -o`
        segeval compare old.segeval new.segeval
        # folders of predictions, counted now
        segeval compare old/ new/ --truth truth/
        # label images by their objects
        segeval compare old.segeval new.segeval --objects ids
        # the same, and a page of HTML
        segeval compare old/ new/ --truth truth/ --html page.html

    For every mean and every class: both scores, the difference, its interval
    over paired resamples, and the p-value of approximate randomisation; then
    the images that changed most.
    """
    from segeval.cli.places import check_reports
    from segeval.cli.plan import check_page
    from segeval.labels.choose import check_names
    from segeval.objectdistances.further import check_measured, compare_all

    rules, choice = objects.rules(convention.like), labels.choice()
    far = measures.distance_rules(convention.like)
    how: dict[str, Any] = {
        "convention": convention.convention(objects=rules is not None, distances=far is not None),
        "unknown": labels.unknown,
        "resampling": convention.resampling(always=True),
        "common": compared.common,
        "group_by": convention.group_by,
        "measures": measures.asked(),
    }
    if len(compared.runs) < 2:
        raise SettingError("two runs or more are needed, the baseline first")
    output.csv_style()
    check_reports(output.files().values(), compared, labels, convention, output)
    photographs = check_page(output.html, output.images, output.image_suffix)
    check_names(choice, how["convention"].exclude)
    numbering = objects.numbering(choice)
    runs = _runs(compared, quiet=quiet, lossy=choice.threshold is not None, numbering=numbering)
    runs = _measured(runs, compared, choice, how, distances=far, objects=rules, quiet=quiet)
    for path, run in zip(compared.runs, runs, strict=True):
        check_measured(run, how["measures"], rules, far, name=str(path))
    comparisons, further = compare_all(runs, choice, rules, far, **how)
    _deliver(comparisons, compared, labels, output, further, photographs=photographs)
    _say_doubts(comparisons, quiet=quiet)


def _runs(
    compared: ComparedOptions, *, quiet: bool, lossy: bool, numbering: Numbering | None
) -> list[CountedRun]:
    from segeval.counting.dataset import count_dataset
    from segeval.counting.runfile import read_run

    # what is not there is read as a run, which says so
    folders = [p for p in compared.runs if p.is_dir() or (p.is_file() and not is_run_file(p))]
    _check_folders(folders, compared)
    if folders:
        say_decoder(quiet=quiet)
    return [
        count_dataset(
            compared.folders(path, compared.truth),
            compared.reading(lossy=lossy),
            workers=compared.workers,
            progress=progress_bar(quiet=quiet),
            numbering=numbering,
        )
        if path in folders
        else read_run(path, fingerprints=False)
        for path in compared.runs
    ]


def _measured(
    runs: Sequence[CountedRun],
    compared: ComparedOptions,
    choice: LabelChoice,
    how: Mapping[str, Any],
    *,
    distances: DistanceRules | None,
    objects: ObjectRules | None,
    quiet: bool,
) -> list[CountedRun]:
    """Measure in the masks of folders what is asked for; run files hold it, or lack it."""
    from segeval.labels.ids import as_measured
    from segeval.objectdistances.further import all_measures
    from segeval.scoring.measured import measure_for

    named = ("convention", "unknown")
    measures = all_measures(runs[0], choice, how["measures"], objects, distances)
    if measures and objects is not None:
        choice = as_measured(runs[0], choice, objects.source)
    return [
        run
        if is_run_file(path)
        else measure_for(
            measures,
            [run, *(other for other in runs if other is not run)],
            choice,
            **{name: how[name] for name in named},
            reading=compared.reading(lossy=True),
            workers=compared.workers,
            progress=progress_bar(quiet=quiet),
        )
        for path, run in zip(compared.runs, runs, strict=True)
    ]


def _check_folders(folders: Sequence[Path], compared: ComparedOptions) -> None:
    for path in folders:
        if path.is_file() and path.suffix.lower() == ".json":
            raise SettingError(
                f"{path}: a JSON document cannot be compared; name the run file (score -o RUN)"
            )
        if path.is_file():
            raise SettingError(f"{path} is neither a run file (score -o RUN) nor a folder")
    if folders and compared.truth is None:
        raise SettingError(f"{folders[0]} is no run file; name the true masks with --truth TRUTH")
    stated = compared.given_options("runs", "common")
    if stated and not folders:
        raise SettingError(f"all runs are counted already; leave out {stated}")


def _deliver(
    comparisons: Sequence[RunComparison],
    compared: ComparedOptions,
    labels: options.LabelOptions,
    output: ComparisonOutput,
    further: Sequence[Mapping[str, Contrast]],
    *,
    photographs: Mapping[str, Path],
) -> None:
    from segeval.cli.deliver import deliver
    from segeval.reports.compare import make_document
    from segeval.text import printable

    names = [printable(str(path)) for path in compared.runs]
    truth = {"truth": str(compared.truth)} if compared.truth is not None else {}
    settings = truth | asdict(labels)
    document = make_document(comparisons, names, settings=settings, further=further)
    given = {"comparisons": comparisons, "names": names, "photographs": photographs}
    deliver(output, document=document, percent=output.percent, further=further, **given)


def _say_doubts(comparisons: Sequence[RunComparison], *, quiet: bool) -> None:
    import numpy as np

    from segeval.cli.notices import on_classes, say_few, say_guessed, say_once, say_undefined

    first = comparisons[0]
    scores = first.scores
    sides = (first.baseline, *(one.scores for one in comparisons))
    lines = (line for side in sides for line in on_classes(side.run, side.counts, side.labels))
    say_once(lines, quiet=quiet)
    say_guessed(scores.counts, scores.labels, [scores.convention], quiet=quiet)
    names, rounds = scores.labels.names, first.resampling.rounds
    say_few(first.units, quiet=quiet)
    undefined = np.max([one.classes["iou"].undefined for one in comparisons], axis=0)
    say_undefined(dict(zip(names, undefined.tolist(), strict=True)), rounds, quiet=quiet)
    _say_too_few_rounds(len(names), rounds, quiet=quiet)


def _say_too_few_rounds(classes: int, rounds: int, *, quiet: bool) -> None:
    """Say if the correction for many classes leaves no p-value that could be low."""
    from segeval.reports.compare import rounds_needed

    needed = rounds_needed(classes, rounds)
    if needed is not None:
        notify(
            f"notice: with {classes} classes and {rounds} rounds no corrected p can be "
            f"below {classes / (rounds + 1):.2g}; type --ci {needed}",
            quiet=quiet,
        )
