"""Panels of the help, and how the fields of a family become options."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, get_args

import typer

COMMON: Final = "common"
"""Marks, in the annotation of an option, that a short page of help shows it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usual:
    """Marks an option whose value may be left out; a word is its value only if it looks so."""

    value: str
    pattern: str


def with_usual(args: Sequence[str], hints: Mapping[str, Any]) -> list[str]:
    """Put the usual value behind options without one, given the annotations by name."""
    marks = [(name, mark) for name, hint in hints.items() for mark in get_args(hint)]
    usual = {f"--{n.replace('_', '-')}": mark for n, mark in marks if isinstance(mark, Usual)}
    filled: list[str] = []
    for arg, following in zip(args, [*args[1:], ""], strict=False):
        filled.append(arg)
        mark = None if "--" in filled else usual.get(arg)
        if mark is not None and not re.fullmatch(mark.pattern, following):
            filled.append(mark.value)
    return filled


Quiet = Annotated[
    bool,
    typer.Option("--quiet", "-q", help="No progress and no notices; errors are still said."),
    COMMON,
]


def in_panel(panel: str | None = None) -> Callable[..., Any]:
    """Return what makes a field an option of a panel: the help text first, then as Typer has it.

    Of the options of a large command, `--help` shows those that are ``common``.
    """

    def option(
        help_text: str,
        *names: str,
        default: Any = None,
        report: str = "",
        common: bool = False,
        usual: Usual | None = None,
        **settings: Any,
    ) -> Any:
        typed = typer.Option(*names, help=help_text, rich_help_panel=panel, **settings)
        marks = ([COMMON] if common else []) + ([usual] if usual is not None else [])
        marked = (typed, *marks)
        return field(default=default, metadata={"typer": marked, "report": report})

    return option


def label_maps(incomplete: str) -> list[str]:
    """Complete the name of a built-in label map."""
    from segeval.labels.load import builtin_names

    return [name for name in builtin_names() if name.startswith(incomplete)]


def preset_names(incomplete: str) -> list[str]:
    """Complete the name of a preset."""
    from segeval.presets.distances import load_distance_presets
    from segeval.presets.objects import load_object_presets
    from segeval.presets.preset import load_presets

    names = [*{**load_presets(), **load_object_presets(), **load_distance_presets()}]
    return [name for name in names if name.startswith(incomplete)]


def gate_metrics(incomplete: str) -> list[str]:
    """Complete the metric of a gate: the scores of classes, and their means."""
    from segeval.scoring.metrics import KNOWN

    names = [text for name in KNOWN for text in (f"m{name}=", f"{name}.*=")]
    return [name for name in names if name.startswith(incomplete)]


def argument(help_text: str, *, metavar: str, default: Any = None) -> Any:
    """Make a field an argument."""
    typed = typer.Argument(metavar=metavar, help=help_text, show_default=False)
    return field(default=default, metadata={"typer": (typed,)})
