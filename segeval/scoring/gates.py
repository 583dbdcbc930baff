"""Bounds on scores and losses: pass, fail, or undefined, which fails too.

Exact float64 values are compared, never rounded ones.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from segeval.errors import SettingError
from segeval.scoring.means import mean_of_worst
from segeval.scoring.metrics import MEASURED, OPTIONS, ROUNDING, is_error
from segeval.scoring.score import Scores
from segeval.text import did_you_mean, listed

LISTED: Final = 12  # names of scores that an error tells
BOUNDS: Final = {"low": 0, "high": 1}  # bounds of an interval, as they are named behind a score


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """A metric, and the least and the greatest value that pass."""

    metric: str
    minimum: float = -math.inf
    maximum: float = math.inf


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate(Threshold):
    """A threshold, the value it was compared with (NaN if undefined), and whether it passed."""

    value: float

    @property
    def passed(self) -> bool:
        """True if the value is within the bounds; an undefined value never is."""
        return self.minimum <= self.value <= self.maximum


@dataclass(frozen=True, slots=True, kw_only=True)
class DropGate(Gate):
    """A score held against that of a baseline."""

    baseline: float  # NaN if undefined
    max_drop: float = 0.0  # a difference, or a share of the baseline
    relative: bool = False
    interval: tuple[float, float] | None = None  # of value - baseline; a drop fails below 0
    missing: tuple[str, ...] = ()  # what only the baseline has
    waived: tuple[str, ...] = ()  # what may be missing

    @property
    def drop(self) -> float:
        """How far the value is below the baseline; NaN if either is undefined."""
        return self.baseline - self.value

    @property
    def passed(self) -> bool:
        """True if it dropped no further than allowed, rounding aside, or not for certain."""
        if math.isnan(self.drop):
            return False
        if self.drop <= self.max_drop * (abs(self.baseline) if self.relative else 1) + ROUNDING:
            return True
        return self.interval is not None and self.interval[1] >= 0


def split_bound(text: str) -> tuple[str, str, float]:
    """Split ``[METRIC=]VALUE``; the number of a value that is none, or not finite, is NaN.

    >>> split_bound("iou.road=0.9")
    ('iou.road', '0.9', 0.9)
    """
    metric, _, value = text.rpartition("=")
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    return metric, value, number if math.isfinite(number) else math.nan


def parse_threshold(text: str, *, default: str = "miou") -> Threshold:
    """Parse ``[METRIC=]VALUE``, the value a fraction up to 1.

    ``0.75``, ``mdice=0.8``, ``iou.road=0.9``, ``dice.*=0.5`` (every class), ``miou@night`` (a
    group), ``miou@worst`` (the group with the lowest defined value), or ``miou.low`` and
    ``iou.road.low`` (the lower bound of an interval).

    >>> parse_threshold("iou.road=0.9")
    Threshold(metric='iou.road', minimum=0.9, maximum=inf)
    """
    metric, value, minimum = split_bound(text)
    if is_error(metric):
        raise SettingError(f"--fail-under {text}: {metric} is to be low; type --fail-over {text}")
    if math.isnan(minimum):
        raise SettingError(
            f"--fail-under {text!r}: {value!r} is not a number; expected [METRIC=]VALUE, "
            "e.g. 0.75, iou.road=0.9 or dice.*=0.5"
        )
    if minimum > 1:
        raise SettingError(
            f"--fail-under {text!r}: scores are fractions up to 1; did you mean {minimum / 100:g}?"
        )
    return Threshold(metric=metric or default, minimum=minimum)


def parse_ceiling(
    text: str, *, what: str = "LOSS", example: str = "bce=0.2 or ece=0.05"
) -> Threshold:
    """Parse ``NAME=VALUE``, above which a loss, a distance or an error fails.

    >>> parse_ceiling("bce=0.2").maximum
    0.2
    """
    name, _, maximum = split_bound(text)
    if math.isnan(maximum) or not name:
        raise SettingError(f"--fail-over {text!r} is not {what}=VALUE, e.g. {example}")
    return Threshold(metric=name, maximum=maximum)


def check_values(values: Mapping[str, float], thresholds: Iterable[Threshold]) -> list[Gate]:
    """Compare values with thresholds; each must name one of them."""
    gates = []
    for threshold in thresholds:
        name = threshold.metric
        if name not in values:
            raise SettingError(f"there is no value {name!r} here; there are {', '.join(values)}")
        gates.append(Gate(metric=name, maximum=threshold.maximum, value=values[name]))
    return gates


def check_thresholds(scores: Scores, thresholds: Iterable[Threshold]) -> list[Gate]:
    """Compare scores with thresholds; each must name a metric or a class of these scores."""
    return [
        Gate(metric=name, minimum=threshold.minimum, maximum=threshold.maximum, value=value)
        for threshold in thresholds
        for name, value in _values_of_group(scores, threshold.metric)
    ]


def find_names(
    known: Mapping[str, float], kinds: Iterable[str], metric: str, *, what: str, advice: str
) -> list[str]:
    """Return the names of scores that a metric stands for, `pq.*` for every class of a value.

    An unknown one is an error: it tells those at other levels, the nearest, or all.
    """
    names = [metric]
    if metric.endswith(".*"):
        names = [f"{metric[:-1]}{kind}" for kind in kinds]
        names = [n for n in names if n not in known or not math.isnan(known[n])] or names
    if missing := [name for name in names if name not in known]:
        bound = metric.rpartition(".")[2]
        plain = bound in BOUNDS and not any(name.endswith(f".{bound}") for name in known)
        score, label = split_score(missing[0], known)
        level = re.split("[.@]", metric, maxsplit=1)[0]
        same = [name for name in known if re.fullmatch(rf"{re.escape(level)}@[\d.:]+", name)]
        alike = [f"{score}.{kind}" for kind in kinds] if score and label and not plain else same
        near = "" if alike is same and same else did_you_mean(missing[0], alike or known)
        raise SettingError(
            f"no score of {what} is called {metric!r}{' without --ci' if plain else ''}"
            f"{near or ';'} the scores are {listed(alike or [*known], LISTED)}; {advice}"
        )
    return names


def split_score(metric: str, scores: Iterable[str]) -> tuple[str, str]:
    """Split the longest of some scores, widths included, from its class or group behind it.

    >>> split_score("boundary_iou@0.5%.car", ("boundary_iou", "boundary_iou@0.5%"))
    ('boundary_iou@0.5%', '.car')
    >>> split_score("miou@night", ("miou", "iou")), split_score("other.road", ("iou",))
    (('miou', '@night'), ('', 'other.road'))
    """
    fitting = (s for s in scores if metric == s or metric.startswith((f"{s}.", f"{s}@")))
    found = max(fitting, key=len, default="")
    return found, metric.removeprefix(found)


def _values_of_group(scores: Scores, metric: str) -> list[tuple[str, float]]:
    """Look up a score of all images, of a group (``miou@night``), or of the worst group."""
    score, rest = split_score(metric, (*scores.summary, *scores.class_scores))
    measured = score.removeprefix("m") in MEASURED and rest[1:] not in scores.groups
    if "@" not in rest or rest[1:] in scores.labels.names or (measured and rest[1:2].isdigit()):
        return _values(scores, metric)
    metric, _, group = metric.rpartition("@")
    if not scores.groups:
        raise SettingError(f"{metric}@{group} needs groups; type --group-by or use --pairs")
    if group in scores.groups:
        return [(f"{name}@{group}", value) for name, value in _values(scores.groups[group], metric)]
    if group != "worst":
        known = ", ".join(scores.groups)
        raise SettingError(f"no group is called {group!r}; the groups are {known}, and worst")
    values = [_values(members, metric) for members in scores.groups.values()]
    lowest = mean_of_worst(np.array([[value for _, value in row] for row in values]), 0)[0]
    names = [f"{name}@worst" for name, _ in values[0]]
    return list(zip(names, lowest.tolist(), strict=True))


def _values(scores: Scores, metric: str) -> list[tuple[str, float]]:
    """Look up a score, or the bound of its interval (``miou.low``, ``iou.road.low``)."""
    name, _, bound = metric.rpartition(".")
    label = split_score(metric, scores.class_scores)[1][1:]
    if bound not in BOUNDS or label in scores.labels.names:
        return _look_up(scores, metric, scores.summary, scores.class_scores)
    if scores.intervals is None:
        raise SettingError(
            f"{metric} is a bound of the interval of {name}, and there are intervals only with "
            "--ci, e.g. --ci 1000, and only of all images together"
        )
    at, intervals = BOUNDS[bound], scores.intervals
    means = {key: float(bounds[at]) for key, bounds in intervals.means.items()}
    classes = {key: bounds[at] for key, bounds in intervals.classes.items()}
    values = _look_up(scores, name, means, classes)
    return [(f"{found}.{bound}", value) for found, value in values]


def _look_up(
    scores: Scores,
    metric: str,
    means: Mapping[str, float],
    classes: Mapping[str, NDArray[np.float64]],
) -> list[tuple[str, float]]:
    if is_error(metric) and f"m{metric}" in means:  # without a class it is the mean, as of hd95
        metric = f"m{metric}"
    if metric in means:
        return [(metric, means[metric])]
    name, rest = split_score(metric, classes)
    if not rest.startswith(".") or not name:
        score, dot, _ = metric.partition(".")
        near = did_you_mean(score, classes if dot else means)
        if name and "@" not in rest:
            near = f"; did you mean 'm{name}', or '{name}.CLASS'?"
        elif (name := score.partition("@")[0]).removeprefix("m") in MEASURED or name in MEASURED:
            near = f"; {OPTIONS[name.removeprefix('m')]} asks for it;"
        raise SettingError(
            f"no score is called {metric!r}{near or ';'} the scores are {', '.join(means)}, "
            f"and METRIC.CLASS with METRIC one of {', '.join(classes)}"
        )
    names, values, label = scores.labels.names, classes[name].tolist(), rest[1:]
    if label == "*":
        return [(f"{name}.{n}", value) for n, value in zip(names, values, strict=True)]
    (position,) = scores.labels.positions([label])
    return [(metric, values[position])]
