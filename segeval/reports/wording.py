"""What stands beside a number: its title, and its definition in one line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from segeval.scoring.metrics import METRICS, OVERALL, Metric, metric_of, shown, title_of
from segeval.text import counted, listed

LISTED = 5
"""Vanished classes or images that are named."""


def show_bound(gate: Mapping[str, Any]) -> str:
    """Say what a gate asks for, with all digits.

    >>> show_bound({"minimum": 0.75}), show_bound({"maximum": 0.2})
    ('at least 0.75', 'at most 0.2')
    >>> show_bound({"baseline": 0.8, "max_drop": 0.005})
    'at most 0.005 below 0.8'
    """
    if "max_drop" in gate:
        return _show_drop(gate)
    words, name = ("at most", "maximum") if "maximum" in gate else ("at least", "minimum")
    return f"{words} {gate[name]!r}"


def _show_drop(gate: Mapping[str, Any]) -> str:
    """Say how far a score may be below the baseline, or what is missing of it."""
    if gate["baseline"] is None:
        return "a defined value in the baseline"
    if gate.get("metric") in {"images", "classes"}:
        missing = gate.get("missing", ())
        names = listed(missing, LISTED)
        return f"{gate['baseline']} as in the baseline" + (f", missing: {names}" if names else "")
    allowed = f"{gate['max_drop'] * 100:g}%" if gate.get("relative") else f"{gate['max_drop']!r}"
    certain = ", or no certain drop" if "interval" in gate else ""
    return f"at most {allowed} below {gate['baseline']!r}{certain}"


def verdict(gate: Mapping[str, Any]) -> str:
    """Say how a gate went; an undefined one fails as well.

    >>> verdict({"value": None, "passed": False})
    'undefined'
    """
    if gate["passed"]:
        return "passed"
    undefined = gate["value"] is None or gate.get("baseline", 0) is None
    return "undefined" if undefined else "failed"


POOLED: Final = {
    "dataset": "counts summed over {images}",
    "image": "mean over classes, then over {images}",
    "class": "mean over {images}, then over classes",
    "pair": "mean over all (class, image) values of {images}",
    "micro": "counts summed over classes and {images}",
    "image-micro": "counts summed over the classes of each image, mean over {images}",
}


CASES: Final = {
    "absent": "a class in neither",
    "pred_only": "a class only predicted",
    "truth_only": "a class never predicted",
    "disjoint": "a class never hit",
}


WORTH: Final = {
    "formula": "scores by the formula",
    "skip": "is left out",
    "zero": "counts as 0",
    "one": "counts as 1",
    "undefined": "makes the mean undefined",
}


USUAL: Final = {
    "absent": "skip",
    "pred_only": "zero",
    "truth_only": "zero",
    "disjoint": "formula",
}


WEIGHTED: Final = {
    "support": "classes weighted by true pixels",
    "support-or-one": "classes weighted by true pixels, at least one",
}


FATES: Final = {
    "skip": "not in the means",
    "zero": "count as 0",
    "one": "count as 1",
    "undefined": "make the means undefined",
}


def headline(document: Mapping[str, Any]) -> str:
    """Name the score that stands for all others."""
    name: str = document["settings"].get("headline", "miou")
    return name


def headlines(document: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield title, name and definition of each number that is shown, the headline first."""
    settings = document["settings"]
    meanings = {metric.mean: _meaning(document, metric) for metric in METRICS.values()}
    names = []
    means = (metric_of(headline(document)), *shown(METRICS, "summary"))
    for name in dict.fromkeys(metric.mean for metric in means):
        names.append(name)
        if settings["worst"] is not None:
            share = f"{settings['worst']:g}"
            names.append(f"{name}_worst{share}")
            above = "these values" if names[-1] != headline(document) else "the values below"
            meanings[names[-1]] = f"mean of the lowest {share} % of {above}"
    names = [headline(document), *(name for name in names if name != headline(document))]
    for overall in shown(OVERALL, "summary"):
        each = "" if settings["pooling"] in {"dataset", "micro"} else "; mean over images"
        meanings[overall.name] = overall.formula + each
        names.append(overall.name)
    for name in names:
        yield title_of(name), name, meanings[name]


def note_on_absent(document: Mapping[str, Any]) -> str:
    """Say what becomes of the classes that are in no mask."""
    settings = document["settings"]
    usual = FATES[settings["absent"]]
    if settings["pooling"] == "class" and settings["absent"] == "skip":
        usual = FATES[settings.get("empty", "skip")]
    special = [
        f"{FATES[worth]} in {metric}"
        for metric, case, worth in settings.get("overrides", ())
        if case == "absent"
    ]
    return ", ".join([usual, *special])


def _meaning(document: Mapping[str, Any], metric: Metric) -> str:
    """Define the mean of a metric."""
    averaged, settings = document["averaged"], document["settings"]
    counts = averaged.get("classes_of", {})
    over = f"{counts.get(metric.mean, averaged['classes'])} of {averaged['of']} classes"
    pooled = POOLED[settings["pooling"]].format(
        images=counted(document["images"]["scored"], "image")
    )
    generalized = settings.get("generalized", "none")
    if metric.name == "dice" and generalized != "none":
        return f"generalised Dice ({generalized} weights) over {over}; mean over images"
    first = (
        f"{metric.formula} over"
        if "micro" in settings["pooling"]
        else f"mean of {metric.formula} over"
    )
    return "; ".join([f"{first} {over}", pooled, *_deviations(settings, metric)])


def _deviations(settings: Mapping[str, Any], metric: Metric) -> Iterator[str]:
    """Say where a mean departs from the usual rules."""
    overrides = {
        case: worth for name, case, worth in settings.get("overrides", ()) if name == metric.name
    }
    for case, usual in USUAL.items():
        worth = overrides.get(case, settings.get(case, usual))
        if worth != usual and not (case == "absent" and settings["pooling"] == "dataset"):
            yield f"{CASES[case]} {WORTH[worth]}"
    if settings.get("smoothing") and metric.smoothed:
        yield f"{settings['smoothing']:g} added to both sides of the fraction"
    weights = settings.get("weights", "none")
    if weights != "none":
        yield (
            WEIGHTED.get(weights, "classes weighted as told")
            if isinstance(weights, str)
            else ("classes weighted as told")
        )
