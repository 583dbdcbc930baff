"""Names of the scores of distances, as gates and columns have them: ``hd95``, ``nsd@2``.

Those of objects begin with ``object_``, of all of them, or ``matched_``, of the matches alone.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from segeval.distances.rules import DistanceRules, Family

RATES: Final = ("miss_rate", "false_alarm_rate")
NUMBER: Final = r"(?:\d+\.?\d*|\.\d+)"
OF_OBJECTS: Final = "(?:object|matched)_"
OF_BORDERS: Final = rf"hd{NUMBER}?|assd|masd|nsd(?:@{NUMBER})?"
SCORE: Final = re.compile(rf"(?:(?:{OF_OBJECTS})?(?:{OF_BORDERS})|{'|'.join(RATES)})(?=\.|$)")


def score_names(rules: DistanceRules) -> dict[str, Family]:
    """Return the names of all scores, as `hd`, `hd95`, `assd`, `masd`, `nsd@1`, and families."""
    percentiles = [f"hd{level:g}" for level in rules.percentiles if level != 100]
    return {
        "hd": "hd",
        **dict.fromkeys(percentiles, "percentile"),
        "assd": "mean",
        "masd": "mean",
        **dict.fromkeys([f"nsd@{tau:g}" for tau in rules.tolerances], "nsd"),
    }


def is_distance_score(metric: str) -> bool:
    """Whether the metric of a gate is a score of distances.

    >>> [is_distance_score(name) for name in ("hd95", "nsd@1.liver", "miss_rate", "iou.hd95")]
    [True, True, True, False]
    """
    return SCORE.match(metric) is not None


def is_of_objects(metric: str) -> bool:
    """Whether a score is one of the distances of objects.

    >>> is_of_objects("object_hd95.cell"), is_of_objects("hd95"), is_of_objects("object_dice")
    (True, False, False)
    """
    return is_distance_score(metric) and re.match(OF_OBJECTS, metric) is not None


def is_distance_column(name: str) -> bool:
    """Whether a column of a table is of distances: a score, or that of a class.

    >>> is_distance_column("hd95_liver"), is_distance_column("hd95"), is_distance_column("hdr_a")
    (True, True, False)
    """
    return any(SCORE.match(f"{part}.") for part in (name, *_before_bars(name)))


def _before_bars(name: str) -> list[str]:
    words = name.split("_")
    return ["_".join(words[:n]) for n in range(1, len(words))]


def is_higher_better(metric: str) -> bool:
    """Whether more is better, as of a share within a tolerance.

    >>> is_higher_better("matched_nsd@1"), is_higher_better("hd95.liver")
    (True, False)
    """
    return re.match(f"(?:{OF_OBJECTS})?nsd", metric) is not None
