"""Deliver scores: what is printed, which files are written, which gates hold."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import typer

from segeval.cli.command import GATE_FAILED
from segeval.cli.console import notify, write_stdout
from segeval.cli.github import add_to_summary
from segeval.cli.notices import SHOWN, say_doubts
from segeval.cli.plan import Plan
from segeval.counting.run import CountedRun
from segeval.errors import SettingError
from segeval.files import write_bytes, write_text
from segeval.reports.document import list_gates, make_document
from segeval.reports.wording import show_bound
from segeval.scoring.baseline import Baseline, baseline_of, check_drops
from segeval.scoring.compare import RunComparison, compare_runs
from segeval.scoring.gates import DropGate, Gate, check_thresholds
from segeval.scoring.score import Scores, label_and_score
from segeval.text import listed

Report = Callable[[], Any]
"""Makes the text of a report, or the bytes of a picture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What a report shows."""

    scores: Scores
    document: Mapping[str, Any]
    percent: bool
    photographs: Mapping[str, Path] = field(default_factory=dict)


def present(run: CountedRun, plan: Plan, *, quiet: bool) -> None:
    """Score a run, write the files, print the chosen format, and exit 1 if a gate failed."""
    scores = label_and_score(
        run,
        plan.choice,
        plan.convention,
        unknown=plan.labels.unknown,
        group_by=plan.group_by,
        resampling=plan.resampling,
    )
    if plan.output.per_group is not None and not scores.groups:
        raise SettingError("--per-group needs groups; type --group-by REGEX to say which")
    gates = [*check_thresholds(scores, plan.thresholds), *against_baseline(scores, plan)]
    settings = {**run.provenance.source, **asdict(plan.labels), "group_by": plan.group_by}
    document = make_document(scores, settings=settings, gates=gates)
    shown = Shown(
        scores=scores,
        document=document,
        percent=plan.output.percent,
        photographs=plan.photographs,
    )
    reports = {name: report(shown) for name, report in REPORTS.items()}
    deliver(reports, plan.output.files(), plan.output.output_format)
    add_to_summary(reports["markdown"], quiet=quiet)
    say_notices(scores, quiet=quiet)
    enforce(gates)


def enforce(gates: Iterable[Gate]) -> None:
    """Say which gates failed, and exit 1 if one did."""
    failed = [gate for gate in list_gates(gates) if not gate["passed"]]
    for gate in failed:
        found = "is undefined" if gate["value"] is None else f"= {gate['value']!r}"
        notify(f"segeval: gate failed: {gate['metric']} {found}, {show_bound(gate)} is asked for")
    if failed:
        raise typer.Exit(GATE_FAILED)


def lazy(target: str, *arguments: Any, **settings: Any) -> Report:
    """Return a call of ``module:function`` in `segeval.reports`, imported when it is called."""
    module, _, name = target.partition(":")
    return lambda: getattr(import_module(f"segeval.reports.{module}"), name)(*arguments, **settings)


def terminal_table(
    target: str, *arguments: Any, intervals: bool = False, **settings: Any
) -> Report:
    """Return a table, drawn for where it goes: a terminal of some width and colour, or a file."""

    def draw() -> str:
        from segeval.reports.table import NARROWEST, WITH_INTERVALS, render

        layout = lazy(target, *arguments, **settings)()
        terminal = sys.stdout.isatty()
        width = shutil.get_terminal_size().columns if terminal or "COLUMNS" in os.environ else None
        colored = terminal and "NO_COLOR" not in os.environ
        narrowest = WITH_INTERVALS if intervals else NARROWEST
        return render(layout, width=width, color=colored, narrowest=narrowest)

    return draw


def deliver(reports: Mapping[str, Report], files: Mapping[str, Path], printed: str) -> None:
    """Write the reports that go into files, and print one."""
    for name, path in files.items():
        content = reports[name]()
        write = write_bytes if isinstance(content, bytes) else write_text
        write(path, content)
    write_stdout(reports[printed]())


def _total(shown: Shown) -> str:
    total = shown.document["summary"][shown.scores.convention.headline]
    return f"{'' if total is None else repr(total)}\n"


REPORTS: Final[Mapping[str, Callable[[Shown], Report]]] = {
    "table": lambda shown: terminal_table(
        "table:to_renderable",
        shown.document,
        percent=shown.percent,
        intervals="intervals" in shown.document,
    ),
    "csv": lambda shown: lazy("csv:classes_csv", shown.document),
    "per_image": lambda shown: lazy("csv:images_csv", shown.scores),
    "per_group": lambda shown: lazy("csv:groups_csv", shown.document),
    "confusion": lambda shown: lazy("csv:confusion_csv", shown.document),
    "json": lambda shown: lazy("json:to_json", shown.document),
    "markdown": lambda shown: lazy("markdown:to_markdown", shown.document, percent=shown.percent),
    "html": lambda shown: lazy(
        "html.findings:make_page",
        shown.scores,
        shown.document,
        shown.photographs,
        percent=shown.percent,
    ),
    "junit": lambda shown: lazy("junit:to_junit", shown.document, timestamp=datetime.now(UTC)),
    "badge": lambda shown: lazy("badge:to_badge", shown.document, percent=shown.percent),
    "total": lambda shown: partial(_total, shown),
}
"""Every report of scores, by the name of its option; each imports its libraries when it is made."""


def say_notices(scores: Scores, *, quiet: bool) -> None:
    """Say what a reader of the numbers might not expect."""
    if scores.labels.name == "binary(found)":
        notify(
            "notice: the masks hold nothing but 0 and 255, so they are scored as binary with "
            "255 as foreground; type --labels binary to say so",
            quiet=quiet,
        )
    say_left_out(scores.run, quiet=quiet)
    if scores.counts.ignored_predictions:
        pixels = scores.counts.ignored_predictions
        notify(f"notice: {pixels} pixels are not judged for their predicted value", quiet=quiet)
    if scores.intervals is not None:
        say_doubts(scores.intervals, scores.labels.names, quiet=quiet)


def say_left_out(run: CountedRun, *, quiet: bool) -> None:
    """Say what was not scored."""
    for names, what in (
        (run.provenance.extra, "prediction without a truth left out"),
        (run.provenance.missing, "truth without a prediction waived"),
        (run.provenance.skipped, "unreadable pair left out"),
    ):
        if names:
            notify(f"notice: {len(names)} × {what}: {listed(names, SHOWN)}", quiet=quiet)


def against_baseline(scores: Scores, plan: Plan) -> list[DropGate]:
    """Hold scores against the baseline, if there is one."""
    held = plan.held
    if held is None:
        return []
    unknown = plan.labels.unknown

    def compare(run: CountedRun) -> RunComparison:
        (comparison,) = compare_runs(
            [run, scores.run],
            plan.choice,
            plan.convention,
            unknown=unknown,
            resampling=held.resampling,
            common=True,
        )
        return comparison

    baseline = held.baseline
    if not isinstance(baseline, Baseline):
        earlier = label_and_score(
            baseline, plan.choice, plan.convention, unknown=unknown, group_by=plan.group_by
        )
        baseline = baseline_of(earlier, baseline)
    return check_drops(
        scores,
        baseline,
        held.drops,
        allowed=held.allowed,
        compare=compare if held.resampling is not None else None,
    )
