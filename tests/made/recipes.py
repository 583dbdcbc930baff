"""Small data sets for the pages of docs/howto, a maker for each page."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
from made.coco import annotation, coco, result, written
from made.sets import save, segeval
from made.volumes import save_volume
from made.walks import ade20k, blocks, cityscapes, davis_colors, drive, save_palette, videos
from made.walks import coco as coco_stuff

NAMES: Final = ("a", "b", "c")
SAMPLES: Final = Path(__file__).parents[2] / "sample_masks"


def classes(folder: Path, number: int = 3) -> None:
    """Write masks of few classes."""
    for position, name in enumerate(NAMES):
        truth, prediction = blocks(position, number)
        save(folder / "gt" / f"{name}.png", truth)
        save(folder / "pred" / f"{name}.png", prediction)


def voc(folder: Path) -> None:
    """Write masks with a palette, void along a border."""
    for position, name in enumerate(NAMES):
        truth, prediction = blocks(position, 4)
        truth[:2] = 255
        save_palette(folder / "gt" / f"{name}.png", truth)
        save_palette(folder / "pred" / f"{name}.png", prediction)


def sequences(folder: Path) -> None:
    """Write objects of videos as a palette, on both sides."""
    for name, truth, prediction in videos():
        save_palette(folder / "gt" / name, truth)
        save_palette(folder / "pred" / name, prediction)


def volumes(folder: Path) -> None:
    """Write volumes of three classes."""
    for position, name in enumerate(NAMES):
        for side, values in zip(("gt", "pred"), blocks(position, 3), strict=True):
            save_volume(folder / side / f"{name}.nii.gz", values.astype(np.uint8)[..., None])


def regions(folder: Path) -> None:
    """Write masks of the values of brain tumours."""
    values = np.array([0, 1, 2, 4])
    for position, name in enumerate(NAMES):
        for side, mask in zip(("gt", "pred"), blocks(position, 4), strict=True):
            save(folder / side / f"{name}.png", values[mask])


def of_coco(folder: Path) -> None:
    """Write annotations of COCO as run lengths, and results."""
    runs = {"size": [4, 6], "counts": [4, 8, 12]}
    written(folder / "truth.json", coco(annotation(runs)))
    written(folder / "results.json", [result({"size": [4, 6], "counts": [4, 7, 13]}, 0.9)])


def texts(folder: Path) -> None:
    """Write polygons of YOLO."""
    written(folder / "data.yaml", "names: [leaf, root]\n")
    for name in NAMES:
        written(folder / "labels" / f"{name}.txt", "1 0.1 0.1 0.6 0.1 0.6 0.8 0.1 0.8\n")
        written(folder / "runs" / "labels" / f"{name}.txt", "1 .1 .1 .6 .1 .6 .7 .1 .7 0.9\n")


def binary(folder: Path) -> None:
    """Write masks of 0 and 255."""
    for position, name in enumerate(NAMES):
        truth, prediction = (255 * (mask > 0) for mask in blocks(position, 2))
        save(folder / "gt" / f"{name}.png", truth)
        save(folder / "pred" / f"{name}.png", prediction)


def paper(folder: Path) -> None:
    """Write masks, and the run of another model."""
    classes(folder)
    segeval("score", folder / "gt", folder / "gt", "-o", folder / "baseline.segeval")


def samples(folder: Path) -> None:
    """Bring the sample masks."""
    shutil.copytree(SAMPLES, folder / "sample_masks")


RECIPES: Final[dict[str, Callable[[Path], Any]]] = {
    "ade20k": ade20k,
    "cells": samples,
    "cityscapes": cityscapes,
    "coco": of_coco,
    "colours": davis_colors,
    "fields-of-view": drive,
    "lesions": samples,
    "missing": coco_stuff,
    "paper": paper,
    "per-image": samples,
    "regions": regions,
    "videos": sequences,
    "voc": voc,
    "void": samples,
    "volumes": volumes,
    "yolo": texts,
}
"""The pages, by their names."""
