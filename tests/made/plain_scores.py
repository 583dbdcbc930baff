"""Scores of plain counts, one definition at a time; nothing of segeval is used."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Final

from made.option_sets import Row
from made.plain import Counted, Found

Cells = Counter[tuple[int, int]]
Score = float | str | None  # None is left out of means, UNDEFINED makes them undefined
UNDEFINED: Final[str] = "undefined"
SCORES: Final = ("iou", "dice", "precision", "recall")


def sides_of(cells: Cells, label: int) -> tuple[int, int, int]:
    """Return true positives, true pixels and predicted pixels of a class."""
    truth = sum(n for (t, _), n in cells.items() if t == label)
    predicted = sum(n for (_, p), n in cells.items() if p == label)
    return cells[label, label], truth, predicted


def score(name: str, sums: tuple[int, int, int], absent: str) -> Score:
    """Score a class: 0 on one side only, as told on neither."""
    tp, truth, predicted = sums
    if not truth and not predicted:
        treatments: dict[str, Score] = {"zero": 0.0, "one": 1.0, "undefined": UNDEFINED}
        return treatments.get(absent)
    if not truth or not predicted:
        return 0.0
    if name == "iou":
        return tp / (truth + predicted - tp)
    if name == "dice":
        return 2 * tp / (truth + predicted)
    return tp / (predicted if name == "precision" else truth)


def mean(values: Iterable[Score]) -> Score:
    """Average what is defined."""
    listed = list(values)
    if UNDEFINED in listed:
        return UNDEFINED
    numbers = [value for value in listed if isinstance(value, float)]
    return sum(numbers) / len(numbers) if numbers else None


def summed(images: Iterable[Cells]) -> Cells:
    """Add counts."""
    total: Cells = Counter()
    for cells in images:
        total.update(cells)
    return total


def pools(images: Sequence[Counted], groups: Sequence[str], pooling: str) -> list[Cells]:
    """Return the counts that are scored one by one: of all images, of each, or of each group."""
    if pooling in {"dataset", "micro"}:
        return [summed(image.cells for image in images)]
    if pooling != "group":
        return [image.cells for image in images]
    return [
        summed(image.cells for image, g in zip(images, groups, strict=True) if g == group)
        for group in sorted(set(groups))
    ]


def overall(name: str, scored: list[Cells], kept: list[int], row: Row) -> Score:
    """Return the mean of a score, as the pooling has it."""
    pooling, absent = row["pooling"] or "dataset", row["absent"]

    def of(cells: Cells, label: int) -> Score:
        return score(name, sides_of(cells, label), absent)

    if pooling in {"micro", "image-micro"}:
        sums = [
            [sum(part) for part in zip((0, 0, 0), *(sides_of(c, k) for k in kept), strict=True)]
            for c in scored
        ]
        return mean(score(name, (a, b, c), absent) for a, b, c in sums)
    if pooling == "class":
        return mean(mean(of(cells, label) for cells in scored) for label in kept)
    if pooling == "pair":
        return mean(of(cells, label) for cells in scored for label in kept)
    return mean(mean(of(cells, label) for label in kept) for cells in scored)


def expected(found: Found, row: Row) -> dict[str, Any]:
    """Return what the document must hold."""
    groups = found.groups
    whole = _scored(found, found.images, groups, row)
    shown = sorted({group or "(none)" for group in groups}) if any(groups) else []
    parts = []
    for name in shown:
        chosen = [k for k, group in enumerate(groups) if (group or "(none)") == name]
        part = _scored(found, [found.images[k] for k in chosen], [name] * len(chosen), row)
        kept = {key: part[key] for key in ("classes", "summary")}
        parts.append({"name": name, "images": len(chosen), "judged": part["judged"], **kept})
    pixels = sum(image.pixels for image in found.images)
    return {
        "pixels": {
            "total": pixels,
            "judged": whole["judged"],
            "ignored": pixels - whole["judged"],
            "ignored_by_prediction": found.ignored_by_prediction,
            "unknown": sum(whole["unknown"]),
        },
        "images": {"scored": len(found.images), "skipped": found.skipped},
        "counts": whole["counts"],
        "unknown": whole["unknown"],
        "classes": whole["classes"],
        "summary": whole["summary"],
        "groups": parts,
    }


def _scored(
    found: Found, images: Sequence[Counted], groups: Sequence[str], row: Row
) -> dict[str, Any]:
    """Score some of the images."""
    pooling, classes = row["pooling"] or "dataset", range(len(found.names))
    total, scored = summed(i.cells for i in images), pools(images, groups, pooling)
    left_out = {"first": 0, "last": len(found.names) - 1}.get(row["exclude"])
    kept = [k for k in classes if k != left_out]
    shares = [_share(cells) for cells in scored]
    return {
        "judged": sum(total.values()),
        "counts": [[total[t, p] for p in classes] for t in classes],
        "unknown": [total[t, -1] for t in classes],
        "classes": [
            {"name": found.names[k]}
            | dict(zip(("tp", "support", "predicted"), sides_of(total, k), strict=True))
            | {
                name: _plain(mean(score(name, sides_of(c, k), row["absent"]) for c in scored))
                for name in SCORES
            }
            for k in classes
        ],
        "summary": {f"m{name}": _plain(overall(name, scored, kept, row)) for name in SCORES}
        | {"pixel_accuracy": _plain(mean(shares))},
    }


def _share(cells: Cells) -> Score:
    """Return the share of pixels that are right."""
    pixels = sum(cells.values())
    return sum(n for (t, p), n in cells.items() if t == p) / pixels if pixels else None


def _plain(value: Score) -> float | None:
    return value if isinstance(value, float) else None
