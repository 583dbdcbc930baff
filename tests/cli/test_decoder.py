"""Where kornia-rs cannot be imported, Pillow reads everything, and that is said once."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from made.sets import data_set, save, segeval

if TYPE_CHECKING:
    from pathlib import Path

NOTICE = (
    "notice: kornia-rs cannot be imported, so Pillow reads every PNG: the same values, more slowly"
)
WITHOUT = "import sys; sys.modules['kornia_rs'] = None; "


def without_kornia(program: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", WITHOUT + program, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=True,
    )


def test_the_document_is_the_same_without_kornia_rs_and_it_is_said_once(
    samples: Path, tmp_path: Path
) -> None:
    arguments = ["score", samples / "pred", samples / "truth", "--format", "json"]
    arguments += ["--labels", samples / "labels.toml", "--workers", "2"]
    main = "from segeval.cli import main; main()"
    done = without_kornia(main, *arguments, "-o", tmp_path / "run")
    assert done.stderr == f"{NOTICE}\n"
    with_kornia = segeval(*arguments, "-o", tmp_path / "other")
    assert NOTICE not in with_kornia.stderr
    assert done.stdout == with_kornia.stdout
    reports = [
        segeval("report", tmp_path / n, "--per-image", tmp_path / f"{n}.csv")
        for n in ("run", "other")
    ]
    assert reports[0].stdout == reports[1].stdout
    assert (tmp_path / "run.csv").read_bytes() == (tmp_path / "other.csv").read_bytes()


def test_the_library_warns_of_nothing_without_kornia_rs(samples: Path) -> None:
    program = (
        "import segeval; print(segeval.score(prediction=sys.argv[1], truth=sys.argv[2]).signature)"
    )
    done = without_kornia(program, samples / "pred", samples / "truth")
    assert "classes:8" in done.stdout
    assert not done.stderr


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    monkeypatch.setattr("segeval.inputs.formats.png.DECODERS", {})
    pair = np.array([[0, 1], [1, 1]]), np.array([[0, 1], [0, 1]])
    return data_set(tmp_path, {"a": pair, "b": pair})


@pytest.mark.parametrize(
    "command",
    [
        ["score"],
        ["check"],
        ["explain"],
        ["overlay", "-o", "OUT"],
        ["plot", "-o", "OUT.svg"],
        ["show", "a"],
    ],
    ids=lambda command: command[0],
)
def test_every_command_that_counts_masks_says_it_once(
    folders: tuple[Path, Path], tmp_path: Path, command: list[str]
) -> None:
    name, *more = command
    options = [word.replace("OUT", str(tmp_path / "out")) for word in more]
    done = segeval(name, *folders, *options)
    assert done.stderr.count(NOTICE) == 1


def test_comparisons_say_it_once_and_only_of_folders(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    prediction, truth = folders
    for name in ("one", "two"):
        segeval("score", *folders, "-o", tmp_path / name)
    compared: list[Any] = [prediction, truth, "--truth", truth]
    assert segeval("compare", *compared).stderr.count(NOTICE) == 1
    assert NOTICE not in segeval("compare", tmp_path / "one", tmp_path / "two").stderr
    assert NOTICE not in segeval("report", tmp_path / "one").stderr


def test_losses_say_it_once(folders: tuple[Path, Path], tmp_path: Path) -> None:
    for name in ("a", "b"):
        save(tmp_path / "probs" / f"{name}.png", np.array([[0, 255], [9, 200]]))
    done = segeval("losses", tmp_path / "probs", folders[1])
    assert done.stderr.count(NOTICE) == 1


def test_quiet_silences_it(folders: tuple[Path, Path]) -> None:
    assert not segeval("score", *folders, "--quiet").stderr
