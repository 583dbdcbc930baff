"""``segeval config``: what is in force, and where it comes from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

import typer

from segeval.cli.command import command
from segeval.cli.configfile import ConfigFile
from segeval.cli.configured import CONFIG, configurable
from segeval.cli.configvalues import kind_of, options_of, settings_of
from segeval.cli.console import write_stdout
from segeval.cli.rivals import conflicting
from segeval.errors import SettingError

Row = dict[str, Any]


@command
def config(
    ctx: typer.Context,
    name: Annotated[
        str | None,
        typer.Argument(metavar="COMMAND", help="One command.", show_default=False),
    ] = None,
    *,
    output_format: Annotated[
        Literal["table", "json"], typer.Option("--format", help="What is printed.")
    ] = "table",
) -> None:
    """Show what is in force for every command, and where each value comes from.

    Settings stand in segeval.toml, or in the table tool.segeval of
    pyproject.toml, in the working folder or above it.
    """
    file: ConfigFile | None = ctx.meta[CONFIG]
    commands = configurable(ctx.find_root().command)
    if name is not None and name not in commands:
        raise SettingError(f"no command is called {name!r}; there are {', '.join(commands)}")
    shown = [name] if name else list(commands)
    rows = {shown_name: list(_rows(shown_name, file, commands)) for shown_name in shown}
    write_stdout(_as_json(file, rows) if output_format == "json" else _as_table(file, rows))


def _rows(name: str, file: ConfigFile | None, commands: dict[str, Any]) -> Iterator[Row]:
    """Yield the options of a command that have a value, but no default that another one decides."""
    settings = settings_of(name, file, commands) if file else {}
    options = options_of(commands[name])
    decided = conflicting(settings, {parameter.name for parameter in options.values()})
    for option, parameter in options.items():
        setting = settings.get(parameter.name)
        if file is not None and setting is not None:
            yield {
                "option": option,
                "value": setting.value,
                "source": "file",
                "table": file.dotted(*setting.keys[:-1]),
                "line": file.line(*setting.keys),
            }
        elif parameter.name not in decided and (default := _default(parameter)):
            yield {"option": option, "value": default, "source": "default"}


def _default(parameter: Any) -> Any:
    """Return the value of an option that nobody sets: what its help says."""
    shown = parameter.show_default
    if not isinstance(shown, str):
        return parameter.default
    return int(shown) if kind_of(parameter).startswith("int") else shown


def _as_json(file: ConfigFile | None, rows: dict[str, list[Row]]) -> str:
    """Write all values as one document."""
    from segeval.reports.json import to_json

    document = {
        "schema": "segeval.config/1",
        "file": None if file is None else str(file.path),
        "commands": {
            name: {row["option"]: {key: row[key] for key in list(row)[1:]} for row in listed}
            for name, listed in rows.items()
        },
    }
    return to_json(document)


def _as_table(file: ConfigFile | None, rows: dict[str, list[Row]]) -> str:
    """Write a section a command and a line a value."""
    lines = [f"settings from {file.path}" if file else "no file of settings"]
    for name, listed in rows.items():
        lines += ["", name]
        texts = [(row["option"], _text(row["value"]), _source(file, row)) for row in listed]
        widths = [max((len(text[column]) for text in texts), default=0) for column in (0, 1)]
        lines += [f"  {o:<{widths[0]}}  {v:<{widths[1]}}  {source}" for o, v, source in texts]
        lines += [] if listed else ["  nothing is set"]
    return "\n".join(lines) + "\n"


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_text, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def _source(file: ConfigFile | None, row: Row) -> str:
    """Say where a value comes from."""
    if file is None or row["source"] == "default":
        return "default"
    place = str(file.path) if row["line"] is None else f"{file.path}:{row['line']}"
    return f"{place} [{row['table']}]" if row["table"] else place
