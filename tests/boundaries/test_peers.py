"""Bands and edges against what boundary-iou-api and the code of DAVIS printed."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from scipy.optimize import linear_sum_assignment

from segeval.boundaries.bands import band_counts
from segeval.boundaries.edges import boundary_f, edge_counts
from segeval.boundaries.widths import Width
from segeval.scoring.tracks import decay_of_frames

PEERS: Final = Path(__file__).parents[3] / "shared" / "peers2"
EXPECTED: Final = PEERS / "expected.json"
EXACT: Final = 1e-9
VOID: Final = 255
CLASSES: Final = 6
SKIPPED: Final = {
    "MetricsReloaded": "its band is measured from the border pixels, and by Euclidean distance",
}
Map = NDArray[Any]
Record = dict[str, Any]


def records(metric: str) -> list[Record]:
    found = json.loads(EXPECTED.read_text("utf-8")) if EXPECTED.is_file() else []
    return [record for record in found if re.match(metric, record["metric"])]


def number(value: Any) -> float:
    return math.nan if value in ("nan", None) else float(value)


def read(path: Path) -> Map:
    return np.array(Image.open(path))


def class_maps(record: Record, name: str) -> tuple[Map, Map, int]:
    """Return both sides; a void pixel is an edge here, of a class of its own, or of none."""
    truth, prediction = (
        read(PEERS / record["subset"] / side / f"{name}.png") for side in ("truth", "prediction")
    )
    void = truth == VOID
    if record["metric"].endswith("truth_only"):
        return np.where(void, CLASSES, truth).astype(np.uint8), prediction, CLASSES + 1
    true, predicted = (
        np.where(void, CLASSES + 1, side).astype(np.uint8) for side in (truth, prediction)
    )
    return true, predicted, CLASSES


def ratio(counts: Map) -> float:
    truth, prediction, both = (int(count) for count in counts)
    union = truth + prediction - both
    return both / union if union else math.nan


@pytest.mark.parametrize("record", records("[Bb]oundary.(IoU|iou)"), ids=lambda r: r["metric"])
def test_boundary_iou(record: Record) -> None:
    if record["peer"] in SKIPPED:
        pytest.skip(SKIPPED[record["peer"]])
    pixels = re.search(r"d=(\d+) px", record["metric"])
    width = Width.parse(f"{pixels[1]}px" if pixels else "2%")
    summed: dict[str, Map] = {}
    for name, cells in record["per_image"].items():
        truth, prediction, classes = class_maps(record, name)
        bands = band_counts(truth, prediction, classes, width.pixels(truth.shape))
        for index, value in cells.items():
            counts = bands[:, int(index)]
            assert counts.tolist() == record["per_image_counts"][name][index]
            assert ratio(counts) == pytest.approx(number(value), abs=EXACT, nan_ok=True)
            summed[index] = summed.get(index, 0) + counts
    for index, value in record["per_class"].items():
        assert ratio(summed[index]) == pytest.approx(number(value), abs=EXACT, nan_ok=True)
    mean = np.nanmean([ratio(counts) for counts in summed.values()])
    assert mean == pytest.approx(record["value"], abs=EXACT)


def scores_of(truth: Map, prediction: Map, *, judge_void: bool) -> Map:
    """Return J and F of every pair of an object of the truth and one of the prediction."""
    void = (truth == VOID) & (not judge_void)
    truth = np.where(truth == VOID, 0, truth)
    found = np.zeros((2, CLASSES, CLASSES))
    for shift in range(CLASSES):  # object k of the truth against k + shift of the prediction
        moved = np.where(prediction > 0, (prediction.astype(int) - 1 - shift) % CLASSES, CLASSES)
        numbered = np.where(truth > 0, truth.astype(int) - 1, CLASSES)
        mine, theirs = (
            np.where(void, CLASSES, side).astype(np.uint8) for side in (numbered, moved)
        )
        f = boundary_f(edge_counts(mine, theirs, CLASSES))[:, 2]
        for index in range(CLASSES):
            own, other = mine == index, theirs == index
            union = np.sum(own | other)
            column = (index + shift) % CLASSES
            found[0, index, column] = np.sum(own & other) / union if union else 1
            found[1, index, column] = f[index]
    return found


def objects_of(record: Record, sequence: str) -> Map:
    """Return (2, F, K) scores of the objects that the first truth of a sequence shows."""
    inner = "semi" in record["metric"]
    truths = [read(path) for path in sorted((PEERS / "F/Annotations/480p" / sequence).iterdir())]
    predictions = [read(path) for path in sorted((PEERS / "F/prediction" / sequence).iterdir())]
    pairs = (
        list(zip(truths, predictions, strict=True))[1:-1]
        if inner
        else zip(truths, predictions, strict=True)
    )
    scores = np.stack([scores_of(*pair, judge_void=inner) for pair in pairs], axis=1)
    count = int(np.max(truths[0][truths[0] != VOID], initial=0))
    rows, columns = np.arange(count), np.arange(count)
    if not inner:
        rows, columns = linear_sum_assignment(scores[:, :, :count].mean(axis=(0, 1)), maximize=True)
    return scores[:, :, rows, columns]


@pytest.mark.parametrize("record", records("J and F"), ids=lambda r: r["metric"])
def test_boundary_f_of_davis(record: Record) -> None:
    means: dict[str, list[float]] = {}
    for sequence, objects in record["per_image"].items():
        scores = objects_of(record, sequence)
        for index, expected in objects.items():
            for place, name in enumerate("JF"):
                own = scores[place, :, int(index) - 1]
                assert own.tolist() == pytest.approx(expected[name], abs=EXACT)
                means.setdefault(f"{name}-Mean", []).append(own.mean())
                means.setdefault(f"{name}-Recall", []).append((own > 0.5).mean())
                frames = np.ones((1, own.size), bool)
                decay = decay_of_frames(own[None, :, None], frames)[0, 0]
                means.setdefault(f"{name}-Decay", []).append(decay)
    got = {name: np.mean(values) for name, values in means.items()}
    got["J&F-Mean"] = (got["J-Mean"] + got["F-Mean"]) / 2
    assert got == pytest.approx(record["value"], abs=EXACT)
