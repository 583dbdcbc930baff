"""Bars of differences with their intervals as geometry, in percent of the room that they get."""

from collections.abc import Iterator, Mapping, Sequence
from math import ceil, floor, log10
from typing import Any, Final

from segeval.reports.compare import SIGNIFICANT

TICKS: Final = 3  # most steps of the scale, so that what is written at them has room
MARGIN: Final = 0.1  # beyond the outermost bars as a share of them: room for what is written


def lay_out_differences(
    classes: Sequence[Mapping[str, Any]], metric: str, most: int
) -> dict[str, Any]:
    """Lay out the bars of the classes of a document, from the best difference to the worst.

    Of too many classes, those with the largest differences are kept; undefined ones come last. A
    bar has no ``low`` where there is no interval.
    """
    rows = [{"name": label["name"], **label[metric]} for label in classes]
    rows.sort(key=lambda row: 1.0 if row["delta"] is None else -abs(row["delta"]))
    kept = sorted(rows[:most], key=lambda row: (row["delta"] is None, -(row["delta"] or 0.0)))
    ends = [end for row in kept for end in (row["delta"], row["low"], row["high"])]
    low, high = _span([end for end in ends if end is not None])
    margin = MARGIN * (high - low) or 0.01
    first, last = low - margin, high + margin

    def place(value: float) -> float:
        return 100 * (value - first) / (last - first)

    return {
        "zero": place(0.0),
        "ticks": [(place(tick), tick) for tick in _ticks(first, last) if low <= tick <= high],
        "rows": [row | _bar(row, place) for row in kept],
        "of": len(rows),
    }


def _span(ends: Sequence[float]) -> tuple[float, float]:
    """Return from where to where bars reach: 0 is always among it."""
    return min([0.0, *ends]), max([0.0, *ends])


def _bar(row: Mapping[str, Any], place: Any) -> dict[str, Any]:
    """Return where a bar and its whiskers are; filled where the difference is certain."""
    if row["delta"] is None:
        return {"way": None}
    ends = sorted([place(0.0), place(row["delta"])])
    bar = {
        "way": "better" if row["delta"] > 0 else "worse",
        "left": ends[0],
        "width": ends[1] - ends[0],
        "certain": row["p_holm"] is not None and row["p_holm"] < SIGNIFICANT,
    }
    if row["low"] is None or row["high"] is None:
        return bar
    return bar | {"from": place(row["low"]), "to": place(row["high"])}


def _ticks(first: float, last: float) -> Iterator[float]:
    """Yield round numbers between two ends, 0 among them.

    >>> list(_ticks(-0.03, 0.12))
    [0.0, 0.05, 0.1]
    """
    least = (last - first) / TICKS
    power = 10.0 ** floor(log10(least))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= least * 0.999)
    for number in range(ceil(first / step), floor(last / step) + 1):
        yield round(number * step, 10)
