"""Measures: what needs the pixels of classes, kept as the bytes of a few numbers for each image.

A measure is made of class maps, after the classes are chosen; its scores are made of its bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from numpy.typing import NDArray

from segeval.errors import RunError
from segeval.text import listed

Layer = tuple[NDArray[Any], NDArray[Any], int]
"""Class maps of truth and prediction, of one shape and type, and the number K of their classes.

Both hold 0…K-1; K where nothing is judged, on both sides at the same places; and K + 1 where what
is judged is of no class. They are uint8 up to 253 classes, else int32, (H, W), or (D, H, W) of
volumes.
"""

Values = tuple[NDArray[Any], NDArray[Any] | None]
"""The values of truth and prediction as stored; None where there is no prediction."""


class Measure(Protocol):
    """What is measured in the class maps of one image."""

    @property
    def kind(self) -> str:
        """The key of its bytes in a run, e.g. ``boundary``."""

    @property
    def definition(self) -> Mapping[str, Any]:
        """All that changes its numbers, as plain data."""

    def __call__(self, layers: Sequence[Layer], spacing: tuple[float, ...] | None) -> bytes:
        """Measure one image: a layer of all classes, or one a class where they overlap.

        The spacing is that of a volume, in mm along each axis of the maps.
        """


@runtime_checkable
class ValueMeasure(Protocol):
    """A measure that asks for the stored values too, which tell the objects of a class apart."""

    @property
    def kind(self) -> str:
        """The key of its bytes in a run."""

    @property
    def definition(self) -> Mapping[str, Any]:
        """All that changes its numbers, as plain data."""

    def of_values(
        self, layers: Sequence[Layer], values: Values, spacing: tuple[float, ...] | None
    ) -> bytes:
        """Measure one image, given the values of both masks, of the shape of the layers."""


AnyMeasure = Measure | ValueMeasure


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What one measure gave of the images of a run, in their order; None of those it lacks."""

    facts: Mapping[str, Any]  # its definition, and that of the classes, as plain data
    data: tuple[bytes | None, ...]

    def take(self, positions: Iterable[int]) -> Measured:
        """Return what it gave of some of the images."""
        return Measured(facts=self.facts, data=tuple(self.data[at] for at in positions))


def by_name(
    runs: Iterable[tuple[Sequence[str], Mapping[str, Measured]]], names: Sequence[str]
) -> dict[str, Measured]:
    """Put together what was measured in several runs, for images of these names."""
    several = [*runs]
    facts = united_facts([{k: m.facts for k, m in measured.items()} for _, measured in several])
    found: dict[str, dict[str, bytes | None]] = {kind: {} for kind in facts}
    for own, measured in several:
        for kind, column in measured.items():
            found[kind] |= {n: d for n, d in zip(own, column.data, strict=True) if d is not None}
    return {
        kind: Measured(facts=stated, data=tuple(map(found[kind].get, names)))
        for kind, stated in facts.items()
    }


def united_facts(parts: Sequence[Mapping[str, Mapping[str, Any]]]) -> dict[str, Mapping[str, Any]]:
    """Put together what was measured in runs that are added; it must be the same in all of them."""
    facts: dict[str, Mapping[str, Any]] = {}
    for part in parts:
        for kind, stated in part.items():
            if facts.setdefault(kind, stated) != stated:
                differing = listed(_differing(facts[kind], stated), 3)
                raise RunError(
                    f"the runs do not add: they measured {kind} under other settings "
                    f"({differing}); score all of them with the same options, and the same classes "
                    "by --labels or --classes"
                )
    return facts


def _differing(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """Name what differs, of a definition its parts, such as the spacing."""
    names = sorted(name for name in other if one.get(name) != other[name])
    parts = one.get("definition", {}), other.get("definition", {})
    own = sorted(name for name in parts[1] if parts[0].get(name) != parts[1][name])
    return [*own, *(name for name in names if name != "definition" or not own)]
