"""Measure all distances of all classes against MedPy, and against the way that MONAI goes.

In turns, in processor time: streets of 2048 × 1024 pixels and 19 classes, and a volume of 100 ×
384 × 384 voxels with one organ. segeval has HD, HD95, ASSD, MASD and NSD from one measure. MedPy
is asked for HD95 and ASSD alone, by its own code where it is installed; the way of MONAI, which
needs PyTorch, is gone with SciPy: borders in the box of both masks, for HD95, ASSD and NSD.
"""

from __future__ import annotations

import importlib
import statistics
import sys
import time
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from made_masks import STREETS, make_pair
from measuring import interleave
from scipy.ndimage import (
    binary_erosion,
    distance_transform_edt,
    gaussian_filter,
    generate_binary_structure,
)

from segeval.distances.kept import DistanceTable
from segeval.distances.measure import DistanceMeasure
from segeval.distances.rules import DistanceRules
from segeval.distances.values import score_cells

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Pair = tuple[NDArray[Any], NDArray[Any]]


def ours(pair: Pair, classes: Sequence[int]) -> NDArray[Any]:
    """Return HD95 and ASSD of every class."""
    count = max(classes) + 1
    blob = DistanceMeasure()([(*pair, count)], None)
    scores = score_cells(DistanceTable.of([blob], count), DistanceRules())
    return np.stack([scores[name][0, list(classes)] for name in ("hd95", "assd")])


def border(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the border as MedPy and MONAI take it."""
    cross = generate_binary_structure(mask.ndim, 1)
    return np.asarray(mask ^ binary_erosion(mask, cross))


def directed(one: NDArray[np.bool_], two: NDArray[np.bool_]) -> NDArray[Any]:
    """Return how far the border of one mask is from that of the other, by a transform of all."""
    return np.asarray(distance_transform_edt(~border(two))[border(one)])


def both_ways(one: NDArray[np.bool_], two: NDArray[np.bool_]) -> None:
    """Take the distances of both directions."""
    directed(one, two)
    directed(two, one)


def medpy(pair: Pair, classes: Sequence[int]) -> None:
    """Ask MedPy for HD95 and ASSD, or go its way."""
    try:
        binary = importlib.import_module("medpy.metric.binary")
        ask = binary.hd95, binary.assd
    except ImportError:
        ask = (both_ways, both_ways)
    for k in classes:
        truth, prediction = (mask == k for mask in pair)
        if truth.any() and prediction.any():
            for metric in ask:
                metric(prediction, truth)


def monai(pair: Pair, classes: Sequence[int]) -> None:
    """Go the way of MONAI for HD95, ASSD and NSD, each in the box of both masks."""
    for k in classes:
        truth, prediction = (mask == k for mask in pair)
        if not (truth.any() and prediction.any()):
            continue
        places = np.nonzero(truth | prediction)
        box = tuple(slice(at.min(), at.max() + 1) for at in places)
        for _ in ("HD95", "ASSD", "NSD"):
            one, two = np.pad(truth[box], 1), np.pad(prediction[box], 1)
            both_ways(one, two)


def made_volume() -> Pair:
    """Make an organ of half a million voxels, and a prediction whose surface differs."""
    random = np.random.default_rng(0)
    shape = (100, 384, 384)
    at = np.ogrid[tuple(slice(-1, 1, complex(0, n)) for n in shape)]
    far = sum(
        ((x - c) / r) ** 2 for x, c, r in zip(at, (0, 0.2, -0.1), (0.6, 0.35, 0.3), strict=True)
    )
    sides = []
    for _ in range(2):
        waves = gaussian_filter(random.normal(size=shape).astype(np.float32), (2, 6, 6))
        inside = far < 1 + 12 * waves
        sides.append(np.where(inside, 0, 2).astype(np.uint8))
    return sides[0], sides[1]


def taken(ask: Callable[[Pair, Sequence[int]], Any], pair: Pair, classes: Sequence[int]) -> float:
    """Return the seconds of processors that a way takes."""
    start = time.process_time()
    ask(pair, classes)
    return time.process_time() - start


def main() -> None:
    """Print seconds a pair, and how many times as long the others take."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    for title, pair, classes in (
        (STREETS.title, make_pair(STREETS, 0), range(STREETS.classes)),
        ("volume 384×384×100, one organ", made_volume(), range(1)),
    ):
        ways: dict[str, Callable[[Pair, Sequence[int]], Any]] = {
            "segeval": ours,
            "MedPy": medpy,
            "the way of MONAI": monai,
        }
        asked = {name: partial(taken, ask, pair, classes) for name, ask in ways.items()}
        seconds = interleave(asked, rounds)
        medians = {name: statistics.median(each) for name, each in seconds.items()}
        print(title)
        for name, value in medians.items():
            print(f"  {name:18} {value:8.3f} s  {value / medians['segeval']:6.1f}")


if __name__ == "__main__":
    main()
