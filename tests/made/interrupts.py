"""Commands that are interrupted while they count, however slow the machine is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

PROGRAM = """
import segeval.counting.dataset as dataset
from segeval.cli import main

def announced(*arguments, **options):
    print("counting", flush=True)
    return mapped(*arguments, **options)

mapped, dataset.ordered_map = dataset.ordered_map, announced
main()
"""
PROMPT = 5.0  # seconds; the work itself would take many more


def interrupted(*words: object, folder: Path) -> tuple[int, str]:
    """Press Ctrl-C amid counting; return the exit code and what was said.

    All processes must have ended at once, and nothing may be printed.
    """
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *map(str, words)],
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "counting\n"
        time.sleep(0.5)
        started = time.monotonic()
        os.killpg(process.pid, signal.SIGINT)
        printed, said = process.communicate(timeout=20)
    assert printed == ""
    assert time.monotonic() - started < PROMPT
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)
    return process.returncode, said
