"""The options of output and gates: what comes out, and when it counts as failed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Literal, get_args, get_type_hints

from segeval.cli.options.panels import in_panel

Format = Literal["table", "csv", "json", "markdown", "total"]


_output = in_panel("Output and gate")


@dataclass(frozen=True, slots=True)
class Report:
    """What makes the file of an option: ``module:function`` in `segeval.reports`.

    The function is given what its parameters name: the ``document``, the ``scores``, ``percent`` …
    """

    target: str


Percent = Annotated[bool, _output("Show scores times 100 on the screen.", "--percent")]
DocumentFile = Annotated[
    Path | None,
    Report("json:to_json"),
    _output("Write everything as one document.", metavar="F"),
]


class ReportFiles:
    """Options of which some name the file of a report: the table of reports of a command."""

    __slots__ = ()

    output_format: str
    printed: ClassVar[Mapping[str, str]]
    """What makes the formats that go into no file, as in `Report`."""

    @classmethod
    def targets(cls) -> dict[str, str]:
        """Return what makes each report that goes into a file, by the name of its option."""
        hints = get_type_hints(cls, include_extras=True)
        return {
            name: part.target
            for name, hint in hints.items()
            for part in get_args(hint)[1:]
            if isinstance(part, Report)
        }

    def files(self) -> dict[str, Path]:
        """Return the files that are asked for, by the name of their option."""
        paths = {name: getattr(self, name) for name in self.targets()}
        return {name: path for name, path in paths.items() if path is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputOptions(ReportFiles):
    """What comes out, and when it counts as failed."""

    printed: ClassVar = {"table": "table:to_renderable", "total": "badge:to_total"}

    output_format: Annotated[
        Format, _output("What is printed; total is the bare headline, mIoU by default.", "--format")
    ] = "table"
    percent: Percent = False
    csv: Annotated[
        Path | None, Report("csv:classes_csv"), _output("Write a CSV of the classes.", metavar="F")
    ] = None
    per_image: Annotated[
        Path | None, Report("csv:images_csv"), _output("Write a CSV of the images.", metavar="F")
    ] = None
    per_group: Annotated[
        Path | None, Report("csv:groups_csv"), _output("Write a CSV of the groups.", metavar="F")
    ] = None
    confusion: Annotated[
        Path | None,
        Report("csv:confusion_csv"),
        _output("Write a CSV of the confusion matrix.", metavar="F"),
    ] = None
    json: DocumentFile = None
    markdown: Annotated[
        Path | None,
        Report("markdown:to_markdown"),
        _output("Write the table as Markdown.", metavar="F"),
    ] = None
    html: Annotated[
        Path | None,
        Report("html.findings:make_page"),
        _output("Write a page to look around in, in one file.", metavar="F"),
    ] = None
    images: Annotated[
        Path | None, _output("Folder of photographs for --html, by the same names.", metavar="DIR")
    ] = None
    image_suffix: Annotated[
        str, _output("End of their names, stripped before matching.", metavar="S")
    ] = ""
    junit: Annotated[
        Path | None,
        Report("junit:to_junit"),
        _output("Write gates and classes as JUnit test cases.", metavar="F"),
    ] = None
    badge: Annotated[
        Path | None,
        Report("badge:to_badge"),
        _output("Write the headline (mIoU) for a shields.io badge, as JSON.", metavar="F"),
    ] = None
    fail_under: Annotated[
        list[str] | None,
        _output(
            "Exit 1 below: 0.75, iou.road=0.9, dice.*=0.5 (every class), miou.low=0.7 (of --ci).",
            metavar="[METRIC=]VALUE",
        ),
    ] = None
    baseline: Annotated[
        Path | None,
        _output("Exit 1 on a drop below this run or JSON document.", metavar="FILE"),
    ] = None
    max_drop: Annotated[
        list[str] | None,
        _output("Drop that passes: 0.005, 2%, iou.*=0.02; by default 0.", metavar="[METRIC=]VALUE"),
    ] = None
    significant: Annotated[
        bool, _output("Exit 1 only if the interval of the drop excludes 0.", "--significant")
    ] = False
    allow_missing: Annotated[
        list[str] | None,
        _output("A class or image of the baseline that may be gone; repeatable.", metavar="NAME"),
    ] = None
