"""Deliver scores: what is printed, which files are written, which gates hold."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import typer

from segeval.cli.command import GATE_FAILED
from segeval.cli.speech import put, say
from segeval.gates import check_thresholds, parse_threshold
from segeval.reports.document import make_document
from segeval.reports.files import check_writable, write_text

if TYPE_CHECKING:
    from pathlib import Path

    from segeval.cli.options import OutputOptions
    from segeval.gates import Threshold
    from segeval.scoring import Scores

__all__ = ["deliver", "prepare"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What a report shows."""

    scores: Scores
    document: Mapping[str, Any]
    percent: bool


def prepare(output: OutputOptions) -> list[Threshold]:
    """Check, before any work is done, that files can be written and thresholds understood."""
    check_writable(path for _, path in _files(output))
    return [parse_threshold(text) for text in output.fail_under or ()]


def _files(output: OutputOptions) -> Iterator[tuple[str, Path]]:
    """Yield the name and the path of every report that goes into a file."""
    for name in ("csv", "per_image", "confusion", "json", "markdown"):
        path: Path | None = getattr(output, name)
        if path is not None:
            yield name, path


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
    shown = Shown(scores=scores, document=document, percent=output.percent)
    for name, path in _files(output):
        write_text(path, REPORTS[name](shown))
    put(REPORTS[output.output_format](shown))
    _say_notices(scores, quiet=quiet)
    failed = [gate for gate in gates if not gate.passed]
    for gate in failed:
        found = "is undefined" if gate.value != gate.value else f"= {gate.value!r}"
        say(f"segeval: gate failed: {gate.metric} {found}, at least {gate.minimum!r} is asked for")
    if failed:
        raise typer.Exit(GATE_FAILED)


def _table(shown: Shown) -> str:
    from segeval.reports.table import lay_out, render

    terminal = sys.stdout.isatty()
    width = shutil.get_terminal_size().columns if terminal or "COLUMNS" in os.environ else None
    color = terminal and "NO_COLOR" not in os.environ
    return render(lay_out(shown.document, percent=shown.percent), width=width, color=color)


def _csv(shown: Shown) -> str:
    from segeval.reports.delimited import classes_csv

    return classes_csv(shown.document)


def _per_image(shown: Shown) -> str:
    from segeval.reports.delimited import images_csv

    return images_csv(shown.scores)


def _confusion(shown: Shown) -> str:
    from segeval.reports.delimited import confusion_csv

    return confusion_csv(shown.document)


def _json(shown: Shown) -> str:
    from segeval.reports.json import to_json

    return to_json(shown.document)


def _markdown(shown: Shown) -> str:
    from segeval.reports.markdown import to_markdown

    return to_markdown(shown.document, percent=shown.percent)


def _total(shown: Shown) -> str:
    miou = shown.document["summary"]["miou"]
    return f"{'' if miou is None else repr(miou)}\n"


REPORTS: Final[Mapping[str, Callable[[Shown], str]]] = {
    "table": _table,
    "csv": _csv,
    "per_image": _per_image,
    "confusion": _confusion,
    "json": _json,
    "markdown": _markdown,
    "total": _total,
}
"""Every report by the name of its option; each imports its libraries only when it is asked for."""


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
