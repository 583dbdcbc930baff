"""Make the sample data set: 12 street-like scenes of 256×512 with 8 classes and void.

Run ``python sample_masks/make.py`` to make ``pred/``, ``truth/`` and ``probs/`` beside this file
anew; the same masks and maps come out every time. Truths are drawn from simple shapes; predictions
are the truths with shifted borders, confused neighbours, small blobs and missed objects, as models
make them.
Probabilities are the predictions, unsure along their borders and nowhere quite certain.
Written for this project; licence as the project's.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

HEIGHT, WIDTH, SCENES, VOID = 256, 512, 12, 255
ROAD, SIDEWALK, BUILDING, POLE, VEGETATION, SKY, PERSON, CAR = range(8)
COLORS = {
    ROAD: (128, 64, 128),
    SIDEWALK: (244, 35, 232),
    BUILDING: (70, 70, 70),
    POLE: (153, 153, 153),
    VEGETATION: (107, 142, 35),
    SKY: (70, 130, 180),
    PERSON: (220, 20, 60),
    CAR: (0, 0, 142),
    VOID: (0, 0, 0),
}


def draw_scene(random: np.random.Generator) -> Image.Image:
    """Draw one true scene: houses, trees, road, pavements, cars, poles, and sometimes a person."""
    scene = Image.new("P", (WIDTH, HEIGHT), SKY)
    draw = ImageDraw.Draw(scene)
    horizon = int(random.integers(100, 130))
    left = 0
    while left < WIDTH:
        width, top = int(random.integers(50, 120)), int(random.integers(20, horizon - 30))
        if random.random() < 0.65:
            draw.rectangle((left, top, left + width, horizon), fill=BUILDING)
        else:
            draw.ellipse((left, top, left + width, horizon + 40), fill=VEGETATION)
        left += width
    draw.rectangle((0, horizon, WIDTH, HEIGHT), fill=SIDEWALK)
    middle = int(random.integers(200, 312))
    draw.polygon(
        [(middle - 20, horizon), (middle + 20, horizon), (WIDTH - 60, HEIGHT), (60, HEIGHT)],
        fill=ROAD,
    )
    for _ in range(int(random.integers(1, 4))):
        x, y = int(random.integers(120, 360)), int(random.integers(horizon + 20, 210))
        size = (y - horizon) // 3 + 12
        draw.rounded_rectangle(
            (x - size, y - size // 2, x + size, y + size // 2), radius=size // 4, fill=CAR
        )
    for x in random.integers(10, WIDTH - 10, int(random.integers(2, 5))).tolist():
        draw.rectangle((x, horizon - 70, x + 4, horizon + 25), fill=POLE)
    if random.random() < 0.3:
        x = int(random.choice([40, 90, 430, 470]))
        draw.ellipse((x - 5, horizon + 5, x + 5, horizon + 15), fill=PERSON)
        draw.rectangle((x - 7, horizon + 15, x + 7, horizon + 55), fill=PERSON)
    draw.rectangle((0, HEIGHT - 12, WIDTH, HEIGHT), fill=VOID)
    return scene


def predict(truth: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Err as a model does: wavy borders, confused classes in patches, every third person missed."""
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    phase = random.uniform(0, 6.28, 4)
    rows = rows + np.rint(
        2.5 * np.sin(columns / 17 + phase[0]) + 1.5 * np.sin(columns / 5 + phase[1])
    )
    columns = columns + np.rint(2.5 * np.sin(rows / 13 + phase[2]) + np.sin(rows / 4 + phase[3]))
    rows, columns = rows.clip(0, HEIGHT - 13), columns.clip(0, WIDTH - 1)
    prediction: np.ndarray = truth[rows.astype(int), columns.astype(int)]
    confused = {ROAD: SIDEWALK, SIDEWALK: ROAD, BUILDING: VEGETATION, VEGETATION: BUILDING}
    for _ in range(12):
        y, x, size = random.integers(0, HEIGHT), random.integers(0, WIDTH), random.integers(8, 26)
        patch = prediction[y : y + size, x : x + 2 * size]
        replaced = patch.copy()
        for right, wrong in confused.items():
            replaced[patch == right] = wrong
        patch[...] = replaced
    if random.random() < 0.34:
        prediction[prediction == PERSON] = SIDEWALK
    return prediction


def soften(prediction: np.ndarray) -> np.ndarray:
    """Return (K, H, W) probabilities as fractions of 255: the share of each class nearby."""
    near = np.pad(prediction, 3, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(near, (7, 7))
    shares = np.stack([(windows == label).mean(axis=(2, 3)) for label in range(len(COLORS) - 1)])
    probabilities = 0.01 + 0.92 * shares / shares.sum(axis=0)
    fractions: np.ndarray = np.rint(255 * probabilities).astype(np.uint8)
    return fractions


def main() -> None:
    """Write all scenes as palette PNGs, and the probabilities of the classes."""
    palette = [channel for value in range(256) for channel in COLORS.get(value, (0, 0, 0))]
    here = Path(__file__).parent
    for side in ("pred", "truth", "probs"):
        (here / side).mkdir(exist_ok=True)
    for number in range(SCENES):
        random = np.random.default_rng([2024, number])
        scene = draw_scene(random)
        masks = {"truth": np.asarray(scene), "pred": predict(np.asarray(scene), random)}
        for side, mask in masks.items():
            image = Image.frombytes("P", (WIDTH, HEIGHT), mask.tobytes())
            image.putpalette(palette)
            image.save(here / side / f"street_{number:02d}.png", optimize=True)
        maps = here / "probs" / f"street_{number:02d}.npz"
        np.savez_compressed(maps, probabilities=soften(masks["pred"]))


if __name__ == "__main__":
    main()
