"""Panels of the help, and how the fields of a family become options."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field
from typing import Annotated, Any

import typer

Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="No progress, no notices; errors are still said.")
]


def in_panel(panel: str | None = None) -> Callable[..., Any]:
    """Return what makes a field an option of a panel: the help text first, then as Typer has it."""

    def option(
        help_text: str, *names: str, default: Any = None, report: str = "", **settings: Any
    ) -> Any:
        typed = typer.Option(*names, help=help_text, rich_help_panel=panel, **settings)
        return field(default=default, metadata={"typer": typed, "report": report})

    return option


def argument(help_text: str, *, metavar: str, default: Any = None) -> Any:
    """Make a field an argument."""
    typed = typer.Argument(metavar=metavar, help=help_text, show_default=False)
    return field(default=default, metadata={"typer": typed})
