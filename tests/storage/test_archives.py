"""Masks, tables, annotations and runs in archives count as those in folders do."""

from __future__ import annotations

import json
import pickle
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made.archives import contents, packed, tarred, zipped
from made.sets import data_set, noise, save, segeval
from PIL import Image

from segeval.counting.runfile import read_run
from segeval.inputs.masks import read_mask
from segeval.settings import Source
from segeval.storage import inflating, store
from segeval.storage.directory import FULL, _large
from segeval.storage.path import StoredPath, located

ENDINGS = ".zip", ".tar", ".tar.gz", ".tgz"


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    return data_set(tmp_path, noise(f"val/{number}" for number in range(12)))


def scored(*arguments: object) -> dict[str, Any]:
    """Score, and return the document but for the names of the sides."""
    document: dict[str, Any] = json.loads(segeval("score", *arguments, "--format", "json").stdout)
    del document["settings"]["prediction"], document["settings"]["truth"]
    return document


@pytest.mark.parametrize("ending", ENDINGS)
def test_an_archive_counts_as_its_folder_does(folders: tuple[Path, Path], ending: str) -> None:
    archives = [packed(Path(f"{each}{ending}"), contents(each)) for each in folders]
    expected = scored(*folders)
    assert scored(*archives) == expected
    assert scored(archives[0], folders[1]) == expected
    assert scored(*archives, "--workers", 2) == expected


def test_workers_are_processes_where_masks_are_no_png(tmp_path: Path) -> None:
    sides = [tmp_path / side for side in ("pred", "truth")]
    for side in sides:
        side.mkdir()
        for number in range(8):
            values = np.full((3, 3), number % 2, np.uint8)
            Image.fromarray(values).save(side / f"{number}.tif")
    archives = [packed(Path(f"{side}.tar.gz"), contents(side)) for side in sides]
    assert scored(*archives, "--workers", 2) == scored(*sides)


def test_an_archive_that_is_written_anew_is_read_anew(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    for number in range(20):
        assert StoredPath(tarred(path, [("x", b"%d" % number)]), "x").read_entry()[1] == (
            b"%d" % number
        )


def test_a_folder_in_an_archive_is_a_side(folders: tuple[Path, Path], tmp_path: Path) -> None:
    both = [(f"set/{side.name}/{name}", data) for side in folders for name, data in contents(side)]
    archive = zipped(tmp_path / "all.zip", both)
    sides = [archive / "set" / side.name / "val" for side in folders]
    assert scored(*sides) == scored(*(side / "val" for side in folders))


def test_entries_may_begin_with_a_point_and_litter_is_left_alone(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    prediction = contents(folders[0])
    litter = [("__MACOSX/val/._0.png", b"x"), ("val/._1.png", b"x"), (".cache/val/0.png", b"x")]
    entries = [(f"./{name}", data) for name, data in prediction + litter]
    archive = tarred(tmp_path / "a.tar", entries)
    done = segeval("score", archive, folders[1])
    assert "1 file left out" in done.stderr
    assert ".cache" in done.stderr


def test_a_run_names_entries_and_pictures_are_drawn_from_them(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    archives = [packed(Path(f"{each}.zip"), contents(each)) for each in folders]
    run, page = tmp_path / "a.segeval", tmp_path / "a.html"
    segeval("score", *archives, "-o", run)
    assert read_run(run).images[0].truth_path == f"{archives[1]}/val/0.png"
    segeval("report", run, "--html", page)
    segeval("report", run, "--html", tmp_path / "b.html")
    assert page.read_text("utf-8").count("data:image/") > 12
    segeval("overlay", *archives, "-o", tmp_path / "pictures")
    assert len(list((tmp_path / "pictures").rglob("*.png"))) == 12


def test_what_is_counted_is_not_read_again(
    folders: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archives = [packed(Path(f"{folders[0]}.zip"), contents(folders[0])),
                packed(Path(f"{folders[1]}.tar"), contents(folders[1]))]  # fmt: skip
    run = tmp_path / "a.segeval"
    segeval("score", *archives, "-o", run)
    before = segeval("report", run).stdout
    with monkeypatch.context() as patch:
        patch.setattr(StoredPath, "read_entry", lambda _: pytest.fail("it is read"))
        patch.setattr(StoredPath, "stream", lambda _: pytest.fail("it is read"))
        assert segeval("score", *archives, "-o", run, "--resume").stdout == before
    changed = [(name, contents(folders[1])[0][1]) for name, _ in contents(folders[0])]
    zipped(archives[0], changed)
    assert segeval("score", *archives, "-o", run, "--resume").stdout != before


def test_runs_are_read_in_archives_and_written_nowhere_else(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    run = tmp_path / "a.segeval"
    segeval("score", *folders, "-o", run)
    inside = zipped(tmp_path / "runs.zip", [("old/a.segeval", run.read_bytes())]) / "old/a.segeval"
    assert segeval("report", inside).stdout == segeval("report", run).stdout
    assert segeval("compare", inside, run).stdout
    said = segeval("merge", inside, run, "-o", tmp_path / "b.segeval", expect=3).stderr
    assert "files of this machine" in said
    for place in (inside, "s3://bucket/a.segeval"):
        said = segeval("score", *folders, "-o", place, "--overwrite", expect=3).stderr
        assert "nothing is written into an archive" in said
    assert "nothing is written" in segeval("report", run, "--csv", "s3://b/c", expect=3).stderr


def test_tables_of_pairs_of_run_lengths_and_annotations_lie_in_archives(tmp_path: Path) -> None:
    mask = np.zeros((4, 5), np.uint8)
    mask[1:3, 1:4] = 1
    png = save(tmp_path / "a.png", mask).read_bytes()
    coco = {
        "images": [{"id": 1, "file_name": "a.png", "height": 4, "width": 5}],
        "categories": [{"id": 1, "name": "thing"}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "iscrowd": 1, "segmentation":
                         {"size": [4, 5], "counts": [5, 2, 2, 2, 2, 2, 5]}}],
    }  # fmt: skip
    archive = zipped(
        tmp_path / "all.zip",
        [
            ("truth/a.png", png),
            ("pairs.csv", b"prediction,truth\ntruth/a.png,truth/a.png\n"),
            ("rle.csv", b"image,rle\na.png,6 2 10 2 14 2\n"),
            ("coco.json", json.dumps(coco).encode()),
        ],
    )
    assert scored("--pairs", archive / "pairs.csv")["summary"]["miou"] == 1
    outside = tmp_path / "pairs.csv"
    outside.write_text("prediction,truth\nall.zip/truth/a.png,a.png\n", "utf-8")
    assert scored("--pairs", outside)["summary"]["miou"] == 1
    assert scored(archive / "rle.csv", archive / "truth")["pixels"]["total"] == 20
    document = scored(archive / "coco.json", archive / "coco.json")
    assert document["summary"]["miou"] == 1


def test_large_entries_are_read_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "AT_ONCE", 1 << 10)
    monkeypatch.setattr(inflating, "BLOCK", 1 << 9)
    monkeypatch.setattr(inflating, "HELD", 2)
    monkeypatch.setattr(inflating, "STATES", 3)
    values = np.random.default_rng(1).integers(0, 255, (90, 80), dtype=np.uint8)
    data = (save(tmp_path / "a.png", values)).read_bytes()
    entries = [("x", bytes(3000)), ("a.png", data), ("y", bytes(2000))]
    for ending in ENDINGS:
        path = packed(tmp_path / f"a{ending}", entries)
        with StoredPath(path, "a.png").stream() as stream:
            assert stream.read() == data
            stream.seek(-5, 2)
            assert stream.read() == data[-5:]
            stream.seek(700)
            assert stream.read(9) == data[700:709]
        assert (read_mask(StoredPath(path, "a.png")).values == values).all()


def test_paths_survive_what_paths_go_through() -> None:
    path = located("s3://bucket/val/a.png")
    assert str(pickle.loads(pickle.dumps(path))) == "s3://bucket/val/a.png"
    assert str(path.parent / "b.png") == "s3://bucket/val/b.png"
    assert str(path.with_suffix(".txt")) == "s3://bucket/val/a.txt"
    assert Source(prediction=Path("s3://a/b")).prediction == StoredPath("s3://a/b")
    assert not isinstance(located("C:/masks/a.png"), StoredPath)


def test_a_folder_that_is_called_as_archives_are_is_a_folder(tmp_path: Path) -> None:
    prediction, truth = data_set(tmp_path / "set.zip", {"a": ([[0, 1]], [[0, 1]])})
    assert not isinstance(located(prediction), StoredPath)
    assert scored(prediction, truth)["summary"]["miou"] == 1


def test_photographs_may_lie_in_an_archive(folders: tuple[Path, Path], tmp_path: Path) -> None:
    photographs = packed(tmp_path / "photographs.zip", contents(folders[1]))
    segeval("overlay", *folders, "--images", photographs, "-o", tmp_path / "pictures")
    assert len(list((tmp_path / "pictures").rglob("*.png"))) == 12


@pytest.mark.parametrize("many", [5, pytest.param(65_540, marks=pytest.mark.slow)])
def test_the_list_of_a_zip_is_read_as_zipfile_writes_it(tmp_path: Path, many: int) -> None:
    entries = [(f"{number}.png", b"%d" % number) for number in range(many)]  # perhaps over 16 bits
    path = zipped(tmp_path / "many.zip", [*entries, ("ä.png", b"x")], zipfile.ZIP_STORED)
    assert StoredPath(path, f"{many - 1}.png").read_bytes() == b"%d" % (many - 1)
    assert StoredPath(path, "ä.png").read_bytes() == b"x"
    with zipfile.ZipFile(path, "a") as archive:
        archive.comment = b"a remark"
    path.write_bytes(b"PK, with something before it" + path.read_bytes())
    assert StoredPath(path, f"{many - 1}.png").read_bytes() == b"%d" % (many - 1)
    assert len(StoredPath(path).names()) == many + 1


def test_sizes_too_large_for_32_bits_stand_beside_the_name() -> None:
    extra = struct.pack("<2H4s2H2Q", 9, 4, b"none", 1, 16, 1 << 33, 1 << 34)
    assert _large(extra, (FULL, 7, FULL)) == [1 << 33, 7, 1 << 34]
