"""``segeval conformance``: masks and numbers that other tools can be held against."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from segeval.cli import options
from segeval.cli.command import command
from segeval.cli.console import notify


@command
def conformance(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder.")],
    *,
    quiet: options.Quiet = False,
) -> None:
    """Export small masks of every edge case, and what each convention says of them.

        segeval conformance suite/

    Another tool scores the masks in DIR and compares its numbers with those in
    DIR/expected.json; DIR/README.md says how.
    """
    from segeval.reports.conformance import write_suite

    files = write_suite(folder)
    notify(f"{folder}: {files} files; see {folder / 'README.md'}", quiet=quiet)
