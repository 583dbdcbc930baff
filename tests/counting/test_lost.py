"""Workers of a Dask cluster are killed, and its scheduler: nothing counted is lost or changed."""

from __future__ import annotations

import contextlib
import os
import random
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from made.sets import data_set, segeval

pytest.importorskip("distributed")
pytestmark = pytest.mark.slow

PAIRS = 3000
KILLS = 20
EMPTY = 100_000  # bytes of a run file, at most
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


class Machines:
    """A scheduler and workers, each a process of its own; masks are counted by NumPy, slowly."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.folder, self.address = folder, f"tcp://127.0.0.1:{self.port}"
        self.scheduler = self.start("dask_scheduler", "--port", str(self.port))
        self.workers = [self.worker(), self.worker()]

    def start(self, program: str, *arguments: str) -> subprocess.Popen[bytes]:
        """Start a process of the cluster."""
        common = "--host", "127.0.0.1", "--no-dashboard"
        return subprocess.Popen(
            [sys.executable, "-m", f"distributed.cli.{program}", *arguments, *common],
            cwd=self.folder,
            env={
                **os.environ,
                "SEGEVAL_COUNTING": "numpy",
                "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": str(KILLS),
                "PYTHONPATH": os.pathsep.join(sys.path),
            },
            stderr=subprocess.DEVNULL,
        )

    def worker(self) -> subprocess.Popen[bytes]:
        """Start a worker."""
        return self.start("dask_worker", self.address, "--no-nanny", "--nthreads", "1")

    def score(self, *arguments: str) -> subprocess.Popen[str]:
        """Start to score on the cluster."""
        given = "score", "pred", "truth", "-o", "run.segeval", "--json", "dask.json"
        dask = "--engine", "dask", "--scheduler", self.address
        return subprocess.Popen(
            [sys.executable, "-m", "segeval", *given, *dask, *arguments],
            cwd=self.folder,
            env=ENVIRONMENT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )


@pytest.fixture
def machines(tmp_path: Path) -> Iterator[Machines]:
    """Return a cluster, and masks in its folder with the scores of one process."""
    noise = np.random.default_rng(0).integers(0, 9, (2, 300, 300))
    data_set(tmp_path, {"0000": (noise[0], noise[1])})
    for number in range(1, PAIRS):
        for side in ("pred", "truth"):
            os.link(tmp_path / side / "0000.png", tmp_path / side / f"{number:04}.png")
    segeval("score", "pred", "truth", "--json", "one.json", cwd=tmp_path)
    made = Machines(tmp_path)
    yield made
    for process in (made.scheduler, *made.workers):
        process.kill()
        process.wait()


def holds_images(folder: Path) -> bool:
    """Whether images were written to the run file, which is locked meanwhile."""
    path = folder / "run.segeval"
    return path.exists() and path.stat().st_size > EMPTY


def same(folder: Path) -> bool:
    return (folder / "dask.json").read_bytes() == (folder / "one.json").read_bytes()


def test_workers_that_are_killed_at_random_change_nothing(machines: Machines) -> None:
    chance, killed = random.Random(0), 0
    while killed < KILLS:
        scoring = machines.score("--overwrite", "-q")
        while scoring.poll() is None:
            time.sleep(chance.uniform(0.2, 1.5))
            if scoring.poll() is None and killed < KILLS and holds_images(machines.folder):
                place = chance.randrange(2)
                machines.workers[place].kill()
                machines.workers[place].wait()
                machines.workers[place] = machines.worker()
                killed += 1
        _, said = scoring.communicate()
        assert (scoring.returncode, said) == (0, "")
        assert same(machines.folder)


def test_a_lost_scheduler_leaves_a_run_that_is_resumed(machines: Machines) -> None:
    scoring = machines.score("-q")
    while scoring.poll() is None and not holds_images(machines.folder):
        time.sleep(0.05)
    assert scoring.poll() is None
    machines.scheduler.kill()
    killed = time.monotonic()
    _, said = scoring.communicate(timeout=60)
    assert time.monotonic() - killed < 10
    assert scoring.returncode == 3
    assert said.startswith(f"segeval: the connection to the scheduler {machines.address} is lost")
    with contextlib.closing(sqlite3.connect(machines.folder / "run.segeval")) as file:
        assert 0 < file.execute("SELECT count(*) FROM images").fetchone()[0] < PAIRS
    given = "score", "pred", "truth", "-o", "run.segeval", "--json", "dask.json", "--resume"
    segeval(*given, cwd=machines.folder)
    assert same(machines.folder)
