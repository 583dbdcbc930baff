"""Damage valid files at random, read them, and see that nothing but an expected error leaves.

``python tests/fuzz/fuzz.py TARGET --executions N --seed S`` prints counts as JSON; inputs that are
found are kept in ``tests/fuzz/found``, and the exit code is 1 then. The same seed makes the same
inputs. A child does the reading, under a limit of memory and of time for each input; one that
dies is a finding, and the next one goes on behind it.
"""

from __future__ import annotations

import argparse
import faulthandler
import hashlib
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path
from typing import Any, Final

HERE: Final = Path(__file__).parent
if __name__ == "__main__":  # this folder is a package, and this file has its name
    sys.path[:1] = [str(HERE.parent), str(HERE.parents[1])]

from fuzz.mutate import damage  # noqa: E402
from fuzz.target import FindingError, Target  # noqa: E402
from fuzz.targets import TARGETS  # noqa: E402

SHARED: Final = "/dev/shm" if os.path.isdir("/dev/shm") else None  # in memory, where there is one
FOUND: Final = HERE / "found"
MEMORY: Final = 2 << 30  # bytes of addresses of the child
PATIENCE: Final = 10.0  # seconds for one input, also on a machine that does other things
MOST_FINDINGS: Final = 20  # after which a target is given up
ROUNDS: Final = (1, 1, 1, 2, 3, 8)  # times that an input is damaged


def made_input(
    target: Target, names: list[str], seeds: dict[str, bytes], key: str
) -> tuple[str, bytes]:
    """Return the input of a key, and the name of the seed that it was made of."""
    chance = random.Random(key)
    name = chance.choice(names)
    data = seeds[name]
    for _ in range(chance.choice(ROUNDS)):
        data = damage(chance, data, target.mutators)
    return name, data


def outcome(target: Target, path: Path, data: bytes) -> tuple[str, str]:
    """Return what came of an input in a word, and of what may not be, its reason."""
    path.write_bytes(data)
    faulthandler.dump_traceback_later(PATIENCE, exit=True)
    try:
        return target.read(path, data), ""
    except FindingError as error:
        return "finding", str(error)
    except Exception as error:  # noqa: BLE001 - this is what is looked for
        place = traceback.extract_tb(error.__traceback__)[-1]
        return "finding", f"{type(error).__name__}: {error} ({place.filename}:{place.lineno})"
    finally:
        faulthandler.cancel_dump_traceback_later()


def child(name: str, seed: int, start: int, stop: int, folder: Path) -> None:
    """Run some executions; print counts, and a line for every finding."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    target = TARGETS[name]
    seeds = target.seeds()
    names = sorted(seeds)
    counts: Counter[str] = Counter()
    with open(folder / "number", "w+b", buffering=0) as number:
        for at in range(start, stop):
            os.pwrite(number.fileno(), b"%20d" % at, 0)
            made_of, data = made_input(target, names, seeds, f"{name} {seed} {at}")
            what, reason = outcome(target, folder / "input", data)
            counts[what] += 1
            if what == "finding":
                line = {
                    "number": at,
                    "seed": made_of,
                    "reason": reason[:500],
                    "file": keep(name, data),
                }
                print(json.dumps({"finding": line}), flush=True)
                if counts["finding"] >= MOST_FINDINGS:
                    break
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps({"counts": counts, "peak_megabytes": peak}), flush=True)


def keep(name: str, data: bytes) -> str:
    """Keep an input that was found, under a name of its own."""
    path = FOUND / name / hashlib.sha256(data).hexdigest()[:12]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return str(path.relative_to(HERE))


def run(name: str, seed: int, executions: int) -> dict[str, Any]:
    """Run a target in children, one after another where they die, and put their counts together."""
    counts: Counter[str] = Counter()
    findings: list[dict[str, Any]] = []
    peak, at, begun = 0, 0, time.perf_counter()
    with tempfile.TemporaryDirectory(dir=SHARED) as made:
        folder = Path(made)
        while at < executions and len(findings) < MOST_FINDINGS:
            command = [
                sys.executable,
                __file__,
                name,
                "--seed",
                str(seed),
                "--child",
                str(at),
                str(executions),
                made,
            ]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            lines = [json.loads(line) for line in done.stdout.splitlines()]
            findings += [line["finding"] for line in lines if "finding" in line]
            ended = [line for line in lines if "counts" in line]
            if ended:
                counts.update(ended[0]["counts"])
                peak = max(peak, ended[0]["peak_megabytes"])
                break
            last = int((folder / "number").read_bytes())
            counts.update({"finding": 1, "counted by a child that died": last - at})
            said = done.stderr.strip()[-400:]
            findings.append(
                {
                    "number": last,
                    "reason": f"ends with {done.returncode}: {said}",
                    "file": keep(name, (folder / "input").read_bytes()),
                }
            )
            at = last + 1
    return {
        "target": name,
        "seed": seed,
        "executions": sum(counts.values()),
        **counts,
        "peak_megabytes": peak,
        "seconds": round(time.perf_counter() - begun, 1),
        "findings": findings,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target", choices=[*TARGETS, "all"])
    parser.add_argument("--executions", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        start, stop, folder = given.child
        child(given.target, given.seed, int(start), int(stop), Path(folder))
        return 0
    found = 0
    for name in TARGETS if given.target == "all" else [given.target]:
        result = run(name, given.seed, given.executions)
        print(json.dumps(result), flush=True)
        found += len(result["findings"])
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
