"""Components of classes: against another library, through runs, workers, shards and other maps."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from made.scanlines import FORMATS, any_file, any_shape
from made.sets import data_set, segeval
from numpy.typing import NDArray
from scipy import ndimage

import segeval as segeval_library
from segeval.counting import native
from segeval.counting.dataset import count_pair, is_native
from segeval.counting.kernel import KERNEL
from segeval.counting.run import ImageCounts
from segeval.errors import SettingError
from segeval.inputs.pairing import Pair
from segeval.labels.labelmap import SIDES, Label, LabelMap, numbered
from segeval.objects.components import Components
from segeval.objects.rules import Connectivity, ObjectRules
from segeval.settings import Reading
from segeval.values import class_values, is_object, object_ids

pytest.importorskip("cc3d")

SMALL = arrays.arrays(np.uint8, arrays.array_shapes(min_dims=2, max_dims=3, max_side=7),
                      elements=st.sampled_from([0, 1, 2, 255]))  # fmt: skip
JOINED = LabelMap(
    name="joined",
    labels=(
        Label(name="background", truth_values=(0,), prediction_values=(0,)),
        Label(name="lesion", truth_values=(1, 2), prediction_values=(1, 2)),
    ),
    void=(255,),
)
REACH = {"4": 1, "8": 3}  # steps along axes, in as many at once


def reference(mask: NDArray[Any], classes: list[set[int]], connectivity: str) -> NDArray[np.int64]:
    """Number the components of each class by SciPy, then all by their first pixels."""
    ids = np.zeros(mask.shape, np.int64)
    for values in classes:
        touching = ndimage.generate_binary_structure(mask.ndim, REACH[connectivity])
        found, _ = ndimage.label(np.isin(mask, [*values]), touching)
        ids[found > 0] = found[found > 0] + ids.max()
    kept = ids[ids > 0]
    numbers, first = np.unique(kept, return_index=True)
    order = {number: n for n, number in enumerate(numbers[np.argsort(first)].tolist(), 1)}
    return np.array([order.get(each, 0) for each in ids.ravel().tolist()]).reshape(ids.shape)


@given(SMALL, st.sampled_from(["4", "8"]))
def test_components_are_those_of_scipy(mask: NDArray[Any], connectivity: Connectivity) -> None:
    for labels, classes in ((None, [{1}, {2}, {255}]), (JOINED, [{1, 2}])):
        numbered = Components(connectivity=connectivity, labels=labels)(mask, "truth")
        ids = np.where(is_object(numbered), object_ids(numbered), 0)
        np.testing.assert_array_equal(ids, reference(mask, classes, connectivity))
        np.testing.assert_array_equal(class_values(numbered), mask)


@pytest.mark.skipif(KERNEL is None, reason="the kernel is not compiled, or not wanted")
def test_the_kernel_numbers_components_as_their_pixels_are(tmp_path: Path) -> None:
    pair = Pair(name="a", truth=tmp_path / "truth.png", prediction=tmp_path / "prediction.png")
    found, named = 0, numbered("indices", range(3), void=(2,))
    ways = (Components(connectivity="4"), Components(), Components(labels=named))
    for seed in range(120):
        random = np.random.default_rng([5, seed])
        shape, kinds = any_shape(random), random.integers(0, len(FORMATS), 2)
        for path, kind in zip(pair.files, kinds, strict=True):
            path.write_bytes(any_file(random, shape, *FORMATS[kind]))
        how: dict[str, Any] = {"reading": Reading(), "numbering": ways[seed % 3]}
        ours = count_pair(pair, **how)
        found += is_native(pair, 1 << 20, ways[seed % 3])
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(native, "KERNEL", None)
            theirs = count_pair(pair, **how)
        assert isinstance(ours, ImageCounts)
        assert isinstance(theirs, ImageCounts)
        assert ours.table == theirs.table, seed
    assert 40 < found < 120  # noise is left to those who read pixels


def test_a_long_coil_is_one_component_on_every_path(tmp_path: Path) -> None:
    coil = np.zeros((41, 41), np.uint8)
    coil[::2] = 1
    coil[1::4, -1], coil[3::4, 0] = 1, 1
    folders = data_set(tmp_path, {"a": (coil, coil.T)})
    for kernel in ("", "numpy"):
        with pytest.MonkeyPatch.context() as patch:
            if kernel:
                patch.setattr(native, "KERNEL", None)
            block = document("score", *folders, *HOW, "--connectivity", "4")["objects"]
        assert (block["truth"], block["predicted"], block["sq"]) == (1, 1, 0)


def blots(seed: int) -> NDArray[np.uint8]:
    random = np.random.default_rng(seed)
    coarse = random.choice([0, 0, 0, 1, 2], (6, 7))
    return np.kron(coarse, np.ones((3, 3), int)).astype(np.uint8)


PAIRS: dict[str, tuple[object, object]] = {
    **{name: (blots(n), np.roll(blots(n), 1, 1)) for n, name in enumerate("abcd")},
    "empty": (blots(0) * 0, blots(0)),
}
HOW = ("--objects", "components", "--format", "json")


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return data_set(tmp_path_factory.mktemp("components"), PAIRS)


def document(*arguments: object) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(segeval(*arguments).stdout)
    return found


def test_lesions_are_counted_missed_and_false_by_class_and_size(folders: Any) -> None:
    scored = document("score", *folders, *HOW, "--iou-thresholds", ".5", "--size-bins", "0,10")
    block, plain = scored["objects"], document("score", *folders, "--format", "json")
    assert scored["summary"] == plain["summary"]
    assert scored["classes"][1]["support"] == plain["classes"][1]["support"]
    truths = [reference(np.asarray(t), [{1}, {2}], "8").max() for t, _ in PAIRS.values()]
    assert (block["source"], block["truth"]) == ("components", sum(truths))
    assert block["empty_truth"] == {"images": 1, "false_alarms": 1, "false": int(truths[0])}
    small, large = block["sizes"]
    assert small["missed"] + large["missed"] == block["missed"]
    assert "components:8" in scored["signature"]
    four = document("score", *folders, *HOW, "--connectivity", "4")
    assert four["objects"]["truth"] > block["truth"]
    assert "components:4" in four["signature"]


def test_runs_keep_components_through_workers_shards_and_resumption(
    folders: Any, tmp_path: Path
) -> None:
    whole = document("score", *folders, *HOW, "--workers", "2")["objects"]
    run, parts = tmp_path / "run.segeval", [tmp_path / f"{n}.segeval" for n in (1, 2)]
    for number, part in enumerate(parts, 1):
        segeval("score", *folders, *HOW, "--shard", f"{number}/2", "-o", part)
    segeval("merge", *parts, "-o", run)
    assert document("report", run, *HOW)["objects"] == whole
    assert document("score", *folders, *HOW, "-o", tmp_path / "r", "--resume")["objects"] == whole
    assert document("score", *folders, *HOW, "-o", tmp_path / "r", "--resume")["objects"] == whole
    changed = segeval("compare", run, tmp_path / "r", *HOW, "--ci", "10").stdout
    assert json.loads(changed)["objects"]["summary"]["pq"]["delta"] == 0
    other = ("--connectivity", "4", "-o", tmp_path / "r", "--resume")
    assert "components:8" in segeval("score", *folders, *HOW, *other, expect=3).stderr
    said = segeval("report", run, *HOW, "--connectivity", "4", expect=2).stderr
    assert "components of this run have 8 neighbours" in said
    four = ("--connectivity", "4", "-o", tmp_path / "four")
    segeval("score", *folders, *HOW, *four)
    said = segeval("compare", run, tmp_path / "four", *HOW, "--ci", "10", expect=3).stderr
    assert "counted in two ways: components:4, components:8" in said


def test_components_of_other_classes_are_refused(folders: Any, tmp_path: Path) -> None:
    alone, joined, plain = (tmp_path / name for name in ("alone", "joined", "plain"))
    labels = tmp_path / "joined.toml"
    lines = ['name = "background"\nvalues = [0]', 'name = "lesion"\nvalues = [1, 2]']
    labels.write_text("".join(f"[[labels]]\n{line}\n" for line in lines), encoding="utf-8")
    segeval("score", *folders, *HOW, "-o", alone)
    found = document("score", *folders, *HOW, "--labels", labels, "-o", joined)["objects"]
    truths = [reference(np.asarray(t), [{1, 2}], "8").max() for t, _ in PAIRS.values()]
    assert (found["class"], found["truth"]) == ("lesion", sum(truths))
    assert document("report", joined, *HOW, "--labels", labels)["objects"] == found
    assert (
        "one class in joined" in segeval("report", alone, *HOW, "--labels", labels, expect=3).stderr
    )
    assert "count again" in segeval("report", joined, *HOW, expect=3).stderr
    segeval("score", *folders, "-o", plain)
    assert "holds no components" in segeval("report", plain, *HOW, expect=2).stderr
    assert (
        "type --objects components" in segeval("report", alone, "--objects", "ids", expect=2).stderr
    )
    named = tmp_path / "road.toml"
    named.write_text(
        "".join(
            f'[[labels]]\nname = "{n}"\nvalues = [{k}]\n'
            for k, n in enumerate(("x", "background", "z"))
        ),
        encoding="utf-8",
    )
    fault = segeval("report", alone, *HOW, "--labels", named, expect=3).stderr
    assert "components of x were not counted" in fault


def test_components_say_what_they_need(folders: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    said = segeval("score", *folders, "--connectivity", "4", expect=2).stderr
    assert "--connectivity needs --objects components" in said
    monkeypatch.setitem(sys.modules, "cc3d", None)
    said = segeval("score", *folders, *HOW, expect=2).stderr
    assert 'pip install "segeval-masks[objects]"' in said
    with pytest.raises(SettingError, match="overlap"):
        Components(labels=replace(JOINED, overlap=True))


def test_python_finds_components_in_folders_and_arrays(folders: Any) -> None:
    block = document("score", *folders, *HOW)["objects"]
    prediction, truth = folders
    assert (
        segeval_library.score(prediction=prediction, truth=truth, objects="components").objects
        == block
    )
    run = segeval_library.count(prediction=prediction, truth=truth, numbering=Components())
    assert run.score(objects="components").objects == block
    masks: Any = {side: [pair[n] for pair in PAIRS.values()] for n, side in enumerate(SIDES)}
    rules = ObjectRules(source="components", thresholds=(0.5,))
    found = segeval_library.score_arrays(**masks, objects=rules, classes=3)
    assert found.objects["truth"] == block["truth"]
    assert found.objects["ap"] == block["ap"][:1]


def test_a_class_of_two_values_has_the_components_of_one_value() -> None:
    def mask(part: object) -> NDArray[np.uint8]:
        return np.isin(np.asarray(part), [1, 2]).astype(np.uint8)

    masks: Any = {side: [pair[n] for pair in PAIRS.values()] for n, side in enumerate(SIDES)}
    plain: Any = {side: list(map(mask, held)) for side, held in masks.items()}
    joined = segeval_library.score_arrays(**masks, labels=JOINED, objects="components").objects
    one = segeval_library.score_arrays(**plain, classes=2, objects="components").objects
    assert {**joined, "class": "1"} == one
