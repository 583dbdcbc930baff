"""The options of output and gates: what comes out, and when it counts as failed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Literal, get_args, get_type_hints

from segeval.cli.options.panels import in_panel

Format = Literal["table", "csv", "json", "markdown", "total"]

_output = in_panel("Output and gate")

REPORT: Final = "F"
"""Metavar of the options that name the file of a report."""

Percent = Annotated[bool, _output("Show scores times 100 on the screen.", "--percent")]
ImagesFile = Annotated[Path | None, _output("Write a CSV of the images.", metavar=REPORT)]
DocumentFile = Annotated[Path | None, _output("Write everything as one document.", metavar=REPORT)]
MarkdownFile = Annotated[Path | None, _output("Write the table as Markdown.", metavar=REPORT)]


class ReportFiles:
    """Options of which some name files of reports: those with the metavar `REPORT`."""

    __slots__ = ()

    def files(self) -> dict[str, Path]:
        """Return the files that are asked for, by the name of their option."""
        hints = get_type_hints(type(self), include_extras=True)
        paths = {
            name: getattr(self, name)
            for name, hint in hints.items()
            for option in get_args(hint)[1:]
            if option.metavar == REPORT
        }
        return {name: path for name, path in paths.items() if path is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputOptions(ReportFiles):
    """What comes out, and when it counts as failed."""

    output_format: Annotated[
        Format, _output("What is printed; total is the bare headline, mIoU by default.", "--format")
    ] = "table"
    percent: Percent = False
    csv: Annotated[Path | None, _output("Write a CSV of the classes.", metavar=REPORT)] = None
    per_image: ImagesFile = None
    per_group: Annotated[Path | None, _output("Write a CSV of the groups.", metavar=REPORT)] = None
    confusion: Annotated[
        Path | None, _output("Write a CSV of the confusion matrix.", metavar=REPORT)
    ] = None
    json: DocumentFile = None
    markdown: MarkdownFile = None
    html: Annotated[
        Path | None, _output("Write a page to look around in, in one file.", metavar=REPORT)
    ] = None
    images: Annotated[
        Path | None, _output("Folder of photographs for --html, by the same names.", metavar="DIR")
    ] = None
    image_suffix: Annotated[
        str, _output("End of their names, stripped before matching.", metavar="S")
    ] = ""
    junit: Annotated[
        Path | None, _output("Write gates and classes as JUnit test cases.", metavar=REPORT)
    ] = None
    badge: Annotated[
        Path | None,
        _output("Write the headline (mIoU) for a shields.io badge, as JSON.", metavar=REPORT),
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
