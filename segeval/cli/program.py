"""All commands as one program."""

from __future__ import annotations

from typing import Annotated

import typer

from segeval.cli.commands import (
    check,
    compare,
    config,
    conformance,
    explain,
    labels,
    losses,
    merge,
    overlay,
    plot,
    presets,
    report,
    score,
    show,
    sweep,
    view,
)
from segeval.cli.config import ConfiguredCommand
from segeval.cli.console import write_stdout
from segeval.version import __version__

app = typer.Typer(
    name="segeval",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)
app.command("score")(score.score)
app.command("check")(check.check)
app.command("report")(report.report)
app.command("compare")(compare.compare)
app.command("explain")(explain.explain)
app.command("merge")(merge.merge)
app.command("losses")(losses.losses)
app.command("sweep")(sweep.sweep)
app.command("presets")(presets.presets)
app.command("conformance")(conformance.conformance)
app.command("overlay")(overlay.overlay)
app.command("show")(show.show)
app.command("plot")(plot.plot)
app.command("view")(view.view)
app.command("labels")(labels.labels)
app.command("config")(config.config)
for registered in app.registered_commands:
    registered.cls = ConfiguredCommand


def _show_version(*, wanted: bool) -> None:
    if wanted:
        write_stdout(f"segeval {__version__}\n")
        raise typer.Exit


@app.callback()
def segeval(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=lambda value: _show_version(wanted=value),
            is_eager=True,
            help="Show the version and exit.",
        ),
    ] = False,
) -> None:
    """Score segmentation masks: Dice, IoU, mIoU, precision and recall, with their definitions.

    Type `segeval score PRED TRUTH` for two folders of masks.
    """
