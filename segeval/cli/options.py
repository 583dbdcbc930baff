"""The options of all commands in their families: each spelled and explained once.

A command takes a family as one parameter; `segeval.cli.command` spreads it into its options.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import typer

from segeval.cli.conventionoptions import ConventionOptions
from segeval.cli.panels import in_panel
from segeval.errors import SettingError
from segeval.settings import (
    MAX_PIXELS,
    LabelChoice,
    Level,
    Missing,
    OnError,
    Reading,
    Source,
    Unknown,
    parse_shard,
)

__all__ = [
    "ConventionOptions",
    "Format",
    "LabelOptions",
    "OutputOptions",
    "PairingOptions",
    "Quiet",
    "parse_values",
]

Format = Literal["table", "csv", "json", "markdown", "total"]
Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="No progress, no notices; errors are still said.")
]


_pairing = in_panel("Pairing and reading")
_label = in_panel("Labels")
_output = in_panel("Output and gate")


@dataclass(frozen=True, slots=True, kw_only=True)
class PairingOptions:
    """Which files belong together, and how they are read."""

    prediction: Annotated[
        Path | None,
        typer.Argument(metavar="PRED", help="Folder of predicted masks.", show_default=False),
    ] = None
    truth: Annotated[
        Path | None,
        typer.Argument(metavar="TRUTH", help="Folder of true masks.", show_default=False),
    ] = None
    pred_suffix: Annotated[
        str, _pairing("End of predicted names, stripped before matching.", metavar="S")
    ] = ""
    truth_suffix: Annotated[
        str, _pairing("The same for truths, e.g. _gtFine_labelIds.", metavar="S")
    ] = ""
    pairs: Annotated[
        Path | None,
        _pairing(
            "CSV prediction,truth,name,group instead of PRED and TRUTH; paths from its folder.",
            metavar="FILE",
        ),
    ] = None
    include: Annotated[str | None, _pairing("Only names that match.", metavar="GLOB")] = None
    missing: Annotated[
        Missing,
        _pairing(
            "A truth without a prediction is a problem (error), left out, or all wrong (worst)."
        ),
    ] = "error"
    on_error: Annotated[
        OnError, _pairing("A pair that cannot be read stops the scoring, or is left out.")
    ] = "stop"
    resize_prediction: Annotated[
        bool,
        _pairing("Bring predictions to the size of the truth (nearest).", "--resize-prediction"),
    ] = False
    max_pixels: Annotated[int, _pairing("Refuse larger masks.", metavar="N", min=1)] = MAX_PIXELS
    workers: Annotated[
        int | None,
        _pairing(
            "Processes; by default 1 for small sets, else one a processor.", metavar="N", min=1
        ),
    ] = None

    shard: Annotated[
        str | None, _pairing("Every N-th pair from the I-th on; see segeval merge.", metavar="I/N")
    ] = None
    out: Annotated[
        Path | None,
        _pairing("Write the counts as a run file, while counting.", "--out", "-o", metavar="RUN"),
    ] = None
    resume: Annotated[
        bool, _pairing("Count only what the run does not hold or what changed.", "--resume")
    ] = False
    overwrite: Annotated[bool, _pairing("Start the run file anew.", "--overwrite")] = False

    def source(self) -> Source:
        """Return where the masks are.

        Raises
        ------
        SettingError
            If there are neither two folders nor a table of pairs, or both.
        """
        if (self.resume or self.overwrite) and self.out is None:
            raise SettingError("--resume and --overwrite need a run file; name it with -o")
        if self.resume and self.overwrite:
            raise SettingError("--resume and --overwrite contradict each other; give one of them")
        if self.shard is not None:
            parse_shard(self.shard)
        if self.pairs is not None and self.prediction is not None:
            raise SettingError("--pairs replaces PRED and TRUTH; give one or the other")
        if self.pairs is None and (self.prediction is None or self.truth is None):
            raise SettingError("two folders are needed, PRED and TRUTH (or a table with --pairs)")
        return Source(
            prediction=self.prediction,
            truth=self.truth,
            pairs=self.pairs,
            pred_suffix=self.pred_suffix,
            truth_suffix=self.truth_suffix,
            include=self.include,
            missing=self.missing,
            shard=self.shard,
        )

    def reading(self) -> Reading:
        """Return how masks are read."""
        return Reading(
            max_pixels=self.max_pixels,
            resize_prediction=self.resize_prediction,
            on_error=self.on_error,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelOptions:
    """Which values mean which class."""

    labels: Annotated[
        str | None,
        _label("Label map: a built-in one (see `segeval labels`) or a file.", metavar="NAME|FILE"),
    ] = None
    pred_labels: Annotated[
        str | None,
        _label("Label map of the predictions, if they store other values.", metavar="NAME|FILE"),
    ] = None
    classes: Annotated[int | None, _label("The classes are the values 0…N-1.", metavar="N")] = None
    ignore: Annotated[
        list[str] | None,
        _label(
            "Truth values that are void: 255 or 0,255 or #000000 or none.",
            metavar="VALUE",
        ),
    ] = None
    unknown: Annotated[
        Unknown, _label("A predicted value that is no class is a problem, a miss, or not judged.")
    ] = "error"
    threshold: Annotated[
        float | None, _label("Grey predictions: foreground where value >= V.", metavar="V")
    ] = None
    truth_threshold: Annotated[float | None, _label("The same for grey truths.", metavar="V")] = (
        None
    )

    level: Annotated[
        Level, _label("Score the classes, or the groups of classes of the label map.")
    ] = "class"

    def choice(self) -> LabelChoice:
        """Return what the user says about classes."""
        return LabelChoice(
            labels=self.labels,
            prediction_labels=self.pred_labels,
            classes=self.classes,
            ignore=parse_values(self.ignore),
            threshold=self.threshold,
            truth_threshold=self.truth_threshold,
            level=self.level,
        )


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
    fail_under: Annotated[
        list[str] | None,
        _output(
            "Exit 1 below: 0.75, iou.road=0.9, dice.*=0.5 (every class).",
            metavar="[METRIC=]VALUE",
        ),
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
