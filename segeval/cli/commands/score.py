"""``segeval score``: the main job.

Like every command, it imports what it needs when it is called.
"""

from __future__ import annotations

from typing import Any

from segeval.cli import options
from segeval.cli.command import command
from segeval.cli.options.pairing import PairingOptions
from segeval.cli.runs import count


@command
def score(
    pairing: PairingOptions,
    labels: options.LabelOptions,
    convention: options.GroupedOptions,
    objects: options.ObjectOptions,
    measures: options.MeasureOptions,
    *,
    output: options.OutputOptions,
    quiet: options.Quiet = False,
) -> None:
    """Count and score the masks in PRED against those in TRUTH.

        # the classes are the values that are found; 255 is void
        segeval score pred/ truth/
        # the classes of a built-in label map, by their names
        segeval score pred/ truth/ --labels cityscapes
        # the number that another tool gives for these masks
        segeval score pred/ truth/ --like mmseg
        # keep the counts for later, and write a page of HTML
        segeval score pred/ truth/ -o run.segeval --html page.html
        # how well edges are met: Boundary IoU
        segeval score pred/ truth/ --boundary
        # fail in CI if mIoU is below 0.75
        segeval score pred/ truth/ --fail-under miou=0.75

    Both folders are walked, and masks pair by name. Without --labels, the
    values found are the classes and 255 is void; masks of nothing but 0 and
    255 are binary.
    """
    from segeval.cli.deliver import present
    from segeval.cli.plan import prepare

    plan = prepare(labels, convention, output, pairing, objects=objects, measures=measures)
    numbering = objects.numbering(plan.choice)
    how: Any = {"lossy": labels.threshold is not None, "numbering": numbering}
    run = count(pairing, quiet=quiet, **how, measuring=plan.measure)
    present(run, plan, quiet=quiet)
