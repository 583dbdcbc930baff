"""Parity with scikit-learn on made masks, and with scores that others stated for real ones."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from made.sets import document, frozen, made_run
from sklearn import metrics as sk

from segeval.counting.contingency import count_values
from segeval.labels.labelmap import numbered
from segeval.presets.preset import preset
from segeval.scoring.score import score_run

K = 5


@pytest.mark.slow
@given(
    hnp.arrays(np.uint8, (6, 11), elements=st.integers(0, K - 1)),
    hnp.arrays(np.uint8, (6, 11), elements=st.integers(0, K - 1)),
)
@settings(max_examples=60, deadline=None)
def test_scores_equal_those_of_scikit_learn(truth: Any, prediction: Any) -> None:
    scores = score_run(made_run((truth, prediction)), numbered("indices", range(K)))
    t, p = truth.ravel(), prediction.ravel()
    matrix = sk.confusion_matrix(t, p, labels=range(K))
    assert scores.counts.confusion is not None
    assert scores.counts.confusion.counts.tolist() == matrix.tolist()
    options: dict[str, Any] = {"labels": range(K), "average": None, "zero_division": 0}
    expected = {
        "iou": sk.jaccard_score(t, p, **options),
        "dice": sk.f1_score(t, p, **options),
        "precision": sk.precision_score(t, p, **options),
        "recall": sk.recall_score(t, p, **options),
    }
    seen = matrix.sum(axis=0) + matrix.sum(axis=1) > 0
    for name, values in expected.items():
        np.testing.assert_allclose(scores.class_scores[name][seen], values[seen], rtol=1e-12)
        assert math.isclose(scores.summary[f"m{name}"], values[seen].mean(), rel_tol=1e-12)
    assert math.isclose(scores.summary["pixel_accuracy"], sk.accuracy_score(t, p), rel_tol=1e-12)
    if seen.sum() > 1:
        kappa, mcc = sk.cohen_kappa_score(t, p), sk.matthews_corrcoef(t, p)
        assert math.isclose(scores.summary["kappa"], kappa, rel_tol=1e-9, abs_tol=1e-12)
        if not math.isnan(scores.summary["mcc"]):  # scikit-learn says 0 where it is undefined
            assert math.isclose(scores.summary["mcc"], mcc, rel_tol=1e-9, abs_tol=1e-12)
        weighted = sk.cohen_kappa_score(t, p, labels=range(K), weights="quadratic")
        quadratic = scores.summary["quadratic_kappa"]
        assert math.isclose(quadratic, weighted, rel_tol=1e-9, abs_tol=1e-12)
    rest = {
        "accuracy": sk.accuracy_score,
        "kappa": sk.cohen_kappa_score,
        "mcc": sk.matthews_corrcoef,
    }
    for name, score in rest.items():
        for k in np.flatnonzero(seen):
            value, sides = scores.class_scores[name][k], {(t == k).all(), (p == k).all()}
            undefined = {"accuracy": False, "kappa": sides == {True}, "mcc": True in sides}
            if undefined[name] and matrix[k, k]:  # scikit-learn says NaN, or 0
                assert math.isnan(value)
            else:
                assert math.isclose(value, score(t == k, p == k), rel_tol=1e-9, abs_tol=1e-12)


@pytest.fixture(scope="module")
def stated(shared: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((shared / "data" / "expected.json").read_text("utf-8"))
    return content


def scored(shared: Path, case: dict[str, Any], *options: str) -> dict[str, Any]:
    data = shared / "data"
    return document(data / case["prediction"], data / case["truth"], *options)


def test_pysodmetrics_scores_are_reproduced_to_the_last_digit(
    shared: Path, stated: dict[str, Any]
) -> None:
    case = stated["pysodmetrics/labels"]
    published = case["published"]
    result = scored(shared, case, "--labels", "binary")
    assert result["confusion"]["counts"] == case["confusion"]
    foreground = result["classes"][1]
    for name in ("iou", "dice", "precision", "recall", "specificity"):
        assert foreground[name] == published[name], name
    assert result["summary"]["pixel_accuracy"] == published["accuracy"]
    per_image = scored(
        shared, case, "--labels", "binary", "--pooling", "class", "--exclude", "background",
        "--absent", "zero",
    )  # fmt: skip
    for name in ("iou", "dice", "precision", "recall"):
        value, expected = per_image["classes"][1][name], published[f"mean_per_image_{name}"]
        assert math.isclose(value, expected, rel_tol=1e-14), name


def test_hugging_face_scores_are_reproduced_to_the_last_digit(
    shared: Path, stated: dict[str, Any]
) -> None:
    case = stated["hf_evaluate_mean_iou"]
    published = case["published"]
    result = scored(shared, case, "--classes", "10", "--ignore", "255", "--unknown", "wrong")
    assert result["summary"]["miou"] == published["mean_iou"]
    assert result["summary"]["pixel_accuracy"] == published["overall_accuracy"]
    ious = [0.0 if row["iou"] is None else row["iou"] for row in result["classes"]]
    assert ious == published["per_class_iou"]


def test_mseg_scores_are_reproduced(shared: Path, stated: dict[str, Any]) -> None:
    case = stated["mseg_accuracy_calculator"]
    options = ("--classes", "11", "--ignore", "255")
    zero = scored(shared, case, *options, "--absent", "zero")
    assert round(zero["summary"]["miou"], 4) == case["published"]["miou_absent_as_zero"]
    assert [round(row["iou"], 4) for row in zero["classes"]] == case["published"]["iou"]
    skip = scored(shared, case, *options)
    assert skip["summary"]["miou"] == case["computed"]["miou_present_only"]


def test_codtoolbox_counts_at_a_threshold_are_exact(shared: Path, stated: dict[str, Any]) -> None:
    result = scored(shared, stated["codtoolbox"], "--threshold", "128")
    expected = stated["codtoolbox"]["computed"]["confusion_minmax_gt_half"]
    assert result["confusion"]["counts"] == expected


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("00000_gt.png", "PNG palette 4-bit"),
        ("bird_gt.png", "PNG grey and alpha 8-bit"),
        ("bird_pred_class.png", "PNG RGBA 8-bit"),
        ("cat_gt.png", "PNG RGBA 8-bit"),
        ("dummy_gt_for_vps.png", "PNG RGB 8-bit"),
        ("panoptic_target.png", "PNG grey 16-bit"),
        ("semantic_target.png", "PNG grey 16-bit"),
    ],
)
def test_every_kind_of_file_is_read_as_stored(shared: Path, name: str, form: str) -> None:
    from PIL import Image

    from segeval.inputs.masks import read_mask
    from segeval.values import plain_values

    path = shared / "data" / "formats" / name
    mask = read_mask(path)
    assert mask.form == form
    pixels = np.asarray(Image.open(path))
    found = plain_values(count_values(truth=mask.values, prediction=mask.values).truth)
    if pixels.ndim == 2:
        assert set(found.tolist()) == set(np.unique(pixels).tolist())
    else:
        channels = pixels[..., : 1 if pixels.shape[2] == 2 else 3].reshape(mask.values.size, -1)
        assert found.size == len(np.unique(channels, axis=0))


def test_the_worked_dice_and_iou_come_out() -> None:
    truth = frozen([[1, 0, 0], [0, 1, 1], [0, 0, 1]])
    prediction = frozen([[1, 0, 1], [0, 1, 0], [0, 0, 0]])
    scores = score_run(made_run((truth, prediction)), numbered("indices", range(2))).class_scores
    assert scores["dice"][1] == 0.5714285714285714
    assert scores["iou"][1] == 0.4


@pytest.mark.slow
@given(
    hnp.arrays(np.uint8, (3, 8), elements=st.integers(0, K - 1)),
    hnp.arrays(np.uint8, (3, 8), elements=st.integers(0, K - 1)),
    st.sampled_from(["macro", "micro", "weighted"]),
    st.sampled_from([0, 1]),
    st.sampled_from(["labels seen", "labels given"]),
)
@settings(max_examples=150, deadline=None)
def test_presets_of_scikit_learn_are_its_averages(
    truth: Any, prediction: Any, average: str, zero_division: int, labels: str
) -> None:
    one, listed = "-1" if zero_division else "", labels == "labels given"
    seen = "sklearn:zero-division-1" if zero_division else "sklearn"
    name = {
        "micro": "sklearn:micro",
        "weighted": f"sklearn:weighted{one}",
        "macro": f"sklearn:labels{one}" if listed else seen,
    }[average]
    run = made_run((truth, prediction))
    summary = score_run(run, numbered("indices", range(K)), preset(name)).summary
    options: dict[str, Any] = {"average": average, "zero_division": zero_division}
    if listed:
        options["labels"] = range(K)
    pairs = (truth.ravel(), prediction.ravel())
    for mean, score in (
        ("miou", sk.jaccard_score),
        ("mdice", sk.f1_score),
        ("mprecision", sk.precision_score),
        ("mrecall", sk.recall_score),
    ):
        assert math.isclose(summary[mean], score(*pairs, **options), rel_tol=1e-12, abs_tol=1e-15)
