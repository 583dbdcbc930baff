"""The options of labels: which values mean which class."""

from __future__ import annotations

from dataclasses import dataclass, replace

from segeval.cli.options.panels import in_panel, label_maps
from segeval.settings import LabelChoice, Level, Unknown, parse_values

_label = in_panel("Labels")


@dataclass(frozen=True, slots=True, kw_only=True)
class TruthOptions:
    """Which values of a truth mean which class."""

    labels: str | None = _label(
        "Which values mean which class: a built-in label map (see `segeval labels`) or a file.",
        common=True,
        metavar="NAME|FILE",
        autocompletion=label_maps,
    )
    classes: int | None = _label(
        "The classes are the values 0 to N-1, without names.", metavar="N", common=True
    )
    ignore: list[str] | None = _label(
        "Truth values that are void, so not judged: 255 or 0,255 or #000000 or none, or nodata, "
        "which TIFF files name. Adds to the void of a label map; where classes are found, "
        "replaces 255.",
        metavar="VALUE",
        common=True,
    )
    truth_threshold: float | None = _label(
        "Truths are grey: foreground where the stored value is V or more.", metavar="V"
    )

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

    pred_labels: str | None = _label(
        "Label map of the predictions, if they store other values than the truths.",
        metavar="NAME|FILE",
        autocompletion=label_maps,
    )
    pred_offset: int = _label(
        "Added to every predicted value: 1 if predictions count from 0, and truths from 1.",
        metavar="N",
        default=0,
    )
    unknown: Unknown = _label(
        "A predicted value that is no class is a problem (error), a miss (wrong), or not judged "
        "(ignore).",
        default="error",
    )
    threshold: float | None = _label(
        "Predictions are grey: foreground where the stored value is V or more.",
        metavar="V",
        common=True,
    )
    level: Level = _label(
        "Score the classes, or the groups that the label map puts them into (category).",
        default="class",
    )

    def choice(self) -> LabelChoice:
        """Return what the user says about classes."""
        return replace(
            TruthOptions.choice(self),
            prediction_labels=self.pred_labels,
            threshold=self.threshold,
            prediction_offset=self.pred_offset,
            level=self.level,
        )
