"""The options of all commands in their families: each spelled and explained once.

A command takes a family as one parameter; `segeval.cli.command` spreads it into its options.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from segeval.errors import SettingError
from segeval.settings import (
    Absent,
    LabelChoice,
    Level,
    Pooling,
    Unknown,
)

if TYPE_CHECKING:
    from segeval.scoring.convention import Convention
    from segeval.scoring.resampling import Resampling

__all__ = [
    "ConventionOptions",
    "Format",
    "GroupedOptions",
    "LabelOptions",
    "OutputOptions",
    "Quiet",
    "in_panel",
    "parse_values",
]

Format = Literal["table", "csv", "json", "markdown", "total"]
Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="No progress, no notices; errors are still said.")
]


def in_panel(panel: str) -> Any:
    """Return `typer.Option` for one family: the help text first, then as Typer has it."""

    def option(help_text: str, *names: str, **settings: Any) -> Any:
        return typer.Option(*names, help=help_text, rich_help_panel=panel, **settings)

    return option


_label = in_panel("Labels")
_convention = in_panel("Convention")
_output = in_panel("Output and gate")


@dataclass(frozen=True, slots=True, kw_only=True)
class TruthOptions:
    """Which values of a truth mean which class."""

    labels: Annotated[
        str | None,
        _label("Label map: a built-in one (see `segeval labels`) or a file.", metavar="NAME|FILE"),
    ] = None
    classes: Annotated[int | None, _label("The classes are the values 0…N-1.", metavar="N")] = None
    ignore: Annotated[
        list[str] | None,
        _label(
            "Truth values that are void: 255 or 0,255 or #000000 or none.",
            metavar="VALUE",
        ),
    ] = None
    truth_threshold: Annotated[
        float | None, _label("Grey truths: foreground where value >= V.", metavar="V")
    ] = None

    def choice(self) -> LabelChoice:
        """Return what the user says about classes."""
        return LabelChoice(
            labels=self.labels,
            classes=self.classes,
            ignore=parse_values(self.ignore),
            truth_threshold=self.truth_threshold,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelOptions(TruthOptions):
    """Which values mean which class, on both sides."""

    pred_labels: Annotated[
        str | None,
        _label("Label map of the predictions, if they store other values.", metavar="NAME|FILE"),
    ] = None
    unknown: Annotated[
        Unknown, _label("A predicted value that is no class is a problem, a miss, or not judged.")
    ] = "error"
    threshold: Annotated[float | None, _label("The same for grey predictions.", metavar="V")] = None
    level: Annotated[
        Level, _label("Score the classes, or the groups of classes of the label map.")
    ] = "class"

    def choice(self) -> LabelChoice:
        """Return what the user says about classes."""
        return replace(
            TruthOptions.choice(self),
            prediction_labels=self.pred_labels,
            threshold=self.threshold,
            level=self.level,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ConventionOptions:
    """How counts become scores."""

    like: Annotated[
        str | None,
        _convention(
            "Report what another tool reports for these masks; see `segeval presets`.",
            metavar="PRESET",
        ),
    ] = None
    pooling: Annotated[
        Pooling | None,
        _convention(
            "Sum counts over the data set, or average over images, classes, or both.",
            show_default="dataset",
        ),
    ] = None
    absent: Annotated[
        Absent | None,
        _convention(
            "A class in neither truth nor prediction is left out, is 0 or 1, or spoils the mean.",
            show_default="skip",
        ),
    ] = None
    exclude: Annotated[
        list[str] | None,
        _convention(
            "Leave a class out of the means (its pixels still count); repeatable.",
            metavar="CLASS",
        ),
    ] = None
    worst: Annotated[
        float | None,
        _convention("Also the mean of the lowest Q %, with --pooling image or class.", metavar="Q"),
    ] = None

    ci: Annotated[
        int | None,
        _convention(
            "Also 95 % intervals, from so many resamples of the images, or of their groups.",
            metavar="N",
        ),
    ] = None
    seed: Annotated[
        int | None,
        _convention(
            "Seed of the resamples, where there are any.", metavar="S", show_default="12345"
        ),
    ] = None

    def resampling(self, *, always: bool = False) -> Resampling | None:
        """Return how intervals are found, if they are asked for, or always."""
        from segeval.scoring.resampling import Resampling

        given = {"rounds": self.ci, "seed": self.seed}
        stated = {name: value for name, value in given.items() if value is not None}
        return Resampling(**stated) if self.ci is not None or always else None

    def convention(self) -> Convention:
        """Return the convention.

        Raises
        ------
        SettingError
            If a preset is named together with an option that it decides, or is not known.
        """
        exclude = tuple(dict.fromkeys(self.exclude or ()))
        if self.like is not None:
            return self._preset(self.like, exclude)
        from segeval.scoring.convention import Convention

        return Convention(
            pooling=self.pooling or "dataset",
            absent=self.absent or "skip",
            exclude=exclude,
            worst=self.worst,
        )

    def _preset(self, name: str, exclude: tuple[str, ...]) -> Convention:
        """Return a preset, which leaves nothing open but the excluded classes."""
        from segeval.presets.preset import preset

        for option in ("pooling", "absent", "worst"):
            given = getattr(self, option)
            if given is not None:
                raise SettingError(
                    f"--like {name} decides --{option} itself; type --like {name} alone, "
                    f"or --{option} {given} without --like"
                )
        return replace(preset(name), exclude=exclude)


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupedOptions(ConventionOptions):
    """How counts become scores, of groups of images as well."""

    group_by: Annotated[
        str | None,
        _convention(
            "Score groups of images as well: regular expression on the name, first capture group.",
            metavar="REGEX",
        ),
    ] = None


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


def parse_values(texts: list[str] | None) -> tuple[int, ...] | None:
    """Parse values of ``--ignore``: numbers and colours, separated by commas; ``none`` is no value.

    >>> parse_values(["0,255", "#000001"])
    (0, 255, 16777217)
    """
    from segeval.values import COLOR

    if texts is None:
        return None
    values = []
    for word in ",".join(texts).replace(" ", ",").split(","):
        if word in {"", "none"}:
            continue
        try:
            values.append(COLOR + int(word[1:], 16) if word.startswith("#") else int(word))
        except ValueError:
            raise SettingError(
                f"--ignore {word!r} is neither a whole number, nor #rrggbb, nor none"
            ) from None
    return tuple(values)
