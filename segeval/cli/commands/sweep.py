"""``segeval sweep``: every threshold of grey predictions."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import typer

from segeval.cli import options
from segeval.cli.command import command
from segeval.cli.console import notify
from segeval.cli.options.output import REPORT, ReportFiles
from segeval.cli.options.pairing import PairingOptions
from segeval.cli.runs import count_or_read
from segeval.settings import LabelChoice

FLATTERS = (
    "notice: a threshold chosen on the very images that it is reported on flatters the model; "
    "choose it on others"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepOptions(ReportFiles):
    """What is foreground, and what comes out."""

    labels: Annotated[
        str, typer.Option(metavar="NAME|FILE", help="Label map of the truth, with two classes.")
    ] = "binary"
    ignore: Annotated[
        list[str] | None, typer.Option(metavar="VALUE", help="Truth values that are void.")
    ] = None
    truth_threshold: Annotated[
        float | None, typer.Option(metavar="V", help="Grey truths: foreground where value >= V.")
    ] = None
    beta2: Annotated[float, typer.Option(metavar="B", help="Squared beta of the F-beta score.")] = (
        1.0
    )
    output_format: Annotated[
        Literal["table", "csv", "json"], typer.Option("--format", help="What is printed.")
    ] = "table"
    csv: Annotated[
        Path | None, typer.Option(metavar=REPORT, help="Write every threshold as CSV.")
    ] = None
    json: Annotated[Path | None, typer.Option(metavar=REPORT, help="Write everything.")] = None

    def choice(self) -> LabelChoice:
        """Return what the user says about the truth."""
        void = options.parse_values(self.ignore)
        return LabelChoice(labels=self.labels, ignore=void, truth_threshold=self.truth_threshold)


@command
def sweep(pairing: PairingOptions, sweeping: SweepOptions, *, quiet: options.Quiet = False) -> None:
    """Score every threshold of grey predictions in PRED, or of a saved run in its place.

    Precision, recall, Dice, IoU, specificity and F-beta of the foreground,
    over the data set and as means over images; average precision, AUROC,
    and the best thresholds.
    """
    from segeval.cli.deliver import deliver, lazy, terminal_table
    from segeval.files import check_writable
    from segeval.labels.choose import choose_labels
    from segeval.reports.sweep import make_document
    from segeval.scoring.sweep import sweep as sweep_run

    files = sweeping.files()
    check_writable(files.values())
    run = count_or_read(pairing, quiet=quiet)
    labels = choose_labels(run, sweeping.choice())
    document = make_document(sweep_run(run, labels, beta2=sweeping.beta2))
    reports = {
        "table": terminal_table("sweep:to_renderable", document),
        "csv": lazy("sweep:to_csv", document),
        "json": lazy("json:to_json", document),
    }
    deliver(reports, files, sweeping.output_format)
    notify(FLATTERS, quiet=quiet)
