"""``segeval compare`` and gates against a baseline, as users type them."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made.sets import data_set, document, save, segeval

from segeval.scoring.metrics import METRICS

BLOCKS = np.kron(np.arange(4).reshape(2, 2), np.ones((8, 8), int)).astype(np.uint8)
NAMES = [f"{number:02}" for number in range(24)]
CI = ["--ci", "200"]


def predictions(folder: Path, shift: int, names: list[str] = NAMES) -> Path:
    """Write predictions: some of the masks shifted, the others perfect."""
    for n, name in enumerate(names):
        save(folder / f"{name}.png", np.roll(BLOCKS, shift if n % 3 else 0, axis=1))
    return folder


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("compared")


@pytest.fixture(scope="module")
def truth(home: Path) -> Path:
    return data_set(home / "set", dict.fromkeys(NAMES, (BLOCKS, BLOCKS)))[1]


@pytest.fixture(scope="module")
def folders(home: Path) -> list[Path]:
    """Return folders of predictions, from good to bad."""
    return [predictions(home / f"model {shift}", shift) for shift in (1, 2, 3)]


@pytest.fixture(scope="module")
def runs(home: Path, truth: Path, folders: list[Path]) -> list[Path]:
    paths = [home / f"{folder.name}.segeval" for folder in folders]
    for folder, path in zip(folders, paths, strict=True):
        segeval("score", folder, truth, "-o", path)
    return paths


def compared(*arguments: object, expect: int = 0) -> dict[str, Any]:
    done = segeval("compare", *arguments, *CI, "--format", "json", expect=expect)
    content: dict[str, Any] = json.loads(done.stdout)
    return content


def test_two_runs(runs: list[Path]) -> None:
    found = compared(*runs[:2])
    miou = found["summary"]["miou"]
    scores = [json.loads(segeval("report", r, "--format", "json").stdout) for r in runs[:2]]
    assert [miou["baseline"], miou["value"]] == [one["summary"]["miou"] for one in scores]
    assert miou["delta"] == miou["value"] - miou["baseline"]
    assert miou["low"] <= miou["delta"] <= miou["high"] < 0
    assert miou["p"] == 1 / 201
    assert found["schema"] == "segeval.comparison/1"
    assert [found["baseline"], found["run"]] == [str(run) for run in runs[:2]]
    assert [row["name"] for row in found["classes"]] == ["0", "1", "2", "3"]
    assert all(row["iou"]["p_holm"] >= row["iou"]["p"] for row in found["classes"])
    assert {*METRICS} == found["classes"][0].keys() - {"index", "name"}
    images = found["images"]
    assert [images[key] for key in ("wins", "ties", "losses", "undefined")] == [0, 8, 16, 0]
    assert len(images["worse"]) == 10
    assert not images["better"]
    assert "ci:200,95%,seed:12345,images|images:24" in found["signature"]


def test_folders_are_counted_and_mixed_with_runs(
    runs: list[Path], folders: list[Path], truth: Path
) -> None:
    expected = compared(*runs[:2])["summary"]
    assert compared(*folders[:2], "--truth", truth)["summary"] == expected
    assert compared(runs[0], folders[1], "--truth", truth)["summary"] == expected


def test_more_runs_are_marked(runs: list[Path]) -> None:
    found = compared(*runs)
    assert found["others"][0]["run"] == str(runs[2])
    assert found["others"][0]["summary"] == compared(runs[0], runs[2])["summary"]
    table = segeval("compare", *runs, runs[0], *CI).stdout
    line = next(line for line in table.splitlines() if line.startswith("mIoU  "))
    assert line.count("▼") == 2
    assert "▲ ▼ better, worse than A with p < 0.05" in table
    assert f"C  {runs[2]}" in table


def test_every_format_says_the_same(runs: list[Path], tmp_path: Path) -> None:
    files = {name: tmp_path / name for name in ("csv", "json", "markdown", "per-image")}
    options = [part for name, path in files.items() for part in (f"--{name}", path)]
    found = compared(*runs, *options)
    assert json.loads(files["json"].read_text("utf-8")) == found
    rows = list(csv.DictReader(files["csv"].read_text("utf-8").splitlines()))
    assert float(rows[0]["delta"]) == found["summary"]["miou"]["delta"]
    assert {row["run"] for row in rows} == {str(run) for run in runs[1:]}
    iou = next(row for row in rows if row["score"] == "iou" and row["class"] == "2")
    assert float(iou["p_holm"]) == found["classes"][2]["iou"]["p_holm"]
    images = list(csv.DictReader(files["per-image"].read_text("utf-8").splitlines()))
    assert len(images) == 48
    assert float(images[1]["delta"]) < 0 == float(images[0]["delta"])
    assert "| mIoU |" in files["markdown"].read_text("utf-8")
    table = segeval("compare", *runs[:2], *CI, "--percent").stdout
    assert f"{found['summary']['miou']['delta'] * 100:.2f}" in table
    assert "mIoU of the images, B against A: better 0, equal 8, worse 16" in table
    assert "  worse  01  " in table


def test_presets_and_labels_hold_for_comparisons(runs: list[Path]) -> None:
    found = compared(*runs[:2], "--like", "kaggle-dice", "--classes", "4")
    assert found["images"]["metric"] == "mdice"
    assert "like:kaggle-dice" in found["signature"]
    assert "dice.1" in segeval("compare", *runs[:2], *CI, "--like", "kaggle-dice").stdout


def test_other_images_are_listed_or_left_out(runs: list[Path], tmp_path: Path, truth: Path) -> None:
    part = predictions(tmp_path / "part", 2, NAMES[:20])
    run = tmp_path / "part.segeval"
    segeval("score", part, truth, "--missing", "skip", "-o", run)
    said = segeval("compare", runs[0], run, expect=3).stderr
    assert "run 2 lacks 4 images: 20, 21, 22, 23" in said
    found = compared(runs[0], run, "--common")
    assert "|missing:skip|" in found["signature"]
    assert "|common:20of24|" in found["signature"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "two runs or more are needed"),
        (["again", "--truth", "."], "all runs are counted already"),
        (["again", "--workers", "2"], "all runs are counted already; leave out --workers"),
        (["."], "is no run file; name the true masks with --truth"),
        (["again", "--json", "again"], "is the run or the baseline"),
        (["again", "--exclude", "sky", "--classes", "4"], "no class is called 'sky'"),
    ],
)
def test_comparisons_that_make_no_sense_end_with_2(
    runs: list[Path], options: list[str], message: str
) -> None:
    arguments = [runs[1] if option == "again" else option for option in options]
    assert message in segeval("compare", runs[0], *arguments, expect=2).stderr


def test_a_run_that_is_not_there_ends_with_3(runs: list[Path], tmp_path: Path) -> None:
    said = segeval("compare", runs[0], tmp_path / "nothing.segeval", expect=3).stderr
    assert "there is no such run file" in said


def test_what_is_neither_run_nor_folder_is_named(
    runs: list[Path], truth: Path, tmp_path: Path
) -> None:
    document, text = tmp_path / "scores.JSON", tmp_path / "scores.txt"
    for path in (document, text):
        path.write_text("{}")
    said = segeval("compare", document, runs[0], expect=2).stderr
    assert f"{document}: a JSON document cannot be compared; name the run file" in said
    said = segeval("compare", runs[0], text, "--truth", truth, expect=2).stderr
    assert f"{text} is neither a run file (score -o RUN) nor a folder" in said


def test_settings_of_folders_do_not_hinder_runs(runs: list[Path], tmp_path: Path) -> None:
    config = tmp_path / "segeval.toml"
    config.write_text('prediction = "pred"\ntruth = "truth"\nmissing = "skip"\n')
    segeval("compare", *runs[:2], *CI, "--config", config)


def test_many_classes_need_many_rounds(tmp_path: Path) -> None:
    many = np.arange(64).reshape(8, 8)
    folders = data_set(tmp_path, dict.fromkeys("ab", (many, many)))
    said = segeval("compare", folders[0], folders[1], "--truth", folders[1], *CI).stderr
    assert "with 64 classes and 200 rounds no corrected p can be below 0.32; type --ci 2000" in said


def gates(*arguments: object, expect: int = 0) -> dict[str, dict[str, Any]]:
    return {gate["metric"]: gate for gate in document(*arguments, expect=expect)["gates"]}


@pytest.fixture(scope="module")
def baselines(runs: list[Path], home: Path) -> list[Path]:
    """Return the same baseline as a run, and as a document."""
    path = home / "baseline.json"
    segeval("report", runs[0], "--json", path)
    return [runs[0], path]


def test_no_drop_passes(baselines: list[Path], folders: list[Path], truth: Path) -> None:
    for baseline in baselines:
        held = gates(folders[0], truth, "--baseline", baseline)
        assert list(held) == ["images", "classes", "miou"]
        assert all(gate["passed"] for gate in held.values())
        assert held["miou"]["drop"] == 0 == held["miou"]["max_drop"]
        assert held["images"] == {
            "metric": "images", "value": 24, "baseline": 24, "drop": 0, "max_drop": 0.0,
            "passed": True,
        }  # fmt: skip


def test_a_drop_is_compared_to_eleven_digits(
    baselines: list[Path], folders: list[Path], truth: Path
) -> None:
    before, after = (document(folder, truth)["summary"]["miou"] for folder in folders[:2])
    drop = before - after
    for baseline in baselines:
        options = [folders[1], truth, "--baseline", baseline, "--max-drop"]
        assert gates(*options, repr(drop))["miou"]["passed"]
        below = drop - 1e-11
        failed = gates(*options, repr(below), expect=1)["miou"]
        assert failed == {
            "metric": "miou", "value": after, "baseline": before, "drop": drop,
            "max_drop": below, "passed": False,
        }  # fmt: skip
        said = segeval("score", *options, repr(below), expect=1).stderr
        assert f"gate failed: miou = {after!r}, at most {below!r} below {before!r}" in said


def test_relative_drops_and_drops_of_classes(
    baselines: list[Path], folders: list[Path], truth: Path
) -> None:
    options = [folders[1], truth, "--baseline", baselines[1]]
    held = gates(*options, "--max-drop", "1%", "--max-drop", "iou.*=50%", expect=1)
    assert [name for name, gate in held.items() if not gate["passed"]] == ["miou"]
    assert held["miou"]["relative"]
    assert list(held)[3:] == ["iou.0", "iou.1", "iou.2", "iou.3"]
    assert gates(*options, "--max-drop", "mdice=1")["mdice"]["passed"]


def test_only_certain_drops_fail_if_told(
    tmp_path: Path, runs: list[Path], folders: list[Path], truth: Path
) -> None:
    certain = ["--significant", *CI]
    failed = gates(folders[1], truth, "--baseline", runs[0], *certain, expect=1)["miou"]
    assert failed["interval"][1] < 0
    other = predictions(tmp_path / "other", 1)
    save(other / "00.png", np.roll(BLOCKS, 2, axis=1))
    held = gates(other, truth, "--baseline", runs[0], *certain)["miou"]
    assert held["drop"] > 0
    assert held["interval"][0] < 0 == held["interval"][1]
    gates(other, truth, "--baseline", runs[0], expect=1)


def test_what_vanished_fails_unless_it_is_named(tmp_path: Path, baselines: list[Path]) -> None:
    kept = [name for name in NAMES if name != "05"]
    void = np.where(BLOCKS == 3, 255, BLOCKS)
    for name in kept:
        save(tmp_path / "truth" / f"{name}.png", void)
        save(tmp_path / "pred" / f"{name}.png", np.where(void == 255, 0, void))
    paths = [tmp_path / "pred", tmp_path / "truth"]
    for baseline in baselines:
        options = [*paths, "--baseline", baseline]
        failed = gates(*options, expect=1)
        assert not failed["images"]["passed"]
        assert failed["images"]["value"] == 23
        assert failed["classes"]["missing"] == ["3"]
        assert failed["miou"]["passed"]
        said = segeval("score", *options, expect=1).stderr
        assert "gate failed: classes = 3, 4 in the baseline; missing: 3; type --allow-mis" in said
        allowed = ["--allow-missing", "3", "--allow-missing", "05"]
        held = gates(*options, *allowed, "--max-drop", "iou.*=0")
        for name, there, gone in (("images", 24, "05"), ("classes", 4, "3")):
            assert held[name] == {
                "metric": name, "value": there - 1, "baseline": there, "drop": 1, "max_drop": 1,
                "waived": [gone], "passed": True,
            }  # fmt: skip
        shown = segeval("score", *options, *allowed).stdout
        assert "23 (24 in the baseline; may be missing: 05)" in shown
        assert "3 (4 in the baseline; may be missing: 3)" in shown
        segeval("score", *options, "--allow-missing", "3", "--allow-missing", "04", expect=1)
        undefined = segeval("score", *options, *allowed, "--max-drop", "iou.3=1", expect=1)
        assert "undefined  iou.3" in undefined.stdout
        assert "gate failed: iou.3 is undefined, at most 1.0 below" in undefined.stderr
    assert gates(*paths, "--baseline", baselines[0], expect=1)["images"]["missing"] == ["05"]


@pytest.mark.parametrize(
    "case",
    [
        (["--max-drop", "0.1"], 2, "need --baseline FILE"),
        (["--significant"], 2, "need --baseline FILE"),
        (["--baseline", "nothing"], 2, "there is no such file"),
        (["--baseline", "JSON", "--significant"], 2, "--significant needs the counts"),
        (["--baseline", "JSON", "--max-drop", "x"], 2, "is neither a difference from 0 to 1"),
        (["--baseline", "JSON", "--max-drop", "-1"], 2, "is neither a difference from 0 to 1"),
        (["--baseline", "JSON", "--max-drop", "5"], 2, "is neither a difference from 0 to 1"),
        (["--baseline", "JSON", "--max-drop", "nan"], 2, "is neither a difference from 0 to 1"),
        (["--baseline", "JSON", "--max-drop", "nosuch=0.1"], 2, "names no score by 'nosuch'"),
        (["--baseline", "JSON", "--json", "JSON"], 2, "is the run or the baseline"),
        (["--baseline", "RUN", "--allow-missing", "sky"], 2, "has no such class or image"),
        (["--baseline", "JSON", "--pooling", "image"], 3, "pooling:dataset there, pooling:image"),
        (
            ["--baseline", "TRUTH"],
            3,
            "neither a run file nor a document (cannot be read: line 3 holds NUL",
        ),
        (["--baseline", "LIST"], 3, "neither a run file nor a document of schema"),
    ],
)
def test_baselines_that_make_no_sense(
    baselines: list[Path], folders: list[Path], truth: Path, case: tuple[list[str], int, str]
) -> None:
    options, code, message = case
    listed = truth.parent / "list.json"
    listed.write_text("[]")
    places = {"RUN": baselines[0], "JSON": baselines[1], "TRUTH": truth / "00.png", "LIST": listed}
    given = [places.get(option, option) for option in options]
    assert message in segeval("score", folders[0], truth, *given, expect=code).stderr


def test_predictions_of_two_kinds_each_have_a_threshold_of_their_own(tmp_path: Path) -> None:
    truth = np.array([[0, 1, 1, 0]], np.uint8)
    levels = np.array([[9, 200, 90, 0]], np.uint8)
    shares = np.array([[0.2, 0.7, 0.6, 0.51]], np.float32)
    grey, masks = data_set(tmp_path, dict.fromkeys("ab", (truth, levels)))
    maps = tmp_path / "maps"
    maps.mkdir()
    for name in "ab":
        np.save(maps / f"{name}.npy", shares)
    for threshold in (0.5, 128, 1):
        typed = ["--truth", masks, "--threshold", threshold]
        said = segeval("compare", grey, maps, *typed, expect=3).stderr
        assert "run 1 are whole numbers 0 to 200, which --threshold 128 fits; those of" in said
        assert "run 2 are floats 0.2 to 0.7, which --threshold 0.5 fits. One threshold does" in said
        assert "by `segeval losses PRED TRUTH --threshold V -o RUN`" in said
    runs = [tmp_path / "a.segeval", tmp_path / "b.segeval"]
    for folder, threshold, run in zip((grey, maps), (128, 0.5), runs, strict=True):
        segeval("losses", folder, masks, "--threshold", threshold, "-o", run)
    iou = compared(*runs)["classes"][1]["iou"]
    assert (iou["baseline"], iou["value"]) == (1 / 2, 2 / 3)


def test_what_is_said_of_all_runs_is_said_once(tmp_path: Path) -> None:
    mask = BLOCKS % 2 * 255
    folders = data_set(tmp_path, {"a": (mask, mask), "b": (mask, mask)})
    run = tmp_path / "a.segeval"
    segeval("score", *folders, "-o", run)
    said = segeval("compare", run, run, "--ci", 100).stderr
    assert said.count("the masks hold nothing but 0 and 255") == 1
    assert "scored as binary" not in segeval("compare", run, run, "--ci", 100, "--quiet").stderr
