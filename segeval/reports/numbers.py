"""Numbers as people read them: rounded on the screen only, and never to more than they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "UNDEFINED",
    "show_bound",
    "show_count",
    "show_interval",
    "show_loss",
    "show_score",
    "verdict",
]

UNDEFINED = "–"
LISTED = 5
"""Vanished classes or images that are named."""


def show_score(value: float | None, *, percent: bool = False) -> str:
    """Round a score to four digits; 1 is shown for exactly 1 only, and 0 for exactly 0 only.

    >>> show_score(0.99999), show_score(1.0), show_score(0.00001), show_score(None)
    ('0.9999', '1.0000', '0.0001', '–')
    >>> show_score(0.78864, percent=True)
    '78.86'
    """
    if value is None:
        return UNDEFINED
    digits = round(abs(value), 4)
    if digits >= 1 and abs(value) < 1:
        digits = 0.9999
    if digits == 0 and value != 0:
        digits = 0.0001
    signed = -digits if value < 0 else digits
    return f"{signed * 100:.2f}" if percent else f"{signed:.4f}"


def show_interval(bounds: Sequence[float | None], *, percent: bool = False) -> str:
    """Write both bounds of an interval, rounded like scores.

    >>> show_interval([0.71234, 0.75])
    '0.7123 … 0.7500'
    """
    return " … ".join(show_score(bound, percent=percent) for bound in bounds)


def show_count(count: int) -> str:
    """Write a count with its thousands apart.

    >>> show_count(1234567)
    '1 234 567'
    """
    return f"{count:,}".replace(",", " ")


def show_loss(value: float | None) -> str:
    """Round a loss to four digits behind the point; 0 is shown for exactly 0 only.

    >>> show_loss(12.34567), show_loss(0.00001), show_loss(0.0), show_loss(None)
    ('12.3457', '0.0001', '0.0000', '–')
    """
    if value is None:
        return UNDEFINED
    if value >= 1e6:
        return f"{value:.4e}"
    return f"{max(value, 0.0001) if value else value:.4f}"


def show_bound(gate: Mapping[str, Any]) -> str:
    """Say what a gate asks for, with all digits.

    >>> show_bound({"minimum": 0.75}), show_bound({"maximum": 0.2})
    ('at least 0.75', 'at most 0.2')
    >>> show_bound({"baseline": 0.8, "max_drop": 0.005})
    'at most 0.005 below 0.8'
    """
    if "max_drop" in gate:
        return _show_drop(gate)
    words, name = ("at most", "maximum") if "maximum" in gate else ("at least", "minimum")
    return f"{words} {gate[name]!r}"


def _show_drop(gate: Mapping[str, Any]) -> str:
    """Say how far a score may be below the baseline, or what is missing of it."""
    if gate["baseline"] is None:
        return "a defined value in the baseline"
    if isinstance(gate["baseline"], int):
        missing = gate.get("missing", ())
        names = ", ".join(missing[:LISTED]) + (", …" if len(missing) > LISTED else "")
        return f"{gate['baseline']} as in the baseline" + (f", missing: {names}" if names else "")
    allowed = f"{gate['max_drop'] * 100:g}%" if gate.get("relative") else f"{gate['max_drop']!r}"
    certain = ", or no certain drop" if "interval" in gate else ""
    return f"at most {allowed} below {gate['baseline']!r}{certain}"


def verdict(gate: Mapping[str, Any]) -> str:
    """Say how a gate went; an undefined one fails as well.

    >>> verdict({"value": None, "passed": False})
    'undefined'
    """
    if gate["passed"]:
        return "passed"
    undefined = gate["value"] is None or gate.get("baseline", 0) is None
    return "undefined" if undefined else "failed"
