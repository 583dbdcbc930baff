"""Bounds on distances: ceilings, and floors of shares within a tolerance."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, Protocol

from segeval.distances.names import NUMBER, OF_OBJECTS, is_distance_score, is_higher_better
from segeval.errors import SettingError
from segeval.scoring.gates import (
    Gate,
    Threshold,
    find_names,
    parse_ceiling,
    parse_threshold,
    split_bound,
)
from segeval.scoring.metrics import is_error

if TYPE_CHECKING:
    from segeval.distances.rules import DistanceRules

LEVEL: Final = re.compile(rf"(?:{OF_OBJECTS})?(?P<score>nsd@|hd)(?P<level>{NUMBER})(?=\.|$)")
"""A percentile or a tolerance in the name of a score."""


def is_to_be_low(metric: str) -> bool:
    """Whether less is better, as of a distance or an error of topology.

    >>> [is_to_be_low(name) for name in ("hd95.liver", "nsd@1", "betti0_error", "miou")]
    [True, False, True, False]
    """
    return is_error(metric) or (is_distance_score(metric) and not is_higher_better(metric))


def parse_floor(text: str, *, default: str = "miou") -> Threshold:
    """Parse ``[METRIC=]VALUE``, below which a score fails that is to be high."""
    metric = split_bound(text)[0]
    if is_to_be_low(metric):
        raise SettingError(f"--fail-under {text}: {metric} is to be low; type --fail-over {text}")
    return parse_threshold(text, default=default)


def parse_limit(text: str) -> Threshold:
    """Parse ``NAME=VALUE``, above which a score fails that is to be low."""
    ceiling = parse_ceiling(text, what="SCORE", example="hd95=5 or hd95.liver=5")
    if is_to_be_low(ceiling.metric):
        return ceiling
    raise SettingError(
        f"--fail-over {text}: {ceiling.metric} is no distance, and no error, but to be high; "
        f"type --fail-under {text}"
    )


class Distances(Protocol):
    """Scores of distances: of classes, or of objects."""

    @property
    def rules(self) -> DistanceRules:
        """How they are scored."""

    @property
    def kinds(self) -> tuple[str, ...]:
        """The names of the classes."""

    def named(self) -> dict[str, float]:
        """Return every score by its name in gates."""


def check_distances(distances: Distances, threshold: Threshold) -> Iterator[Gate]:
    """Compare a score of distances with its bounds; `hd95.*` is every class that has a value."""
    known = distances.named()
    advice = _advice(distances.rules, threshold.metric)
    names = find_names(known, distances.kinds, threshold.metric, what="distances", advice=advice)
    ends = {"minimum": threshold.minimum, "maximum": threshold.maximum}
    yield from (Gate(metric=name, value=known[name], **ends) for name in names)


def _advice(rules: DistanceRules, metric: str) -> str:
    """Say what to type for a percentile or a tolerance that was not asked for."""
    asked = LEVEL.match(metric)
    option, levels = {
        "nsd@": ("--nsd", rules.tolerances),
        "hd": ("--hd-percentile", rules.percentiles),
    }[asked["score"] if asked else "hd"]
    if asked is None or float(asked["level"]) in levels:
        return "other percentiles and tolerances are those of --hd-percentile and --nsd"
    wanted = sorted({*levels, float(asked["level"])})
    return f"type {option} {','.join(f'{level:g}' for level in wanted)} to ask for it"
