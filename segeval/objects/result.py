"""The object scores of a run under one label map."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from segeval.objects.counts import ObjectCounts, count_objects
from segeval.objects.rules import ObjectRules
from segeval.objects.scores import Values, over_classes, summarize_objects
from segeval.objects.table import find_objects
from segeval.scoring.sample import excluded_indices
from segeval.scoring.score import Scores
from segeval.text import defined


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ObjectScores:
    """Scores of objects, NaN where undefined; a mean over classes, and those of each class."""

    rules: ObjectRules
    kinds: tuple[str, ...]  # names of the K classes of objects
    counts: ObjectCounts  # (N, K, …)
    whole: Mapping[str, Values]  # () or, at thresholds, (T,)
    classes: Mapping[str, Values]  # (K, …)

    def block(self, kind: int | None = None) -> dict[str, Any]:
        """Return the scores as plain data, of one class or of all."""
        names = range(len(self.kinds)) if kind is None else [kind]
        scores = self.whole if kind is None else {n: v[kind] for n, v in self.classes.items()}
        counts = self.counts.map(lambda part: part[:, list(names)].sum(axis=(0, 1)))
        at, rules = self.rules.panoptic, self.rules
        plain = {
            name: [defined(v) for v in values.tolist()] if values.ndim else defined(values.item())
            for name, values in scores.items()
        }
        return {
            "source": rules.source,
            "pooling": rules.pooling,
            "thresholds": list(rules.thresholds),
            **plain,
            "truth": int((counts.tp + counts.fn)[at]),
            "predicted": int((counts.tp + counts.fp)[at]),
            "merges": int(counts.merges),
            "splits": int(counts.splits),
            "signature": "|".join(rules.signature_parts()),
        }


def score_objects(scores: Scores, rules: ObjectRules) -> ObjectScores:
    """Score the objects of a run that is scored; excluded classes are in no mean over classes."""
    ignored = scores.unknown == "ignore"
    labels = scores.labels.apart("an object of a value")
    table = find_objects(scores.run, labels, ignore_unknown=ignored)
    counts = count_objects(table, rules).map(lambda part: part.sum(axis=2))
    values = summarize_objects(counts, rules)
    left_out = {scores.labels.names[k] for k in excluded_indices(scores.convention, scores.labels)}
    kept = [k for k, name in enumerate(table.kinds) if name not in left_out]
    return ObjectScores(
        rules=rules,
        kinds=table.kinds,
        counts=counts,
        whole=over_classes({name: each[0][kept] for name, each in values.items()}, axis=0),
        classes={name: each[0] for name, each in values.items()},
    )
