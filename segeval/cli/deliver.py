"""Deliver scores: what is printed, which files are written, which gates hold."""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import typer

from segeval.cli.command import GATE_FAILED
from segeval.cli.console import SHOWN, notify, terminal_width, write_stdout
from segeval.cli.github import add_to_summary
from segeval.cli.notices import say_classes, say_doubts, say_guessed
from segeval.cli.options.output import ReportFiles
from segeval.cli.plan import Plan
from segeval.counting.run import CountedRun
from segeval.errors import SettingError
from segeval.files import STDOUT, write_bytes, write_text
from segeval.labels.ids import as_objects
from segeval.labels.labelmap import OVERLAP
from segeval.labels.nodata import propose_no_data, with_no_data
from segeval.objectdistances.gates import check_all
from segeval.reports.document import list_gates, make_document
from segeval.reports.wording import failure
from segeval.scoring.gates import DropGate, Gate
from segeval.scoring.metrics import OVERALL
from segeval.scoring.score import Scores, label_and_score
from segeval.text import listed

if TYPE_CHECKING:
    from rich.console import RenderableType

    from segeval.distances.result import DistanceScores
    from segeval.objects.result import ObjectScores
    from segeval.scoring.compare import RunComparison


def present(run: CountedRun, plan: Plan, *, quiet: bool) -> None:
    """Score a run, write the files, print the chosen format, and exit 1 if a gate failed."""
    if plan.objects is not None:
        run, choice = as_objects(run, with_no_data(plan.choice, run), plan.objects.source)
        plan = replace(plan, choice=choice)
    plan.check(run)
    scores = label_and_score(run, **plan.scoring(), resampling=plan.resampling)
    if plan.output.per_group is not None and not scores.groups:
        raise SettingError("--per-group needs groups; type --group-by REGEX to say which")
    objects, distances = _further(scores, plan)
    held = check_all(scores, plan.thresholds, objects=objects, distances=distances)
    gates = [*held, *against_baseline(scores, plan)]
    said = {**asdict(plan.labels), "unknown": scores.unknown, "group_by": plan.group_by}
    settings = {**run.provenance.source, **said}
    further: Any = {"objects": objects, "distances": distances}
    document = make_document(scores, settings=settings, gates=gates, **further)
    given = {
        "document": document,
        "scores": scores,
        **further,
        "percent": plan.output.percent,
        "photographs": plan.photographs,
        "timestamp": datetime.now(UTC),
    }
    deliver(plan.output, **given)
    markdown = plan.output.targets()["markdown"]
    if fault := add_to_summary(lambda: make_report(markdown, given)):
        notify(f"notice: {fault}", quiet=quiet)
    say_notices(scores, quiet=quiet)
    enforce(gates)


def _further(scores: Scores, plan: Plan) -> tuple[ObjectScores | None, DistanceScores | None]:
    """Score objects and distances, where they are asked for."""
    if plan.objects is None and plan.distances is None:
        return None, None
    from segeval.objectdistances.further import score_further

    return score_further(scores, plan.objects, plan.distances)


def enforce(gates: Iterable[Gate]) -> None:
    """Say which gates failed, and exit 1 if one did."""
    failed = [gate for gate in list_gates(gates) if not gate["passed"]]
    for gate in failed:
        notify(f"segeval: gate failed: {failure(gate)}")
    if failed:
        raise typer.Exit(GATE_FAILED)


def make_report(target: str, given: Mapping[str, Any]) -> Any:
    """Import and call ``module:function`` of `segeval.reports` with what its parameters name."""
    module, _, name = target.partition(":")
    function = getattr(import_module(f"segeval.reports.{module}"), name)
    wanted = inspect.signature(function).parameters
    return function(**{key: value for key, value in given.items() if key in wanted})


def deliver(output: ReportFiles, **given: Any) -> None:
    """Write reports into files, and print one: that for the file ``-``, or the chosen format."""
    targets = {**output.targets(), **output.printed}
    given["style"] = output.csv_style()
    for name, path in output.files().items():
        write_report(path, make_report(targets[name], given))
    if STDOUT in output.files().values():
        return
    content = make_report(targets[output.output_format], given)
    if isinstance(content, str):
        write_stdout(content)
    else:
        table = _draw_table(content, intervals="resampling" in given["document"])
        write_stdout(table, drawn=True)


def write_report(path: Path, content: str | bytes) -> None:
    """Write a file, or to stdout where ``-`` is its name."""
    if path == STDOUT:
        write_stdout(content)
    elif isinstance(content, bytes):
        write_bytes(path, content)
    else:
        write_text(path, content)


def _draw_table(layout: RenderableType, *, intervals: bool) -> str:
    from segeval.reports.table import NARROWEST, WITH_INTERVALS, render

    terminal = sys.stdout.isatty()
    width = terminal_width() if terminal or "COLUMNS" in os.environ else None
    colored = terminal and "NO_COLOR" not in os.environ
    narrowest = WITH_INTERVALS if intervals else NARROWEST
    return render(layout, width=width, color=colored, narrowest=narrowest)


def say_notices(scores: Scores, *, quiet: bool) -> None:
    """Say what a reader of the numbers might not expect."""
    say_classes(scores.run, scores.counts, scores.labels, quiet=quiet)
    say_guessed(scores.counts, scores.labels, [scores.convention], quiet=quiet)
    say_left_out(scores.run, quiet=quiet)
    if advice := propose_no_data(scores.run, set(scores.labels.void)):
        notify(f"notice: {advice}", quiet=quiet)
    if scores.labels.overlap:
        titles = ", ".join(overall.title for overall in OVERALL.values())
        notify(f"notice: {OVERLAP}: {titles} and the confusion matrix are undefined", quiet=quiet)
    if any(form.startswith("JPEG") for form in scores.run.images.column("prediction_form")):
        notify(
            "notice: JPEG changes values, so pixels near the threshold may be wrong", quiet=quiet
        )
    if scores.counts.ignored_predictions:
        pixels = scores.counts.ignored_predictions
        notify(f"notice: {pixels} pixels are not judged for their predicted value", quiet=quiet)
    if scores.intervals is not None:
        say_doubts(scores.intervals, scores.labels.names, quiet=quiet)


WAIVED: Final = ("left out", "counted as all wrong")


def say_left_out(run: CountedRun, *, quiet: bool) -> None:
    """Say what was not scored, or not as it is."""
    worst = "missing:worst" in run.provenance.waivers
    for names, what in (
        (run.provenance.extra, "prediction without a truth left out"),
        (run.provenance.missing, f"truth without a prediction {WAIVED[worst]}"),
        (run.provenance.skipped, "unreadable pair left out"),
    ):
        if names:
            notify(f"notice: {len(names)} × {what}: {listed(names, SHOWN)}", quiet=quiet)


def against_baseline(scores: Scores, plan: Plan) -> list[DropGate]:
    """Hold scores against the baseline, if there is one."""
    held = plan.held
    if held is None:
        return []
    from segeval.scoring.baseline import Baseline, baseline_of, check_drops
    from segeval.scoring.compare import compare_runs

    how: dict[str, Any] = {**plan.scoring(), "resampling": held.resampling, "common": True}

    def compare(run: CountedRun) -> RunComparison:
        return compare_runs([run, scores.run], **how)[0]

    baseline = held.baseline
    if not isinstance(baseline, Baseline):
        baseline = baseline_of(label_and_score(baseline, **plan.scoring()), baseline)
    return check_drops(
        scores,
        baseline,
        held.drops,
        allowed=held.allowed,
        compare=compare if held.resampling is not None else None,
    )
