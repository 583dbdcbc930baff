"""Values that have names in the file that they come from: categories, classes of a table.

A name says more than a number: where the user names the classes too, a side with names is looked up
by them, and its other values as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from segeval.counting.run import CountedRun
from segeval.errors import LabelError
from segeval.labels.labelmap import LabelMap, Side
from segeval.text import listed
from segeval.values import describe_values

Names = Mapping[int, str]
NUMBERED: Final = ",classes:"  # in the form of masks whose classes are numbered by their names
SHOWN: Final = 5  # names that an error lists


def names_on_side(run: CountedRun, side: Side) -> dict[int, str]:
    """Return what one side calls its values."""
    stated = run.provenance.names.get(side, {})
    return {int(value): name for value, name in stated.items()}


def refuse_numbered(run: CountedRun, truth: set[int], prediction: set[int]) -> None:
    """Stop where one side alone has names, or has others, so that its numbers say nothing."""
    sides: dict[Side, set[int]] = {"truth": truth, "prediction": prediction}
    forms = {
        "truth": {image.truth_form for image in run.images},
        "prediction": {image.prediction_form for image in run.images},
    }
    numbered = [side for side in sides if any(NUMBERED in form for form in forms[side])]
    if len(numbered) == 1:
        (side,) = numbered
        (other,) = sides.keys() - {side}
        names, others = (list(names_on_side(run, each).values()) for each in (side, other))
        if set(names) <= set(others):
            return
        held = listed(others, SHOWN) if others else describe_values(sides[other])
        raise LabelError(
            f"the {side} names its classes ({listed(names, SHOWN)}), the {other} holds {held}; "
            "type --labels FILE, a label map with these names"
        )


def by_name(run: CountedRun, labels: LabelMap) -> LabelMap:
    """Let the classes of a map mean the values that a side calls by their names."""
    truth, prediction = names_on_side(run, "truth"), names_on_side(run, "prediction")
    if not truth and not prediction:
        return labels
    true_values = _values(labels, "truth", truth)
    predicted = _values(labels, "prediction", prediction)
    changed = [
        replace(label, truth_values=ours, prediction_values=theirs)
        for label, ours, theirs in zip(labels.labels, true_values, predicted, strict=True)
    ]
    return replace(labels, labels=tuple(changed))


def _values(labels: LabelMap, side: Side, names: Names) -> list[tuple[int, ...]]:
    """Return the values of every class: that of its name, or those that no name has taken."""
    owners = {name: value for value, name in names.items()}
    taken = {owners[name] for name in labels.names if name in owners}
    return [
        (owners[label.name],)
        if label.name in owners
        else tuple(value for value in label.values(side) if value not in taken)
        for label in labels.labels
    ]
