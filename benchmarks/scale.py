"""How time and memory of a pair grow with the number of pairs, by engine and by storage.

The largest number of pairs may be given, 100 000 otherwise; steps are of ten, from a thousand on.
What is simulated: masks of 16×16 pixels, 250 distinct ones under all names (hard links), so that
decoding costs next to nothing, and what is left is the cost of a pair: listing, pairing, handing
over, counting, writing. Dask is a cluster of this machine. Times are of all processors together.
"""

from __future__ import annotations

import math
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from measuring import SEGEVAL, output, peak_and_processor
from tiny_pairs import SIDES, link_pairs, listing, make_masks

FIRST, STEP, SHARDS = 1000, 10, 4
ENGINES: Final = {
    "score, 1 worker": ("--workers", "1"),
    "score, 2 workers": ("--workers", "2"),
    "score, Dask with 1": ("--engine", "dask", "--workers", "1"),
    "score, Dask with 2": ("--engine", "dask", "--workers", "2"),
}


def zipped(folder: Path) -> list[str]:
    """Write both sides as archives without compression, which masks have already."""
    for side in SIDES:
        with zipfile.ZipFile(folder / f"{side}.zip", "w") as archive:
            for path in sorted((folder / side).rglob("*.png")):
                archive.write(path, path.relative_to(folder / side))
    return [str(folder / f"{side}.zip") for side in SIDES]


def commands(folder: Path, sides: list[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield what is measured, and the commands; later ones use the runs of the first."""
    score = ("score", "-q", *sides)
    for name, how in ENGINES.items():
        if "dask" not in how or find_spec("distributed"):
            yield name, (*score, *how)
    yield "score, zip", ("score", "-q", *zipped(folder), "--workers", "1")
    run, total = str(folder / "one.segeval"), str(folder / "all.segeval")
    yield "score -o, 1 worker", (*score, "--workers", "1", "-o", run)
    yield "score --resume", (*score, "--workers", "1", "-o", run, "--resume")
    yield "report", ("report", "-q", run)
    yield "compare", ("compare", "-q", run, run, "--ci", "100")
    shards = [str(folder / f"{number}.segeval") for number in range(1, SHARDS + 1)]
    for number, shard in enumerate(shards, 1):
        output([*SEGEVAL, *score, "-o", shard, "--shard", f"{number}/{SHARDS}"])
    yield f"merge of {SHARDS} shards", ("merge", "-q", *shards, "-o", total)


def growth(few: float, many: float) -> float:
    """Return the power of the number of pairs that a quantity grows with, over one step."""
    return math.log(many / few) / math.log(STEP) if min(few, many) > 0 else math.nan


def measured(command: tuple[str, ...]) -> Callable[[], tuple[float, float]]:
    """Return what measures a command: memory in MB, and seconds of a processor."""
    return lambda: peak_and_processor([*SEGEVAL, *command])


def main() -> None:
    """Print a line for each thing measured and each number of pairs; then how it grows."""
    most = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    print(
        "what | pairs | s | µs a pair | MB | kB a pair beyond the start | grows with pairs to the"
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_masks(folder / "masks")
        starts: dict[str, tuple[float, float]] = {}
        before: dict[str, float] = {}
        for pairs in [10, *(FIRST * STEP**n for n in range(9) if FIRST * STEP**n <= most)]:
            sides = link_pairs(folder / "masks", folder / str(pairs), pairs)
            for what, command in commands(folder / str(pairs), sides):
                peak, took = measured(command)()
                if pairs < FIRST:
                    starts[what] = peak, took
                    continue
                base, start = starts[what]
                say(what, pairs, took - start, (peak, base), before)
            if pairs >= FIRST:
                say("listing and pairing", pairs, listing(sides), None, before)


def say(
    what: str, pairs: int, took: float, memory: tuple[float, float] | None, before: dict[str, float]
) -> None:
    """Print a line."""
    power = f"{growth(before[what], took):.2f}" if what in before else "–"
    before[what] = took
    peak, more = "–", "–"
    if memory is not None:
        peak, more = f"{memory[0]:.0f}", f"{(memory[0] - memory[1]) * 1e3 / pairs:.2f}"
    print(
        f"{what} | {pairs} | {took:.2f} | {took * 1e6 / pairs:.1f} | {peak} | {more} | {power}",
        flush=True,
    )


if __name__ == "__main__":
    main()
