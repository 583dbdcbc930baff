"""Whether values that are taken for classes may be ids of objects."""

from __future__ import annotations

from typing import Final

import numpy as np

from segeval.counting.run import CountedRun
from segeval.labels.ids import object_labels
from segeval.labels.labelmap import LabelMap
from segeval.objects.matching import match
from segeval.objects.rules import ObjectRules
from segeval.objects.table import Objects, find_objects

FEWEST: Final = 8  # values from which on they may be ids
LOOKED_AT: Final = 200  # images
SPREAD: Final = 1.25  # the last ids of images are at least so far apart


def may_be_ids(run: CountedRun, labels: LabelMap) -> bool:
    """Say whether values look like ids: of objects that match, most have another one on each side.

    Or else every true image holds 1, 2, 3 … up to a number that differs from image to image.
    """
    if labels.name != "found" or len(labels.names) <= FEWEST or run.objects is not None:
        return False
    some = run.select(range(min(len(run), LOOKED_AT)))
    table = find_objects(some, object_labels(labels.void))
    rules = ObjectRules(thresholds=(0.75,))
    overlaps = table.overlaps
    found = match(table, rules, rules.thresholds[0])
    partners = (
        table.truth.id[overlaps.truth[found]],
        table.prediction.id[overlaps.prediction[found]],
    )
    others = int((partners[0] != partners[1]).sum())
    return 2 * others > max(found.size, FEWEST) or _are_numbered(table.truth, table.images)


def _are_numbered(side: Objects, images: int) -> bool:
    """Whether each image holds the ids from 1 to a last one, which is far from always the same."""
    last, held = np.zeros(images, np.int64), np.bincount(side.image, minlength=images)
    np.maximum.at(last, side.image, side.id)
    numbers = np.unique(last[last > 0])
    if not numbers.size or not (held == last).all():
        return False
    return bool(numbers[-1] > FEWEST and numbers[-1] > SPREAD * numbers[0])
