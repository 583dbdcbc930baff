"""Deliver scores: what is printed, which files are written, which gates hold."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING, Any

import typer

from segeval.cli.command import GATE_FAILED
from segeval.cli.speech import put, say
from segeval.gates import check_thresholds, parse_threshold
from segeval.reports.document import make_document
from segeval.reports.files import check_writable, write_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from segeval.cli.options import OutputOptions
    from segeval.gates import Threshold
    from segeval.scoring import Scores

__all__ = ["deliver", "prepare"]


def prepare(output: OutputOptions) -> list[Threshold]:
    """Check, before any work is done, that files can be written and thresholds understood."""
    check_writable(path for path in _files(output) if path is not None)
    return [parse_threshold(text) for text in output.fail_under or ()]


def _files(output: OutputOptions) -> dict[Path | None, str]:
    return {
        output.csv: "csv",
        output.per_image: "per_image",
        output.confusion: "confusion",
        output.json: "json",
        output.markdown: "markdown",
    }


def deliver(
    scores: Scores,
    output: OutputOptions,
    thresholds: list[Threshold],
    settings: Mapping[str, Any],
    *,
    quiet: bool,
) -> None:
    """Write the files, print the chosen format, say the notices, and exit 1 if a gate failed."""
    gates = check_thresholds(scores, thresholds)
    document = make_document(scores, settings=settings, gates=gates)
    reports = _reports(scores, document, percent=output.percent)
    for path, name in _files(output).items():
        if path is not None:
            write_text(path, reports[name]())
    put(reports[output.output_format]())
    _say_notices(scores, quiet=quiet)
    failed = [gate for gate in gates if not gate.passed]
    for gate in failed:
        found = "is undefined" if gate.value != gate.value else f"= {gate.value!r}"
        say(f"segeval: gate failed: {gate.metric} {found}, at least {gate.minimum!r} is asked for")
    if failed:
        raise typer.Exit(GATE_FAILED)


def _reports(
    scores: Scores, document: Mapping[str, Any], *, percent: bool
) -> dict[str, Callable[[], str]]:
    """Every report by its name; each is made, and its library imported, only when asked for."""

    def table() -> str:
        from segeval.reports.table import lay_out, render

        terminal = sys.stdout.isatty()
        width = shutil.get_terminal_size().columns if terminal or "COLUMNS" in os.environ else None
        color = terminal and "NO_COLOR" not in os.environ
        return render(lay_out(document, percent=percent), width=width, color=color)

    def csv() -> str:
        from segeval.reports.delimited import classes_csv

        return classes_csv(document)

    def per_image() -> str:
        from segeval.reports.delimited import images_csv

        return images_csv(scores)

    def confusion() -> str:
        from segeval.reports.delimited import confusion_csv

        return confusion_csv(document)

    def json() -> str:
        from segeval.reports.json import to_json

        return to_json(document)

    def markdown() -> str:
        from segeval.reports.markdown import to_markdown

        return to_markdown(document, percent=percent)

    def total() -> str:
        miou = document["summary"]["miou"]
        return f"{'' if miou is None else repr(miou)}\n"

    return {
        "table": table,
        "csv": csv,
        "per_image": per_image,
        "confusion": confusion,
        "json": json,
        "markdown": markdown,
        "total": total,
    }


def _say_notices(scores: Scores, *, quiet: bool) -> None:
    """Say what a reader of the numbers might not expect."""
    if scores.labels.name == "binary(found)":
        say(
            "notice: the masks hold nothing but 0 and 255, so they are scored as binary with "
            "255 as foreground; type --labels binary to say so",
            quiet=quiet,
        )
    for waived, what in (
        (scores.run.missing, "without a prediction"),
        (scores.run.skipped, "unreadable"),
    ):
        if waived:
            count = f"notice: {len(waived)} pairs {what} were waived: "
            say(count + ", ".join(waived[:3]) + (", …" if len(waived) > 3 else ""), quiet=quiet)
    if scores.counts.ignored_predictions:
        pixels = scores.counts.ignored_predictions
        say(f"notice: {pixels} pixels are not judged for their predicted value", quiet=quiet)
