"""Layers of pictures beside errors: their pixels and numbers are those that are scored."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made.sets import Mask, data_set, segeval
from made.volumes import save_volume
from PIL import Image

import segeval as library
from segeval.boundaries.widths import Width
from segeval.labels.labelmap import numbered
from segeval.pictures.classmaps import Sheet
from segeval.pictures.layers import (
    BandLayer,
    DistanceLayer,
    Drawing,
    PictureLayer,
    Subject,
    lay_out,
)
from segeval.pictures.overlay import Panel, Style, draw_panels
from segeval.pictures.palettes import (
    FAR,
    GROUND,
    LONE,
    SHADED,
    class_palette,
    full_palette,
    palette_of,
    with_distances,
)

pytest.importorskip("scipy")
NAMES = ("0", "1", "2")
BASE = 5 + 1  # codes of one class, and of void


def maps(seed: int, shape: tuple[int, ...] = (24, 31)) -> tuple[Mask, Mask]:
    """Return blocky classes of 0, 1 and 2 with some void, on both sides alike but moved."""
    random = np.random.default_rng(seed)
    coarse = random.integers(0, 3, [-(-side // 6) for side in shape]).astype(np.int8)
    truth = coarse
    for axis, side in enumerate(shape):
        truth = truth.repeat(6, axis).take(range(side), axis)
    prediction = np.roll(truth, random.integers(-2, 3, len(shape)), range(len(shape)))
    truth[(random.random(shape) < 0.02) & (seed % 2 > 0)] = -1
    return truth, prediction


def draw(layer: PictureLayer, truth: Mask, prediction: Mask, position: int | None) -> Drawing:
    return layer.draw(truth, prediction, Subject(position=position, names=NAMES), None)


def scored(truth: Mask, prediction: Mask, **asked: object) -> library.Result:
    marked = np.where(truth < 0, 255, truth).astype(np.uint8)
    given: Any = {"classes": 3, "ignore": [255], **asked}
    return library.score_arrays(truth=[marked], prediction=[prediction.astype(np.uint8)], **given)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("width", ["2px", "8%"])
def test_boundary_iou_of_a_picture_is_the_score(seed: int, width: str) -> None:
    truth, prediction = maps(seed)
    numbers = scored(truth, prediction, boundary=width).flat()
    layer = BandLayer(width=Width.parse(width))
    for k in range(3):
        drawn = draw(layer, truth, prediction, k)
        assert dict(drawn.scores)["boundary IoU"] == numbers[f"boundary_iou.{k}"]
        tp, fp, fn = (pixels for _, _, pixels in drawn.legend[:3])
        assert tp / (tp + fp + fn) == numbers[f"boundary_iou.{k}"]
        assert np.bincount(drawn.codes.ravel(), minlength=4)[1:4].tolist() == [fp, fn, tp]
    mean = dict(draw(layer, truth, prediction, None).scores)["mBoundary IoU"]
    assert mean == pytest.approx(numbers["mboundary_iou"])


@pytest.mark.parametrize("seed", range(4))
def test_hausdorff_distances_of_a_picture_are_the_scores(seed: int) -> None:
    truth, prediction = maps(seed)
    numbers = scored(truth, prediction, distances=True).flat()
    for k in range(3):
        drawn = dict(draw(DistanceLayer(), truth, prediction, k).scores)
        expected = {f"{name.upper()} (px)": numbers[f"{name}.{k}"] for name in ("hd", "hd95")}
        assert drawn == pytest.approx(expected)


def test_the_ring_is_at_the_hausdorff_pixel_and_colours_are_bins() -> None:
    truth = np.zeros((12, 40), np.int8)
    truth[4:7, 2:5] = 1
    prediction = truth.copy()
    prediction[5, 30] = 1
    drawn = draw(DistanceLayer(), truth, prediction, 1)
    assert drawn.peak == 5 * 40 + 30
    assert drawn.scores[0] == ("HD (px)", 26.0)
    assert drawn.codes[5, 30] == BASE + 6  # over 16, to 32
    assert drawn.codes[4, 2] == BASE
    assert (drawn.codes[5, 3], drawn.codes[0, 0]) == (BASE + SHADED, BASE + GROUND)
    assert [name for _, name, _ in drawn.legend] == ["0 px", "to 32 px"]


def test_a_side_without_border_is_said() -> None:
    truth, nothing = np.zeros((2, 6, 8), np.int8)
    truth[2:4, 2:4] = 1
    for sides, side in (((truth, nothing), "prediction"), ((nothing, truth), "truth")):
        drawn = draw(DistanceLayer(), *sides, 1)
        assert drawn.note == f"no 1 in the {side}: counts the diagonal"
        assert drawn.scores[0] == ("HD (px)", 10.0)
        assert drawn.peak is None
        assert (drawn.codes == BASE + LONE).sum() == 4
    drawn = draw(DistanceLayer(), nothing, nothing, 1)
    assert np.isnan(drawn.scores[0][1])
    assert not drawn.note


def test_odd_pictures_are_drawn(tmp_path: Path) -> None:
    void = np.full((3, 3), 255)
    truth, nothing = np.zeros((2, 30, 20), int)
    truth[4:9, 4:9] = 1
    pairs = {"pixel": ([[1]], [[1]]), "void": (void, void // 255), "empty": (truth, nothing)}
    folders = data_set(tmp_path, pairs)
    for layer in ("boundary", "distances"):
        for how in (["--side-by-side"], ["--plain"], ["--class", "1"]):
            segeval("overlay", *folders, "--ignore", 255, "--layer", layer, *how, "--overwrite",
                    "--workers", 1, "-o", tmp_path / layer)  # fmt: skip
        assert len([*(tmp_path / layer).iterdir()]) == 3


def test_a_plain_picture_has_the_colours_of_its_distances(tmp_path: Path) -> None:
    truth = np.zeros((9, 9), int)
    truth[2:7, 2:7] = 1
    folders = data_set(tmp_path, {"a": (truth, truth)})
    segeval("overlay", *folders, "--layer", "distances", "--plain", "-o", tmp_path / "out")
    with Image.open(tmp_path / "out" / "a.png") as image:
        found = np.asarray(image.convert("RGB"))
    near = with_distances(class_palette()).color(BASE)
    assert (found == near).all(axis=-1).sum() == 16


def test_colours_of_distances_get_darker_and_are_distinct() -> None:
    for scheme in (class_palette(), full_palette(numbered("found", range(100)))):
        more = with_distances(scheme)
        assert len(np.unique(more.colors, axis=0)) == len(more.colors)
        light = more.colors[scheme.paper : scheme.paper + FAR] @ (0.299, 0.587, 0.114)
        assert (np.diff(light) < -8).all()
        assert (more.colors[more.paper] == 255).all()


@pytest.mark.parametrize("position", [None, 1])
def test_far_borders_are_seen_on_a_dark_photograph(position: int | None) -> None:
    truth = np.zeros((12, 90), np.int8)
    truth[4:7, 2:5] = 1
    prediction = np.roll(truth, 80, axis=1)
    layer, labels = DistanceLayer(), numbered("found", range(3))
    drawn = draw(layer, truth, prediction, position)
    style = Style(
        scheme=layer.scheme(palette_of(labels, position)), position=position, classes=3, plain=True
    )
    night = np.zeros((*truth.shape, 3), np.uint8)
    panel = Panel(title="", codes=drawn.codes)
    _, (picture,) = draw_panels(truth, prediction, style, night, panel)
    light = picture @ (0.299, 0.587, 0.114)
    assert light[8, 40] - light[4, 2] > 60


@pytest.mark.parametrize("count", [78, 300])
def test_many_classes_are_drawn(tmp_path: Path, count: int) -> None:
    truth = np.arange(1200).reshape(30, 40) % count
    folders = data_set(tmp_path, {"a": (truth.astype(np.uint16), truth[::-1].astype(np.uint16))})
    for layer in ("boundary", "distances"):
        how = ["--classes", count, "--workers", 1, "--side-by-side"]
        segeval("overlay", *folders, "--layer", layer, *how, "-o", tmp_path / layer)
        assert (tmp_path / layer / "a.png").exists()


def test_a_width_needs_bands(tmp_path: Path) -> None:
    folders = data_set(tmp_path, {"a": ([[0, 1]], [[0, 1]])})
    out = ["-o", tmp_path / "out"]
    said = segeval("overlay", *folders, *out, "--width", "2px", expect=2).stderr
    assert "--layer boundary" in said
    wrong = segeval("overlay", *folders, *out, "--layer", "boundary", "--width", "x", expect=2)
    assert "is no width" in wrong.stderr


def test_distances_of_a_volume_are_of_all_its_slices(tmp_path: Path) -> None:
    pytest.importorskip("nibabel")
    truth = np.zeros((8, 8, 12), np.uint8)
    truth[2:6, 2:6, 2:10] = 1
    prediction = truth.copy()
    prediction[0, 0, 0] = 1
    prediction[3, 3, 1:11] ^= 1
    prediction[4, 4, 1:11] ^= 1
    for side, values in (("pred", prediction), ("truth", truth)):
        save_volume(tmp_path / side / "a.nii.gz", values)
    folders = tmp_path / "pred", tmp_path / "truth"
    for layer in ("boundary", "distances"):
        segeval("overlay", *folders, "--layer", layer, "-o", tmp_path / layer)
        segeval("overlay", *folders, "--layer", layer, "--plain", "-o", tmp_path / layer / "plain")
        with Image.open(tmp_path / layer / "plain" / "a.png") as image:
            assert image.size == (26, 26)
    numbers = library.score(
        prediction=folders[0], truth=folders[1], boundary="2%", distances=True
    ).flat()
    spacing = 2.5, 1.1, 0.8
    one, two = (np.ascontiguousarray(side.T).astype(np.int8) for side in (truth, prediction))
    subject = Subject(position=1, names=("0", "1"))
    far = dict(DistanceLayer().draw(one, two, subject, spacing).scores)
    assert far["HD (mm)"] == pytest.approx(numbers["hd.1"])
    assert far["HD95 (mm)"] == pytest.approx(numbers["hd95.1"])
    near = BandLayer(width=Width.parse("2%")).draw(one, two, subject, spacing)
    assert near.scores[0][1] == numbers["boundary_iou.1"]


def test_the_farthest_voxel_is_named_where_its_slice_is_not_shown() -> None:
    codes = np.zeros((12, 2, 2), np.uint8)
    drawn = Drawing(codes=codes, lead="", legend=(), peak=11 * 4 + 1)
    scheme = with_distances(class_palette())
    sheet = Sheet(chosen=[3, 11], slices=12)
    panel, note = lay_out(drawn, sheet, "distances", scheme.void)
    assert (panel.ring, note) == ((0, 4), "")
    panel, note = lay_out(drawn, Sheet(chosen=[3, 4], slices=12), "distances", scheme.void)
    assert (panel.ring, note) == (None, "farthest pixel in slice 12")


def test_parts_of_overlapping_classes_have_no_scores() -> None:
    truth = np.zeros((1, 20, 20), np.int8)[0]
    truth[4:16, 4:16] = 1
    prediction = np.roll(truth, 2, 1)
    parts = Subject(position=None, names=("no class", "a"), overlap=True)
    for layer in (BandLayer(width=Width.parse("2px")), DistanceLayer()):
        assert layer.draw(truth, prediction, parts, None).scores == ()
