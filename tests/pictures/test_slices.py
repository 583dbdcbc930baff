"""Pictures of volumes: the slices with most errors come first."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from made.sets import segeval
from made.volumes import save_volume
from PIL import Image

from segeval.counting.dataset import count_dataset
from segeval.labels.lookups import lookup_of
from segeval.pictures.slices import laid_out, picture_shape, say_shown, worst_slices
from segeval.scoring.score import label_and_score
from segeval.settings import LabelChoice, Source
from segeval.viewer.renderer import LAYERS, Renderer, Wanted

pytest.importorskip("nibabel")


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Two values; slice z of 12 has z wrong voxels."""
    truth = np.zeros((4, 3, 12), np.uint8)
    truth[0] = 1
    prediction = truth.copy()
    for z in range(12):
        prediction[1:, :, z] = (np.arange(9) < z).reshape(3, 3)
    for side, values in (("pred", prediction), ("truth", truth)):
        save_volume(tmp_path / side / "a.nii.gz", values)
    return tmp_path / "pred", tmp_path / "truth"


def test_worst_slices_come_first_and_nine_at_most() -> None:
    truth = np.zeros((12, 2, 8), int)
    prediction = truth.copy()
    for z in range(12):
        prediction[z].ravel()[:z] = 1
    chosen = worst_slices(truth, prediction)
    assert chosen == [11, 10, 9, 8, 7, 6, 5, 4, 3]
    sheet = laid_out(prediction, chosen, -1)
    assert sheet.shape == (8, 26)
    assert np.array_equal(sheet[:2, :8], prediction[11])
    assert np.array_equal(sheet[6:, 18:], prediction[3])
    assert (sheet[2] == -1).all()


def test_pictures_of_a_volume_are_drawn(folders: tuple[Path, Path], tmp_path: Path) -> None:
    segeval("overlay", *folders, "-o", tmp_path / "drawn", "--plain")
    with Image.open(tmp_path / "drawn" / "a.png") as picture:
        assert picture.size == (14, 11)
    said = segeval("show", *folders, "a").stdout
    assert "slices 10, 11, 12, 9, 8, 7, 6, 5, 4 of 12, the worst first" in " ".join(said.split())
    page = tmp_path / "page.html"
    segeval("score", *folders, "--html", page)
    text = page.read_text()
    assert text.count("data:image/png") >= 3
    assert "slices 10, 11, 12" in text


def test_the_viewer_shows_and_names_the_same_slices(folders: tuple[Path, Path]) -> None:
    prediction, truth = folders
    run = count_dataset(Source(prediction=prediction, truth=truth))
    scores = label_and_score(run, LabelChoice())
    sides = [(scores, lookup_of(run, scores.labels))]
    drawer = Renderer(sides, {}, opacity=0.6, max_pixels=1 << 20)
    drawn = drawer.draw(Wanted(image=0, kind="errors", run=0)).png
    assert Image.open(io.BytesIO(drawn)).size == picture_shape(run.images[0])[::-1] == (14, 11)
    wrong = [
        sum(t != p for t, p in (drawer.values_at(0, 0, x, y) for x in columns for y in range(3)))
        for columns in (range(4), range(5, 9), range(10, 14))
    ]
    assert wrong == [9, 9, 9]
    last = (drawer.values_at(0, 0, x, y) for x in range(10, 14) for y in range(8, 11))
    assert sum(t != p for t, p in last) == 3
    assert say_shown(run.images[0]).startswith("9 of 12 slices")
    for layer in LAYERS:
        layered = drawer.draw(Wanted(image=0, kind=layer, run=0))
        assert Image.open(io.BytesIO(layered.png)).size == (14, 11)
        farthest = layered.peak is not None, "farthest pixel in slice" in layered.card.note
        assert farthest.count(True) == (layer == "distances")
