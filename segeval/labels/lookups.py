"""Values of masks as indices of classes, looked up by what the whole run holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, get_args

import numpy as np
from numpy.typing import NDArray

from segeval.counting.run import CountedRun
from segeval.labels.classify import MISSED, translate_values
from segeval.labels.labelmap import UNKNOWN, LabelMap, Side
from segeval.settings import Unknown

NEW: Final = -4  # index of a value that the run does not hold


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ValueLookup:
    """Every value of one side of a run, ascending, and its class, `VOID`, `UNKNOWN` or `MISSED`."""

    values: NDArray[np.int64]
    index: NDArray[Any]
    new: int = NEW  # what another value becomes

    def of(self, mask: NDArray[Any]) -> NDArray[Any]:
        """Translate a mask into class indices; ValueError if the run does not hold a value."""
        if mask.dtype == np.uint8:
            bytes_only = (self.values >= 0) & (self.values < 256)
            table = np.full(256, self.new, self.index.dtype)
            table[self.values[bytes_only]] = self.index[bytes_only]
            classes = take_bytes(table, mask)
        else:
            classes = self._of_wide(mask.ravel()).reshape(mask.shape)
        if classes.min(initial=0) == NEW:
            raise ValueError("it holds other values than when it was counted")
        return classes

    def _of_wide(self, values: NDArray[Any]) -> NDArray[Any]:
        """Look up values run by run, as masks are piecewise constant."""
        ends = np.r_[np.flatnonzero(values[1:] != values[:-1]), values.size - 1]
        wanted = values[ends].astype(np.int64)
        place = np.searchsorted(self.values, wanted).clip(max=self.values.size - 1)
        found = np.where(self.values[place] == wanted, self.index[place], self.new)
        return np.repeat(found.astype(self.index.dtype), np.diff(ends, prepend=-1))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RunLookup:
    """How the masks of a run become K classes; small, and fit to be sent to worker processes."""

    truth: ValueLookup
    prediction: ValueLookup
    classes: int
    unknown: Unknown

    def pair(
        self, truth: NDArray[Any], prediction: NDArray[Any] | None
    ) -> tuple[NDArray[np.signedinteger], NDArray[np.signedinteger]]:
        """Translate the values of a pair of masks of equal shape; no prediction is all missed.

        What is not judged for its predicted value is void in the truth that comes back.
        """
        truths = self.truth.of(truth)
        if prediction is None:
            return truths, np.broadcast_to(truths.dtype.type(MISSED), truths.shape)
        predictions = self.prediction.of(prediction)
        if self.unknown == "ignore":
            truths = np.where(predictions == UNKNOWN, truths.dtype.type(-1), truths)
        return truths, predictions


def lookup_of(run: CountedRun, labels: LabelMap, *, unknown: Unknown = "error") -> RunLookup:
    """Return how the masks of a run become classes, by the values of the whole run."""
    small = np.min_scalar_type(-len(labels.labels) - 1)
    sides = {}
    for side in get_args(Side):
        values = run.counts.values(side)
        index = translate_values(values, labels, side)
        sides[side] = ValueLookup(values=values, index=index.astype(small))
    return RunLookup(**sides, classes=len(labels.labels), unknown=unknown)


def take_bytes(table: NDArray[Any], codes: NDArray[Any]) -> NDArray[Any]:
    """Return ``table[codes]``; bytes from bytes several times as fast as NumPy takes them."""
    if codes.dtype != np.uint8 or table.itemsize != 1:
        return table.take(codes)
    padded = np.zeros(256, table.dtype)
    padded[: len(table)] = table
    translated = codes.tobytes().translate(padded.tobytes())
    return np.frombuffer(translated, table.dtype).reshape(codes.shape)
