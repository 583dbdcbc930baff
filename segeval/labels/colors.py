"""Masks of colours that no label map names: which classes they may mean."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Final

from segeval.counting.contingency import ContingencyTable
from segeval.counting.run import CountedRun
from segeval.labels.diagnose import GREY_LEVELS, judged_pairs, label_file
from segeval.labels.labelmap import WHITE, Side
from segeval.labels.load import builtin_names, load_labels
from segeval.text import listed
from segeval.values import COLOR, describe_value

TELLING: Final = 4  # colours beside black and white that tell a built-in map
FILE: Final = "--labels FILE with a CSV of name,r,g,b"


def explain_colors(run: CountedRun, ignore: Collection[int] | None) -> str:
    """Say which colours the masks of a run hold, and what to type."""
    total = run.total()
    pairs = judged_pairs(total, ())
    held = [set(side.tolist()) for side in (pairs.truth, pairs.prediction)]
    colors = sorted(value for value in held[0] | held[1] if value >= COLOR)
    shown = listed([describe_value(value) for value in colors], 12, " and {} more")
    void = set(ignore or ())
    if not (advice := _builtin({"truth": held[0] - void, "prediction": held[1]})):
        white = ignore is None and WHITE in held[0] and not held[0] <= {0, WHITE}
        own = _own(judged_pairs(total, (WHITE,)) if white else pairs)
        advice = label_file(own, " --ignore 255" * white) if own else f"type {FILE}"
    return f"the masks hold colours ({shown}), and no label map says what they mean; {advice}"


def _builtin(held: Mapping[Side, Collection[int]]) -> str:
    """Propose the built-in map that knows most of many colours, or return nothing.

    Black tells no map from another, yet one that does not know it needs more to be typed.
    """
    telling = {v for side in held.values() for v in side if COLOR < v < COLOR + 0xFFFFFF}
    maps = [load_labels(name) for name in builtin_names()]
    known = {labels.name: len(telling & labels.known("truth").keys()) for labels in maps}
    most = max(known.values())
    if most < TELLING or most * 2 <= len(telling):
        return ""
    best = [labels for labels in maps if known[labels.name] == most]
    clear = [labels for labels in best if not labels.repeated_color]
    if not clear:
        return (
            f"they look like {best[0].name}, whose colours are ambiguous "
            f"({best[0].repeated_color}); convert the masks to index values"
        )
    strange = {
        labels.name: [side for side in held if COLOR in {*held[side]} - labels.known(side).keys()]
        for labels in clear
    }
    names = " or ".join(f"--labels {name}" for name in strange)
    return f"type {names} (knows {most} of them{_black(strange)}), or {FILE}"


def _black(strange: Mapping[str, Collection[Side]]) -> str:
    """Say what to type with maps to which black is no class on some sides, if it is void."""
    fitting = [name for name, sides in strange.items() if not sides]
    sides = next(filter(None, strange.values()), ())
    if not sides:
        return ""
    maps = f"; black as well: {', '.join(fitting)}; with others" if fitting else ", not black;"
    typed = "--ignore '#000000' " * ("truth" in sides) + "--unknown wrong" * ("prediction" in sides)
    miss = ", which makes it a miss where it is predicted" * ("prediction" in sides)
    return f"{maps} add {typed.strip()} if black is void{miss}"


def _own(pairs: ContingencyTable) -> list[str]:
    """Name a few colours as classes: those of both sides, or each by the index that it means."""
    truth, prediction = pairs.truth.tolist(), pairs.prediction.tolist()
    if not truth or max(len(set(truth)), len(set(prediction))) > GREY_LEVELS:
        return []
    if min(*truth, *prediction) >= COLOR:
        names = [describe_value(value) for value in sorted({*truth, *prediction})]
        return [f'name = "{name}", color = "{name}"' for name in names]
    indices, colors = (truth, prediction) if max(truth) < COLOR else (prediction, truth)
    if min(indices) < 0 or max(indices) >= COLOR or min(colors) < COLOR:
        return []
    meant = _partners(pairs.pixels.tolist(), indices, colors)
    return [
        f'name = "{index}", values = {index}'
        + f", colors = {json.dumps([describe_value(c) for c in meant[index]])}" * (index in meant)
        for index in (sorted(set(indices)) if meant else [])
    ]


def _partners(pixels: list[int], indices: list[int], colors: list[int]) -> dict[int, list[int]]:
    """Give each index a colour of its own, by the most pixels; of two, the higher one the rest.

    Nothing, if a colour is left over, or less than half of the pixels agree.
    """
    found: dict[int, list[int]] = {}
    rows = sorted(zip(pixels, indices, colors, strict=True), reverse=True)
    for _, index, color in rows:
        if index not in found and [color] not in found.values():
            found[index] = [color]
    rest = sorted(set(colors) - {color for [color] in found.values()})
    if len(found) < 2 or (rest and len(set(indices)) > 2):
        return {}
    found[max(found)] += rest
    agreeing = sum(count for count, index, color in rows if color in found.get(index, ()))
    return found if agreeing * 2 >= sum(pixels) else {}
