"""Scores of objects as rows of text for every report, and each object as a row of CSV."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from segeval.objects.matching import match
from segeval.objects.names import LEVELLED, TOTALS, name_block
from segeval.reports.csv import signed_columns
from segeval.reports.csvstyle import PLAIN, CsvStyle
from segeval.reports.distances import interval_lines, object_distance_table
from segeval.text import counted, show_count, show_interval, show_score

if TYPE_CHECKING:
    from segeval.objects.result import ObjectScores

Rows = list[tuple[str, ...]]
NUMBERS: Final = {"truth": "true", "predicted": "predicted", "missed": "missed", "false": "false"}
ERRORS: Final = {"merges": "merged", "splits": "split"}


def object_tables(
    document: Mapping[str, Any], *, percent: bool
) -> Iterator[tuple[Sequence[str], Rows]]:
    """Yield headings and rows: scores at every threshold, then those of classes and of sizes."""
    block = document["objects"]
    rows: Rows = [
        (f"{level:g}", *(show_score(block[name][at], percent=percent) for name in LEVELLED))
        for at, level in enumerate(block["thresholds"])
    ]
    yield ("objects at IoU", *(name.replace("_", " ") for name in LEVELLED)), rows
    kinds = [(row["name"], row["objects"]) for row in document["classes"] if "objects" in row]
    sizes = [(_span(each), each) for each in block.get("sizes", ())]
    for heading, parts in (("objects of", kinds), ("pixels", sizes)):
        if parts:
            headings = (heading, *NUMBERS.values(), *(name.upper() for name in TOTALS))
            yield headings, [_row(name, part, percent=percent) for name, part in parts]
    if "distances" in block:
        yield object_distance_table(block["distances"], percent=percent)


def _span(part: Mapping[str, Any]) -> str:
    end = part["below"]
    return f"{part['from']} or more" if end is None else f"{part['from']} to {end - 1}"


def _row(name: str, part: Mapping[str, Any], *, percent: bool) -> tuple[str, ...]:
    numbers = (show_count(part[number]) for number in NUMBERS)
    return (name, *numbers, *(show_score(part[total], percent=percent) for total in TOTALS))


def object_lines(block: Mapping[str, Any], *, percent: bool) -> Iterator[str]:
    """Yield the scores of all objects, their numbers, and what images without any show."""
    intervals = block.get("intervals", {})
    if name := block.get("headline"):
        score = show_score(name_block(block)[name], percent=percent)
        yield f"{name} {score}, the number of the preset"
    totals = []
    for name in TOTALS:
        bounds = f" ({show_interval(intervals[name], percent=percent)})" if intervals else ""
        totals.append(f"{name.upper()} {show_score(block[name], percent=percent)}{bounds}")
    yield ", ".join(totals)
    words = {"truth": "true objects"} | {k: v for k, v in NUMBERS.items() if k != "truth"} | ERRORS
    yield ", ".join(f"{show_count(block[name])} {said}" for name, said in words.items())
    if "distances" in block:
        yield from interval_lines(block["distances"]["means"], percent=percent, begin="object_")
    empty = block["empty_truth"]
    if empty["images"]:
        yield (
            f"{counted(empty['images'], 'image')} without a true object, "
            f"{empty['false_alarms']} of them with a false alarm"
        )


def objects_csv(objects: ObjectScores, style: CsvStyle = PLAIN) -> str:
    """Write one row an object of either side, with the signature; matches are those of PQ."""
    sides = [_columns(objects, "truth", "prediction"), _columns(objects, "prediction", "truth")]
    columns = {name: np.concatenate([side[name] for side in sides]) for name in sides[0]}
    order = np.argsort(columns.pop("number"), kind="stable")
    ordered = {name: column[order] for name, column in columns.items()}
    return signed_columns(ordered, objects.signature, style)


def _columns(objects: ObjectScores, side: str, other: str) -> dict[str, NDArray[Any]]:
    table, rules = objects.table, objects.rules
    own, matches = getattr(table, side), match(table, rules, rules.thresholds[rules.panoptic])
    ends, partners = (getattr(table.overlaps, name)[matches] for name in (side, other))
    matched, iou = np.full(own.id.size, None, object), np.full(own.id.size, np.nan)
    matched[ends], iou[ends] = getattr(table, other).id[partners], table.overlaps.iou[matches]
    return {
        "number": own.image,
        "image": np.array(objects.names, object)[own.image],
        "side": np.full(own.id.size, side),
        "id": own.id,
        "matched_id": matched,
        "iou": iou,
        "size": own.size,
        "class": np.array(table.kinds, object)[own.kind],
    }
