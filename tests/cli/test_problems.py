"""Bad data: every problem at once, by file, with exit code 3 and no traceback."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from made.interrupts import interrupted
from made.sets import data_set, save, segeval
from PIL import Image

BLOCKS = np.kron(np.arange(4).reshape(2, 2), np.ones((8, 8), int)).astype(np.uint8)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def corrupt(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[data.index(b"IDAT") + 8] ^= 0xFF
    path.write_bytes(bytes(data))


def claim_too_much(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[16:24] = struct.pack(">II", 60000, 60000)
    data[29:33] = zlib.crc32(data[12:29]).to_bytes(4, "big")
    path.write_bytes(bytes(data))


def rename_to_jpg(path: Path) -> None:
    path.unlink()
    Image.fromarray(BLOCKS).save(path.with_suffix(".jpg"))


def unknown_value(path: Path) -> None:
    mask = BLOCKS.copy()
    mask[0, 0] = 77
    save(path, mask)


DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "truncated": (truncate, "the file is broken"),
    "corrupt": (corrupt, "the file is broken"),
    "empty": (lambda path: path.write_bytes(b""), "0 bytes"),
    "text": (lambda path: path.write_text("no image"), "not an image"),
    "jpeg": (lambda path: Image.fromarray(BLOCKS).save(path, format="JPEG"), "JPEG is lossy"),
    "jpg": (rename_to_jpg, "JPEG is lossy"),
    "huge": (claim_too_much, "60000×60000"),
    "size": (lambda path: save(path, BLOCKS[:8]), "--resize-prediction"),
    "missing": (Path.unlink, "--missing skip"),
    "twice": (lambda path: Image.fromarray(BLOCKS).save(path.with_suffix(".tif")), "keep one"),
    "unknown": (unknown_value, "77 on 1 pixel is no class"),
}


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    return data_set(tmp_path, dict.fromkeys(("good", *DAMAGE), (BLOCKS, BLOCKS)))


NO_PROBLEM = {("missing", "truth"), ("jpg", "truth")}
"""A missing truth makes an extra prediction, which is left out with a notice."""


@pytest.mark.parametrize(
    ("kind", "side"),
    [(k, s) for k in DAMAGE for s in ("pred", "truth") if (k, s) not in NO_PROBLEM],
)
def test_each_kind_of_damage_is_named(folders: tuple[Path, Path], kind: str, side: str) -> None:
    damage, message = DAMAGE[kind]
    damage((folders[0] if side == "pred" else folders[1]) / f"{kind}.png")
    for command in ("score", "check"):
        done = segeval(command, *folders, "--classes", "4", expect=3)
        said = done.stderr if command == "score" else done.stdout
        assert message in said
        assert kind in said
        assert said.count("\n  ") == 1


def test_all_problems_are_reported_together(folders: tuple[Path, Path]) -> None:
    for kind, (damage, _) in DAMAGE.items():
        damage(folders[0] / f"{kind}.png")
    unknown_value(folders[1] / "good.png")
    done = segeval("score", *folders, "--classes", "4", expect=3)
    assert done.stderr.startswith(f"segeval: {len(DAMAGE) + 1} problems in the data")
    for kind, (_, message) in DAMAGE.items():
        assert any(kind in line and message in line for line in done.stderr.splitlines())
    assert "unknown value in the truth" in done.stderr
    assert done.stdout == ""


def test_empty_and_absent_folders_are_named(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = segeval("score", tmp_path / "empty", tmp_path / "nowhere", expect=3)
    assert f"{tmp_path / 'empty'} holds no masks" in done.stderr
    assert f"{tmp_path / 'nowhere'} does not exist" in done.stderr


@pytest.mark.parametrize("option", ["--csv", "--json", "--per-image", "--confusion", "--markdown"])
def test_an_unwritable_output_stops_before_counting(
    folders: tuple[Path, Path], tmp_path: Path, option: str
) -> None:
    truncate(folders[0] / "truncated.png")
    (tmp_path / "no").touch()
    done = segeval("score", *folders, option, tmp_path / "no" / "out", expect=3)
    assert "no file can be made" in done.stderr
    assert "truncated" not in done.stderr
    assert "is a folder" in segeval("score", *folders, option, tmp_path, expect=3).stderr


def test_problems_that_differ_in_the_name_alone_are_one_line(tmp_path: Path) -> None:
    folders = data_set(tmp_path, {f"image {n:02d}": (BLOCKS, BLOCKS) for n in range(30)})
    for n in range(25):
        (folders[0] / f"image {n:02d}.png").unlink()
    for n in range(25, 29):
        DAMAGE["jpeg"][0](folders[1] / f"image {n:02d}.png")
    said = segeval("score", *folders, expect=3).stderr.splitlines()
    names = "image 00, image 01, image 02, …; `segeval check` lists them all"
    assert said[0].endswith(
        "nothing was scored; --on-error skip leaves out pairs that cannot be read"
    )
    assert said[1].startswith(f"  missing prediction (25: {names}): {folders[1]}/image 00.png has")
    assert said[2].startswith("  unreadable mask (4: image 25, image 26, image 27, …; ")
    assert len(said) == 3
    assert segeval("check", *folders, expect=3).stdout.count("missing prediction") == 25


def test_many_problems_of_one_kind_are_counted(tmp_path: Path) -> None:
    folders = data_set(tmp_path, {f"image {n:02d}": (BLOCKS, BLOCKS) for n in range(25)})
    for n in range(25):
        save(folders[0] / f"image {n:02d}.png", np.zeros((8, n + 1), np.uint8))
    done = segeval("score", *folders, expect=3)
    assert "sizes differ: and 5 more; `segeval check` lists them all" in done.stderr


def test_the_same_folder_on_both_sides_is_said(tmp_path: Path) -> None:
    pred, truth = data_set(tmp_path, {"a": (BLOCKS, BLOCKS)})
    said = segeval("score", truth, truth.parent / "pred" / ".." / truth.name).stderr
    assert "is PRED and TRUTH at once" in said
    assert "at once" not in segeval("score", pred, truth).stderr


@pytest.mark.parametrize(
    "command", [["view"], ["plot", "-o", "a.svg"], ["sweep"], ["explain"], ["report"]]
)
def test_a_run_that_is_not_there_is_named(tmp_path: Path, command: list[str]) -> None:
    name, *rest = command
    said = segeval(name, "gone.segeval", *rest, cwd=tmp_path, expect=3).stderr
    assert said == "segeval: gone.segeval: there is no such run file\n"


@pytest.mark.parametrize(
    ("typed", "meant", "code"),
    [
        (["--labels", "citiscapes"], "cityscapes", 2),
        (["--like", "mmsge"], "mmseg", 2),
        (["--fail-under", "mio=0.5"], "miou", 2),
        (["--fail-under", "dise.1=0.5"], "dice", 2),
        (["--exclude", "backgroud", "--labels", "binary"], "background", 2),
    ],
)
def test_names_that_are_nearly_right_are_proposed(
    tmp_path: Path, typed: list[str], meant: str, code: int
) -> None:
    folders = data_set(tmp_path, {"a": (BLOCKS, BLOCKS)})
    said = segeval("score", *folders, *typed, expect=code).stderr
    assert "did you mean" in said
    assert meant in said.partition("did you mean")[2][:14]


def test_grey_jpeg_predictions_need_a_threshold_and_truths_are_never_jpeg(tmp_path: Path) -> None:
    grey = np.kron([[0, 255], [255, 0]], np.ones((8, 8), int)).astype(np.uint8)
    pred, truth = data_set(tmp_path, {"a": (grey, grey)})
    (pred / "a.png").unlink()
    Image.fromarray(grey).save(pred / "a.jpg")
    assert "with --threshold" in segeval("score", pred, truth, expect=3).stderr
    run = tmp_path / "r.segeval"
    done = segeval("score", pred, truth, "--threshold", "128", "-o", run, "--format", "total")
    assert done.stdout == "1.0\n"
    assert "JPEG changes values" in done.stderr
    assert "JPEG, which is lossy: type --threshold" in segeval("report", run, expect=3).stderr
    assert "AUROC" in segeval("sweep", pred, truth).stdout
    assert "JPEG is lossy" in segeval("score", truth, pred, "--threshold", "9", expect=3).stderr
    Image.fromarray(grey).convert("RGB").save(pred / "a.jpg")
    said = segeval("score", pred, truth, "--threshold", "128", expect=3).stderr
    assert "it is a JPEG in colour" in said


def test_check_of_good_data_ends_with_0(tmp_path: Path) -> None:
    folders = data_set(tmp_path, {"a": (BLOCKS, BLOCKS)})
    save(folders[0] / "extra.png", BLOCKS)
    done = segeval("check", *folders)
    assert "problems    none" in done.stdout
    assert "truth       0..3 (1 PNG grey 8-bit)" in done.stdout
    assert "1 prediction without a truth" in done.stdout


@pytest.mark.parametrize(
    ("options", "more"),
    [
        (["--workers", "1"], ""),
        (["--workers", "2", "-o", "run.segeval"], "; --resume goes on where it stopped"),
    ],
)
def test_ctrl_c_ends_at_once_with_130(tmp_path: Path, options: list[str], more: str) -> None:
    mask = np.random.default_rng(0).integers(0, 19, (1024, 2048)).astype(np.uint8)
    folders = data_set(tmp_path, {"0": (mask, mask)})
    for number in range(1, 4000):
        for folder in folders:
            os.link(folder / "0.png", folder / f"{number}.png")
    found = interrupted("score", *folders, *options, folder=tmp_path)
    assert found == (130, f"segeval: interrupted{more}\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full device here")
def test_a_full_disk_is_one_message(folders: tuple[Path, Path]) -> None:
    done = segeval("score", *folders, "--json", "/dev/full", expect=3)
    assert "/dev/full: cannot be written: No space left on device" in done.stderr
