"""Hold scores against a baseline, as the options say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from segeval.errors import SettingError
from segeval.scoring.baseline import Baseline, baseline_of, check_drops, parse_drop, read_baseline
from segeval.scoring.compare import compare_runs
from segeval.scoring.score import score_choice

if TYPE_CHECKING:
    from segeval.cli.options import ConventionOptions, OutputOptions
    from segeval.cli.output import Plan
    from segeval.counting.run import Run
    from segeval.scoring.baseline import Drop
    from segeval.scoring.compare import Comparison
    from segeval.scoring.gates import DropGate
    from segeval.scoring.resampling import Resampling
    from segeval.scoring.score import Scores

__all__ = ["Held", "against_baseline", "held_against"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What a run is held against, and how.

    Attributes
    ----------
    baseline : Baseline or Run
        A document, or a run that is to be scored.
    drops : list of Drop
        How far which scores may drop.
    allowed : tuple of str
        Classes and images that may have vanished.
    resampling : Resampling, optional
        How the interval of a drop is found, if only certain drops fail.
    """

    baseline: Baseline | Run
    drops: list[Drop]
    allowed: tuple[str, ...]
    resampling: Resampling | None


def held_against(
    output: OutputOptions, convention: ConventionOptions, headline: str
) -> Held | None:
    """Understand the options of the baseline before any work is done.

    Raises
    ------
    SettingError
        If there are such options and no baseline, or there is no such file.
    """
    if output.baseline is None:
        if output.max_drop or output.significant or output.allow_missing:
            raise SettingError("--max-drop, --significant and --allow-missing need --baseline FILE")
        return None
    if not output.baseline.exists():
        raise SettingError(f"--baseline {output.baseline}: there is no such file")
    if not output.baseline.is_file():
        raise SettingError(f"--baseline {output.baseline}: it is no file")
    texts = output.max_drop or ["0"]
    return Held(
        baseline=read_baseline(output.baseline),
        drops=[parse_drop(text, default=headline) for text in texts],
        allowed=tuple(output.allow_missing or ()),
        resampling=convention.resampling(always=True) if output.significant else None,
    )


def against_baseline(scores: Scores, plan: Plan) -> list[DropGate]:
    """Hold scores against the baseline, if there is one."""
    held = plan.held
    if held is None:
        return []
    unknown = plan.labels.unknown

    def compare(run: Run) -> Comparison:
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
        earlier = score_choice(
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
