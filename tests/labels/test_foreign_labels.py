"""Label files that other tools write are read as they are, strictly."""

from __future__ import annotations

import json
import re
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from segeval.errors import LabelError
from segeval.labels.load import load_labels

FILES: dict[str, tuple[Any, dict[str, tuple[int, ...]], tuple[int, ...]]] = {
    "nnU-Net 2": (
        {"channel_names": {"0": "CT"}, "labels": {"background": 0, "liver": 1, "ignore": 2}},
        {"background": (0,), "liver": (1,)},
        (2,),
    ),
    "nnU-Net 1": (
        {"modality": {"0": "CT"}, "labels": {"0": "background", "1": "liver"}},
        {"background": (0,), "liver": (1,)},
        (),
    ),
    "nnU-Net, several values": (
        {"labels": {"background": [0, 4], "liver": [1, 2]}},
        {"background": (0, 4), "liver": (1, 2)},
        (),
    ),
    "COCO": (
        {"images": [], "annotations": [{"id": 1}], "categories": [{"id": 7, "name": "root"}]},
        {"background": (0,), "root": (7,)},
        (),
    ),
    "COCO from 0": ({"categories": [{"id": 0, "name": "leaf"}]}, {"leaf": (0,)}, ()),
    "COCO with a background": (
        {"categories": [{"id": 1, "name": "Background"}, {"id": 2, "name": "é"}]},
        {"Background": (1,), "é": (2,)},
        (),
    ),
    "Hugging Face": (
        {"id2label": {"0": "wall", "12": "floor"}, "semantic_loss_ignore_index": 255},
        {"wall": (0,), "floor": (12,)},
        (255,),
    ),
    "Hugging Face, names alone": ({"1": "a", "0": "b"}, {"a": (1,), "b": (0,)}, ()),
}


def written(path: Path, content: object) -> Path:
    text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
    path.write_text(text, "utf-8")
    return path


@pytest.mark.parametrize("kind", FILES)
def test_json_of_other_tools_names_the_classes(tmp_path: Path, kind: str) -> None:
    content, values, void = FILES[kind]
    labels = load_labels(written(tmp_path / "dataset.json", content))
    assert {label.name: label.truth_values for label in labels.labels} == values
    assert [label.prediction_values for label in labels.labels] == list(values.values())
    assert (labels.void, labels.name) == (void, "dataset")


def test_coco_categories_have_groups_and_colours(tmp_path: Path) -> None:
    category = {"id": 3, "name": "cat", "supercategory": "animal", "color": [1, 2, 3]}
    _, label = load_labels(written(tmp_path / "a.json", {"categories": [category]})).labels
    assert (label.group, label.colors) == ("animal", ((1, 2, 3),))


BAD: dict[str, tuple[Any, str]] = {
    "nothing": ("", "the file is empty; write it again"),
    "cut": ('{"labels": {"a": 0}', "line 1: expected , or ."),
    "no end": ('{"labels": {"a": ', "line 1: Expecting value"),
    "more": ("{} {}", "line 1: there is more after its end"),
    "twice": ('{"labels": {},\n"labels": {}}', "line 2: the key 'labels' stands twice"),
    "no colon": ('{"labels" {}}', "line 1: expected : after the key 'labels'"),
    "no key": ("{labels: 1}", "line 1: expected a key in quotes"),
    "no comma": ('{"categories": [{} {}]}', "line 1: expected , or ."),
    "NaN": ('{"labels": {"a": NaN}}', "NaN is no number of JSON"),
    "deep": ("[" * 100_000, "lie too deep"),
    "NUL": ('{"labels": {"a\\u0000": 0}}', "cannot be printed"),
    "many digits": ('{"labels": {"a": ' + "9" * 5000 + "}}", "digits"),
    "list": ([1, 2], "it lists no classes: expected `labels`"),
    "other": ({"a": 1}, "it lists no classes"),
    "empty": ({}, "it lists no classes"),
    "no id": ({"categories": [{"name": "a"}]}, "category 1 is .*expected an id and a name"),
    "no object": ({"categories": [{"id": 1, "name": "a"}, 3]}, "category 2 is 3; expected"),
    "text as id": ({"categories": [{"id": "1", "name": "a"}]}, "value '1' is not a whole number"),
    "no name": ({"categories": [{"id": 1}]}, "a class has no name"),
    "same id": (
        {"categories": [{"id": 1, "name": "a"}, {"id": 1, "name": "b"}]},
        "truth value 1 of class 'b' is already that of class 'a'",
    ),
    "regions in no order": (
        {"labels": {"background": 0, "whole": [1, 2], "core": [2]}},
        "truth value 2 of class 'core' is already that of class 'whole'; if a value may belong",
    ),
    "a name as a value": ({"labels": {"a": "b"}}, "value 'b' is not a whole number"),
    "same names": ({"labels": {"0": "a", "1": "a"}}, "name 'a' of class 'a' is already"),
    "ids beyond": ({"id2label": {"9" * 30: "a"}}, "it lists no classes"),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_json_file_is_refused_with_its_reason(tmp_path: Path, kind: str) -> None:
    content, reason = BAD[kind]
    path = written(tmp_path / "dataset.json", content)
    with pytest.raises(LabelError, match=f"^{re.escape(str(path))}: .*{reason}"):
        load_labels(path)


def test_names_in_other_encodings_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes('{"labels": {"é": 0}}'.encode("latin-1"))
    with pytest.raises(LabelError, match=r"line 1: not valid JSON: .*utf-8"):
        load_labels(tmp_path / "a.json")


@pytest.mark.parametrize(("text", "line"), [("nc: 3\nnames: [a, b]", 1), ("names: [a]\nnc: x", 2)])
def test_yolo_names_must_be_as_many_as_it_says(tmp_path: Path, text: str, line: int) -> None:
    with pytest.raises(LabelError, match=rf"line {line}: `nc` is .* but `names:` lists \d name"):
        load_labels(written(tmp_path / "data.yaml", text))


def test_a_large_file_of_annotations_needs_little_memory(tmp_path: Path) -> None:
    entry = json.dumps({"id": 1, "segmentation": {"counts": "x" * 2000}})
    categories = json.dumps([{"id": 1, "name": "a"}])
    path = tmp_path / "large.json"
    many = ",\n".join([entry] * 4000)
    path.write_text(f'{{"annotations": [{many}], "categories": {categories}}}')
    tracemalloc.start()
    try:
        assert load_labels(path).names == ["background", "a"]
        assert tracemalloc.get_traced_memory()[1] < path.stat().st_size
    finally:
        tracemalloc.stop()
