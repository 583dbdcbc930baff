"""Components against what other tools printed: their number, and how they match."""

from __future__ import annotations

import json
import math
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from segeval.counting.dataset import count_dataset
from segeval.labels.labelmap import Label, LabelMap, numbered
from segeval.objects.components import Components
from segeval.objects.result import ObjectScores, score_objects
from segeval.objects.rules import Connectivity, ObjectRules
from segeval.objects.scores import score_counts
from segeval.scoring.score import label_and_score
from segeval.settings import LabelChoice, Source

pytest.importorskip("cc3d")
PEERS = Path(__file__).parents[3] / "shared" / "peers2"
EXPECTED = PEERS / "expected.json"
RULES = ObjectRules(source="components", thresholds=(0.5,), pooling="image", matching="greedy")
FOREGROUND = "all labels as one foreground"  # another label map, see below


def records(peer: str, *subsets: str) -> list[dict[str, Any]]:
    found = json.loads(EXPECTED.read_text("utf-8")) if EXPECTED.is_file() else []
    return [r for r in found if r["peer"] == peer and r["subset"] in subsets]


@cache
def scored(subset: str, connectivity: Connectivity, classes: int) -> ObjectScores:
    if subset == "D":
        pytest.importorskip("nibabel")
    folder, labels = PEERS / subset, numbered("indices", range(classes), void=(255,))
    numbering = Components(connectivity=connectivity, labels=labels)
    source = Source(prediction=folder / "prediction", truth=folder / "truth")
    run = count_dataset(source, workers=1, numbering=numbering)
    return score_objects(label_and_score(run, LabelChoice(labels=labels)), RULES)


@pytest.mark.parametrize(
    "record",
    records("connected-components-3d", "A", "D"),
    ids=lambda r: f"{r['subset']} {r['metric']} {r['call'][-30:]}",
)
def test_as_many_components_are_found_as_by_the_library_class_by_class(
    record: dict[str, Any],
) -> None:
    """But for predictions of which void hides a part, which are not cut by it here."""
    connectivity: Connectivity = "4" if "4 neighbours" in record["metric"] else "8"
    found = scored(record["subset"], connectivity, 6 if record["subset"] == "A" else 5)
    side = found.table.truth if "truth" in record["metric"] else found.table.prediction
    for n, (image, row) in enumerate(record["per_image"].items()):
        if side is found.table.prediction and found.table.prediction.excused[side.image == n].any():
            continue
        held = np.bincount(side.kind[side.image == n], minlength=len(found.kinds))
        theirs = {name: count for name, count in row.items() if name != "0"}
        assert dict(zip(found.kinds, held.tolist(), strict=True)) == theirs, image


@pytest.mark.parametrize(
    "record",
    [r for r in records("panoptica", "B", "D") if FOREGROUND not in r["metric"]],
    ids=lambda r: r["subset"],
)
def test_components_match_as_in_panoptica(record: dict[str, Any]) -> None:
    subset = record["subset"]
    found = scored(subset, "4" if subset == "B" else "8", 2 if subset == "B" else 5)
    counts = found.counts.map(lambda part: part.sum(axis=2))
    scores = score_counts(counts, RULES)
    compared = 0
    for n, row in enumerate(record["per_image"].values()):
        for name, cells in row.items() if subset == "D" else [(found.kinds[0], row)]:
            if "error" in cells:  # it has no score where nothing matches
                continue
            kind = found.kinds.index(name)
            for key in ("tp", "fp", "fn"):
                assert getattr(counts, key)[n, kind, 0] == cells[key], (n, name, key)
            for key in ("rq", "sq", "pq"):
                theirs = math.nan if cells[key] == "nan" else cells[key]
                assert scores[key][n, kind] == pytest.approx(theirs, rel=1e-9, nan_ok=True)
                compared += 1
    assert compared >= 20


REGIONS = {"snfh": (2,), "et": (3,), "netc": (1,), "rc": (4,), "tc": (1, 3), "wt": (1, 2, 3)}


@pytest.mark.parametrize("record", records("BraTS-evaluation", "G/brats")[:1], ids=lambda _: "gli")
def test_lesions_match_as_in_the_evaluation_of_brats(record: dict[str, Any]) -> None:
    """Each region against the rest; a lesion is found from a Dice of one millionth on."""
    pytest.importorskip("nibabel")
    folder = PEERS / "G" / "brats"
    rules = ObjectRules(source="components", thresholds=(5e-7,), pooling="image")
    for region, values in REGIONS.items():
        rest = tuple(value for value in range(5) if value not in values)
        labels = LabelMap(
            name="region",
            labels=tuple(
                Label(name=name, truth_values=held, prediction_values=held)
                for name, held in (("background", rest), (region, values))
            ),
        )
        sides: Any = {side: folder / side for side in ("prediction", "truth")}
        source = Source(**sides, missing="skip")
        run = count_dataset(source, workers=1, numbering=Components(labels=labels))
        found = score_objects(label_and_score(run, LabelChoice(labels=labels)), rules)
        counts = found.counts.map(lambda part: part.reshape(len(part), -1).sum(axis=1))
        for n, image in enumerate(found.names):
            row = record["per_image"][image][region]
            assert [int(getattr(counts, key)[n]) for key in ("tp", "fp", "fn")] == [
                row[key] for key in ("tp", "fp", "fn")
            ]
            dice = sum(each.get("sq_dsc", 0) for each in row["reference_instances"])
            assert counts.dice[n] == pytest.approx(dice, rel=1e-9)
