"""``segeval score``: the main job.

Like every command, it imports what it needs when it is called.
"""

from __future__ import annotations

from dataclasses import asdict

from segeval.cli import options
from segeval.cli.command import command
from segeval.cli.speech import progress_bar, say

__all__ = ["score"]


@command
def score(
    pairing: options.PairingOptions,
    labels: options.LabelOptions,
    convention: options.ConventionOptions,
    output: options.OutputOptions,
    *,
    quiet: options.Quiet = False,
) -> None:
    """Count and score the masks in PRED against those in TRUTH.

    Both folders are walked; masks pair by name. Without --labels, the values found are the classes
    and 255 is void; masks of nothing but 0 and 255 are binary.
    """
    from segeval.cli.output import deliver, prepare
    from segeval.evaluation import evaluate, score_choice
    from segeval.values import counted

    source, choice, rules = pairing.source(), labels.choice(), convention.convention()
    thresholds = prepare(output)
    run = evaluate(
        source, pairing.reading(), workers=pairing.workers, progress=progress_bar(quiet=quiet)
    )
    if run.extra:
        shown = ", ".join(run.extra[:3]) + (", …" if len(run.extra) > 3 else "")
        count = counted(len(run.extra), "prediction")
        say(f"notice: {count} without a truth left out: {shown}", quiet=quiet)
    scores = score_choice(run, choice, rules, unknown=labels.unknown)
    settings = {
        "prediction": str(pairing.prediction or ""),
        "truth": str(pairing.truth or ""),
        "pairs": str(pairing.pairs or ""),
        **asdict(labels),
    }
    deliver(scores, output, thresholds, settings, quiet=quiet)
