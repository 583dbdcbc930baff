"""What an integer of a mask is: an index, or a colour as one number."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

COLOR: Final = 1 << 24
"""Added to ``r << 16 | g << 8 | b``: a colour is never taken for an index of the same number."""


def as_zero_one(mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Return booleans as 0 and 1, also where their bytes hold something else (as Pillow's do)."""
    true: NDArray[np.bool_] = mask.view(np.uint8) != 0
    return true.view(np.uint8)


def read_only(array: NDArray[Any]) -> NDArray[Any]:
    """Return a read-only view; the array itself stays as it is."""
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


def describe_value(value: int) -> str:
    """Write a value as users know it: a number, or a colour as ``#rrggbb``."""
    return f"#{value - COLOR:06x}" if value >= COLOR else str(value)


def describe_values(values: Iterable[int]) -> str:
    """Write a set of values in short.

    >>> describe_values([3, 0, 1, 2, 255])
    '0..3,255'
    """
    parts: list[str] = []
    start = end = None
    for value in [*sorted(set(values)), None]:
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


def plain_values(values: NDArray[np.int64], known: Collection[int] = ()) -> NDArray[np.int64]:
    """Read the colours of one side of a data set as one channel if all of them are grey.

    Masks saved with three equal channels hold indices; one coloured pixel anywhere on the side says
    that they hold colours. A grey colour that the label map knows, and not its grey level, stays a
    colour.
    """
    colors = values[values >= COLOR] - COLOR
    grey = colors & 0xFF
    if not colors.size or not np.array_equal(colors, grey * 0x010101):
        return values
    level = values & 0xFF
    pairs = zip(values.tolist(), level.tolist(), strict=True)
    kept = np.array([value in known and grey not in known for value, grey in pairs])
    return np.where((values >= COLOR) & ~kept, level, values)
