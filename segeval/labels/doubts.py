"""Values that can mean two things: 255, numbers that are no integers, thresholds out of range."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from segeval.errors import LabelError
from segeval.labels.labelmap import WHITE, LabelMap, Side
from segeval.values import (
    COLOR,
    LAST_FLOAT,
    NOT_FINITE,
    SLACK,
    STEPS,
    are_levels,
    as_numbers,
    describe_values,
)

Ignore = Collection[int] | None

OPTIONS: Final[dict[Side, str]] = {"truth": "--truth-threshold", "prediction": "--threshold"}
SHARE: Final = 0.5  # the threshold that is proposed for shares of 1
ON_GRID: Final = 1e-3  # how far a threshold may be from a level of floats, in levels


def spelt_twice(truth: Collection[int], ignore: Ignore) -> bool:
    """Whether a truth is binary and holds both 1 and 255."""
    return {1, WHITE} <= set(truth) - (set(ignore or ()) - {WHITE}) <= {0, 1, WHITE}


def void_doubt(truth: Collection[int], ignore: Ignore) -> str:
    """Say that 255 is void or foreground, unless ``--ignore`` decides it, or return nothing."""
    if not spelt_twice(truth, ignore) or ignore == () or WHITE in (ignore or ()):
        return ""
    return (
        "is 255 void or foreground in the truth? Type --ignore 255 if it is void, or "
        "--truth-threshold 1 if it is foreground (--ignore none says so as well: nothing is void)"
    )


def foreground_of(truth: Collection[int], ignore: Ignore) -> tuple[int, ...] | None:
    """Return the values by which a binary truth means its foreground; None if it is not binary."""
    if doubt := void_doubt(truth, ignore):
        raise LabelError(f"truth holds {describe_values(truth)}: {doubt}")
    if set(truth) <= {0, WHITE} and WHITE not in (ignore or ()):
        return (WHITE,)
    if ignore == () and spelt_twice(truth, ignore):
        return (1, WHITE)
    return (1,) if set(truth) - set((WHITE,) if ignore is None else ignore) <= {0, 1} else None


def side_doubt(labels: LabelMap, values: Collection[int], side: Side, ignore: Ignore) -> str:
    """Say why the values of one side do not fit the map that was chosen, or return nothing."""
    threshold, held = labels.threshold(side), np.array(sorted(values), np.int64)
    if threshold is not None:
        return _threshold_doubts(held[held < COLOR], threshold, OPTIONS[side])
    binary = labels.name.split("/")[0] == "binary" and WHITE not in labels.void
    return float_doubt(held, side) or (
        void_doubt(values, ignore) if binary and side == "truth" else ""
    )


def float_doubt(values: NDArray[np.int64], side: Side) -> str:
    """Say that floats need a threshold, or return nothing."""
    floats = values[are_levels(values)]
    if not floats.size:
        return ""
    low, high = as_numbers(floats[[0, -1]])
    option, losses = OPTIONS[side], side == "prediction"
    example = 0 if low < 0 else 0.5 if high <= 1 else _level(high)
    return (
        f"these are floats; if they are of the foreground, type {option} {example:g} or another "
        f"level (it is where value >= level){', or value them by `segeval losses`' * losses}"
    )


def grey_kinds(values: Collection[int]) -> dict[str, float]:
    """Say what grey values hold: whole levels, shares of 1, or both; and a threshold for each."""
    held = np.array(sorted(values), np.int64)
    held = held[held < COLOR]
    floats = (held > NOT_FINITE) & (held <= LAST_FLOAT)
    kinds: dict[str, float] = {}
    for of_floats in (False, True):
        numbers = as_numbers(held[floats == of_floats])
        numbers = numbers[np.isfinite(numbers)]
        low, high = (float(numbers.min()), float(numbers.max())) if numbers.size else (-1.0, 0.0)
        if low >= 0 and not (numbers % 1).any():
            kinds[f"whole numbers {low:g} to {high:g}"] = _level(high) if high > 1 else 1
        elif numbers.size and low >= -SLACK and high <= 1 + SLACK:
            kinds[f"floats {low:g} to {high:g}"] = SHARE
    return kinds


def are_mixed(kinds: Mapping[str, float]) -> bool:
    """Whether a threshold would mean shares of 1 and whole levels at once."""
    return len(kinds) > 1 and SHARE in kinds.values()


def _threshold_doubts(values: NDArray[np.int64], threshold: float, option: str) -> str:
    """Look at integers and floats of one side by themselves."""
    floats = (values > NOT_FINITE) & (values <= LAST_FLOAT)
    if threshold > 1 and set(values.tolist()) in ({1}, {0, 1}):
        return f"no value reaches {option} {threshold:g}; type {option} 1"
    if are_mixed(kinds := grey_kinds(values.tolist())):
        return (
            f"these are {' and '.join(kinds)}, on which no {option} means the same; save all masks "
            "of this side in one of these ways"
        )
    for kind in (False, True):
        numbers = as_numbers(values[floats == kind])
        numbers = numbers[np.isfinite(numbers)]
        if numbers.size and (doubt := threshold_doubt(numbers, threshold, option, whole=not kind)):
            return doubt
    if floats.any() and abs(threshold * STEPS - round(threshold * STEPS)) > ON_GRID:
        return (
            f"floats are counted in steps of 1/{STEPS}, which {option} {threshold:g} falls "
            f"between; type {option} {threshold:.3f}"
        )
    return ""


def threshold_doubt(
    numbers: NDArray[Any], threshold: float, option: str = "--threshold", *, whole: bool
) -> str:
    """Say why a threshold does not fit integers (``whole``) or floats, or return an empty text."""
    low, high = float(numbers.min()), float(numbers.max())
    if not whole and (low < -SLACK or high > 1 + SLACK):
        whole = low >= 0 and not (numbers % 1).any()
        if not whole:
            return ""
    found = (
        f"{option} {threshold:g} on {'whole numbers' if whole else 'floats'} {low:g} to {high:g}"
    )
    if not whole:
        fits = 0 < threshold <= 1
        return "" if fits else f"{found}: type a threshold above 0 and up to 1, e.g. {option} 0.5"
    if threshold < 1 and (threshold % 1 or threshold <= low):
        level = _level(high, threshold if threshold > 0 else 0.5)
        return (
            f"{found} takes everything but 0 for foreground, or 0 as well; type {option} 1 if all "
            f"but 0 is meant, else a level of these numbers, e.g. {option} {level}"
        )
    return ""


def _level(high: float, share: float = 0.5) -> int:
    """Return the level at a share of the numbers of which the highest is given."""
    top = next((top for top in (255, 65535) if top / 4 < high <= top), high)
    return math.ceil(top * share)
