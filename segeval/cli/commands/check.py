"""``segeval check``: every problem of the data at once, and no scores."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

import typer

from segeval.cli import options
from segeval.cli.command import NOT_SCORED, command
from segeval.cli.console import describe_problems, write_lines
from segeval.cli.options.pairing import PairingOptions
from segeval.cli.runs import count
from segeval.errors import LabelError, Problem
from segeval.text import counted, listed

if TYPE_CHECKING:
    from segeval.counting.run import CountedRun
    from segeval.labels.labelmap import Side


@command
def check(
    pairing: PairingOptions, labels: options.LabelOptions, *, quiet: options.Quiet = False
) -> None:
    """List every problem of the data at once, with the values and storage forms found.

        # what is there, and what stands in the way of a score
        segeval check pred/ truth/
        # the same for the classes that will be scored
        segeval check pred/ truth/ --labels cityscapes

    Exit code 0 if the data can be scored with these options, 3 if not.
    """
    from segeval.cli.notices import say_classes
    from segeval.counting.dataset import NOTHING
    from segeval.labels.choose import choose_labels
    from segeval.labels.classify import classify

    choice = labels.choice()
    run = count(pairing, quiet=quiet, lossy=labels.threshold is not None)
    problems = list(run.provenance.problems) or ([] if run.images else [NOTHING])
    lines = [*_describe(run)]
    if run.images:
        try:
            chosen = choose_labels(run, choice)
            counts = classify(run, chosen, unknown=labels.unknown)
            problems += counts.problems
            if not problems:
                say_classes(run, counts, chosen, quiet=quiet)
            lines.append(f"classes     {chosen.name}: {', '.join(chosen.names)}")
        except LabelError as error:
            problems.append(Problem(name="labels", kind="classes in doubt", detail=str(error)))
    if problems:
        lines += [f"problems    {len(problems)}", *describe_problems(problems, listed=None)]
    else:
        lines.append("problems    none; type `segeval score` with the same options")
    write_lines(lines)
    if problems:
        raise typer.Exit(NOT_SCORED)


def _describe(run: CountedRun) -> Iterator[str]:
    from segeval.inputs.geometry import said_size
    from segeval.labels.infer import values_on_side
    from segeval.values import describe_values

    columns = map(run.images.column, ("truth_form", "height", "width"))
    sizes = Counter(said.removesuffix(" pixels") for said in map(said_size, *columns))
    yield f"pairs       {len(run.images)} readable{_counted(sizes)}"
    missing, skipped, extra = (
        len(names)
        for names in (run.provenance.missing, run.provenance.skipped, run.provenance.extra)
    )
    if extra:
        yield f"extra       {counted(extra, 'prediction')} without a truth"
    if missing or skipped:
        yield f"waived      {missing} missing, {skipped} unreadable"
    sides: tuple[Side, ...] = ("truth", "prediction")
    for side in sides if run.images else ():
        forms = Counter(run.images.column(f"{side}_form"))
        yield f"{side:<12}{describe_values(values_on_side(run, side))}{_counted(forms)}"


def _counted(what: Counter[str]) -> str:
    parts = [f"{count} {kind or 'missing'}" for kind, count in what.most_common()]
    return f" ({listed(parts, 5)})" if parts else ""
