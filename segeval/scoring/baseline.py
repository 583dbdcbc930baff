"""Scores against those of a baseline: how far they may drop, and what may have vanished.

Float64 values are compared, never rounded ones; what is within the rounding of their difference
passes. A drop of a score that is undefined on either side is undefined, and fails.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from segeval.counting.run import CountedRun
from segeval.counting.runfile import read_run
from segeval.counting.runschema import is_run_file
from segeval.errors import RunError, SettingError
from segeval.scoring.compare import RunComparison
from segeval.scoring.gates import DropGate, split_bound, split_score
from segeval.scoring.metrics import KNOWN, is_error
from segeval.scoring.score import Scores
from segeval.text import quoted
from segeval.textfiles import TextError, named, parse_json, read_text

FREE: Final = ("classes", "images", "groups", "shard", "ci", "segeval")  # may differ


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop:
    """How far a score may be below the baseline: a difference, or a share of the baseline."""

    metric: str
    amount: float
    relative: bool = False


def parse_drop(text: str, *, default: str = "miou") -> Drop:
    """Parse ``[METRIC=]VALUE``, the value a difference of scores or a percentage of the baseline.

    >>> parse_drop("iou.*=2%")
    Drop(metric='iou.*', amount=0.02, relative=True)
    """
    relative = text.endswith("%")
    metric, _, number = split_bound(text.removesuffix("%"))
    amount = number / 100 if relative else number
    if is_error(metric):
        raise SettingError(
            f"--max-drop {text}: {metric} is to be low, so a drop is no harm; --fail-over "
            f"{metric}=VALUE is its ceiling"
        )
    if not 0 <= amount <= 1:
        raise SettingError(
            f"--max-drop {text!r}: {text.rpartition('=')[2]!r} is neither a difference from 0 to "
            "1, e.g. 0.005, nor a percentage of the baseline, e.g. 2%"
        )
    return Drop(metric=metric or default, amount=amount, relative=relative)


def check_drops(
    scores: Scores,
    baseline: Baseline,
    drops: Iterable[Drop],
    *,
    allowed: Collection[str] = (),
    compare: Callable[[CountedRun], RunComparison] | None = None,
) -> list[DropGate]:
    """Hold scores against a baseline: one gate for the images, one for the classes, then the drops.

    The classes and images that are ``allowed`` to may have vanished. If the counts are compared
    too, only a drop whose interval excludes 0 fails.
    """
    _check_signature(scores.signature, baseline)
    comparison = None
    if compare is not None:
        if baseline.run is None:
            raise SettingError("--significant needs the counts: a run file as --baseline")
        comparison = compare(baseline.run)
    values = named_values(scores)
    gates = [_images(scores, baseline, allowed), _classes(values, baseline, allowed)]
    return gates + [
        _gate(name, drop, values, baseline, comparison)
        for drop in drops
        for name in _named(drop.metric, values, baseline)
    ]


def _check_signature(signature: str, baseline: Baseline) -> None:
    """Refuse to compare numbers of different definitions."""
    ours, theirs = (
        [fact for fact in text.split("|") if fact.partition(":")[0] not in FREE]
        for text in (signature, baseline.signature)
    )
    if ours != theirs:
        here = ", ".join(fact for fact in ours if fact not in theirs) or "nothing of the kind"
        there = ", ".join(fact for fact in theirs if fact not in ours) or "nothing of the kind"
        advice = "" if baseline.run is not None else ", or name a run file as --baseline"
        raise RunError(
            f"the baseline was made under other settings: {there} there, {here} here; make it "
            f"again under these{advice}"
        )


def _images(scores: Scores, baseline: Baseline, allowed: Collection[str]) -> DropGate:
    """Ask for all images of the baseline; a document knows only how many there were."""
    names = set(scores.run.images.names)
    if baseline.run is None:
        spared = {n for n in allowed if f"iou.{n}" not in baseline.values} - names
        gone = max(0, baseline.images - len(names))
        return _vanished("images", baseline.images, gone, sorted(spared))
    known = set(baseline.run.images.names)
    for name in allowed:
        if name not in known and f"iou.{name}" not in baseline.values:
            raise SettingError(f"--allow-missing {name!r}: the baseline has no such class or image")
    lost = known - names
    waived, missing = sorted(lost.intersection(allowed)), sorted(lost.difference(allowed))
    return _vanished("images", baseline.images, len(lost), waived, missing)


def _vanished(
    metric: str, there: int, gone: int, waived: Collection[str], missing: Collection[str] = ()
) -> DropGate:
    """Ask for as many as there were in the baseline, but for those that are waived."""
    return DropGate(
        metric=metric,
        value=there - gone,
        baseline=there,
        max_drop=float(len(waived)),
        missing=tuple(missing),
        waived=tuple(waived),
    )


def _classes(values: Mapping[str, float], baseline: Baseline, allowed: Collection[str]) -> DropGate:
    gone = [n for n in baseline.classes if math.isnan(values.get(f"iou.{n}", math.nan))]
    missing = [name for name in gone if name not in allowed]
    waived = [name for name in gone if name in allowed]
    return _vanished("classes", len(baseline.classes), len(gone), waived, missing)


def _named(metric: str, values: Mapping[str, float], baseline: Baseline) -> list[str]:
    """Return the scores that a drop names; all classes are those that are defined on both sides."""
    ends = [f".{label}" for label in baseline.classes[:1]]
    scores = {key.removesuffix(end) for end in ends for key in values if key.endswith(end)}
    name, rest = split_score(metric, (*KNOWN, *scores))
    label, at, group = rest.partition("@")
    if label == ".*" and name:
        if at and not any(key.endswith(f"{at}{group}") for key in (*values, *baseline.values)):
            raise SettingError(f"--max-drop {metric}: there is no group {group!r}")
        names = (f"{name}.{one}{at}{group}" for one in baseline.classes)
        return [n for n in names if not math.isnan(values.get(n, math.nan))]
    if metric not in values and metric not in baseline.values:
        raise SettingError(
            f"--max-drop names no score by {metric!r}; scores are like miou, iou.road, dice.* "
            "and miou@group"
        )
    return [metric]


def _gate(
    name: str,
    drop: Drop,
    values: Mapping[str, float],
    baseline: Baseline,
    comparison: RunComparison | None,
) -> DropGate:
    value, there = values.get(name, math.nan), baseline.values.get(name, math.nan)
    return DropGate(
        metric=name,
        value=value,
        baseline=there,
        max_drop=drop.amount,
        relative=drop.relative,
        interval=None if comparison is None else _interval(name, comparison),
    )


def _interval(name: str, comparison: RunComparison) -> tuple[float, float]:
    metric, rest = split_score(name, comparison.classes)
    names, label = comparison.scores.labels.names, rest[1:]
    if name in comparison.means:
        low, high = comparison.means[name].bounds.tolist()
    elif label in names:
        low, high = comparison.classes[metric].bounds[:, names.index(label)].tolist()
    elif "@" in name:
        raise SettingError(f"--significant: there is no interval of a group, such as {name}")
    else:  # a class that is on no image that both runs have
        low = high = math.nan
    return low, high


SCHEMA: Final = "segeval.scores/1"
LARGEST_DOCUMENT: Final = 1 << 28  # bytes


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Baseline:
    """What a run is held against."""

    values: Mapping[str, float]  # every score, as gates name it; NaN if undefined
    classes: tuple[str, ...]  # those with a defined IoU
    images: int
    signature: str
    run: CountedRun | None = None  # if it is no document


def read_baseline(path: Path) -> Baseline | CountedRun:
    """Read a baseline: a document, or a run, which is to be scored; see `baseline_of`."""
    if is_run_file(path):
        return read_run(path, fingerprints=False)
    with named(path, RunError):
        try:
            document = parse_json(read_text(path, LARGEST_DOCUMENT))
        except TextError as error:
            if isinstance(error.__cause__, OSError):
                raise
            raise TextError(f"it is neither a run file nor a document ({error})") from error
        if not isinstance(document, dict) or document.get("schema") != SCHEMA:
            raise TextError(f"it is neither a run file nor a document of schema {SCHEMA}")
        try:
            return _of_document(document)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise TextError(
                f"it is damaged: {type(error).__name__} {error}; write it again with --json"
            ) from error


def baseline_of(scores: Scores, run: CountedRun) -> Baseline:
    """Return what a run is as a baseline, scored like the run that is held against it."""
    defined = zip(scores.labels.names, scores.class_scores["iou"].tolist(), strict=True)
    return Baseline(
        values=named_values(scores),
        classes=tuple(name for name, value in defined if not math.isnan(value)),
        images=len(run),
        signature=scores.signature,
        run=run,
    )


def named_values(scores: Scores) -> dict[str, float]:
    """Return every score, as gates name it."""
    values = dict(scores.summary)
    for metric, column in scores.class_scores.items():
        names = (f"{metric}.{name}" for name in scores.labels.names)
        values |= dict(zip(names, column.tolist(), strict=True))
    for group, members in scores.groups.items():
        values |= {f"{name}@{group}": value for name, value in named_values(members).items()}
    return values


def _of_document(document: Mapping[str, Any]) -> Baseline:
    defined = tuple(_name(row) for row in document["classes"] if row["iou"] is not None)
    return Baseline(
        values=dict(_document_values(document)),
        classes=defined,
        images=int(_number(document["images"]["scored"])),
        signature=str(document["signature"]),
    )


def _document_values(document: Mapping[str, Any], end: str = "") -> Iterator[tuple[str, float]]:
    """Yield every score of a document, or of a group in it, as gates name it."""
    pairs = [*document["summary"].items()]
    for row in document["classes"]:
        pairs += [(f"{m}.{_name(row)}", row[m]) for m in KNOWN if m in row]  # not in older ones
    for name, value in pairs:
        yield name + end, math.nan if value is None else _number(value)
    for group in document.get("groups", ()):
        yield from _document_values(group, f"@{_name(group)}")


def _name(row: Mapping[str, Any]) -> str:
    """Return the name of a class or group, if it is one."""
    if not isinstance(row["name"], str):
        raise TypeError(f"{quoted(row['name'])} is no name")
    return row["name"]


def _number(value: object) -> float:
    """Return a score of a document as it is, if it is a number."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{quoted(value)} is no score")
    return float(value)
