"""Objects against what other tools printed for the same label images."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from segeval.counting.dataset import count_dataset
from segeval.labels.ids import object_labels
from segeval.objects.counts import ObjectCounts, count_objects
from segeval.objects.matching import match
from segeval.objects.result import score_objects
from segeval.objects.rules import ObjectRules
from segeval.objects.scores import score_counts, summarize_objects
from segeval.objects.table import ObjectTable, find_objects
from segeval.presets.objects import object_rules
from segeval.scoring.score import Scores, label_and_score
from segeval.settings import LabelChoice, Source

PEERS = Path(__file__).parents[3] / "shared" / "peers2"
EXPECTED = PEERS / "expected.json"
EXACT = 1e-9
FLOAT32 = 2e-7  # StarDist has IoU in 32 bits
LEVELS = ObjectRules().thresholds
SKIPPED = {"boundary_scores": "outlines are not in the counts"}


def records(peer: str, subset: str = "C") -> list[dict[str, Any]]:
    found = json.loads(EXPECTED.read_text("utf-8")) if EXPECTED.is_file() else []
    return [r for r in found if r["subset"] == subset and r["peer"] == peer]


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


def in_32_bits(level: float) -> list[np.float32]:
    """The sum of IoU of the matches of each image, as StarDist holds it."""
    found, held = table(), match(table(), ObjectRules(), level)
    iou = found.overlaps.iou[held].astype(np.float32)
    image = found.truth.image[found.overlaps.truth[held]]
    return [iou[image == n].sum() for n in range(found.images)]


STARDIST = {"precision": "precision", "recall": "recall", "accuracy": "ap", "f1": "f1"}
ALL = {**STARDIST, "mean_matched_score": "matched_iou", "panoptic_quality": "pq"}


@pytest.mark.parametrize("record", records("stardist"), ids=lambda r: r["metric"])
def test_stardist(record: dict[str, Any]) -> None:
    """Sums of IoU are compared as StarDist makes them, in 32 bits; ours are near them."""
    level, value = level_of(record), record["value"]
    by_image = record["metric"].endswith("True")
    preset = object_rules("stardist:by-image" if by_image else "stardist")
    rules = replace(preset, thresholds=(level,))
    counts = count_objects(table(), rules)
    scores, found = score_counts(counts, rules), summarize_objects(counts, rules)
    for theirs, ours in STARDIST.items():
        assert found[ours].item() == pytest.approx(value[theirs], rel=EXACT), theirs
        each = [row[theirs] for row in record["per_image"].values()]
        assert scores[ours].ravel() == pytest.approx(each, rel=EXACT), theirs
    for theirs, ours in ALL.items():
        assert found[ours].item() == pytest.approx(value[theirs], rel=FLOAT32), theirs
    tp, fp, fn = (part.ravel() for part in (counts.tp, counts.fp, counts.fn))
    assert [int(part.sum()) for part in (tp, fp, fn)] == [value[n] for n in ("tp", "fp", "fn")]
    sums, whole, halves = in_32_bits(level), np.float32(0), tp + fp / 2 + fn / 2
    for n, row in enumerate(record["per_image"].values()):
        true = np.float32(sums[n] / np.float32(max(1, tp[n] + fn[n])))
        whole += np.float32(true * np.float32(tp[n] + fn[n]))
        assert row["mean_true_score"] == pytest.approx(float(true), rel=EXACT)
        assert row["mean_matched_score"] == pytest.approx(float(sums[n]) / max(1, tp[n]), rel=EXACT)
        assert row["panoptic_quality"] == pytest.approx(
            float(sums[n]) / max(1, halves[n]), rel=EXACT
        )
    if by_image:
        quality = [float(total) / max(1, half) for total, half in zip(sums, halves, strict=True)]
        assert value["panoptic_quality"] == pytest.approx(np.mean(quality), rel=EXACT)
    else:
        assert value["panoptic_quality"] == pytest.approx(float(whole) / halves.sum(), rel=EXACT)
        assert value["mean_matched_score"] == pytest.approx(float(whole) / tp.sum(), rel=EXACT)


def test_every_record_of_label_images_is_met_or_left_out_for_a_reason() -> None:
    met = {"average_precision", "aggregated_jaccard_index"}
    for record in records("cellpose"):
        assert record["metric"].split()[0] in met | SKIPPED.keys()


@pytest.mark.parametrize("record", records("cellpose")[:1], ids=lambda r: r["metric"])
def test_cellpose_average_precision(record: dict[str, Any]) -> None:
    """Where no pixel is background, cellpose counts an object too few: left out here."""
    rules = object_rules("cellpose")
    counts = count_objects(table(), rules)
    scores = score_counts(counts, rules)["ap"].astype(np.float32)
    compared = 0
    for n, (name, row) in enumerate(record["per_image"].items()):
        if name == "pair_07":
            continue
        for key in ("tp", "fp", "fn"):
            assert getattr(counts, key)[n, 0, 0].tolist() == row[key]
        theirs = list(map(number, row["ap"]))
        assert scores[n, 0, 0] == pytest.approx(theirs, rel=EXACT, nan_ok=True)
        compared += 1
    assert compared == 7


@pytest.mark.parametrize("record", records("cellpose")[1:2], ids=lambda r: r["metric"])
def test_cellpose_aggregated_jaccard_index(record: dict[str, Any]) -> None:
    rules = object_rules("cellpose:aji")
    counts = count_objects(table(), rules)
    scores = score_counts(counts, rules)["aji"].ravel()
    theirs = np.array([number(value) for value in record["per_image"].values()])
    assert scores == pytest.approx(theirs, rel=EXACT, nan_ok=True)
    assert summarize_objects(counts, rules)["aji"].item() == pytest.approx(
        record["value"], rel=EXACT
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
    rules = replace(object_rules("panoptica"), thresholds=(level,), matching=matching)  # type: ignore[arg-type]
    counts = count_objects(table(), rules)
    scores, means = score_counts(counts, rules), summarize_objects(counts, rules)
    for name in ("pq", "sq", "rq"):
        assert means[name].item() == pytest.approx(record["value"][name], rel=EXACT)
        theirs = [number(row[name]) for row in record["per_image"].values()]
        assert scores[name].ravel() == pytest.approx(theirs, rel=EXACT, nan_ok=True)
    for name in ("tp", "fp", "fn"):
        theirs = [row[name] for row in record["per_image"].values()]
        assert getattr(counts, name).ravel().tolist() == theirs


@cache
def panoptic() -> Scores:
    sides = (PEERS / "E" / "panoptic" / f"{side}.json" for side in ("prediction", "truth"))
    prediction, truth = sides
    run = count_dataset(Source(prediction=prediction, truth=truth), workers=1)
    return label_and_score(run, LabelChoice())


@pytest.mark.parametrize("record", records("panopticapi", "E/panoptic"), ids=lambda r: r["metric"])
def test_panopticapi(record: dict[str, Any]) -> None:
    """All categories, things and stuff; a category that is nowhere is 0 there, undefined here."""
    scores = score_objects(panoptic(), object_rules("panopticapi"))
    at = scores.rules.panoptic
    whole = record["value"]["All"]
    for name in ("pq", "sq", "rq"):
        assert scores.whole[name] == pytest.approx(whole[name], rel=EXACT)
        assert np.isfinite(scores.classes[name]).sum() == whole["n"]
    names = panoptic().run.provenance.names["truth"]
    for category, row in record["per_class"].items():
        kind = scores.kinds.index(names[category])
        for name, value in row.items():
            assert np.nan_to_num(scores.classes[name][kind]) == pytest.approx(value, rel=EXACT)
        for n, image in enumerate(record["per_image"].values()):
            found = {k: getattr(scores.counts, k)[n, kind, 0, at] for k in image[category]}
            assert found == pytest.approx(image[category], rel=EXACT), (n, category)
