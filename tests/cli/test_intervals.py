"""Intervals and gates on them, as users type them."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from made.sets import data_set, document, segeval

BLOCKS = np.kron(np.arange(4).reshape(2, 2), np.ones((8, 8), int)).astype(np.uint8)
CI = ["--ci", "200"]


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    pairs: dict[str, tuple[object, object]] = {
        f"{number:02}": (BLOCKS, np.roll(BLOCKS, number % 5, axis=1)) for number in range(24)
    }
    return data_set(tmp_path, pairs)


def test_bounds_are_in_every_report(folders: tuple[Path, Path], tmp_path: Path) -> None:
    files = ["--csv", tmp_path / "c.csv", "--markdown", tmp_path / "m.md"]
    found = document(*folders, *CI, *files)
    low, high = found["intervals"]["miou"]
    assert low < found["summary"]["miou"] < high
    assert found["intervals"].keys() == found["summary"].keys()
    assert found["resampling"] == {
        "resamples": 200, "level": 0.95, "seed": 12345, "unit": "images", "units": 24,
        "undefined": {},
    }  # fmt: skip
    assert "|ci:200,95%,seed:12345,images|" in found["signature"]
    for row in found["classes"]:
        assert all(a <= row[name] <= b for name, (a, b) in row["intervals"].items())
    rows = list(csv.DictReader((tmp_path / "c.csv").read_text("utf-8").splitlines()))
    assert float(rows[-1]["iou_low"]) == low
    assert float(rows[1]["recall_high"]) == found["classes"][1]["intervals"]["recall"][1]
    shown = f"{low:.4f} … {high:.4f}"
    assert shown in (tmp_path / "m.md").read_text("utf-8")
    table = segeval("score", *folders, *CI)
    assert f"{shown}  mean of tp" in table.stdout
    assert table.stdout.splitlines()[-3].startswith("mean  ")
    assert not table.stderr


def test_a_narrow_terminal_cuts_no_bound_off(folders: tuple[Path, Path]) -> None:
    wide = segeval("score", *folders, *CI).stdout
    rows = {line for line in wide.splitlines() if line.count("…") == 4}
    assert len(rows) == 5
    assert rows <= set(segeval("score", *folders, *CI, COLUMNS="40").stdout.splitlines())
    both = [folders[0], folders[1], "--truth", folders[1], *CI]
    wide, narrow = (segeval("compare", *both, COLUMNS=width).stdout for width in ("200", "40"))
    rows = {line for line in wide.splitlines() if " … " in line}
    assert len(rows) == 8
    assert rows <= set(narrow.splitlines())


def test_nothing_changes_for_those_who_do_not_ask(folders: tuple[Path, Path]) -> None:
    found, asked = document(*folders), document(*folders, *CI)
    assert "intervals" not in found
    assert "ci:" not in found["signature"]
    assert "iou_low" not in segeval("score", *folders, "--format", "csv").stdout
    assert found["summary"] == asked["summary"]


def test_the_same_seed_gives_the_same_document(folders: tuple[Path, Path], tmp_path: Path) -> None:
    run = tmp_path / "run.segeval"
    first = segeval("score", *folders, *CI, "--format", "json", "-o", run).stdout
    again = segeval("report", run, *CI, "--format", "json").stdout
    assert json.loads(first)["intervals"] == json.loads(again)["intervals"]
    other = document(*folders, *CI, "--seed", "1")
    assert other["intervals"] != json.loads(first)["intervals"]
    assert "seed:1,images" in other["signature"]


@pytest.mark.parametrize("like", ["monai", "kaggle-dice", "jdt-image:worst", "cityscapes"])
def test_presets_have_intervals(folders: tuple[Path, Path], like: str) -> None:
    found = document(*folders, *CI, "--like", like)
    for name, value in found["summary"].items():
        low, high = found["intervals"][name]
        assert value is None or low <= value <= high, name


def test_groups_of_pairs_are_drawn_as_a_whole(folders: tuple[Path, Path], tmp_path: Path) -> None:
    table = tmp_path / "pairs.csv"
    rows = [f"pred/{n:02}.png,truth/{n:02}.png,{n % 5}" for n in range(24)]
    table.write_text("\n".join(["prediction,truth,group", *rows]))
    done = segeval("score", "--pairs", table, *CI, "--format", "json")
    found = json.loads(done.stdout)
    assert found["resampling"]["unit"] == "groups"
    assert found["resampling"]["units"] == 5
    assert "seed:12345,groups" in found["signature"]
    assert "notice: 5 groups only" in done.stderr
    images = document(*folders, *CI)
    width, narrow = (np.ptp(one["intervals"]["miou"]) for one in (found, images))
    assert width > narrow
    assert all("intervals" not in group["classes"][0] for group in found["groups"])


def test_few_images_and_rare_classes_are_said(tmp_path: Path) -> None:
    rare = np.where(BLOCKS == 3, 4, BLOCKS)
    folders = data_set(tmp_path, {"a": (BLOCKS, BLOCKS), "b": (BLOCKS, BLOCKS), "c": (rare, rare)})
    done = segeval("score", *folders, *CI, "--classes", "6", "--format", "json")
    assert "notice: 3 images only; intervals of less than 20 are unreliable" in done.stderr
    found = json.loads(done.stdout)
    counts = [row["undefined"].get("iou", 0) for row in found["classes"]]
    assert counts[:3] == [0, 0, 0]
    assert 0 < counts[3] < 25
    assert 40 < counts[4] < 80
    assert counts[5] == 200
    assert found["classes"][5]["intervals"]["iou"] == [None, None]
    assert (
        f"undefined in some of 200 resamples, which the interval leaves out: 3 ({counts[3]})"
        in (done.stderr)
    )
    assert "5 (200)" not in done.stderr
    assert not segeval("score", *folders, *CI, "--quiet").stderr


def test_one_image_is_an_error(tmp_path: Path) -> None:
    folders = data_set(tmp_path, {"a": (BLOCKS, BLOCKS)})
    said = segeval("score", *folders, *CI, expect=3).stderr
    assert "an interval needs 2 images or more, and there is 1" in said


def test_gates_look_at_the_lower_bound(folders: tuple[Path, Path]) -> None:
    found = document(*folders, *CI)
    low = found["intervals"]["miou"][0]
    road = found["classes"][1]["intervals"]["iou"][0]
    held = document(
        *folders, *CI, "--fail-under", f"miou.low={low!r}", "--fail-under", f"iou.1.low={road!r}",
        "--fail-under", "dice.*.low=0.1",
    )["gates"]  # fmt: skip
    assert [gate["metric"] for gate in held] == [
        "miou.low", "iou.1.low", "dice.0.low", "dice.1.low", "dice.2.low", "dice.3.low",
    ]  # fmt: skip
    assert all(gate["passed"] for gate in held)
    above = float(np.nextafter(low, 1))
    failed = segeval("score", *folders, *CI, "--fail-under", f"miou.low={above!r}", expect=1)
    assert f"miou.low = {low!r}, at least {above!r} is asked for" in failed.stderr
    high = document(*folders, *CI, "--fail-under", "miou.high=0.1")["gates"][0]["value"]
    assert high == found["intervals"]["miou"][1]


def test_a_class_may_be_called_low(folders: tuple[Path, Path], tmp_path: Path) -> None:
    names = tmp_path / "names.txt"
    names.write_text("low\nhigh\nroad\ncar\n")
    gates = document(*folders, "--labels", names, "--fail-under", "iou.low=0.1")["gates"]
    assert gates[0]["metric"] == "iou.low"
    bound = ["--fail-under", "iou.low.low=0.1"]
    assert document(*folders, "--labels", names, *CI, *bound)["gates"][0]["passed"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--fail-under", "miou.low=0.5"], "there are intervals only with --ci"),
        ([*CI, "--fail-under", "nosuch.low=0.5"], "no score is called 'nosuch'"),
        ([*CI, "--fail-under", "iou.sky.low=0.5"], "no class is called 'sky'"),
        (["--ci", "9"], "the number of resamples is 10 to 100000"),
        ([*CI, "--seed", "-1"], "--seed is 0 or more"),
        ([*CI, "--group-by", "(.)", "--fail-under", "miou.low@0=0.5"], "of all images together"),
    ],
)
def test_settings_that_make_no_sense_end_with_2(
    folders: tuple[Path, Path], options: list[str], message: str
) -> None:
    assert message in segeval("score", *folders, *options, expect=2).stderr


def test_a_reader_that_goes_away_is_no_error(folders: tuple[Path, Path]) -> None:
    program = f'"{sys.executable}" -m segeval compare --truth "{folders[1]}" --format json'
    shell = f'{program} "{folders[0]}" "{folders[1]}"'
    done = subprocess.run(
        [
            "bash",
            "-c",
            f"set -o pipefail; {shell} | head -n 1",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout, done.stderr) == ("{\n", "")
