"""Connected components: the objects of masks of classes, numbered while these are counted.

Every pixel of a class other than the background gets the number of its component, in the order of
the first pixels from the top left. Where several values are one class, that has to be known by
then; else each value but 0 is taken by itself.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Final, cast

import numpy as np
from numpy.typing import NDArray

from segeval.counting.counts import Counts
from segeval.counting.run import CountedRun
from segeval.errors import LabelError, SettingError
from segeval.labels.choose import explicit_labels
from segeval.labels.classify import translate_values
from segeval.labels.labelmap import OVERLAP, SIDES, LabelMap, Side
from segeval.objects.rules import Connectivity, ObjectRules
from segeval.settings import LabelChoice, parse_values
from segeval.values import class_values, is_object, object_values

FACT: Final = "components:"
ALIKE: Final = ",alike:"
IN_VOLUMES: Final = {"4": 6, "8": 26}  # neighbours at faces alone, or also at edges and corners


@dataclass(frozen=True, slots=True, kw_only=True)
class Components:
    """How components are found: by 4 or 8 neighbours, of the classes of a map if there is one."""

    connectivity: Connectivity = "8"
    labels: LabelMap | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be done before any mask is read."""
        if self.labels is not None and self.labels.overlap:
            raise SettingError(f"{OVERLAP}: components are those of one class a pixel")
        library()

    @classmethod
    def of(cls, choice: LabelChoice, connectivity: Connectivity = "8") -> Components:
        """Find components of the classes that the user named, if any are."""
        return cls(connectivity=connectivity, labels=explicit_labels(choice))

    @property
    def fact(self) -> str:
        """What a run says of its components: the neighbours, and which values are one class."""
        return f"{FACT}{self.connectivity}{alike(self.labels)}"

    def __call__(self, values: NDArray[Any], side: Side) -> NDArray[np.int64]:
        """Return a mask, (H, W) or (D, H, W), of components, as `object_values` has them."""
        flat = values.ravel()
        starts = np.flatnonzero(np.concatenate(([True], flat[1:] != flat[:-1])))
        distinct, place = np.unique(flat[starts].astype(np.int64), return_inverse=True)
        lengths = np.diff(starts, append=flat.size)
        groups = np.repeat(self._groups(distinct, side)[place], lengths).reshape(values.shape)
        connectivity = int(self.connectivity) if groups.ndim == 2 else IN_VOLUMES[self.connectivity]
        ids = library().connected_components(groups, connectivity=connectivity)
        bases = np.repeat(object_values(distinct, np.zeros_like(distinct))[place], lengths)
        return np.where(ids > 0, bases.reshape(values.shape) + ids, values)

    @property
    def neighbours(self) -> int:
        """The neighbours, if each class is one value, so that pixels are not needed; else 0."""
        return 0 if alike(self.labels) else int(self.connectivity)

    def of_parts(
        self, values: NDArray[np.int64], parts: NDArray[np.int64], side: Side
    ) -> NDArray[np.int64]:
        """Return the values of components, given value and number of connected parts: (P,) each."""
        distinct, place = np.unique(values, return_inverse=True)
        inside = self._groups(distinct, side)[place] > 0
        ids = np.searchsorted(np.unique(parts[inside]), parts) + 1
        return np.where(inside, object_values(values, ids), values)

    def _groups(self, values: NDArray[np.int64], side: Side) -> NDArray[np.uint32]:
        """Return a number for each class of objects, and 0 for what is none."""
        if self.labels is None:
            return np.where(values > 0, np.arange(1, values.size + 1), 0).astype(np.uint32)
        index = translate_values(values, self.labels, side)
        index[index == self.labels.background] = -1
        return np.maximum(index + 1, 0).astype(np.uint32)


def numbering_for(scoring: Mapping[str, Any]) -> Components | None:
    """Return how components are found, if the keywords of a score ask for them."""
    objects = scoring.get("objects")
    if getattr(objects, "source", objects) != "components":
        return None
    named = {each.name for each in fields(LabelChoice)} & scoring.keys()
    choice = LabelChoice(**{name: scoring[name] for name in named})
    choice = replace(choice, ignore=parse_values(scoring.get("ignore")))
    return Components.of(choice, getattr(objects, "connectivity", None) or "8")


def library() -> Any:
    """Import connected-components-3d, which finds the components."""
    try:
        import cc3d
    except ImportError:
        raise SettingError(
            "--objects components needs connected-components-3d; type "
            '`pip install "segeval-masks[objects]"`'
        ) from None
    return cc3d


def alike(labels: LabelMap | None) -> str:
    """Write which values are one class, in short; nothing if each is a class by itself."""
    if labels is None:
        return ""
    values = [
        part
        for label in labels.labels
        for side in SIDES
        for part in (label.values(side), label.colors_of(side))
    ]
    levels = [labels.threshold(side) for side in SIDES]
    if all(len(held) < 2 for held in values) and levels == [None, None]:
        return ""
    stated = repr((values, levels, labels.prediction_offset, labels.background))
    return f"{ALIKE}{zlib.crc32(stated.encode()):08x}"


def components_of(run: CountedRun) -> str:
    """Return what a run says of its components, or nothing if it holds none."""
    return next((fact for fact in run.provenance.waivers if fact.startswith(FACT)), "")


def numbered_as(run: CountedRun, choice: LabelChoice) -> Components | None:
    """Return how the components of a run were found, if it holds some."""
    neighbours = components_of(run).removeprefix(FACT).partition(",")[0]
    return Components.of(choice, cast("Connectivity", neighbours)) if neighbours else None


def check_source(run: CountedRun, labels: LabelMap, rules: ObjectRules) -> None:
    """Refuse a run that does not hold such objects, or components of other classes."""
    held = components_of(run)
    if rules.source == "ids":
        if held:
            raise SettingError("this run holds components; type --objects components")
        return
    if not held:
        raise SettingError(
            "this run holds no components, which are found in masks; count again: type `segeval "
            "score PRED TRUTH --objects components`"
        )
    neighbours = held.removeprefix(FACT).partition(",")[0]
    if rules.connectivity not in {None, neighbours}:
        raise SettingError(
            f"--connectivity {rules.connectivity}: components of this run have {neighbours} "
            "neighbours; leave it out, or count again"
        )
    known, now = held.partition(ALIKE)[2], alike(labels).removeprefix(ALIKE)
    if known != now and (known or any(_several(run, labels, side) for side in SIDES)):
        raise LabelError(
            f"values that are one class in {labels.name} were not when components were counted, "
            "or the other way round; count again with these labels"
        )
    for side in SIDES:
        _check_numbered(run.finest, labels, side)


def _several(run: CountedRun, labels: LabelMap, side: Side) -> bool:
    """Whether a class of objects has more than one value that occurs."""
    index = translate_values(run.counts.values(side), labels, side)
    index = index[(index >= 0) & (index != labels.background)]
    return bool(np.unique(index).size < index.size)


def _check_numbered(counts: Counts, labels: LabelMap, side: Side) -> None:
    """Refuse classes of objects whose components were not counted, as background is not."""
    values = counts.values(side)
    index = translate_values(class_values(values), labels, side)
    lost = (index >= 0) & (index != labels.background) & ~is_object(values)
    if lost.any():
        name = labels.names[int(index[lost][0])]
        raise LabelError(
            f"components of {name} were not counted, as its value was taken for background; "
            "count again with these labels"
        )
