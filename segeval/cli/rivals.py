"""Options that contradict each other.

What is typed beats the file, and a command's own table beats the top of the file.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

from segeval.counting.runschema import is_run_file
from segeval.scoring.pooling import POOLINGS

RIVALS: Final = (
    ({"pairs"}, {"prediction", "truth"}),
    ({"labels"}, {"classes"}),
    ({"threshold", "truth_threshold"}, {"classes", "pred_labels"}),
    ({"resume"}, {"overwrite"}),
    ({"like"}, {"pooling", "absent", "worst"}),
)
"""Options that exclude each other in a command that has all of them: in another one, an option of
the same name may mean something else."""


BEATEN: Final[tuple[tuple[str, Callable[[Any], bool], set[str]], ...]] = (
    ("classes", lambda _: True, {"pred_labels", "level"}),
    ("pooling", lambda name: name not in POOLINGS or not POOLINGS[name].has_worst, {"worst"}),
    ("baseline", lambda path: not is_run_file(path), {"significant"}),
)
"""An option, which of its values count, and what makes no sense beside them."""


def conflicting(names: Collection[str], options: Collection[str]) -> set[str]:
    """Return which options of a command exclude one of these, or are excluded by it.

    >>> sorted(conflicting({"like"}, {"like", "pooling", "absent", "worst", "csv"}))
    ['absent', 'pooling', 'worst']
    """
    rivals: set[str] = set()
    for one, other in RIVALS:
        if (one | other).issubset(options):
            rivals |= other if not one.isdisjoint(names) else set()
            rivals |= one if not other.isdisjoint(names) else set()
    return rivals


def overridden_by(values: Mapping[str, Any], options: Collection[str]) -> set[str]:
    """Return which options of a command make no sense beside these values.

    >>> sorted(overridden_by({"pooling": "micro", "ci": 100}, {"pooling", "worst", "ci"}))
    ['worst']
    """
    beaten = conflicting(values.keys(), options)
    for name, counts, others in BEATEN:
        if name in values and counts(values[name]):
            beaten |= others
    return beaten
