"""Does a probability of 0.8 come true four times in five? Reliability, from sums over pixels.

Of several classes, the highest probability is held against how often its class is true.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segeval.scoring.metrics import ratio


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReliabilityBins:
    """What the judged pixels of one image, or of all, say about its probabilities.

    Three (B,) arrays: pixels of each bin, those where what the probability was given to came true,
    and the sum of the probabilities. A truth given the probability 0 counts 100 in ``nll``; from
    logits none is.
    """

    pixels: NDArray[np.int64]
    correct: NDArray[np.int64]
    confidence: NDArray[np.float64]
    brier: float  # sum of the squared distance to the truth
    nll: float  # sum of -ln of the probability given to the truth
    impossible: int  # pixels whose truth was given the probability 0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Calibration:
    """How far probabilities are from what comes true; NaN where no pixel is judged.

    Expected and maximum calibration error are the mean over pixels and the maximum over bins of
    ``|frequency - confidence|``. Bin b holds probabilities from b/B on and below (b + 1)/B; the
    last one holds 1, too. An empty bin has neither confidence nor frequency.

    Brier 1950, doi:10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2. Reliability tables and their
    expected error: Naeini et al. 2015, doi:10.1609/aaai.v29i1.9602; by the highest probability of
    several classes: Guo et al. 2017, arXiv:1706.04599.
    """

    ece: float  # in [0, 1]
    mce: float  # in [0, 1]
    brier: float  # mean of (p - t)², summed over several classes: in [0, 1] or [0, 2]
    nll: float  # mean of -ln of the probability of the truth
    confidence: NDArray[np.float64]  # (B,); mean probability of a bin
    frequency: NDArray[np.float64]  # (B,); the share that came true
    pixels: NDArray[np.int64]  # (B,)
    impossible: int


def bin_probabilities(
    confidence: NDArray[np.floating[Any]],
    correct: NDArray[np.bool_],
    bins: int,
    *,
    squared: float,
    nll: float,
    impossible: int,
) -> ReliabilityBins:
    """Sort judged pixels into bins of equal width by the probability held against the truth."""
    confidence = confidence.astype(np.float64)
    number = np.searchsorted(np.arange(1, bins) / bins, confidence, side="right")
    return ReliabilityBins(
        pixels=np.bincount(number, minlength=bins),
        correct=np.bincount(number[correct], minlength=bins),
        confidence=np.bincount(number, confidence, bins).astype(np.float64),
        brier=squared,
        nll=nll,
        impossible=impossible,
    )


def calibrate(evidence: Sequence[ReliabilityBins]) -> Calibration:
    """Put the evidence of all images together; sums of floats are exact, in any order."""
    pixels = np.sum([each.pixels for each in evidence], axis=0)
    correct = np.sum([each.correct for each in evidence], axis=0)
    confidence = np.array(
        [math.fsum(column) for column in np.array([e.confidence for e in evidence]).T]
    )
    confidence, frequency = ratio(confidence, pixels), ratio(correct, pixels)
    gaps = np.nan_to_num(np.abs(frequency - confidence))
    total = int(pixels.sum())
    if not total:
        gaps = np.full(1, np.nan)
    shares = [math.fsum(getattr(each, name) for each in evidence) for name in ("brier", "nll")]
    brier, nll = ratio(np.array(shares), np.array(total)).tolist()
    return Calibration(
        ece=math.fsum((pixels * gaps).tolist()) / total if total else math.nan,
        mce=float(gaps.max()),
        brier=brier,
        nll=nll,
        confidence=confidence,
        frequency=frequency,
        pixels=pixels,
        impossible=sum(each.impossible for each in evidence),
    )
