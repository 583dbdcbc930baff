"""Chance, in numbers: images drawn anew, intervals, swaps of two systems, corrected p-values.

Everything here is a function of a seed, and gives the same bits in blocks of any size.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from segeval.counting.confusion import ClassCounts
from segeval.errors import Problem, SettingError
from segeval.scoring.metrics import ROUNDING

LEVEL: Final = 0.95  # share of the resamples that lies within an interval
SEED: Final = 12345  # seed unless another is given
FEW: Final = 20  # units below which an interval is not to be relied on
BLOCK: Final = 1 << 22  # cells of a matrix of weights that is held at a time, 32 MiB of float64
PART: Final = 1 << 16  # cells of it that are drawn at a time
FEWEST, MOST = 10, 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Resampling:
    """How often, and from which seed of `numpy.random.default_rng`."""

    rounds: int = 1000
    seed: int = SEED

    def __post_init__(self) -> None:
        """Refuse what gives no interval."""
        if not FEWEST <= self.rounds <= MOST:
            raise SettingError(
                f"--ci {self.rounds}: the number of resamples is {FEWEST} to {MOST}, e.g. 1000"
            )
        if self.seed < 0:
            raise SettingError(f"--seed is 0 or more, not {self.seed}")

    def signature_part(self, units: Units) -> str:
        """Return the part of the signature that says how intervals came about.

        >>> Resampling().signature_part(Units.of(["", ""]))
        'ci:1000,95%,seed:12345,images'
        """
        return f"ci:{self.rounds},{LEVEL:.0%},seed:{self.seed},{units.kind}"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Units:
    """What is drawn: images, or groups of images, which are drawn as a whole."""

    kind: Literal["images", "groups"]
    unit: NDArray[np.int64]  # (N,); the number of the unit of each image
    count: int

    @classmethod
    def of(cls, groups: Sequence[str]) -> Units:
        """Take each group for a unit, and each image without a group for one of its own."""
        if not any(groups):
            return cls(kind="images", unit=np.arange(len(groups)), count=len(groups))
        names = [("group", name) if name else ("image", n) for n, name in enumerate(groups)]
        numbers = {name: number for number, name in enumerate(dict.fromkeys(names))}
        unit = np.array([numbers[name] for name in names], np.int64)
        return cls(kind="groups", unit=unit, count=len(numbers))

    def expand(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give every image the weight of its unit: (B, U) to (B, N)."""
        return weights if self.kind == "images" else weights[:, self.unit]

    def sum(self, images: ClassCounts) -> ClassCounts:
        """Sum the counts of the images of each unit: (N, …) to (U, …)."""

        def summed(part: NDArray[np.int64]) -> NDArray[np.int64]:
            sums = np.zeros((self.count, *part.shape[1:]), part.dtype)
            np.add.at(sums, self.unit, part)
            return sums

        return images.map(summed)

    def problems(self) -> list[Problem]:
        """Say if there is nothing to draw from."""
        if self.count >= 2:
            return []
        detail = (
            f"an interval needs 2 {self.kind} or more, and there is {self.count or 'none'}; "
            "score without --ci and --significant, or add images"
        )
        return [Problem(name="data", kind=f"too few {self.kind}", detail=detail)]


def draw(
    units: Units, resampling: Resampling, *, block: int | None = None
) -> Iterator[NDArray[np.float64]]:
    """Draw as many units as there are, with replacement, round after round.

    Yields how often each image is drawn, (B, N), in blocks of B rounds, by default of 32 MiB. The
    indices are those that `scipy.stats.bootstrap` draws from the same generator.

    Efron & Tibshirani 1993, An Introduction to the Bootstrap, chapter 6.
    """
    random, count = np.random.default_rng(resampling.seed), units.count
    for weights in _blocks(units, resampling, block):
        for part in _parts(weights):
            part[:] = _times_drawn(random.integers(0, count, part.shape))
        yield units.expand(weights)


def _times_drawn(drawn: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how often each unit is in each of some rows, (B, U); what is drawn is used up."""
    rows, count = drawn.shape
    drawn += np.arange(rows)[:, None] * count
    return np.bincount(drawn.reshape(-1), minlength=rows * count).reshape(rows, count)


def changed(coins: NDArray[np.float64]) -> Iterator[NDArray[np.float64]]:
    """Yield what either of two systems has of the images of both, where coins are 1 of the other.

    (B, 2 N) each: weights of the images of the first, then of those of the second.
    """
    count = coins.shape[1]
    for own, other in ((slice(count), slice(count, None)), (slice(count, None), slice(count))):
        weights = np.empty((len(coins), 2 * count))
        np.subtract(1, coins, out=weights[:, own])
        weights[:, other] = coins
        yield weights


def swap(
    units: Units, resampling: Resampling, *, block: int | None = None
) -> Iterator[NDArray[np.float64]]:
    """Toss a coin for every unit, round after round: whether two systems change places there.

    Yields 1 for each image where they do, else 0, in blocks of (B, N).

    Noreen 1989, Computer-Intensive Methods for Testing Hypotheses, chapter 2.
    """
    random = np.random.default_rng(resampling.seed)
    for coins in _blocks(units, resampling, block, BLOCK // 2):  # which are made weights of both
        for part in _parts(coins):
            part[:] = random.integers(0, 2, part.shape)
        yield units.expand(coins)


def _blocks(
    units: Units, resampling: Resampling, block: int | None, cells: int = BLOCK
) -> Iterator[NDArray[np.float64]]:
    """Yield room for a number of each unit in some rounds, (B, U)."""
    size = block or max(1, cells // max(1, units.unit.size))
    for start in range(0, resampling.rounds, size):
        yield np.empty((min(size, resampling.rounds - start), units.count))


def _parts(rows: NDArray[np.float64]) -> Iterator[NDArray[np.float64]]:
    """Yield some rows at a time, so that what is made for them takes little memory."""
    size = max(1, PART // max(1, rows.shape[1]))
    return (rows[start : start + size] for start in range(0, len(rows), size))


def percentile_interval(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the (2, …) bounds between which the middle 95 % of the (R, …) rounds lie.

    Linear interpolation between neighbours, infinite behind a finite one if the other is infinite.
    Rounds in which a score is undefined are left out; NaN where none defines it.

    Efron & Tibshirani 1993, An Introduction to the Bootstrap, chapter 13.
    """
    tail = (1 - LEVEL) / 2
    ends = np.array([tail, 1 - tail]) * 100
    columns = values.reshape(values.shape[0], -1)
    bounds = np.full((2, columns.shape[1]), np.nan)
    undefined = np.isnan(columns)
    whole = np.isfinite(columns).all(axis=0)
    bounds[:, whole] = np.percentile(columns[:, whole], ends, axis=0)
    for k in np.flatnonzero(~whole & ~undefined.all(axis=0)):
        defined = columns[~undefined[:, k], k]
        infinite = np.isinf(defined).any()
        bounds[:, k] = _with_infinite(defined, ends) if infinite else np.percentile(defined, ends)
    return bounds.reshape(2, *values.shape[1:])


def _with_infinite(values: NDArray[np.float64], ends: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return both percentiles; the widest bounds between neighbours of -inf and inf."""
    ordered = np.sort(values)
    found = np.interp(ends / 100 * (ordered.size - 1), np.arange(ordered.size), ordered)
    return np.where(np.isnan(found), ordered[[0, -1]], found)


def randomization_p(
    observed: NDArray[np.float64], swapped: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return how often a difference as large comes about by swapping alone.

    p = (c + 1) / (R + 1), with c those of the R rounds in which the difference is, in absolute
    value, at least the observed one. Rounds in which it is undefined are left out of c and of R.
    In (0, 1]; NaN where the observed difference is undefined.

    Noreen 1989, Computer-Intensive Methods for Testing Hypotheses, chapter 2.

    >>> randomization_p(np.array(0.2), np.array([0.1, -0.2, 0.0])).item()
    0.5
    """
    defined = ~np.isnan(swapped)
    reached = (np.abs(swapped) >= np.abs(observed) - ROUNDING).sum(axis=0)
    p: NDArray[Any] = (reached + 1) / (defined.sum(axis=0) + 1)
    return np.where(np.isnan(observed), np.nan, p)


def holm(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Correct the p-values of a family of tests, so that one false alarm in all is as rare as said.

    The i-th smallest of m is multiplied by m - i + 1, and none is less than one before it. NaN
    where there is no test.

    Holm 1979, A Simple Sequentially Rejective Multiple Test Procedure, Scand. J. Statist. 6:65.

    >>> holm(np.array([0.01, 0.04, 0.03])).round(4).tolist()
    [0.03, 0.06, 0.06]
    """
    order = np.argsort(p)[: np.count_nonzero(~np.isnan(p))]
    factors = np.arange(order.size, 0, -1)
    corrected = np.full(p.shape, np.nan)
    corrected[order] = np.minimum(1, np.maximum.accumulate(p[order] * factors))
    return corrected
