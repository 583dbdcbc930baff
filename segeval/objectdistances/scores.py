"""The distances of objects: those of the matched, and what the others count."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from operator import itemgetter
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from segeval.distances.means import Sums, over_images
from segeval.distances.measure import DistanceMeasure
from segeval.distances.names import score_names
from segeval.distances.result import comes_to_the_same, infinite, intervals, nested, unit_of
from segeval.distances.rules import CaseName, DistanceRules
from segeval.distances.values import Values, case_values, score_rows
from segeval.errors import SettingError
from segeval.labels.measured import kept_of, to_measure
from segeval.objectdistances.measure import ObjectDistanceMeasure, ObjectDistanceTable, has_pixels
from segeval.objects.components import components_of
from segeval.objects.matching import match
from segeval.objects.result import FoundObjects
from segeval.objects.rules import ObjectRules
from segeval.objects.table import ObjectTable
from segeval.scoring.beside import bounds_of, name_scores, once
from segeval.scoring.means import Summary
from segeval.scoring.score import Scores

MATCHED, MISSED, FALSE = range(3)
NUMBERS: Final = {"matched": MATCHED, "missed": MISSED, "false": FALSE}
PARTS: Final = {"object": (MATCHED, MISSED, FALSE), "matched": (MATCHED,)}
"""Over which objects a score is averaged, by how its name begins: over all, or over matches."""

BLOCKS: Final = {"means": "object", "matches": "matched"}  # parts, by their names in documents
BY_IMAGE: Final = {"dataset": False, "image": True}  # over what means run, by pooling
CASES: Final[dict[int, CaseName]] = {MISSED: "missed", FALSE: "false_alarm"}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SingleObjects:
    """The scores of M objects: matched ones once, then those missed, then those too many."""

    image: NDArray[np.int64]  # (M,); position in the run
    kind: NDArray[np.int64]  # (M,); position among the classes of objects
    fate: NDArray[np.int64]  # (M,); `MATCHED`, `MISSED` or `FALSE`
    values: Mapping[str, Values]  # (M,) by name; NaN where undefined

    def sums(self, images: int, kinds: int, kept: Sequence[int]) -> dict[str, Sums]:
        """Sum every score by image and class, and last over all classes kept: (N, K + 1)."""
        found = {}
        for begin, fates in PARTS.items():
            chosen = np.isin(self.fate, fates)
            cells = self.image[chosen] * kinds + self.kind[chosen]
            for name, values in self.values.items():
                whole = partial(_by_class, cells=cells, shape=(images, kinds), kept=[*kept])
                found[f"{begin}_{name}"] = Sums.of(values[chosen]).map(whole)
        return found


def _by_class(
    part: NDArray[Any], *, cells: NDArray[np.int64], shape: tuple[int, int], kept: list[int]
) -> NDArray[Any]:
    """Add up what single objects have by image and class, and over the classes kept."""
    sums = np.bincount(cells, part, shape[0] * shape[1]).reshape(shape).astype(part.dtype)
    return np.hstack((sums, sums[:, kept].sum(axis=1, keepdims=True)))


def mean_objects(sums: Mapping[str, Sums], weights: Values, *, by_image: bool) -> Summary:
    """Average over objects, or over those of each image and then over images.

    Means are over all objects of the classes kept, not over classes.
    """
    values = {
        name: over_images(weights, each.mean) if by_image else each.drawn(weights)
        for name, each in sums.items()
    }
    return Summary(
        means={name: each[:, -1] for name, each in values.items()},
        classes={name: each[:, :-1] for name, each in values.items()},
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ObjectDistances:
    """The distances of the objects of a run: means over all, and of each class."""

    rules: DistanceRules
    unit: str  # px or mm
    threshold: float  # least IoU of a match
    spacing: Sequence[tuple[float, ...]]  # of the N images, along z, y, x
    kinds: tuple[str, ...]  # names of the K classes of objects
    kept: tuple[int, ...]  # positions of those in the means
    numbers: Mapping[str, NDArray[np.int64]]  # (K,): how many are matched, missed, too many
    sums: Mapping[str, Sums]  # (N, K + 1)
    means: Summary  # of one round
    bounds: Summary | None  # (2, …); None without intervals

    def block(self) -> dict[str, Any]:
        """Return the scores as plain data."""
        classes = [{"name": name, **self._part([k], k)} for k, name in enumerate(self.kinds)]
        return {
            "unit": self.unit,
            "threshold": self.threshold,
            **self._part([*self.kept], None),
            **({"classes": classes} if len(classes) > 1 else {}),
            "signature": "|".join(self.rules.signature_parts()),
        }

    def _part(self, kinds: list[int], kind: int | None) -> dict[str, Any]:
        """Return means of some objects, of the matches among them, and how many there are."""
        numbers = {name: int(each[kinds].sum()) for name, each in self.numbers.items()}
        whole = _of_kind(self.means.map(itemgetter(0)), kind)
        bounds = {} if self.bounds is None else _of_kind(self.bounds, kind)
        return numbers | {
            block: nested(_beginning(begin, whole))
            | infinite(_beginning(begin, whole))
            | intervals(_beginning(begin, bounds))
            for block, begin in BLOCKS.items()
        }

    def columns(self) -> Iterator[tuple[str, str, Values]]:
        """Yield class, score and (N,) values: of all objects, and of each of several classes."""
        kinds = ("", *self.kinds) if len(self.kinds) > 1 else ("",)
        for name, each in self.sums.items():
            values = each.mean
            for k, kind in enumerate(kinds):
                yield kind, name, values[:, k - 1]

    def named(self) -> dict[str, float]:
        """Return every score by its name in gates: ``object_hd95``, ``matched_hd95.cell.low``."""
        return name_scores(self.means.map(itemgetter(0)), self.bounds, self.kinds)


def _of_kind(scores: Summary, kind: int | None) -> dict[str, Any]:
    if kind is None:
        return dict(scores.means)
    return {name: values.take(kind, axis=-1) for name, values in scores.classes.items()}


def _beginning(begin: str, scores: Mapping[str, Any]) -> dict[str, Any]:
    """Return the scores of a part without how their names begin."""
    start = f"{begin}_"
    return {name.removeprefix(start): v for name, v in scores.items() if name.startswith(start)}


def score_object_distances(
    scores: Scores, found: FoundObjects, objects: ObjectRules, rules: DistanceRules
) -> ObjectDistances | None:
    """Score the distances of objects, if masks tell these apart.

    There are intervals if the scores have some, from resamples of the same units.
    """
    if not has_pixels(scores.run, objects):
        return None
    rules = rules.of_objects()
    table = find_object_table(scores, objects, rules)
    single = single_objects(found.table, objects, table, rules)
    kinds = len(found.table.kinds)
    sums = single.sums(found.table.images, kinds, found.kept)
    score = partial(mean_objects, sums, by_image=BY_IMAGE[objects.pooling])
    return ObjectDistances(
        rules=rules,
        unit=unit_of(table.table),
        threshold=objects.thresholds[0],
        spacing=table.table.spacing,
        kinds=found.table.kinds,
        kept=found.kept,
        numbers={
            name: np.bincount(single.kind[single.fate == fate], minlength=kinds)
            for name, fate in NUMBERS.items()
        },
        sums=sums,
        means=score(once(found.table.images)),
        bounds=bounds_of(scores, score),
    )


def find_object_table(
    scores: Scores, objects: ObjectRules, rules: DistanceRules
) -> ObjectDistanceTable:
    """Return what was measured of the objects of a run for these rules, or comes to the same."""
    source, wanted = objects.source, rules.measure
    option = f"--objects {source} {rules.option}"
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
            f"--spacing; {to_measure(option)}"
        )
    return replace(table, table=table.table.unspaced()) if wanted.ignored else table


def single_objects(
    found: ObjectTable, objects: ObjectRules, table: ObjectDistanceTable, rules: DistanceRules
) -> SingleObjects:
    """Score every object: matches at the first threshold, and what the others count."""
    matches = match(found, objects, objects.thresholds[0])
    large, side = found.truth.size >= objects.smallest, found.prediction
    false = np.setdiff1d(np.arange(side.id.size), found.overlaps.prediction[matches])
    false = false[2 * side.excused[false] <= side.whole[false]]
    matches = matches[large[found.overlaps.truth[matches]]]
    ends = found.overlaps.truth[matches], found.overlaps.prediction[matches]
    missed = np.setdiff1d(np.flatnonzero(large), ends[0])
    if objects.without_truth == "empty":
        cells = [each.image * len(found.kinds) + each.kind for each in (found.truth, side)]
        false = false[np.isin(cells[1][false], cells[0][large])]
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
    return SingleObjects(
        image=image,
        kind=np.concatenate([side.kind[at] for side, at in parts]),
        fate=fate,
        values=values,
    )
