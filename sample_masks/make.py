"""Make the sample data set: 12 street-like scenes of 256×512 with 8 classes and void.

Run ``python sample_masks/make.py`` to make ``pred/``, ``truth/`` and ``probs/`` beside this file
anew; the same masks and maps come out every time. Truths are drawn from simple shapes; predictions
err as models do: wavy borders, broken poles, confused classes, objects missed, and seen where
none are.
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
    """Err as a model does, which sees neighbourhoods, and is unsure of them.

    Every class has a score: the share of its pixels nearby, and a bias that changes from place to
    place. So borders wander, corners are cut, and what is thin breaks or vanishes. Large patches
    are taken for a like class, every fourth pole or person is missed, and some are seen where
    nothing is.
    """
    visible = np.where(truth == VOID, truth[HEIGHT - 13], truth)
    scores = shares_nearby(visible, 3)
    for label in range(len(scores)):
        scores[label] += 0.13 * smooth_noise(random, 24) + 0.06 * smooth_noise(random, 6)
        scores[label] += {POLE: 0.19}.get(label, 0.0)
        if label in {POLE, PERSON}:
            scores[label] *= 1 - 0.75 * (smooth_noise(random, 40) > 0.67)
    for right, wrong in ((BUILDING, VEGETATION), (VEGETATION, BUILDING), (SIDEWALK, ROAD)):
        scores[wrong] += 1.1 * scores[right] * (smooth_noise(random, 48) > 1.45)
    for label, chance in ((PERSON, 0.15), (CAR, 0.3)):
        if random.random() < chance:
            y, x = int(random.integers(120, 200)), int(random.integers(20, WIDTH - 20))
            high, wide = (14, 5) if label == PERSON else (6, 11)
            rows, columns = np.ogrid[0:HEIGHT, 0:WIDTH]
            scores[label] += 1.5 * (((rows - y) / high) ** 2 + ((columns - x) / wide) ** 2 < 1)
    guess = scores.argmax(axis=0)
    prediction: np.ndarray = shares_nearby(guess, 2).argmax(axis=0).astype(np.uint8)
    return prediction


def smooth_noise(random: np.random.Generator, size: int) -> np.ndarray:
    """Return (H, W) noise of deviation 1 that changes over a number of pixels."""
    coarse = random.standard_normal((HEIGHT // size + 2, WIDTH // size + 2)).astype(np.float32)
    image = Image.fromarray(coarse).resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)
    noise = np.asarray(image)
    level: np.ndarray = noise / noise.std()
    return level


def shares_nearby(mask: np.ndarray, reach: int) -> np.ndarray:
    """Return (K, H, W) shares of each class among the pixels nearby."""
    side = 2 * reach + 1
    near = np.pad(mask, reach, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(near, (side, side))
    return np.stack([(windows == label).mean(axis=(2, 3)) for label in range(len(COLORS) - 1)])


def soften(prediction: np.ndarray) -> np.ndarray:
    """Return (K, H, W) probabilities as fractions of 255: the share of each class nearby."""
    shares = shares_nearby(prediction, 3)
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
