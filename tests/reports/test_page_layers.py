"""Bands and distances on the page: only those that were measured, whole, and with their scores."""

from __future__ import annotations

import base64
import io
import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from made.html import Reader, read
from made.sets import Mask, data_set, segeval
from made.volumes import save_volume
from PIL import Image

from segeval.boundaries.bands import bands_of
from segeval.pictures.layers import class_maps
from segeval.pictures.palettes import class_palette, with_distances

pytest.importorskip("scipy")
BASE = 5 + 1  # codes of one class, and of void


def layers_on(page: Reader) -> list[str | None]:
    return [image["data-layer"] for image in page.all("img")]


def pixels_of(page: Reader, layer: str) -> Mask:
    address = next(i["src"] for i in page.all("img") if i["data-layer"] == layer) or ""
    content = base64.b64decode(address.partition(",")[2])
    with Image.open(io.BytesIO(content)) as image:
        return np.asarray(image.convert("RGB"))


def is_color(pixels: Mask, color: tuple[int, int, int]) -> Mask:
    found: Mask = (pixels == color).all(axis=-1)
    return found


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Mask, Mask]:
    """Return a run of an image five times as wide as a small picture, and its masks."""
    folder = tmp_path_factory.mktemp("wide")
    truth = np.zeros((301, 2400), np.uint8)
    truth[40:260, 300:2000] = 1
    prediction = np.roll(truth, 1, axis=1)
    prediction[150, 2200] = 1
    pred, true = data_set(folder, {"a": (truth, prediction)})
    run = folder / "r.segeval"
    segeval("score", pred, true, "--boundary", "1px", "--distances", "-o", run, "--quiet")
    return run, truth, prediction


def page_of(run: Path, *asked: object) -> Reader:
    page = run.with_suffix(".html")
    segeval("report", run, "--quiet", "--html", page, *asked)
    return read(page)


def test_a_page_has_the_layers_that_were_asked_for(wide: tuple[Path, Mask, Mask]) -> None:
    plain = ["truth", "prediction", "errors"]
    for asked, more in (
        ([], []),
        (["--boundary", "1px"], ["boundary"]),
        (["--distances"], ["distances"]),
    ):
        page = page_of(wide[0], *asked)
        assert layers_on(page) == [*plain, *more]
        chosen = [tag["value"] for tag in page.all("input") if tag.get("name") == "layers"]
        assert chosen == [*plain, *more]


def test_no_border_vanishes_in_a_small_picture(wide: tuple[Path, Mask, Mask]) -> None:
    run, truth, prediction = wide
    page = page_of(run, "--boundary", "1px", "--distances")
    scheme = with_distances(class_palette())
    bands = [band == 1 for band in bands_of(*class_maps(truth, prediction, 2), 2, 1)]
    small = pixels_of(page, "boundary")
    rows, columns = small.shape[:2]
    assert (rows, columns) == (60, 480)

    def cells(where: Mask) -> Mask:
        marked = np.zeros((rows, columns), bool)
        row, column = np.nonzero(where)
        marked[row * rows // truth.shape[0], column * columns // truth.shape[1]] = True
        return marked

    wrong = is_color(small, scheme.color(1)) | is_color(small, scheme.color(2))
    assert (wrong == cells(bands[0] != bands[1])).all()
    assert (is_color(small, scheme.color(3)) == (cells(bands[0] & bands[1]) & ~wrong)).all()
    farthest = is_color(pixels_of(page, "distances"), scheme.color(BASE + 7))
    lone = np.zeros_like(truth, bool)
    lone[150, 2200] = True
    assert (farthest == cells(lone)).all()


def test_a_layer_says_the_scores_of_its_image(wide: tuple[Path, Mask, Mask]) -> None:
    page = page_of(wide[0], "--boundary", "1px", "--distances", "--hd-percentile", "99")
    (score,) = re.findall(r"boundary IoU (0\.\d{4}) band of 1 px:", shown := " ".join(page.words))
    document = wide[0].with_suffix(".json")
    segeval("report", wide[0], "--quiet", "--boundary", "1px", "--json", document)
    exact = json.loads(document.read_text("utf-8"))["classes"][1]["boundary_iou"]
    assert score == f"{exact:.4f}"
    assert "HD 201.00 px, HD99 " in shown
    assert "ring at column 2200, row 150" in shown
    (ring,) = [tag for tag in page.all("svg") if tag.get("class") == "ring"]
    assert ring["data-layer"] == "distances"
    assert page.all("circle")[0]["cx"] == f"{100 * 2200.5 / 2400:.2f}%"
    percent = " ".join(page_of(wide[0], "--boundary", "1px", "--percent").words)
    assert f"boundary IoU {100 * exact:.2f}" in percent


def test_presets_say_what_one_empty_side_counts(tmp_path: Path) -> None:
    truth, nothing = np.zeros((2, 30, 40), np.uint8)
    truth[5:9, 5:9] = 1
    folders = data_set(tmp_path, {"a": (truth, nothing)})
    page = tmp_path / "page.html"
    for like, said in (
        ([], "HD 50.00 px, HD95 50.00 px no 1 in the prediction: counts the diagonal"),
        (["--like", "monai"], "HD ∞ px, HD95 – no 1 in the prediction borders"),
    ):
        segeval("score", *folders, "--quiet", "--distances", *like, "--html", page)
        words = read(page)
        assert said in " ".join(words.words)
        assert ("whatever monai does" in " ".join(words.words)) == bool(like)
        assert not [tag for tag in words.all("svg") if tag.get("class") == "ring"]


def test_without_scipy_the_page_says_what_to_install(
    wide: tuple[Path, Mask, Mask], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "scipy.spatial", None)
    page = page_of(wide[0], "--distances")
    assert layers_on(page) == ["truth", "prediction", "errors"]
    assert "segeval-masks[surface]" in " ".join(page.words)


def test_layers_of_volumes_are_of_the_slices_that_are_shown(tmp_path: Path) -> None:
    pytest.importorskip("nibabel")
    truth = np.zeros((12, 10, 14), np.uint8)
    truth[2:8, 2:8, 2:12] = 1
    prediction = truth.copy()
    prediction[3, 3, 1:13] ^= 1
    prediction[11, 9, 12] = 1
    for side, values in (("pred", prediction), ("truth", truth)):
        save_volume(tmp_path / side / "a.nii.gz", values)
    page = tmp_path / "page.html"
    asked = "--boundary", "1px", "--distances", "--html", page
    segeval("score", tmp_path / "pred", tmp_path / "truth", "--quiet", *asked)
    words = " ".join(read(page).words)
    assert re.search(r"HD [\d.]+ mm, HD95 [\d.]+ mm; ring at column 11, row 9, slice 13", words)
    assert pixels_of(read(page), "distances").shape == pixels_of(read(page), "errors").shape


def test_layers_of_many_sorts_of_classes_are_drawn(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    truth, other = np.kron(random.integers(0, 3, (2, 5, 6)), np.ones((8, 8), int))
    pred, true = data_set(tmp_path, {"a": (truth, other), "<b> & 'c'": (truth, truth * 0)})
    (pred / "a.png").unlink()
    labels = tmp_path / "labels.toml"
    labels.write_text("""overlap = true
        [[labels]]
        name = "<a>"
        values = [1]
        [[labels]]
        name = '"b"'
        values = [1, 2]
    """)
    page, asked = tmp_path / "page.html", ["--boundary", "--distances", "--missing", "worst"]
    for more in ([], ["--labels", labels], ["--objects", "components"]):
        segeval("score", pred, true, "--quiet", *asked, "--html", page, *more)
        assert (
            layers_on(read(page)) == ["truth", "prediction", "errors", "boundary", "distances"] * 2
        )
