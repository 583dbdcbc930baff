"""Class maps as measures are handed them, of all that borders can be."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Map = NDArray[Any]


def any_class_maps(random: np.random.Generator) -> tuple[Map, Map, int]:
    """Return class maps that touch, with void, single pixels and pixels of no class."""
    classes = int(random.integers(1, 5))
    shape = (
        random.integers(1, 14, 2) if random.random() < 0.8 else random.integers(1, 5, 2) * (1, 60)
    )
    truth = random.integers(0, classes + (random.random() < 0.3), shape)
    step = random.integers(1, 8, 2)
    truth = truth.repeat(step[0], 0).repeat(step[1], 1)[: shape[0], : shape[1]]
    void = random.random(shape) < random.choice([0, 0.1, 0.6])
    specks = random.random(shape) < random.choice([0, 0.02, 0.3])
    prediction = np.where(specks, random.integers(0, classes, shape), np.roll(truth, 1, 1))
    truth, prediction = (
        np.where(void, classes, truth),
        np.where(prediction == classes, 0, prediction),
    )
    prediction[random.random(shape) < random.choice([0, 0.1])] = classes + 1
    prediction[truth == classes] = classes
    return truth.astype(np.uint8), prediction.astype(np.uint8), classes
