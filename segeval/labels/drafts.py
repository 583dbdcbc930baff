"""What a file of labels states, before any of it is checked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True, kw_only=True)
class Entry:
    """One class as a file states it, and the line it stands on."""

    fields: Mapping[str, Any]
    line: int | None = None


@dataclass(slots=True, kw_only=True)
class Draft:
    """A whole label file as it states itself."""

    name: str
    entries: list[Entry]
    top: Mapping[str, Any] = field(default_factory=dict)
