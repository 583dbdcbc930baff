"""Measure segeval against decoding, against other tools and against its own targets, in one run.

Run ``make bench``, or this file with the names of some sections. Figures are of processor time, the
same by the clock beside them; ratios are of medians over interleaved rounds, with the range of the
ratio over the rounds. Controls measure one thing twice: a ratio is told no closer than they are.
It measures and does not judge: the exit code is always 0.
"""

from __future__ import annotations

import os
import platform
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bench_pairs import measure_kinds, measure_storage
from bench_programs import (
    measure_memory,
    measure_programs,
    measure_runs,
    measure_start,
    measure_sweep,
    measure_workers,
)
from bench_rivals import measure_rivals
from data_sets import DataSets
from measuring import SEGEVAL, output
from rich.console import Console
from tables import failed, show

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rich.table import Table

SECTIONS: Final[Mapping[str, Callable[[DataSets], Table]]] = {
    "kinds": measure_kinds,
    "storage": measure_storage,
    "rivals": measure_rivals,
    "programs": measure_programs,
    "workers": measure_workers,
    "runs": measure_runs,
    "start-up": measure_start,
    "memory": measure_memory,
    "sweep": measure_sweep,
}


def try_to_measure(name: str, sets: DataSets) -> Table:
    """Measure a section; one that cannot be measured says why in its place."""
    try:
        return SECTIONS[name](sets)
    except Exception as error:  # noqa: BLE001  # whatever it is, the other sections still count
        return failed(name, error)


def processor_name() -> str:
    """Return the model of the processor, as Linux says it, or what Python knows."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def describe_machine() -> str:
    """Say what the figures were measured on, and whether it had other things to do."""
    load = f", load {os.getloadavg()[0]:.1f} at the start" if hasattr(os, "getloadavg") else ""
    version = output([*SEGEVAL, "--version"]).strip()
    return (
        f"{version}, Python {platform.python_version()}\n"
        f"{os.cpu_count()} processors: {processor_name()}{load}"
    )


def main() -> None:
    """Measure everything in a temporary folder, and print the tables."""
    began, speech = time.perf_counter(), Console(stderr=True)
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # what is installed has been compiled, too
    print(describe_machine(), flush=True)
    with tempfile.TemporaryDirectory(prefix="segeval-bench-") as folder:
        sets = DataSets(Path(folder))
        for name in sys.argv[1:] or SECTIONS:
            speech.print(f"measuring {name} …", style="dim")
            print(flush=True)
            show(try_to_measure(name, sets))
    print(f"\nTaken in {time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
