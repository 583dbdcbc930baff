"""Two classes, the commonest case: what is read and seen first is the foreground."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from made.html import read
from made.sets import Mask, data_set, document, segeval
from made.viewer import serve_run
from PIL import Image

from segeval.counting.dataset import count_dataset
from segeval.pictures.palettes import OKABE_ITO, VOIDS
from segeval.settings import LabelChoice, Source

TRUTH = np.array([[0, 0, 0, 0], [0, 1, 1, 255], [0, 1, 1, 255]])
PREDICTION = np.array([[0, 0, 0, 1], [0, 1, 1, 1], [0, 1, 0, 0]])
TN, FP, FN, TP = (96, 96, 96), OKABE_ITO["vermillion"], OKABE_ITO["yellow"], OKABE_ITO["sky blue"]
NAMES = "labels = [{name='tumour', values=[1]}, {name='background', values=[0]}]\nvoid = [255]\n"


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """An image with one false positive and one miss, and one without the foreground."""
    pairs: dict[str, tuple[object, object]] = {
        "a/some": (TRUTH, PREDICTION),
        "b/none": (TRUTH * 0, TRUTH * 0),
    }
    return data_set(tmp_path, pairs)


@pytest.fixture
def names(tmp_path: Path) -> Path:
    """Return a label map whose foreground comes first."""
    path = tmp_path / "labels.toml"
    path.write_text(NAMES, "utf-8")
    return path


def scored(*arguments: object) -> list[str]:
    """Return the lines of the summary, with single spaces."""
    table = segeval("score", *arguments, "--quiet").stdout
    return [" ".join(line.split()) for line in table.split("\n\n")[1].splitlines()]


def test_the_foreground_comes_first_and_the_mean_with_background_below(
    folders: tuple[Path, Path], names: Path
) -> None:
    lines = scored(*folders, "--labels", names)
    summed = "; counts summed over 2 images"
    assert [line.removesuffix(summed) for line in lines[:4]] == [
        "IoU of tumour 0.6000 tp / (tp + fp + fn)",
        "Dice of tumour 0.7500 2 tp / (2 tp + fp + fn)",
        "mIoU 0.7474 mean with background: tp / (tp + fp + fn) over 2 of 2 classes",
        "mDice 0.8472 mean with background: 2 tp / (2 tp + fp + fn) over 2 of 2 classes",
    ]
    assert scored(*folders, "--ignore", 255)[0].startswith(
        "IoU of class 1 0.6000 tp / (tp + fp + fn);"
    )


def test_the_signature_the_total_and_a_bare_gate_stay_those_of_the_mean(
    folders: tuple[Path, Path], names: Path
) -> None:
    given = [*folders, "--labels", names]
    content = document(*given, "--fail-under", "0.7")
    assert content["foreground"] == "tumour"
    assert content["signature"].startswith(
        "labels:labels|classes:2|ignore:255|pooling:dataset|absent:skip|mean:all|images:2|"
    )
    assert next(iter(content["summary"])) == "miou"
    assert not [name for name in content["summary"] if "." in name]
    assert content["gates"][0]["value"] == content["summary"]["miou"] > 0.7
    total = segeval("score", *given, "--format", "total").stdout
    assert float(total) == content["summary"]["miou"]


def test_what_a_class_score_is_follows_the_pooling(folders: tuple[Path, Path], names: Path) -> None:
    given = [*folders, "--labels", names]
    assert scored(*given, "--pooling", "image")[0] == (
        "IoU of tumour 0.6000 tp / (tp + fp + fn); mean over the images in which it is defined"
    )
    assert scored(*given, "--pooling", "class", "--absent", "one")[0] == (
        "IoU of tumour 0.8000 tp / (tp + fp + fn); mean over the images in which it is defined; "
        "a class in neither counts as 1"
    )
    assert scored(*given, "--exclude", "background")[2].startswith("mIoU 0.6000 mean of tp /")
    assert scored(*given, "--exclude", "tumour")[0].startswith("mIoU 0.8947 mean of tp /")


def test_a_foreground_that_is_excluded_is_drawn_and_is_no_headline(
    folders: tuple[Path, Path], names: Path, tmp_path: Path
) -> None:
    given = [*folders, "--labels", names, "--exclude", "tumour"]
    assert scored(*given)[0].startswith("mIoU 0.8947 mean of tp /")
    segeval("score", *given, "--html", tmp_path / "page.html")
    words = read(tmp_path / "page.html").words
    assert "mIoU of each image" in words
    assert any(line.startswith("2 images: from 0.7143 to 1.0000") for line in words)
    assert any(line.startswith("True positives are blue") for line in words)


def test_a_tool_that_is_followed_is_read_before_the_foreground(
    folders: tuple[Path, Path], names: Path
) -> None:
    lines = scored(*folders, "--labels", names, "--like", "kaggle-dice")
    assert [line.split(" 0")[0] for line in lines[:3]] == [
        "mDice", "IoU of tumour", "Dice of tumour"
    ]  # fmt: skip


def test_without_a_background_and_with_more_classes_the_mean_comes_first(tmp_path: Path) -> None:
    for number, classes in enumerate(([1, 2], [0, 1, 2])):
        folders = data_set(tmp_path / str(number), {"a": ([classes], [classes])})
        assert "foreground" not in document(*folders)
        assert scored(*folders)[0].startswith("mIoU 1.0000 mean of tp /")


def test_every_report_that_people_read_begins_with_the_foreground(
    folders: tuple[Path, Path], names: Path, tmp_path: Path
) -> None:
    given = [*folders, "--labels", names, "--quiet"]
    text = segeval("score", *given, "--format", "markdown").stdout
    assert text.startswith("IoU of tumour **0.6000**, Dice of tumour **0.7500**\n\n| class |")
    assert "Means with background over 2 of 2 classes and 2 images." in text
    segeval("score", *given, "--group-by", "^(.)", "--html", tmp_path / "page.html")
    page = read(tmp_path / "page.html")
    first = page.words.index("segeval report")
    assert "IoU of tumour 0.6000 – segeval" in page.words[:first]
    assert page.words.index("IoU of tumour", first) < page.words.index("mIoU", first)
    assert "is tp / (tp + fp + fn); counts summed over 2 images." in page.words
    assert page.words.count("IoU of tumour") >= 4  # headline, definition, groups, histogram
    table = segeval("score", *given, "--group-by", "^(.)").stdout
    assert "IoU of  Dice of" in table
    run = tmp_path / "run.segeval"
    segeval("score", *given, "-o", run)
    rows = segeval("compare", run, run, "--labels", names, "--ci", 10, "--quiet").stdout
    titles = [line.split("  ")[0] for line in rows.splitlines()[4:9]]
    assert titles[:3] == ["IoU of tumour", "Dice of tumour", "mIoU"]


def seen(path: Path) -> Mask:
    """Return the colours of a picture."""
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def test_errors_of_two_classes_are_drawn_in_the_safe_colours(
    folders: tuple[Path, Path], names: Path, tmp_path: Path
) -> None:
    given = [*folders, "--labels", names, "-o", tmp_path]
    assert segeval("overlay", *given, "--plain", "--worst", 3, "--quiet").stdout == (
        f"0.6000  {tmp_path / 'a' / 'some.png'}\n"
    )
    found = seen(tmp_path / "a" / "some.png")
    assert tuple(found[0, 3]) == FP
    assert tuple(found[2, 2]) == FN
    assert {tuple(color) for color in found[1:, 1:3].reshape(-1, 3)} == {TP, FN}
    assert {tuple(color) for color in found[:, 0]} == {TN}
    assert {tuple(color) for color in found[1:, 3]} <= set(VOIDS[0])
    done = segeval("show", *folders, "a/some", "--labels", names, "--colors", "none")
    assert done.stdout.splitlines()[-2:] == [
        "IoU 0.6000  Dice 0.7500  precision 0.7500  recall 0.7500",
        "# true positive: 3  + false positive: 1  - false negative: 1  / void: 2",
    ]


def test_the_page_and_the_viewer_draw_them_alike(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    segeval("score", *folders, "--ignore", 255, "--html", tmp_path / "page.html")
    page = read(tmp_path / "page.html")
    assert "True positives are blue, false positives vermillion, false negatives yellow." in (
        page.words
    )
    swatches = {attributes.get("fill") for attributes in page.all("rect")}
    assert {"#56b4e9", "#d55e00", "#f0e442", "#606060"} <= swatches
    assert "false positive : 1" in " ".join(page.words)  # a name that is a number stays apart
    run = count_dataset(Source(prediction=folders[0], truth=folders[1]))
    with serve_run(run, tmp_path, {}, choice=LabelChoice(ignore=(255,))) as served:
        answer = served.json("api/run")
        assert answer["summary"][:2] == [
            ["IoU of class 1", "0.6000"],
            ["Dice of class 1", "0.7500"],
        ]
        assert [row["color"] for row in answer["classes"]] == ["#606060", "#56b4e9"]
        assert [row["shown"] for row in served.json("api/images")["rows"]] == ["0.6000", "–"]
        image = served.json("api/image?image=0")
        assert image["subject"] == "1"
        for kind, colors in (
            ("errors", {TN, FP, FN, TP, *VOIDS[0]}),
            ("truth", {TN, TP, *VOIDS[0]}),
            ("prediction", {TN, TP, *VOIDS[0]}),
        ):
            (tmp_path / "seen.png").write_bytes(served.get(f"picture?image=0&kind={kind}")[1])
            drawn = {tuple(color) for color in seen(tmp_path / "seen.png").reshape(-1, 3).tolist()}
            assert drawn <= colors
            legend = {row["color"] for row in image["sides"][0]["legend"][kind]}
            told = drawn - {TN, VOIDS[0][1]}
            assert {"#{:02x}{:02x}{:02x}".format(*color) for color in told} <= legend


def test_intervals_stand_beside_the_foreground(folders: tuple[Path, Path]) -> None:
    given = [*folders, "--ci", 20, "--quiet", "--ignore", 255, "--absent", "one"]
    content = json.loads(segeval("score", *given, "--format", "json").stdout)
    low, high = content["classes"][1]["intervals"]["iou"]
    assert scored(*given)[0].startswith(f"IoU of class 1 0.6000 {low:.4f} … {high:.4f} tp /")
