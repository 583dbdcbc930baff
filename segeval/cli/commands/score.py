"""``segeval score``: the main job.

Like every command, it imports what it needs when it is called.
"""

from __future__ import annotations

from segeval.cli import options
from segeval.cli.command import command
from segeval.cli.options.pairing import PairingOptions
from segeval.cli.runs import count


@command
def score(
    pairing: PairingOptions,
    labels: options.LabelOptions,
    convention: options.GroupedOptions,
    output: options.OutputOptions,
    *,
    quiet: options.Quiet = False,
) -> None:
    """Count and score the masks in PRED against those in TRUTH.

    Both folders are walked, and masks pair by name. Without --labels, the
    values found are the classes and 255 is void; masks of nothing but 0 and
    255 are binary.
    """
    from segeval.cli.deliver import present
    from segeval.cli.plan import prepare

    plan = prepare(labels, convention, output, run=pairing.out)
    present(count(pairing, quiet=quiet, lossy=labels.threshold is not None), plan, quiet=quiet)
