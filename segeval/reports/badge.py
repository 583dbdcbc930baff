"""The headline alone: as a number, and as JSON from which shields.io draws a badge ("endpoint")."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from segeval.reports.wording import headline_score
from segeval.text import show_score

COLORS: Final = {
    0.9: "brightgreen",
    0.8: "green",
    0.7: "yellowgreen",
    0.6: "yellow",
    0.5: "orange",
    float("-inf"): "red",
}  # the colour of a score: that of the greatest of these numbers which is not above it

UNDEFINED: Final = "lightgrey"


def to_total(document: Mapping[str, Any]) -> str:
    """Write the bare headline with all its digits, or an empty line where it is undefined."""
    _, total = headline_score(document)
    return f"{'' if total is None else repr(total)}\n"


def to_badge(document: Mapping[str, Any], *, percent: bool = False) -> str:
    """Write label, message and colour (by the exact value) of the headline, mIoU by default."""
    title, value = headline_score(document)
    message, color = "undefined", UNDEFINED
    if value is not None:
        message = show_score(value, percent=percent) + (" %" if percent else "")
        color = next(color for least, color in COLORS.items() if value >= least)
    badge = {"schemaVersion": 1, "label": title, "message": message, "color": color}
    return json.dumps(badge, ensure_ascii=False) + "\n"
