"""Bounds on scores of objects."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from segeval.objects.names import plain_name
from segeval.scoring.gates import Gate, Threshold, find_names

if TYPE_CHECKING:
    from segeval.objects.result import ObjectScores


def check_objects(objects: ObjectScores, threshold: Threshold) -> Iterator[Gate]:
    """Compare a score of objects with its bound."""
    known = objects.named()
    names = find_names(
        known,
        objects.kinds,
        plain_name(threshold.metric),
        what="objects",
        advice="--iou-thresholds says at which IoU",
    )
    for name in names:
        yield Gate(metric=name, minimum=threshold.minimum, value=known[name])
