"""Losses pooled over a data set are those that the library gives for all images as one batch."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made.maps import map_set, softmax

from segeval import losses
from segeval.losses.dataset import evaluate_losses
from segeval.settings import ClassesMode, LabelChoice, LossChoice, Source

NAMES = ("dice", "jaccard", "tversky", "generalized_dice")
VOID = 255


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@given(data=st.data())
@settings(max_examples=15, deadline=None)
def test_losses_of_sums_are_those_of_one_batch(dtype: str, data: st.DataObject) -> None:
    images, classes = data.draw(st.integers(1, 4)), data.draw(st.integers(1, 4))
    random = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    logits, log = data.draw(st.booleans()), data.draw(st.booleans())
    size = (images, classes, 3, 5) if classes > 1 else (images, 3, 5)
    values = random.normal(0, 2, size)
    if not logits:
        values = (
            np.moveaxis(softmax(np.moveaxis(values, 1, 0)), 0, 1)
            if classes > 1
            else (1 / (1 + np.exp(-values)))
        )
    values = values.astype(dtype)
    truth = random.integers(0, data.draw(st.integers(1, max(classes, 2))), (images, 3, 5))
    truth[random.random(truth.shape) < data.draw(st.sampled_from([0, 0.2, 0.9]))] = VOID
    mode: ClassesMode = data.draw(st.sampled_from(["all", "present"]))
    smooth = data.draw(st.sampled_from([0, 1]))
    squared = data.draw(st.booleans())
    choice = LossChoice(
        losses=NAMES if classes > 1 else NAMES[:3],
        pooling="dataset",
        logits=logits,
        log=log,
        squared=squared,
        smooth=smooth,
        classes_mode=mode,
        tversky=(0.3, 0.7),
    )
    with tempfile.TemporaryDirectory() as folder:
        named = [f"{number}" for number in range(images)]
        maps, truths = (dict(zip(named, side, strict=True)) for side in (values, truth))
        prediction, masks = map_set(Path(folder), maps, truths)
        source = Source(prediction=prediction, truth=masks)
        labels = LabelChoice(classes=max(classes, 2), ignore=(VOID,))
        found = evaluate_losses(source, labels, choice, workers=1).summary
    own: dict[str, dict[str, Any]] = {
        "dice": {"squared": squared, "log": log},
        "jaccard": {"squared": squared, "log": log},
        "tversky": {"alpha": 0.3, "beta": 0.7, "log": log},
        "generalized_dice": {},
    }
    for name in choice.losses:
        function = getattr(losses, f"{name}_loss")
        shared = {"ignore": VOID, "logits": logits, "smooth": smooth, "classes": mode}
        expected = float(function(values, truth, **shared, **own[name]))
        judged = (truth != VOID).any()
        assert found[name] == pytest.approx(expected if judged else np.nan, rel=1e-9, nan_ok=True)
