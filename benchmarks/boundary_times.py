"""Measure what Boundary IoU costs: bands of 19 classes, 2048×1024, against a plain score.

Each is measured once a round, in processor time of one core. The reference erodes each class once,
as boundary-iou-api does, by OpenCV if it is installed, else by SciPy.
"""

from __future__ import annotations

import argparse
import importlib
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from made_masks import STREETS, VOID, make_pair
from measuring import interleave
from PIL import Image

from segeval.boundaries.bands import KERNEL, band_counts, trimap_counts
from segeval.boundaries.edges import edge_counts
from segeval.boundaries.widths import Width
from segeval.counting.dataset import count_pair
from segeval.counting.native import class_map, settle
from segeval.inputs.masks import read_mask
from segeval.inputs.pairing import Pair
from segeval.settings import Reading

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

CLASSES: Final = STREETS.classes
SIDES: Final = "truth", "prediction"
READING: Final = Reading()


def eroded(mask: NDArray[np.uint8], reach: int) -> Any:
    """Return a mask without its band; the edge of the image is outside."""
    try:
        cv2: Any = importlib.import_module("cv2")
    except ImportError:
        from scipy import ndimage

        return ndimage.minimum_filter(mask, 2 * reach + 1, mode="constant", cval=0)
    framed = cv2.copyMakeBorder(mask, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    return cv2.erode(framed, np.ones((3, 3), np.uint8), iterations=reach)[1:-1, 1:-1]


def reference(truth: NDArray[Any], prediction: NDArray[Any], reach: int) -> NDArray[np.int64]:
    """Count the bands of all classes, one after another."""
    found = []
    for index in range(CLASSES):
        masks = [(side == index).astype(np.uint8) for side in (truth, prediction)]
        bands = [mask - eroded(mask, reach) for mask in masks]
        both = bands[0] * bands[1]
        found.append([int(part.sum(dtype=np.int64)) for part in (*bands, both)])
    return np.array(found).T


def as_classes(path: Path) -> NDArray[np.uint8]:
    """Read a mask as a class map, in which 255 is void."""
    values = np.array([*range(CLASSES), VOID], np.int64)
    codes = np.array([*range(CLASSES), CLASSES + (path.stem != SIDES[0])], np.uint8)
    found = class_map(path, values, codes, max_pixels=READING.max_pixels)
    if found is None:
        mask = read_mask(path, max_pixels=READING.max_pixels).values
        found = codes[np.searchsorted(values, mask)]
    return found


def class_maps(folder: Path) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Read both sides; what is void in the truth is void in the prediction."""
    truth, prediction = (as_classes(folder / f"{side}.png") for side in SIDES)
    if settle(truth, prediction, CLASSES) is None:
        np.copyto(prediction, CLASSES, where=truth == CLASSES)
    return truth, prediction


def timed(work: Callable[[], object]) -> Callable[[], float]:
    """Return what measures a piece of work in ms of a processor."""

    def measure() -> float:
        start = time.process_time()
        work()
        return 1000 * (time.process_time() - start)

    return measure


def write_pair(folder: Path, number: int) -> None:
    """Write a pair of masks as PNG files."""
    for side, mask in zip(SIDES, make_pair(STREETS, number)[::-1], strict=True):
        Image.fromarray(mask).save(folder / f"{side}.png")


def main() -> None:
    """Measure a pair in turns, and print medians."""
    options = argparse.ArgumentParser()
    options.add_argument("--rounds", type=int, default=15)
    wanted = options.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_pair(folder, 1)
        truth_file, prediction_file = (folder / f"{side}.png" for side in SIDES)
        pair = Pair(name="a", truth=truth_file, prediction=prediction_file)
        truth, prediction = class_maps(folder)
        reach = Width.parse("2%").pixels(truth.shape)
        given = truth, prediction, CLASSES, reach
        small = np.where(truth == CLASSES, CLASSES + 1, truth).astype(np.uint8)
        alike = np.where(truth == CLASSES, CLASSES + 1, prediction).astype(np.uint8)
        assert np.array_equal(
            band_counts(small, alike, CLASSES, reach), reference(*given[:2], reach)
        )
        taken = interleave(
            {
                "plain score: both files counted": timed(lambda: count_pair(pair, READING)),
                "class maps of both files": timed(lambda: class_maps(folder)),
                "bands of both sides": timed(lambda: band_counts(*given)),
                "trimap": timed(lambda: trimap_counts(*given)),
                "edges": timed(lambda: edge_counts(*given[:3])),
            },
            wanted.rounds,
        )
        slow = interleave({"one erosion a class": timed(lambda: reference(*given[:2], reach))}, 3)
    medians = {name: statistics.median(values) for name, values in (taken | slow).items()}
    print(
        f"{STREETS.title}, {reach} pixels, kernel: {KERNEL is not None}; ms of a processor a pair"
    )
    for name, value in medians.items():
        print(f"{name:<34}{value:9.2f}")
    plain, maps, bands, *_, erosions = medians.values()
    whole = plain + maps + bands
    print(f"a score with bands {whole:.2f}: {whole / plain:.1f} times the plain one")
    print(f"one erosion a class: {erosions / whole:.0f} times a score with bands")


if __name__ == "__main__":
    main()
