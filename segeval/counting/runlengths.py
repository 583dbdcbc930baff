"""Count masks that are held as run lengths, without making pixels of them: cut at all edges."""

import numpy as np
from numpy.typing import NDArray

from segeval.counting.contingency import ContingencyTable, tabulate
from segeval.inputs.rle import Runs


def count_runs(truth: Runs, prediction: Runs) -> ContingencyTable | None:
    """Count the pairs of values of two masks of one size; None if sizes or orders differ.

    >>> import numpy as np
    >>> one, two = (np.array([value]) for value in (1, 2))
    >>> how = {"shape": (2, 3), "order": "row"}
    >>> truth = Runs(starts=one, ends=one + 3, values=one, **how)
    >>> table = count_runs(truth, Runs(starts=two, ends=two + 3, values=two, **how))
    >>> list(zip(table.truth.tolist(), table.prediction.tolist(), table.pixels.tolist()))
    [(0, 0, 2), (0, 2, 1), (1, 0, 1), (1, 2, 2)]
    """
    if (truth.order, truth.shape) != (prediction.order, prediction.shape):
        return None
    pixels = truth.shape[0] * truth.shape[1]
    if _is_plain(truth) and _is_plain(prediction):
        return _count_plain(truth, prediction, pixels)
    edges = np.concatenate(
        (truth.starts, truth.ends, prediction.starts, prediction.ends, (0, pixels))
    )
    edges.sort()
    lengths = np.diff(edges)
    at = edges[:-1][lengths > 0]
    return tabulate(_values_at(truth, at), _values_at(prediction, at), lengths[lengths > 0])


def _is_plain(runs: Runs) -> bool:
    """Whether a mask holds no value beside the background, or one."""
    return not runs.values.size or bool((runs.values == runs.values[0]).all())


def _count_plain(truth: Runs, prediction: Runs, pixels: int) -> ContingencyTable:
    """Count two masks of one foreground each, from three sums of lengths."""
    sides = (truth, prediction)
    below = [runs.background for runs in sides]
    values = [int(runs.values[0]) if runs.values.size else runs.background for runs in sides]
    both, one, other = _common(truth, prediction), _foreground(truth), _foreground(prediction)
    cells = [
        (*below, pixels - one - other + both),
        (below[0], values[1], other - both),
        (values[0], below[1], one - both),
        (*values, both),
    ]
    counts = np.array(sorted(cell for cell in cells if cell[2]), np.int64)
    return ContingencyTable(truth=counts[:, 0], prediction=counts[:, 1], pixels=counts[:, 2])


def _foreground(runs: Runs) -> int:
    return int(runs.ends.sum() - runs.starts.sum())


def _common(one: Runs, other: Runs) -> int:
    """Return how many pixels lie in runs of both masks."""
    if not one.starts.size or not other.starts.size:
        return 0
    before = np.zeros(one.starts.size + 1, np.int64)  # in all runs up to one
    np.cumsum(one.ends - one.starts, out=before[1:])
    ends = np.concatenate((other.ends[:1], one.ends))  # the first stands for no run at all
    total = 0
    for sign, edges in ((1, other.ends), (-1, other.starts)):
        place = np.searchsorted(one.starts, edges, side="right")
        beyond = np.where(place > 0, np.maximum(ends[place] - edges, 0), 0)
        total += sign * int((before[place] - beyond).sum())
    return total


def _values_at(runs: Runs, pixels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return what a mask holds at some pixels, which are numbered in its order."""
    if not runs.starts.size:
        return np.full(pixels.size, runs.background)
    place = np.searchsorted(runs.starts, pixels, side="right") - 1
    return np.where((place >= 0) & (pixels < runs.ends[place]), runs.values[place], runs.background)
