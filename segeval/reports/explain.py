"""Presets side by side, as plain data and on the terminal."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from segeval.presets.explain import PresetScore, PresetScorer, Step, main_rules
from segeval.presets.preset import load_presets
from segeval.presets.wording import describe_rule
from segeval.reports.distances import is_share, show_distance
from segeval.scoring.metrics import title_of
from segeval.text import defined, show_count, show_score, visible_in
from segeval.version import __version__

SCHEMA: Final = "segeval.explain/1"
UNMEASURED: Final = (
    "`segeval explain PRED TRUTH`, with the masks and the same options, measures what this run "
    "does not hold"
)


def make_document(
    case: PresetScorer,
    rows: Sequence[PresetScore],
    *,
    signature: str,
    objects: Sequence[PresetScore] = (),
    distances: Sequence[PresetScore] = (),
    object_distances: Sequence[PresetScore] = (),
    names: tuple[str, str] | None = None,
    steps: Sequence[Step] = (),
) -> dict[str, Any]:
    """Lay out presets, the rules that matter, and the way between two of them, as plain data."""
    main = [row for row in rows if ":" not in row.preset] or rows
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "version": __version__,
        "signature": signature,
        "classes": case.labels.names,
        "default": defined(case.value(case.default("miou"))),
        "rows": [_row(row) for row in rows],
        "rules": [
            {name: getattr(rule, name) for name in ("axis", "setting", "preset", "change")}
            | {"text": describe_rule(case, rule)}
            for rule in main_rules(main)
        ],
    }
    further = {"objects": objects, "distances": distances, "object_distances": object_distances}
    document |= {name: [_row(row) for row in found] for name, found in further.items() if found}
    if names is not None:
        document["between"] = _between(case, names, steps)
    return document


def _row(row: PresetScore) -> dict[str, Any]:
    return {
        "preset": row.preset,
        "metric": row.metric,
        "value": defined(row.value),
        **({"infinite": True} if math.isinf(row.value) else {}),
        **({} if row.measured else {"measured": False}),
        "per_class": [defined(value) for value in row.per_class],
        "entered": row.entered,
        "differs_by": row.differs_by,
        "rules": [
            {"axis": rule.axis, "setting": rule.setting, "change": defined(rule.change)}
            for rule in row.rules
        ],
    }


def _between(case: PresetScorer, names: tuple[str, str], steps: Sequence[Step]) -> dict[str, Any]:
    values = [case.value(case.convention(name)) for name in names]
    return {
        "from": names[0],
        "to": names[1],
        "values": [defined(value) for value in values],
        "difference": defined(values[1] - values[0]),
        "steps": [
            {"axes": list(step.axes), "from": list(step.before), "to": list(step.after)}
            | {"value": step.value, "change": step.change}
            for step in steps
        ],
    }


def to_renderable(document: Mapping[str, Any], *, variants: bool = False) -> RenderableType:
    """Build the table of the presets, the rules in words, and the way between two presets."""
    document = visible_in(document)
    parts: list[RenderableType] = []
    if "between" in document:
        parts += [_steps(document["between"]), Text()]
    else:
        parts += [_rows(document["rows"], variants=variants), Text(), *_rules(document)]
        if "objects" in document:
            parts += [_rows(document["objects"], variants=True, title=str), Text()]
        for name in ("distances", "object_distances"):
            parts += [_distances(document[name]), Text()] if name in document else []
            if not all(row.get("measured", True) for row in document.get(name, ())):
                parts += [Text(f"{UNMEASURED}."), Text()]
    if not variants and "between" not in document:
        hidden = sum(":" in name for name in load_presets())
        parts += [Text(f"{hidden} variants more: --all"), Text()]
    parts.append(Text(document["signature"], style="dim", overflow="fold"))
    return Group(*parts)


def _rows(
    rows: Sequence[Mapping[str, Any]],
    *,
    variants: bool,
    title: Callable[[str], str] = title_of,
) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("preset", no_wrap=True)
    table.add_column("score", no_wrap=True)
    table.add_column("value", justify="right", no_wrap=True)
    table.add_column("values", justify="right", no_wrap=True)
    table.add_column("what moves it from the default", overflow="fold")
    for row in rows:
        if variants or ":" not in row["preset"]:
            moves = "; ".join(_move(rule) for rule in row["rules"][:3]) or "nothing"
            value, entered = show_score(row["value"]), show_count(row["entered"])
            table.add_row(row["preset"], title(row["metric"]), value, entered, moves)
    return table


def _distances(rows: Sequence[Mapping[str, Any]]) -> Table:
    """Build the table of presets of distances; what is infinite there is told in words."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading, right in (("preset", False), ("score", False), ("value", True), ("values", True)):
        table.add_column(heading, justify="right" if right else "left", no_wrap=True)
    table.add_column("what moves it from the default", overflow="fold")
    for row in rows:
        show = show_score if is_share(row["metric"]) else show_distance
        endless = row.get("infinite", False)
        shifts = (_shift(rule, show, endless=endless) for rule in row["rules"][:3])
        idle = "nothing" if row.get("measured", True) else "not in this run"
        moves = "; ".join(shifts) or idle
        value = "infinite" if endless else show(row["value"])
        entered = show_count(row["entered"])
        table.add_row(row["preset"], row["metric"], value, entered, moves)
    return table


def _shift(rule: Mapping[str, Any], show: Callable[[float | None], str], *, endless: bool) -> str:
    change = rule["change"]
    if change is None:
        effect = "makes it infinite" if endless else "keeps it finite"
        return f"{rule['axis']} {rule['setting']} {effect}"
    return f"{rule['axis']} {rule['setting']} {'+' if change > 0 else ''}{show(change)}"


def _move(rule: Mapping[str, Any]) -> str:
    change = rule["change"]
    moved = "makes it undefined" if change is None else f"{100 * change:+.2f}"
    return f"{rule['axis']} {rule['setting']} {moved}"


def _rules(document: Mapping[str, Any]) -> list[RenderableType]:
    rules = document["rules"]
    if not rules:
        return [Text("On these masks no rule moves a preset by 0.05 points."), Text()]
    lines = [Text(f"• {rule['text']}", overflow="fold") for rule in rules]
    return [Text("What matters on these masks:"), *lines, Text()]


def _steps(between: Mapping[str, Any]) -> RenderableType:
    if between["difference"] is None:
        undefined = [
            name
            for name, value in zip((between["from"], between["to"]), between["values"], strict=True)
            if value is None
        ]
        return Text(
            f"{' and '.join(undefined)}: undefined here, so there is no difference to explain"
        )
    table = Table(box=None, pad_edge=False, header_style="bold", show_footer=True)
    first, last = between["values"]
    table.add_column("step", "difference", no_wrap=True)
    table.add_column("from", overflow="fold")
    table.add_column("to", overflow="fold")
    table.add_column("value", show_score(last), justify="right", no_wrap=True)
    table.add_column("points", f"{100 * between['difference']:+.4f}", justify="right", no_wrap=True)
    table.add_row(between["from"], "", "", show_score(first), "")
    for step in between["steps"]:
        names, before, after = (", ".join(step[key]) for key in ("axes", "from", "to"))
        table.add_row(
            names, before, after, show_score(step["value"]), f"{100 * step['change']:+.4f}"
        )
    table.add_row(between["to"], "", "", show_score(last), "")
    return table
