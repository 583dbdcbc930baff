"""All that is scored beside the pixels of classes: objects, distances, and distances of objects."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from segeval.counting.measures import AnyMeasure
from segeval.counting.run import CountedRun
from segeval.distances.compare import check_spacing, compare_distances
from segeval.distances.means import Sums
from segeval.distances.result import DistanceScores, score_distances
from segeval.distances.rules import DistanceRules
from segeval.errors import SettingError
from segeval.labels.ids import as_measured, as_objects
from segeval.labels.measured import lacking, to_measure
from segeval.objectdistances.measure import has_pixels, object_measures
from segeval.objectdistances.scores import BY_IMAGE, mean_objects, score_object_distances
from segeval.objects.compare import compare_objects
from segeval.objects.result import FoundObjects, ObjectScores, score_objects
from segeval.objects.rules import ObjectRules
from segeval.scoring.beside import Contrast, contrast
from segeval.scoring.compare import RunComparison, compare_runs
from segeval.scoring.measured import Asked, measure_for
from segeval.scoring.score import Scores
from segeval.settings import LabelChoice


def all_measures(
    run: CountedRun,
    choice: LabelChoice,
    asked: Iterable[Asked],
    objects: ObjectRules | None,
    distances: DistanceRules | None,
) -> list[AnyMeasure]:
    """Return what is measured in the pixels of a run for all scores that are asked for."""
    found: list[AnyMeasure] = [each.measure for each in asked]
    if distances is not None:
        found += distances.measures
        if objects is not None:
            found += object_measures(run, choice, objects, distances)
    return found


def measure_all(
    run: CountedRun,
    choice: LabelChoice,
    asked: Iterable[Asked],
    objects: ObjectRules | None,
    distances: DistanceRules | None,
    **how: Any,
) -> CountedRun:
    """Return a run with what is measured in its masks for all scores; see `measure_for`."""
    measures = all_measures(run, choice, asked, objects, distances)
    if measures and objects is not None:
        choice = as_measured(run, choice, objects.source)
    return measure_for(measures, [run], choice, **how)


def check_measured(
    run: CountedRun,
    asked: Iterable[Asked],
    objects: ObjectRules | None,
    distances: DistanceRules | None,
    *,
    name: str = "the run",
) -> None:
    """Refuse a run that lacks what was to be measured, and say all of it at once.

    A run with problems passes, as these are what it is refused for.
    """
    if run.provenance.problems:
        return
    wanted: list[tuple[str, list[str], Any]] = [
        (each.option, [each.measure.kind], each.measure.definition.get("widths", ()))
        for each in asked
    ]
    if distances is not None:
        wanted.append((distances.option, distances.kinds, ()))
        if objects is not None and has_pixels(run, objects):
            own = distances.of_objects()
            option = f"--objects {objects.source} {own.option}"
            wanted.append((option, [f"objects:{kind}" for kind in own.kinds], ()))
    found: dict[str, list[str]] = {}
    for option, kinds, widths in wanted:
        reasons = [lacking(run, kind, widths, name) for kind in kinds]
        if all(reasons):
            found.setdefault(reasons[0], []).append(option)
    if found:
        said = (f"{', '.join(options)}: {reason}" for reason, options in found.items())
        words = [word for options in found.values() for each in options for word in _parted(each)]
        raise SettingError(f"{'; '.join(said)}; {to_measure(' '.join(dict.fromkeys(words)))}")


def _parted(options: str) -> list[str]:
    """Part options, each with its value."""
    return [f"--{part.strip()}" for part in options.split("--") if part]


def score_further(
    scores: Scores, objects: ObjectRules | None, distances: DistanceRules | None
) -> tuple[ObjectScores | None, DistanceScores | None]:
    """Score the objects and the distances of a run that is scored, where they are asked for."""
    far = None if distances is None else score_distances(scores, distances)
    if objects is None:
        return None, far
    found = score_objects(scores, objects)
    if distances is None:
        return found, far
    alone = FoundObjects(table=found.table, kept=found.kept)
    own = score_object_distances(scores, alone, objects, distances)
    return replace(found, distances=own), far


def compare_all(
    runs: Sequence[CountedRun],
    choice: LabelChoice,
    objects: ObjectRules | None,
    distances: DistanceRules | None,
    **how: Any,
) -> tuple[list[RunComparison], list[dict[str, Contrast]]]:
    """Compare runs with the first: by pixels, as `compare_runs` does, then by all else, by name."""
    if objects is not None:
        found = [as_objects(run, choice, objects.source) for run in runs]
        runs, choice = [run for run, _ in found], found[0][1]
    comparisons = compare_runs(runs, choice, **how)
    return comparisons, [_compare_further(each, objects, distances) for each in comparisons]


def _compare_further(
    comparison: RunComparison, objects: ObjectRules | None, distances: DistanceRules | None
) -> dict[str, Contrast]:
    found = {}
    if objects is not None:
        found["objects"] = compare_objects(comparison, objects)
    if distances is not None:
        found["distances"] = compare_distances(comparison, distances)
    if objects is not None and distances is not None:
        of_objects = compare_object_distances(comparison, objects, distances)
        found |= {} if of_objects is None else {"object_distances": of_objects}
    return found


def compare_object_distances(
    comparison: RunComparison, objects: ObjectRules, distances: DistanceRules
) -> Contrast | None:
    """Compare two runs by the distances of their objects, if masks tell these apart."""
    one, two = (
        score_object_distances(side, FoundObjects.of(side, objects), objects, distances)
        for side in (comparison.baseline, comparison.scores)
    )
    if one is None or two is None:
        return None
    check_spacing(comparison.scores.run.images.names, one.spacing, two.spacing)
    both = {name: Sums.joined(each, two.sums[name]) for name, each in one.sums.items()}
    score = partial(mean_objects, by_image=BY_IMAGE[objects.pooling])
    sides = one.sums, two.sums
    return contrast(comparison, sides, both, score, rules=one.rules, kinds=one.kinds)
