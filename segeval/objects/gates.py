"""Bounds on scores of objects, beside those on scores of pixels."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from segeval.errors import SettingError
from segeval.objects.names import is_object_score, plain_name
from segeval.scoring.gates import Gate, Threshold, check_thresholds
from segeval.scoring.score import Scores
from segeval.text import did_you_mean, listed

if TYPE_CHECKING:
    from segeval.objects.result import ObjectScores

LISTED = 12  # names of scores that an error tells


def check_gates(
    scores: Scores, objects: ObjectScores | None, thresholds: Iterable[Threshold]
) -> list[Gate]:
    """Compare scores of pixels and of objects with thresholds, in the order of these."""
    gates: list[Gate] = []
    for threshold in thresholds:
        if is_object_score(threshold.metric):
            gates += _check(objects, threshold)
        else:
            gates += check_thresholds(scores, [threshold])
    return gates


def _check(objects: ObjectScores | None, threshold: Threshold) -> list[Gate]:
    if objects is None:
        raise SettingError(
            f"{threshold.metric} is a score of objects; type --objects ids or components as well"
        )
    known, metric = objects.named(), plain_name(threshold.metric)
    names = [metric]
    if metric.endswith(".*"):
        names = [f"{metric[:-1]}{kind}" for kind in objects.kinds]
    if missing := [name for name in names if name not in known]:
        bounds = " with --ci" if metric.endswith((".low", ".high")) and not objects.bounds else ""
        score = re.split("[.@]", metric, maxsplit=1)[0]
        same = [name for name in known if re.fullmatch(rf"{re.escape(score)}@[\d.:]+", name)]
        near = "" if same else did_you_mean(missing[0], known)
        raise SettingError(
            f"no score of objects is called {threshold.metric!r}{bounds}{near or ';'} "
            f"the scores are {listed(same or [*known], LISTED)}; --iou-thresholds says at which IoU"
        )
    return [Gate(metric=name, minimum=threshold.minimum, value=known[name]) for name in names]
