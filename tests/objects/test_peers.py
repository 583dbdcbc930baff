"""Objects against what other tools printed for the same label images."""

from __future__ import annotations

import json
import math
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from segeval.counting.dataset import count_dataset
from segeval.labels.ids import object_labels
from segeval.objects.counts import ObjectCounts, count_objects
from segeval.objects.rules import ObjectRules
from segeval.objects.scores import score_counts, summarize_objects
from segeval.objects.table import ObjectTable, find_objects
from segeval.settings import Source

PEERS = Path(__file__).parents[3] / "shared" / "peers2"
EXPECTED = PEERS / "expected.json"
EXACT = 1e-9
FLOAT32 = 2e-7  # StarDist has IoU in 32 bits
LEVELS = ObjectRules().thresholds
BOUNDARIES = "cellpose boundary_scores"  # outlines are not in the counts


def records(peer: str) -> list[dict[str, Any]]:
    found = json.loads(EXPECTED.read_text("utf-8")) if EXPECTED.is_file() else []
    return [r for r in found if r["subset"] == "C" and r["peer"] == peer]


@cache
def table() -> ObjectTable:
    folder = PEERS / "C"
    source = Source(prediction=folder / "prediction", truth=folder / "truth")
    return find_objects(count_dataset(source, workers=1), object_labels())


def counted(**rules: Any) -> tuple[ObjectCounts, ObjectRules]:
    stated = ObjectRules(**rules)
    return count_objects(table(), stated), stated


def level_of(record: dict[str, Any]) -> float:
    return float(record["metric"].partition(" at ")[2].partition(",")[0])


def number(value: Any) -> float:
    return math.nan if value in (None, "nan") else float(value)


STARDIST = {
    "precision": "precision",
    "recall": "recall",
    "accuracy": "ap",
    "f1": "f1",
    "mean_matched_score": "matched_iou",
    "panoptic_quality": "pq",
}


@pytest.mark.parametrize("record", records("stardist"), ids=lambda r: r["metric"])
def test_stardist(record: dict[str, Any]) -> None:
    pooling = "image" if record["metric"].endswith("True") else "dataset"
    counts, rules = counted(thresholds=(level_of(record),), pooling=pooling, empty="zero")
    found = summarize_objects(counts, rules)
    value = record["value"]
    for theirs, ours in STARDIST.items():
        assert found[ours].item() == pytest.approx(value[theirs], rel=FLOAT32), theirs
    assert [int(part.sum()) for part in (counts.tp, counts.fp, counts.fn)] == [
        value[name] for name in ("tp", "fp", "fn")
    ]
    scores = score_counts(counts, rules)
    for n, row in enumerate(record["per_image"].values()):
        for theirs, ours in STARDIST.items():
            assert scores[ours][n].item() == pytest.approx(row[theirs], rel=FLOAT32), (n, theirs)
        assert counts.tp[n].sum() + counts.fn[n].sum() == row["n_true"]
        found_iou = counts.iou[n].sum() / max(1, row["n_true"])
        assert found_iou == pytest.approx(row["mean_true_score"], rel=FLOAT32)


@pytest.mark.parametrize("record", records("cellpose")[:1], ids=lambda r: r["metric"])
def test_cellpose_average_precision(record: dict[str, Any]) -> None:
    """Where no pixel is background, cellpose counts an object too few: left out here."""
    counts, rules = counted(thresholds=LEVELS, pooling="image")
    scores = score_counts(counts, rules)
    compared = 0
    for n, (name, row) in enumerate(record["per_image"].items()):
        if name == "pair_07":
            continue
        for key in ("tp", "fp", "fn"):
            assert getattr(counts, key)[n, 0, 0].tolist() == row[key]
        assert scores["ap"][n, 0, 0] == pytest.approx(list(map(number, row["ap"])), rel=FLOAT32,
                                                      nan_ok=True)  # fmt: skip
        compared += 1
    assert compared == 7


@pytest.mark.parametrize("record", records("cellpose")[1:2], ids=lambda r: r["metric"])
def test_cellpose_aggregated_jaccard_index(record: dict[str, Any]) -> None:
    counts, rules = counted(aji="assigned", pooling="image")
    scores = score_counts(counts, rules)["aji"].ravel()
    theirs = np.array([number(value) for value in record["per_image"].values()])
    assert scores == pytest.approx(theirs, rel=FLOAT32, nan_ok=True)
    assert summarize_objects(counts, rules)["aji"].item() == pytest.approx(
        record["value"], rel=FLOAT32
    )


@pytest.mark.parametrize("record", records("MONAI"), ids=lambda r: r["metric"])
def test_monai(record: dict[str, Any]) -> None:
    """Its denominators hold one millionth more, of sums or of means over images."""
    counts, _ = counted(thresholds=(level_of(record),), strict=True)
    for n, row in enumerate(record["per_image"].values()):
        found = [float(getattr(counts, name)[n].item()) for name in ("tp", "fp", "fn", "iou")]
        theirs = [row[name] for name in ("tp", "fp", "fn", "iou_sum")]
        assert found == pytest.approx(theirs, rel=FLOAT32)
    images = len(counts.tp) if "mean" in record["metric"] else 1
    tp, fp, fn, iou = (
        part.sum() / images for part in (counts.tp, counts.fp, counts.fn, counts.iou)
    )
    bottom = tp + fp / 2 + fn / 2 + 1e-6
    assert record["value"]["rq"] == pytest.approx(tp / bottom, rel=FLOAT32)
    assert record["value"]["sq"] == pytest.approx(iou / (tp + 1e-6), rel=FLOAT32)
    assert record["value"]["pq"] == pytest.approx(iou / bottom, rel=FLOAT32)


@pytest.mark.parametrize("record", records("panoptica"), ids=lambda r: r["metric"])
def test_panoptica(record: dict[str, Any]) -> None:
    matching = "greedy" if "Naive" in record["metric"] else "most"
    level = float(record["metric"].rpartition(" ")[2])
    counts, rules = counted(thresholds=(level,), pooling="image", matching=matching)
    scores, means = score_counts(counts, rules), summarize_objects(counts, rules)
    for name in ("pq", "sq", "rq"):
        assert means[name].item() == pytest.approx(record["value"][name], rel=EXACT)
        theirs = [number(row[name]) for row in record["per_image"].values()]
        assert scores[name].ravel() == pytest.approx(theirs, rel=EXACT, nan_ok=True)
    for name in ("tp", "fp", "fn"):
        theirs = [row[name] for row in record["per_image"].values()]
        assert getattr(counts, name).ravel().tolist() == theirs
