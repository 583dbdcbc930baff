"""Objects of two label maps, matched and scored the slow way, pair by pair."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segeval.counting.contingency import count_values
from segeval.counting.run import CountedRun, ImageCounts, ImageInfo

Pixels = NDArray[Any]


def run_of(*pairs: tuple[Pixels, Pixels]) -> CountedRun:
    """Count pairs of truth and prediction as a run of images called 000, 001, …"""
    return CountedRun.of(
        ImageCounts(
            info=ImageInfo(
                name=f"{number:03}",
                height=truth.shape[0],
                width=truth.shape[1],
                truth_path="t",
                prediction_path="p",
                truth_form="PNG",
                prediction_form="PNG",
            ),
            table=count_values(truth=truth, prediction=prediction),
        )
        for number, (truth, prediction) in enumerate(pairs)
    )


def ids_of(mask: Pixels) -> list[int]:
    return [value for value in np.unique(mask).tolist() if value]


def overlaps(truth: Pixels, prediction: Pixels) -> NDArray[np.float64]:
    """IoU of every true with every predicted object."""
    return np.array(
        [
            [
                ((truth == t) & (prediction == p)).sum() / ((truth == t) | (prediction == p)).sum()
                for p in ids_of(prediction)
            ]
            for t in ids_of(truth)
        ]
    ).reshape(len(ids_of(truth)), len(ids_of(prediction)))


def best_matches(iou: NDArray[np.float64], threshold: float) -> tuple[int, float]:
    """Try every assignment: the number of matches, and the sum of their IoU, of the cheapest."""
    if iou.shape[0] > iou.shape[1]:
        iou = iou.T
    rows, columns = iou.shape
    gain = (iou >= threshold) + iou / (2 * max(1, rows))
    places = range(rows)
    best = max(permutations(range(columns), rows), key=lambda p: sum(gain[i, p[i]] for i in places))
    matched = [iou[i, best[i]] for i in places if iou[i, best[i]] >= threshold]
    return len(matched), float(sum(matched))


def aggregated_jaccard(truth: Pixels, prediction: Pixels) -> float:
    """The AJI of Kumar et al. 2017, algorithm 1."""
    shared, union, used = 0, 0, set()
    for t in ids_of(truth):
        sides = [(truth == t, prediction == p) for p in ids_of(prediction)]
        scores = [(a & b).sum() / (a | b).sum() for a, b in sides]
        if not scores or max(scores) == 0:
            union += int((truth == t).sum())
            continue
        best = int(np.argmax(scores))
        one, other = sides[best]
        shared, union = shared + int((one & other).sum()), union + int((one | other).sum())
        used.add(ids_of(prediction)[best])
    union += sum(int((prediction == p).sum()) for p in ids_of(prediction) if p not in used)
    return shared / union if union else np.nan


def held_by(parts: Pixels, wholes: Pixels) -> int:
    """How many objects hold more than half of two or more objects of the other side."""
    held = [
        sum(((parts == p) & (wholes == w)).sum() * 2 > (parts == p).sum() for p in ids_of(parts))
        for w in ids_of(wholes)
    ]
    return sum(number > 1 for number in held)
