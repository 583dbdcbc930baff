"""Write the page of all commands and options from the program itself.

``python docs/make_cli.py`` writes ``cli.md`` beside this script.
"""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, get_args, get_origin, get_type_hints

import typer

from segeval.cli import app

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE: Final = Path(__file__).with_name("cli.md")
INTRODUCTION: Final = """\
# Command line

Every command and option, written by `make docs` from the program itself; `segeval COMMAND --help`
says the same. Data goes to stdout, everything said to stderr. Exit codes: 0 fine, 1 a gate failed,
2 an option or a file of settings was not understood, 3 the data could not be scored, 4
segeval itself failed, 130 interrupted. `NO_COLOR` is honoured.

Every option of a command may stand in a file as well: see [configuration.md](configuration.md).
`segeval --install-completion` teaches your shell to complete commands, options and choices (bash,
zsh, fish, PowerShell); `segeval --show-completion` prints what it would add.
"""


def page() -> str:
    """Return the page as it has to be."""
    group: Any = typer.main.get_command(app)
    context = typer.Context(group, info_name="segeval", **group.context_settings)
    parts = [INTRODUCTION, *_section(group, context)]
    for name, command in group.commands.items():
        parts += _section(command, typer.Context(command, info_name=name, parent=context))
    return "\n".join(parts)


def _section(command: Any, context: typer.Context) -> Iterator[str]:
    """Yield usage, help and options of one command."""
    usage = f"{context.command_path} [OPTIONS]{_arguments(command)}"
    yield f"## {context.command_path}\n\n```text\n{usage}\n```\n"
    yield f"{inspect.cleandoc(command.help)}\n"
    panels: dict[str, list[Any]] = {}
    hints = get_type_hints(command.callback)
    for parameter in command.get_params(context):
        argument = parameter.param_type_name == "argument"
        panel = parameter.rich_help_panel or ("Arguments" if argument else "Options")
        panels.setdefault(panel, []).append(parameter)
    for panel in sorted(panels, key=_last):
        yield f"**{panel}**\n\n| option | value | default | meaning |\n| --- | --- | --- | --- |"
        yield "".join(_row(parameter, hints.get(parameter.name)) for parameter in panels[panel])


def _arguments(command: Any) -> str:
    """Write the arguments of one command as they are typed, or those of the whole program."""
    if hasattr(command, "commands"):
        return " COMMAND [ARGS]..."
    arguments = (p for p in command.params if p.param_type_name == "argument")
    return "".join(f" {p.metavar}" if p.required else f" [{p.metavar}]" for p in arguments)


def _last(panel: str) -> int:
    """Sort arguments to the front and the options without a panel to the end."""
    return {"Arguments": 0, "Files of settings": 2, "Options": 3}.get(panel, 1)


def _row(parameter: Any, hint: Any) -> str:
    """Write the row of one parameter, of this type."""
    argument = parameter.param_type_name == "argument"
    value = "" if argument else parameter.metavar or "|".join(_choices(hint))
    names = [parameter.metavar] if argument else sorted(parameter.opts, key=len, reverse=True)
    cells = [", ".join(map(_code, names)), _code(value), _code(_default(parameter))]
    help_text = parameter.help or ""
    if getattr(parameter, "multiple", False) and "repeatable" not in help_text:
        help_text += " Repeatable."
    return f"| {' | '.join([*cells, help_text.replace('|', '&#124;')])} |\n"


def _default(parameter: Any) -> str:
    """Return what is in force without the option, as its help says."""
    if parameter.required:
        return "required"
    shown = parameter.show_default
    value = shown if isinstance(shown, str) else parameter.default
    return "" if value is None or value is False or value == "" else str(value)


def _choices(hint: Any) -> tuple[str, ...]:
    """Return the words of a literal type, or of one that may be None as well."""
    kinds = (hint, *get_args(hint))
    return next((get_args(kind) for kind in kinds if get_origin(kind) is Literal), ())


def _code(text: str) -> str:
    """Write code in a cell of a table."""
    return f"`{text.replace('|', chr(92) + '|')}`" if text else ""


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
