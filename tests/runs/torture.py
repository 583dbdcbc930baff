"""Kill a counting program at random moments, resume it, and compare with one that ran through.

Run as a script (`make torture`) for a hundred kills; the tests do a handful.
"""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image


def make_set(folder: Path, pairs: int) -> None:
    """Write pairs of masks big enough for kills to strike anywhere."""
    source = np.random.default_rng(7)
    tile = np.ones((20, 20), np.uint8)
    for side in ("pred", "truth"):
        (folder / side).mkdir(parents=True)
        for number in range(pairs):
            mask = np.kron(source.integers(0, 19, (24, 40)).astype(np.uint8), tile)
            Image.fromarray(mask).save(folder / side / f"{number:04d}.png")


def command(folder: Path, run: Path, *options: str) -> list[str]:
    """Return the command that counts into a run and prints the document."""
    paths = [str(folder / "pred"), str(folder / "truth"), "-o", str(run)]
    return [sys.executable, "-m", "segeval", "score", *paths, "--format", "json", *options]


def finish(folder: Path, run: Path, *options: str) -> str:
    """Count to the end and return the document."""
    done = subprocess.run(
        command(folder, run, *options), capture_output=True, text=True, check=True
    )
    return done.stdout


def kill_once(folder: Path, run: Path, delay: float, *options: str) -> bool:
    """Start counting and kill it after a delay; return whether it was killed in time."""
    with subprocess.Popen(
        command(folder, run, "--resume", *options),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        time.sleep(delay)
        process.kill()
        return process.wait() < 0


def torture(folder: Path, kills: int, seed: int = 1) -> tuple[int, int]:
    """Kill and resume so many times; return how many struck and how many documents differed."""
    source = random.Random(seed)
    started = time.monotonic()
    expected = finish(folder, folder / "through.segeval")
    length = time.monotonic() - started
    struck = differed = 0
    for number in range(kills):
        run = folder / f"killed_{number}.segeval"
        workers = source.choice(["1", "2"])
        late = number % 4 == 0  # every fourth strikes near the end, where the last commit is
        delay = source.uniform(0.75 if late else 0.1, 1.0) * length
        struck += kill_once(folder, run, delay, "--workers", workers)
        differed += finish(folder, run, "--resume", "--workers", workers) != expected
        run.unlink()
    return struck, differed


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        home = Path(name) / "set"
        make_set(home, 200)
        hits, wrong = torture(home, 100)
        print(f"100 kills, {hits} while it ran; {wrong} of 100 documents differed")
        sys.exit(wrong > 0)
