"""Scores, sweeps and losses of the same folders give one IoU at one threshold."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from made.sets import save
from PIL import Image

import segeval
from segeval.counting.dataset import count_dataset
from segeval.labels.choose import choose_labels
from segeval.losses.dataset import evaluate_losses
from segeval.scoring.score import label_and_score
from segeval.scoring.sweep import sweep
from segeval.settings import LabelChoice, LossChoice, Source

FORMS = ("float16", "float32", "float64", "1HW", "npz", "uint8", "uint16", "uint8 npy")
EDGE = st.integers(0, 255).map(lambda k: k / 255) | st.integers(0, 1000).map(lambda k: k / 1000)
SHARE = EDGE | EDGE.map(lambda v: float(np.nextafter(v, 0))) | st.floats(0, 1)


def save_shares(path: Path, shares: Any, form: str) -> None:
    """Write probabilities in one of the forms."""
    path.parent.mkdir(parents=True, exist_ok=True)
    top = {"uint8": 255, "uint8 npy": 255, "uint16": 65535}.get(form)
    if top:
        levels = np.rint(shares * top).astype(form.split(maxsplit=1)[0])
        if form.endswith("npy"):
            np.save(path.with_suffix(".npy"), levels)
        else:
            Image.fromarray(levels).save(path.with_suffix(".png"))
    elif form == "npz":
        np.savez(path.with_suffix(".npz"), shares.astype("float32"))
    elif form == "1HW":
        np.save(path.with_suffix(".npy"), shares[None])
    else:
        np.save(path.with_suffix(".npy"), shares.astype(form))


@pytest.mark.parametrize("form", FORMS)
@given(data=st.data())
@settings(max_examples=12, deadline=None)
def test_one_threshold_gives_one_iou(form: str, data: st.DataObject) -> None:
    values = data.draw(st.sampled_from([(0, 1), (0, 255), (0, 1, 255)]))
    ignore = None
    if len(values) == 3:
        ignore = data.draw(st.sampled_from([(255,), ()]))
    with tempfile.TemporaryDirectory() as folder:
        source = Source(prediction=Path(folder, "pred"), truth=Path(folder, "truth"))
        shape = data.draw(hnp.array_shapes(min_dims=2, max_dims=2, max_side=5))
        for name in "ab":
            truth = data.draw(hnp.arrays(np.uint8, shape, elements=st.sampled_from(values)))
            truth.flat[: len(values)] = values[: truth.size]
            shares = data.draw(hnp.arrays(np.float64, shape, elements=SHARE))
            save(Path(folder, "truth", f"{name}.png"), truth)
            save_shares(Path(folder, "pred", name), shares, form)
        run = count_dataset(source)
        swept = sweep(
            run, choose_labels(run, LabelChoice(labels="binary", ignore=ignore), sides=("truth",))
        )
        at = data.draw(st.integers(0, swept.thresholds.size - 1))
        threshold = float(swept.thresholds[at])
        levels = set(run.counts.values("prediction").tolist())
        if threshold <= 0 or (threshold > 1 and levels <= {0, 1}):  # the last is refused: a slip
            return
        choice = LabelChoice(threshold=threshold, ignore=ignore)
        scored = label_and_score(run, choice).class_scores["iou"][1]
        valued = evaluate_losses(
            source, LabelChoice(ignore=ignore), LossChoice(threshold=threshold), workers=1
        )
        np.testing.assert_equal(swept.dataset["iou"][at], scored)
        np.testing.assert_equal(valued.scores.class_scores["iou"][1], scored)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@given(data=st.data())
@settings(max_examples=12, deadline=None)
def test_floats_under_a_threshold_are_those_of_files(dtype: str, data: st.DataObject) -> None:
    share = SHARE | st.just(float("nan"))
    shape = hnp.array_shapes(min_dims=2, max_dims=2, max_side=5)
    shares = data.draw(shape.flatmap(lambda size: hnp.arrays(float, size, elements=share)))
    prediction = shares.astype(dtype)
    truth = (np.arange(prediction.size).reshape(prediction.shape) % 3 / 2).astype(dtype)
    options: dict[str, Any] = {"threshold": 0.3, "truth_threshold": 0.5, "unknown": "wrong"}
    with tempfile.TemporaryDirectory() as folder:
        for side, values in (("truth", truth), ("pred", prediction)):
            np.save(f"{folder}/{side}.npy", values)
        files = segeval.score(
            prediction=f"{folder}/pred.npy", truth=f"{folder}/truth.npy", **options
        )
    arrays = segeval.score_arrays(truth=truth, prediction=prediction, **options)
    pd.testing.assert_frame_equal(arrays.classes, files.classes)
    counted = segeval.count_arrays(truth=truth, prediction=prediction)
    pd.testing.assert_frame_equal(counted.score(**options).classes, files.classes)
    with pytest.raises(segeval.DataError, match=r"truth holds float.* say truth_threshold=0\.5"):
        segeval.score_arrays(truth=truth, prediction=prediction, threshold=0.3)
