"""Pairs of large images -> counts, some rows at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import Any, Final

from numpy.typing import NDArray

from segeval.counting.contingency import EMPTY, count_values
from segeval.counting.run import ImageCounts, ImageInfo
from segeval.inputs import windows
from segeval.inputs.files import named
from segeval.inputs.masks import kind_of, one_value_a_pixel
from segeval.inputs.pairing import Pair
from segeval.inputs.windows import LargeFile
from segeval.settings import Reading

WINDOW: Final = 1 << 21  # pixels that are counted at once


def count_windows(
    pair: Pair, starts: Sequence[bytes], reading: Reading, *, fingerprints: bool
) -> ImageCounts | None:
    """Count a pair of large TIFF files of one size; None if other files start so."""
    if pair.prediction is None or pair.roi is not None or set(map(kind_of, starts)) != {"TIFF"}:
        return None
    with ExitStack() as stack:
        truth, prediction = (stack.enter_context(LargeFile(mask)) for mask in pair.masks)
        height, width = truth.shape
        if height * width < windows.LARGE or prediction.shape != truth.shape:
            return None
        table = EMPTY
        both = (file.rows(reading.max_pixels) for file in (truth, prediction))
        for samples in _in_step(*both):
            values = []
            for file, rows in zip((truth, prediction), samples, strict=True):
                with named(file.path):
                    values.append(one_value_a_pixel(rows))
            table += count_values(truth=values[0], prediction=values[1])
        marks = [file.fingerprint() for file in (truth, prediction)] if fingerprints else []
        info = ImageInfo.of(pair, truth.shape, (truth.form, prediction.form), "\n".join(marks))
        return ImageCounts(info=info, table=table)


def _in_step(
    one: Iterator[NDArray[Any]], other: Iterator[NDArray[Any]]
) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
    """Yield the same rows of two images, whose blocks have different numbers of them."""
    first, second = next(one, None), next(other, None)
    while first is not None and second is not None:
        rows = min(len(first), len(second), max(1, WINDOW // first.shape[1]))
        yield first[:rows], second[:rows]
        first = first[rows:] if rows < len(first) else next(one, None)
        second = second[rows:] if rows < len(second) else next(other, None)
