"""Regions of brain tumours against what MONAI and BraTS-evaluation printed."""

from __future__ import annotations

import gzip
import json
import math
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made.sets import made_run
from numpy.typing import NDArray

from segeval.counting.run import CountedRun
from segeval.labels.labelmap import Label, LabelMap
from segeval.presets.preset import find_preset
from segeval.scoring.convention import Convention
from segeval.scoring.metrics import METRICS
from segeval.scoring.score import image_class_scores, score_run

SHARED = Path(__file__).parents[3] / "shared" / "peers2"
BRATS, EXPECTED = SHARED / "G" / "brats", SHARED / "expected.json"
REGIONS = {"WT": (1, 2, 3), "TC": (1, 3), "ET": (3,)}
FLOAT32 = 1e-7  # MONAI counts in 32 bits

pytestmark = pytest.mark.skipif(not EXPECTED.is_file(), reason="records of other tools not there")


def regions() -> LabelMap:
    labels = [
        Label(name=name, truth_values=values, prediction_values=values)
        for name, values in REGIONS.items()
    ]
    left = Label(name="RC", truth_values=(4,), prediction_values=(4,))
    return LabelMap(name="brats", labels=(*labels, left), overlap=True)


def volume(path: Path) -> NDArray[np.int64]:
    """Read the labels of a NIfTI file of integers, as one plane."""
    content = gzip.decompress(path.read_bytes())
    shape = np.frombuffer(content, "<i2", 8, 40)
    kind = {2: "u1", 4: "<i2", 8: "<i4", 512: "<u2"}[int(np.frombuffer(content, "<i2", 1, 70)[0])]
    start = int(np.frombuffer(content, "<f4", 1, 108)[0])
    voxels = np.frombuffer(content, kind, math.prod(shape[1 : shape[0] + 1].tolist()), start)
    return voxels.astype(np.int64).reshape(1, -1)


@cache
def run() -> CountedRun:
    predicted = sorted(path.name for path in (BRATS / "prediction").iterdir())
    return made_run(
        *((volume(BRATS / "truth" / n), volume(BRATS / "prediction" / n)) for n in predicted)
    )


def records(peer: str) -> list[dict[str, Any]]:
    found = json.loads(EXPECTED.read_text("utf-8"))
    return [r for r in found if r["subset"] == "G/brats" and r["peer"] == peer]


@pytest.mark.parametrize(
    ("metric", "preset"),
    [
        ("Dice of regions, ignore_empty=True", "monai"),
        ("Dice of regions, ignore_empty=False", "monai:keep-empty"),
    ],
)
def test_dice_of_regions_is_that_of_monai(metric: str, preset: str) -> None:
    (record,) = [r for r in records("MONAI") if r["metric"] == metric]
    convention = find_preset(preset).convention
    scores = score_run(run(), regions(), replace(convention, exclude=("RC",)))
    assert scores.summary["mdice"] == pytest.approx(record["value"], abs=FLOAT32)
    cells = image_class_scores(scores, METRICS["dice"])
    for number, values in enumerate(record["per_image"].values()):
        for name, value in values.items():
            expected = math.nan if value == "nan" else value
            assert cells[name][number] == pytest.approx(expected, abs=FLOAT32, nan_ok=True)


BRATS_REGIONS = {"snfh": (2,), "et": (3,), "netc": (1,), "rc": (4,), "tc": (1, 3), "wt": (1, 2, 3)}


@pytest.mark.parametrize("metric", ["gli/seg", "mets/mets", "mets/seg"])
def test_dice_of_regions_is_that_of_brats(metric: str) -> None:
    """The mean over subjects in which a region is defined; a missing subject is all wrong."""
    (record,) = [r for r in records("BraTS-evaluation") if r["metric"].endswith(metric)]
    images = [volume(BRATS / "truth" / f"{name}.nii.gz") for name in record["per_image"]]
    files = [BRATS / "prediction" / f"{name}.nii.gz" for name in record["per_image"]]
    predictions = [volume(path) if path.exists() else None for path in files]
    labels = [
        Label(name=name, truth_values=values, prediction_values=values)
        for name, values in BRATS_REGIONS.items()
    ]
    scores = score_run(
        made_run(*zip(images, predictions, strict=True)),  # type: ignore[arg-type]  # None: missing
        LabelMap(name="brats", labels=tuple(labels), overlap=True),
        Convention(pooling="class"),
    )
    means = dict(zip(BRATS_REGIONS, scores.class_scores["dice"].tolist(), strict=True))
    cells = image_class_scores(scores, METRICS["dice"])
    for name in BRATS_REGIONS:
        expected = record["value"].get(f"global_dsc_{name}", means[name])
        assert means[name] == pytest.approx(expected, abs=1e-9)
        for row, values in enumerate(record["per_image"].values()):
            if predictions[row] is not None and f"global_dsc_{name}" in values:
                cell = values[f"global_dsc_{name}"]
                expected = math.nan if cell is None else cell
                assert cells[name][row] == pytest.approx(expected, abs=1e-9, nan_ok=True)
