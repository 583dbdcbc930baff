"""What stands beside a number: its title, and its definition in one line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from segeval.errors import SettingError
from segeval.objects.names import name_block
from segeval.scoring.convention import CASES, GIVEN_WEIGHTS, TREATMENTS, WEIGHTS, Convention
from segeval.scoring.metrics import (
    KNOWN,
    OVERALL,
    Metric,
    Place,
    class_scores,
    metric_of,
    shown,
    title_of,
)
from segeval.scoring.pooling import POOLINGS, PoolingRow
from segeval.text import counted, listed

LISTED = 5  # vanished classes or images that are named

UNKNOWN: Final = "undefined"  # value of a gate that has none


def matrix_of(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the confusion matrix; a `SettingError` that says why, if there is none."""
    matrix: Mapping[str, Any] = document["confusion"]
    if "undefined" in matrix:
        raise SettingError(
            f"{matrix['undefined']}: there is no confusion matrix; --csv writes the counts of each "
            "class against the rest"
        )
    return matrix


def show_bound(gate: Mapping[str, Any]) -> str:
    """Say what a gate asks for, with all digits.

    >>> show_bound({"minimum": 0.75}), show_bound({"maximum": 0.2})
    ('at least 0.75', 'at most 0.2')
    >>> show_bound({"baseline": 0.8, "max_drop": 0.005})
    'at most 0.005 below 0.8'
    >>> show_bound({"baseline": 0.8, "max_drop": 0.005, "interval": [-0.1, 0.1]})
    'at most 0.005 below 0.8, or a drop that may be chance'
    """
    if "max_drop" in gate:
        return _show_drop(gate)
    words, name = ("at most", "maximum") if "maximum" in gate else ("at least", "minimum")
    return f"{words} {gate[name]!r}"


def _show_drop(gate: Mapping[str, Any]) -> str:
    if gate["baseline"] is None:
        return "a defined value in the baseline"
    if gate.get("metric") in {"images", "classes"}:
        kinds = {"waived": "may be missing", "missing": "missing"}
        named = [f"; {said}: {listed(gate[k], LISTED)}" for k, said in kinds.items() if k in gate]
        return f"{gate['baseline']} in the baseline" + "".join(named)
    allowed = f"{gate['max_drop'] * 100:g}%" if gate.get("relative") else f"{gate['max_drop']!r}"
    certain = ", or a drop that may be chance" if "interval" in gate else ""
    return f"at most {allowed} below {gate['baseline']!r}{certain}"


def failure(gate: Mapping[str, Any]) -> str:
    """Say what a gate that failed found, and what was asked for.

    >>> failure({"metric": "miou", "value": 0.5, "minimum": 0.75})
    'miou = 0.5, at least 0.75 is asked for'
    >>> failure({"metric": "images", "value": 15, "baseline": 16, "max_drop": 0})
    'images = 15, 16 in the baseline; type --allow-missing NAME for what may be gone'
    """
    found = f"{'is' if gate['value'] is None else '='} {gate_value(gate)}"
    vanished = gate["metric"] in {"images", "classes"}
    asked = "; type --allow-missing NAME for what may be gone" if vanished else " is asked for"
    return f"{gate['metric']} {found}, {show_bound(gate)}{asked}"


def gate_value(gate: Mapping[str, Any]) -> str:
    """Write what a gate found with all its digits, or in a word where that is no number.

    >>> gate_value({"value": 0.5}), gate_value({"value": None, "infinite": True})
    ('0.5', 'infinite')
    """
    if gate["value"] is None:
        return "infinite" if gate.get("infinite") else UNKNOWN
    return repr(gate["value"])


def verdict(gate: Mapping[str, Any]) -> str:
    """Say how a gate went; an undefined one fails as well.

    >>> verdict({"value": None, "passed": False})
    'undefined'
    """
    if gate["passed"]:
        return "passed"
    undefined = gate_value(gate) == UNKNOWN or gate.get("baseline", 0) is None
    return "undefined" if undefined else "failed"


def headline(document: Mapping[str, Any]) -> str:
    """Name the score that stands for all others."""
    name: str = document["settings"].get("headline", "miou")
    return name


def headline_score(document: Mapping[str, Any]) -> tuple[str, float | None]:
    """Return title and value of the headline, which is one of objects under a preset of them."""
    block = document.get("objects", {})
    if name := block.get("headline"):
        return name, name_block(block)[name]
    return title_of(headline(document)), document["summary"][headline(document)]


def has_background(document: Mapping[str, Any]) -> bool:
    """Whether there are two classes, and the background is in the means."""
    return "foreground" in document and not document["averaged"]["excluded"]


def leading_names(document: Mapping[str, Any]) -> list[str]:
    """Name what is read first: of two classes the foreground, but where a tool is followed."""
    followed = document["settings"].get("like")
    return (not followed and foreground_names(document)) or [headline(document)]


def spread_name(document: Mapping[str, Any]) -> str:
    """Name the score whose spread over images is shown: the first one, or its mean."""
    first = leading_names(document)[0]
    return first if first in document["spread"] else metric_of(first).mean


def in_order(document: Mapping[str, Any], names: Iterable[str]) -> list[str]:
    """Put what is read first and the foreground before the names of other scores."""
    first = (*leading_names(document), *foreground_names(document), headline(document))
    return list(dict.fromkeys((*first, *names)))


def foreground_names(document: Mapping[str, Any]) -> list[str]:
    """Name the scores of the foreground that people see, if there are two classes."""
    return class_scores(document["foreground"]) if "foreground" in document else []


def with_foreground(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Put the scores of the foreground among the means of a document, and of its groups."""
    if not foreground_names(document):
        return document
    name, parts = document["foreground"], document.get("groups", ())
    groups = {"groups": [{**part, **_with_class(part, name)} for part in parts]} if parts else {}
    return {**document, **_with_class(document, name), **groups}


def _with_class(part: Mapping[str, Any], name: str) -> dict[str, Any]:
    (row,) = (row for row in part["classes"] if row["name"] == name)
    scores = {"summary": row} | ({"intervals": row["intervals"]} if "intervals" in part else {})
    return {
        key: part[key] | {f"{m}.{name}": values[m] for m in KNOWN if m in values}
        for key, values in scores.items()
    }


def metrics_in(document: Mapping[str, Any], *places: Place) -> list[Metric]:
    """Return the scores of classes that are seen at some places, as far as a document has them."""
    return [metric for metric in shown(KNOWN, *places) if metric.mean in document["summary"]]


def means_in(document: Mapping[str, Any], place: Place) -> list[str]:
    """Name the means and overall scores that are seen at a place, as far as there are any."""
    means = (metric.mean for metric in metrics_in(document, place))
    return [*means, *(overall.name for overall in shown(OVERALL, place))]


def headlines(document: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield title, name and definition of each number that is shown, the headline first."""
    settings = document["settings"]
    held = [metric for metric in KNOWN.values() if metric.mean in document["summary"]]
    meanings = {metric.mean: _meaning(document, metric) for metric in held}
    names = []
    means = (metric_of(headline(document)), *metrics_in(document, "summary"))
    for name in dict.fromkeys(metric.mean for metric in means):
        names.append(name)
        if settings["worst"] is not None:
            share = f"{settings['worst']:g}"
            names.append(f"{name}_worst{share}")
            above = "these values" if names[-1] != headline(document) else "the values below"
            meanings[names[-1]] = f"mean of the lowest {share} % of {above}"
            if pooling_of(document).steps[-1] == "mean images":
                entered = document["averaged"]["images_of"][name]
                lowest = min(entered, max(1, int(entered * settings["worst"] / 100)))
                meanings[names[-1]] += f", {lowest} of {counted(entered, _unit(document))}"
    for overall in shown(OVERALL, "summary"):
        over, summed = images_in(document, overall.name), "sum images" in pooling_of(document).steps
        meanings[overall.name] = overall.formula + ("" if summed else f"; mean over {over}")
        if reason := document.get("confusion", {}).get("undefined"):
            meanings[overall.name] = f"undefined: {reason}"
        names.append(overall.name)
    for name in foreground_names(document):
        meanings[name] = class_meaning(document, name)
    for name in in_order(document, names):
        yield title_of(name), name, meanings[name]


def pooling_of(document: Mapping[str, Any]) -> PoolingRow:
    """Return the pooling of the scores; the hard scores of losses sum counts."""
    return POOLINGS[document["settings"].get("pooling", "dataset")]


def images_in(document: Mapping[str, Any], mean: str) -> str:
    """Say how many images, or groups, enter a mean, and of how many, if not all do."""
    by_group = pooling_of(document).by_group
    scored = len(document["groups"]) if by_group else document["images"]["scored"]
    return part_of(document["averaged"]["images_of"][mean], scored, _unit(document))


def _unit(document: Mapping[str, Any]) -> str:
    return "group" if pooling_of(document).by_group else "image"


def part_of(entered: int, scored: int, what: str = "image") -> str:
    """Say how many of so many images there are.

    >>> part_of(1, 1), part_of(1, 10)
    ('1 image', '1 of 10 images')
    """
    return ("" if entered == scored else f"{entered} of ") + counted(scored, what)


def note_on_absent(document: Mapping[str, Any]) -> str:
    """Say what becomes of the classes that are in no mask."""
    settings = document["settings"]
    usual = settings["absent"]
    if usual == "skip" and pooling_of(document).filled == "mean images":
        usual = settings.get("empty", "skip")
    special = [
        f"{TREATMENTS[treatment].of_classes} in {metric}"
        for metric, case, treatment in settings.get("overrides", ())
        if case == "absent"
    ]
    return ", ".join([TREATMENTS[usual].of_classes, *special])


def _meaning(document: Mapping[str, Any], metric: Metric) -> str:
    averaged, settings = document["averaged"], document["settings"]
    counts = averaged.get("classes_of", {})
    over = f"{counts.get(metric.mean, averaged['classes'])} of {averaged['of']} classes"
    pooling = pooling_of(document)
    images = images_in(document, metric.mean)
    pooled = pooling.words.format(images=images)
    generalized = settings.get("generalized", "none")
    if metric.name == "dice" and generalized != "none" and pooling.one_score:
        how = pooling.one_score.format(images=images)
        return f"generalised Dice ({generalized} weights) over {over}; {how}"
    mean = "" if "sum classes" in pooling.steps else "mean of "
    if mean and has_background(document):
        mean = "mean with background: "
    deviations = [*_deviations(settings, metric, pooling), *_weighted(settings)]
    return "; ".join([f"{mean}{metric.formula} over {over}", pooled, *deviations])


def class_meaning(document: Mapping[str, Any], name: str) -> str:
    """Say what the score of a class, as gates name it, is: of summed counts, or a mean."""
    metric, pooling = KNOWN[name.partition(".")[0]], pooling_of(document)
    pooled = f"counts summed over {images_in(document, metric.mean)}"
    if pooling.over_images == "mean images":
        pooled = f"mean over the {_unit(document)}s in which it is defined"
    deviations = _deviations(document["settings"], metric, pooling)
    return "; ".join([metric.formula, pooled, *deviations])


def _deviations(settings: Mapping[str, Any], metric: Metric, pooling: PoolingRow) -> Iterator[str]:
    special = {
        case: how for name, case, how in settings.get("overrides", ()) if name == metric.name
    }
    listed, default = pooling.steps == ("sum images", "mean classes"), Convention()
    for name, case in CASES.items():
        usual = default.treatment(metric.name, name)
        treatment = special.get(name, settings.get(name, usual))
        if treatment != usual and not (listed and name == "absent"):
            yield f"{case.noun} {TREATMENTS[treatment].of_class}"
    if settings.get("smoothing") and metric.smoothed:
        yield f"{settings['smoothing']:g} added to both sides of the fraction"
    if settings.get("floor"):
        yield f"a score below {settings['floor']:g} counts as 0"
    if levels := settings.get("thresholds"):
        bounds = f"{min(levels):g} to {max(levels):g}"
        yield f"the share that it exceeds of {len(levels)} thresholds, {bounds}"


def _weighted(settings: Mapping[str, Any]) -> Iterator[str]:
    weights = settings.get("weights", "none")
    if weights != "none":
        yield (WEIGHTS[weights] if isinstance(weights, str) else GIVEN_WEIGHTS).words
