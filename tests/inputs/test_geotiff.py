"""TIFF of maps and microscopes: overviews, bands, frames, floats that are whole, no data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made.sets import document, frozen, save, segeval

from segeval.counting import dataset
from segeval.counting import windows as counted
from segeval.counting.dataset import count_dataset
from segeval.counting.runfile import read_run
from segeval.errors import MaskError
from segeval.inputs import windows
from segeval.inputs.formats import tiff
from segeval.inputs.masks import read_mask
from segeval.settings import AnnotationChoice, Source, parse_per_class

tifffile: Any = pytest.importorskip("tifffile", reason="tifffile is not installed")

NO_DATA = 42113
RANDOM = np.random.default_rng(5)
TRUTH = frozen(RANDOM.integers(0, 4, (40, 48)))
PREDICTION = frozen(np.where(RANDOM.random((40, 48)) < 0.8, TRUTH, RANDOM.integers(0, 4, (40, 48))))
TILED = {"tile": (16, 16), "compression": "zlib", "metadata": None}


def named(value: str) -> list[tuple[int, str, int, str, bool]]:
    """Return the tag by which GDAL names the value of no data."""
    return [(NO_DATA, "s", 0, value, True)]


def write(path: Path, *pages: Any, **options: Any) -> Path:
    """Write pages, each with the kind of its page, as tiled or striped TIFF."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tifffile.TiffWriter(path, bigtiff=options.pop("bigtiff", False)) as file:
        for kind, samples in pages:
            more = {"photometric": "mask"} if kind & 4 else {}
            file.write(samples, subfiletype=kind, **options | more)
    return path


def cloud(path: Path, values: Any, **options: Any) -> Path:
    """Write a file as cloud-optimised GeoTIFFs are: the image, its mask, then smaller copies."""
    image = np.asarray(values, np.uint8)
    valid = np.ones(image.shape, bool)
    pages = [(0, image), (4, valid), (1, image[::2, ::2]), (5, valid[::2, ::2])]
    return write(path, *pages, **TILED | options)


def both(folder: Path, kind: Any, **options: Any) -> tuple[Path, Path]:
    sides = (("pred", PREDICTION), ("truth", TRUTH))
    return tuple(kind(folder / side / "a.tif", values, **options).parent for side, values in sides)


def right(found: dict[str, Any]) -> int:
    return sum(row["tp"] for row in found["classes"])


RIGHT = int((TRUTH == PREDICTION).sum())


def plain(path: Path, values: Any, dtype: str = "u1", **options: Any) -> Path:
    return write(path, (0, np.asarray(values).astype(dtype)), **{"metadata": None} | options)


def microscope(path: Path, values: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    tifffile.imwrite(path, np.asarray(values, np.uint16), ome=True, metadata={"axes": "YX"})
    return path


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        (cloud, {}),
        (cloud, {"bigtiff": True}),
        (plain, {"dtype": "f4", "extratags": named("-9999")}),
        (plain, {"dtype": "f8", "compression": "zlib", "tile": (16, 32)}),
        (plain, {"dtype": "i2", "bigtiff": True}),
        (microscope, {}),
    ],
    ids=["cloud", "big cloud", "float32", "float64", "BigTIFF", "OME"],
)
def test_each_of_them_is_scored(tmp_path: Path, kind: Any, options: dict[str, Any]) -> None:
    found = document(*both(tmp_path, kind, **options))
    assert found["pixels"]["total"] == TRUTH.size
    assert right(found) == RIGHT
    assert [row["name"] for row in found["classes"]] == ["0", "1", "2", "3"]


def test_floats_beside_integers_are_the_same_classes(tmp_path: Path) -> None:
    prediction = plain(tmp_path / "pred" / "a.tif", PREDICTION, "f4").parent
    truth = save(tmp_path / "truth" / "a.png", TRUTH).parent
    assert right(document(prediction, truth, "--classes", 4)) == RIGHT
    run = tmp_path / "run.segeval"
    segeval("score", prediction, truth, "-o", run)
    segeval("overlay", prediction, truth, "--out", tmp_path / "pictures")
    assert "0..3" in segeval("check", prediction, truth).stdout


def test_floats_of_0_and_1_are_classes_or_meet_a_threshold(tmp_path: Path) -> None:
    sides = [plain(tmp_path / s / "a.tif", TRUTH > 1, "f4").parent for s in ("pred", "truth")]
    found = document(*sides)
    again = document(*sides, "--threshold", 0.5, "--truth-threshold", 0.5)
    assert right(found) == right(again) == TRUTH.size


@pytest.mark.parametrize(
    ("dtype", "stated", "held"),
    [("u1", "255", 255), ("i2", "-9999", -9999), ("f4", "-9999", -9999), ("f4", "nan", np.nan),
     ("f4", "-3.4028234663852886e+38", np.finfo("f4").min)],
)  # fmt: skip
def test_no_data_is_named_and_void_on_request(
    tmp_path: Path, dtype: str, stated: str, held: float
) -> None:
    lost = np.zeros(TRUTH.shape, bool)
    lost[:5] = True
    sides = [
        plain(tmp_path / side / "a.tif", np.where(lost, held, values.astype(float)), dtype,
              extratags=named(stated)).parent
        for side, values in (("pred", PREDICTION), ("truth", TRUTH))
    ]  # fmt: skip
    found = document(*sides, "--ignore", "nodata", "--unknown", "ignore")
    assert right(found) == int((TRUTH == PREDICTION)[5:].sum())
    assert found["pixels"]["ignored"] == int(lost.sum())
    said = segeval("score", *sides, "--ignore", "7", expect=None)
    assert "as nodata; type --ignore nodata" in said.stderr or (
        "type --ignore nodata, as the files name it so" in said.stderr
    )


def test_no_data_that_is_not_said_or_not_the_same_is_refused(tmp_path: Path) -> None:
    sides = both(tmp_path, plain)
    said = segeval("score", *sides, "--ignore", "nodata", expect=3)
    assert "no file of the truth names such a value; type the value" in said.stderr
    for name, value in (("a", "0"), ("b", "3")):
        for side in sides:
            plain(side / f"{name}.tif", TRUTH, extratags=named(value))
    said = segeval("score", *sides, "--ignore", "nodata", expect=3)
    assert "the files of the truth name 0,3, each another value" in said.stderr


def stacked(path: Path, values: Any) -> Path:
    """Write four bands, the second of which is the mask."""
    noise = RANDOM.integers(5, 90, TRUTH.shape)
    bands = np.stack([noise, values, noise, noise]).astype(np.uint8)
    return write(path, (0, bands), photometric="minisblack", planarconfig="separate", metadata=None)


def framed(path: Path, values: Any) -> Path:
    noise = RANDOM.integers(5, 90, TRUTH.shape).astype(np.uint8)
    return write(
        path, (0, noise), (0, np.asarray(values, np.uint8)), (1, noise[::2]), metadata=None
    )


@pytest.mark.parametrize(("kind", "option"), [(stacked, "--band"), (framed, "--frame")])
def test_one_band_or_frame_is_read_where_there_are_several(
    tmp_path: Path, kind: Any, option: str
) -> None:
    prediction, truth = both(tmp_path, kind)
    said = segeval("score", prediction, truth, expect=3)
    assert f"; type {option} N for one" in said.stderr
    run = tmp_path / "run.segeval"
    found = document(prediction, truth, option, 2, "-o", run)
    assert right(found) == RIGHT
    assert f"|{option[2:]}:2|" in found["signature"]
    alone = plain(tmp_path / "alone" / "a.tif", TRUTH).parent
    assert right(document(prediction, alone, option, 2)) == RIGHT
    segeval("overlay", prediction, truth, option, 2, "--out", tmp_path / "pictures")
    said = segeval("score", prediction, truth, option, 9, expect=3)
    assert f"so there is no {option} 9" in said.stderr


def test_bands_are_classes(tmp_path: Path) -> None:
    hot = {side: np.stack([values == k for k in range(4)])
           for side, values in (("pred", PREDICTION), ("truth", TRUTH))}  # fmt: skip
    for side, planes in hot.items():
        options = {"photometric": "minisblack", "planarconfig": "separate", "metadata": None}
        write(tmp_path / side / "a.tif", (0, planes.astype(np.float32)), **options)
    choice = AnnotationChoice(per_class=parse_per_class("channels"))
    prediction, truth = tmp_path / "pred", tmp_path / "truth"
    source = Source(prediction=prediction, truth=truth, annotations=choice)
    table = count_dataset(source).total()
    assert sorted(set(table.truth.tolist())) == [1, 2, 4, 8]
    assert int(table.pixels[table.truth == table.prediction].sum()) == RIGHT


@pytest.mark.parametrize(
    "text",
    ['{"shape": [3, 8, 8], "truncated": true}', "ImageJ=1.11a\nimages=3\nslices=3\n"],
)
def test_frames_behind_one_directory_are_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, np.zeros((8, 8), np.uint8), description=text, metadata=None)
    with pytest.raises(MaskError, match="several frames behind the tags of one"):
        read_mask(path)


LAYOUTS: list[dict[str, Any]] = [
    {},
    {"rowsperstrip": 7},
    {"rowsperstrip": 3, "compression": "zlib"},
    {"tile": (16, 16), "compression": "zlib", "bigtiff": True},
    {"tile": (32, 16)},
]


@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
def test_large_images_are_counted_some_rows_at_a_time(
    tmp_path: Path, layout: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    sides = both(tmp_path, plain, dtype="i2", **layout)
    other = plain(tmp_path / "other" / "a.tif", PREDICTION, "f4", tile=(16, 16)).parent
    whole = document(*sides)
    monkeypatch.setattr(windows, "LARGE", 1)
    monkeypatch.setattr(counted, "WINDOW", 48 * 5)
    monkeypatch.setattr(tiff, "BLOCK", 48 * 6)
    monkeypatch.setattr(dataset, "read_pair", lambda *_, **__: pytest.fail("it is read whole"))
    run = tmp_path / "run.segeval"
    for prediction in (sides[0], other):
        found = document(prediction, sides[1], "-o", run, "--overwrite")
        assert {key: found[key] for key in ("classes", "pixels")} == {
            key: whole[key] for key in ("classes", "pixels")
        }
    assert read_run(run).images[0].fingerprints.count("\n") == 1


@pytest.mark.parametrize("kind", [stacked, framed])
def test_bands_and_frames_of_large_images_are_read_in_parts(
    tmp_path: Path, kind: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sides = both(tmp_path, kind)
    option = "--band" if kind is stacked else "--frame"
    whole = document(*sides, option, 2)
    monkeypatch.setattr(windows, "LARGE", 1)
    monkeypatch.setattr(tiff, "BLOCK", 48 * 6)
    assert document(*sides, option, 2)["classes"] == whole["classes"]
    said = segeval("score", *sides, expect=3)
    assert f"; type {option} N for one" in said.stderr


def test_a_large_image_that_is_cut_is_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(windows, "LARGE", 1)
    sides = both(tmp_path, cloud)
    path = sides[0] / "a.tif"
    path.write_bytes(path.read_bytes()[:-900])
    said = segeval("score", *sides, expect=3)
    assert f"{path}: the file is broken" in said.stderr
    both(tmp_path, cloud)
    said = segeval("score", *sides, "--max-pixels", 99, expect=3)
    assert "more than 99; if that is right, raise --max-pixels" in " ".join(said.stderr.split())
