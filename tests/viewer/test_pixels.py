"""The value under the pointer, thumbnails and opacity."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made.sets import frozen, save
from made.viewer import NAMES, PHOTOGRAPHED, Served, make_pairs, serve, serve_catalogue
from PIL import Image

from segeval.counting.dataset import count_dataset
from segeval.labels.labelmap import numbered
from segeval.scoring.score import label_and_score, score_run
from segeval.settings import LabelChoice, Source
from segeval.viewer.catalogue import Catalogue

COLORS = np.array([[0, 0, 0], [0, 0, 142], [220, 20, 60], [128, 64, 128]], np.uint8)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serve(tmp_path_factory.mktemp("pixels")) as running:
        yield running


def pixel(served: Served, number: int, x: int, y: int) -> Any:
    said = served.json(f"api/pixel?image={number}&x={x}&y={y}")
    assert (said["x"], said["y"]) == (x, y)
    (run,) = said["runs"]
    return run


def test_values_are_those_of_the_files(served: Served) -> None:
    for name in ("bonn/street 3", "perfect"):
        number = served.catalogue.names.index(name)
        truth, prediction = map(np.asarray, make_pairs()[name])
        for y, x in [(0, 0), (0, 39), (23, 0), (23, 39), (7, 12), (8, 12), (7, 11)]:
            run = pixel(served, number, x, y)
            assert run["truth"]["value"] == str(truth[y, x])
            assert run["prediction"]["value"] == str(prediction[y, x])
            expected = "void" if truth[y, x] == 255 else str(truth[y, x])
            assert run["truth"]["class"] == expected
    assert pixel(served, served.catalogue.names.index("bonn/street 3"), 0, 0)["truth"] == {
        "value": "255",
        "class": "void",
        "color": "",
    }


def test_pixels_outside_are_no_pixels(served: Served) -> None:
    for query in ("x=40&y=0", "x=0&y=24", "x=-1&y=0", "x=0", "y=0", "x=a&y=0", "x=1.5&y=0", ""):
        assert served.get(f"api/pixel?image=0&{query}")[0] == 404


def test_the_masks_of_one_image_are_kept(served: Served) -> None:
    for number in (4, 5, 4):
        pixel(served, number, 1, 1)
        assert served.drawer._values.used == 1


def write_as(folder: Path, form: str, values: Any) -> None:
    """Write a mask in one of the forms that masks come in."""
    path = save(folder / "x.png", values)
    if form == "palette":
        image = Image.fromarray(values.astype(np.uint8)).convert("P")
        image.frombytes(values.astype(np.uint8).tobytes())
        image.putpalette(COLORS.tobytes())
        image.save(path)
    elif form == "16-bit":
        Image.fromarray(values.astype(np.uint16) * 1000).save(path)
    elif form == "colour":
        Image.fromarray(COLORS[values]).save(path)


@pytest.mark.parametrize(
    ("form", "shown"),
    [
        ("palette", ["0", "1", "2", "3"]),
        ("16-bit", ["0", "1000", "2000", "3000"]),
        ("colour", ["#000000", "#00008e", "#dc143c", "#804080"]),
    ],
)
def test_values_of_every_form_are_told_as_stored(
    tmp_path: Path, form: str, shown: list[str]
) -> None:
    truth = np.array([[0, 1, 2, 3]])
    write_as(tmp_path / "truth", form, truth)
    write_as(tmp_path / "pred", form, truth[:, ::-1])
    run = count_dataset(Source(prediction=tmp_path / "pred", truth=tmp_path / "truth"))
    label = tmp_path / "map.toml"
    rows = "".join(
        f'{{ name = "c{k}", values = [{1000 * k if form == "16-bit" else k}], '
        f"color = {COLORS[k].tolist()} }},\n"
        for k in range(4)
    )
    label.write_text(f'name = "four"\nlabels = [\n{rows}]\n', "utf-8")
    scores = label_and_score(run, LabelChoice(labels=str(label)))
    with serve_catalogue(Catalogue(scores), tmp_path, {}) as served:
        for x in range(4):
            sides = pixel(served, 0, x, 0)
            assert sides["truth"]["value"] == shown[x]
            assert sides["truth"]["class"] == f"c{x}"
            assert sides["prediction"]["value"] == shown[3 - x]
            assert sides["prediction"]["class"] == f"c{3 - x}"
        assert served.get("picture?image=0&kind=thumbnail")[0] == 200


@pytest.mark.parametrize("unknown", ["wrong", "ignore"])
def test_what_is_no_class_is_said(tmp_path: Path, unknown: Any) -> None:
    save(tmp_path / "truth" / "image_0.png", [[0, 1]])
    save(tmp_path / "pred" / "image_0.png", [[7, 1]])
    run = count_dataset(Source(prediction=tmp_path / "pred", truth=tmp_path / "truth"))
    scores = score_run(run, numbered("two", [0, 1]), unknown=unknown)
    with serve_catalogue(Catalogue(scores), tmp_path, {}) as served:
        said = pixel(served, 0, 0, 0)["prediction"]
    assert said["value"] == "7"
    assert said["class"] == ("no class" if unknown == "wrong" else "no class, not judged")


def test_missing_predictions_and_fields_of_view_are_said(tmp_path: Path) -> None:
    for name in ("a", "b"):
        save(tmp_path / "truth" / f"{name}.png", [[0, 1]])
        save(tmp_path / "roi" / f"{name}.png", [[0, 1]])
    save(tmp_path / "pred" / "a.png", [[0, 1]])
    source = Source(
        prediction=tmp_path / "pred",
        truth=tmp_path / "truth",
        roi=tmp_path / "roi",
        missing="worst",
    )
    catalogue = Catalogue(label_and_score(count_dataset(source), LabelChoice(classes=2)))
    with serve_catalogue(catalogue, tmp_path, {}) as served:
        assert pixel(served, 1, 1, 0) == {
            "truth": {"value": "1", "class": "1", "color": "#56b4e9"},
            "prediction": {"value": "", "class": "no prediction", "color": ""},
        }
        assert pixel(served, 0, 0, 0)["truth"]["class"] == "outside the field of view"


def test_masks_that_changed_have_no_values(tmp_path: Path) -> None:
    with serve(tmp_path) as served:
        number = served.catalogue.names.index("perfect")
        for values in (np.zeros((9, 9)), np.full((24, 40), 77), np.ones((24, 40))):
            for side in ("truth", "pred"):
                save(tmp_path / side / "perfect.png", values)
            served.drawer._values.get((0, 0), lambda: (frozen([[0]]), None))
            status, body, _ = served.get(f"api/pixel?image={number}&x=1&y=1")
            assert (status, b"other pixels than were counted" in body) == (404, True)


# ---- thumbnails and opacity


def opened(content: bytes) -> Any:
    with Image.open(io.BytesIO(content)) as image:
        return np.asarray(image.convert("RGB"))


def test_thumbnails_of_small_masks_are_the_errors(served: Served) -> None:
    for number, name in enumerate(NAMES):
        for chosen in ("", "&class=2"):
            small, whole = (
                served.get(f"picture?image={number}&kind={kind}{chosen}")[1]
                for kind in ("thumbnail", "errors")
            )
            assert np.array_equal(opened(small), opened(whole)), name


@pytest.mark.parametrize(("size", "small"), [((300, 600), (64, 128)), ((900, 30), (88, 2))])
def test_thumbnails_of_large_masks_are_small_and_nothing_in_them_is_mixed(
    tmp_path: Path, size: tuple[int, int], small: tuple[int, int]
) -> None:
    random = np.random.default_rng(1)
    truth, prediction = random.integers(0, 3, (2, *size))
    save(tmp_path / "truth" / "x.png", truth)
    save(tmp_path / "pred" / "x.png", prediction)
    run = count_dataset(Source(prediction=tmp_path / "pred", truth=tmp_path / "truth"))
    with serve_catalogue(Catalogue(label_and_score(run, LabelChoice())), tmp_path, {}) as served:
        thumbnail, whole = (
            opened(served.get(f"picture?image=0&kind={kind}")[1])
            for kind in ("thumbnail", "errors")
        )
    assert thumbnail.shape[:2] == small
    colors = {tuple(color) for color in whole.reshape(-1, 3).tolist()}
    assert {tuple(color) for color in thumbnail.reshape(-1, 3).tolist()} <= colors


def test_opacity_is_that_of_errors_on_photographs(served: Served) -> None:
    number = served.catalogue.names.index(PHOTOGRAPHED[1])
    drawn = {
        opacity: opened(served.get(f"picture?image={number}&class=1&opacity={opacity}")[1])
        for opacity in (0, 60, 100)
    }
    photograph = opened(served.get(f"picture?image={number}&kind=photograph")[1])
    judged = np.asarray(make_pairs()[PHOTOGRAPHED[1]][0]) != 255
    assert np.array_equal(drawn[0][judged], photograph[judged])
    wrong = np.array([[213, 94, 0], [240, 228, 66]])  # false positives and false negatives
    masks = map(np.asarray, make_pairs()[PHOTOGRAPHED[1]])
    sides = [mask == 1 for mask in masks]
    for color, errors in zip(wrong, (sides[1] & ~sides[0], sides[0] & ~sides[1]), strict=True):
        there = errors & judged
        assert there.any()
        assert (drawn[100][there] == color).all()
    assert np.array_equal(drawn[60], opened(served.get(f"picture?image={number}&class=1")[1]))
    assert served.json("api/run")["opacity"] == 0.6
    for odd in ("101", "-1", "0.5", "", "x"):
        assert served.get(f"picture?image={number}&opacity={odd}")[0] == 404
