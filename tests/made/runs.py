"""The data set that the tests of run files count, and how."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from made.sets import data_set, segeval

BLOCKS = np.kron(np.arange(4).reshape(2, 2), np.ones((8, 8), int)).astype(np.uint8)
NAMES = [f"{city}_{number}" for city in ("aachen", "bonn") for number in range(5)]


def make_folders(folder: Path) -> tuple[Path, Path]:
    """Write ten pairs; return prediction and truth folder."""
    random = np.random.default_rng(0)
    pairs: dict[str, tuple[object, object]] = {
        name: (BLOCKS, np.where(random.random(BLOCKS.shape) < 0.1, 1, BLOCKS)) for name in NAMES
    }
    return data_set(folder, pairs)


def score(folders: tuple[Path, Path], *options: object, expect: int = 0) -> str:
    return segeval("score", *folders, "--format", "json", *options, expect=expect).stdout
