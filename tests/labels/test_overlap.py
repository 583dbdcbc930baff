"""Classes that share values: each is scored against the rest, from the counts alone."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made.sets import frozen, made_run, segeval
from numpy.typing import NDArray
from PIL import Image

from segeval.errors import LabelError
from segeval.labels.labelmap import Label, LabelMap
from segeval.labels.load import load_labels
from segeval.labels.lookups import lookup_of
from segeval.pictures.caption import in_parts
from segeval.pictures.classmaps import drawn_labels
from segeval.pictures.palettes import part_colors
from segeval.scoring.convention import Convention
from segeval.scoring.metrics import METRICS, OVERALL
from segeval.scoring.score import Scores, score_run
from segeval.settings import Pooling, Unknown

REGIONS = {"WT": (1, 2, 4), "TC": (1, 4), "ET": (4,)}
VOID = 7
TOML = "overlap = true\n" + "".join(
    f"[[labels]]\nname = '{name}'\nvalues = {list(values)}\n" for name, values in REGIONS.items()
)


def regions(**more: Any) -> LabelMap:
    labels = tuple(
        Label(name=name, truth_values=values, prediction_values=values)
        for name, values in REGIONS.items()
    )
    return LabelMap(name="regions", labels=labels, void=(VOID,), overlap=True, **more)


def masks(images: int, seed: int, values: tuple[int, ...]) -> list[NDArray[np.int64]]:
    random = np.random.default_rng(seed)
    return [frozen(random.choice(values, (6, 7))) for _ in range(images)]


def against_rest(
    truth: NDArray[np.int64], prediction: NDArray[np.int64], values: tuple[int, ...]
) -> list[int]:
    """Count a class of some values as two binary masks: tp, support, predicted, judged."""
    judged = truth != VOID
    t, p = np.isin(truth, values) & judged, np.isin(prediction, values) & judged
    return [int(part.sum()) for part in (t & p, t, p, judged)]


@given(seed=st.integers(0, 10**6), pooling=st.sampled_from(["dataset", "image", "class", "micro"]))
@settings(max_examples=25, deadline=None)
def test_every_score_is_that_of_the_class_against_the_rest(seed: int, pooling: Pooling) -> None:
    truths = masks(3, seed, (0, 1, 2, 4, VOID))
    predictions = masks(3, seed + 1, (0, 1, 2, 4))
    run = made_run(*zip(truths, predictions, strict=True))
    convention = Convention(pooling=pooling)
    scores = score_run(run, regions(), convention)
    for k, values in enumerate(REGIONS.values()):
        binary = [
            (frozen(np.where(t == VOID, VOID, np.isin(t, values))), frozen(np.isin(p, values)))
            for t, p in zip(truths, predictions, strict=True)
        ]
        alone = score_run(made_run(*binary), two_classes(), convention)
        for metric in METRICS:
            both = scores.class_scores[metric][k], alone.class_scores[metric][1]
            np.testing.assert_array_equal(*both)
        counts = scores.counts.images
        found = np.stack([counts.tp[:, k], counts.support[:, k], counts.predicted[:, k]], axis=1)
        expected = [against_rest(t, p, values) for t, p in zip(truths, predictions, strict=True)]
        assert np.column_stack([found, counts.total]).tolist() == expected
    assert all(np.isnan(scores.summary[name]) for name in OVERALL)


def two_classes() -> LabelMap:
    labels = tuple(
        Label(name=str(value), truth_values=(value,), prediction_values=(value,))
        for value in (0, 1)
    )
    return LabelMap(name="binary", labels=labels, void=(VOID,))


@pytest.mark.parametrize(("unknown", "judged", "unclassed"), [("wrong", 6, 2), ("ignore", 4, 0)])
def test_predictions_of_no_class_are_misses_or_not_judged(
    unknown: Unknown, judged: int, unclassed: int
) -> None:
    run = made_run((frozen([[0, 1, 4], [4, 2, 0]]), frozen([[9, 1, 4], [9, 1, 0]])))
    counts = score_run(run, regions(), unknown=unknown).counts
    assert (counts.images.total.tolist(), counts.unclassed) == ([judged], unclassed)
    assert counts.classes.tp.tolist() == [3, 2, 1]
    assert counts.classes.support.tolist() == ([4, 3, 2] if unknown == "wrong" else [3, 2, 1])
    assert counts.classes.predicted.tolist() == [3, 3, 1]


def test_values_that_no_region_has_are_refused_once() -> None:
    run = made_run((frozen([[0, 3, 4]]), frozen([[0, 1, 5]])))
    with pytest.raises(Exception, match="3 on 1 pixel is no class") as caught:
        score_run(run, regions())
    assert str(caught.value).count("no class") == 2


def test_parts_are_the_sets_of_classes_and_have_the_colour_of_the_last() -> None:
    parts = regions().parts
    assert parts.names == ["WT", "WT + TC", "WT + TC + ET", "no class"]
    assert [label.truth_values for label in parts.labels] == [(2,), (1,), (4,), (0,)]
    assert not parts.overlap
    colors = part_colors(regions())
    assert len({*colors}) == 4
    assert all(a != b for a, b in pairwise(colors))
    two = LabelMap(
        name="",
        labels=tuple(
            Label(name=n, truth_values=v, prediction_values=v, colors=(c,))
            for n, v, c in (("a", (1, 3), (200, 0, 0)), ("b", (2, 3), (0, 0, 200)))
        ),
        overlap=True,
    )
    assert two.parts.names == ["a", "a + b", "b", "no class"]
    assert part_colors(two)[:3] == [(200, 0, 0), (100, 0, 100), (0, 0, 200)]


@pytest.mark.parametrize("position", [0, 1, 2])
def test_pictures_of_a_class_have_the_pixels_that_are_counted(position: int) -> None:
    truth, prediction = masks(1, 3, (0, 1, 2, 4, VOID))[0], masks(1, 4, (0, 1, 2, 4))[0]
    scores = score_run(made_run((truth, prediction)), regions())
    drawn, place = drawn_labels(scores.labels, position)
    t, p = lookup_of(scores.run, drawn).pair(truth, prediction)
    counts = scores.counts.classes
    both = int(((t == place) & (p == place)).sum())
    assert [both, int((t == place).sum())] == [counts.tp[position], counts.support[position]]


def test_the_legend_of_all_classes_names_the_parts() -> None:
    scores: Scores = score_run(made_run((frozen([[1, 2, 0]]), frozen([[2, 2, 4]]))), regions())
    parts = in_parts(scores)
    assert parts.counts.classes.fn.tolist() == [0, 1, 0, 1]


def write(path: Path, rows: list[list[int]]) -> None:
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(np.array(rows, np.uint8)).save(path)


def test_a_run_made_before_is_scored_by_regions(tmp_path: Path) -> None:
    for name, rows in {"a": [[0, 1, 2], [4, 4, 0]], "b": [[1, 1, 2], [4, 2, 0]]}.items():
        write(tmp_path / "truth" / f"{name}.png", rows)
        write(tmp_path / "pred" / f"{name}.png", [row[::-1] for row in rows])
    (tmp_path / "regions.toml").write_text(TOML, "utf-8")
    run = tmp_path / "run.segeval"
    segeval("score", tmp_path / "pred", tmp_path / "truth", "--out", run)
    done = segeval("report", run, "--labels", tmp_path / "regions.toml", "--format", "json")
    assert "a pixel may be of several: pixel accuracy, fwIoU" in done.stderr
    document = json.loads(done.stdout)
    assert [row["name"] for row in document["classes"]] == [*REGIONS]
    assert [document["classes"][0][n] for n in ("tp", "fp", "fn", "support")] == [6, 3, 3, 9]
    assert document["confusion"]["counts"] is document["confusion"]["unknown"] is None
    assert document["summary"]["pixel_accuracy"] is document["summary"]["kappa"] is None
    assert 0 < document["summary"]["miou"] < 1
    assert "|multilabel:yes|" in document["signature"]
    both = ("--labels", tmp_path / "regions.toml", "--confusion", tmp_path / "c.csv")
    refused = segeval("report", run, *both, expect=2)
    assert "there is no confusion matrix" in refused.stderr
    page = tmp_path / "page.html"
    segeval("report", run, *both[:2], "--html", page, "--ci", "20", "--fail-under", "iou.TC=0.1")
    assert "WT + TC" in page.read_text("utf-8")


def test_shared_values_are_refused_with_what_to_type(tmp_path: Path) -> None:
    path = tmp_path / "regions.toml"
    path.write_text(TOML.partition("\n")[2], "utf-8")
    with pytest.raises(LabelError, match=r"already that of class .WT.*write `overlap = true`"):
        load_labels(path)
    path.write_text(TOML.replace("true", "1"), "utf-8")
    with pytest.raises(LabelError, match="overlap: 1 is not true or false"):
        load_labels(path)


def test_regions_of_nnunet_have_no_background(tmp_path: Path) -> None:
    path = tmp_path / "dataset.json"
    stated = {"background": 0, "whole": [1, 2, 3], "core": [2, 3], "enhancing": 3, "ignore": 4}
    path.write_text(json.dumps({"labels": stated, "regions_class_order": [1, 2, 3]}), "utf-8")
    labels = load_labels(path)
    assert (labels.names, labels.overlap) == (["whole", "core", "enhancing"], True)
    assert (labels.void, labels.labels[2].truth_values) == ((4,), (3,))
    path.write_text(json.dumps({"labels": stated, "regions_class_order": [1, 2]}), "utf-8")
    with pytest.raises(
        LabelError, match=r"is \[1, 2\]; expected a value for each of the 3 regions"
    ):
        load_labels(path)
