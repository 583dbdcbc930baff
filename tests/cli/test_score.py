"""The main job as users type it."""

from __future__ import annotations

import csv
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from made.sets import data_set, document, save, segeval
from PIL import Image

from segeval.counting.kernel import counting
from segeval.scoring.metrics import METRICS
from segeval.version import __version__

BLOCKS = np.kron(np.arange(4).reshape(2, 2), np.ones((8, 8), int)).astype(np.uint8)
SHIFTED = np.roll(BLOCKS, 2, axis=1)


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    return data_set(tmp_path, {f"city a/{n}": (BLOCKS, SHIFTED) for n in ("one", "two", "three")})


def test_two_folders_need_no_options(folders: tuple[Path, Path]) -> None:
    done = segeval("score", *folders)
    assert "labels:found|classes:4|ignore:255|pooling:dataset|absent:skip" in done.stdout
    assert "images:3" in done.stdout
    assert not done.stderr


@pytest.mark.parametrize("kind", ["0/255", "1-bit", "palette"])
def test_binary_masks_of_every_kind_need_no_options(tmp_path: Path, kind: str) -> None:
    truth, prediction = (mask // 2 for mask in (BLOCKS, SHIFTED))
    for side, mask in (("truth", truth), ("pred", prediction)):
        (tmp_path / side).mkdir()
        image = Image.fromarray(mask * 255)
        if kind == "1-bit":
            image = image.convert("1")
        elif kind == "palette":
            image = Image.fromarray(mask)
            image.putpalette([0, 0, 0, 255, 0, 0])
        image.save(tmp_path / side / "a.png")
    classes = document(tmp_path / "pred", tmp_path / "truth")["classes"]
    assert [row["name"] for row in classes][-1] == ("foreground" if kind == "0/255" else "1")
    assert classes[1]["iou"] == np.sum(truth & prediction) / np.sum(truth | prediction)


def test_binary_masks_are_announced(tmp_path: Path) -> None:
    folders = data_set(tmp_path, {"a": (BLOCKS // 2 * 255, SHIFTED // 2 * 255)})
    assert "scored as binary" in segeval("score", *folders).stderr
    assert not segeval("score", *folders, "--quiet").stderr
    assert "labels:binary(found)" in segeval("score", *folders).stdout


@pytest.mark.parametrize("option", ["--csv", "--json", "--per-image", "--markdown", "--html"])
def test_a_report_goes_to_stdout_or_into_a_folder_that_is_made(
    folders: tuple[Path, Path], tmp_path: Path, option: str
) -> None:
    file = tmp_path / "new" / "folder" / "report"
    assert segeval("score", *folders, option, file).stdout.startswith("class ")
    printed = segeval("score", *folders, option, "-").stdout
    assert printed == file.read_text("utf-8")
    assert not Path("-").exists()
    said = segeval("score", *folders, "--junit", "-", "--badge", "-", expect=3).stderr
    assert "- is named for two reports" in said


def test_a_run_file_is_made_with_its_folder_and_never_on_stdout(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    run = tmp_path / "new" / "runs" / "r.segeval"
    segeval("score", *folders, "-o", run)
    segeval("merge", run, "-o", tmp_path / "more" / "sum.segeval")
    for done in (
        segeval("score", *folders, "-o", "-", expect=3),
        segeval("merge", run, "-o", "-", expect=3),
    ):
        assert done.stderr == "segeval: a run file cannot be written to stdout; name a file\n"
    for again in ("--resume", "--overwrite"):
        said = segeval("score", *folders, "-o", run.parent, again, expect=3).stderr
        assert said.endswith(f"runs is a folder; name a file, e.g. {run.parent / 'run.segeval'}\n")


def test_documents_are_the_same_for_any_number_of_workers(folders: tuple[Path, Path]) -> None:
    printed = {
        segeval("score", *folders, "--format", "json", "--workers", n).stdout for n in (1, 2, 3)
    }
    assert len(printed) == 1


def test_all_files_are_written_with_all_digits(folders: tuple[Path, Path], tmp_path: Path) -> None:
    files = {
        name: tmp_path / name for name in ("csv", "per-image", "confusion", "json", "markdown")
    }
    options = [part for name, path in files.items() for part in (f"--{name}", path)]
    printed = document(*folders, *options)
    assert json.loads(files["json"].read_text("utf-8")) == printed
    rows = list(csv.DictReader(files["csv"].read_text("utf-8").splitlines()))
    assert [row["name"] for row in rows] == ["0", "1", "2", "3", "mean"]
    for row, expected in zip(rows, printed["classes"], strict=False):
        assert float(row["iou"]) == expected["iou"]
        assert int(row["tp"]) == expected["tp"]
    assert float(rows[-1]["dice"]) == printed["summary"]["mdice"]
    assert rows[-1]["support"] == ""
    images = list(csv.DictReader(files["per-image"].read_text("utf-8").splitlines()))
    assert [row["image"] for row in images] == ["city a/one", "city a/three", "city a/two"]
    assert float(images[0]["iou_3"]) == printed["classes"][3]["iou"]
    assert images[0]["signature"] == rows[0]["signature"] == printed["signature"]
    matrix = list(csv.reader(files["confusion"].read_text("utf-8").splitlines()))
    assert matrix[0] == ["truth", "0", "1", "2", "3", "unknown"]
    assert [[int(cell) for cell in row[1:5]] for row in matrix[1:]] == printed["confusion"][
        "counts"
    ]
    for path in files.values():
        assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~umask()
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_an_undefined_score_is_null_and_empty(tmp_path: Path) -> None:
    folders = data_set(tmp_path, {"a": (BLOCKS, BLOCKS)})
    result = document(*folders, "--classes", "6", "--csv", tmp_path / "out.csv")
    assert [row["iou"] for row in result["classes"]] == [1.0] * 4 + [None] * 2
    images = result["averaged"].pop("images_of")
    assert images["miou"] == 1
    assert result["averaged"] == {
        "classes": 4, "images": 1, "of": 6, "absent": ["4", "5"], "excluded": []
    }  # fmt: skip
    assert result["summary"]["miou"] == 1.0
    assert "5,5,0,0,0,0,0,,,,,labels:" in (tmp_path / "out.csv").read_text("utf-8")


def test_every_mean_says_how_many_images_are_in_it(tmp_path: Path) -> None:
    empty, full = np.zeros((4, 4), np.uint8), np.eye(4, dtype=np.uint8)
    folders = data_set(tmp_path, {"b": (full, full), **{f"a{n}": (empty, empty) for n in range(9)}})
    options = [*folders, "--exclude", "0", "--group-by", "^(.)"]
    by_image = ["--pooling", "image", "--worst", "50", *options]
    made = document(*by_image, "--html", tmp_path / "page.html")
    assert (made["averaged"]["images"], made["averaged"]["images_of"]["pixel_accuracy"]) == (1, 10)
    assert [group["averaged"]["images"] for group in made["groups"]] == [0, 1]
    said = "mean over classes, then over 1 of 10 images"
    table = segeval("score", *by_image).stdout
    assert table.count(said) == 2
    assert "mean of the lowest 50 % of these values, 1 of 1 image" in table
    assert "sum tp / total; mean over 10 images" in table
    assert ["a", "0", "of", "9"] in [line.split()[:4] for line in table.splitlines()]
    assert said in (tmp_path / "page.html").read_text("utf-8")
    markdown = segeval("score", *by_image, "--format", "markdown").stdout
    assert "Means over 1 of 2 classes and 1 of 10 images" in markdown
    assert "counts summed over 10 images" in segeval("score", *options).stdout


@pytest.mark.parametrize(("absent", "miou"), [("skip", 1.0), ("zero", 4 / 6), ("one", 1.0)])
def test_absent_classes_count_as_told(tmp_path: Path, absent: str, miou: float) -> None:
    folders = data_set(tmp_path, {"a": (BLOCKS, BLOCKS)})
    result = document(*folders, "--classes", "6", "--absent", absent)
    assert result["summary"]["miou"] == pytest.approx(miou, abs=1e-15)
    assert f"absent:{absent}" in result["signature"]


def test_an_excluded_class_still_counts_as_an_error_of_others(tmp_path: Path) -> None:
    folders = data_set(tmp_path, {"a": (BLOCKS, SHIFTED)})
    usual, without = document(*folders), document(*folders, "--exclude", "0")
    assert without["classes"] == usual["classes"]
    ious = [row["iou"] for row in usual["classes"][1:]]
    assert without["summary"]["miou"] == pytest.approx(sum(ious) / 3)
    assert without["averaged"]["excluded"] == ["0"]
    assert "mean:all-0" in without["signature"]


def test_unknown_predictions_are_wrong_or_ignored_as_told(tmp_path: Path) -> None:
    prediction = BLOCKS.copy()
    prediction[0, :5] = 9
    folders = data_set(tmp_path, {"a": (BLOCKS, prediction)})
    wrong = document(*folders, "--classes", "4", "--unknown", "wrong")
    assert wrong["pixels"]["unknown"] == 5
    assert wrong["classes"][0]["recall"] == (64 - 5) / 64
    assert wrong["classes"][0]["precision"] == 1.0
    ignored = document(*folders, "--classes", "4", "--unknown", "ignore")
    assert ignored["pixels"]["ignored_by_prediction"] == 5
    assert ignored["summary"]["miou"] == 1.0
    assert "unknown:ignore" in ignored["signature"]


def test_a_missing_prediction_is_all_wrong_if_told(tmp_path: Path) -> None:
    folders = data_set(tmp_path, {"a": (BLOCKS, BLOCKS), "b": (BLOCKS, BLOCKS)})
    (folders[0] / "b.png").unlink()
    skipped = document(*folders, "--missing", "skip")
    assert skipped["images"] == {"scored": 1, "missing": ["b"], "skipped": [], "extra": 0}
    worst = document(*folders, "--missing", "worst")
    assert [row["recall"] for row in worst["classes"]] == [0.5] * 4
    assert [row["fp"] for row in worst["classes"]] == [0] * 4
    assert "missing:worst" in worst["signature"]


def test_unreadable_pairs_are_left_out_by_name_if_told(tmp_path: Path) -> None:
    folders = data_set(tmp_path, {"a": (BLOCKS, BLOCKS), "b": (BLOCKS, BLOCKS)})
    (folders[0] / "b.png").write_bytes(b"")
    result = document(*folders, "--on-error", "skip")
    assert result["images"]["skipped"] == ["b"]
    assert "on-error:skip" in result["signature"]


def test_predictions_of_another_size_are_resized_if_told(tmp_path: Path) -> None:
    folders = data_set(tmp_path, {"a": (BLOCKS, BLOCKS[::2, ::2])})
    result = document(*folders, "--resize-prediction")
    assert result["summary"]["miou"] == 1.0
    assert "resize:nearest" in result["signature"]


def test_color_masks_are_scored_with_a_label_map(tmp_path: Path) -> None:
    colors = np.array([[128, 64, 128], [244, 35, 232], [70, 70, 70], [102, 102, 156]], np.uint8)
    for side, mask in (("truth", BLOCKS), ("pred", SHIFTED)):
        (tmp_path / side).mkdir()
        Image.fromarray(colors[mask]).save(tmp_path / side / "a.png")
    folders = tmp_path / "pred", tmp_path / "truth"
    assert "--labels cityscapes" in segeval("score", *folders, expect=3).stderr
    result = document(*folders, "--labels", "cityscapes")
    grey = document(*data_set(tmp_path / "grey", {"a": (BLOCKS, SHIFTED)}))
    assert [row["iou"] for row in result["classes"][:4]] == [row["iou"] for row in grey["classes"]]


def test_train_ids_are_scored_against_label_ids(tmp_path: Path) -> None:
    ids = np.array([7, 8, 11, 33], np.uint8)
    folders = data_set(tmp_path, {"a": (ids[BLOCKS], np.array([0, 1, 2, 18])[SHIFTED])})
    advice = segeval("score", *folders, expect=3).stderr
    assert "type --labels cityscapes --pred-labels cityscapes-train" in advice
    result = document(*folders, "--labels", "cityscapes", "--pred-labels", "cityscapes-train")
    grey = document(*data_set(tmp_path / "grey", {"a": (BLOCKS, SHIFTED)}))
    assert result["summary"]["miou"] == grey["summary"]["miou"]


def test_grey_predictions_need_a_threshold(tmp_path: Path) -> None:
    grey = np.arange(256, dtype=np.uint8).reshape(16, 16)
    folders = data_set(tmp_path, {"a": ((grey >= 100) * 255, grey)})
    assert "type --threshold 128 or" in segeval("score", *folders, expect=3).stderr
    assert document(*folders, "--threshold", "100")["summary"]["miou"] == 1.0
    half = document(*folders, "--threshold", "178")
    assert half["classes"][1]["recall"] == 0.5
    assert "threshold:178" in half["signature"]


@pytest.mark.usefixtures("folders")
def test_pairs_come_from_a_table(tmp_path: Path) -> None:
    table = tmp_path / "pairs.csv"
    table.write_text(
        "prediction,truth,name,group\npred/city a/one.png,truth/city a/two.png,x,day\n"
    )
    result = document("--pairs", table, "--per-image", tmp_path / "images.csv")
    assert result["images"]["scored"] == 1
    assert (tmp_path / "images.csv").read_text("utf-8").splitlines()[1].startswith("x,day,256,256,")


def test_a_reader_that_goes_away_is_no_error(folders: tuple[Path, Path]) -> None:
    shell = f'"{sys.executable}" -m segeval score "{folders[0]}" "{folders[1]}" --format json'
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {shell} | head -n 1"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout, done.stderr) == ("{\n", "")


@pytest.mark.parametrize("name", [*(metric.mean for metric in METRICS.values()), "kappa"])
def test_every_summary_score_is_a_gate(folders: tuple[Path, Path], name: str) -> None:
    prediction = np.array(Image.open(folders[0] / "city a" / "one.png"))
    prediction[:2, :3] = prediction[0, -1]  # so that volumes differ
    save(folders[0] / "city a" / "one.png", prediction)
    value = document(*folders)["summary"][name]
    assert document(*folders, "--fail-under", f"{name}={value!r}")["gates"][0]["passed"]
    above = float(np.nextafter(value, 2))
    failed = document(*folders, "--fail-under", f"{name}={above!r}", expect=1)
    assert failed["gates"] == [{"metric": name, "minimum": above, "value": value, "passed": False}]


def test_every_failed_gate_is_said_with_its_numbers(folders: tuple[Path, Path]) -> None:
    gates = ["--fail-under", "0.999", "--fail-under", "iou.*=0.1", "--fail-under", "iou.2=0.99"]
    done = segeval("score", *folders, *gates, expect=1)
    assert [line.split()[3] for line in done.stderr.splitlines()] == ["miou", "iou.2"]
    assert "at least 0.999 is asked for" in done.stderr


def test_an_undefined_score_fails_its_gate(tmp_path: Path) -> None:
    folders = data_set(tmp_path, {"a": (BLOCKS, BLOCKS)})
    done = segeval("score", *folders, "--classes", "5", "--fail-under", "iou.4=0", expect=1)
    assert "gate failed: iou.4 is undefined, at least 0.0 is asked for" in done.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--fail-under", "x"], "'x' is not a number"),
        (["--fail-under", "75"], "did you mean 0.75?"),
        (["--fail-under", "nosuch=1"], "no score is called 'nosuch'"),
        (["--fail-under", "recall=1"], "did you mean 'mrecall', or 'recall.CLASS'?"),
        (["--fail-under", "recal=1"], "did you mean 'mrecall'?"),
        (["--fail-under", "f1=1"], "f1 is a score of objects; type --objects ids or components"),
        (["--fail-under", "iou.road=1"], "no class is called 'road'"),
        (["--exclude", "road"], "no class is called 'road'"),
        (["--labels", "voc", "--classes", "3"], "--labels and --classes"),
        (["--ignore", "x"], "--ignore 'x' is neither"),
        (["--ignore", "#fff"], "--ignore '#fff' is neither a whole number, nor #rrggbb"),
        (["--ignore", 1 << 62], "--ignore 4611686018427387904 is no value of a mask"),
        (["--worst", "5"], "needs pooling by image or by class"),
        (["--pairs", "x.csv"], "--pairs replaces PRED and TRUTH"),
        (["--classes", "0"], "--classes must be 1 to 4096"),
        (["--threshold", "1", "--classes", "3"], "--threshold makes masks binary"),
    ],
)
def test_settings_that_make_no_sense_end_with_2(
    folders: tuple[Path, Path], options: list[object], message: str
) -> None:
    assert message in segeval("score", *folders, *options, expect=2).stderr


def test_help_and_version(tmp_path: Path) -> None:
    assert "score" in segeval("--help").stdout
    assert segeval("--version").stdout == f"segeval {__version__} (counting: {counting()})\n"
    assert "two folders are needed" in segeval("score", expect=2).stderr
    assert "PRED" in segeval("score", "--help").stdout
    save(tmp_path / "a.png", BLOCKS)
    single = segeval("score", tmp_path / "a.png", tmp_path / "a.png", "--format", "total")
    assert single.stdout == "1.0\n"


def test_the_scores_of_images_spread_as_numpy_says(tmp_path: Path) -> None:
    truth = np.zeros((1, 10), int)
    predictions = (np.where(np.arange(10) < n, 1, 0)[None] for n in range(4))
    pairs: dict[str, tuple[object, object]] = {
        str(n): (truth, p) for n, p in enumerate(predictions)
    }
    pairs["void"] = (truth + 255, truth)
    folders = data_set(tmp_path, pairs)
    found = document(*folders, "--classes", 2, "--ignore", 255, "--exclude", 1)["spread"]["miou"]
    values = np.array([1.0, 0.9, 0.8, 0.7])
    assert found["images"] == 4
    assert found["std"] == pytest.approx(np.std(values, ddof=1), rel=1e-12)
    assert found["quartiles"] == pytest.approx([0.775, 0.85, 0.925], rel=1e-12)
    shown = segeval("score", *folders, "--classes", 2, "--exclude", 1, "--ignore", 255).stdout
    said = " ".join(shown.split())
    assert "spread 0.1291 standard deviation of mIoU of 4 images; quartiles 0.7750, 0.8500" in said
    one = document(*folders, "--classes", 2, "--ignore", 255, "--include", "2")["spread"]["miou"]
    assert (one["images"], one["std"]) == (1, None)


@pytest.mark.parametrize("side", ["prediction", "truth"])
def test_a_threshold_that_no_value_reaches_is_a_notice(tmp_path: Path, side: str) -> None:
    grey, mask = np.array([[0, 9, 200, 90]], np.uint8), np.array([[0, 0, 1, 1]], np.uint8)
    folders = data_set(tmp_path, {"a": (mask, grey) if side == "prediction" else (grey, mask)})
    option = "--threshold" if side == "prediction" else "--truth-threshold"
    said = segeval("score", *folders, option, 300).stderr
    held = f"{option} 300 (it holds 0,9,90,200)"
    assert said == f"notice: no {side} reaches {held}, so all of it is background\n"
    assert not segeval("score", *folders, option, 200).stderr
