"""All commands as one program."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import Annotated, Final

import typer

from segeval.cli.config import ConfiguredCommand
from segeval.cli.console import notify, write_stdout
from segeval.version import __version__

COMMANDS: Final = {
    "Score": "score report losses sweep",
    "Look": "view show overlay plot",
    "Compare": "compare explain presets conformance",
    "Data and settings": "check labels merge config",
}  # every command in the groups of the help; a module of `segeval.cli.commands` and its function

app = typer.Typer(
    name="segeval",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)
for group, names in COMMANDS.items():
    for name in names.split():
        module = import_module(f"segeval.cli.commands.{name}")
        add = app.command(name, cls=ConfiguredCommand, rich_help_panel=group)
        add(getattr(module, name))


def _show_version(*, wanted: bool) -> None:
    if wanted:
        write_stdout(f"segeval {__version__}\n")
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

    Type `segeval score PRED TRUTH` for two folders of masks.
    """
    del version  # its callback has answered
    if any(any(Path(folder).glob("segeval-*.*-info")) for folder in sys.path):  # a listing is fast
        notify(
            "warning: the unrelated package `segeval` is installed as well, and each overwrites "
            "files of the other; type pip uninstall segeval, then pip install --force-reinstall "
            "segeval-masks"
        )
