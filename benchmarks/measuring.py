"""How things are measured: whole processes, in turns, so that a noisy moment hits all alike."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = [
    "interleave",
    "output",
    "peak_memory",
    "processor_seconds",
    "seconds",
    "seconds_together",
]

Name = TypeVar("Name")

LAUNCHER: Final = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""
"""A program takes over the peak of the process that starts it, so a tiny process starts it."""


def interleave(
    measures: Mapping[Name, Callable[[], float]], rounds: int
) -> dict[Name, list[float]]:
    """Take every measure once a round: A B C, A B C, and so on.

    Returns
    -------
    dict
        For each name one value a round, in the order of the rounds.
    """
    taken: dict[Name, list[float]] = {name: [] for name in measures}
    for _ in range(rounds):
        for name, measure in measures.items():
            taken[name].append(measure())
    return taken


def output(command: Sequence[str]) -> str:
    """Run a program and return what it prints.

    Raises
    ------
    RuntimeError
        If the program fails; with the last line of what it said.
    """
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["nothing"]
        raise RuntimeError(f"exit code {done.returncode} of {' '.join(command[:3])}: {said[-1]}")
    return done.stdout


def seconds(command: Sequence[str]) -> float:
    """Return how long a program takes from start to end."""
    start = time.perf_counter()
    output(command)
    return time.perf_counter() - start


def processor_seconds(command: Sequence[str]) -> float:
    """Return how long a program keeps processors busy, whatever else the machine does."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"exit code {process.returncode} of {' '.join(command[:3])}")
    return used.ru_utime + used.ru_stime


def seconds_together(command: Sequence[str], copies: int) -> float:
    """Return how long so many copies of a program take side by side, from start to end."""
    start = time.perf_counter()
    running = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for _ in range(copies)]
    codes = [process.wait() for process in running]
    if any(codes):
        raise RuntimeError(f"a copy of {' '.join(command[:2])} failed")
    return time.perf_counter() - start


def peak_memory(command: Sequence[str]) -> float:
    """Return the largest resident memory of a program, in MB (of 10^6 bytes)."""
    peak = int(output([sys.executable, "-I", "-c", LAUNCHER, *command]))
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6
