"""Were run lengths read the right way round? Told by the masks beside them.

Columns and rows are easily mixed up, and nothing in a table says which of them its runs go along.
"""

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from segeval.counting.counts import Counts
from segeval.counting.dataset import count_pair
from segeval.counting.run import CountedRun, ImageCounts
from segeval.errors import MaskError
from segeval.inputs.annotations import Annotation
from segeval.inputs.pairing import Pair
from segeval.settings import Reading, RleOrder
from segeval.values import NO_PREDICTION

LOOKED: Final = 16  # images that are counted once more
LEAST: Final = 0.3  # agreement that tells something
FAR: Final = 2  # how many times the other agreement it must be


def propose_order(run: CountedRun, reading: Reading, order: RleOrder) -> str:
    """Name the other order if far more pixels agree in it, or return nothing.

    Where both sides are run lengths, both would turn, and agree as before.
    """
    some = np.flatnonzero(_pixels(run.counts, len(run)).all(axis=0))[:LOOKED].tolist()
    if not some:
        return ""
    before = _agreement(run.select(some))
    if before * FAR > 1:
        return ""
    try:
        pairs = [_turned(run.images[number].pair) for number in some]
    except MaskError:  # what cannot be read any more is no reason for a notice
        return ""
    counted = [count_pair(pair, reading) for pair in pairs if pair is not None]
    images = [image for image in counted if isinstance(image, ImageCounts)]
    after = _agreement(CountedRun.of(images))
    if after < LEAST or after < FAR * before:
        return ""
    other: RleOrder = "row" if order == "column" else "column"
    return (
        f"the run lengths were read by {order}s, and agree far better with the masks by {other}s: "
        f"IoU {after:.2f}, not {before:.2f}, of what is not 0 in {len(images)} of the images; type "
        f"--rle-order {other}"
    )


def _pixels(counts: Counts, images: int) -> NDArray[np.float64]:
    """Return how many pixels of each image are not 0, in the truth and the prediction, (2, N)."""
    predicted = (counts.prediction != 0) & (counts.prediction != NO_PREDICTION)
    sides = [np.where(side, counts.pixels, 0) for side in (counts.truth != 0, predicted)]
    return np.stack([np.bincount(counts.image, side, images) for side in sides])


def _agreement(run: CountedRun) -> float:
    """Return the IoU of what is not 0."""
    counts = run.counts
    sides = counts.truth != 0, counts.prediction != 0
    both, either = (counts.pixels[at].sum() for at in (sides[0] & sides[1], sides[0] | sides[1]))
    return float(both / max(1, either))


def _turned(pair: Pair) -> Pair | None:
    """Return a pair with its run lengths the other way round, if they are those of one side."""
    truth, prediction = pair.truth, pair.prediction
    if isinstance(truth, Annotation) == isinstance(prediction, Annotation):
        return None
    if isinstance(truth, Annotation):
        turned = truth.turned()
        return None if turned is None else replace(pair, truth=turned)
    turned = prediction.turned() if isinstance(prediction, Annotation) else None
    return None if turned is None else replace(pair, prediction=turned)
