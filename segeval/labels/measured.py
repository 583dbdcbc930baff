"""What was measured in a run, for the classes that are scored; what to type where it is not there.

A class is that which was measured if it is of the same values, whatever its name and place.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, cast

import numpy as np
from numpy.typing import NDArray

from segeval.counting.measures import AnyMeasure
from segeval.counting.run import CountedRun
from segeval.errors import SettingError
from segeval.labels.labelmap import SIDES, Label, LabelMap
from segeval.labels.layers import codes_of
from segeval.settings import Unknown
from segeval.text import counted, listed

NAMED: Final = {"name", "source", "labels"}  # of a label map, beside what values mean
LISTED: Final = 5  # classes that an error names


def facts_of(measure: AnyMeasure, labels: LabelMap, unknown: Unknown) -> Mapping[str, Any]:
    """Lay out what a measure is, and of which classes, as plain data that a run keeps."""
    classes = [{k: v for k, v in asdict(each).items() if k != "group"} for each in labels.labels]
    rules = {name: value for name, value in asdict(labels).items() if name not in NAMED}
    facts = {
        "definition": dict(measure.definition),
        "classes": classes,
        "labels": rules,
        "unknown": unknown,
    }
    stored: Mapping[str, Any] = json.loads(json.dumps(facts))  # as it is read: lists for tuples
    return stored


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Kept:
    """What one measure gave of every image, and which of its K classes each class is."""

    data: Sequence[bytes]
    definition: Mapping[str, Any]
    classes: int  # K of the measure
    order: NDArray[np.int64]  # place in the measure of each class that is scored, -1 if in no mask

    def arranged(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return (..., K) measured values for the scored classes; 0 for those in no mask."""
        found = values[..., self.order]
        found[..., self.order < 0] = 0
        return found


def kept_of(
    run: CountedRun,
    kind: str,
    labels: LabelMap,
    unknown: Unknown,
    option: str,
    *,
    widths: Sequence[str] = (),
) -> Kept:
    """Return what a run holds of a kind of measure; a `SettingError` says what to type for it."""
    if reason := lacking(run, kind, widths):
        raise SettingError(f"{option}: {reason}; {to_measure(option)}")
    measured = run.measured[kind]
    order = _order(run, measured.facts, labels, unknown)
    if order is None:
        names = [each["name"] for each in measured.facts["classes"]]
        raise SettingError(
            f"{option} was measured for other classes ({listed(names, LISTED)}); name classes of "
            f"the same values, or {to_measure(option)}"
        )
    return Kept(
        data=cast("Sequence[bytes]", measured.data),
        definition=measured.facts["definition"],
        classes=len(measured.facts["classes"]),
        order=order,
    )


def lacking(run: CountedRun, kind: str, widths: Sequence[str] = (), name: str = "the run") -> str:
    """Say why a run holds no measure of a kind, or not all of it; nothing if it does."""
    measured = run.measured.get(kind)
    if measured is None:
        return f"{name} holds nothing of the kind"
    if missing := sum(data is None for data in measured.data):
        return f"{counted(missing, 'image')} of {name} are not measured yet"
    held = measured.facts["definition"].get("widths", widths)
    return "" if {*widths} <= {*held} else f"{name} holds those of {', '.join(held)} alone"


def to_measure(options: str) -> str:
    """Say what to type for what a run does not hold."""
    return (
        f"type the same score command with {options}, -o RUN and --resume to read the masks again"
    )


def _order(
    run: CountedRun, facts: Mapping[str, Any], labels: LabelMap, unknown: Unknown
) -> NDArray[np.int64] | None:
    """Return which measured class each class is, if all that occur are the same ones."""
    ours = _Meaning.of(run, labels, unknown)
    theirs = _Meaning.of(run, _labels_of(facts), facts["unknown"])
    if ours.rest != theirs.rest or ours.classes.keys() != theirs.classes.keys():
        return None
    order = np.full(len(labels.labels), -1)
    for key, place in ours.classes.items():
        order[place] = theirs.classes[key]
    return order


def _labels_of(facts: Mapping[str, Any]) -> LabelMap:
    """Read a label map as `facts_of` lays it out."""
    classes = [Label(**_tuples(each)) for each in facts["classes"]]
    return LabelMap(name="measured", labels=tuple(classes), **_tuples(facts["labels"]))


def _tuples(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _tuple(value) for name, value in row.items()}


def _tuple(value: Any) -> Any:
    return tuple(map(_tuple, value)) if isinstance(value, list) else value


@dataclass(frozen=True, slots=True, kw_only=True)
class _Meaning:
    """What the values of a run are: the classes by the values that they have, and all else."""

    classes: Mapping[bytes, int]
    rest: bytes

    @classmethod
    def of(cls, run: CountedRun, labels: LabelMap, unknown: Unknown) -> _Meaning:
        """Tell the values of both sides apart; classes without any are left out."""
        places = range(len(labels.labels))
        maps = [labels.against_rest(place) for place in places] if labels.overlap else [labels]
        only = 1 if labels.overlap else None
        codes = [_codes(run, each, unknown, only) for each in maps]
        found = {}
        for place in places:
            inside = codes[place] == 0 if labels.overlap else codes[0] == place
            if inside.any():
                found[inside.tobytes()] = place
        void = 1 if labels.overlap else len(places)
        rest = (codes[0] == void) + 2 * (codes[0] == void + 2)
        return cls(classes=found, rest=bytes([labels.overlap]) + rest.tobytes())


def _codes(
    run: CountedRun, labels: LabelMap, unknown: Unknown, only: int | None
) -> NDArray[np.int64]:
    sides = [codes_of(run.counts.values(each), labels, each, unknown, only) for each in SIDES]
    return np.concatenate(sides)
