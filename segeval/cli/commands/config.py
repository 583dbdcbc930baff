"""``segeval config``: what is in force, and where it comes from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import typer

from segeval.cli import config as settings
from segeval.cli.command import command
from segeval.cli.console import columns, write_lines, write_stdout
from segeval.errors import SettingError

SCHEMAS: Final = Path(__file__).parents[2] / "schemas"


@command
def config(
    ctx: typer.Context,
    name: Annotated[
        str | None, typer.Argument(metavar="COMMAND", help="Only this command.", show_default=False)
    ] = None,
    *,
    output_format: Annotated[
        Literal["table", "json"], typer.Option("--format", help="What is printed.")
    ] = "table",
) -> None:
    """Show what is in force for every command, and where each value comes from.

        segeval config
        segeval config score --format json

    Settings stand in segeval.toml, or in the table tool.segeval of
    pyproject.toml, in the working folder or above it. JSON Schemas of such a
    file, and of every JSON document, lie in the folder of `schemas` in
    --format json.
    """
    from segeval.reports.json import to_json

    file = ctx.meta[settings.CONFIG]
    commands = settings.configurable(ctx)
    if name is not None and name not in commands:
        raise SettingError(f"no command is called {name!r}; there are {', '.join(commands)}")
    shown = {each: _in_force(each, file, ctx) for each in ([name] if name else commands)}
    if output_format == "json":
        path = str(file.path) if file else None
        places = {"file": path, "schemas": str(SCHEMAS)}
        write_stdout(to_json({"schema": "segeval.config/1", **places, "commands": shown}))
        return
    lines = [f"settings from {file.path}" if file else "no file of settings"]
    for each, rows in shown.items():
        cells = [(f"  {o}", _text(row["value"]), _place(file, row)) for o, row in rows.items()]
        lines += ["", each, *(columns(cells) or ["  nothing is set"])]
    write_lines(lines)


def _in_force(name: str, file: Any, ctx: typer.Context) -> dict[str, dict[str, Any]]:
    """Return the options that have a value, but no default that another one decides."""
    own: Any = typer.Context(settings.configurable(ctx)[name], info_name=name, parent=ctx)
    found = settings.settings_of(own, file, {}) if file else {}
    settings.hand_over(own, found)
    decided = settings.overridden_by(own.default_map, {each.name for each in own.command.params})
    rows = {}
    for option, (parameter, _) in settings.options_of(own.command).items():
        shown = parameter.show_default if isinstance(parameter.show_default, str) else ""
        default = int(shown) if shown.isdecimal() else shown or parameter.default
        if parameter.name in found:
            keys = found[parameter.name].keys
            value = json.dumps(own.params[parameter.name], default=str)
            rows[option] = {
                "value": json.loads(value),
                "source": "file",
                "table": file.dotted(*keys[:-1]),
                "line": file.lines.get(file.dotted(*keys)),
            }
        elif default and parameter.name not in decided:
            rows[option] = {"value": default, "source": "default"}
    return rows


def _text(value: Any) -> str:
    """Write a value as it is typed."""
    if isinstance(value, list):
        return ", ".join(map(_text, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def _place(file: Any, row: dict[str, Any]) -> str:
    if row["source"] == "default":
        return "default"
    place = f"{file.path}:{row['line']}" if row["line"] else str(file.path)
    return f"{place} [{row['table']}]" if row["table"] else place
