"""What segeval must find, pixel by pixel: a second program that shares no code with it.

It knows masks as they were made, never reads a file, and is as slow as its loops. It also states
which combinations are refused, and by which exit code: 2 for options that do not fit each other,
3 for data that do not fit them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
from made.option_sets import UNSET, WORLDS, Meaning, Picture, Row, World

VOID: Final = -1
UNKNOWN: Final = -2
MISSED: Final = -3
WHITE: Final = 255
OUTSIDE: Final = "outside the field of view"
NO_PREDICTION: Final = "no prediction"
BACKGROUNDS: Final = {"background", "bg", "unlabeled background"}
PATTERNS: Final = {"first letter": "^(.)", "some": "^(a|b)/", "none": "^zzz"}
BINARY: Final = WORLDS["binary"]


@dataclass(kw_only=True)
class Refused(Exception):  # noqa: N818 - it is an answer as good as numbers
    """All reasons to refuse: a code of the program, and words for whoever reads a failure."""

    reasons: list[tuple[int, str]]


@dataclass(frozen=True, kw_only=True)
class Counted:
    """Counts of one image between classes; the last column is predicted as no class."""

    name: str
    group: str
    cells: Counter[tuple[int, int]] = field(default_factory=Counter)
    pixels: int = 0


@dataclass(frozen=True, kw_only=True)
class Found:
    """All that is compared: names of classes, counts of images, and what became of the others."""

    names: list[str]
    images: list[Counted]
    groups: list[str]  # of every image, empty if it is in none
    missing: list[str]
    skipped: list[str]
    ignored_by_prediction: int = 0
    doubtful: bool = False  # classes that nobody named, of values that may be refused as well


@dataclass(frozen=True, kw_only=True)
class Sides:
    """Pixels of one image as plain values, row by row; a colour is a tuple."""

    picture: Picture
    truth: list[Any]
    prediction: list[Any]


def values_of(stored: Any) -> list[list[Any]]:
    """Return rows of plain integers, NumPy floats, or tuples."""
    if stored.ndim == 3:
        return [[tuple(map(int, pixel)) for pixel in line] for line in stored]
    if stored.dtype.kind == "f":
        wide = stored.astype(np.float32) if stored.dtype == np.float16 else stored
        return [list(line) for line in wide]
    return [[int(value) for value in line] for line in stored]


def resized(rows: list[list[Any]], height: int, width: int) -> list[list[Any]]:
    """Take for every new pixel the old one under its centre."""
    return [
        [
            rows[(2 * y + 1) * len(rows) // (2 * height)][(2 * x + 1) * len(rows[0]) // (2 * width)]
            for x in range(width)
        ]
        for y in range(height)
    ]


def read(picture: Picture, row: Row) -> Sides | str:
    """Return the pixels of a pair, or why it cannot be counted."""
    truth = values_of(picture.truth)
    height, width = len(truth), len(truth[0])
    if picture.broken and picture.prediction is not None:
        return "broken file"
    if picture.roi is not None:
        region = values_of(picture.roi)
        if (len(region), len(region[0])) != (height, width):
            return "field of view of another size"
        for y in range(height):
            for x in range(width):
                if region[y][x] in {0, (0, 0, 0)}:
                    truth[y][x] = OUTSIDE
    if picture.prediction is None:
        prediction = [[NO_PREDICTION] * width for _ in range(height)]
    else:
        prediction = values_of(picture.prediction)
        if row["resize"] != UNSET:
            prediction = resized(prediction, height, width)
        if (len(prediction), len(prediction[0])) != (height, width):
            return "other size"
    flat = [[value for line in side for value in line] for side in (truth, prediction)]
    return Sides(picture=picture, truth=flat[0], prediction=flat[1])


@dataclass(frozen=True, kw_only=True)
class Table:
    """Which value means which class on each side."""

    names: list[str]
    truth: dict[Any, int]
    prediction: dict[Any, int]
    thresholds: dict[str, float] = field(default_factory=dict)
    offset: int = 0


def ignored_values(row: Row) -> list[Any] | None:
    """Return what ``--ignore`` names, or None without it."""
    if row["ignore"] == UNSET:
        return None
    words = [word for word in row["ignore"].split(",") if word != "none"]
    return [tuple(bytes.fromhex(w[1:])) if w.startswith("#") else int(w) for w in words]


def ignoring(world: World, ignored: Sequence[Any]) -> World:
    """Take ignored values from the classes; one without any value of the truth is gone."""
    kept = []
    for meaning in world.classes:
        truth = tuple(v for v in meaning.truth if v not in ignored)
        colors = tuple(c for c in meaning.colors if c not in ignored)
        prediction = meaning.prediction
        if meaning.prediction == meaning.truth:  # a 255 that had another spelling is foreground
            also = {WHITE} if truth else set()
            prediction = tuple(v for v in prediction if v not in ignored or v in also)
        if truth:
            kept.append(replace(meaning, truth=truth, prediction=prediction, colors=colors))
    ints = [v for v in ignored if not isinstance(v, tuple)]
    tuples = [v for v in ignored if isinstance(v, tuple)]
    return World(
        classes=tuple(kept),
        void=(*world.void, *ints),
        void_colors=(*world.void_colors, *tuples),
    )


def numbered(values: Iterable[int], ignored: Sequence[Any]) -> World:
    """Return a world in which every value is a class."""
    classes = tuple(
        Meaning(name=str(value), truth=(value,), prediction=(value,))
        for value in values
        if value not in ignored
    )
    return ignoring(World(classes=classes), ignored)


def table_of(world: World, row: Row) -> Table:
    """Lay out which value means which class."""
    names = [meaning.name for meaning in world.classes]
    truth: dict[Any, int] = dict.fromkeys((*world.void, *world.void_colors), VOID)
    prediction: dict[Any, int] = {}
    for place, meaning in enumerate(world.classes):
        truth |= dict.fromkeys((*meaning.truth, *meaning.colors), place)
        prediction |= dict.fromkeys((*meaning.prediction, *meaning.colors), place)
    levels = {
        side: float(row[f"{option}threshold"])
        for side, option in (("truth", "truth-"), ("prediction", ""))
        if row[f"{option}threshold"] != UNSET
    }
    return Table(
        names=names,
        truth=truth,
        prediction=prediction,
        thresholds=levels,
        offset=int(row["offset"] or 0),
    )


def two_classes(world: World) -> World | None:
    """Put the background before the other class; None if there are not these two."""
    named = [meaning for meaning in world.classes if meaning.name.lower() in BACKGROUNDS]
    backgrounds = named or [meaning for meaning in world.classes if 0 in meaning.truth]
    if len(world.classes) != 2 or not backgrounds:
        return None
    others = (meaning for meaning in world.classes if meaning is not backgrounds[0])
    return replace(world, classes=(backgrounds[0], *others))


def unfit_options(row: Row) -> str:
    """Say which options contradict each other, or return nothing."""
    if row["labels"] == "file and classes":
        return "--labels and --classes"
    if row["labels"] == "prediction alone":
        return "--pred-labels without --labels"
    other = row["labels"] in {"classes", "both files"} or row["offset"] != UNSET
    return "--threshold with other classes" * (is_thresholded(row) and other)


def is_thresholded(row: Row) -> bool:
    """Whether a side has a threshold."""
    return bool(row["threshold"] or row["truth-threshold"])


def named_world(row: Row) -> World | None:
    """Return the classes that the options name, without what they ignore."""
    ignored = ignored_values(row) or []
    if row["labels"] == "classes":
        return numbered(range(len(WORLDS[row["world"]].classes)), ignored)
    if row["labels"] in {"file", "both files"}:
        world = WORLDS[row["world"]]
        if row["labels"] == "both files":  # which list the classes by their names
            named = sorted(world.classes, key=lambda meaning: meaning.name)
            world = replace(world, classes=tuple(named))
        return ignoring(world, ignored)
    found = row["labels"] == UNSET and not is_thresholded(row)
    return None if found else ignoring(BINARY, ignored)


def stated_world(row: Row) -> World | None:
    """Return the classes that the options state, or None if they are to be found; may refuse."""
    if fault := unfit_options(row):
        raise Refused(reasons=[(2, fault)])
    world = named_world(row)
    if world is None:
        return None
    if not world.classes:
        raise Refused(reasons=[(3, "no class is left")])
    if row["level"] == "category":
        if not any(meaning.group for meaning in world.classes):
            raise Refused(reasons=[(3, "--level category without groups")])
        world = grouped(world)
    if not is_thresholded(row):
        return world
    two = two_classes(world)
    if two is None:
        raise Refused(reasons=[(2, "--threshold without a background and a foreground")])
    return two


def grouped(world: World) -> World:
    """Return the world whose classes are the groups, in the order in which they come first."""
    groups: dict[str, Meaning] = {}
    for m in world.classes:
        name = m.group or m.name
        old = groups.get(name, Meaning(name=name, truth=(), prediction=()))
        groups[name] = replace(
            old,
            truth=old.truth + m.truth,
            prediction=old.prediction + m.prediction,
            colors=old.colors + m.colors,
        )
    return replace(world, classes=tuple(groups.values()))


def plain(values: Iterable[Any]) -> dict[Any, Any]:
    """Return what the colours of a side are read as by who knows none: grey ones as levels."""
    colors = {value for value in values if isinstance(value, tuple)}
    grey = all(len(set(color)) == 1 for color in colors)
    return {color: color[0] if grey else color for color in colors}


def held(sides: Sequence[Sides], side: str) -> set[Any]:
    """Return the values of a side; grey colours are levels if there are no others."""
    stored = [v for each in sides for v in getattr(each, side)]
    seen = {v for v in stored if v not in {OUTSIDE, NO_PREDICTION}}
    levels = plain(seen)
    return {levels.get(value, value) for value in seen}


def is_float(value: Any) -> bool:
    """Whether a value is a float of a map."""
    return isinstance(value, np.floating)


def threshold_fault(values: set[Any], threshold: float) -> str:
    """Say why a threshold cannot be meant for integers, or for floats from 0 to 1."""
    integers = [v for v in values if isinstance(v, int)]
    floats = [v for v in values if is_float(v) and np.isfinite(v)]
    if integers and threshold < 1 and (threshold % 1 or threshold <= min(integers)):
        return "a threshold below 1 on integers"
    if threshold > 1 and values in ({1}, {0, 1}):
        return "a threshold above 1 on 0 and 1"
    if floats and not 0 < threshold <= 1:
        return "a threshold out of range on floats"
    return ""


def is_spelt_twice(values: set[Any], ignored: Sequence[Any] | None) -> bool:
    """Whether 255 may be void or foreground beside 1."""
    seen = values - (set(ignored or ()) - {WHITE})
    return {1, WHITE} <= seen <= {0, 1, WHITE}


def doubts(sides: Sequence[Sides], row: Row) -> list[str]:
    """Say which values may be read in another way than the options say."""
    found = []
    for side, option in (("truth", "truth-threshold"), ("prediction", "threshold")):
        values, ignored = held(sides, side), ignored_values(row)
        if row[option] != UNSET:
            found.append(threshold_fault(values, float(row[option])))
            continue
        if any(map(is_float, values)):
            found.append("floats without a threshold")
        binary = row["labels"] in {"binary", UNSET}
        unsaid = ignored is None or (ignored and WHITE not in ignored)
        if binary and side == "truth" and unsaid and is_spelt_twice(values, ignored):
            found.append("255 beside 1 in a binary truth")
    return [doubt for doubt in found if doubt]


def inferred(sides: Sequence[Sides], row: Row) -> tuple[World, bool]:
    """Take all values for classes; say whether something else may be meant by them."""
    truth, prediction = held(sides, "truth"), held(sides, "prediction")
    ignored, offset = ignored_values(row), int(row["offset"] or 0)
    values = truth | prediction
    if odd := [v for v in values if not isinstance(v, int)]:
        raise Refused(reasons=[(3, f"no class is named for {odd[0]}")])
    void = [WHITE] if ignored is None else [v for v in ignored if isinstance(v, int)]
    kept = {WHITE} if WHITE in void else set()
    moved = {v if v in kept else v + offset for v in prediction}
    if min(moved, default=0) < 0:
        raise Refused(reasons=[(3, "the offset makes negative values")])
    judged = [sorted(side - set(void)) for side in (truth, moved)]
    pairs = [(t, p) for each in sides for t, p in zip(each.truth, each.prediction, strict=True)]
    equal = sum(t == p for t, p in pairs) * 2 >= len(pairs)
    doubtful = judged[0] != judged[1] or len(judged[0]) < 3 or not equal or bool(offset)
    stated = ignored is not None and (not ignored or (WHITE in ignored and WHITE in moved))
    twice = stated and is_spelt_twice(truth, ignored) and moved <= {0, 1, WHITE}
    white = truth | moved <= {0, WHITE} and WHITE not in (ignored or ())
    if twice or white:
        return ignoring(BINARY, ignored or ()), True
    return numbered(sorted({*judged[0], *judged[1]}), void), doubtful


def lookup(values: set[Any], table: Table, side: str) -> dict[Any, int]:
    """Say which class each value of a side means, seen all together."""
    known = getattr(table, side)
    levels = plain(values)
    classes: dict[Any, int] = {NO_PREDICTION: MISSED, OUTSIDE: VOID}
    for value in values - set(classes):
        level = levels.get(value, value)
        if value in known and level not in known:
            level = value
        is_void = table.truth.get(WHITE) == VOID and level == WHITE
        if side == "prediction" and isinstance(level, int) and not is_void:
            level += table.offset
        meant = known.get(level, UNKNOWN)
        odd = isinstance(level, tuple) or (is_float(level) and not np.isfinite(level))
        if side in table.thresholds and meant != VOID and not odd:
            meant = int(level >= table.thresholds[side])
        classes[value] = meant
    return classes


def count(
    sides: Sequence[Sides], table: Table, unknown: str
) -> tuple[list[Counted], int, set[str]]:
    """Count all images; also the pixels that are left out for their prediction, and faults."""
    meant = {
        side: lookup({v for each in sides for v in getattr(each, side)}, table, side)
        for side in ("truth", "prediction")
    }
    images, left_out, faults = [], 0, set()
    for each in sides:
        cells: Counter[tuple[int, int]] = Counter()
        for true_value, value in zip(each.truth, each.prediction, strict=True):
            truth, prediction = meant["truth"][true_value], meant["prediction"][value]
            if truth == UNKNOWN:
                faults.add(f"{true_value} in the truth is no class")
            if truth < 0:
                continue
            if prediction == UNKNOWN and unknown == "ignore":
                left_out += 1
                continue
            if prediction == UNKNOWN and unknown != "wrong":
                faults.add(f"{value} in the prediction is no class")
            cells[truth, max(prediction, -1)] += 1
        picture = each.picture
        images.append(
            Counted(name=picture.name, group=picture.group, cells=cells, pixels=len(each.truth))
        )
    return images, left_out, faults


def collect(pictures: Sequence[Picture], row: Row) -> tuple[list[Sides], list[str], list[str]]:
    """Return the pairs that are counted, those left out, and reasons to refuse all of them."""
    there = [p for p in pictures if p.prediction is not None or row["missing"] == "worst"]
    faults = []
    if len(there) < len(pictures) and row["missing"] not in {"skip", "worst"}:
        faults.append("missing prediction")
    if row["roi"] != UNSET and any(p.roi is None for p in there):
        faults.append("missing field of view")
    if row["route"] == "shard":
        there = there[1::2]
    sides, skipped = [], []
    for picture in there:
        outcome = read(picture, row)
        if isinstance(outcome, Sides):
            sides.append(outcome)
        elif row["on-error"] == "skip":
            skipped.append(picture.name)
        else:
            faults.append(outcome)
    if not sides:
        faults.append("nothing to score")
    return sides, skipped, faults


def group_names(sides: Sequence[Sides], row: Row) -> tuple[list[str], list[str]]:
    """Return the group of every image, and why there cannot be such groups."""
    pictures = [each.picture for each in sides]
    names = [picture.group if row["source"] == "pairs" else "" for picture in pictures]
    faults = []
    if row["groups"] != UNSET:
        matches = [re.search(PATTERNS[row["groups"]], picture.name) for picture in pictures]
        names = [match.group(1) if match else "" for match in matches]
        faults += [] if any(matches) else ["--group-by matches no name"]
    if row["pooling"] == "group" and not all(names):
        faults.append("images in no group")
    return names, faults


def find(pictures: Sequence[Picture], row: Row) -> Found:
    """Count a data set under a combination of options, or raise all reasons to refuse it."""
    world = stated_world(row)
    sides, skipped, faults = collect(pictures, row)
    groups, ungrouped = group_names(sides, row)
    reasons = [*((3, fault) for fault in faults), *((2, fault) for fault in ungrouped)]
    doubtful = False
    if sides and world is None:
        world, doubtful = inferred(sides, row)
        if row["level"] == "category" and world.classes:
            reasons.append((3, "--level category without groups"))
    reasons += [(3, doubt) for doubt in doubts(sides, row)]
    if world is None or not world.classes:
        raise Refused(reasons=reasons or [(3, "no class is left")])
    table = table_of(world, row)
    images, left_out, unknown = count(sides, table, row["unknown"])
    reasons += [(3, fault) for fault in sorted(unknown)]
    if row["exclude"] == "nonsense":
        reasons.append((2, "--exclude names no class"))
    if reasons:
        raise Refused(reasons=[*reasons, *([(3, "classes in doubt")] if doubtful else [])])
    return Found(
        names=table.names,
        images=images,
        groups=groups,
        missing=[p.name for p in pictures if p.prediction is None],
        skipped=skipped,
        ignored_by_prediction=left_out,
        doubtful=doubtful,
    )
