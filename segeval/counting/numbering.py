"""What tells the objects of masks apart while these are counted."""

from __future__ import annotations

from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

Side = Literal["truth", "prediction"]


class Numbering(Protocol):
    """Gives every object of a mask a value of its own; see `segeval.values.object_values`."""

    @property
    def fact(self) -> str:
        """What a run says of it, for the signature."""

    @property
    def neighbours(self) -> int:
        """4 or 8 if objects are connected pixels of one value, which need no pixels; else 0."""

    def __call__(self, values: NDArray[Any], side: Side) -> NDArray[Any]:
        """Return a mask, (H, W), of objects."""

    def of_parts(
        self, values: NDArray[np.int64], parts: NDArray[np.int64], side: Side
    ) -> NDArray[np.int64]:
        """Return the values of objects, given value and number of connected parts: (P,) each."""
