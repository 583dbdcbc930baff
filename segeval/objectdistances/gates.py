"""Bounds on all scores: of pixels, of objects, of distances, and of distances of objects."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from segeval.distances.gates import check_distances, is_to_be_low
from segeval.distances.names import is_distance_score, is_of_objects
from segeval.errors import SettingError
from segeval.objects.gates import check_objects
from segeval.objects.names import is_object_score
from segeval.scoring.gates import Gate, Threshold, check_thresholds, split_bound
from segeval.scoring.score import Scores

if TYPE_CHECKING:
    from segeval.distances.result import DistanceScores
    from segeval.objects.result import ObjectScores

OBJECTS: Final = "--objects ids or components"
DISTANCES: Final = "--distances"
NEEDS: Final = (
    (is_of_objects, "a distance of objects", (OBJECTS, DISTANCES)),
    (is_distance_score, "a distance", (DISTANCES,)),
    (is_object_score, "a score of objects", (OBJECTS,)),
)
"""Names of scores, what these are, and the options that ask for them; the first that fits holds."""


def check_asked(thresholds: Iterable[Threshold], *, objects: bool, distances: bool) -> None:
    """Refuse bounds on what is not scored."""
    asked = {OBJECTS: objects, DISTANCES: distances}
    for threshold in thresholds:
        fitting = (row for row in NEEDS if row[0](threshold.metric))
        _, what, options = next(fitting, (None, "", ()))
        if lacking := [option for option in options if not asked[option]]:
            named = " and ".join(lacking)
            raise SettingError(f"{threshold.metric} is {what}; type {named} as well")


def check_dropped(texts: Iterable[str]) -> None:
    """Refuse drops of what has no baseline."""
    for text in texts:
        name = split_bound(text)[0]
        if found := next((what for fits, what, _ in NEEDS if fits(name)), None):
            option = "--fail-over" if is_to_be_low(name) else "--fail-under"
            raise SettingError(
                f"--max-drop {text}: {name} is {found}, which is not held against a baseline; type "
                f"{option} {name}=VALUE, or see what changed with segeval compare"
            )


def check_all(
    scores: Scores,
    thresholds: Iterable[Threshold],
    *,
    objects: ObjectScores | None = None,
    distances: DistanceScores | None = None,
) -> Iterator[Gate]:
    """Compare scores of pixels, of objects and of distances with bounds, in the order of these."""
    bounds, asked = [*thresholds], {"objects": objects, "distances": distances}
    check_asked(bounds, **{name: scored is not None for name, scored in asked.items()})
    for threshold in bounds:
        name = threshold.metric
        if objects is not None and is_of_objects(name):
            if objects.distances is None:
                raise SettingError(f"{name}: objects of annotations have no distances of their own")
            yield from check_distances(objects.distances, threshold)
        elif distances is not None and is_distance_score(name):
            yield from check_distances(distances, threshold)
        elif objects is not None and is_object_score(name):
            yield from check_objects(objects, threshold)
        else:
            yield from check_thresholds(scores, [threshold])
