"""The viewer draws bands and distances as `segeval overlay` does, and says what they show."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made.sets import data_set, segeval
from made.viewer import Served, serve_run
from PIL import Image

from segeval.counting.dataset import count_dataset
from segeval.settings import Source

LAYERS = ("boundary", "distances")


def disks(*centres: tuple[int, int]) -> Any:
    """Return disks of classes 1, 2, … on class 0."""
    rows, columns = np.mgrid[:60, :80]
    mask = np.zeros((60, 80), np.uint8)
    for k, (row, column) in enumerate(centres, 1):
        mask[(rows - row) ** 2 + (columns - column) ** 2 < 120] = k
    return mask


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("layers")
    truth, moved = disks((20, 20), (35, 55)), disks((20, 26), (38, 55))
    truth[0, :5] = 255
    alone = disks((20, 20))
    prediction, true = data_set(folder, {"x/moved": (truth, moved), "x/missed": (truth, alone)})
    run = count_dataset(Source(prediction=prediction, truth=true))
    with serve_run(run, folder, {}) as running:
        yield running


@pytest.mark.parametrize("position", [None, 1])
@pytest.mark.parametrize("layer", LAYERS)
def test_layers_are_what_overlay_draws(
    served: Served, tmp_path: Path, layer: str, position: int | None
) -> None:
    masks = [str(served.folder / side) for side in ("pred", "truth")]
    chosen, given = ("", []) if position is None else (f"&class={position}", ["--class", "1"])
    more = ["--opacity", "0.6"] if layer == "boundary" else []
    options = ["-o", str(tmp_path), "--layer", layer, "--plain", *given, *more]
    segeval("overlay", *masks, *options)
    for number, name in enumerate(served.catalogue.names):
        status, body, _ = served.get(f"picture?image={number}&kind={layer}{chosen}")
        assert (status, body) == (200, (tmp_path / f"{name}.png").read_bytes())


@pytest.mark.parametrize("layer", LAYERS)
def test_the_colours_of_the_legend_are_those_of_the_picture(served: Served, layer: str) -> None:
    number = served.catalogue.names.index("x/moved")
    of = f"image={number}&kind={layer}&class=1"
    legend = served.json(f"api/layer?{of}")["legend"]
    with Image.open(io.BytesIO(served.get(f"picture?{of}")[1])) as image:
        found = np.asarray(image.convert("RGB")).reshape(-1, 3)
    for row in legend:
        color = tuple(bytes.fromhex(row["color"][1:]))
        if row["name"] != "void":  # some of which is striped
            count = int((found == color).all(axis=1).sum())
            assert str(count) == row["pixels"].replace("\N{NO-BREAK SPACE}", "")
    assert len(legend) >= 3


def test_the_farthest_pixel_and_the_distances_are_said(served: Served) -> None:
    number = served.catalogue.names.index("x/moved")
    said = served.json(f"api/layer?image={number}&kind=distances&class=1")
    assert said["lead"] == "borders, by the distance to the other side:"
    assert said["scores"][0] == "HD (px) 6.0000"
    assert said["peak"]["y"] in range(10, 31)
    assert said["peak"]["x"] in (*range(9, 15), *range(31, 37))
    assert said["note"] == ""
    other = served.catalogue.names.index("x/missed")
    said = served.json(f"api/layer?image={other}&kind=distances&class=2")
    assert said["note"] == "no 2 in the prediction: counts the diagonal"
    assert said["peak"] is None


def test_only_layers_have_such_an_answer(served: Served) -> None:
    for kind in ("errors", "truth", "thumbnail", "../distances", ""):
        assert served.get(f"api/layer?image=0&kind={kind}")[0] == 404


def test_without_scipy_there_is_no_choice_of_distances(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert served.json("api/run")["kinds"][4:] == ["boundary", "distances"]
    assert served.json("api/run")["lacking"] == ""
    monkeypatch.setitem(sys.modules, "scipy.spatial", None)
    said = served.json("api/run")
    assert said["kinds"][4:] == ["boundary"]
    assert said["lacking"].startswith("distances need SciPy; type `pip install ")
    assert served.get("picture?image=0&kind=distances")[0] == 404
    assert served.get("picture?image=0&kind=boundary")[0] == 200
