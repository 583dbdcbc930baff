"""How things are measured: in turns, so that a noisy moment hits all alike, in processor time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

Name = TypeVar("Name")
Value = TypeVar("Value")

WAYS: Final = str(Path(__file__).with_name("ways.py"))
SEGEVAL: Final = (sys.executable, "-m", "segeval")

LAUNCHER: Final = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_maxrss, used.ru_utime + used.ru_stime)
"""
"""A program takes over the peak of the process that starts it, so a tiny process starts it."""


@dataclass(frozen=True, slots=True)
class Took:
    """What something took in seconds: of processors, which others hardly change, and by the clock.

    ``figure`` is the number it came to, or None.
    """

    processor: float
    clock: float
    figure: float | None = None


def interleave(
    measures: Mapping[Name, Callable[[], Value]], rounds: int
) -> dict[Name, list[Value]]:
    """Take every measure once a round: A B C, A B C, and so on.

    Returns
    -------
    dict
        For each name one value a round, in the order of the rounds.
    """
    taken: dict[Name, list[Value]] = {name: [] for name in measures}
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


def whole_program(command: Sequence[str]) -> Took:
    """Return what a program takes from start to end, on all processors together."""
    start = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"exit code {process.returncode} of {' '.join(command[:3])}")
    return Took(used.ru_utime + used.ru_stime, time.perf_counter() - start)


def seconds_together(command: Sequence[str], copies: int) -> float:
    """Return how long so many copies of a program take side by side, from start to end."""
    start = time.perf_counter()
    running = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for _ in range(copies)]
    codes = [process.wait() for process in running]
    if any(codes):
        raise RuntimeError(f"a copy of {' '.join(command[:2])} failed")
    return time.perf_counter() - start


def peak_and_processor(command: Sequence[str]) -> tuple[float, float]:
    """Return the largest resident memory of a program, in MB (of 10^6 bytes), and its seconds."""
    peak, seconds = output([sys.executable, "-I", "-c", LAUNCHER, *command]).split()
    return int(peak) / 1e6 if sys.platform == "darwin" else int(peak) * 1024 / 1e6, float(seconds)


def peak_memory(command: Sequence[str]) -> float:
    """Return the largest resident memory of a program, in MB."""
    return peak_and_processor(command)[0]


class Unavailable(Exception):  # noqa: N818 - it is a state, and stands in the table
    """A way that cannot be taken, and why."""


class Worker(AbstractContextManager["Worker"]):
    """A program that goes one way through data sets, started once: no start-up is measured."""

    def __init__(self, way: str) -> None:
        """Start it, and let it import what it needs."""
        self.way = way
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed on exit
        self._process = subprocess.Popen(
            [sys.executable, WAYS, way],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )
        try:
            self._answer()
        except Unavailable:
            self.__exit__()
            raise

    def __exit__(self, *_error: object) -> None:
        """End it."""
        self._process.communicate()
        self._errors.close()

    def ask(self, data: Mapping[str, Any]) -> Took:
        """Return what a data set takes.

        Raises
        ------
        Unavailable
            If the way does not apply to it.
        """
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(data) + "\n")
        self._process.stdin.flush()
        answer = self._answer()
        if "reason" in answer:
            raise Unavailable(answer["reason"])
        return Took(**answer)

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        if line := self._process.stdout.readline():
            answer: dict[str, Any] = json.loads(line)
            return answer
        self._process.wait()
        self._errors.seek(0)
        said = self._errors.read().strip().splitlines() or ["it ended"]
        raise Unavailable(said[-1])
