"""The measures of a run file: a row an image and kind, with a checksum over all that it means.

A row that is not as it was written is not there: its image is measured again.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from segeval.counting.measures import Measured
from segeval.counting.runrows import check_types, select

if TYPE_CHECKING:
    import sqlite3

INSERT: Final = (
    "INSERT OR REPLACE INTO measures (image, kind, data, checksum) "
    "SELECT id, ?, ?, ? FROM images WHERE name = ?"
)


def facts_of(text: str) -> dict[str, Mapping[str, Any]]:
    """Read what was measured in a run, by kind, from its JSON."""
    facts: dict[str, Mapping[str, Any]] = json.loads(text or "{}")
    check_types([facts, *facts.values()], dict)
    return facts


def text_of(facts: Mapping[str, Mapping[str, Any]]) -> str:
    """Write what was measured in a run as JSON."""
    return json.dumps(facts, sort_keys=True)


def checksum_of(kind: str, facts: str, name: str, data: bytes) -> int:
    """Return the CRC-32 of what was measured in an image, and of what it means."""
    return zlib.crc32(data, zlib.crc32(f"{kind}\0{facts}\0{name}".encode()))


def read_measures(
    connection: sqlite3.Connection,
    facts: Mapping[str, Mapping[str, Any]],
    images: Mapping[int, int],
    names: Sequence[str],
    most: int,
) -> dict[str, Measured]:
    """Read what was measured in images, whose places and names are given, the places by number."""
    found: dict[str, list[bytes | None]] = {kind: [None] * len(names) for kind in facts}
    texts = {kind: text_of({kind: stated}) for kind, stated in facts.items()}
    query = "SELECT image, kind, data, checksum FROM measures"
    for number, kind, data, mark in select(connection, query, most) if facts else ():
        place = images.get(number)
        if place is None or kind not in facts or type(data) is not bytes:
            continue
        if checksum_of(kind, texts[kind], names[place], data) == mark:
            found[kind][place] = data
    return {k: Measured(facts=facts[k], data=tuple(column)) for k, column in found.items()}


def row_of_measure(
    name: str, kind: str, facts: Mapping[str, Any], data: bytes
) -> tuple[str, bytes, int, str]:
    """Return what `INSERT` adds of an image of this name."""
    return kind, data, checksum_of(kind, text_of({kind: facts}), name, data), name
