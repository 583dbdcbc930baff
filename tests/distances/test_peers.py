"""Distances against what other tools printed, cell by cell, under their presets."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from segeval.distances.kept import DistanceTable
from segeval.distances.measure import DistanceMeasure
from segeval.distances.values import Directed, score_cells
from segeval.presets.distances import load_distance_presets

pytest.importorskip("scipy")
PEERS: Final = Path(__file__).parents[3] / "shared" / "peers2"
EXPECTED: Final = PEERS / "expected.json"
CLASSES: Final = {"A": 6, "B": 2, "D": 5, "G/synapse": 9}
FLOAT32: Final = {"MONAI", "torchmetrics"}
Cells = dict[str, Any]


def records(*peers: str) -> list[dict[str, Any]]:
    found = json.loads(EXPECTED.read_text("utf-8")) if EXPECTED.is_file() else []
    return [record for record in found if record["peer"] in peers]


def read(path: Path) -> tuple[NDArray[Any], tuple[float, ...] | None]:
    """Read the values of a mask, and the spacing of a volume."""
    if path.suffix == ".png":
        return np.array(Image.open(path)), None
    nibabel = pytest.importorskip("nibabel")
    volume = nibabel.load(path)
    values = np.rint(volume.get_fdata()).astype(np.uint8)
    return values, tuple(float(str(step)) for step in volume.header.get_zooms())


@cache
def table(subset: str, measure: DistanceMeasure) -> tuple[list[str], DistanceTable]:
    """Measure all images of a set; void of the truth is void on both sides."""
    count, names, blobs = CLASSES[subset], [], []
    for path in sorted((PEERS / subset / "truth").iterdir()):
        truth, spacing = read(path)
        prediction, _ = read(PEERS / subset / "prediction" / path.name)
        void = truth == 255
        true, predicted = (np.where(void, count, m).astype(np.uint8) for m in (truth, prediction))
        names.append(path.name.split(".")[0])
        blobs.append(measure([(true, predicted, count)], spacing))
    return names, DistanceTable.of(blobs, count)


def number(cell: Any) -> float:
    return math.nan if cell is None or isinstance(cell, dict) else float(cell)


def cells_of(record: dict[str, Any]) -> Iterator[tuple[str, str, Any]]:
    for image, row in record["per_image"].items():
        for name, cell in row.items():
            yield image, name, cell


def is_square(image: str, subset: str) -> bool:
    height, width = read(PEERS / subset / "truth" / f"{image}.png")[0].shape
    return bool(height == width)


def which(record: dict[str, Any]) -> tuple[str, str]:
    """Return the preset and the score that a record tells of."""
    metric, peer = record["metric"], record["peer"]
    level = re.search(r"(?:tau=|threshold=|tolerance )([\d.]+)", metric)
    directed = ":directed" if "directed=True" in metric or "symmetric=False" in metric else ""
    subvoxels = ":subvoxels" if "use_subvoxels=True" in metric else ""
    score = next(
        name
        for pattern, name in {
            r"nsd|[Ss]urface ?[Dd]ice": f"nsd@{float(level[1]) if level else 0:g}",
            r"hd95|perc 95|percentile=95|robust HD 95": "hd95",
            r"^hd|Hausdorff|robust HD 100": "hd",
            r"masd": "masd",
            r"asd|assd|SurfaceDistance|average|overlap": "assd",
        }.items()
        if re.search(pattern, metric)
    )
    asd = ":asd" if metric.startswith("asd") else ""
    return f"{peer.lower()}{directed}{subvoxels}{asd}", score


PAIRS: Final = "average surface distance|surface overlap"
OTHER: Final = "boundary_iou|cldice|MeanIoU|DiceScore|Panoptic|Dice of regions|IoU|^Dice"
SIMPLE: Final = [
    record
    for record in records("MedPy", "MONAI", "MetricsReloaded", "surface-distance", "torchmetrics")
    if not re.search(f"{PAIRS}|{OTHER}| module", record["metric"])
]


def spaced(record: dict[str, Any]) -> DistanceMeasure:
    """Return what a preset measures, with spacing only where the record was made with it."""
    rules = load_distance_presets()[which(record)[0]].rules
    return replace(rules.measure, ignored="spacing" not in record["metric"])


@pytest.mark.parametrize("record", SIMPLE, ids=lambda r: f"{r['peer']} {r['subset']} {r['metric']}")
def test_each_cell_is_what_the_tool_printed(record: dict[str, Any]) -> None:
    """A cell that the tool refuses is undefined; see the fault of torchmetrics for its others."""
    preset, score = which(record)
    names, measured = table(record["subset"], spaced(record))
    rules = load_distance_presets()[preset].rules.at((95,), (0.5, 1, 2))
    ours = score_cells(measured, rules)[score]
    most, compared = 1e-6 if record["peer"] in FLOAT32 else 1e-9, 0
    for image, name, cell in cells_of(record):
        if record["peer"] == "torchmetrics" and not is_square(image, record["subset"]):
            continue
        value = ours[names.index(image), int(name)]
        assert value == pytest.approx(number(cell), rel=most, abs=most, nan_ok=True), (image, name)
        compared += 1
    assert compared >= 4


@pytest.mark.parametrize(
    "record",
    [r for r in records("surface-distance") if re.search(PAIRS, r["metric"])],
    ids=lambda r: f"{r['subset']} {r['metric']}",
)
def test_both_directions_are_what_surface_distance_printed(record: dict[str, Any]) -> None:
    names, measured = table(record["subset"], spaced(record))
    directed = Directed(measured)
    sides = directed.truth, directed.prediction
    ours = [s.within(1) / s.total if "overlap" in record["metric"] else s.mean for s in sides]
    rows = np.flatnonzero(measured.sizes.min(axis=1) > 0)
    places = zip(measured.image[rows], measured.kind[rows], strict=True)
    found = {(names[n], str(k)): row for row, (n, k) in enumerate(places)}
    both = {(image, name): cell for image, name, cell in cells_of(record)}
    assert len(found.keys() & both.keys()) >= 4
    for place in found.keys() & both.keys():
        at = found[place]
        assert [each[at] for each in ours] == pytest.approx(both[place], rel=1e-9), place
