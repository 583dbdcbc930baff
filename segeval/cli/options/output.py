"""The options of output and gates: what comes out, and when it counts as failed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from segeval.cli.options.panels import in_panel

Format = Literal["table", "csv", "json", "markdown", "total"]


_output = in_panel("Output and gate")


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputOptions:
    """What comes out, and when it counts as failed."""

    output_format: Annotated[
        Format, _output("What is printed; total is the bare headline, mIoU by default.", "--format")
    ] = "table"
    percent: Annotated[bool, _output("Show scores times 100 on the screen.", "--percent")] = False
    csv: Annotated[Path | None, _output("Write a CSV of the classes.", metavar="F")] = None
    per_image: Annotated[Path | None, _output("Write a CSV of the images.", metavar="F")] = None
    per_group: Annotated[Path | None, _output("Write a CSV of the groups.", metavar="F")] = None
    confusion: Annotated[
        Path | None, _output("Write a CSV of the confusion matrix.", metavar="F")
    ] = None
    json: Annotated[Path | None, _output("Write everything as one document.", metavar="F")] = None
    markdown: Annotated[Path | None, _output("Write the table as Markdown.", metavar="F")] = None
    html: Annotated[
        Path | None, _output("Write a page to look around in, in one file.", metavar="F")
    ] = None
    images: Annotated[
        Path | None, _output("Folder of photographs for --html, by the same names.", metavar="DIR")
    ] = None
    image_suffix: Annotated[
        str, _output("End of their names, stripped before matching.", metavar="S")
    ] = ""
    junit: Annotated[
        Path | None, _output("Write gates and classes as JUnit test cases.", metavar="F")
    ] = None
    badge: Annotated[
        Path | None,
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
