"""Keywords -> what measures and scores a run: all that the face of the library has in common."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, fields
from typing import Any, Final, TypedDict, Unpack, cast, get_args

from segeval.boundaries.fscores import EdgeRules
from segeval.boundaries.scores import BoundaryRules
from segeval.boundaries.trimap import TrimapRules
from segeval.counting.run import CountedRun
from segeval.distances.rules import DistanceRules
from segeval.errors import SettingError
from segeval.keywords import taking
from segeval.labels.choose import explicit_labels
from segeval.labels.ids import as_objects
from segeval.labels.labelmap import LabelMap
from segeval.objectdistances.further import check_measured, measure_all, score_further
from segeval.objects.rules import ObjectRules, ObjectSource
from segeval.presets.distances import load_distance_presets
from segeval.reports.result import AnyPath, Result, label_settings
from segeval.scoring.convention import Convention
from segeval.scoring.measured import Asked
from segeval.scoring.resampling import SEED, Resampling
from segeval.scoring.score import label_and_score
from segeval.settings import LabelChoice, Level, Unknown, parse_values
from segeval.text import did_you_mean
from segeval.topology.scores import TopologyRules

AnyLabels = AnyPath | LabelMap
Void = Collection[int | str] | int
AnyDistances = bool | str | DistanceRules


INSTEAD: Final = {
    **{each.name: f"convention=segeval.Convention({each.name}=…)" for each in fields(Convention)},
    "like": 'convention=segeval.preset("NAME"), or distances="NAME" where it is one of these',
    "exclude": 'convention=segeval.Convention(exclude=("NAME",))',
    "iou_thresholds": "objects=segeval.objects.rules.ObjectRules(thresholds=…)",
    "objects_pooling": "objects=segeval.objects.rules.ObjectRules(pooling=…)",
    "size_bins": "objects=segeval.objects.rules.ObjectRules(sizes=…)",
    "connectivity": "objects=segeval.objects.rules.ObjectRules(connectivity=…)",
    "hd_percentile": "distances=segeval.distances.rules.DistanceRules(percentiles=…)",
    "nsd": "distances=segeval.distances.rules.DistanceRules(tolerances=…)",
    "spacing": "distances=segeval.distances.rules.DistanceRules(steps=…)",
}
"""What is typed instead of keywords that are options of the command line, or part of a value."""


class Labelling(TypedDict, total=False):
    """What values mean, as keywords; see `LabelChoice`."""

    labels: AnyLabels | None
    prediction_labels: AnyLabels | None
    classes: int | None
    threshold: float | None
    truth_threshold: float | None
    prediction_offset: int
    level: Level


class Scoring(Labelling, total=False):
    """How counts become scores, as keywords; see `score`."""

    ignore: Void | None
    unknown: Unknown
    convention: Convention | None
    group_by: str | None
    ci: int | None
    seed: int
    objects: ObjectRules | ObjectSource | None
    boundary: str | None
    trimap: str | None
    boundary_f: bool
    topology: bool
    distances: AnyDistances


@taking(LabelChoice, instead=INSTEAD)
def scorer(
    *,
    ignore: Void | None = None,
    unknown: Unknown = "error",
    convention: Convention | None = None,
    group_by: str | None = None,
    ci: int | None = None,
    seed: int = SEED,
    objects: ObjectRules | ObjectSource | None = None,
    boundary: str | None = None,
    trimap: str | None = None,
    boundary_f: bool = False,
    topology: bool = False,
    distances: AnyDistances = False,
    **labelling: Unpack[Labelling],
) -> Scorer:
    """Return what measures and scores a run, after a check of its settings that needs no run."""
    rules, convention = rules_of(objects), convention or Convention()
    choice = LabelChoice(ignore=parse_values(ignore), **labelling)
    labels = explicit_labels(choice)
    if labels is not None:
        labels.positions(convention.exclude)
    return Scorer(
        choice=choice,
        convention=convention,
        unknown=unknown,
        group_by=group_by,
        resampling=None if ci is None else Resampling(rounds=ci, seed=seed),
        rules=rules,
        asked=asked_of(boundary, trimap, boundary_f=boundary_f, topology=topology),
        distances=distances_of(distances),
    )


def asked_of(
    boundary: str | None,
    trimap: str | None,
    *,
    boundary_f: bool = False,
    topology: bool = False,
) -> tuple[Asked, ...]:
    """Return the scores that are measured in the pixels."""
    widths: dict[str, Any] = {"boundary": boundary, "trimap": trimap}
    for name, width in widths.items():
        if width is not None and not isinstance(width, str):
            number = 2 if isinstance(width, bool) else width
            raise SettingError(
                f"{name}={width!r} is no width: type {name}='{number}px' for pixels, or "
                f"{name}='{number}%' of the diagonal"
            )
    asked = ((BoundaryRules, boundary), (TrimapRules, trimap))
    found: list[Asked] = [rules.parse(text) for rules, text in asked if text is not None]
    further = ((EdgeRules, boundary_f), (TopologyRules, topology))
    return (*found, *(rules() for rules, wanted in further if wanted))


def distances_of(distances: AnyDistances) -> DistanceRules | None:
    """Return how distances are scored, if they are: by default, as a preset does, or by rules."""
    if isinstance(distances, str):
        known = load_distance_presets()
        if distances not in known:
            near = did_you_mean(distances, known) or ";"
            raise SettingError(
                f"no preset of distances is called {distances!r}{near} there are {', '.join(known)}"
            )
        return known[distances].rules
    if not isinstance(distances, bool | DistanceRules | None):
        raise SettingError(
            f"distances={distances!r}: type distances=True, the name of a preset such as "
            "distances='medpy', or DistanceRules"
        )
    return DistanceRules() if distances is True else distances or None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scorer:
    """How a run is measured and scored."""

    choice: LabelChoice
    convention: Convention
    unknown: Unknown
    group_by: str | None
    resampling: Resampling | None
    rules: ObjectRules | None
    asked: tuple[Asked, ...]
    distances: DistanceRules | None

    @property
    def reads_pixels(self) -> bool:
        """Whether something is measured in the pixels."""
        return bool(self.asked) or self.distances is not None

    def measure(self, run: CountedRun, **how: Any) -> CountedRun:
        """Return a run with what is measured in its masks for the scores that are asked for."""
        how |= {"convention": self.convention, "unknown": self.unknown}
        return measure_all(run, self.choice, self.asked, self.rules, self.distances, **how)

    def score(self, run: CountedRun) -> Result:
        """Score a run, which holds what is asked for."""
        rules, choice = self.rules, self.choice
        run, chosen = (run, choice) if rules is None else as_objects(run, choice, rules.source)
        try:
            check_measured(run, self.asked, rules, self.distances)
        except SettingError as error:
            said = f"{error}; in Python: run.measure, with the same keywords"
            raise SettingError(said) from None
        names = ("unknown", "group_by", "resampling")
        how: dict[str, Any] = {name: getattr(self, name) for name in names}
        scores = label_and_score(run, chosen, self.convention, **how, measures=self.asked)
        found, far = score_further(scores, rules, self.distances)
        meaning = label_settings(choice, self.unknown) | {"group_by": self.group_by}
        settings = {**run.provenance.source, **meaning}
        further: Any = {"object_scores": found, "distance_scores": far}
        return Result(scores=scores, settings=settings, **further)


def rules_of(objects: ObjectRules | ObjectSource | None) -> ObjectRules | None:
    """Return how objects are scored, if they are."""
    if objects in get_args(ObjectSource):
        return ObjectRules(source=cast("ObjectSource", objects))
    if isinstance(objects, ObjectRules | None):
        return objects
    raise SettingError(
        f"objects={objects!r}: type objects='ids' for label images, objects='components' for the "
        "connected parts of classes, or ObjectRules"
    )
