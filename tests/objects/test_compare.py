"""Two runs compared by their objects: the same numbers as each has by itself, and by hand."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made.objects import run_of
from made.sets import data_set, segeval

from segeval.labels.ids import object_labels
from segeval.objects.compare import compare_objects
from segeval.objects.counts import count_objects
from segeval.objects.result import score_objects
from segeval.objects.rules import ObjectPooling, ObjectRules
from segeval.objects.scores import summarize_objects
from segeval.objects.table import find_objects
from segeval.scoring.compare import compare_runs
from segeval.scoring.resampling import Resampling, draw, percentile_interval, swap
from segeval.settings import LabelChoice

LABELS = object_labels()
HOW = Resampling(rounds=20)


def masks(seed: int) -> tuple[Any, Any, Any]:
    """A truth of squares, one prediction that moves them, and one that loses some."""
    random = np.random.default_rng(seed)
    truth = np.kron(random.permutation(9).reshape(3, 3), np.ones((4, 4), np.int64))
    return truth, np.roll(truth, random.integers(0, 3), 1), truth * (random.random((12, 12)) < 0.8)


@pytest.mark.parametrize("pooling", ["dataset", "image"])
def test_differences_are_those_of_runs_in_which_images_occur_as_often_as_drawn(
    pooling: ObjectPooling,
) -> None:
    sets = [masks(seed) for seed in range(5)]
    old, new = ([(each[0], each[side]) for each in sets] for side in (1, 2))
    rules = ObjectRules(pooling=pooling, thresholds=(0.5, 0.75))
    choice = LabelChoice(labels=LABELS)
    (comparison,) = compare_runs([run_of(*old), run_of(*new)], choice, resampling=HOW)
    found = compare_objects(comparison, rules)
    alone = [score_objects(s, rules).named() for s in (comparison.baseline, comparison.scores)]
    for name, mean in found.means.items():
        assert mean.baseline.item() == alone[0][name], name
        assert mean.value.item() == alone[1][name], name
        assert found.classes[name].delta == [mean.delta]

    def pq(pairs: list[Any]) -> float:
        counts = count_objects(find_objects(run_of(*pairs), LABELS), rules)
        return float(summarize_objects(counts, rules)["pq"].item())

    times = [
        np.repeat(np.arange(5), w.astype(int))
        for w in np.concatenate([*draw(comparison.units, HOW)])
    ]
    drawn = np.array([pq([new[n] for n in at]) - pq([old[n] for n in at]) for at in times])
    assert found.means["pq"].bounds == pytest.approx(percentile_interval(drawn))
    reached = 1
    for coins in np.concatenate([*swap(comparison.units, HOW)]):
        one = [new[n] if coin else old[n] for n, coin in enumerate(coins)]
        two = [old[n] if coin else new[n] for n, coin in enumerate(coins)]
        reached += abs(pq(two) - pq(one)) >= abs(pq(new) - pq(old)) - 1e-12
    assert found.means["pq"].p == reached / 21


def test_compare_says_what_changed_in_every_form(tmp_path: Path) -> None:
    sets = [masks(seed) for seed in range(3)]
    for side, name in ((1, "old"), (2, "new")):
        folders = data_set(tmp_path / name, {str(n): (s[0], s[side]) for n, s in enumerate(sets)})
        segeval("score", *folders, "-o", tmp_path / f"{name}.segeval", "--objects", "ids")
    runs = [tmp_path / "old.segeval", tmp_path / "new.segeval"]
    files = [tmp_path / f"d.{end}" for end in ("json", "csv", "md", "html")]
    how = ("--objects", "ids", "--ci", "10", "--like", "cellpose")
    written = ("--json", files[0], "--csv", files[1], "--markdown", files[2], "--html", files[3])
    table = segeval("compare", *runs, *runs[1:], *how, *written).stdout
    document = json.loads(files[0].read_text("utf-8"))
    reported = segeval("report", runs[1], *how[:2], "--like", "cellpose", "--format", "json")
    scores = json.loads(reported.stdout)["objects"]
    for part in (document, document["others"][0]):
        assert part["objects"]["summary"]["pq"]["value"] == scores["pq"]
        assert part["objects"]["summary"]["f1@0.75"]["value"] == scores["f1"][5]
        assert part["objects"]["classes"][0]["aji"]["p_holm"] <= 1
    rows = csv.DictReader(files[1].read_text("utf-8").splitlines())
    assert [row["class"] for row in rows if row["score"] == "pq"] == ["", "object"] * 2
    for text in (table, files[2].read_text("utf-8"), files[3].read_text("utf-8")):
        assert "aji" in text.lower()
        assert "objects-like:cellpose" in text
    fault = segeval("compare", *runs, "--like", "stardist", expect=2).stderr
    assert "type --objects ids as well" in fault
