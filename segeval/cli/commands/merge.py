"""``segeval merge``: add runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from segeval.cli import options
from segeval.cli.command import command
from segeval.cli.console import notify


@command
def merge(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Run files to add.")],
    *,
    out: Annotated[Path, typer.Option("--out", "-o", metavar="RUN", help="Run file of the sum.")],
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace that file if it is there.")
    ] = False,
    quiet: options.Quiet = False,
) -> None:
    """Add runs: shards of one data set, or several data sets read alike.

        segeval merge first.segeval second.segeval -o all.segeval

    An image in two runs must be the same: the same files, unchanged, with
    equal counts.
    """
    from segeval.counting.merge import merge_runs
    from segeval.text import counted

    images, provenance = merge_runs(runs, out, overwrite=overwrite)
    if provenance.shards:
        notify(f"notice: only shards {', '.join(provenance.shards)} of the data set", quiet=quiet)
    notify(f"{out}: {counted(len(runs), 'run')}, {counted(images, 'image')}", quiet=quiet)
