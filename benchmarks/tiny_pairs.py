"""Score very many pairs of tiny masks: memory and time of a pair, and of listing and pairing it.

A number of pairs may be given, a million otherwise. A few hundred files stand under all names.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

import numpy as np
from measuring import SEGEVAL, peak_and_processor
from PIL import Image

from segeval.inputs.pairing import find_pairs

DISTINCT, SIZE, CLASSES, FEW = 250, 16, 4, 10_000
SIDES: Final = ("pred", "truth")


def make_masks(folder: Path) -> None:
    """Write the distinct masks: blocks of classes, each with some pixels of another class."""
    random = np.random.default_rng(0)
    for side in SIDES:
        (folder / side).mkdir(parents=True)
        for number in range(DISTINCT):
            mask = random.integers(0, CLASSES, (4, 4)).repeat(SIZE // 4, 0).repeat(SIZE // 4, 1)
            Image.fromarray(mask.astype(np.uint8)).save(folder / side / f"{number}.png")


def link_pairs(masks: Path, folder: Path, pairs: int) -> list[str]:
    """Give the masks so many names, a thousand in a folder; return both sides."""
    for side in SIDES:
        for number in range(pairs):
            place = folder / side / f"city_{number // 1000:04d}"
            if number % 1000 == 0:
                place.mkdir(parents=True)
            os.link(masks / side / f"{number % DISTINCT}.png", place / f"{number:07d}.png")
    return [str(folder / side) for side in SIDES]


def score(sides: list[str]) -> tuple[float, float]:
    """Return memory in MB and seconds of a processor."""
    return peak_and_processor([*SEGEVAL, "score", *sides, "--workers", "1"])


def listing(sides: list[str]) -> float:
    """Return the seconds of a processor that listing and pairing takes."""
    prediction, truth = (Path(side) for side in sides)
    start = time.process_time()
    find_pairs(prediction=prediction, truth=truth)
    return time.process_time() - start


def main() -> None:
    """Print what a pair takes over the start: among few, among many, and among few again."""
    many = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_masks(folder / "masks")
        sets = {n: link_pairs(folder / "masks", folder / str(n), n) for n in (1, FEW, many)}
        base, start = score(sets[1])
        print(f"pairs   memory   a pair   score of a pair   listing and pairing it ({base:.0f} MB)")
        for pairs in (FEW, many, FEW):
            peak, took = score(sets[pairs])
            listed = listing(sets[pairs])
            print(
                f"{pairs}  {peak:.0f} MB  {(peak - base) * 1e3 / pairs:.2f} kB"
                f"  {(took - start) * 1e6 / pairs:.1f} µs  {listed * 1e6 / pairs:.1f} µs",
                flush=True,
            )


if __name__ == "__main__":
    main()
