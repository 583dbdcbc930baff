"""What is said of numbers that cannot be relied on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from segeval.cli.console import SHOWN, notify
from segeval.counting.run import CountedRun
from segeval.labels.classify import ClassifiedRun
from segeval.labels.diagnose import MORE, explain_unknown, unpredicted_void
from segeval.labels.doubts import OPTIONS
from segeval.labels.infer import values_on_side
from segeval.labels.labelmap import BACKGROUND, LabelMap, Side
from segeval.objects.doubts import may_be_ids
from segeval.scoring.convention import Convention
from segeval.scoring.intervals import Intervals
from segeval.scoring.means import depends_on_class_count
from segeval.scoring.resampling import FEW, Units
from segeval.scoring.sample import excluded_indices
from segeval.text import did_you_mean, listed
from segeval.values import describe_values, reaches


def say_classes(run: CountedRun, counts: ClassifiedRun, labels: LabelMap, *, quiet: bool) -> None:
    """Say what the classes may hide; that most pixels fit no class is said in any case."""
    say_once(on_classes(run, counts, labels), quiet=quiet)


def say_once(lines: Iterable[str], *, quiet: bool) -> None:
    """Say each of some lines once, and those that are no mere notices in any case."""
    for line in dict.fromkeys(lines):
        notify(line, quiet=quiet and line.startswith("notice:"))


def on_classes(run: CountedRun, counts: ClassifiedRun, labels: LabelMap) -> Iterator[str]:
    """Give what the classes may hide, a line each."""
    for side in OPTIONS:
        values = values_on_side(run, side, floats=True)
        yield from _unreached(values, labels.threshold(side), side)
    strange, right = counts.unknown_predictions, int(counts.images.tp.sum())
    judged = int(counts.images.total.sum()) + counts.ignored_predictions
    few = right * MORE < judged
    advice = explain_unknown(run, labels) if few or strange * 2 > judged else ""
    if strange * 2 > judged:
        more = f"; {advice}" if advice else ""
        yield (
            f"warning: {strange} of {judged} pixels hold a predicted value that is no class of "
            f"{labels.name}{more}"
        )
    elif advice:
        yield f"warning: {advice}"
    if labels.name == "binary(found)":
        ones = 1 in values_on_side(run, "truth") | values_on_side(run, "prediction")
        held = ("0, 1 and 255", "all but 0") if ones else ("0 and 255", "255")
        yield (
            f"notice: the masks hold nothing but {held[0]}, so they are scored as binary with "
            f"{held[1]} as foreground; type --labels binary to say so"
        )
    elif labels.name == "categories":
        yield from _names(counts, labels)
    elif labels.name == "found" and not labels.prediction_offset:
        sides = values_on_side(run, "truth"), values_on_side(run, "prediction")
        if advice := unpredicted_void(*sides, labels.void):
            yield f"notice: {advice}"
        if may_be_ids(run, labels):
            yield (
                f"notice: {len(labels.names)} values are scored as classes, and look like ids of "
                "objects; type --objects ids if they are"
            )


def _names(counts: ClassifiedRun, labels: LabelMap) -> Iterator[str]:
    """Give that names of classes do not match: none of them, or one that is only predicted."""
    held = counts.classes
    rows = list(zip(labels.labels, held.support, held.predicted, strict=True))
    classes = [row for row in rows if row[0].name.lower() not in BACKGROUND]
    true = [label.name for label, pixels, _ in classes if pixels]
    predicted = [label.name for label, _, pixels in classes if pixels]
    if true and predicted and not set(true) & set(predicted):
        yield (
            f"notice: no class is on both sides: the truth holds {listed(true, SHOWN)}, the "
            f"prediction {listed(predicted, SHOWN)}; call the same classes alike"
        )
        return
    known = [label.name for label, _, _ in classes if label.truth_values]
    for label, _, pixels in classes:
        if pixels and not label.truth_values:
            near = did_you_mean(label.name.lower(), map(str.lower, known)) or ";"
            yield (
                f"notice: the file of the truth has no class {label.name!r}, which is predicted on "
                f"{pixels} pixels{near} it counts as a class of its own"
            )


def _unreached(values: set[int], threshold: float | None, side: Side) -> Iterator[str]:
    """Give that a threshold leaves no foreground on a side."""
    if threshold is not None and not reaches(np.array([*values], np.int64), threshold).any():
        yield (
            f"notice: no {side} reaches {OPTIONS[side]} {threshold:g} (it holds "
            f"{describe_values(values)}), so all of it is background"
        )


def say_guessed(
    counts: ClassifiedRun, labels: LabelMap, conventions: Iterable[Convention], *, quiet: bool
) -> None:
    """Say which conventions depend on the number of classes, if that was guessed."""
    moved = [
        convention.like or "this convention"
        for convention in conventions
        if labels.name == "found"
        and depends_on_class_count(convention, counts.images, excluded_indices(convention, labels))
    ]
    if moved:
        notify(
            f"notice: {len(labels.names)} classes were found, and their number matters to "
            f"{listed(moved, SHOWN)}; if there are more, type --classes N",
            quiet=quiet,
        )


def say_doubts(intervals: Intervals, names: Sequence[str], *, quiet: bool) -> None:
    """Say what intervals cannot be relied on."""
    say_few(intervals.units, quiet=quiet)
    undefined = dict(zip(names, intervals.undefined_classes["iou"].tolist(), strict=True))
    say_undefined(undefined, intervals.resampling.rounds, quiet=quiet)


def say_undefined(undefined: Mapping[str, int], rounds: int, *, quiet: bool) -> None:
    """Say which classes are undefined in some resamples, and in how many."""
    some = [f"{name} ({count})" for name, count in undefined.items() if 0 < count < rounds]
    if some:
        notify(
            f"notice: undefined in some of {rounds} resamples, which the interval leaves out: "
            f"{listed(some, SHOWN)}",
            quiet=quiet,
        )


def say_few(units: Units, *, quiet: bool) -> None:
    """Say if there are too few units to judge chance by."""
    if units.count < FEW:
        notify(
            f"notice: {units.count} {units.kind} only; intervals of less than {FEW} are unreliable",
            quiet=quiet,
        )
