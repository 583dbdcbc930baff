"""How a run stands against the baseline, for the page: which way, by chance or not, how often."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from segeval.reports.compare import SIGNIFICANT, rounds_needed, signed
from segeval.reports.document import foreground_of
from segeval.scoring.compare import RunComparison, without_rounding
from segeval.scoring.metrics import metric_of, title_of
from segeval.scoring.resampling import FEW
from segeval.text import show_score, unbroken_count

WAYS: Final = {
    "better": "better",
    "worse": "worse",
    "same": "the same",
    "baseline": "defined in the baseline only",
    "run": "defined in this run only",
    "neither": "undefined in both",
}
"""How a score of a run stands against that of the baseline, and the words for it."""


def judge(
    comparison: RunComparison,
    document: Mapping[str, Any],
    part: Mapping[str, Any],
    *,
    percent: bool,
) -> dict[str, Any]:
    """Return what the page says first of a run; the part of the document is that of the run."""
    labels, classes = comparison.scores.labels, comparison.classes
    metric = metric_of(comparison.scores.convention.headline)
    title, figures = _headline(comparison, part)
    standing = ways_of(classes[metric.name].baseline, classes[metric.name].value)
    certain = classes[metric.name].corrected < SIGNIFICANT
    return {
        "title": title,
        "figures": figures,
        "way": _way(figures),
        "chance": chance(figures, document["resampling"], percent=percent),
        "foreground": foreground_of(comparison.scores).get("foreground"),
        "metric": metric.title,
        "classes": in_words(standing),
        "certain": in_words(standing[certain], most=2) if certain.any() else "",
        "needed": rounds_needed(len(labels.names), comparison.resampling.rounds),
        "only": {side: _named(labels.names, standing, side) for side in ("baseline", "run")},
        "image_metric": title_of(comparison.metric),
        "images": in_words(ways_of(*comparison.images)),
    }


def _headline(comparison: RunComparison, part: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """Return title and figures of the headline: of two classes, the score of the foreground."""
    scores, name = comparison.scores, comparison.scores.convention.headline
    position = scores.foreground
    if position is None or scores.convention.like:
        return title_of(name), part["summary"][name]
    metric, label = metric_of(name), scores.labels.names[position]
    return title_of(f"{metric.name}.{label}"), part["classes"][position][metric.name]


def _way(figures: Mapping[str, Any]) -> str:
    sides = (np.array(figures[side], np.float64) for side in ("baseline", "value"))
    return [*WAYS][int(ways_of(*sides))]


def ways_of(baseline: NDArray[np.float64], value: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the place in `WAYS` of each score; NaN is undefined.

    >>> ways_of(np.array([0.5, 0.5, 0.5, np.nan]), np.array([0.7, 0.5, np.nan, np.nan])).tolist()
    [0, 2, 3, 5]
    """
    delta = without_rounding(value - baseline)
    known, now = ~np.isnan(baseline), ~np.isnan(value)
    cases = [delta > 0, delta < 0, delta == 0, known & ~now, now & ~known]
    return np.select(cases, range(5), 5)


def in_words(ways: NDArray[np.intp], most: int = len(WAYS)) -> str:
    """Say how many there are of each of the first ways; that there are none, of three only.

    >>> in_words(np.array([0, 0, 3]))
    '2 better, 0 worse, 0 the same, 1 defined in the baseline only'
    """
    counts = np.bincount(ways, minlength=len(WAYS)).tolist()
    said = enumerate(zip([*WAYS.values()][:most], counts, strict=False))
    return ", ".join(f"{unbroken_count(n)} {words}" for k, (words, n) in said if n or k < 3)


def _named(names: Sequence[str], ways: NDArray[np.intp], way: str) -> list[str]:
    return [names[k] for k in np.flatnonzero(ways == [*WAYS].index(way)).tolist()]


def chance(
    figures: Mapping[str, Any], resampling: Mapping[str, Any], *, percent: bool
) -> tuple[str, str]:
    """Say in a few words, and in a sentence, whether chance alone would differ as much.

    >>> facts = {"level": 0.95, "resamples": 1000, "units": 50, "unit": "images"}
    >>> chance({"delta": 0.1, "low": -0.1, "high": 0.3, "p": 0.2}, facts, percent=False)[0]
    'Chance alone may do this.'
    """
    low, high, p = (figures[name] for name in ("low", "high", "p"))
    if figures["delta"] is None:
        return "", ""
    if low is None or high is None or p is None:
        return "Nothing is known of chance.", "The difference is undefined in every resample."
    outside, rare = not low <= 0 <= high, p < SIGNIFICANT
    lead = "Not settled."
    if figures["delta"] == 0:
        lead = "No difference."
    elif outside == rare:
        lead = "More than chance." if rare else "Chance alone may do this."
    units = f"{unbroken_count(resampling['units'])} {resampling['unit']}"
    bounds = " and ".join(signed(bound, percent=percent) for bound in (low, high))
    middle = f"The middle {100 * resampling['level']:g}\N{NO-BREAK SPACE}% of"
    drawn = f"{unbroken_count(resampling['resamples'])} paired resamples of {units}"
    excluded = f"{'excludes' if outside else 'includes'} 0, {'and' if outside == rare else 'but'}"
    small = f"p = {show_score(p)} is {'below' if rare else 'not below'} {SIGNIFICANT}"
    sentences = [f"{middle} {drawn} lie between {bounds}, which {excluded} {small}."]
    if not (outside or rare):
        sentences.append("That is no proof that the two are equal.")
    if figures.get("undefined"):
        undefined = unbroken_count(figures["undefined"])
        sentences.append(f"It is undefined in {undefined} resamples, which are left out.")
    if resampling["units"] < FEW:
        sentences.append(f"Only {units}: intervals of less than {FEW} are unreliable.")
    return lead, " ".join(sentences)
