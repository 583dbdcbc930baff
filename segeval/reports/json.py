"""The document as JSON text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from segeval.text import HIDDEN


def to_json(document: Mapping[str, Any]) -> str:
    """Write a document as indented JSON; lists of plain values stay on one line."""
    return _write(document, "") + "\n"


def _write(value: object, indent: str) -> str:
    deeper = indent + "  "
    if isinstance(value, dict) and value:
        items = (f"{deeper}{_plain(key)}: {_write(item, deeper)}" for key, item in value.items())
        return "{\n" + ",\n".join(items) + f"\n{indent}}}"
    if isinstance(value, list) and any(isinstance(item, (dict, list)) for item in value):
        return "[\n" + ",\n".join(deeper + _write(item, deeper) for item in value) + f"\n{indent}]"
    return _plain(value)


def _plain(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    return HIDDEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
