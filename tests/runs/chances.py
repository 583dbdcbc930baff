"""Whether intervals cover and tests err as often as they say, on made data sets.

Run as a script (`make torture`) for the full counts; the tests take a few sets.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import numpy as np

from segeval.counting.confusion import ClassCounts
from segeval.counting.contingency import ContingencyTable
from segeval.counting.run import CountedRun, ImageCounts, ImageInfo
from segeval.scoring.compare import compare_runs
from segeval.scoring.convention import Convention
from segeval.scoring.intervals import find_intervals
from segeval.scoring.means import summarize
from segeval.scoring.resampling import Resampling, Units
from segeval.scoring.sample import Sample
from segeval.settings import LabelChoice

if TYPE_CHECKING:
    from numpy.typing import NDArray

CLASSES, PIXELS = 5, 4096
ROUNDS = Resampling(rounds=1000)
CHOICE = LabelChoice(classes=CLASSES)


def made_images(random: np.random.Generator, images: int) -> NDArray[np.int64]:
    """Draw (N, K, K) counts of images that differ in their classes and in how hard they are."""
    shares = random.dirichlet(np.full(CLASSES, 1.0), images)
    support = np.rint(shares * PIXELS).astype(np.int64)
    hit = random.beta(8, 2, (images, CLASSES))
    found = random.binomial(support, hit)
    counts = np.zeros((images, CLASSES, CLASSES), np.int64)
    wrong = np.full((CLASSES, CLASSES), 1 / (CLASSES - 1))
    np.fill_diagonal(wrong, 0)
    for k in range(CLASSES):
        counts[:, k] = random.multinomial((support - found)[:, k], wrong[k])
    counts[:, range(CLASSES), range(CLASSES)] = found
    return counts


def worsened(
    counts: NDArray[np.int64], random: np.random.Generator, share: float
) -> NDArray[np.int64]:
    """Turn a share of the hits of each image into the next class."""
    worse, classes = counts.copy(), np.arange(CLASSES)
    lost = random.binomial(counts[:, classes, classes], share)
    worse[:, classes, classes] -= lost
    worse[:, classes, (classes + 1) % CLASSES] += lost
    return worse


def class_counts(counts: NDArray[np.int64]) -> ClassCounts:
    """Return the counts of each image and class."""
    return ClassCounts(
        tp=np.diagonal(counts, axis1=1, axis2=2),
        support=counts.sum(axis=2),
        predicted=counts.sum(axis=1),
        total=counts.sum(axis=(1, 2)),
    )


def as_run(counts: NDArray[np.int64]) -> CountedRun:
    """Return counts as a run."""
    truth, prediction = np.divmod(np.arange(CLASSES * CLASSES), CLASSES)
    return CountedRun.of(
        ImageCounts(
            info=ImageInfo(
                name=f"{number:04}",
                height=1,
                width=PIXELS,
                truth_path="",
                prediction_path="",
                truth_form="",
                prediction_form="",
            ),
            table=ContingencyTable(truth=truth, prediction=prediction, pixels=cells.reshape(-1)),
        )
        for number, cells in enumerate(counts)
    )


def coverage(sets: int, images: int = 150) -> float:
    """Return the share of sets whose interval of the pooled mIoU holds the expected value."""
    convention = Convention()
    population = class_counts(made_images(np.random.default_rng(0), 400_000))
    expected = summarize(convention, Sample.of(population), ()).means["miou"][0]
    covered = 0
    for number in range(sets):
        sample = class_counts(made_images(np.random.default_rng(1 + number), images))
        units = Units.of([""] * images)
        resampling = Resampling(rounds=ROUNDS.rounds, seed=number)
        low, high = find_intervals(convention, sample, (), units, resampling).means["miou"]
        covered += bool(low <= expected <= high)
    return covered / sets


def false_alarms(pairs: int, images: int = 60) -> float:
    """Return the share of p < 0.05 over pairs of systems that differ by noise alone."""
    alarms = 0
    for number in range(pairs):
        random = np.random.default_rng(10_000 + number)
        counts = made_images(random, images)
        runs = [as_run(worsened(counts, random, 0.05)) for _ in range(2)]
        resampling = Resampling(rounds=ROUNDS.rounds, seed=number)
        (comparison,) = compare_runs(runs, CHOICE, resampling=resampling)
        alarms += bool(comparison.means["miou"].p < 0.05)
    return alarms / pairs


def real_difference(images: int = 200, share: float = 0.018) -> tuple[float, float]:
    """Return the difference of two systems of about 2 points, and its p-value."""
    random = np.random.default_rng(3)
    counts = made_images(random, images)
    runs = [as_run(counts), as_run(worsened(counts, random, share))]
    (comparison,) = compare_runs(runs, CHOICE, resampling=ROUNDS)
    miou = comparison.means["miou"]
    return float(miou.delta), float(miou.p)


def main() -> bool:
    """Print what came out, and return whether it is as promised."""
    started = time.monotonic()
    covered, alarms, (delta, p) = coverage(300), false_alarms(500), real_difference()
    print(f"95 % intervals of the pooled mIoU cover the expectation in {covered:.1%} of 300 sets")
    print(f"p < 0.05 in {alarms:.1%} of 500 pairs of systems that differ by noise alone")
    print(f"a difference of {delta:+.4f} on 200 images has p = {p:.4f}")
    print(f"{time.monotonic() - started:.0f} s")
    return 0.93 <= covered <= 0.97 and 0.03 <= alarms <= 0.07 and p < 0.01


if __name__ == "__main__":
    sys.exit(not main())
