"""The options of labels: which values mean which class."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from segeval.cli.options.panels import in_panel, label_maps
from segeval.errors import SettingError
from segeval.settings import LabelChoice, Level, Unknown

_label = in_panel("Labels")


@dataclass(frozen=True, slots=True, kw_only=True)
class TruthOptions:
    """Which values of a truth mean which class."""

    labels: str | None = _label(
        "Label map: a built-in one (see `segeval labels`) or a file.",
        metavar="NAME|FILE",
        autocompletion=label_maps,
    )
    classes: int | None = _label("The classes are the values 0…N-1.", metavar="N")
    ignore: list[str] | None = _label(
        "Truth values that are void: 255 or 0,255 or #000000 or none.", metavar="VALUE"
    )
    truth_threshold: float | None = _label("Grey truths: foreground where value >= V.", metavar="V")

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
        "Label map of the predictions, if they store other values.",
        metavar="NAME|FILE",
        autocompletion=label_maps,
    )
    pred_offset: int = _label(
        "Added to every predicted value: 1 if they count from 0.", metavar="N", default=0
    )
    unknown: Unknown = _label(
        "A predicted value that is no class is a problem, a miss, or not judged.", default="error"
    )
    threshold: float | None = _label("The same for grey predictions.", metavar="V")
    level: Level = _label(
        "Score the classes, or the groups of classes of the label map.", default="class"
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


def parse_values(texts: list[str] | None) -> tuple[int, ...] | None:
    """Parse values of ``--ignore``: numbers and colours, separated by commas; ``none`` is no value.

    >>> parse_values(["0,255", "none"])
    (0, 255)
    """
    from segeval.values import COLOR, integer_fault

    if texts is None:
        return None
    values = []
    for word in ",".join(texts).replace(" ", ",").split(","):
        if word in {"", "none"}:
            continue
        if re.fullmatch("#[0-9a-fA-F]{6}", word):
            values.append(COLOR + int(word[1:], 16))
            continue
        try:
            values.append(int(word))
        except ValueError:
            raise SettingError(
                f"--ignore {word!r} is neither a whole number, nor #rrggbb, nor none"
            ) from None
        if fault := integer_fault(values[-1]):
            raise SettingError(f"--ignore {fault}")
    return tuple(values)
