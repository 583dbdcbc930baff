"""What nobody expected: one line, an exit code that means nothing else, and no traceback."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from made.sets import data_set, segeval

from segeval.counting import processes

HALVES = np.repeat([[0, 1]], 4, axis=0).astype(np.uint8)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ("ValueError('odd\\x1b[2J')", r"segeval: ValueError: odd\x1b[2J; this is a fault of segev"),
        ("type('Panic', (BaseException,), {})('no')", "segeval: Panic: no; this is a fault of seg"),
        (
            "MemoryError()",
            "segeval: there is not enough memory; try --workers 1, or a smaller --ma",
        ),
        ("OSError(36, 'File name too long', 'x')", "segeval: x: File name too long\n"),
    ],
)
def test_what_a_command_does_not_expect_is_one_line(error: str, said: str) -> None:
    program = f"""
import sys
import segeval.counting.dataset
def count(*_, **__):
    raise {error}
segeval.counting.dataset.count_dataset = count
sys.argv[1:] = ["score", "a", "b"]
from segeval.cli import main
main()
"""
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == (4 if "fault" in said else 3)
    assert done.stderr.startswith(said)
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("redirected", "code"), [("2>&-", 0), ("2>&- <&-", 0), (">&-", 3), (">&- 2>&-", 3)]
)
def test_closed_streams_are_no_fault(tmp_path: Path, redirected: str, code: int) -> None:
    folders = data_set(tmp_path, {"a": (HALVES, HALVES)})
    command = shlex.join([sys.executable, "-m", "segeval", "score", *map(str, folders)])
    done = subprocess.run(
        ["sh", "-c", f"{command} {redirected}"], capture_output=True, text=True, check=False
    )
    assert done.returncode == code
    assert done.stdout.startswith("class") == (">&-" not in redirected.replace("2>&-", ""))
    assert done.stderr == ("segeval: stdout cannot be written: not writable\n" * (code == 3)) * (
        "2>" not in redirected
    )


def test_help_has_a_place_in_any_encoding() -> None:
    command = [sys.executable, "-m", "segeval", "score", "--help"]
    done = subprocess.run(
        command, capture_output=True, check=False, env={"PYTHONIOENCODING": "ascii"}
    )
    assert done.returncode == 0
    assert done.stdout.isascii()


@pytest.mark.parametrize("options", [[], ["--quiet"]])
def test_where_no_worker_can_start_a_notice_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str]
) -> None:
    def refuse(team: list[object], function: Callable[..., object], workers: int) -> str:
        del team, function, workers
        return "No space left on device"

    monkeypatch.setattr(processes, "_start", refuse)
    monkeypatch.setattr("segeval.counting.native.KERNEL", None)  # with it, threads do the work
    folders = data_set(tmp_path, dict.fromkeys("abc", (HALVES, HALVES)))
    done = segeval("score", *folders, "--workers", 2, *options)
    notice = (
        "notice: no worker process can be started (No space left on device), so one process does "
        "the work\n"
    )
    assert done.stderr == ("" if options else notice)
    assert "images:3" in done.stdout
