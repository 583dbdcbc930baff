"""Sweeps over thresholds: against scikit-learn, against scoring each threshold, and published."""

from __future__ import annotations

import itertools
import json
import math
import re
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from made.sets import data_set, frozen, made_run, segeval
from sklearn import metrics as sk

from segeval.errors import DataError, SettingError
from segeval.labels.load import load_labels
from segeval.presets.preset import load_presets, preset
from segeval.scoring import sweep as sweep_module
from segeval.scoring.convention import Convention
from segeval.scoring.metrics import METRICS
from segeval.scoring.score import score_run
from segeval.scoring.sweep import curve_names, sweep
from segeval.settings import Absent, Scale, VoidImage
from segeval.values import NO_PREDICTION, float_values

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


CONVENTIONS: Final = [
    *(Convention(absent=absent) for absent in get_args(Absent)),
    *(Convention(pooling="image", void_image=choice) for choice in get_args(VoidImage)),
    *(each.convention for each in load_presets().values() if each.convention.outside == "unknown"),
]


@given(grey_sets(), st.sampled_from([1, 2, 4096]), st.sampled_from(CONVENTIONS), st.data())
@settings(max_examples=150, deadline=None)
def test_each_threshold_scores_as_if_it_were_scored_alone(
    pairs: Pairs, images: int, convention: Convention, data: st.DataObject
) -> None:
    run = made_run(*pairs)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sweep_module, "IMAGES", images)
        result = sweep(run, BINARY, convention)
    at = data.draw(st.integers(0, 255))
    labels = replace(BINARY, prediction_threshold=result.thresholds[at].item())
    dataset = score_run(run, labels, replace(convention, pooling="dataset", worst=None))
    scored = score_run(run, labels, replace(convention, pooling="image", weights="none"))
    judged = scored.counts.images.total > 0
    for name in ("precision", "recall", "dice", "iou", "specificity"):
        same(result.dataset[name][at], dataset.class_scores[name][1])
        each = convention.score_classes(METRICS[name], scored.counts.images)[:, 1]
        kept = judged if convention.void_image == "skip" else np.ones(judged.size, bool)
        if np.count_nonzero(~np.isnan(each[kept])) == result.images[name]:
            same(result.image[name][at], scored.class_scores[name][1])
    same(result.dataset["fbeta"], result.dataset["dice"])
    same(result.image["fbeta"], result.image["dice"])


def test_an_image_without_truth_stays_in_the_means_at_every_threshold() -> None:
    empty = frozen([[0, 0]]), frozen([[100, 0]])
    found = frozen([[255, 0]]), frozen([[200, 0]])
    result = sweep(made_run(empty, found), BINARY)
    assert result.images["dice"] == 2
    same(result.image["dice"][[0, 100, 101, 200, 201]], [1 / 3, 0.5, 0.5, 0.5, 0.0])
    same(result.image["specificity"][[0, 100, 101, 200]], [0, 0.75, 1, 1])
    one = sweep(made_run(empty, found), BINARY, Convention(absent="one"))
    same(one.image["dice"][[0, 100, 101, 200, 201]], [1 / 3, 0.5, 1.0, 1.0, 0.5])
    left_out = sweep(made_run(empty, found), BINARY, preset("emc:x"))
    assert left_out.images["dice"] == 1
    same(left_out.image["dice"][[0, 200]], [2 / 3, 1.0])


@given(grey_sets(), st.sampled_from(get_args(Absent)), st.sampled_from(get_args(Scale)), st.data())
@settings(max_examples=150, deadline=None)
def test_a_missing_prediction_improves_nothing(
    pairs: Pairs, absent: Absent, scale: Scale, data: st.DataObject
) -> None:
    """Neither what the prediction gave, nor what the other images give without this one."""
    lost = data.draw(st.integers(0, len(pairs) - 1))
    present = made_run(*pairs)
    counts = present.counts
    values = np.where(counts.image == lost, NO_PREDICTION, counts.prediction)
    worst = replace(present, counts=counts.with_values(prediction=values))
    others = present.select([number for number in range(len(pairs)) if number != lost])
    same_grid = present.counts.prediction.max() // 256 == values.max() // 256
    if not len(others):
        return
    convention = Convention(absent=absent)
    found = sweep(worst, BINARY, convention, scale=scale)
    for run in (present, others) if same_grid else (others,):
        before = sweep(run, BINARY, convention, scale=scale)
        names = curve_names()
        if absent == "zero" and not (run.counts.truth > 0).any():
            names.remove("specificity")  # that of a foreground that is nowhere is 0 by convention
        for name, pooling in itertools.product(names, ("dataset", "image")):
            now, then = found.curves(pooling)[name], before.curves(pooling)[name]
            assert not (now > then + 1e-12).any(), (name, pooling)
        for number in ("average_precision", "auroc", "adaptive"):
            assert not getattr(found, number) > getattr(before, number) + 1e-12, number
        for pooling, error in before.mae.items():
            assert not found.mae[pooling] < error - 1e-12


def test_what_has_no_prediction_is_wrong_in_every_pixel(tmp_path: Path) -> None:
    folders = data_set(tmp_path, {"a": ([[0, 255]], [[0, 255]]), "b": ([[0, 0]], [[0, 0]])})
    (folders[0] / "b.png").unlink()
    options = ["--missing", "worst", "--absent", "one", "--format", "json"]
    document = json.loads(segeval("sweep", *folders, *options).stdout)
    assert document["dataset"]["specificity"][255] == 1 / 3
    assert document["image"]["dice"][255] == 0.5
    summary = document["summary"]
    same([summary["auroc"], summary["mae_dataset"], summary["mae_image"]], [1 / 3, 0.5, 0.5])


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


def test_published_numbers_of_stretched_predictions_are_reproduced(shared: Path) -> None:
    """PySODMetrics stretches each prediction to 0..255 and counts an empty truth as 0."""
    data = shared / "data" / "pysodmetrics"
    options = ["--truth-threshold", "129", "--beta2", "0.3", "--scale", "min-max"]
    folders = (data / "prediction", data / "truth")
    result = json.loads(segeval("sweep", *folders, *options, "--format", "json").stdout)
    published = json.loads((data / "published.json").read_text("utf-8"))["v1_4_3"]
    summary = result["summary"]
    for curve, name in (("fbeta", "Fm"), ("dice", "dice"), ("iou", "iou")):
        same(summary[f"best_{curve}_image"]["value"], published[f"max{name}"])
        same(np.mean(result["image"][curve]), published[f"mean{name}"])
    same(summary["mean_fbeta_image"], published["meanFm"])
    same(summary["adaptive_fbeta_image"], published["adpFm"])
    same(summary["mae_image"], published["MAE"])
    assert "|scale:min-max|thresholds:0,1..255|" in result["signature"]


GRIDS: Final = {
    "uint8": (255, [0, 1, 255], "0,1..255"),
    "uint16": (60000, [0, 257, 65535], "0,257..65535"),
    "uint32": (70000, [0, 65793, 16777215], "0,65793..16777215"),
    "int64": (2**25, [0, 16843009, 2**32 - 1], "0,16843009..4294967295"),
    "float32": (0.5, [0, 1 / 255, 1], "0,1/255..1"),
}


@pytest.mark.parametrize("kind", GRIDS)
def test_thresholds_are_a_grid_that_the_values_do_not_move(tmp_path: Path, kind: str) -> None:
    value, grid, words = GRIDS[kind]
    truth, prediction = tmp_path / "truth", tmp_path / "pred"
    truth.mkdir()
    prediction.mkdir()
    np.save(truth / "a.npy", frozen([[0, 1]]))
    np.save(prediction / "a.npy", frozen([[0, value]], kind))
    result = json.loads(segeval("sweep", prediction, truth, "--format", "json").stdout)
    assert len(result["thresholds"]) == 256
    assert [result["thresholds"][k] for k in (0, 1, 255)] == grid
    assert f"|thresholds:{words}|" in result["signature"]
    assert result["summary"]["best_dice_dataset"] == {"threshold": grid[1], "value": 1.0}


def test_values_that_are_no_levels_can_be_stretched() -> None:
    logits = float_values(frozen([[-8.0, 0.0, 4.0]], "float64"))
    run = made_run((frozen([[0, 0, 1]]), frozen(logits, "int64")))
    with pytest.raises(SettingError, match=r"from -8 to 4; .* type --scale min-max"):
        sweep(run, BINARY)
    huge = made_run((frozen([[0, 1]]), frozen([[0, 1 << 32]], "int64")))
    with pytest.raises(SettingError, match=r"levels from 0 to 2\^32 - 1 as integers"):
        sweep(huge, BINARY)
    result = sweep(run, BINARY, scale="min-max")
    same(result.dataset["dice"][[0, 1, 170, 171, 255]], [0.5, 2 / 3, 2 / 3, 1, 1])
    same(result.mae["dataset"], 2 / 9)


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
    floats = (frozen([[0, 1]]), frozen(float_values(frozen([[0.1, 0.9]], "float64")), "int64"))
    with pytest.raises(SettingError, match="some predictions hold floats and some integers"):
        sweep(made_run(floats, (frozen([[0, 1]]), frozen([[0, 9]]))), BINARY)


def test_images_that_are_void_have_no_error() -> None:
    half = (frozen([[0, 1]]), frozen([[0, 0]]))
    run = made_run(half, (frozen([[7, 7]]), frozen([[1, 0]])))
    assert sweep(run, BINARY.ignoring((7,))).mae == {"dataset": 0.5, "image": 0.5}
