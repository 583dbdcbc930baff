"""Everything that takes folders of masks takes tables, COCO, panoptic JSON and YOLO as well."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
from made.coco import annotation, coco, result, written
from made.sets import document, save, segeval
from made.viewer import serve_catalogue

from segeval.counting import dataset
from segeval.counting.runfile import read_run
from segeval.inputs.masks import read_mask
from segeval.inputs.rle import Runs
from segeval.scoring.score import label_and_score
from segeval.settings import LabelChoice
from segeval.viewer.catalogue import Catalogue

SHAPE: Final = (8, 12)
NAMES: Final = ("a", "b", "c")
Masks = dict[str, Any]


def masks_of(side: str) -> Masks:
    """Return masks of the classes 1 and 2, as boxes."""
    masks = {}
    for number, name in enumerate(NAMES):
        mask = np.zeros(SHAPE, np.int64)
        mask[1:5, 1 : 5 + number] = 1
        mask[5:7, 2 : 8 - (side == "pred")] = 2
        masks[name] = mask
    return masks


def table(folder: Path, side: str, masks: Masks) -> Path:
    rows = ["ImageId,EncodedPixels,ClassId,Height,Width"]
    for name, mask in masks.items():
        runs = Runs.of(mask, "column")
        rows += [f"{name}.jpg,{runs.only(k).pairs(1)},{k},{SHAPE[0]},{SHAPE[1]}" for k in (1, 2)]
    return written(folder / f"{side}.csv", "\n".join(rows))


def of_coco(folder: Path, side: str, masks: Masks) -> Path:
    entries: list[dict[str, Any]] = []
    results: list[dict[str, Any]] = []
    for image, mask in enumerate(masks.values()):
        for k in (1, 2):
            counts = Runs.of(mask, "column").only(k).counts().tolist()
            where = {"image_id": image, "category_id": k}
            segment = {"size": [*SHAPE], "counts": counts}
            entries.append(annotation(segment, id=len(entries), **where))
            results.append(result(segment, 0.5, **where))
    if side == "pred":
        return written(folder / "results.json", results)
    images = [(number, f"{name}.jpg", *SHAPE) for number, name in enumerate(masks)]
    return written(folder / "truth.json", coco(*entries, images=images, categories=CLASSES))


CLASSES: Final = ((1, "leaf"), (2, "root"), (3, "background"))


def panoptic(folder: Path, side: str, masks: Masks) -> Path:
    entries = []
    for image, (name, mask) in enumerate(masks.items()):
        ids = mask + 10 * (image + 1)
        save(folder / side / f"{name}.png", ids)
        segments = [{"id": 10 * (image + 1) + k, "category_id": k or 3} for k in (0, 1, 2)]
        entries.append({"image_id": image, "file_name": f"{name}.png", "segments_info": segments})
    images = [(number, f"{name}.jpg", *SHAPE) for number, name in enumerate(masks)]
    return written(folder / f"{side}.json", coco(*entries, images=images, categories=CLASSES))


def texts(folder: Path, side: str, masks: Masks) -> Path:
    for name, mask in masks.items():
        lines = []
        for k in (1, 2):
            rows, columns = np.nonzero(mask == k)
            top, left = rows.min() / SHAPE[0], columns.min() / SHAPE[1]
            low, right = (rows.max() + 1) / SHAPE[0], (columns.max() + 1) / SHAPE[1]
            lines.append(f"{k} {left} {top} {right} {top} {right} {low} {left} {low}")
        written(folder / side / f"{name}.txt", "\n".join(lines))
    return folder / side


KINDS: Final[dict[str, Callable[[Path, str, Masks], Path]]] = {
    "table": table,
    "COCO": of_coco,
    "panoptic": panoptic,
    "YOLO": texts,
}
SAID: Final = {"YOLO": ("--size", "8x12")}


def made(kind: str, folder: Path) -> tuple[Path, Path]:
    if kind == "YOLO":
        pytest.importorskip("pycocotools")
    one, two = (KINDS[kind](folder, side, masks_of(side)) for side in ("pred", "truth"))
    return one, two


@pytest.mark.parametrize("kind", KINDS)
def test_each_command_takes_each_kind_of_masks(kind: str, tmp_path: Path) -> None:
    sides, said = made(kind, tmp_path), SAID.get(kind, ())
    whole = document(*sides, *said)
    assert 0.7 < whole["summary"]["miou"] < 1
    assert "3 readable" in segeval("check", *sides, *said).stdout
    for number in (1, 2):
        shard = ("--shard", f"{number}/2", "-o", tmp_path / f"{number}.segeval")
        segeval("score", *sides, *said, *shard)
    run = tmp_path / "all.segeval"
    segeval("merge", *(tmp_path / f"{n}.segeval" for n in (1, 2)), "-o", run)
    again = json.loads(segeval("report", run, "--format", "json").stdout)
    assert again["summary"] == whole["summary"]
    segeval("overlay", *sides, *said, "-o", tmp_path / "drawn")
    assert sorted(path.stem for path in (tmp_path / "drawn").glob("*.png")) == [*NAMES]
    segeval("report", run, "--html", tmp_path / "page.html")
    assert "data:image/png" in (tmp_path / "page.html").read_text("utf-8")
    assert "b  all classes" in segeval("show", *sides, "b", *said, "--colors", "none").stdout


@pytest.mark.parametrize("kind", KINDS)
def test_a_change_of_one_image_recounts_it_alone(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sides, said = made(kind, tmp_path), SAID.get(kind, ())
    run = ("-o", tmp_path / "run.segeval")
    segeval("score", *sides, *said, *run)
    changed = masks_of("pred")
    changed["b"][0, 0] = changed["b"][1, 1]
    changed["b"] = np.where(changed["b"] == 1, 2, changed["b"])
    changed["b"][2, 2] = 1
    KINDS[kind](tmp_path, "pred", changed)
    read, count_pair = [], dataset.count_pair

    def noting(pair: Any, *arguments: Any, **how: Any) -> Any:
        read.append(pair.name)
        return count_pair(pair, *arguments, **how)

    monkeypatch.setattr("segeval.counting.dataset.count_pair", noting)
    segeval("score", *sides, *said, *run, "--resume")
    assert read == ["b"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_viewer_shows_values_of_each_kind(kind: str, tmp_path: Path) -> None:
    sides, said = made(kind, tmp_path), SAID.get(kind, ())
    segeval("score", *sides, *said, "-o", tmp_path / "run.segeval")
    run = read_run(tmp_path / "run.segeval")
    pair = run.images[1].pair
    np.testing.assert_array_equal(read_mask(pair.truth).values == 2, masks_of("truth")["b"] == 2)
    catalogue = Catalogue(label_and_score(run, LabelChoice()))
    with serve_catalogue(catalogue, tmp_path, {}) as served:
        shown = served.json("api/pixel?image=1&x=3&y=5")["runs"][0]
        assert (shown["truth"]["value"], shown["prediction"]["value"]) == ("2", "2")
        status, body, _ = served.get("picture?image=1&kind=errors")
        assert (status, body[:4]) == (200, b"\x89PNG")
