"""Small data sets in the form of well-known ones, each with its IoUs in plain NumPy.

A maker writes ``pred`` and ``gt`` below a folder, as a new user has them, and returns the IoUs that
are right. Nothing is drawn at random, so that the numbers of the pages stay what they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

import numpy as np
from made.maps import save_map
from made.sets import save
from numpy.typing import NDArray
from PIL import Image

Grid = NDArray[np.int64]
Pairs = Iterable[tuple[Any, Any]]

VOID: Final = -1
ROWS, COLUMNS = np.mgrid[:48, :64]


def ious(pairs: Pairs) -> list[float]:
    """Return the IoU of each class that occurs, by its value; a truth of `VOID` is not judged."""
    truth, prediction = (
        np.concatenate([np.ravel(mask) for mask in side]) for side in zip(*pairs, strict=True)
    )
    judged = truth != VOID
    truth, prediction = truth[judged], prediction[judged]
    found = []
    for value in sorted({*truth.tolist(), *prediction.tolist()} - {VOID}):
        both = np.sum((truth == value) & (prediction == value))
        found.append(float(both / np.sum((truth == value) | (prediction == value))))
    return found


def noise(number: int, most: int = 1000) -> Grid:
    """Return numbers below some other that look drawn, and are not."""
    mixed = ROWS * 73_856_093 ^ COLUMNS * 19_349_663 ^ number * 83_492_791
    drawn: Grid = (mixed ^ mixed >> 13) * 2_654_435_761 % (1 << 32) % most
    return drawn


def disk(row: float, column: float, radius: float) -> NDArray[np.bool_]:
    inside: NDArray[np.bool_] = (ROWS - row) ** 2 + (COLUMNS - column) ** 2 < radius**2
    return inside


def blocks(number: int, classes: int) -> tuple[Grid, Grid]:
    """Return a truth of 4×4 blocks of all classes, and a prediction that is wrong on one in ten."""
    truth = (ROWS // 4 * 16 + COLUMNS // 4 + number * 37) % classes
    return truth, np.where(noise(number) < 100, noise(number + 9, classes), truth)


COLORS: Final = [0, 0, 0, 128, 0, 0, 0, 128, 0, 128, 128, 0]
"""The first colours of the palette of DAVIS and VOC, red, green and blue in turn."""


def videos() -> Iterable[tuple[str, Grid, Grid]]:
    """Yield frames of three videos: their names, the objects, and the predicted ones."""
    for objects, video in enumerate(("bear", "judo", "gold-fish"), 1):
        for frame in range(2):
            truth, prediction = np.zeros_like(ROWS), np.zeros_like(ROWS)
            for number in range(objects):
                place = 13 + 11 * number, 12 + 18 * number + frame
                truth[disk(*place, 8)] = number + 1
                prediction[disk(place[0] + 1, place[1] + 1 + frame, 8)] = number + 1
            yield f"{video}/{frame:05}.png", truth, prediction


def save_palette(path: Path, values: Grid) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(values.astype(np.uint8))
    image.putpalette(COLORS)
    image.save(path)


def davis(folder: Path) -> list[float]:
    """Write objects as a palette, and their foreground as 255."""
    for name, truth, prediction in videos():
        save_palette(folder / "gt" / name, truth)
        save(folder / "pred" / name, (prediction > 0) * 255)
    return ious((truth > 0, prediction > 0) for _, truth, prediction in videos())


def davis_colors(folder: Path) -> list[float]:
    """Write objects as a palette, and predicted ones in the colours of that palette."""
    for name, truth, prediction in videos():
        save_palette(folder / "gt" / name, truth)
        save(folder / "pred" / name, np.reshape(COLORS, (4, 3))[prediction])
    return ious((truth, prediction) for _, truth, prediction in videos())


def drive(folder: Path) -> list[float]:
    """Write vessels inside a round field of view, and grey levels that see vessels outside."""
    pairs, inside = [], disk(24, 32, 23)
    for number in range(1, 5):
        wave = ROWS - 24 - 8 * np.sin(COLUMNS / 6 + number)
        truth, vessel = (np.abs(wave) < 2.5) & inside, np.abs(wave - 1) < 2.5
        grey = np.where(vessel, 140, 30) + noise(number, 100) - 20 * ~inside
        save_gif(folder / "gt" / f"{number:02}_manual1.gif", truth)
        save_gif(folder / "mask" / f"{number:02}_test_mask.gif", inside)
        save(folder / "pred" / f"{number:02}_test.png", grey)
        pairs.append((np.where(inside, truth, VOID), grey >= 128))
    return ious(pairs)


def save_gif(path: Path, mask: NDArray[np.bool_]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.where(mask, 255, 0).astype(np.uint8)).save(path)


STREETS: Final = [7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33]
"""The values of the 19 classes of Cityscapes among its label ids."""


def cityscapes(folder: Path) -> list[float]:
    """Write label ids beside other files in folders of cities, and train ids in one folder."""
    pairs = []
    for number, frame in enumerate(("frankfurt_000000_000294", "lindau_000001_000019")):
        truth, prediction = blocks(number, 19)
        ids = np.where(ROWS < 5, number + 1, np.array(STREETS)[truth])
        start = folder / "gt" / frame.partition("_")[0] / f"{frame}_gtFine_"
        save(Path(f"{start}labelIds.png"), ids)
        save(Path(f"{start}instanceIds.png"), ids // 2)
        save(Path(f"{start}color.png"), np.stack([ids * 5, ids * 3, ids], axis=-1))
        save(folder / "pred" / f"{frame}_leftImg8bit.png", prediction)
        pairs.append((np.where(ROWS < 5, VOID, truth), prediction))
    return ious(pairs)


def ade20k(folder: Path) -> list[float]:
    """Write truths of 1 to 150 with 0 for nothing, and predictions of 0 to 149."""
    pairs = []
    for number in range(1, 4):
        truth, prediction = blocks(number, 150)
        save(folder / "gt" / f"ADE_val_{number:08}.png", np.where(ROWS < 3, 0, truth + 1))
        save(folder / "pred" / f"ADE_val_{number:08}.png", prediction)
        pairs.append((np.where(ROWS < 3, VOID, truth), prediction))
    return ious(pairs)


def lesions(folder: Path) -> list[float]:
    """Write truths of 0 and 1 whose doubtful border is 255, and float maps of one channel."""
    pairs = []
    for number in range(1, 5):
        lesion, border = (disk(20 + number, 30, 8 + number + more) for more in (0, 2))
        near = disk(23 + number, 32, 8 + number)
        chance = (np.where(near, 0.55, 0.05) + noise(number) / 2222).astype(np.float32)
        truth = np.where(lesion, 1, np.where(border, 255, 0))
        save(folder / "gt" / f"ISIC_{number:07}_segmentation.png", truth)
        save_map(folder / "pred" / f"ISIC_{number:07}.npy", chance[None])
        pairs.append((np.where(truth == 255, VOID, truth), chance >= 0.5))
    return ious(pairs)


def coco(folder: Path) -> list[float]:
    """Write 150 classes with void, predictions of half the size, and one image too few."""
    pairs = []
    for number in (139, 285, 632, 724, 776):
        truth, prediction = blocks(number, 150)
        save(folder / "gt" / f"{number:012}.png", np.where(COLUMNS < 2, 255, truth))
        small = prediction[::2, ::2]
        if number == 632:
            small = np.full_like(small, VOID)
        else:
            save(folder / "pred" / f"{number:012}.png", small)
        pairs.append((np.where(COLUMNS < 2, VOID, truth), np.kron(small, np.ones((2, 2), int))))
    return ious(pairs)


WALKS: Final[dict[str, Callable[[Path], list[float]]]] = {
    "ade20k": ade20k,
    "cityscapes": cityscapes,
    "colours": davis_colors,
    "fields-of-view": drive,
    "lesions": lesions,
    "missing": coco,
    "videos": davis,
}
"""The walks on pages of docs/howto, by their names."""
