"""What an integer of a mask is: an index, a colour as one number, or a level of a float.

Indices are the integers of files, from -2^61 to 2^61. All other values lie beyond, where no file
reaches: colours from 2^62 on, objects of a class below, floats around -2^62, and what has no value
at -2^63. Floats are counted in steps of 1/51000, to hold every threshold of three decimals and
every k/255.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

LIMIT: Final = 1 << 61  # of the integers of files, to either side of 0
COLOR: Final = 1 << 62  # added to ``r << 16 | g << 8 | b``: no colour is taken for an index
STEPS: Final = 51_000  # levels of floats between 0 and 1: the least common multiple of 255 and 1000
FLOAT: Final = -(1 << 62)  # the value of the float 0.0; a float x is ``FLOAT + floor(x * STEPS)``
SLACK: Final = 1e-4  # how far rounding may move a probability out of [0, 1]
FURTHEST: Final = 1 << 40  # levels reach so far to either side of `FLOAT`; floats beyond are cut
NOT_FINITE: Final = FLOAT - 2 * FURTHEST  # the value of NaN and of both infinities
LAST_FLOAT: Final = FLOAT + FURTHEST  # floats are the values from `NOT_FINITE` to it

OBJECT: Final = 3 << 60  # added to ``class << 32 | id``: one object of a class
CROWD: Final = 1 << 59  # added to it: several objects of the class, which are not told apart
SHORT: Final = 1 << 24  # indices, colours and levels of floats below this are classes of objects
KINDS: Final = (0, COLOR, FLOAT)  # what is taken off the value of a class, which so is short

NO_PREDICTION: Final = -(1 << 63)  # predicted value of a pixel without any prediction
OUTSIDE: Final = NO_PREDICTION  # true value outside the field of view: void under every map
UNANNOTATED: Final = NO_PREDICTION + 1  # background of annotations whose classes have the value 0
NO_DATA: Final = NO_PREDICTION + 2  # of no mask: stands for what the files of the truth name so


def integer_fault(*integers: int) -> str:
    """Say which integers are no value of a file, or return nothing.

    >>> integer_fault(0, 2**24), integer_fault(-(2**63))
    ('', '-9223372036854775808 is no value of a mask; integers are read from -2^61 to 2^61')
    """
    beyond = [value for value in integers if not -LIMIT <= value <= LIMIT]
    if not beyond:
        return ""
    power = LIMIT.bit_length() - 1
    return f"{beyond[0]} is no value of a mask; integers are read from -2^{power} to 2^{power}"


def as_zero_one(mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Return booleans as 0 and 1, also where their bytes hold something else (as Pillow's do)."""
    true: NDArray[np.bool_] = mask.view(np.uint8) != 0
    return true.view(np.uint8)


def read_only(array: NDArray[Any]) -> NDArray[Any]:
    """Return a read-only view; the array itself stays as it is."""
    if not array.flags.writeable:
        return array
    view = array.view()
    view.flags.writeable = False
    return view


def color_value(color: tuple[int, int, int]) -> int:
    """Return the value by which a mask holds a colour.

    >>> color_value((0, 0, 142)) == COLOR + 142
    True
    """
    red, green, blue = color
    return COLOR + (red << 16 | green << 8 | blue)


def hex_color(color: tuple[int, int, int]) -> str:
    """Write a colour as ``#rrggbb``."""
    return "#{:02x}{:02x}{:02x}".format(*color)


def float_values(numbers: NDArray[np.floating[Any]]) -> NDArray[np.int64]:
    """Return floats as values: the highest level that each reaches, compared in its own type.

    Float16 is compared as float32. A float reaches the level of a threshold if, and only if, NumPy
    finds it at or above that threshold.

    >>> float_values(np.array([0.0, 0.5, 1.0])) - FLOAT
    array([    0, 25500, 51000])
    """
    if numbers.dtype.itemsize < 4:
        numbers = numbers.astype(np.float32)
    kept = np.where(np.isfinite(numbers), numbers, numbers.dtype.type(0))
    level = np.floor(kept * np.float64(STEPS))
    level += kept >= ((level + 1) / STEPS).astype(numbers.dtype)
    level -= kept < (level / STEPS).astype(numbers.dtype)
    values = level.clip(-FURTHEST, FURTHEST).astype(np.int64) + FLOAT
    return np.where(np.isfinite(numbers), values, NOT_FINITE)


def are_values(values: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether integers are values that a mask can hold, or a pixel without one.

    >>> are_values(np.array([2, -(2**63), 2**62 + 255, 2**61 + 1]))
    array([ True,  True,  True, False])
    """
    of_files: NDArray[np.bool_] = (values >= -LIMIT) & (values <= LIMIT)
    if of_files.all():
        return of_files
    colors = (values >= COLOR) & (values <= color_value((255, 255, 255)))
    of_files |= colors | is_float(values) | (values <= UNANNOTATED) | is_object(values)
    return of_files


def object_values(
    values: NDArray[np.int64], ids: NDArray[np.int64], crowds: NDArray[np.bool_] | None = None
) -> NDArray[np.int64]:
    """Return the values of objects of classes; a value that is no class of objects stays.

    >>> found = object_values(np.array([7, -1]), np.array([300, 300]))
    >>> class_values(found), object_ids(found[:1])
    (array([ 7, -1]), array([300]))
    """
    made, marks = values, 0 if crowds is None else np.where(crowds, CROWD, 0)
    for number, start in enumerate(KINDS):
        short = values - start
        fits = (short >= 0) & (short < SHORT)
        codes = OBJECT + ((short + number * SHORT) << 32) + ids + marks
        made = np.where(fits, codes, made)
    return made


def is_object(values: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether values stand for objects, or crowds, of a class."""
    return (values >= OBJECT) & (values < COLOR)


def object_ids(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the ids of objects; other values are their own."""
    return np.where(is_object(values), values & 0xFFFFFFFF, values)


def is_crowd(values: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether values stand for crowds."""
    crowds: NDArray[np.bool_] = values & CROWD != 0
    return is_object(values) & crowds


def class_values(values: NDArray[np.int64], *, crowds: bool = False) -> NDArray[np.int64]:
    """Return the values of the classes of objects; crowds are void, unless they are asked for."""
    short = values - OBJECT >> 32 & 4 * SHORT - 1
    start = np.array((*KINDS, 0), np.int64)[short // SHORT]
    classes = np.where(is_object(values), short % SHORT + start, values)
    return classes if crowds else np.where(is_crowd(values), OUTSIDE, classes)


def is_float(values: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether values stand for floats, NaN and infinity included."""
    return (values >= NOT_FINITE) & (values <= LAST_FLOAT)


def are_levels(values: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether values stand for floats that are finite, and not beyond all levels."""
    return (values > FLOAT - FURTHEST) & (values < LAST_FLOAT)


def as_numbers(values: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return values as numbers: integers as they are, floats by their level, or NaN."""
    floats = np.where(values == NOT_FINITE, np.nan, (values - FLOAT) / STEPS)
    return np.where(is_float(values), floats, values)


def reaches(values: NDArray[np.int64], threshold: float) -> NDArray[np.bool_]:
    """Whether values are at or above a threshold; floats by the nearest level to it."""
    level = FLOAT + round(max(-FURTHEST, min(threshold * STEPS, FURTHEST + 1)))
    at_or_above: NDArray[np.bool_] = np.where(
        is_float(values), values >= level, values >= threshold
    )
    return at_or_above


BEYOND: Final = {
    NOT_FINITE: "NaN or infinity",
    FLOAT - FURTHEST: "a float below -2e7",
    LAST_FLOAT: "a float above 2e7",
}


def describe_value(value: int) -> str:
    """Write a value as users know it: a number, or a colour as ``#rrggbb``."""
    if value == NO_DATA:
        return "nodata"
    if value == UNANNOTATED:
        return "unannotated"
    if NOT_FINITE <= value <= LAST_FLOAT:
        if value in BEYOND:
            return BEYOND[value]
        return f"{(value - FLOAT) / STEPS:.4g}"
    return f"#{value - COLOR:06x}" if value >= COLOR else str(value)


def describe_values(values: Iterable[int]) -> str:
    """Write a set of values in short.

    >>> describe_values([3, 0, 1, 2, 255])
    '0..3,255'
    """
    held = sorted(set(values))
    floats = [value for value in held if NOT_FINITE < value <= LAST_FLOAT]
    parts = [describe_value(NOT_FINITE)] if NOT_FINITE in held else []
    if floats:
        parts.append(" to ".join(map(describe_value, dict.fromkeys((floats[0], floats[-1])))))
    start = end = None
    for value in [*(value for value in held if not NOT_FINITE <= value <= LAST_FLOAT), None]:
        if (
            start is not None
            and end is not None
            and (value is None or value != end + 1 or value > COLOR)
        ):
            short = f"{describe_value(start)}..{describe_value(end)}"
            parts.append(
                short if end > start + 1 else ",".join(map(describe_value, range(start, end + 1)))
            )
            start = value
        start = value if start is None else start
        end = value
    return ",".join(parts)


def whole_values(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """Read the floats of one side of a data set as integers if all of them are whole numbers.

    What is not finite, or beyond all levels, is no number that counts. A large number of 32 bits
    reaches the level above it, too.

    >>> whole_values(float_values(np.array([0, 2, -9999], np.float32)))
    array([    0,     2, -9999])
    >>> (whole_values(float_values(np.array([0, 0.001]))) < 0).all()
    np.True_
    """
    floats, steps = are_levels(values), values - FLOAT
    if not floats.any() or (steps[floats] % STEPS > 1).any():
        return values
    return np.where(floats, steps // STEPS, values)


def plain_values(values: NDArray[np.int64], known: Collection[int] = ()) -> NDArray[np.int64]:
    """Read the colours of one side of a data set as one channel if all of them are grey.

    Floats that are all whole numbers are integers, see `whole_values`. Masks saved with three equal
    channels hold indices; one coloured pixel anywhere on the side says that they hold colours. A
    grey colour that the label map knows, and not its grey level, stays a colour.
    """
    values = whole_values(values)
    colors = values[values >= COLOR] - COLOR
    grey = colors & 0xFF
    if not colors.size or not np.array_equal(colors, grey * 0x010101):
        return values
    level = values & 0xFF
    pairs = zip(values.tolist(), level.tolist(), strict=True)
    kept = np.array([value in known and grey not in known for value, grey in pairs])
    return np.where((values >= COLOR) & ~kept, level, values)
