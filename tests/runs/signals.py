"""Send signals at random moments, to the program or to one of its workers.

Run as a script (`make torture`) for a thousand and more; the tests do a handful. Whatever is
struck, all processes end within a second, without a traceback; a document that comes out is right.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).parents[1]))

from runs.torture import command, finish, make_set

PROMPT: Final = 1.0  # seconds in which all must have ended
ENDS: Final = {
    signal.SIGINT: {0, 130, -signal.SIGINT},
    signal.SIGTERM: {0, -signal.SIGTERM},
    signal.SIGKILL: {0, -signal.SIGKILL},
}  # exit codes of a program that was struck; one that had done its work ends with 0
LOST: Final = {0, 3}  # of one whose worker was struck


@dataclass(kw_only=True)
class Strikes:
    """What came of some strikes."""

    codes: Counter[int] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)


def strike(
    folder: Path, number: int, expected: str, *, length: float, worker: bool, seed: int
) -> Strikes:
    """Start counting, send one signal after a random while, and look at what remains."""
    source, strikes = random.Random(seed), Strikes()
    run = folder / f"{seed}.segeval"
    workers = source.choice(["2", "3"] if worker else ["1", "2", "3"])
    delay = source.uniform(0.05, 1.0) * length
    with subprocess.Popen(
        command(folder, run, "--workers", workers),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env=os.environ | ({"SEGEVAL_COUNTING": "numpy"} if worker else {}),  # else they are threads
    ) as process:
        time.sleep(delay)
        for pid in _workers(process.pid)[:1] if worker else [process.pid]:
            os.kill(pid, number)
        started = time.monotonic()
        try:
            printed, said = process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            printed, said = process.communicate()
            strikes.faults.append("hung")
    took = time.monotonic() - started
    code = process.returncode
    strikes.codes[code] += 1
    wrong = {
        f"took {took:.1f} s": took > PROMPT + length * worker,  # the other workers go on
        f"ended with {code}": code not in (LOST if worker else ENDS[signal.Signals(number)]),
        f"said {said!r}": "Traceback" in said,
        "printed something else": code == 0 and _numbers(printed) != _numbers(expected),
        "left processes": not _is_gone(process.pid),
    }
    strikes.faults += [
        f"seed {seed}, {delay:.3f} s: {what}" for what, is_so in wrong.items() if is_so
    ]
    run.unlink(missing_ok=True)
    return strikes


def _numbers(document: str) -> str:
    """Return a document without the name of what counted."""
    return document.replace('"counting": "numpy"', '"counting": "native"')


def _workers(pid: int) -> list[int]:
    """Return the children of a process."""
    try:
        return [int(pid) for pid in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _is_gone(group: int) -> bool:
    """Wait until no process of a group is left, but for dead ones that nobody has asked about."""
    end = time.monotonic() + PROMPT
    while any(state not in "ZX" for state in _states(group)):
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def _states(group: int) -> list[str]:
    listed = subprocess.run(
        ["ps", "-e", "-o", "pgid=,state="], capture_output=True, text=True, check=True
    )
    rows = (line.split() for line in listed.stdout.splitlines())
    return [state for number, state in rows if int(number) == group]


def strikes_of(folder: Path, number: int, times: int, *, worker: bool, seed: int = 0) -> Strikes:
    """Strike so many times."""
    total = Strikes()
    started = time.monotonic()
    expected = finish(folder, folder / f"through_{number}_{worker}.segeval")
    length = time.monotonic() - started
    for count in range(times):
        each = strike(folder, number, expected, length=length, worker=worker, seed=seed + count)
        total.codes += each.codes
        total.faults += each.faults
    return total


if __name__ == "__main__":
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    found = 0
    with tempfile.TemporaryDirectory() as name:
        home = Path(name) / "set"
        make_set(home, 100)
        for number, worker, share in (
            (signal.SIGINT, False, 1.0),
            (signal.SIGTERM, False, 1.0),
            (signal.SIGKILL, False, 0.2),
            (signal.SIGKILL, True, 0.2),
        ):
            strikes = strikes_of(home, number, max(1, int(times * share)), worker=worker)
            target = "a worker" if worker else "the program"
            ends = ", ".join(f"{code}: {n}" for code, n in sorted(strikes.codes.items()))
            print(f"{number.name} to {target}, {sum(strikes.codes.values())} times; ends {ends}")
            print(*[f"  {fault}" for fault in strikes.faults], sep="\n", end="", flush=True)
            found += len(strikes.faults)
    print(f"{found} faults")
    sys.exit(found > 0)
