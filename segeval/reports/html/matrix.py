"""The confusion matrix for the page: what a script needs to draw it, and its errors in words."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from segeval.scoring.metrics import ratio
from segeval.text import show_percent

WRITTEN: Final = 24  # up to so many classes, shares are written into cells; more are a picture
STEPS: Final = 10  # steps of the heat above nothing at all; the style sheet has a colour for each
NO_CLASS: Final = "no class"


def step_of(share: float) -> int:
    """Return the step of the heat of a share: 0 for nothing, 1 to `STEPS`; small ones are lifted.

    >>> [step_of(share) for share in (0.0, 0.001, 0.25, 0.26, 1.0)]
    [0, 1, 5, 6, 10]
    """
    return 0 if np.isnan(share) or share == 0 else max(1, int(np.ceil(share**0.5 * STEPS - 1e-9)))


def lay_out_matrix(
    confusion: Mapping[str, Any], named: Callable[[str], str], most: int
) -> dict[str, Any]:
    """Lay out the matrix of a document; of too many classes, those with the most wrong pixels.

    ``data`` is what the script draws: names, sums over all classes, and the cells that are not 0 as
    ``[row, column, pixels]``. ``rows`` holds the cells of a table, ``[step, percent]`` each; None
    beyond `WRITTEN` classes.
    """
    counts, names = with_unknown(confusion)
    kept = _kept(counts, len(confusion["labels"]), most)
    across = [*kept, *range(len(confusion["labels"]), len(names))]
    shown = counts[np.ix_(kept, across)]
    data = {
        "truth": [named(names[k]) for k in kept],
        "prediction": [named(names[k]) for k in across],
        "support": counts.sum(axis=1)[kept].tolist(),
        "predicted": counts.sum(axis=0)[across].tolist(),
        "cells": [[int(r), int(c), int(shown[r, c])] for r, c in np.argwhere(shown)],
    }
    rows = None
    if len(kept) <= WRITTEN:
        shares = ratio(shown, counts.sum(axis=1)[kept, None])
        rows = [[(step_of(s), show_percent(s)) for s in row] for row in shares.tolist()]
    return {"data": data, "rows": rows, "shown": len(kept), "of": len(confusion["labels"])}


def with_unknown(confusion: Mapping[str, Any]) -> tuple[NDArray[np.int64], list[str]]:
    """Add the pixels that are predicted as no class as a last column, if there are any."""
    counts, names = np.array(confusion["counts"], np.int64), list(confusion["labels"])
    unknown = np.array(confusion["unknown"], np.int64)
    if not unknown.any():
        return counts, names
    return np.column_stack([counts, unknown]), [*names, NO_CLASS]


def _kept(counts: NDArray[np.int64], classes: int, most: int) -> list[int]:
    square = counts[:, :classes]
    wrong = counts.sum(axis=1) + square.sum(axis=0) - 2 * square.diagonal()
    kept: list[int] = sorted(np.argsort(-wrong, kind="stable")[:most].tolist())
    return kept


def list_confusions(
    confusion: Mapping[str, Any], named: Callable[[str], str], most: int = 10
) -> list[dict[str, Any]]:
    """List the confusions that hold the most pixels, with the words for a sentence about each."""
    counts, names = with_unknown(confusion)
    shares = ratio(counts, counts.sum(axis=1, keepdims=True))
    wrong = counts.copy()
    np.fill_diagonal(wrong, 0)
    order = np.argsort(-wrong, axis=None, kind="stable")[:most]
    return [
        {
            "truth": named(names[row]),
            "prediction": named(names[column]),
            "share": show_percent(float(shares[row, column])),
            "pixels": int(wrong[row, column]),
        }
        for row, column in zip(*np.unravel_index(order, wrong.shape), strict=True)
        if wrong[row, column]
    ]
