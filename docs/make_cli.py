"""Write the page of all commands and options from the program itself.

``python docs/make_cli.py`` writes ``cli.md`` beside this script.
"""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import typer

from segeval.cli import app
from segeval.cli.help import default_of, names_of, panels_of, usage_of
from segeval.cli.hints import choices_of, hints_of, range_of

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE: Final = Path(__file__).with_name("cli.md")
INTRODUCTION: Final = """\
# Command line

Every command and option, written by `make docs` from the program itself. `segeval COMMAND --help`
shows examples and the options that most people use, `--help-all` shows all of them. Data goes to
stdout, everything said to stderr. Exit codes: 0 fine, 1 a gate failed, 2 an option or a file of
settings was not understood, 3 the data could not be scored, 4 segeval itself failed, 130
interrupted. `NO_COLOR` is honoured.

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
    yield f"## {context.command_path}\n\n```text\n{usage_of(context)}\n```\n"
    yield f"{inspect.cleandoc(command.help)}\n"
    hints = hints_of(command)
    for panel, parameters in panels_of(context, everything=True).items():
        yield f"**{panel}**\n\n| option | value | default | meaning |\n| --- | --- | --- | --- |"
        yield "".join(_row(each, hints.get(each.name)) for each in parameters)


def _row(parameter: Any, hint: Any) -> str:
    """Write the row of one parameter, of this type."""
    argument = parameter.param_type_name == "argument"
    value = "" if argument else parameter.metavar or "|".join(choices_of(hint))
    names = ", ".join(map(_code, reversed(names_of(parameter))))
    default = "required" if parameter.required else default_of(parameter)
    cells = [names, _code(value), _code(default)]
    help_text = parameter.help or ""
    if limits := range_of(hint):
        help_text += f" Takes {limits}."
    if getattr(parameter, "multiple", False):
        help_text += " Repeatable."
    return f"| {' | '.join([*cells, help_text.replace('|', '&#124;')])} |\n"


def _code(text: str) -> str:
    """Write code in a cell of a table."""
    return f"`{text.replace('|', chr(92) + '|')}`" if text else ""


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
