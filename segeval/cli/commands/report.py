"""``segeval report``: score a saved run again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from segeval.cli import options
from segeval.cli.command import command


@command
def report(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Run file made with score -o.")],
    labels: options.LabelOptions,
    convention: options.GroupedOptions,
    objects: options.ObjectOptions,
    measures: options.MeasureOptions,
    *,
    output: options.OutputOptions,
    quiet: options.Quiet = False,
) -> None:
    """Score a saved run again: other labels, convention, format or gates.

        # means over images in place of the whole data set, with intervals
        segeval report run.segeval --pooling image --ci 1000
        # the names of the classes, and a page of HTML
        segeval report run.segeval --labels cityscapes --html page.html
        # fail if mIoU is more than 0.01 below that of an earlier run
        segeval report new.segeval --baseline old.segeval --max-drop 0.01

    No mask is read. The same options give the same document as `segeval score`.
    """
    from segeval.cli.deliver import present
    from segeval.cli.plan import prepare
    from segeval.counting.runfile import read_run

    plan = prepare(labels, convention, output, run, objects=objects, measures=measures)
    present(read_run(run, fingerprints=False), plan, quiet=quiet)
