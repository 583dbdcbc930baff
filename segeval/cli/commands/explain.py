"""``segeval explain``: the same counts under every tool's convention."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from segeval.cli import options
from segeval.cli.command import command
from segeval.cli.options.output import ReportFiles, document_file
from segeval.cli.options.pairing import PairingOptions
from segeval.cli.runs import count_or_read
from segeval.errors import SettingError
from segeval.objects.rules import ObjectRules, ObjectSource
from segeval.settings import LabelChoice, Unknown

if TYPE_CHECKING:
    from collections.abc import Callable

    from segeval.counting.run import CountedRun
    from segeval.distances.rules import DistanceRules
    from segeval.scoring.score import Scores

_convention = options.in_panel("Convention")
_output = options.in_panel("Output and gate")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainOptions(ReportFiles):
    """Which presets are shown, and how."""

    printed: ClassVar = {"table": "explain:to_renderable"}

    between: tuple[str, str] | None = _convention(
        "Go from preset A to preset B, one rule at a time.", metavar="A B", common=True
    )
    exclude: list[str] | None = _convention(
        "Leave a class out of every mean.", metavar="CLASS", common=True
    )
    objects: ObjectSource | None = _convention(
        "Show the presets of objects as well; see `segeval score`.", show_default=False
    )
    distances: bool = _convention(
        "Show the presets of distances as well; see `segeval score`.", "--distances", default=False
    )
    spacing: str | None = _convention(
        "Size of a pixel along x, y (and z), in mm, for distances; otherwise that of a volume, "
        "or 1 pixel.",
        metavar="S,S",
    )
    variants: bool = _output(
        "Show the variants of the presets as well.", "--all", default=False, common=True
    )
    output_format: Literal["table", "json"] = _output(
        "What is printed; json holds all variants.", "--format", default="table", common=True
    )
    json: Path | None = document_file()

    def object_rules(self) -> ObjectRules | None:
        """Return which objects are scored under every preset, or None."""
        return None if self.objects is None else ObjectRules(source=self.objects)

    def distance_rules(self) -> DistanceRules | None:
        """Return what distances are asked for under every preset, or None."""
        if not self.distances:
            if self.spacing is not None:
                raise SettingError("--spacing needs --distances")
            return None
        from segeval.distances.rules import DistanceRules, parse_spacing

        return DistanceRules(steps=parse_spacing(self.spacing) if self.spacing else None)


@command
def explain(
    pairing: PairingOptions,
    labels: options.LabelOptions,
    explaining: ExplainOptions,
    *,
    quiet: options.Quiet = False,
) -> None:
    """Show what every tool would report for these masks, and why they disagree.

        # a row for each tool
        segeval explain pred/ truth/
        # what tools for label images report as well
        segeval explain pred/ truth/ --objects ids
        # from one tool to another, a rule at a time
        segeval explain run.segeval --between mmseg nnunet

    Give a saved run, or PRED and TRUTH. Each row is the convention of a tool;
    see `segeval presets`. --between A B goes from one to another a rule at a
    time, in steps that add up.
    """
    from segeval.cli.deliver import deliver
    from segeval.cli.notices import say_classes, say_guessed
    from segeval.cli.places import check_reports
    from segeval.labels.ids import as_objects
    from segeval.objects.components import Components
    from segeval.presets.preset import find_preset
    from segeval.scoring.score import label_and_score

    check_reports(explaining.files().values(), pairing, labels)
    for name in explaining.between or ():
        find_preset(name)
    choice, lossy = labels.choice(), labels.threshold is not None
    rules = explaining.distance_rules()
    numbering = Components.of(choice) if explaining.objects == "components" else None
    run = count_or_read(
        pairing,
        quiet=quiet,
        lossy=lossy,
        numbering=numbering,
        measuring=_measuring(explaining, rules, choice, labels.unknown) if rules else None,
    )
    if explaining.objects is not None:
        run, choice = as_objects(run, choice, explaining.objects)
    scores = label_and_score(run, choice, unknown=labels.unknown)
    document = _document(scores, explaining, rules, unknown=labels.unknown)
    deliver(explaining, document=document, variants=explaining.variants)
    say_classes(run, scores.counts, scores.labels, quiet=quiet)
    shown = explaining.between or [row["preset"] for row in document["rows"]]
    conventions = [find_preset(name).convention for name in shown]
    say_guessed(scores.counts, scores.labels, conventions, quiet=quiet)


def _measuring(
    explaining: ExplainOptions, rules: DistanceRules, choice: LabelChoice, unknown: Unknown
) -> Callable[..., CountedRun]:
    """Return what measures all that presets of distances need in the masks of a run."""
    from segeval.labels.ids import as_measured
    from segeval.objectdistances.further import all_measures
    from segeval.presets.distances import preset_rules
    from segeval.scoring.convention import Convention
    from segeval.scoring.measured import measure_for

    def measuring(run: CountedRun, **how: Any) -> CountedRun:
        objects = explaining.object_rules()
        found = [all_measures(run, choice, (), objects, r) for r in preset_rules(rules).values()]
        needed = {each.kind: each for measures in found for each in measures}
        classes = as_measured(run, choice, explaining.objects)
        return measure_for([*needed.values()], [run], classes, Convention(), unknown, **how)

    return measuring


def _document(
    scores: Scores,
    explaining: ExplainOptions,
    rules: DistanceRules | None,
    *,
    unknown: Unknown,
) -> dict[str, Any]:
    from segeval.presets.distances import explain_distances, explain_object_distances
    from segeval.presets.explain import PresetScorer, steps_between
    from segeval.presets.explain import explain as explain_case
    from segeval.presets.objects import explain_objects
    from segeval.presets.preset import load_presets
    from segeval.reports.explain import make_document
    from segeval.scoring.score import write_signature

    exclude, source = tuple(dict.fromkeys(explaining.exclude or ())), explaining.objects
    objects = explaining.object_rules()
    scores.labels.positions(exclude)
    parts = [f"unknown:{unknown}", f"exclude:{','.join(exclude) or 'none'}"]
    case = PresetScorer(counts=scores.counts, labels=scores.labels, exclude=exclude, run=scores.run)
    whole = explaining.variants or explaining.json or explaining.output_format == "json"
    names = [name for name in load_presets() if whole or ":" not in name]
    return make_document(
        case,
        explain_case(case, names),
        objects=() if source is None else explain_objects(scores, source),
        distances=() if rules is None else explain_distances(scores, rules),
        object_distances=explain_object_distances(scores, objects, rules)
        if objects and rules
        else (),
        signature=write_signature(scores.run, scores.labels, parts),
        names=explaining.between,
        steps=steps_between(case, *explaining.between) if explaining.between else (),
    )
