"""What the environment says and cannot mean: neither a traceback nor a wait."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from made.runs import BLOCKS
from made.sets import data_set, segeval, segeval_process

COMPLETION = """
import os, sys
from segeval.cli.program import app
sys.argv = ["segeval"]
for line in sys.stdin.read().splitlines():
    given = dict(word.split("=", 1) for word in line.split("|"))
    os.environ.update(given)
    try:
        app()
    except SystemExit as end:
        print("CODE", end.code)
    for name in given:
        del os.environ[name]
"""
ASKED = (
    "_SEGEVAL_COMPLETE=complete_bash",
    "_SEGEVAL_COMPLETE=complete_bash|COMP_WORDS=segeval sc|COMP_CWORD=x",
    "_SEGEVAL_COMPLETE=complete_bash|COMP_WORDS=segeval sc|COMP_CWORD=1",
    "_SEGEVAL_COMPLETE=nosuch",
    "_SEGEVAL_COMPLETE=complete_zsh|_TYPER_COMPLETE_ARGS=segeval 'x",
)


def test_completion_without_words_is_said() -> None:
    done = subprocess.run(
        [sys.executable, "-c", COMPLETION],
        input="\n".join(ASKED),
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "COLUMNS": "80"},
    )
    assert done.returncode == 0, done.stderr
    codes = [line for line in done.stdout.splitlines() if line.startswith("CODE")]
    assert codes == ["CODE 2", "CODE 2", "CODE 0", "CODE 1", "CODE 0"]
    assert "\nscore\n" in done.stdout
    assert done.stderr.count("the shell has not said what is to be completed") == 2


@pytest.mark.parametrize("columns", ["99999999", "-5", "0", "x", "9" * 30])
def test_help_and_tables_have_a_sane_width(tmp_path: Path, columns: str) -> None:
    folders = data_set(tmp_path, {"a": (BLOCKS, BLOCKS[::-1])})
    for words in (["score", "--help"], ["score", *folders], ["show", *folders]):
        done = segeval(*words, COLUMNS=columns, TERMINAL_WIDTH="x")
        assert max(map(len, done.stdout.splitlines())) <= 1000


@pytest.mark.slow
def test_a_backend_that_is_none_is_said(tmp_path: Path) -> None:
    folders = data_set(tmp_path, {"a": (BLOCKS, BLOCKS[::-1])})
    words = ["plot", *folders, "-o", tmp_path / "a.svg"]
    said = segeval_process(*words, expect=2, MPLBACKEND="nosuch").stderr
    assert said.startswith("segeval: Matplotlib does not start: ")
    assert said.endswith("; unset MPLBACKEND\n")
    assert said.count("\n") == 1
