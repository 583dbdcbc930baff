"""``segeval compare``: whether a difference is real."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import typer

from segeval.cli import options
from segeval.cli.command import command
from segeval.cli.console import notify, progress_bar
from segeval.cli.options.output import DocumentFile, Percent, ReportFiles, report_file
from segeval.cli.options.pairing import FolderOptions
from segeval.cli.runs import say_decoder
from segeval.counting.runschema import is_run_file
from segeval.errors import SettingError

if TYPE_CHECKING:
    from segeval.counting.run import CountedRun
    from segeval.scoring.compare import RunComparison

_pairing = options.in_panel("Pairing and reading")
_convention = options.in_panel("Convention")
_output = options.in_panel("Output and gate")


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedOptions(FolderOptions):
    """Which runs are compared, and how folders among them are counted."""

    runs: Annotated[
        list[Path],
        typer.Argument(
            metavar="RUN…",
            help="Run files, or folders of predicted masks; the first is compared to.",
        ),
    ]
    truth: Annotated[
        Path | None,
        _pairing("Folder of true masks, for folders of predictions.", "--truth", metavar="TRUTH"),
    ] = None
    common: Annotated[
        bool, _convention("Leave out images that are not in all runs.", "--common")
    ] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ResamplingOptions(options.ConventionOptions):
    """How counts become scores, and how often they are drawn: always, in a comparison."""

    ci: Annotated[
        int | None,
        _convention(
            "Intervals and p-values from so many resamples of the images, or of their groups.",
            metavar="N",
            show_default="1000",
        ),
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonOutput(ReportFiles):
    """What comes out."""

    printed: ClassVar = {"table": "compare:to_renderable"}

    output_format: Annotated[
        Literal["table", "csv", "json", "markdown"], _output("What is printed.", "--format")
    ] = "table"
    percent: Percent = False
    csv: Annotated[Path | None, report_file("compare:to_csv", "Write a CSV of all scores.")] = None
    per_image: Annotated[
        Path | None, report_file("compare:images_csv", "Write a CSV of the images.")
    ] = None
    json: DocumentFile = None
    markdown: Annotated[
        Path | None, report_file("compare:to_markdown", "Write the table as Markdown.")
    ] = None
    html: Annotated[
        Path | None, report_file("html.page:comparison_page", "Write one page of HTML.")
    ] = None


@command
def compare(
    compared: ComparedOptions,
    labels: options.LabelOptions,
    convention: ResamplingOptions,
    output: ComparisonOutput,
    *,
    quiet: options.Quiet = False,
) -> None:
    """Compare runs over the same images with the first of them.

    For every mean and every class: both scores, the difference, its interval
    over paired resamples, and the p-value of approximate randomisation; then
    the images that changed most.
    """
    from segeval.cli.plan import refuse_overwriting
    from segeval.labels.choose import explicit_labels
    from segeval.reports.html.page import check_jinja
    from segeval.scoring.compare import compare_runs

    chosen, choice = convention.convention(), labels.choice()
    resampling = convention.resampling(always=True)
    if output.html is not None:
        check_jinja()
    if len(compared.runs) < 2:
        raise SettingError("two runs or more are needed, the baseline first")
    refuse_overwriting(output.files().values(), compared.runs)
    stated = explicit_labels(choice)
    if stated is not None:
        stated.positions(chosen.exclude)
    comparisons = compare_runs(
        _runs(compared, quiet=quiet),
        choice,
        chosen,
        unknown=labels.unknown,
        resampling=resampling,
        common=compared.common,
    )
    _deliver(comparisons, compared, labels, output)
    _say_doubts(comparisons, quiet=quiet)


def _runs(compared: ComparedOptions, *, quiet: bool) -> list[CountedRun]:
    """Read the runs, and count the folders."""
    from segeval.counting.dataset import count_dataset
    from segeval.counting.runfile import read_run

    folders = [path for path in compared.runs if not _is_counted(path)]
    _check_folders(folders, compared)
    if folders:
        say_decoder(quiet=quiet)
    return [
        count_dataset(
            compared.folders(path, compared.truth),
            compared.reading(),
            workers=compared.workers,
            progress=progress_bar(quiet=quiet),
        )
        if path in folders
        else read_run(path)
        for path in compared.runs
    ]


def _check_folders(folders: Sequence[Path], compared: ComparedOptions) -> None:
    """Check that what is no run file is a folder, and whether options of folders make sense."""
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


def _is_counted(path: Path) -> bool:
    """Whether this is a run file, or nothing at all, which reading it as a run will say."""
    return is_run_file(path) if path.is_file() else not path.is_dir()


def _deliver(
    comparisons: Sequence[RunComparison],
    compared: ComparedOptions,
    labels: options.LabelOptions,
    output: ComparisonOutput,
) -> None:
    """Write the files, and print the chosen format."""
    from segeval.cli.deliver import deliver
    from segeval.reports.compare import make_document
    from segeval.text import printable

    names = [printable(str(path)) for path in compared.runs]
    truth = {"truth": str(compared.truth)} if compared.truth is not None else {}
    document = make_document(comparisons, names, settings=truth | asdict(labels))
    given = {"comparisons": comparisons, "names": names, "percent": output.percent}
    deliver(output, document=document, **given)


def _say_doubts(comparisons: Sequence[RunComparison], *, quiet: bool) -> None:
    """Say what these numbers cannot show."""
    import numpy as np

    from segeval.cli.notices import say_few, say_undefined

    first = comparisons[0]
    names, rounds = first.scores.labels.names, first.resampling.rounds
    say_few(first.units, quiet=quiet)
    undefined = np.max([one.classes["iou"].undefined for one in comparisons], axis=0)
    say_undefined(dict(zip(names, undefined.tolist(), strict=True)), rounds, quiet=quiet)
    _say_too_few_rounds(len(names), rounds, quiet=quiet)


def _say_too_few_rounds(classes: int, rounds: int, *, quiet: bool) -> None:
    """Say if the correction for many classes leaves no p-value that could be low."""
    from segeval.reports.compare import SIGNIFICANT

    least = classes / (rounds + 1)
    if least >= SIGNIFICANT:
        needed = int(classes / SIGNIFICANT) // 1000 * 1000 + 1000
        notify(
            f"notice: with {classes} classes and {rounds} rounds no corrected p can be "
            f"below {least:.2g}; type --ci {needed}",
            quiet=quiet,
        )
