"""Panels of the help, and what all commands share."""

from __future__ import annotations

from typing import Annotated, Any

import typer

Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="No progress, no notices; errors are still said.")
]


def in_panel(panel: str) -> Any:
    """Return `typer.Option` for one family: the help text first, then as Typer has it."""

    def option(help_text: str, *names: str, **settings: Any) -> Any:
        return typer.Option(*names, help=help_text, rich_help_panel=panel, **settings)

    return option
