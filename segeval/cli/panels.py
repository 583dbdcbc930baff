"""Panels of the help text: one for each family of options."""

from __future__ import annotations

from typing import Any

import typer

__all__ = ["in_panel"]


def in_panel(panel: str) -> Any:
    """Return `typer.Option` for one family: the help text first, then as Typer has it."""

    def option(help_text: str, *names: str, **settings: Any) -> Any:
        return typer.Option(*names, help=help_text, rich_help_panel=panel, **settings)

    return option
