"""Classes of annotations: the names that their files give, and the background that has no value."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from segeval.counting.run import CountedRun
from segeval.errors import LabelError
from segeval.labels.infer import values_on_side
from segeval.labels.labelmap import BACKGROUND, SIDES, WHITE, Label, LabelMap, Side, numbered
from segeval.labels.named import names_on_side, refuse_numbered
from segeval.values import UNANNOTATED

NO_VALUE: Final = re.compile("yolo,|coco.*,background:none")  # forms of masks
NOTHING: Final = Label(name=BACKGROUND[0], truth_values=(), prediction_values=())


def named_labels(run: CountedRun, ignore: tuple[int, ...] | None) -> LabelMap | None:
    """Return the map of the categories that the files of a run name, or None if they name none.

    A side without names has the values of the other one. The value 0 is the background, unless a
    category has it.
    """
    stated = {side: names_on_side(run, side) for side in SIDES}
    truth, prediction = (stated[side] or stated[other] for side, other in (SIDES, SIDES[::-1]))
    if not truth:
        return None
    refuse_numbered(run, values_on_side(run, "truth"), values_on_side(run, "prediction"))
    void = (WHITE,) if WHITE in values_on_side(run, "truth") - truth.keys() else ()
    below = _background((*truth.values(), *prediction.values())) or BACKGROUND[0]
    truth = _with_zero(truth, values_on_side(run, "truth"), below)
    prediction = _with_zero(prediction, values_on_side(run, "prediction"), below)
    labels = tuple(
        Label(
            name=name,
            truth_values=tuple(value for value, each in truth.items() if each == name),
            prediction_values=tuple(value for value, each in prediction.items() if each == name),
        )
        for name in dict.fromkeys([*truth.values(), *prediction.values()])
    )
    found = LabelMap(name="categories", labels=labels, void=void if ignore is None else ())
    return found.ignoring(ignore) if ignore else found


def _background(names: Iterable[str]) -> str | None:
    """Return the first name that is one of the background."""
    return next((name for name in names if name.lower() in BACKGROUND), None)


def _with_zero(names: dict[int, str], held: set[int], below: str) -> dict[int, str]:
    """Call the value 0 background where it occurs, has no name, and none is the background."""
    return {0: below, **names} if 0 in held and not _background(names.values()) else names


def found_labels(run: CountedRun, ignore: tuple[int, ...] | None) -> LabelMap | None:
    """Return the map of the values of annotations whose background has none, or None if it has."""
    sides = unannotated_sides(run)
    if not sides:
        return None
    if len(sides) == 1:
        raise LabelError(
            f"the classes of the {sides[0]} count from 0, beside a background without a value; "
            "those of the other side cannot be matched to them: type --labels data.yaml, with the "
            "names of the classes, if masks hold 0 as background and the classes from 1 on, else "
            "--labels FILE --pred-labels FILE, with the classes of each side"
        )
    values = values_on_side(run, "truth") | values_on_side(run, "prediction")
    return numbered("found", sorted(values - {UNANNOTATED}), void=ignore or ())


def unannotated_sides(run: CountedRun) -> list[Side]:
    """Return the sides whose background has no value, beside classes from 0 on."""
    held = [side for side in SIDES if UNANNOTATED in values_on_side(run, side)]
    if len(held) != 1:
        return held
    forms = {
        "truth": {image.truth_form for image in run.images},
        "prediction": {image.prediction_form for image in run.images},
    }
    return [side for side in SIDES if side in held or any(map(NO_VALUE.match, forms[side]))]


def with_background(labels: LabelMap, run: CountedRun) -> LabelMap:
    """Return the map in which pixels without an annotation are background, as a class of its own.

    Masks on the other side may store this background as 0, and so count the classes from 1.
    """
    sides = unannotated_sides(run)
    if not sides or len(labels.thresholds) > 0:
        return labels
    if len(sides) == 1:
        labels = _counted_from_one(labels, run, "prediction" if sides[0] == "truth" else "truth")
    rest = list(labels.labels)
    place = next((k for k, label in enumerate(rest) if label.name.lower() in BACKGROUND), None)
    background = NOTHING if place is None else rest.pop(place)
    for side in sides:
        background = background.with_values(side, (*background.values(side), UNANNOTATED))
    rest.insert(place or 0, background)
    return replace(labels, labels=tuple(rest))


def _counted_from_one(labels: LabelMap, run: CountedRun, side: Side) -> LabelMap:
    """Move the values of one side by 1 where masks there hold the background as 0."""
    if {name.lower() for name in labels.names} & set(BACKGROUND):
        return labels
    known = {value for label in labels.labels for value in label.values(side)}
    held = values_on_side(run, side) - set(labels.void)
    if held - known and held <= {0} | {value + 1 for value in known}:
        moved = [
            label.with_values(side, tuple(value + 1 for value in label.values(side)))
            for label in labels.labels
        ]
        background = NOTHING.with_values(side, (0,))
        return replace(labels, name=f"{labels.name}({side}+1)", labels=(background, *moved))
    if held <= known and WHITE not in values_on_side(run, side):
        raise LabelError(
            f"the {side} holds masks without a background, or with 0 as the background and classes "
            f"of {labels.name} from 1 on; type --labels FILE --pred-labels FILE, with the classes "
            "of each side, that of masks with its background"
        )
    return labels
