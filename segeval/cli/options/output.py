"""The options of output and gates: what comes out, and when it counts as failed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import Field, dataclass, fields
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Final, Literal

from segeval.cli.options.panels import gate_metrics, in_panel
from segeval.reports.csvstyle import CsvStyle, parse_csv_columns

Format = Literal["table", "csv", "json", "markdown", "total"]
PANEL: Final = "Output and gate"
_output = in_panel(PANEL)


def report_file(
    target: str, help_text: str, panel: str | None = PANEL, *, common: bool = False
) -> Any:
    """Make a field the option of a report that goes into a file, a row of the table of reports.

    ``target`` is ``module:function`` in `segeval.reports`. The function is given what its
    parameters name: the ``document``, the ``scores``, ``percent`` …
    """
    return in_panel(panel)(help_text, metavar="F", report=target, common=common)


document_file = partial(report_file, "json:to_json", "Write everything as one JSON document.")
percent_flag = partial(_output, "Show scores times 100 on the screen.", "--percent", default=False)
csv_safe_flag = partial(
    _output,
    "In CSV, begin names that a spreadsheet would take for a formula with an apostrophe.",
    "--csv-safe",
    default=False,
)
csv_column_names = partial(
    _output,
    "Columns of --csv, --per-image and --per-group in this order, each with a name of your own if "
    "you like: image=id,mdice=score.",
    metavar="COLUMN[=NAME],…",
)
csv_float_format = partial(
    _output,
    "Digits of scores in CSV, e.g. .6f; without it, all there are.",
    metavar=".N[f|e|g]",
    default="",
)
photograph_folder = partial(
    _output, "Folder of photographs for the page of --html, by the same names.", metavar="DIR"
)
photograph_suffix = partial(
    _output, "End of the names of photographs, stripped before matching.", metavar="S", default=""
)


class ReportFiles:
    """Options of which some name the file of a report: the table of reports of a command."""

    __slots__ = ()
    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]
    output_format: str
    printed: ClassVar[Mapping[str, str]]
    """What makes the formats that go into no file, as for `report_file`."""

    @classmethod
    def targets(cls) -> dict[str, str]:
        """Return what makes each report that goes into a file, by the name of its option."""
        reports = {field.name: field.metadata.get("report") for field in fields(cls)}
        return {name: report for name, report in reports.items() if report}

    def files(self) -> dict[str, Path]:
        """Return the files that are asked for, by the name of their option."""
        paths = {name: getattr(self, name) for name in self.targets()}
        return {name: path for name, path in paths.items() if path is not None}

    def csv_style(self) -> CsvStyle:
        """Return how tables are written as CSV, where the command has options of it."""
        said = {name: getattr(self, name, None) for name in ("csv_columns", "float_format")}
        return CsvStyle(
            columns=parse_csv_columns(said["csv_columns"])
            if said["csv_columns"] is not None
            else (),
            float_format=said["float_format"] or "",
            safe=getattr(self, "csv_safe", False),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputOptions(ReportFiles):
    """What comes out, and when it counts as failed."""

    printed: ClassVar = {"table": "table:to_renderable", "total": "badge:to_total"}

    output_format: Format = _output(
        "What is printed; total is mIoU alone, or the score of --like.",
        "--format",
        default="table",
        common=True,
    )
    percent: bool = percent_flag()
    csv: Path | None = report_file("csv:classes_csv", "Write the scores of the classes as CSV.")
    per_image: Path | None = report_file(
        "csv:images_csv", "Write the scores of the images as CSV.", common=True
    )
    per_group: Path | None = report_file("csv:groups_csv", "Write the scores of the groups as CSV.")
    confusion: Path | None = report_file("csv:confusion_csv", "Write the confusion matrix as CSV.")
    tidy: Path | None = report_file(
        "csv:tidy_csv",
        "Write every score of every image as CSV, one a row: image,class,metric,value.",
    )
    per_object: Path | None = report_file(
        "objects:objects_csv",
        "Write one row an object as CSV: its match, IoU, size and class; needs --objects.",
    )
    csv_columns: str | None = csv_column_names()
    float_format: str = csv_float_format()
    csv_safe: bool = csv_safe_flag()
    json: Path | None = document_file()
    markdown: Path | None = report_file("markdown:to_markdown", "Write the table as Markdown.")
    html: Path | None = report_file(
        "html.findings:make_page",
        "Write a report to look around in, as one page of HTML.",
        common=True,
    )
    images: Path | None = photograph_folder()
    image_suffix: str = photograph_suffix()
    junit: Path | None = report_file(
        "junit:to_junit", "Write gates and classes as JUnit test cases."
    )
    badge: Path | None = report_file(
        "badge:to_badge", "Write mIoU, or the score of --like, for a shields.io badge, as JSON."
    )
    fail_under: list[str] | None = _output(
        "Exit 1 if a score is below: 0.75 (mIoU, or the score of --like), iou.road=0.9, "
        "dice.*=0.5 (every class), miou.low=0.7 (lower end of its interval).",
        common=True,
        metavar="[METRIC=]VALUE",
        autocompletion=gate_metrics,
    )
    fail_over: list[str] | None = _output(
        "Exit 1 if a distance, or an error of topology, is above: hd95=5 (the mean), hd95.liver=5, "
        "assd.*=2 (every class), object_hd95=9 (of --objects), betti0_error=1.",
        metavar="SCORE=VALUE",
    )
    baseline: Path | None = _output(
        "Exit 1 if a score dropped since this run file or JSON document: mIoU, or the score of "
        "--like, or those of --max-drop.",
        metavar="FILE",
    )
    max_drop: list[str] | None = _output(
        "Drop from the baseline that passes: 0.005 or 2% (mIoU, or the score of --like), "
        "iou.*=0.02 (every class); without it, none.",
        metavar="[METRIC=]VALUE",
        autocompletion=gate_metrics,
    )
    significant: bool = _output(
        "Exit 1 only if a drop is significant: its interval excludes 0.",
        "--significant",
        default=False,
    )
    allow_missing: list[str] | None = _output(
        "A class or image of the baseline that may be gone.", metavar="NAME"
    )
