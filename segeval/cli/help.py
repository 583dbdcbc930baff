"""Pages of help: examples first, then the options that people use; `--help-all` shows them all."""

from __future__ import annotations

import inspect
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, get_args

import typer

from segeval.cli.console import WIDEST, write_stdout
from segeval.cli.hints import choices_of, hints_of, range_of
from segeval.cli.options.panels import COMMON, in_panel

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.panel import Panel
    from rich.text import Text

LONG: Final = 20  # options that a page shows without being asked for all
NAMES: Final = 27  # columns of the names of options
GLUE: Final = "\ue000"  # a space at which no line is broken, until the page is drawn
LAST: Final = {"Arguments": 0, "Files of settings": 2, "Options": 3}


def write_help(ctx: Any, *, everything: bool = False) -> None:
    """Write the help of a command, or of the program, as wide as the terminal."""
    from rich.console import Console

    console = Console(highlight=False)
    console.width = min(console.width, WIDEST)
    with console.capture() as captured:
        for part in _parts(ctx, everything=everything):
            console.print(part, crop=False)
    write_stdout(re.sub(r" +\n", "\n", captured.get()).replace(GLUE, " "), drawn=True)


def _show_all(ctx: typer.Context, *, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        write_help(ctx, everything=True)
        raise typer.Exit


@dataclass(frozen=True, slots=True, kw_only=True)
class HelpOptions:
    """The option of every command that has too many to show them at once."""

    help_all: bool = in_panel()(
        "Show all options and exit.",
        "--help-all",
        default=False,
        common=True,
        is_eager=True,
        callback=_show_all,
    )


def panels_of(ctx: Any, *, everything: bool) -> dict[str, list[Any]]:
    """Return what a page shows of the parameters of a command, by the title of the panel."""
    parameters = ctx.command.get_params(ctx)
    hints = hints_of(ctx.command)
    short = len(parameters) > LONG and not everything
    panels = defaultdict(list)
    for each in parameters:
        own = "Arguments" if each.param_type_name == "argument" else "Options"
        if not short:
            panels[each.rich_help_panel or own].append(each)
        elif own == "Arguments" or each.name == "help" or COMMON in get_args(hints.get(each.name)):
            panels[own].append(each)
    return {title: panels[title] for title in sorted(panels, key=lambda t: LAST.get(t, 1))}


def usage_of(ctx: Any) -> str:
    """Return how a command is typed, with its arguments, or the whole program."""
    if hasattr(ctx.command, "commands"):
        return f"{ctx.command_path} [OPTIONS] COMMAND [ARGS]..."
    arguments = (each for each in ctx.command.params if each.param_type_name == "argument")
    shown = (each.metavar if each.required else f"[{each.metavar}]" for each in arguments)
    return " ".join([ctx.command_path, "[OPTIONS]", *shown])


def names_of(parameter: Any) -> list[str]:
    """Return how a parameter is typed, the short form first."""
    if parameter.param_type_name == "argument":
        return [parameter.metavar]
    return sorted(parameter.opts, key=len)


def default_of(parameter: Any) -> str:
    """Return what is in force without an option, as its help says; nothing for a flag."""
    shown = parameter.show_default
    value = shown if isinstance(shown, str) else parameter.default
    return "" if value is None or value is False or value == "" else str(value)


def _parts(ctx: Any, *, everything: bool) -> Iterator[RenderableType]:
    """Yield usage, words, examples, panels, and where there is more."""
    from rich.text import Text

    yield Text(f"Usage: {usage_of(ctx)}\n", style="bold")
    for paragraph in inspect.cleandoc(ctx.command.help).split("\n\n"):
        yield _paragraph(paragraph)
    yield from _commands(ctx.command)
    panels = panels_of(ctx, everything=everything)
    yield from _options(panels, hints_of(ctx.command))
    if sum(map(len, panels.values())) < len(ctx.command.get_params(ctx)):
        yield Text(f"All options: {ctx.command_path} --help-all")


def _paragraph(text: str) -> RenderableType:
    """Fill a paragraph; one that is indented holds examples, whose lines are kept to be copied."""
    from rich.console import Group
    from rich.text import Text

    if not text.startswith(" "):
        return Text(f"{' '.join(text.split())}\n")
    lines = Text.assemble(("Examples\n", "bold"), no_wrap=True, overflow="ignore")
    for line in inspect.cleandoc(text).splitlines():
        lines.append(f"  {line}\n", style="dim" if line.startswith("#") else "cyan")
    return Group(lines)  # a text of its own would be wrapped


def _commands(command: Any) -> Iterator[Panel]:
    """Yield the commands of the program, group by group, each with its first paragraph."""
    from rich.text import Text

    groups = defaultdict(list)
    for name, each in getattr(command, "commands", {}).items():
        first = " ".join(each.help.partition("\n\n")[0].split())
        groups[each.rich_help_panel].append((Text(name, style="cyan"), Text(first)))
    for title, rows in groups.items():
        yield _panel(title, rows, max(map(len, command.commands)))


def _options(panels: Mapping[str, list[Any]], hints: Mapping[str, Any]) -> Iterator[Panel]:
    """Yield the panels of parameters: how each is typed, and what it means."""
    from rich.text import Text

    for title, parameters in panels.items():
        rows = []
        for each in parameters:
            hint = hints.get(each.name)
            names, value = ", ".join(names_of(each)), _value(each, hint)
            facts = " ".join(f"[{fact}]" for fact in _facts(each, hint))
            gap = "\n" if choices_of(hint) else " "
            typed = Text.assemble((names, "cyan"), (f" {value}".rstrip(), "yellow"))
            rows.append((typed, Text.assemble(each.help or "", (f"{gap}{facts}".rstrip(), "dim"))))
        yield _panel(title, rows, NAMES)


def _panel(title: str, rows: Iterable[tuple[Text, Text]], width: int) -> Panel:
    """Put names and meanings side by side; the column of names is as wide on the whole page."""
    from rich.panel import Panel
    from rich.table import Table

    grid = Table.grid(padding=(0, 2, 0, 0), expand=True)
    grid.add_column(min_width=width, overflow="fold")
    grid.add_column(ratio=1, overflow="fold")
    for row in rows:
        grid.add_row(*row)
    return Panel(grid, title=title, title_align="left", border_style="dim")


def _value(parameter: Any, hint: Any) -> str:
    """Return what is typed behind an option."""
    if parameter.param_type_name == "argument" or getattr(parameter, "is_flag", False):
        return ""
    return parameter.metavar or ("WORD" if choices_of(hint) else parameter.name.upper())


def _facts(parameter: Any, hint: Any) -> Iterator[str]:
    """Yield what a value may be, what is in force without it, and whether it is needed."""
    if choices := choices_of(hint):
        yield f"one of: {', '.join(choices)}"
    if limits := range_of(hint):
        yield limits.replace(" ", GLUE)
    if default := default_of(parameter):
        yield f"default: {default}".replace(" ", GLUE)
    if getattr(parameter, "multiple", False):
        yield "repeatable"
    if parameter.required:
        yield "required"
