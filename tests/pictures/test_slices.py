"""Pictures of volumes: the slices with most errors come first."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from made.sets import segeval
from made.volumes import save_volume
from PIL import Image

from segeval.pictures.slices import laid_out, worst_slices

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
    assert sheet.shape == (6, 24)
    assert np.array_equal(sheet[:2, :8], prediction[11])
    assert np.array_equal(sheet[4:, 16:], prediction[3])


def test_pictures_of_a_volume_are_drawn(folders: tuple[Path, Path], tmp_path: Path) -> None:
    segeval("overlay", *folders, "-o", tmp_path / "drawn", "--plain")
    with Image.open(tmp_path / "drawn" / "a.png") as picture:
        assert picture.size == (12, 9)
    assert "IoU" in segeval("show", *folders, "a").stdout
    page = tmp_path / "page.html"
    segeval("score", *folders, "--html", page)
    assert page.read_text().count("data:image/png") >= 3
