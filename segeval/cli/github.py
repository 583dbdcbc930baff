"""What GitHub Actions shows of a job: annotations, and a summary of the step.

Workflow commands are read from stderr as well as from stdout, so data on stdout stays whole.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Final

import typer

KINDS: Final = {
    "segeval: gate failed: ": "error title=segeval gate failed",
    "segeval: ": "error title=segeval",
    "warning: ": "warning title=segeval",
    "notice: ": "warning title=segeval",
}  # how speech begins, and the workflow command that it becomes


def on_github() -> bool:
    """Whether GitHub Actions runs this, and reads what is said."""
    return os.environ.get("GITHUB_ACTIONS") == "true"


def annotated(message: str) -> str:
    """Return a message as a workflow command if GitHub runs this, or else as it is."""
    if on_github():
        for start, kind in KINDS.items():
            if message.startswith(start):
                return f"::{kind}::{_escaped(message.removeprefix(start))}"
    return message


def _escaped(text: str) -> str:
    r"""Escape what would end or change a workflow command.

    >>> _escaped("100%\n::error::")
    '100%25%0A::error::'
    """
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def add_to_summary(markdown: Callable[[], str], *, quiet: bool) -> None:
    """Append a report to the summary of the step, if there is one; failing is only said."""
    path = os.environ.get("GITHUB_STEP_SUMMARY")
    if not path:
        return
    text = f"### segeval\n\n{markdown()}\n"
    try:
        with open(path, "a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
    except OSError as error:
        if not quiet:
            reason = error.strerror or error
            typer.echo(annotated(f"notice: {path}: no summary was added: {reason}"), err=True)
