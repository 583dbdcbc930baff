"""The distances of objects: those of the matched, and what the others count."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from segeval.distances.measure import DistanceMeasure
from segeval.distances.names import score_names
from segeval.distances.result import UNITS, comes_to_the_same, infinite, nested
from segeval.distances.rules import CaseName, DistanceRules
from segeval.distances.values import Values, case_values, score_rows
from segeval.errors import SettingError
from segeval.labels.measured import kept_of
from segeval.objectdistances.measure import ObjectDistanceMeasure, ObjectDistanceTable, has_pixels
from segeval.objects.components import components_of
from segeval.objects.matching import match
from segeval.objects.result import ObjectScores
from segeval.scoring.score import Scores

MATCHED, MISSED, FALSE = range(3)
NUMBERS: Final = {"matched": MATCHED, "missed": MISSED, "false": FALSE}
BY_IMAGE: Final = {"dataset": False, "image": True}  # over what means run, by pooling
CASES: Final[dict[int, CaseName]] = {MISSED: "missed", FALSE: "false_alarm"}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ObjectDistances:
    """The scores of M objects: matched ones once, then those missed, then those too many."""

    image: NDArray[np.int64]  # (M,); position in the run
    kind: NDArray[np.int64]  # (M,); position among the classes of objects
    fate: NDArray[np.int64]  # (M,); `MATCHED`, `MISSED` or `FALSE`
    values: Mapping[str, Values]  # (M,) by name; NaN where undefined

    def mean(self, which: NDArray[np.bool_], *, by_image: bool) -> dict[str, float]:
        """Average over objects, or over those of each image and then over images."""
        return {
            name: _mean(values[which], self.image[which], by_image=by_image)
            for name, values in self.values.items()
        }


def _mean(values: Values, image: NDArray[np.int64], *, by_image: bool) -> float:
    defined = ~np.isnan(values)
    values, image = values[defined], image[defined]
    if not values.size:
        return float("nan")
    if not by_image:
        return float(values.mean())
    number = np.bincount(image)
    sums = np.bincount(image, values)
    return float((sums[number > 0] / number[number > 0]).mean())


def with_distances(scores: Scores, objects: ObjectScores, rules: DistanceRules) -> ObjectScores:
    """Return scores of objects with those of their distances, if masks tell objects apart."""
    if not has_pixels(scores.run, objects.rules):
        return objects
    rules = rules.of_objects()
    table = find_object_table(scores, objects, rules)
    found = object_distances(objects, table, rules)
    unit = UNITS[bool(table.table.spaced.any()), bool(table.table.spaced.all())]
    kinds = list(objects.kept)
    block = {
        "unit": unit,
        "threshold": objects.rules.thresholds[0],
        **_block(found, np.isin(found.kind, kinds), objects),
        "signature": "|".join(rules.signature_parts()),
    }
    if len(objects.kinds) > 1:
        block["classes"] = [
            {"name": name, **_block(found, found.kind == k, objects)}
            for k, name in enumerate(objects.kinds)
        ]
    return replace(objects, distances=block)


def _block(
    found: ObjectDistances, chosen: NDArray[np.bool_], objects: ObjectScores
) -> dict[str, Any]:
    """Return means of some objects, the matches among them, and how many there are of each."""
    by_image = BY_IMAGE[objects.rules.pooling]
    of_matches = found.mean(chosen & (found.fate == MATCHED), by_image=by_image)
    means = found.mean(chosen, by_image=by_image)
    return {
        **{name: int((chosen & (found.fate == fate)).sum()) for name, fate in NUMBERS.items()},
        "means": nested(means) | infinite(means),
        "matches": nested(of_matches) | infinite(of_matches),
    }


def find_object_table(
    scores: Scores, objects: ObjectScores, rules: DistanceRules
) -> ObjectDistanceTable:
    """Return what was measured of the objects of a run for these rules, or comes to the same."""
    source, wanted = objects.rules.source, rules.measure
    like = f" --like {rules.like}" if wanted != DistanceMeasure() else ""
    option = f"--objects {source} --distances{like}"
    plain = DistanceMeasure(elements=wanted.elements, spacing=rules.steps)
    kinds = [ObjectDistanceMeasure(distances=each).kind for each in (wanted, plain)]
    other = kinds[1] in scores.run.measured and kinds[0] not in scores.run.measured
    kept = kept_of(scores.run, kinds[other], scores.labels, scores.unknown, option)
    table = ObjectDistanceTable.of(kept.data)
    held = components_of(scores.run) if source == "components" else "ids"
    spacing = (plain if other else wanted).definition["spacing"]
    resized = rules.steps is not None and kept.definition["spacing"] != spacing
    differs = other and not comes_to_the_same(table.table, wanted)
    if kept.definition["objects"] != held or resized or differs:
        raise SettingError(
            "the distances of objects in this run are those of other objects, settings of void or "
            f"--spacing; type the same score command with {option}, -o RUN and --resume"
        )
    return replace(table, table=table.table.unspaced()) if wanted.ignored else table


def object_distances(
    objects: ObjectScores, table: ObjectDistanceTable, rules: DistanceRules
) -> ObjectDistances:
    """Score every object: matches at the first threshold, and what the others count."""
    found = objects.table
    matches = match(found, objects.rules, objects.rules.thresholds[0])
    ends = found.overlaps.truth[matches], found.overlaps.prediction[matches]
    missed = np.setdiff1d(np.arange(found.truth.id.size), ends[0])
    false = np.setdiff1d(np.arange(found.prediction.id.size), ends[1])
    side = found.prediction
    false = false[2 * side.excused[false] <= side.whole[false]]
    parts = [(found.truth, ends[0]), (found.truth, missed), (found.prediction, false)]
    image = np.concatenate([side.image[at] for side, at in parts])
    ids = zip(found.truth.image[ends[0]], found.truth.id[ends[0]], side.id[ends[1]], strict=True)
    rows = table.rows([(int(n), int(one), int(two)) for n, one, two in ids])
    fate = np.repeat([MATCHED, MISSED, FALSE], [len(at) for _, at in parts])
    values = {}
    of_rows = score_rows(table.table, rules)
    for name, family in score_names(rules).items():
        of_all = [of_rows[name][rows]]
        for which, case in CASES.items():
            given = case_values(rules.case(family, case), table.table.diagonal)
            of_all.append(given[image[fate == which]])
        values[name] = np.concatenate(of_all)
    return ObjectDistances(
        image=image,
        kind=np.concatenate([side.kind[at] for side, at in parts]),
        fate=fate,
        values=values,
    )
