"""Write the pages of all commands and options from the program itself.

``python docs/make_cli.py`` writes ``cli.md`` and the folder ``cli`` beside this script: a page a
command, and two with the options that several commands share.
"""

from __future__ import annotations

import inspect
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import typer

from segeval.cli import app
from segeval.cli.help import default_of, names_of, panels_of, usage_of
from segeval.cli.hints import choices_of, hints_of, range_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

DOCS: Final = Path(__file__).parent
READING: Final = ("Pairing and reading", "Tables of run lengths", "A mask a class", "Labels")
"""The panels whose shared options stand on the first of the two pages."""

TABLE: Final = "| option | value | default | meaning |\n| --- | --- | --- | --- |"
INTRODUCTION: Final = """\
# Command line

Every command and option, written by `make docs` from the program itself. `segeval COMMAND --help`
shows examples and the options that most people use, `--help-all` shows all of them. Data goes to
stdout, everything said to stderr. `NO_COLOR` is honoured.

Every option of a command may stand in a file as well: see [configuration.md](configuration.md).
`segeval --install-completion` teaches your shell to complete commands, options and choices (bash,
zsh, fish, PowerShell); `segeval --show-completion` prints what it would add.

## Exit codes

| code | meaning |
| --- | --- |
| 0 | fine |
| 1 | a gate failed |
| 2 | an option or a file of settings was not understood |
| 3 | the data could not be scored |
| 4 | segeval itself failed |
| 130 | interrupted |

## Commands

Options that several commands share are told once: those of [reading and labels](cli/reading.md),
and those of [scoring and output](cli/scoring.md). The page of a command names those that it has.

| command | what it does |
| --- | --- |
"""
SHARED: Final = """\
# Options of {}

Several [commands](../cli.md) have these in common; the page of each names those that it has.
"""

Rows: TypeAlias = dict[str, dict[str, str]]
"""The row of each option, by its names, in each panel of a command."""


def pages() -> dict[str, str]:
    """Return the pages as they have to be, by their names."""
    group: Any = typer.main.get_command(app)
    context = typer.Context(group, info_name="segeval", **group.context_settings)
    contexts = {
        name: typer.Context(command, info_name=name, parent=context)
        for name, command in group.commands.items()
    }
    rows = {name: _rows(each) for name, each in contexts.items()}
    shared = _common(rows.values())
    index = INTRODUCTION + "".join(
        f"| [`segeval {name}`](cli/{name}.md) | {_first(command.help)} |\n"
        for name, command in group.commands.items()
    )
    index += "\n" + "\n".join(["## segeval alone\n", *_panels(_rows(context), set())])
    told = _told(rows.values(), shared)
    made = {
        "cli.md": index,
        "cli/reading.md": _shared("reading and labels", told, reading=True),
        "cli/scoring.md": _shared("scoring and output", told, reading=False),
    }
    for name, each in contexts.items():
        made[f"cli/{name}.md"] = "\n".join(_command(each, rows[name], shared))
    return made


def _first(text: str) -> str:
    """Return the first sentence of a help text."""
    return " ".join(inspect.cleandoc(text).split("\n\n")[0].split())


def _rows(context: typer.Context) -> Rows:
    """Write the row of every option of a command, by panel."""
    hints = hints_of(context.command)
    return {
        panel: {_names(each): _row(each, hints.get(each.name)) for each in parameters}
        for panel, parameters in panels_of(context, everything=True).items()
    }


def _common(commands: Iterable[Rows]) -> set[tuple[str, str]]:
    """Return rows that several commands have, with their panels; of two with one name, one."""
    counts: dict[tuple[str, str], Counter[str]] = {}
    for panels in commands:
        for panel, part in panels.items():
            for names, row in part.items():
                counts.setdefault((panel, names), Counter())[row] += 1
    most = {place: count.most_common(1)[0] for place, count in counts.items()}
    return {
        (panel, row)
        for (panel, _), (row, times) in most.items()
        if times > 1 and panel != "Arguments"
    }


def _told(commands: Iterable[Rows], shared: set[tuple[str, str]]) -> Rows:
    """Return the rows that are told once, by panel."""
    told: Rows = {}
    for panels in commands:
        for panel, part in panels.items():
            rows = {names: row for names, row in part.items() if (panel, row) in shared}
            if rows:
                told.setdefault(panel, {}).update(rows)
    return told


def _shared(title: str, told: Rows, *, reading: bool) -> str:
    """Write one of the two pages of what is told once."""
    parts = [
        f"## {panel}\n\n{TABLE}\n{''.join(part.values())}"
        for panel, part in told.items()
        if (panel in READING) is reading
    ]
    return "\n".join([SHARED.format(title), *parts])


def _command(context: typer.Context, rows: Rows, shared: set[tuple[str, str]]) -> Iterator[str]:
    """Yield usage, help and options of one command."""
    yield f"# {context.command_path}\n\n```text\n{usage_of(context)}\n```\n"
    yield f"{inspect.cleandoc(context.command.help or '')}\n"
    yield from _panels(rows, shared)


def _panels(rows: Rows, shared: set[tuple[str, str]]) -> Iterator[str]:
    """Yield the options of a command, those that are told elsewhere by name only."""
    for panel, part in rows.items():
        yield f"**{panel}**\n"
        if own := [row for row in part.values() if (panel, row) not in shared]:
            yield f"{TABLE}\n{''.join(own)}"
        if others := [names for names, row in part.items() if (panel, row) in shared]:
            page = "reading" if panel in READING else "scoring"
            anchor = panel.lower().replace(" ", "-")
            yield f"[Shared]({page}.md#{anchor}): {', '.join(others)}.\n"


def _names(parameter: Any) -> str:
    return ", ".join(map(_code, reversed(names_of(parameter))))


def _row(parameter: Any, hint: Any) -> str:
    """Write the row of one parameter, of this type."""
    argument = parameter.param_type_name == "argument"
    value = "" if argument else parameter.metavar or "|".join(choices_of(hint))
    default = "required" if parameter.required else default_of(parameter)
    cells = [_names(parameter), _code(value), _code(default)]
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
    made = pages()
    for old in DOCS.glob("cli/*.md"):
        if f"cli/{old.name}" not in made:
            old.unlink()
    (DOCS / "cli").mkdir(exist_ok=True)
    for name, text in made.items():
        (DOCS / name).write_text(text, encoding="utf-8")
