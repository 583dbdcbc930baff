"""Sweeps over thresholds: against scikit-learn, against scoring each threshold, and published."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from made.sets import data_set, frozen, made_run, save, segeval
from PIL import Image
from sklearn import metrics as sk

from segeval.errors import DataError, SettingError
from segeval.labels.load import load_labels
from segeval.scoring import sweep as sweep_module
from segeval.scoring.convention import Convention
from segeval.scoring.score import score_run
from segeval.scoring.sweep import sweep

BINARY = load_labels("binary")
Pairs = list[tuple[Any, Any]]


@st.composite
def grey_sets(draw: st.DrawFn) -> Pairs:
    shapes = draw(st.lists(st.tuples(st.integers(1, 4), st.integers(1, 6)), min_size=1, max_size=3))
    top = draw(st.sampled_from([3, 255, 60000]))
    return [
        (
            frozen(draw(hnp.arrays(np.uint8, shape, elements=st.sampled_from([0, 1, 255])))),
            frozen(draw(hnp.arrays(np.uint16, shape, elements=st.integers(0, top))), "uint16"),
        )
        for shape in shapes
    ]


def same(a: object, b: object) -> None:
    np.testing.assert_allclose(np.array(a, float), np.array(b, float), rtol=1e-12, atol=1e-15)


@given(grey_sets(), st.sampled_from([1, 1 << 20]))
@settings(max_examples=60, deadline=None)
def test_each_threshold_scores_as_if_it_were_scored_alone(pairs: Pairs, cells: int) -> None:
    usual, sweep_module.CELLS = sweep_module.CELLS, cells  # type: ignore[misc]  # small blocks
    try:
        run = made_run(*pairs)
        result = sweep(run, BINARY)
    finally:
        sweep_module.CELLS = usual  # type: ignore[misc]
    assert result.thresholds.tolist() == sorted({v for _, p in pairs for v in p.ravel().tolist()})
    for position, threshold in list(enumerate(result.thresholds.tolist()))[:5]:
        labels = replace(BINARY, prediction_threshold=threshold)
        dataset = score_run(run, labels).class_scores
        image = score_run(run, labels, Convention(pooling="class")).class_scores
        for name in ("precision", "recall", "dice", "iou", "specificity"):
            same(result.dataset[name][position], dataset[name][1])
            same(result.image[name][position], image[name][1])
        same(result.dataset["fbeta"][position], dataset["dice"][1])


@given(grey_sets())
@settings(max_examples=60, deadline=None)
def test_areas_equal_those_of_scikit_learn(pairs: Pairs) -> None:
    truth = np.concatenate([t.ravel() > 0 for t, _ in pairs])
    grey = np.concatenate([p.ravel() for _, p in pairs]).astype(float)
    result = sweep(made_run(*pairs), BINARY)
    if 0 < truth.sum() < truth.size:
        same(result.average_precision, sk.average_precision_score(truth, grey))
        same(result.auroc, sk.roc_auc_score(truth, grey))
    else:
        assert math.isnan(result.auroc)


def test_published_f_measures_are_reproduced(shared: Path) -> None:
    """CODToolbox states maxFm .982 and meanFm .960 for these three images."""
    data = shared / "data" / "codtoolbox"
    done = segeval(
        "sweep", data / "prediction", data / "truth", "--beta2", "0.3", "--format", "json"
    )
    summary = json.loads(done.stdout)["summary"]
    assert round(summary["best_fbeta_image"]["value"], 5) == 0.98231
    assert round(summary["mean_fbeta_image"], 5) == 0.95996
    assert "flatters the model" in done.stderr


def test_published_curves_of_stretched_predictions_are_reproduced(
    shared: Path, tmp_path: Path
) -> None:
    """PySODMetrics stretches each prediction to 0..255 before it scores; so does this test."""
    data = shared / "data" / "pysodmetrics"
    files = list((data / "prediction").glob("*.png"))
    assert files
    for file in files:
        grey = np.asarray(Image.open(file)) / 255
        grey = (grey - grey.min()) / (grey.max() - grey.min())
        save(tmp_path / file.name, (grey * 255).astype(np.uint8))
    options = ["--truth-threshold", "129", "--beta2", "0.3", "--format", "json"]
    result = json.loads(segeval("sweep", tmp_path, data / "truth", *options).stdout)
    published = json.loads((data / "published.json").read_text("utf-8"))["v1_4_3"]
    summary = result["summary"]
    for curve, name in (("fbeta", "Fm"), ("dice", "dice"), ("iou", "iou")):
        same(summary[f"best_{curve}_image"]["value"], published[f"max{name}"])
        same(np.mean(result["image"][curve]), published[f"mean{name}"])


def test_a_sweep_comes_from_a_run_or_from_folders(tmp_path: Path) -> None:
    grey = np.arange(256).reshape(16, 16)
    folders = data_set(tmp_path, {"a": ((grey >= 100) * 255, grey)})
    said = segeval("score", *folders, "-o", tmp_path / "run", expect=3).stderr
    assert "--threshold 128" in said
    from_run = segeval("sweep", tmp_path / "run", "--csv", tmp_path / "out.csv")
    assert from_run.stdout == segeval("sweep", *folders).stdout
    lines = (tmp_path / "out.csv").read_text("utf-8").splitlines()
    assert len(lines) == 257
    assert lines[0].startswith("threshold,precision_dataset,recall_dataset,dice_dataset,")
    assert re.search(r"Dice +1\.0000  highest over the data set, at threshold 100", from_run.stdout)
    total = segeval("report", tmp_path / "run", "--threshold", "100", "--format", "total").stdout
    assert total == "1.0\n"


def test_the_foreground_of_a_sweep_may_come_first_in_a_label_map() -> None:
    run = made_run((frozen([[0, 1, 1, 0]]), frozen([[0, 9, 3, 5]])))
    turned = replace(BINARY, labels=BINARY.labels[::-1])
    assert sweep(run, turned).auroc == sweep(run, BINARY).auroc == 0.75


def test_what_cannot_be_swept_is_refused() -> None:
    run = made_run((frozen([[0, 1, 7]]), frozen([[0, 9, 3]])))
    with pytest.raises(DataError, match="7 on 1 pixel is no class"):
        sweep(run, BINARY)
    with pytest.raises(SettingError, match="a sweep needs two classes; voc has 21"):
        sweep(run, load_labels("voc"))
    with pytest.raises(SettingError, match="--beta2 must be above 0, not 0"):
        sweep(run, BINARY, beta2=0)
    void = made_run((frozen([[7]]), frozen([[1]])))
    with pytest.raises(SettingError, match="there is no predicted value"):
        sweep(void, BINARY.ignoring((7,)))
