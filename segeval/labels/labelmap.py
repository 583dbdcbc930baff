"""Label maps: which file values mean which class, decided on the counts and never on the pixels."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from segeval.errors import LabelError, SettingError
from segeval.text import did_you_mean
from segeval.values import (
    COLOR,
    NO_PREDICTION,
    NOT_FINITE,
    OUTSIDE,
    color_value,
    hex_color,
    is_float,
    plain_values,
    reaches,
)

Key = TypeVar("Key", bool, tuple[int, ...])
Side = Literal["truth", "prediction"]
SIDES: Final[tuple[Side, ...]] = ("truth", "prediction")

BACKGROUND: Final = ("background", "bg", "unlabeled background")  # names, in any case
VOID: Final = -1  # index of a value that is not judged
UNKNOWN: Final = -2  # index of a value that the label map does not know
MOST_CLASSES: Final = 4096  # that are numbered without names
NO_CLASS: Final = "no class"  # name of the pixels of overlapping classes that are of none
OVERLAP: Final = "the classes overlap, so a pixel may be of several"
WHITE: Final = 255  # void if nothing else is said, and a second spelling of the foreground


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A class: its name, and the values and colours that mean it in the files.

    Attributes
    ----------
    name, group : str
        Name of the class, unique in its map, and its super-category, or empty.
    truth_values, prediction_values : tuple of int
        File values that mean the class, on each side.
    colors, prediction_colors : tuple of (r, g, b)
        Colours that mean it, for predictions if they differ; the first is that of pictures.
    """

    name: str
    truth_values: tuple[int, ...]
    prediction_values: tuple[int, ...]
    colors: tuple[tuple[int, int, int], ...] = ()
    prediction_colors: tuple[tuple[int, int, int], ...] | None = None
    group: str = ""

    def values(self, side: Side) -> tuple[int, ...]:
        """File values that mean the class on one side."""
        return self.truth_values if side == "truth" else self.prediction_values

    def with_values(self, side: Side, values: tuple[int, ...]) -> Label:
        """Return the class with other file values on one side."""
        if side == "truth":
            return replace(self, truth_values=values)
        return replace(self, prediction_values=values)

    def colors_of(self, side: Side) -> tuple[tuple[int, int, int], ...]:
        """Colours that mean the class on one side."""
        own = self.prediction_colors if side == "prediction" else None
        return self.colors if own is None else own


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelMap:
    """Classes in the order of their indices 0…K-1, and the values that are void.

    Attributes
    ----------
    name, source : str
        Name for the signature, e.g. ``"cityscapes"``, and where the facts come from.
    labels : tuple of Label
        The classes.
    void, void_colors : tuple of int, tuple of (r, g, b)
        Truth values and colours that are not judged; in a prediction they are unknown.
    truth_threshold, prediction_threshold : float, optional
        On that side, values at or above it are class 1 and all others class 0.
    prediction_offset : int
        Added to every predicted value before it is looked up; see `add_offset`.
    plain : bool
        Whether grey colours of a whole side are levels already; see `of_whole`.
    overlap : bool
        Whether a value may belong to several classes, and 0 to none; see `parts`.

    Raises
    ------
    LabelError
        If two classes share a name, or a value and ``overlap`` is False.
    """

    name: str
    labels: tuple[Label, ...]
    void: tuple[int, ...] = ()
    void_colors: tuple[tuple[int, int, int], ...] = ()
    source: str = ""
    truth_threshold: float | None = None
    prediction_threshold: float | None = None
    prediction_offset: int = 0
    plain: bool = False
    overlap: bool = False

    def __post_init__(self) -> None:
        """Check that every value means one thing."""
        if not self.labels:
            raise LabelError(f"label map {self.name}: it names no class")
        _check_unique(self.name, "name", ((label.name, label.name) for label in self.labels))
        void = [(value, "void") for value in self.void]
        for labels in [[each] for each in self.labels] if self.overlap else [self.labels]:
            truths = [(value, label.name) for label in labels for value in label.truth_values]
            _check_unique(self.name, "value", [*truths, *void])
            predicted = ((v, label.name) for label in labels for v in label.prediction_values)
            _check_unique(self.name, "value", predicted)

    @property
    def names(self) -> list[str]:
        """Names of the classes, by index."""
        return [label.name for label in self.labels]

    @property
    def background(self) -> int | None:
        """Index of the background: the class of that name, or else of value 0; None if neither.

        >>> numbered("found", [0, 3]).background, numbered("found", [1, 2]).background
        (0, None)
        """
        named = (k for k, label in enumerate(self.labels) if label.name.lower() in BACKGROUND)
        zero = (k for k, label in enumerate(self.labels) if 0 in label.truth_values)
        return next(named, next(zero, None))

    @property
    def foreground(self) -> int | None:
        """Index of the class beside the background in a map of two; None in any other map.

        >>> numbered("found", [0, 3]).foreground, numbered("found", [1, 2]).foreground
        (1, None)
        """
        if len(self.labels) != 2 or self.background is None or self.overlap:
            return None
        return 1 - self.background

    @property
    def thresholds(self) -> dict[str, float]:
        """The thresholds that are set, by the name of their option."""
        stated = {"threshold": self.prediction_threshold, "truth-threshold": self.truth_threshold}
        return {name: value for name, value in stated.items() if value is not None}

    @property
    def repeated_color(self) -> str:
        """Why colour masks are ambiguous under this map, or an empty text."""
        owners: dict[tuple[int, int, int], str] = dict.fromkeys(self.void_colors, "void")
        for label in self.labels:
            for color in label.colors:
                owner = owners.setdefault(color, label.name)
                if owner != label.name:
                    return f"{hex_color(color)} is the colour of {owner} and of {label.name}"
        return ""

    @property
    def parts(self) -> LabelMap:
        """The map whose classes are the sets of classes that values belong to.

        Under it each value is of one class, as pictures need it; the last one is of no class.
        """
        if not self.overlap:
            return self
        names: dict[tuple[int, ...], str] = {}
        taken: set[str] = set()
        for each in self.sets:
            name = " + ".join(self.names[k] for k in each) or NO_CLASS
            while name in taken:
                name += "'"
            taken.add(name)
            names[each] = name
        return self._split(names, self._members)

    def against_rest(self, position: int) -> LabelMap:
        """Return the map of two classes: the values that are not of a class, and those that are."""

        def inside(side: Side) -> dict[int, bool]:
            own = set(self._values(self.labels[position], side))
            rest = dict.fromkeys(() if 0 in self.void else (0,), False)
            for label in self.labels:
                rest.update(dict.fromkeys(self._values(label, side), False))
            return rest | dict.fromkeys(own, True)

        name = self.names[position]
        return self._split({False: f"not {name}", True: name}, inside)

    @property
    def sets(self) -> list[tuple[int, ...]]:
        """Indices of the classes of each of the `parts`; of no class last."""
        found = {each for side in SIDES for each in self._members(side).values()}
        return sorted(found, key=lambda each: (not each, each))

    def _members(self, side: Side) -> dict[int, tuple[int, ...]]:
        """Return the indices of the classes of every value and colour; 0 may be of none."""
        table: dict[int, tuple[int, ...]] = {} if 0 in self.void else {0: ()}
        for index, label in enumerate(self.labels):
            for value in dict.fromkeys(self._values(label, side)):
                table[value] = (*table.get(value, ()), index)
        return table

    @staticmethod
    def _values(label: Label, side: Side) -> tuple[int, ...]:
        return (*map(color_value, label.colors_of(side)), *label.values(side))

    def _split(self, names: Mapping[Key, str], of: Callable[[Side], dict[int, Key]]) -> LabelMap:
        """Return the map of classes without overlap, each of the values that have one key."""
        held: dict[Side, dict[Key, list[int]]] = {
            side: {key: [] for key in names} for side in SIDES
        }
        for side, groups in held.items():
            for value, key in of(side).items():
                groups[key].append(value)
        labels = tuple(
            Label(
                name=name,
                truth_values=tuple(held["truth"][key]),
                prediction_values=tuple(held["prediction"][key]),
            )
            for key, name in names.items()
        )
        return replace(self, labels=labels, overlap=False)

    def known(self, side: Side) -> dict[int, int]:
        """Index of every value and colour on one side; `VOID` for those not judged.

        Where classes overlap, it is the index among `parts`.
        """
        if self.overlap:
            return self.parts.known(side)
        table: dict[int, int] = {}
        if side == "truth":
            table.update(dict.fromkeys(map(color_value, self.void_colors), VOID))
            table.update(dict.fromkeys(self.void, VOID))
        for index, label in enumerate(self.labels):
            table.update(dict.fromkeys(map(color_value, label.colors_of(side)), index))
            table.update(dict.fromkeys(label.values(side), index))
        return table

    def index(self, values: NDArray[np.int64], side: Side) -> NDArray[np.int64]:
        """Translate (N,) values of one side into class indices 0…K-1, `VOID` or `UNKNOWN`.

        Where classes overlap, they are those of `parts`. A `LabelError`, if there are colours and
        the map gives one colour to two classes.
        """
        if self.overlap:
            return self.parts.index(values, side)
        table = self.known(side) | ({OUTSIDE: VOID} if side == "truth" else {})
        values = values if self.plain else plain_values(values, table)
        if side == "prediction" and self.prediction_offset:
            values = add_offset(values, self.prediction_offset, self.void)
        if (values >= COLOR).any() and self.repeated_color:
            raise LabelError(
                f"label map {self.name} cannot read colour masks: {self.repeated_color}; "
                "convert the masks to index values"
            )
        index = np.array([table.get(value, UNKNOWN) for value in values.tolist()], np.int64)
        threshold = self.threshold(side)
        if threshold is None:
            return index
        odd = (values == NO_PREDICTION) | (values == NOT_FINITE)
        judged = (index != VOID) & (values < COLOR) & ~odd
        return np.where(judged, reaches(values, threshold), index)

    def threshold(self, side: Side) -> float | None:
        """Threshold of one side, if it is set."""
        return self.truth_threshold if side == "truth" else self.prediction_threshold

    def ignoring(self, values: Collection[int]) -> LabelMap:
        """Return the same map with more void values; a class that loses all its values is gone.

        Void is a truth value. A prediction may hold it no more, but for a 255 that was only one
        spelling of its class: that class a predicted 255 still means.
        """
        labels = tuple(_without(label, values) for label in self.labels)
        void = tuple(sorted({*self.void, *values}))
        kept = tuple(
            new
            for new, old in zip(labels, self.labels, strict=True)
            if (new.truth_values if old.truth_values else new.prediction_values or new.colors)
        )
        return replace(self, labels=kept, void=void)

    def apart(self, what: str) -> LabelMap:
        """Return the map; a `SettingError`, if what is asked for needs one class a pixel."""
        if self.overlap:
            raise SettingError(
                f"{what} needs one class a pixel, and the classes of {self.name} overlap; name "
                "classes that share no value"
            )
        return self

    def two_classes(self, what: str) -> LabelMap:
        """Return the map with the background first; a `SettingError` if it has not these two."""
        number = len(self.apart(what).labels)
        if number != 2:
            raise SettingError(f"{what} needs two classes; {self.name} has {number}")
        if self.foreground is None:
            raise SettingError(
                f"{what} needs a background and a foreground; {self.name} names "
                f"{' and '.join(self.names)}; call one of them background"
            )
        return self if self.foreground == 1 else replace(self, labels=self.labels[::-1])

    def predicting(self, other: LabelMap) -> LabelMap:
        """Return the map that reads predictions by another of the same names, or a `LabelError`.

        One of them may lack a background, which annotations have without a value.
        """
        theirs = {label.name: label for label in other.labels}
        different = sorted((theirs.keys() ^ set(self.names)) - {BACKGROUND[0]})
        if different:
            raise LabelError(
                f"label maps {self.name} and {other.name} name different classes: "
                f"{', '.join(different[:5])}; both must have the same names"
            )
        nothing = Label(name=BACKGROUND[0], truth_values=(), prediction_values=())
        more = (nothing,) * (BACKGROUND[0] in theirs.keys() - set(self.names))
        labels = tuple(
            replace(
                label,
                prediction_values=theirs.get(label.name, nothing).prediction_values,
                prediction_colors=theirs.get(label.name, nothing).colors,
            )
            for label in more + self.labels
        )
        return replace(
            self,
            name=f"{self.name}/{other.name}",
            labels=labels,
            overlap=self.overlap or other.overlap,
        )

    def categories(self) -> LabelMap:
        """Return the map whose classes are the groups of this one; a `LabelError` without any."""
        if not any(label.group for label in self.labels):
            raise LabelError(
                f"label map {self.name} groups no classes; add `group` to its classes, or type "
                "--labels FILE.json if they are categories of COCO with a `supercategory`"
            )
        groups: dict[str, list[Label]] = {}
        for label in self.labels:
            groups.setdefault(label.group or label.name, []).append(label)
        labels = tuple(
            Label(
                name=name,
                truth_values=_together(label.truth_values for label in members),
                prediction_values=_together(label.prediction_values for label in members),
                colors=sum((label.colors for label in members), ()),
                prediction_colors=sum((label.colors_of("prediction") for label in members), ()),
            )
            for name, members in groups.items()
        )
        return replace(self, name=f"{self.name}(category)", labels=labels)

    def positions(self, names: Iterable[str]) -> tuple[int, ...]:
        """Return the indices of classes by name; a `SettingError` if a name is that of none."""
        unknown = [name for name in names if name not in self.names]
        if unknown:
            near = did_you_mean(unknown[0], self.names)
            raise SettingError(
                f"no class is called {unknown[0]!r}{near or ';'} the classes are "
                f"{', '.join(self.names)}"
            )
        return tuple(sorted({self.names.index(name) for name in names}))


def numbered(name: str, values: Sequence[int], *, void: Sequence[int] = ()) -> LabelMap:
    """Return a map in which every value is a class of its own, named after the value."""
    labels = tuple(
        Label(name=str(value), truth_values=(value,), prediction_values=(value,))
        for value in values
        if value not in void
    )
    return LabelMap(name=name, labels=labels, void=tuple(sorted(set(void))))


def add_offset(values: NDArray[np.int64], offset: int, void: Collection[int]) -> NDArray[np.int64]:
    """Add a number to predicted values, so that they count their classes as the truth does.

    Colours, floats, missing predictions, and 255 where it is void in the truth stay as they are.
    The truth and its void values are never moved.

    >>> add_offset(np.array([0, 1, 255]), 1, (255,)).tolist()
    [1, 2, 255]
    """
    stays = (values >= COLOR) | (values == NO_PREDICTION) | is_float(values)
    stays |= WHITE in void and values == WHITE
    return np.where(stays, values, values + offset)


def _without(label: Label, values: Collection[int]) -> Label:
    """Take values from a class, on both sides if these store it alike; see `ignoring`."""
    truth = tuple(value for value in label.truth_values if value not in values)
    alike = label.truth_values == label.prediction_values
    colors = tuple(color for color in label.colors if color_value(color) not in values)
    spelling = {WHITE} if truth else set()
    predicted = label.prediction_values
    if alike:
        predicted = tuple(v for v in predicted if v not in values or v in spelling)
    own = colors if label.prediction_colors == label.colors else label.prediction_colors
    return replace(
        label,
        truth_values=truth,
        prediction_values=predicted,
        colors=colors,
        prediction_colors=own,
    )


def _together(values: Iterable[tuple[int, ...]]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(value for several in values for value in several))


def _check_unique(map_name: str, what: str, owners: Iterable[tuple[object, str]]) -> None:
    seen: dict[object, str] = {}
    for item, owner in owners:
        if item in seen:
            first = f"{seen[item]} and of {owner}" if what == "value" else "two classes"
            raise LabelError(f"label map {map_name}: {what} {item} is that of {first}")
        seen[item] = owner
