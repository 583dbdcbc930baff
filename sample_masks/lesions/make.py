"""Make binary masks of lesions, and probability maps of them: 8 slices of 192×192.

Run ``python sample_masks/lesions/make.py`` to make ``truth/`` (0 and 255) and ``probs/`` (grey, 255
for certain) beside this file anew; the same masks come out every time. One slice holds no lesion.
The maps are unsure along borders, too low on small lesions, and find one where there is none.
Written for this project; licence as the project's.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

SIZE, SLICES, WITHOUT = 192, 8, 5


def draw_slice(random: np.random.Generator, lesions: int) -> np.ndarray:
    """Draw true lesions: one large, and some small ones around it."""
    rows, columns = np.mgrid[0:SIZE, 0:SIZE]
    slice_ = np.zeros((SIZE, SIZE), bool)
    y, x = random.uniform(70, 120, 2)
    for number in range(lesions):
        radius = random.uniform(14, 26) if number == 0 else random.uniform(2, 6)
        down, right = rows - y, columns - x
        around = np.arctan2(down, right)
        wave = 1 + 0.2 * np.sin(2 * around + random.uniform(0, 6)) + 0.08 * np.sin(5 * around)
        slice_ |= np.hypot(down, right) < radius * wave
        y, x = random.uniform(25, SIZE - 25, 2)
    return slice_


def probabilities(truth: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return a map as a model makes it, as fractions of 255."""
    seen = truth.copy()
    rows, columns = np.mgrid[0:SIZE, 0:SIZE]
    if random.random() < 0.4 or not truth.any():
        y, x = random.uniform(30, SIZE - 30, 2)
        seen |= np.hypot((rows - y) / 1.4, columns - x) < 5
    shifted = np.roll(seen, tuple(random.integers(-2, 3, 2)), axis=(0, 1))
    blurred = Image.fromarray((255 * shifted).astype(np.uint8)).filter(ImageFilter.GaussianBlur(3))
    coarse = random.normal(0, 26, (SIZE // 8, SIZE // 8)).astype(np.float32)
    noise = Image.fromarray(coarse).resize((SIZE, SIZE), Image.Resampling.BICUBIC)
    certain = 1.12 * np.asarray(blurred, np.float32)
    share = np.clip(certain + np.asarray(noise) * (certain > 8), 0, 250) * 0.97 + 2
    fractions: np.ndarray = np.rint(share).astype(np.uint8)
    return fractions


def main() -> None:
    """Write all slices as 8-bit grey PNGs."""
    here = Path(__file__).parent
    for number in range(SLICES):
        random = np.random.default_rng([2026, number])
        truth = draw_slice(random, 0 if number == WITHOUT else int(random.integers(1, 5)))
        made = {"truth": (255 * truth).astype(np.uint8), "probs": probabilities(truth, random)}
        for side, mask in made.items():
            (here / side).mkdir(exist_ok=True)
            Image.fromarray(mask).save(here / side / f"slice_{number:02d}.png", optimize=True)


if __name__ == "__main__":
    main()
