"""``segeval sweep``: every threshold of grey predictions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from segeval.cli import options
from segeval.cli.command import command
from segeval.cli.counting import count_or_read
from segeval.cli.speech import put, say

__all__ = ["sweep"]

FLATTERS = (
    "notice: a threshold chosen on the very images that it is reported on flatters the model; "
    "choose it on others"
)


@command
def sweep(
    pairing: options.PairingOptions,
    *,
    labels: Annotated[
        str, typer.Option(metavar="NAME|FILE", help="Label map of the truth, with two classes.")
    ] = "binary",
    ignore: Annotated[
        list[str] | None, typer.Option(metavar="VALUE…", help="Truth values that are void.")
    ] = None,
    truth_threshold: Annotated[
        float | None, typer.Option(metavar="V", help="Grey truths: foreground where value >= V.")
    ] = None,
    beta2: Annotated[float, typer.Option(help="Squared beta of the F-beta score.")] = 1.0,
    output_format: Annotated[
        Literal["table", "csv", "json"], typer.Option("--format", help="What is printed.")
    ] = "table",
    csv: Annotated[
        Path | None, typer.Option(metavar="F", help="Write every threshold as CSV.")
    ] = None,
    json: Annotated[Path | None, typer.Option(metavar="F", help="Write everything.")] = None,
    quiet: options.Quiet = False,
) -> None:
    """Score every threshold of grey predictions in PRED, or of a saved run in its place.

    Precision, recall, Dice, IoU, specificity and F-beta of the foreground,
    over the data set and as means over images; average precision, AUROC,
    and the best thresholds.
    """
    from segeval.cli.output import terminal_table
    from segeval.labelchoice import choose_labels
    from segeval.reports import curves
    from segeval.reports.files import check_writable, write_text
    from segeval.reports.json import to_json
    from segeval.settings import LabelChoice
    from segeval.sweep import sweep as sweep_run

    check_writable(path for path in (csv, json) if path is not None)
    void = options.parse_values(ignore)
    choice = LabelChoice(labels=labels, ignore=void, truth_threshold=truth_threshold)
    run = count_or_read(pairing, quiet=quiet)
    document = curves.make_document(sweep_run(run, choose_labels(run, choice), beta2=beta2))
    reports = {
        "table": lambda: terminal_table(curves.lay_out(document)),
        "csv": lambda: curves.to_csv(document),
        "json": lambda: to_json(document),
    }
    for path, name in ((csv, "csv"), (json, "json")):
        if path is not None:
            write_text(path, reports[name]())
    put(reports[output_format]())
    say(FLATTERS, quiet=quiet)
