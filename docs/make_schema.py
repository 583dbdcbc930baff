"""Write the JSON Schema of files of settings from the options of all commands.

``python docs/make_schema.py`` writes ``segeval/schemas/settings.json``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final, get_args

import typer

from segeval.cli import app
from segeval.cli.config import configurable, options_of
from segeval.cli.hints import choices_of, hints_of

FILE: Final = Path(__file__).parents[1] / "segeval" / "schemas" / "settings.json"
WIDTH: Final = 100
TYPES: Final[dict[Any, str]] = {bool: "boolean", int: "integer", float: "number", Path: "string"}


def schema() -> dict[str, Any]:
    """Return the schema as plain data."""
    root: Any = typer.main.get_command(app)
    commands = configurable(typer.Context(root))
    tables = {name: _options(command) for name, command in commands.items()}
    names = sorted({option for table in tables.values() for option in table})
    found = {n: [table[n] for table in tables.values() if n in table] for n in names}
    options = {n: _any_of([each for each, _ in found[n]]) for n in names}
    about = {n: " / ".join(dict.fromkeys(text for _, text in found[n])) for n in names}
    places = {n: {"$ref": f"#/$defs/options/properties/{n}"} for n in names}
    top = places | {name: _table(table, options) for name, table in tables.items()}
    for name in places.keys() & tables.keys():
        top[name] = {"anyOf": [places[name], top[name]]}
    spelled = {_pattern(n): places[n] for n in names if "-" in n}
    described = {n: {"description": about[n]} | options[n] for n in names}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:segeval:settings:1",
        "title": "Settings of segeval.toml, and of [tool.segeval] in pyproject.toml",
        "type": "object",
        "properties": top,
        "patternProperties": spelled,
        "additionalProperties": False,
        "$defs": {"options": {"properties": described, "patternProperties": spelled}},
    }


def _options(command: Any) -> dict[str, tuple[dict[str, Any], str]]:
    """Return what every option of a command may be, as it is typed, and what it means."""
    hints = hints_of(command)
    return {
        name: (_several(parameter, _single(kinds, hints[parameter.name])), parameter.help or "")
        for name, (parameter, kinds) in options_of(command).items()
    }


def _single(kinds: list[Any], hint: Any) -> dict[str, Any]:
    """Return what one value may be; texts may be numbers."""
    if choices := choices_of(hint):
        return {"enum": list(choices)}
    named = {"minimum": "min", "maximum": "max"}
    limits = {
        key: limit
        for option in get_args(hint)[1:]
        for key, name in named.items()
        if (limit := getattr(option, name, None)) is not None
    }
    return {"type": TYPES.get(kinds[0], ["string", "number"])} | limits


def _several(parameter: Any, item: dict[str, Any]) -> dict[str, Any]:
    """Return what an option may be: a value, a list of so many, or either."""
    if parameter.nargs > 1:
        size = {"minItems": parameter.nargs, "maxItems": parameter.nargs}
        return {"type": "array", "items": item} | size
    if parameter.multiple or parameter.nargs < 0:
        return {"anyOf": [item, {"type": "array", "items": item, "minItems": 1}]}
    return item


def _any_of(found: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what any command takes."""
    different = list({json.dumps(each): each for each in found}.values())
    return different[0] if len(different) == 1 else {"anyOf": different}


def _table(table: dict[str, Any], options: dict[str, Any]) -> dict[str, Any]:
    """Return the table of a command: its options, and where it takes less than others."""
    own = {_pattern(name): each for name, (each, _) in table.items() if each != options[name]}
    return {
        "type": "object",
        "$ref": "#/$defs/options",
        "propertyNames": {"enum": [name for each in table for name in _spellings(each)] or [""]},
        **({"patternProperties": own} if own else {}),
    }


def _spellings(name: str) -> list[str]:
    """Return a name with hyphens, and with underscores if it has any."""
    return list(dict.fromkeys([name, name.replace("-", "_")]))


def _pattern(name: str) -> str:
    """Return a pattern of a name, in which underscores may stand for hyphens."""
    return f"^{name.replace('-', '[-_]')}$"


def text(value: Any, indent: str = "", before: int = 0) -> str:
    """Write plain data as JSON; what fits stands on one line."""
    flat = json.dumps(value, ensure_ascii=False)
    if len(indent) + before + len(flat) < WIDTH or not value or not isinstance(value, dict | list):
        return flat
    deeper = f"{indent}  "
    if isinstance(value, list):
        return "[\n" + ",\n".join(deeper + text(i, deeper) for i in value) + f"\n{indent}]"
    rows = (f"{deeper}{json.dumps(k)}: {text(v, deeper, len(k) + 5)}" for k, v in value.items())
    return "{\n" + ",\n".join(rows) + f"\n{indent}}}"


if __name__ == "__main__":
    FILE.write_text(text(schema()) + "\n", encoding="utf-8")
