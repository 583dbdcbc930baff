"""Pictures of errors as users ask for them."""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
import pytest
from made.sets import Mask, data_set, document, save, segeval
from PIL import Image

from segeval.errors import OutputError
from segeval.labels.labelmap import numbered
from segeval.pictures.folder import target_names
from segeval.pictures.palettes import OKABE_ITO, class_palette, full_palette

TRUTH = np.array([[0, 0, 1, 1], [0, 2, 2, 1], [255, 255, 2, 1]])
PREDICTION = np.array([[0, 1, 1, 1], [0, 2, 1, 0], [0, 1, 2, 2]])
TN, FP, FN, TP = (96, 96, 96), OKABE_ITO["vermillion"], OKABE_ITO["yellow"], OKABE_ITO["sky blue"]


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Three images: one all right, one all wrong, one in between."""
    pairs: dict[str, tuple[object, object]] = {
        "city a/right": (TRUTH, TRUTH),
        "city a/some": (TRUTH, PREDICTION),
        "wrong": (TRUTH, (TRUTH + 1) % 3),
    }
    return data_set(tmp_path, pairs)


def colors(path: Path) -> Mask:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def test_a_name_of_odd_bytes_is_one_file(tmp_path: Path) -> None:
    folders = data_set(tmp_path, {"f": (TRUTH, TRUTH)})
    for folder in folders:
        os.rename(folder / "f.png", os.fsencode(folder) + b"/f\xff.png")
    segeval("overlay", *folders, "--plain", "-o", tmp_path / "out")
    assert os.listdir(tmp_path / "out") == ["f_udcff.png"]


def test_a_plain_picture_of_one_class_is_exactly_its_errors(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    done = segeval("overlay", *folders, "--class", "1", "--plain", "-o", tmp_path / "out")
    assert not done.stdout
    assert done.stderr == f"3 pictures in {tmp_path / 'out'}\n"
    found = colors(tmp_path / "out" / "city a" / "some.png")
    expected: list[list[tuple[int, int, int] | None]] = [
        [TN, FP, TP, TP],
        [TN, TN, FP, FN],
        [None, None, TN, FN],
    ]
    for row, line in enumerate(expected):
        for column, color in enumerate(line):
            if color is not None:
                assert tuple(found[row, column]) == color
    scheme = class_palette()
    assert {tuple(c) for c in found[2, :2]} <= {tuple(c) for c in scheme.colors[4:6]}


def test_a_plain_picture_of_all_classes_is_exactly_the_wrong_pixels(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    segeval("overlay", *folders, "--plain", "-o", tmp_path / "out")
    scheme = full_palette(numbered("found", [0, 1, 2]))
    code = {tuple(color): number for number, color in enumerate(scheme.colors.tolist())}
    found = [
        [code[tuple(c)] for c in row] for row in colors(tmp_path / "out/city a/some.png").tolist()
    ]
    unstriped = [[c - 3 if 6 <= c < 9 else 9 if c == 10 else c for c in row] for row in found]
    assert unstriped == [[0, 3, 1, 1], [0, 2, 5, 4], [9, 9, 2, 4]]


def test_the_worst_are_the_lowest_of_score(folders: tuple[Path, Path], tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = segeval("overlay", *folders, "--worst", "2", "-o", out)
    assert [line.split(maxsplit=1)[1] for line in done.stdout.splitlines()] == [
        str(out / "wrong.png"),
        str(out / "city a" / "some.png"),
    ]
    assert done.stdout.startswith("0.0000  ")
    assert sorted(path.name for path in out.rglob("*.png")) == ["some.png", "wrong.png"]


def test_a_class_that_an_image_lacks_is_never_its_worst(tmp_path: Path) -> None:
    folders = data_set(tmp_path, {"with": ([[1, 0]], [[1, 0]]), "without": ([[0, 0]], [[0, 0]])})
    done = segeval("overlay", *folders, "--class", "1", "--worst", "2", "-o", tmp_path / "out")
    assert done.stdout == f"1.0000  {tmp_path / 'out' / 'with.png'}\n"


def test_missing_predictions_are_drawn_as_missed(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    (folders[0] / "wrong.png").unlink()
    segeval(
        "overlay", *folders, "--missing", "worst", "--class", "1", "--plain", "-o", tmp_path / "o"
    )
    found = colors(tmp_path / "o" / "wrong.png")
    assert ((found == FN).all(axis=-1) == (TRUTH == 1)).all()
    assert not (found == TP).all(axis=-1).any()
    segeval("overlay", *folders, "--missing", "worst", "--side-by-side", "-o", tmp_path / "with")
    segeval("overlay", *folders, "-o", tmp_path / "x", expect=3)
    assert not (tmp_path / "x").exists()


def test_pictures_that_are_there_are_kept(folders: tuple[Path, Path], tmp_path: Path) -> None:
    out = tmp_path / "out"
    kept = save(out / "wrong.png", [[7]])
    before = kept.read_bytes()
    done = segeval("overlay", *folders, "-o", out, expect=3)
    assert "wrong.png: already there; type --overwrite" in done.stderr
    assert kept.read_bytes() == before
    assert not (out / "city a").exists()
    segeval("overlay", *folders, "-o", out, "--overwrite")
    assert kept.read_bytes() != before


def test_masks_are_never_replaced(folders: tuple[Path, Path]) -> None:
    before = (folders[0] / "wrong.png").read_bytes()
    done = segeval("overlay", *folders, "-o", folders[0], "--overwrite", expect=3)
    assert "is one of the masks or photographs" in done.stderr
    assert (folders[0] / "wrong.png").read_bytes() == before


@pytest.mark.parametrize("place", ["file", "file/below", "/proc/nothing"])
def test_a_folder_that_cannot_be_written_is_one_message(
    folders: tuple[Path, Path], tmp_path: Path, place: str
) -> None:
    (tmp_path / "file").write_bytes(b"")
    done = segeval("overlay", *folders, "-o", tmp_path / place, expect=3)
    assert "folder" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_names_never_leave_the_folder(folders: tuple[Path, Path], tmp_path: Path) -> None:
    table = tmp_path / "lists" / "pairs.csv"
    table.parent.mkdir()
    prediction, truth = (folder / "wrong.png" for folder in folders)
    names = ["../../up", "/absolute", "a/../b", "..", "nul\x01l", "back\\..\\slash"]
    rows = [f'{prediction},{truth},"{name}"' for name in names]
    table.write_text("\n".join(["prediction,truth,name", *rows]), encoding="utf-8")
    before = set(tmp_path.rglob("*"))
    segeval("overlay", "--pairs", table, "-o", tmp_path / "lists" / "out", "--plain")
    made = set(tmp_path.rglob("*")) - before
    assert all(path.is_relative_to(tmp_path / "lists" / "out") for path in made)
    assert len([path for path in made if path.suffix == ".png"]) == len(names)


def test_names_that_become_one_are_refused() -> None:
    with pytest.raises(OutputError, match=r"'a' and '/a' would both be written to a\.png"):
        target_names(["a", "/a"])


@pytest.mark.parametrize(
    ("extension", "mode"),
    [("jpg", "RGB"), ("png", "L"), ("tif", "RGBA"), ("webp", "RGB"), ("png", "I;16")],
)
def test_photographs_of_any_kind_lie_below(
    folders: tuple[Path, Path], tmp_path: Path, extension: str, mode: str
) -> None:
    path = tmp_path / "photos" / "city a" / f"some.{extension}"
    path.parent.mkdir(parents=True)
    if mode == "I;16":
        Image.fromarray(np.full((3, 4), 200 << 8, np.uint16)).save(path)
    else:
        Image.new("RGB", (4, 3), (200, 200, 200)).convert(mode).save(path)
    done = segeval(
        "overlay", *folders, "--class", "1", "--plain", "--images", tmp_path / "photos",
        "-o", tmp_path / "out",
    )  # fmt: skip
    assert "notice: 2 × no photograph of the name, grey is used" in done.stderr
    found = colors(tmp_path / "out" / "city a" / "some.png").astype(int)
    assert np.abs(found[0, 0] - 200).max() <= 2
    assert tuple(found[0, 1]) == FP
    assert tuple(colors(tmp_path / "out" / "city a" / "right.png")[0, 0]) == TN


def test_photographs_that_do_not_fit_are_said(folders: tuple[Path, Path], tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    save(photos / "wrong.png", np.full((30, 40), 9))
    (photos / "city a").mkdir()
    (photos / "city a" / "some.jpg").write_bytes(b"no photograph")
    done = segeval("overlay", *folders, "--images", photos, "-o", tmp_path / "out")
    assert "notice: 1 × photograph of another size, resized: wrong" in done.stderr
    assert "notice: 1 × photograph that cannot be read, grey is used" in done.stderr
    assert "notice: 1 × no photograph of the name, grey is used: city a/right" in done.stderr
    for bad in ("none", "pred"):
        segeval("overlay", *folders, "--images", tmp_path / "none", "-o", tmp_path / bad, expect=2)


def test_opacity_mixes_colours_with_the_photograph(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    save(tmp_path / "photos" / "wrong.png", np.full((3, 4), 100))
    segeval(
        "overlay", *folders, "--include", "wrong", "--class", "1", "--plain", "--opacity", "0.5",
        "--images", tmp_path / "photos", "-o", tmp_path / "out",
    )  # fmt: skip
    found = colors(tmp_path / "out" / "wrong.png")
    mixed = [round(channel / 2 + 50) for channel in FP]
    assert found[0, 0].tolist() == mixed


def test_what_is_written_below_makes_room_for_itself(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    segeval("overlay", *folders, "-o", tmp_path / "with")
    segeval("overlay", *folders, "-o", tmp_path / "all", "--side-by-side")
    for folder in ("with", "all"):
        picture = colors(tmp_path / folder / "wrong.png")
        assert picture.shape[1] >= 480
        assert (picture[-1] == 255).all()


def test_pictures_do_not_depend_on_the_workers(folders: tuple[Path, Path], tmp_path: Path) -> None:
    for workers in (1, 2):
        segeval("overlay", *folders, "--workers", workers, "-o", tmp_path / str(workers))
    drawn = list((tmp_path / "1").rglob("*.png"))
    assert drawn
    for path in drawn:
        other = tmp_path / "2" / path.relative_to(tmp_path / "1")
        assert other.read_bytes() == path.read_bytes()


def test_options_that_make_no_sense_are_refused(folders: tuple[Path, Path], tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = segeval("overlay", *folders, "--class", "7", "-o", out, expect=2)
    assert "no class is called '7'; the classes are 0, 1, 2" in done.stderr
    assert "missing option -o DIR" in segeval("overlay", *folders, expect=2).stderr
    segeval("overlay", *folders, "--image-suffix", "_x", "-o", out, expect=2)
    segeval("overlay", *folders, "--opacity", "2", "-o", out, expect=2)
    assert not out.exists()


def test_many_classes_and_sixteen_bits_are_drawn(tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    for side in ("pred", "truth"):
        (tmp_path / side).mkdir()
        mask = random.integers(0, 400, (40, 60)).astype(np.uint16)
        Image.fromarray(mask).save(tmp_path / side / "a.png")
    folders = tmp_path / "pred", tmp_path / "truth"
    segeval("overlay", *folders, "--classes", "400", "--plain", "-o", tmp_path / "out")
    rows = document(*folders, "--classes", "400")["classes"]
    scheme = full_palette(numbered("indices", range(400)))
    flat = colors(tmp_path / "out" / "a.png").reshape(-1, 3).astype(int)
    packed = (flat << [16, 8, 0]).sum(axis=1)
    for row in rows:
        both = scheme.colors[[400 + row["index"], 800 + row["index"]]].astype(int)
        assert np.isin(packed, (both << [16, 8, 0]).sum(axis=1)).sum() == row["fn"]
    segeval("overlay", *folders, "--classes", "400", "--side-by-side", "-o", tmp_path / "all")
    written = colors(tmp_path / "all" / "a.png")
    assert (written[-20:] == 0).any()
    assert (written[-1] == 255).all()


def test_each_picture_is_whole_or_not_there(folders: tuple[Path, Path], tmp_path: Path) -> None:
    segeval("overlay", *folders, "-o", tmp_path / "out", "--plain")
    drawn = list((tmp_path / "out").rglob("*"))
    assert any(path.is_file() for path in drawn)
    for path in drawn:
        assert not path.name.startswith(".")
        if path.is_file():
            Image.open(io.BytesIO(path.read_bytes())).load()
            assert os.stat(path).st_mode & 0o444
