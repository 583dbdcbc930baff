"""Feed class maps to the kernel of bands, built with sanitizers; NumPy must count the same.

``make fuzz-native`` runs it; a sanitizer ends the program at the first wrong access.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
from made.classmaps import any_class_maps
from runs.fuzz_native import PROJECT, again_with_sanitizer, load, sanitized

from segeval.boundaries import bands

SOURCES: Final = [PROJECT / "segeval" / "boundaries" / "_bands.c"]


def fuzz(kernel: Any, inputs: int, seed: int) -> None:
    """Count bands and trimaps with the kernel and without; both must be equal.

    Every eighth map is noise of all bytes, which no class map is: it must be counted or refused.
    """
    for number in range(inputs):
        random = np.random.default_rng([seed, number])
        truth, prediction, classes = any_class_maps(random)
        reach = int(random.integers(1, 4) if number % 3 else random.integers(1, 90))
        if number % 8 == 0:
            noise = random.integers(0, 256, (2, *truth.shape)).astype(np.uint8)
            numbers = random.integers(-2, 300, 4).tolist()
            numbers[:2] = truth.shape if number % 16 else numbers[:2]
            with contextlib.suppress(ValueError):
                kernel.count(noise[0], noise[1], *numbers, number % 3)
            continue
        for count in (bands.band_counts, bands.trimap_counts):
            found = []
            for way in (kernel.count, None):
                bands.KERNEL = way  # type: ignore[misc]
                found.append(count(truth, prediction, classes, reach))
            assert np.array_equal(found[0], found[1]), (seed, number)


def main() -> None:
    """Build, feed, and print how many inputs there were."""
    options = argparse.ArgumentParser()
    options.add_argument("--maps", type=int, default=100_000)
    options.add_argument("--seed", type=int, default=1)
    wanted = options.parse_args()
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as name:
        if "KERNEL" not in os.environ:
            sys.exit(again_with_sanitizer(sanitized(Path(name) / "_bands.so", SOURCES)))
        fuzz(load(os.environ["KERNEL"]), wanted.maps, wanted.seed)
    print(f"class maps: {wanted.maps}, all as without the kernel, no wrong access")
    print(f"{time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
