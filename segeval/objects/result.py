"""The object scores of a run under one label map."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from segeval.objects.components import check_source
from segeval.objects.counts import ObjectCounts, count_objects
from segeval.objects.names import name_values
from segeval.objects.rules import ObjectRules
from segeval.objects.scores import (
    Values,
    named_levels,
    over_classes,
    score_counts,
    summarize_classes,
    summarize_objects,
)
from segeval.objects.table import ObjectTable, find_objects
from segeval.scoring.beside import bounds_of, name_scores, once
from segeval.scoring.means import Summary
from segeval.scoring.sample import excluded_indices
from segeval.scoring.score import Scores
from segeval.text import defined

if TYPE_CHECKING:
    from segeval.objectdistances.scores import ObjectDistances


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ObjectScores:
    """Scores of objects, NaN where undefined; a mean over classes, and those of each class."""

    rules: ObjectRules
    signature: str  # of the run and of the rules
    names: Sequence[str]  # of the N images
    table: ObjectTable
    kinds: tuple[str, ...]  # names of the K classes of objects
    kept: tuple[int, ...]  # positions of those in the means
    counts: ObjectCounts  # (N, K, B, …) of images, classes, and bins of size
    whole: Mapping[str, Values]  # () or, at thresholds, (T,)
    classes: Mapping[str, Values]  # (K, …)
    bounds: Summary | None  # (2, …) and (2, K, …); None without intervals
    distances: ObjectDistances | None = None  # if they were asked for

    def block(self, kind: int | None = None) -> dict[str, Any]:
        """Return the scores as plain data, of one class or of all."""
        scores = self.whole if kind is None else {n: v[kind] for n, v in self.classes.items()}
        kinds = list(range(len(self.kinds))) if kind is None else [kind]
        counts = self.counts.map(lambda part: part[:, kinds].sum(axis=(0, 1)))
        return {
            "source": self.rules.source,
            "pooling": self.rules.pooling,
            **({"headline": self.rules.headline} if self.rules.headline and kind is None else {}),
            **({"class": self.kinds[0]} if len(self.kinds) == 1 else {}),
            "thresholds": list(self.rules.thresholds),
            **_plain(scores),
            **self._numbers(counts.map(lambda part: part.sum(axis=0))),
            **self._empty(kinds),
            **self._intervals(kind),
            **({"sizes": list(self._sizes(kinds, counts))} if self.rules.sizes else {}),
            **({"distances": self.distances.block()} if self.distances and kind is None else {}),
            "signature": "|".join(self.rules.signature_parts()),
        }

    def _numbers(self, counts: ObjectCounts) -> dict[str, Any]:
        """Count the objects; those missed and those too many at the threshold of PQ."""
        at = self.rules.panoptic
        return {
            "truth": int((counts.tp + counts.fn)[at]),
            "predicted": int((counts.tp + counts.fp)[at]),
            "missed": int(counts.fn[at]),
            "false": int(counts.fp[at]),
            "merges": int(counts.merges),
            "splits": int(counts.splits),
        }

    def _empty(self, kinds: list[int]) -> dict[str, Any]:
        """Count the images without a true object, and those of them that raise a false alarm."""
        at, counts = self.rules.panoptic, self.counts
        true, false = (
            part[:, kinds][..., at].sum(axis=(1, 2)) for part in (counts.tp + counts.fn, counts.fp)
        )
        alarms = (true == 0) & (false > 0)
        numbers = {"images": true == 0, "false_alarms": alarms}
        counted = {name: int(which.sum()) for name, which in numbers.items()}
        return {"empty_truth": counted | {"false": int(false[alarms].sum())}}

    def _intervals(self, kind: int | None) -> dict[str, Any]:
        if self.bounds is None:
            return {}
        means, classes = self.bounds.means, self.bounds.classes
        bounds = means if kind is None else {n: b[:, kind] for n, b in classes.items()}
        return {"intervals": _plain({name: np.moveaxis(b, 0, -1) for name, b in bounds.items()})}

    def _sizes(self, kinds: list[int], counts: ObjectCounts) -> Iterator[dict[str, Any]]:
        """Yield the scores of each bin of size, of the mean over classes."""
        ends = [*self.rules.sizes[1:], None]
        for number, (start, end) in enumerate(zip(self.rules.sizes, ends, strict=True), 1):
            part = self.counts.map(lambda each, at=number: each[:, :, at])  # type: ignore[misc]
            values = summarize_objects(part, self.rules)
            kept = [k for k in kinds if k in self.kept or len(kinds) == 1]
            scores = over_classes({n: v[0][kept] for n, v in values.items()}, axis=0)
            of_bin = counts.map(lambda each, at=number: each[at])  # type: ignore[misc]
            yield {"from": start, "below": end, **_plain(scores), **self._numbers(of_bin)}

    def columns(self) -> Iterator[tuple[str, str, Values]]:
        """Score every image by itself: yield class, or none, name and (N,) numbers and scores."""
        at = self.rules.panoptic
        counts = self.counts.map(lambda part: part.sum(axis=2))
        kept = list(self.kept)
        values = {n: v[:, kept] for n, v in score_counts(counts, self.rules).items()}
        numbers = {
            f"{name}_objects": part[..., at].sum(axis=1)
            for name, part in (
                ("true", counts.tp + counts.fn),
                ("predicted", counts.tp + counts.fp),
            )
        }
        of_all = numbers | name_values(over_classes(values), self.rules.thresholds)
        yield from (("", *each) for each in of_all.items())
        if self.distances is not None:
            yield from self.distances.columns()

    def named(self) -> dict[str, float]:
        """Return every score, and bound of its interval, by its name in gates."""
        levels = self.rules.thresholds
        values = named_levels(Summary(means=self.whole, classes=self.classes), levels)
        bounds = None if self.bounds is None else named_levels(self.bounds, levels)
        further = {} if self.distances is None else self.distances.named()
        return name_scores(values, bounds, self.kinds) | further


def _plain(values: Mapping[str, Values]) -> dict[str, Any]:
    return {name: _defined(each.tolist()) for name, each in values.items()}


def _defined(value: Any) -> Any:
    return [_defined(each) for each in value] if isinstance(value, list) else defined(value)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FoundObjects:
    """The objects of a run that is scored, before any rule is applied."""

    table: ObjectTable
    kept: tuple[int, ...]  # positions of the classes that are in means

    @classmethod
    def of(cls, scores: Scores, rules: ObjectRules) -> FoundObjects:
        """Find them; excluded classes are in no mean over classes."""
        labels, ignored = scores.labels.apart("an object of a value"), scores.unknown == "ignore"
        check_source(scores.run, labels, rules)
        table = find_objects(scores.run, labels, ignore_unknown=ignored)
        excluded = excluded_indices(scores.convention, scores.labels)
        left_out = {scores.labels.names[k] for k in excluded}
        kept = tuple(k for k, name in enumerate(table.kinds) if name not in left_out)
        return cls(table=table, kept=kept)

    def score(self, rules: ObjectRules, name: str) -> tuple[float, int]:
        """Return a score by its name, and how many values of classes and images are its mean."""
        counts = count_objects(self.table, rules).map(lambda part: part.sum(axis=2))
        scores = [summarize_objects(counts, rules), score_counts(counts, rules)]
        whole, images = ({n: v[:, list(self.kept)] for n, v in each.items()} for each in scores)
        entering = {"dataset": whole, "image": images}[rules.pooling]
        entered = name_values(entering, rules.thresholds)
        value = name_values(over_classes(whole), rules.thresholds)[name]
        return float(value[0]), int((~np.isnan(entered[name])).sum())


def score_objects(scores: Scores, rules: ObjectRules) -> ObjectScores:
    """Score the objects of a run that is scored.

    There are intervals if the scores have some, from resamples of the same units.
    """
    found = FoundObjects.of(scores, rules)
    table = found.table
    counts = count_objects(table, rules)
    pooled = counts.map(lambda part: part.sum(axis=2))
    score = partial(summarize_classes, pooled, rules=rules, kept=found.kept)
    values = score(once(len(pooled.tp))).map(lambda each: each[0])
    return ObjectScores(
        rules=rules,
        signature="|".join((scores.signature, *rules.signature_parts())),
        names=scores.run.images.names,
        table=table,
        kinds=table.kinds,
        kept=found.kept,
        counts=counts,
        whole=values.means,
        classes=values.classes,
        bounds=bounds_of(scores, score),
    )
