"""Measure what intervals and a comparison cost: 5000 images, 150 classes, 1000 resamples."""

from __future__ import annotations

import sys
from typing import Final

import numpy as np
from measuring import peak_memory, whole_program

from segeval.counting.confusion import ClassCounts
from segeval.scoring.convention import Convention
from segeval.scoring.intervals import find_intervals
from segeval.scoring.resampling import Resampling, Units

IMAGES, CLASSES = 5000, 150

CONVENTIONS: Final = {
    **{
        pooling: Convention(pooling=pooling)
        for pooling in ("dataset", "image", "class", "pair", "micro", "image-micro")
    },
    "image, worst 5 %": Convention(pooling="image", worst=5),
    "class, worst 5 %": Convention(pooling="class", worst=5),
}


def made_counts() -> ClassCounts:
    """Make counts of images that show one class in ten, and predict some that they do not show."""
    random = np.random.default_rng(0)
    size = (IMAGES, CLASSES)
    support = np.where(random.random(size) < 0.1, random.integers(1, 40_000, size), 0)
    tp = (support * random.random(size)).astype(np.int64)
    total = support.sum(axis=1)
    errors = random.multinomial(total - tp.sum(axis=1), np.full(CLASSES, 1 / CLASSES))
    kept = np.where(random.random(size) < 0.1, errors, 0)
    return ClassCounts(tp=tp, support=support, predicted=tp + kept, total=total)


def main() -> None:
    """Measure every pooling in a process of its own, or work through the one that is named."""
    if len(sys.argv) > 1:
        units = Units.of([""] * IMAGES)
        find_intervals(CONVENTIONS[sys.argv[1]], made_counts(), (), units, Resampling())
        return
    print(f"{IMAGES} images, {CLASSES} classes, {Resampling().rounds} resamples, all scores")
    for name in CONVENTIONS:
        command = [sys.executable, __file__, name]
        took = whole_program(command).processor
        print(f"{name:<18} {took:5.1f} s of processors {peak_memory(command):6.0f} MB")


if __name__ == "__main__":
    main()
