"""Names of the scores of objects, as gates and columns of tables have them: ``f1@0.75``."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

LEVELLED: Final = ("precision", "recall", "f1", "ap", "matched_iou", "object_dice")
"""Scores at each threshold; their last axis is that of thresholds."""

OF_PIXELS: Final = {"precision", "recall"}  # names that scores of pixels have as well
TOTALS: Final = ("pq", "sq", "rq", "aji")
"""Scores at one threshold, or at none."""


def score_names(thresholds: Sequence[float]) -> tuple[str, ...]:
    """Name every score: those at one threshold, and their means over all of them.

    >>> score_names([0.5, 0.75])[:7]
    ('pq', 'sq', 'rq', 'aji', 'precision@0.5', 'precision@0.75', 'precision@0.5:0.75')
    """
    return (*TOTALS, *(f"{name}@{level}" for name in LEVELLED for level in _levels(thresholds)))


def _levels(thresholds: Sequence[float]) -> list[str]:
    plain = [f"{level:g}" for level in thresholds]
    return plain if len(plain) == 1 else [*plain, f"{plain[0]}:{plain[-1]}"]


def name_values(values: Mapping[str, Any], thresholds: Sequence[float]) -> dict[str, Any]:
    """Give every score its name: of arrays of which some have a last axis of thresholds."""
    named = {name: values[name] for name in TOTALS}
    for name in LEVELLED:
        levels = _levels(thresholds)
        columns = [values[name][..., at] for at in range(len(thresholds))]
        columns += [values[name].mean(axis=-1)] if len(levels) > len(columns) else []
        named |= {f"{name}@{level}": each for level, each in zip(levels, columns, strict=True)}
    return named


def summary_names(names: Sequence[str]) -> list[str]:
    """Pick the scores of a short table: the totals, then F1 and AP at one level or as means.

    >>> summary_names(score_names([0.5, 0.75]))
    ['pq', 'sq', 'rq', 'aji', 'f1@0.5:0.75', 'ap@0.5:0.75']
    """
    last = {name.partition("@")[0]: name for name in names if "@" in name}
    return [*TOTALS, last["f1"], last["ap"]]


def nearest_name(name: str, thresholds: Sequence[float]) -> str:
    """Return a score at the thresholds there are: of all of them, if not at its own.

    >>> nearest_name("ap@0.5", [0.5, 0.75]), nearest_name("ap@0.5", [0.75]), nearest_name("pq", [1])
    ('ap@0.5', 'ap@0.75', 'pq')
    """
    if not name or name in score_names(thresholds):
        return name
    return f"{name.partition('@')[0]}@{_levels(thresholds)[-1]}"


def name_block(block: Mapping[str, Any]) -> dict[str, float | None]:
    """Give the scores of a document their names."""
    named = {name: block[name] for name in TOTALS}
    levels = _levels(block["thresholds"])
    for name in LEVELLED:
        values = block[name]
        mean = None if None in values else sum(values) / len(values)
        named |= dict(zip((f"{name}@{level}" for level in levels), (*values, mean), strict=False))
    return named


NUMBER: Final = r"\d*\.\d+|\d+"
RANGE: Final = re.compile(rf"@({NUMBER})((?::(?:{NUMBER}))*)")


def is_object_score(metric: str) -> bool:
    """Whether the metric of a gate is a score of objects.

    >>> is_object_score("pq"), is_object_score("f1"), is_object_score("precision.road")
    (True, True, False)
    >>> is_object_score("precision@.75"), is_object_score("miou@night")
    (True, False)
    """
    name = re.split("[.@]", metric, maxsplit=1)[0]
    if name in OF_PIXELS:
        return RANGE.search(metric) is not None
    return name in TOTALS or name in LEVELLED


def plain_name(metric: str) -> str:
    """Write thresholds as names have them: without a step, and with a digit before the point.

    >>> plain_name("f1@.75"), plain_name("ap@.5:.05:.95.cell.low")
    ('f1@0.75', 'ap@0.5:0.95.cell.low')
    """

    def plain(found: re.Match[str]) -> str:
        levels = [found[1], *found[2].split(":")[1:]]
        return "@" + ":".join(f"{float(level):g}" for level in (levels[0], *levels[1:][-1:]))

    return RANGE.sub(plain, metric, count=1)
