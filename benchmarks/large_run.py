"""Make a run of many images, and measure its size and what a report of it costs.

A number of pairs of values that each image has may be given, 40 otherwise.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from measuring import SEGEVAL, peak_and_processor

from segeval.counting.contingency import ContingencyTable
from segeval.counting.run import ImageCounts, ImageInfo, Provenance
from segeval.counting.runfile import RunFile

if TYPE_CHECKING:
    from collections.abc import Iterator

IMAGES, CLASSES = 100_000, 19
PAIRS = int(sys.argv[1]) if len(sys.argv) > 1 else 40


def made_images(images: int) -> Iterator[ImageCounts]:
    """Yield images of 2048×1024 with so many pairs of values each."""
    random = np.random.default_rng(0)
    codes = np.arange(CLASSES * CLASSES)
    for number in range(images):
        code = np.sort(random.choice(codes, PAIRS, replace=False))
        pixels = np.full(PAIRS, 2048 * 1024 // PAIRS)
        pixels[0] += 2048 * 1024 - pixels.sum()
        yield ImageCounts(
            info=ImageInfo(
                name=f"city_{number % 50:02d}/frame_{number:06d}",
                height=1024,
                width=2048,
                truth_path=f"data/truth/city_{number % 50:02d}/frame_{number:06d}.png",
                prediction_path=f"data/pred/city_{number % 50:02d}/frame_{number:06d}.png",
                truth_form="PNG grey 8-bit",
                prediction_form="PNG grey 8-bit",
            ),
            table=ContingencyTable(truth=code // CLASSES, prediction=code % CLASSES, pixels=pixels),
        )


def main() -> None:
    """Print the size of the file, and the time and memory of a report."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "large.segeval"
        file = RunFile.create(path, resume=False, overwrite=False)
        for image in made_images(IMAGES):
            file.add(image)
        file.finish(Provenance())
        file.close()
        command = [*SEGEVAL, "report", str(path), "--classes", str(CLASSES)]
        peak, took = peak_and_processor(command)
        print(f"{IMAGES} images with {PAIRS} pairs of values each")
        print(f"file size            {path.stat().st_size / 1e6:6.0f} MB")
        print(f"report, processor    {took:6.1f} s")
        print(f"report, peak memory  {peak:6.0f} MB")


if __name__ == "__main__":
    main()
