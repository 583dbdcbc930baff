"""All commands as one program, each made when it is typed."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from typer.core import TyperGroup

from segeval.cli.config import ConfiguredCommand
from segeval.cli.console import notify, write_stdout
from segeval.cli.help import write_help
from segeval.cli.usage import USAGE, in_one_line
from segeval.counting.kernel import counting
from segeval.version import __version__

COMMANDS: Final = {
    "Score": "score report losses sweep",
    "Look": "view show overlay plot",
    "Compare": "compare explain presets conformance",
    "Data and settings": "check labels rle merge config",
}  # every command in the groups of the help; a module of `segeval.cli.commands` and its function
GROUPS: Final = {name: group for group, names in COMMANDS.items() for name in names.split()}


class Commands(Mapping[str, Any]):
    """All commands by their names; each is imported and made when it is first asked for."""

    def __init__(self) -> None:
        self._made: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        """Return a command."""
        if name not in self._made:
            self._made[name] = _command(name, GROUPS[name])
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        """Go through the names as they stand in the help."""
        return iter(GROUPS)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(GROUPS)


def _command(name: str, group: str) -> Any:
    alone = typer.Typer(add_completion=False)
    function = getattr(import_module(f"segeval.cli.commands.{name}"), name)
    alone.command(name, cls=ConfiguredCommand, rich_help_panel=group)(function)
    return typer.main.get_command(alone)


class Program(TyperGroup):
    """All commands as one, whose help and errors are ours."""

    def __init__(self, **settings: Any) -> None:
        """Make a program without commands; they come when they are asked for."""
        super().__init__(**settings)
        self.commands: Any = Commands()

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run the program; a completion whose words the shell has not given ends it."""
        try:
            return super().main(*args, **extra)
        except (KeyError, ValueError) as error:
            if not any(re.fullmatch(r"_\w+_COMPLETE", name) for name in os.environ):
                raise
            notify(f"segeval: the shell has not said what is to be completed: {error}")
            raise SystemExit(USAGE) from None

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help itself; nothing is left to the formatter."""
        del formatter
        write_help(ctx)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse what stands before the command."""
        with in_one_line(ctx, args):
            return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Find the command, and run it."""
        with in_one_line(ctx, ctx.args):
            return super().invoke(ctx)


app = typer.Typer(
    name="segeval",
    cls=Program,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)


def _show_version(*, wanted: bool) -> None:
    if wanted:
        write_stdout(f"segeval {__version__} (counting: {counting()})\n")
        raise typer.Exit


@app.callback()
def segeval(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=lambda value: _show_version(wanted=value),
            is_eager=True,
            help="Show the version and exit.",
        ),
    ] = False,
) -> None:
    """Score segmentation masks: Dice, IoU, mIoU, precision and recall, with their definitions.

        # two folders of masks, whose files have the same names
        segeval score pred/ truth/
        # the same, and a page to look around in
        segeval score pred/ truth/ --html page.html

    `segeval COMMAND --help` shows examples and the options of a command.
    """
    del version  # its callback has answered
    if any(any(Path(folder).glob("segeval-*.*-info")) for folder in sys.path):  # a listing is fast
        notify(
            "warning: the unrelated package `segeval` is installed as well, and each overwrites "
            "files of the other; type pip uninstall segeval, then pip install --force-reinstall "
            "segeval-masks"
        )
