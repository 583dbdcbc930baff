"""Make label images of cells: 4 fields of 320×320, each cell a number of its own, else 0.

Run ``python sample_masks/cells/make.py`` to make ``pred/`` and ``truth/`` beside this file anew;
the same masks come out every time. Predicted cells have other borders and numbers; some that touch
are one, some large ones are two, some are missed, and some are seen in dirt.
Written for this project; licence as the project's.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

SIZE, FIELDS = 320, 4


def draw_field(random: np.random.Generator) -> np.ndarray:
    """Draw true cells: ellipses with wavy borders, that may touch, the earlier on top."""
    field = np.zeros((SIZE, SIZE), np.uint16)
    for number in range(1, int(random.integers(38, 52))):
        cell = blob(random, random.uniform(0, SIZE, 2), random.uniform(10, 21, 2))
        free = cell & (field == 0)
        if free.sum() > 0.7 * cell.sum():
            field[free] = number
    return field


def predict(truth: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Err as a model does: borders, merges, splits, missed and false cells."""
    rows, columns = np.mgrid[0:SIZE, 0:SIZE]
    phase = random.uniform(0, 6.28, 2)
    rows = (rows + np.rint(1.6 * np.sin(columns / 9 + phase[0]))).clip(0, SIZE - 1).astype(int)
    columns = (columns + np.rint(1.6 * np.sin(rows / 7 + phase[1]))).clip(0, SIZE - 1).astype(int)
    prediction: np.ndarray = truth[rows, columns].copy()
    numbers = np.unique(truth[truth > 0])
    for number in numbers[random.random(numbers.size) < 0.08]:
        prediction[prediction == number] = 0
    for number in numbers[random.random(numbers.size) < 0.06]:
        inside = prediction == number
        ys, xs = np.nonzero(inside)
        if ys.size:
            prediction[inside & (np.arange(SIZE) > np.median(xs))] = 200 + number
    touching = np.unique(
        np.stack([prediction[:, :-1].ravel(), prediction[:, 1:].ravel()]), axis=1
    ).T
    for one, other in touching[(touching > 0).all(1) & (touching[:, 0] < touching[:, 1])]:
        if random.random() < 0.3:
            prediction[prediction == other] = one
    for number in range(300, 300 + int(random.integers(1, 4))):
        dirt = blob(random, random.uniform(10, SIZE - 10, 2), random.uniform(4, 7, 2))
        prediction[dirt & (prediction == 0)] = number
    _, renumbered = np.unique(prediction, return_inverse=True)
    return renumbered.reshape(prediction.shape).astype(np.uint16)


def blob(random: np.random.Generator, centre: np.ndarray, radii: np.ndarray) -> np.ndarray:
    """Return (H, W) flags of an ellipse whose border is wavy."""
    rows, columns = np.mgrid[0:SIZE, 0:SIZE]
    angle = random.uniform(0, np.pi)
    down, right = rows - centre[0], columns - centre[1]
    along = down * np.cos(angle) - right * np.sin(angle)
    across = down * np.sin(angle) + right * np.cos(angle)
    around = np.arctan2(along, across)
    wave = 1 + 0.07 * np.sin(3 * around + random.uniform(0, 6)) + 0.04 * np.sin(7 * around)
    inside: np.ndarray = np.hypot(along / radii[0], across / radii[1]) < wave
    return inside


def main() -> None:
    """Write all fields as 16-bit PNGs."""
    here = Path(__file__).parent
    for number in range(FIELDS):
        random = np.random.default_rng([2025, number])
        truth = draw_field(random)
        for side, mask in (("truth", truth), ("pred", predict(truth, random))):
            (here / side).mkdir(exist_ok=True)
            Image.fromarray(mask).save(here / side / f"cells_{number:02d}.png", optimize=True)


if __name__ == "__main__":
    main()
