"""`segeval rle`: what is encoded comes back, in every form, order and base."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made.coco import annotation, coco, written
from made.sets import document, save, segeval

from segeval.inputs.masks import read_mask
from segeval.inputs.rle import Runs
from segeval.reports.rleforms import WRITERS, Encoding
from segeval.reports.runlengths import masks_of
from segeval.settings import AnnotationChoice

FORMS = {
    "Kaggle": ("kaggle", (), 2),
    "Tianchi": ("tianchi", (), 2),
    "a column of classes": ("kaggle", (("class", "ClassId"),), 300),
    "classes in names": ("kaggle", (("image", "Image_Label"),), 4),
    "rows as objects": ("kaggle", (), 4),
    "own columns": ("kaggle", (("rle", "runs"), ("class", "kind"), ("image", "x")), 300),
    "sizes": ("kaggle", (("height", "h"), ("width", "w")), 2),
    "COCO": ("coco", (), 300),
    "COCO, numbers": ("coco-uncompressed", (), 300),
}
SIZED = {"sizes", "COCO", "COCO, numbers"}
MASKS = {
    "city/one": np.array([[0, 1, 1], [1, 0, 0]], np.uint8),
    "none": np.zeros((2, 3), np.uint8),
    "1.2.840.3": np.array([[0, 0, 0], [0, 0, 1]], np.uint8),
}
EASY = settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
SEEDS = st.integers(0, 1 << 30)
SHAPES = st.tuples(st.integers(1, 7), st.integers(1, 7))
WAYS = st.builds(
    AnnotationChoice,
    rle_order=st.sampled_from(["column", "row"]),
    rle_base=st.sampled_from([0, 1]),
    rle_starts=st.sampled_from(["absolute", "relative"]),
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of masks."""
    for name, mask in MASKS.items():
        save(tmp_path / "masks" / f"{name}.png", mask)
    return tmp_path


def write(form: str, encoding: Encoding, masks: dict[str, Runs]) -> str:
    file = io.StringIO()
    writer = WRITERS[form](file, encoding)
    for name, runs in masks.items():
        writer.add(name, runs)
    writer.finish()
    return file.getvalue()


def read(path: Path, text: str, choice: AnnotationChoice) -> dict[str, Any]:
    path.write_text(text, "utf-8")
    return {pair.name: read_mask(pair.truth).values for pair in masks_of(path, choice).pairs}


@EASY
@given(shape=SHAPES, seed=SEEDS, way=WAYS, form=st.sampled_from(sorted(FORMS)))
def test_masks_come_back_from_every_form(
    tmp_path: Path, shape: tuple[int, int], seed: int, way: AnnotationChoice, form: str
) -> None:
    name, columns, values = FORMS[form]
    random = np.random.default_rng(seed)
    masks = {each: random.integers(0, values, shape) * random.integers(0, 2) for each in "abc"}
    if form == "rows as objects":  # they are numbered from 1 on
        masks = {
            n: np.unique(np.append(0, m), return_inverse=True)[1][1:].reshape(shape)
            for n, m in masks.items()
        }
    unsized = replace(
        way, columns=columns, rle_rows="objects" if form == "rows as objects" else "mask"
    )
    choice = replace(unsized, size=shape)
    down = "column" if name.startswith("coco") else way.rle_order
    text = write(name, Encoding(choice=choice), {n: Runs.of(m, down) for n, m in masks.items()})
    path = tmp_path / ("a.json" if name.startswith("coco") else "a.csv")
    found = read(path, text, unsized if form in SIZED else choice)
    assert found.keys() == masks.keys()
    for each, mask in masks.items():
        np.testing.assert_array_equal(found[each], mask)
    again = {each: Runs.of(mask, down) for each, mask in found.items()}
    assert write(name, Encoding(choice=choice), again) == text


@EASY
@given(shape=SHAPES, seed=SEEDS, way=WAYS)
def test_rows_that_overlap_come_back_as_the_mask_they_make(
    tmp_path: Path, shape: tuple[int, int], seed: int, way: AnnotationChoice
) -> None:
    random = np.random.default_rng(seed)
    layers = [random.integers(0, 2, shape) for _ in range(3)]
    expected = np.zeros(shape, np.int64)
    rows = ["ImageId,EncodedPixels,ClassId"]
    for value, layer in zip((3, 1, 2), layers, strict=True):
        expected[layer == 1] = value
        relative = way.rle_starts == "relative"
        rows.append(
            f"a,{Runs.of(layer, way.rle_order).pairs(way.rle_base, relative=relative)},{value}"
        )
    choice = replace(way, size=shape, columns=(("class", "ClassId"),))
    found = read(tmp_path / "a.csv", "\n".join(rows), choice)
    np.testing.assert_array_equal(found["a"], expected)
    text = write("kaggle", Encoding(choice=choice), {"a": Runs.of(expected, way.rle_order)})
    np.testing.assert_array_equal(read(tmp_path / "a.csv", text, choice)["a"], expected)


def test_annotations_of_coco_have_their_boxes_and_areas() -> None:
    mask = np.array([[0, 2, 2, 0], [0, 2, 0, 0], [0, 0, 0, 5]])
    encoding = Encoding(names={2: "leaf", 9: "root"})
    content = json.loads(write("coco", encoding, {"a": Runs.of(mask, "column")}))
    boxes = [(a["category_id"], a["bbox"], a["area"]) for a in content["annotations"]]
    assert boxes == [(2, [1, 0, 2, 2], 3), (5, [3, 2, 1, 1], 1)]
    assert content["images"] == [{"id": 1, "file_name": "a.png", "height": 3, "width": 4}]
    assert [(c["id"], c["name"]) for c in content["categories"]] == [
        (2, "leaf"),
        (5, "5"),
        (9, "root"),
    ]


@pytest.mark.parametrize(
    ("how", "lines"),
    [
        ([], ["ImageId,EncodedPixels", "1.2.840.3,6 1", "city/one,2 2 5 1", "none,"]),
        (
            ["--rle-base", "0", "--rle-order", "row", "--ending", ".jpg", "--nothing", "-1"],
            ["ImageId,EncodedPixels", "1.2.840.3.jpg,5 1", "city/one.jpg,1 3", "none.jpg,-1"],
        ),
        (["--form", "tianchi", "--include", "city/*"], ["city/one.jpg\t2 2 5 1"]),
        (
            ["--columns", "class=kind,image=id,rle=runs,height=h,width=w", "--include", "city/*"],
            ["kind,id,runs,h,w", "1,city/one,2 2 5 1,2,3"],
        ),
        (
            ["--columns", "image=Image_Label", "--classes", "2", "--include", "city/*"],
            ["Image_Label,EncodedPixels", "city/one_1,2 2 5 1", "city/one_2,"],
        ),
        (
            ["--columns", "class=kind", "--labels", "names.txt", "--include", "city/*"],
            ["ImageId,EncodedPixels,kind", "city/one,2 2 5 1,Fish", "city/one,,Sugar"],
        ),
    ],
)
def test_a_folder_is_encoded_as_it_is_wanted(
    folder: Path, how: list[str], lines: list[str]
) -> None:
    (folder / "names.txt").write_text("none\nFish\nSugar\n", "utf-8")
    segeval("rle", "encode", "masks", "-o", "out.csv", *how, cwd=folder)
    assert (folder / "out.csv").read_text("utf-8").splitlines() == lines


def test_a_table_is_decoded_into_files_named_by_image(folder: Path) -> None:
    table, out = folder / "out.csv", folder / "decoded"
    segeval("rle", "encode", folder / "masks", "-o", table)
    call = ("rle", "decode", table, "-o", out)
    told = segeval(*call, expect=3).stderr
    assert "nothing says how large the image is; type --size" in told
    assert "segeval check" not in told
    segeval(*call, "--size", "2x3")
    for name, mask in MASKS.items():
        found = read_mask(out / f"{name}.png")
        np.testing.assert_array_equal(found.values, mask)
        assert found.form == "PNG grey 8-bit"
    assert "type --overwrite to replace" in segeval(*call, "--size", "2x3", expect=3).stderr
    segeval(*call, "--size", "2x3", "--overwrite")


def test_no_mask_is_written_where_one_of_them_cannot_be(folder: Path) -> None:
    table, out = folder / "a.csv", folder / "out"
    table.write_text("ImageId,EncodedPixels\na,1 2\ncity/b,6 9\n", "utf-8")
    told = segeval("rle", "decode", table, "-o", out, "--size", "2x3", expect=3).stderr
    assert f"mask not written: {table}: line 3: image city/b: run 6 9 ends at pixel 14" in told
    assert told.startswith("segeval: 1 problem in the data; nothing was written")
    assert not out.exists()


def test_names_of_classes_are_said_when_they_become_numbers(folder: Path) -> None:
    table = folder / "named.csv"
    table.write_text("id,class,predicted\na,wolf,1 2\na,bear,4 1\nb,wolf,\n", "utf-8")
    done = segeval("rle", "decode", table, "-o", folder / "out", "--size", "2x3")
    assert "notice: their values are 1 bear, 2 wolf" in done.stderr
    expected = [[2, 0, 0], [2, 1, 0]]
    np.testing.assert_array_equal(read_mask(folder / "out" / "a.png").values, expected)


def runs(counts: list[int]) -> dict[str, Any]:
    return {"size": [2, 3], "counts": counts}


def test_void_and_classes_of_the_value_0_become_what_is_said(tmp_path: Path) -> None:
    crowd = annotation(runs([4, 2]), id=2, iscrowd=1)
    content = coco(
        annotation(runs([0, 2, 4])),
        crowd,
        annotation(runs([2, 1, 3]), id=3, category_id=0),
        images=[(5, "a.jpg", 2, 3)],
        categories=[(0, "sky"), (1, "leaf")],
    )
    source = written(tmp_path / "a.json", content)
    call = ("rle", "decode", source, "-o", tmp_path / "out")
    told = segeval(*call, expect=3).stderr
    assert f"{source}#5: it holds void pixels (a crowd, or no segment); type --void 255" in told
    assert "type e.g. --background 254" in segeval(*call, "--void", "255", expect=3).stderr
    segeval(*call, "--void", "255", "--background", "7")
    expected = [[1, 0, 255], [1, 7, 255]]
    np.testing.assert_array_equal(read_mask(tmp_path / "out" / "a.png").values, expected)

    table = tmp_path / "a.csv"
    encoded = ("rle", "encode", source, "-o", table, "--columns", "class=c")
    assert "type --void 0 to leave them out" in segeval(*encoded, expect=3).stderr
    segeval(*encoded, "--void", "0")
    assert table.read_text("utf-8").splitlines()[1:] == ["a,3 1,sky", "a,1 2,leaf"]
    again = tmp_path / "b.json"
    segeval("rle", "encode", source, "-o", again, "--form", "coco", "--void", "0")
    assert document(again, source)["summary"]["miou"] == 1


@pytest.mark.parametrize(
    ("values", "how", "words"),
    [
        ([[0, 1, 2]], [], "m.png: it holds 1, 2, and a table without classes holds one value"),
        ([[0, 3, 0]], ["--columns", "class=c", "--classes", "2"], "holds 3, and the classes are 1"),
    ],
)
def test_nothing_is_written_where_a_mask_does_not_fit(
    folder: Path, values: Any, how: list[str], words: str
) -> None:
    save(folder / "masks" / "m.png", values)
    (folder / "masks" / "broken.png").write_bytes(b"no mask")
    (folder / "out.csv").write_text("before", "utf-8")
    call = ("rle", "encode", folder / "masks", "-o", folder / "out.csv", *how)
    told = segeval(*call, expect=3).stderr
    assert words in told
    assert "broken.png: not an image" in told
    assert (folder / "out.csv").read_text("utf-8") == "before"
    assert len([*folder.iterdir()]) == 2


def test_names_that_would_not_come_back_are_refused(tmp_path: Path) -> None:
    save(tmp_path / "masks" / "a.png.png", [[1]])
    call = ("rle", "encode", "masks", "-o", "out.csv")
    told = segeval(*call, cwd=tmp_path, expect=3).stderr
    assert "its name 'a.png' would be read as 'a'; add what masks are called" in told
    segeval(*call, "--ending", ".png", cwd=tmp_path)
    assert (tmp_path / "out.csv").read_text("utf-8").splitlines()[1] == "a.png.png,1 1"
    save(tmp_path / "masks" / 'a".png', [[1]])
    told = segeval(*call, "--form", "tianchi", cwd=tmp_path, expect=3).stderr
    assert "holds a quote or a tab" in told
    (tmp_path / "names.txt").write_text("none\nblue_sky\n", "utf-8")
    how = ("--columns", "image=Image_Label", "--labels", "names.txt", "--ending", ".png")
    told = segeval(*call, *how, cwd=tmp_path, expect=3).stderr
    assert "its class 'blue_sky' holds _, which parts images and classes" in told


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (
            ["encode", "masks", "--form", "coco", "--columns", "rle=x"],
            "--columns say nothing about --form coco",
        ),
        (["encode", "masks", "--background", "3"], "--background say how masks are decoded"),
        (["encode", "masks", "--classes", "3", "--labels", "binary"], "give one"),
        (["encode", "a.csv"], "a.csv is a table of run lengths already; decode it"),
        (
            ["encode", "a.json", "-o", "a.json", "--form", "coco"],
            "a.json is what is encoded; name another file",
        ),
        (
            ["encode", "masks", "-o", "b.json"],
            "-o b.json is not how --form kaggle ends; name it b.csv, or type --form coco",
        ),
        (
            ["encode", "masks", "-o", "b.txt", "--form", "coco-uncompressed"],
            "-o b.txt is not how --form coco-uncompressed ends; name it b.json, or type --form kag",
        ),
        (["decode", "a.json", "--rle-base", "0"], "--rle-base say how tables are read"),
        (["encode", "no-masks"], "no-masks does not exist; check the path"),
        (["decode", "masks"], "masks is a folder; decode takes a table of run lengths"),
        (["decode", "x.csv", "--ending", "a", "--form", "coco"], "--form, --ending say how masks"),
    ],
)
def test_options_that_say_nothing_are_refused(folder: Path, call: list[str], words: str) -> None:
    (folder / "a.csv").write_text("ImageId,EncodedPixels\n", "utf-8")
    written(folder / "a.json", coco(annotation(runs([1, 5])), images=[(5, "a.jpg", 2, 3)]))
    out = () if "-o" in call else ("-o", "out")
    assert words in segeval("rle", *call, *out, cwd=folder, expect=2).stderr


def test_rows_of_an_image_are_objects_where_that_is_said(tmp_path: Path) -> None:
    save(tmp_path / "ids" / "a.png", [[1, 1, 0, 4], [0, 0, 0, 4]])
    table, score = tmp_path / "a.csv", ("--objects", "ids", "--like", "dsb2018")
    told = segeval("rle", "encode", tmp_path / "ids", "-o", table, expect=3).stderr
    assert "--rle-rows objects for a row an object" in told
    segeval("rle", "encode", tmp_path / "ids", "-o", table, "--rle-rows", "objects")
    assert table.read_text("utf-8").splitlines()[1:] == ["a,1 1 3 1", "a,7 2"]
    found = document(table, tmp_path / "ids", *score, "--rle-rows", "objects")
    assert found["objects"]["pq"] == 1
    assert "format:kaggle-rle,order:column,base:1,rows:objects" in found["signature"]
    said = segeval("score", table, tmp_path / "ids", *score, expect=3).stderr
    assert "type --rle-rows objects if each row is an object" in said
    segeval(
        "score",
        table,
        tmp_path / "ids",
        *score,
        "--rle-rows",
        "objects",
        "-o",
        tmp_path / "r.segeval",
    )
    assert "--rle-rows" not in segeval("report", tmp_path / "r.segeval", *score).stderr
