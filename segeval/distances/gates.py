"""Bounds on distances: ceilings, and floors of shares within a tolerance."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from segeval.distances.names import is_higher_better
from segeval.errors import SettingError
from segeval.scoring.gates import Gate, Threshold
from segeval.text import did_you_mean, listed

if TYPE_CHECKING:
    from segeval.distances.result import DistanceScores

LISTED = 12  # names of scores that an error tells


def check_distances(
    distances: DistanceScores | None, thresholds: Sequence[Threshold]
) -> Iterator[Gate]:
    """Compare scores of distances with bounds; `hd95.*` is every class that has a value."""
    for threshold in thresholds:
        if distances is None:
            raise SettingError(f"{threshold.metric} is a distance; type --distances as well")
        if is_higher_better(threshold.metric) and math.isfinite(threshold.maximum):
            name = threshold.metric
            raise SettingError(
                f"{name} is to be high; type --fail-under {name}={threshold.maximum:g}"
            )
        yield from _check(distances, threshold)


def _check(distances: DistanceScores, threshold: Threshold) -> Iterator[Gate]:
    known, metric = distances.named(), threshold.metric
    names = [metric]
    if metric.endswith(".*"):
        names = [f"{metric[:-1]}{kind}" for kind in distances.kinds]
        names = [n for n in names if n not in known or not math.isnan(known[n])] or names
    if missing := [name for name in names if name not in known]:
        plain = metric.endswith((".low", ".high")) and distances.bounds is None
        raise SettingError(
            f"no score of distances is called {metric!r}{' without --ci' if plain else ''}"
            f"{did_you_mean(missing[0], known) or ';'} the scores are "
            f"{listed([n for n in known if '.' not in n], LISTED)}; other percentiles and "
            "tolerances are those of --hd-percentile and --nsd"
        )
    for name in names:
        yield Gate(
            metric=name,
            minimum=threshold.minimum,
            maximum=threshold.maximum,
            value=known[name],
        )
