"""What tables of run lengths and COCO files cost, beside PNG and beside pycocotools.

``python benchmarks/annotation_times.py [--rows N] [--images N] [--megabytes N]`` makes the files,
takes all measures in turns, and prints processor seconds (medians) and memory.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from functools import partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from measuring import interleave, peak_memory, whole_program
from PIL import Image

from segeval.inputs.rle import Runs, text_of_counts

if TYPE_CHECKING:
    from collections.abc import Iterator

SHIPS: Final = (768, 768)  # the size of images of Airbus Ship Detection
SCENES: Final = (480, 640)
ANNOTATIONS: Final = 36_000  # of 5000 images, as in val2017
ROUNDS: Final = 3
DECODE: Final = """
import json, sys
from pycocotools import mask
for path in sys.argv[1:]:
    content = json.load(open(path))
    for entry in content if isinstance(content, list) else content["annotations"]:
        mask.decode(entry["segmentation"])
"""


def blob(random: np.random.Generator, shape: tuple[int, int], largest: int) -> tuple[Any, Any]:
    """Return a tilted ellipse with a rough edge: its box, and its pixels in it."""
    height, width = (int(random.integers(6, min(largest, side))) for side in shape)
    top, left = (
        int(random.integers(0, side - part))
        for side, part in zip(shape, (height, width), strict=True)
    )
    rows, columns = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    rough = 1 + 0.1 * np.sin(9 * np.arctan2(rows, columns) + random.random() * 6)
    inside = rows**2 + columns**2 + random.uniform(-1, 1) * rows * columns < rough
    return (slice(top, top + height), slice(left, left + width)), inside


def make_ships(folder: Path, rows: int) -> None:
    """Write masks with one to three ships and their predictions, as PNG and as tables."""
    random = np.random.default_rng(0)
    tables = {side: ["ImageId,EncodedPixels"] for side in ("pred", "truth")}
    for side in tables:
        (folder / side).mkdir()
    number = written = 0
    while written < rows:
        masks = {side: np.zeros(SHIPS, np.uint8) for side in tables}
        ships = int(random.integers(1, 4))
        for _ in range(ships):
            place, inside = blob(random, SHIPS, 120)
            masks["truth"][place][inside] = 1
            masks["pred"][place] |= np.roll(inside, 2, axis=1)
        for side, mask in masks.items():
            Image.fromarray(mask).save(folder / side / f"{number:06d}.png")
            runs = Runs.of(mask, "column")
            row = np.arange(runs.starts.size) * ships // runs.starts.size  # of an image
            for part in (row == each for each in range(ships)):
                tables[side].append(f"{number:06d}.jpg,{runs.having(part).pairs(1)}")
        number, written = number + 1, written + ships
    for side, lines in tables.items():
        (folder / f"{side}.csv").write_text("\n".join(lines), "utf-8")


def made_annotations(images: int, seed: int) -> Iterator[dict[str, Any]]:
    """Yield annotations of COCO, run lengths as text."""
    random = np.random.default_rng(seed)
    count = ANNOTATIONS * images // 5000
    for number in range(count):
        mask = np.zeros(SCENES, np.uint8)
        place, inside = blob(random, SCENES, 300)
        mask[place][inside] = 1
        counts = text_of_counts(Runs.of(mask, "column").counts()).decode()
        yield {
            "id": number,
            "image_id": number * images // count,
            "category_id": int(random.integers(1, 81)),
            "iscrowd": 0,
            "score": round(float(random.random()), 4),
            "segmentation": {"size": [*SCENES], "counts": counts},
        }


def make_scenes(folder: Path, images: int) -> None:
    """Write a truth and results of COCO."""
    content = {
        "images": [
            {"id": n, "file_name": f"{n:06d}.jpg", "height": SCENES[0], "width": SCENES[1]}
            for n in range(images)
        ],
        "annotations": [*made_annotations(images, 1)],
        "categories": [{"id": n, "name": f"class {n}"} for n in range(1, 81)],
    }
    (folder / "truth.json").write_text(json.dumps(content), "utf-8")
    results = [{k: v for k, v in e.items() if k != "id"} for e in made_annotations(images, 1)]
    (folder / "results.json").write_text(json.dumps(results), "utf-8")


def make_large(path: Path, megabytes: int) -> None:
    """Write a COCO file of some size: polygons of many corners, in few images."""
    corners = (np.stack([np.cos(t := np.linspace(0, 6.28, 400)), np.sin(t)], 1) * 99.5 + 150).round(
        4
    )
    entry = json.dumps([corners.ravel().tolist()])
    images = [
        json.dumps({"id": n, "file_name": f"{n}.jpg", "height": 300, "width": 300})
        for n in range(500)
    ]
    with open(path, "w") as file:
        file.write('{"categories": [{"id": 1, "name": "a"}], "annotations": [')
        for number in range(megabytes * 1_000_000 // len(entry)):
            head = f'{{"id": {number}, "image_id": {number % 500}, "category_id": 1, "iscrowd": 0'
            file.write(("," if number else "") + f'{head}, "segmentation": {entry}}}\n')
        file.write('], "images": [' + ",".join(images) + "]}")


def score(*arguments: object) -> list[str]:
    """Return the command that scores two sides in one process."""
    words = [*map(str, arguments), "--workers", "1", "--quiet"]
    return [sys.executable, "-m", "segeval", "score", *words]


def table_of(folder: Path, rows: int) -> None:
    """Print what tables cost beside PNG."""
    make_ships(folder, rows)
    sides = {kind: [folder / f"{s}{kind}" for s in ("pred", "truth")] for kind in ("", ".csv")}
    ways = {
        "PNG on both sides": score(*sides[""]),
        "a table against PNG": score(sides[".csv"][0], sides[""][1]),
        "tables on both sides": score(*sides[".csv"], "--size", "768x768"),
    }
    images = len([*sides[""][0].iterdir()])
    report(f"{rows} rows, {images} images of 768×768", ways)
    text = sum(path.stat().st_size for path in sides[".csv"]) / 1e6
    print(
        f"  memory with tables of {text:.0f} MB: {peak_memory(ways['tables on both sides']):.0f} MB"
    )


def coco_of(folder: Path, images: int) -> None:
    """Print what COCO files cost beside their decoding by pycocotools."""
    make_scenes(folder, images)
    files = [folder / "results.json", folder / "truth.json"]
    decode = [sys.executable, "-c", DECODE, *map(str, files)]
    report(
        f"COCO, {images} images, {ANNOTATIONS * images // 5000} annotations a side",
        {"pycocotools decodes both sides": decode, "results against truth": score(*files)},
    )


def report(title: str, ways: dict[str, list[str]]) -> None:
    """Print medians of processor seconds, and their ratios to the first way."""
    taken = interleave({n: partial(whole_program, c) for n, c in ways.items()}, ROUNDS)
    seconds = {name: median(took.processor for took in each) for name, each in taken.items()}
    base = next(iter(seconds.values()))
    print(title)
    for name, value in seconds.items():
        print(f"  {name:<32} {value:7.2f} s  {value / base:5.2f}")


def main() -> None:
    """Make the files, and print all measures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--images", type=int, default=5_000)
    parser.add_argument("--megabytes", type=int, default=500)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        for name, measure in (("tables", table_of), ("coco", coco_of)):
            folder = Path(made, name)
            folder.mkdir()
            measure(folder, given.rows if name == "tables" else given.images)
        large = Path(made, "large.json")
        make_large(large, given.megabytes)
        size, peak = large.stat().st_size / 1e6, peak_memory(score(large, large))
        print(
            f"COCO file of {size:.0f} MB: {peak:.0f} MB of memory, {peak / size:.2f} times its size"
        )


if __name__ == "__main__":
    main()
