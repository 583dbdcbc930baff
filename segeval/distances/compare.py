"""Two runs over the same images -> what changed in their distances, and whether by chance."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

import numpy as np

from segeval.distances.means import Cells, mean_cells
from segeval.distances.measure import along_axes
from segeval.distances.result import score_distances
from segeval.distances.rules import DistanceRules
from segeval.errors import SettingError
from segeval.scoring.beside import Contrast, contrast
from segeval.scoring.compare import RunComparison

SAME: Final = 1e-6  # share by which rounding may change the size of a pixel


def compare_distances(comparison: RunComparison, rules: DistanceRules) -> Contrast:
    """Compare the distances of two runs that are compared, by the same resamples and swaps."""
    one, two = (score_distances(s, rules) for s in (comparison.baseline, comparison.scores))
    check_spacing(one.names, one.spacing, two.spacing)
    pooling = comparison.scores.convention.pooling
    score = partial(mean_cells, kept=one.kept, pooling=pooling)
    both = Cells.joined(one.cells, two.cells)
    return contrast(comparison, (one.cells, two.cells), both, score, rules=rules, kinds=one.kinds)


def check_spacing(
    names: Sequence[str], one: Sequence[tuple[float, ...]], two: Sequence[tuple[float, ...]]
) -> None:
    """Refuse images whose pixels are of one size in a run and of another in the other."""
    for name, steps, others in zip(names, one, two, strict=True):
        if not np.allclose(steps, others, rtol=SAME, atol=0):
            baseline = along_axes(steps)
            raise SettingError(
                f"{name}: a pixel is {baseline} large in the distances of the baseline, and "
                f"{along_axes(others)} in those of the run; type the same score command with "
                f"--distances --spacing {baseline}, -o RUN and --resume to measure them alike"
            )
