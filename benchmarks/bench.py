"""Measure segeval against the floor, against other ways and against its own targets, in one run.

Run ``make bench``, or this file with the names of some sections. Every figure is a ratio of medians
over interleaved rounds; behind it stands the
range of that ratio over the rounds, which tells how quiet the machine was. It measures and does not
judge: the exit code is always 0.
"""

from __future__ import annotations

import os
import platform
import sys
import sysconfig
import tempfile
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Final

from data_sets import DataSets
from made_masks import OBJECTS, SMALL_STREETS, STREETS
from measuring import (
    interleave,
    output,
    peak_memory,
    processor_seconds,
    seconds,
    seconds_together,
)
from rich.console import Console
from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from data_sets import DataSet
    from made_masks import Kind

HERE: Final = Path(__file__).parent
SEGEVAL: Final = str(Path(sysconfig.get_path("scripts"), "segeval"))
PYTHON: Final = sys.executable

PAIR_ROUNDS: Final = 5
START_ROUNDS: Final = 11
MEMORY_ROUNDS: Final = 3
RUN_ROUNDS: Final = 3

CONTROL: Final = "control: plain Python, 2 at once"
PLAIN_WORK: Final = (PYTHON, "-I", "-c", "for _ in range(20_000_000): pass")

COSTLY: Final = ("pandas", "scipy", "sklearn", "dask", "matplotlib")
SCORE_AND_LOOK: Final = f"""
import sys
from segeval.cli import app
app(["score", *sys.argv[1:], "--quiet", "--format", "total"], standalone_mode=False)
print(", ".join(sys.modules.keys() & {set(COSTLY)}) or "none")
"""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    what: str
    figure: str
    spread: str = ""
    target: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """Lines of the table that belong together; ``unit`` says what a ratio of 1 is."""

    title: str
    rows: Sequence[Row]
    unit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A way through a data set: a program, and how many pairs it is timed on.

    ``pairs`` are a small and a large number of street scenes; scenes of less pixels are taken in
    larger numbers. ``targets`` are written beside the figure, by kind.
    """

    command: Callable[[DataSet], list[str]]
    pairs: tuple[int, int]
    targets: Mapping[str, str] = field(default_factory=dict)


def score(data: DataSet, *options: str) -> list[str]:
    """Return the command that scores a data set."""
    return [SEGEVAL, "score", *data.paths, *options]


def other(way: str, data: DataSet) -> list[str]:
    """Return the command that takes another way through a data set."""
    return [PYTHON, str(HERE / "other_ways.py"), way, data.kind.name, *data.paths]


def score_with(workers: int) -> Callable[[DataSet], list[str]]:
    """Return what makes the command that scores with so many workers."""
    return lambda data: score(data, "--workers", str(workers))


FLOOR: Final = "floor: kornia-rs decodes both masks"
ONE_WORKER: Final = "segeval score, 1 worker"
TWO_WORKERS: Final = "segeval score, 2 workers"
WAYS: Final = {
    FLOOR: Way(command=partial(other, "floor"), pairs=(40, 400)),
    "the same, memory fetched anew each time": Way(
        command=partial(other, "kornia"), pairs=(40, 200)
    ),
    ONE_WORKER: Way(
        command=score_with(1),
        pairs=(40, 400),
        targets={STREETS.name: "≤ 0.3", OBJECTS.name: "≤ 1.0"},
    ),
    TWO_WORKERS: Way(command=score_with(2), pairs=(40, 400)),
    "Pillow decodes both masks": Way(command=partial(other, "pillow"), pairs=(10, 100)),
    "usual script: Pillow, bincount(n*t + p)": Way(command=partial(other, "usual"), pairs=(6, 60)),
    "scikit-learn confusion_matrix": Way(command=partial(other, "sklearn"), pairs=(1, 16)),
}


def ratio(what: str, values: Sequence[float], base: Sequence[float], target: str = "") -> Row:
    """Return a row of the ratio of two medians, and of the range of the ratios of each round."""
    each = sorted(value / unit for value, unit in zip(values, base, strict=True))
    figure = f"{median(values) / median(base):.2f}"
    return Row(what, figure, f"{each[0]:.2f}–{each[-1]:.2f}", target)


def amount(what: str, values: Sequence[float], unit: str, target: str = "") -> Row:
    """Return a row of a median that is no ratio."""
    spread = f"{min(values):.1f}–{max(values):.1f}"
    return Row(what, f"{median(values):.1f} {unit}", spread, target)


def measure_pairs(sets: DataSets, kind: Kind, more: int, speed_up: str = "") -> Section:
    """Measure every way per pair, and what a second worker brings.

    Ways through one process are measured in processor time, which other programs hardly change.
    The time a pair takes is the difference between many pairs and few, so that no start-up is in
    it. How much faster two workers are is said of the whole program, start-up included; the control
    says how much faster anything gets on two processors here and now. Far below 2, other programs
    kept them busy, and the row above it says nothing of segeval.
    """
    warm_up(sets)
    measures = {
        (name, pairs): partial(
            seconds if name == TWO_WORKERS else processor_seconds,
            way.command(sets.get(kind, pairs * more)),
        )
        for name, way in WAYS.items()
        for pairs in way.pairs
    }
    for copies in (1, 2):
        measures[CONTROL, copies] = partial(seconds_together, PLAIN_WORK, copies)
    taken = interleave(measures, PAIR_ROUNDS)
    per_pair = {}
    for name, way in WAYS.items():
        few, many = way.pairs
        times = zip(taken[name, few], taken[name, many], strict=True)
        per_pair[name] = [(long - short) / ((many - few) * more) for short, long in times]
    rows = [
        ratio(name, per_pair[name], per_pair[FLOOR], way.targets.get(kind.name, ""))
        for name, way in WAYS.items()
        if name != TWO_WORKERS
    ]
    most = WAYS[ONE_WORKER].pairs[1]
    one = [
        seconds(WAYS[ONE_WORKER].command(sets.get(kind, most * more))) for _ in range(PAIR_ROUNDS)
    ]
    two = taken[TWO_WORKERS, most]
    rows.append(ratio(f"times as fast, 2 workers, {most * more} pairs", one, two, speed_up))
    in_turn = [2 * alone for alone in taken[CONTROL, 1]]
    rows.append(ratio(f"  {CONTROL}", in_turn, taken[CONTROL, 2]))
    unit = f"1 = {median(per_pair[FLOOR]) * 1000:.2f} ms"
    return Section(f"{kind.title}, per pair", rows, unit)


def measure_start(sets: DataSets) -> Section:
    """Measure how long the program takes to do next to nothing."""
    four = sets.get(SMALL_STREETS, 4)
    base = 'python -c "import numpy"'
    commands = {
        base: ([PYTHON, "-c", "import numpy"], ""),
        "segeval --help": ([SEGEVAL, "--help"], "≤ 2.5"),
        "segeval score, four small pairs": (score(four), "≤ 4"),
    }
    measures = {name: partial(seconds, command) for name, (command, _) in commands.items()}
    taken = interleave(measures, START_ROUNDS)
    rows = [ratio(name, taken[name], taken[base], target) for name, (_, target) in commands.items()]
    loaded = output([PYTHON, "-c", SCORE_AND_LOOK, *four.paths]).splitlines()[-1]
    rows.append(Row("pandas, SciPy and the like that it loads", loaded, target="none"))
    return Section("start-up, whole programs", rows, f"1 = {median(taken[base]) * 1000:.0f} ms")


def measure_memory(sets: DataSets) -> Section:
    """Measure whether memory grows with the number of pairs."""
    few, many = 200, 2000
    measures = {
        pairs: partial(peak_memory, score(sets.get(SMALL_STREETS, pairs), "--workers", "1"))
        for pairs in (few, many)
    }
    peaks = interleave(measures, MEMORY_ROUNDS)
    growth = [more - less for less, more in zip(peaks[few], peaks[many], strict=True)]
    rows = [amount(f"{pairs} pairs", peaks[pairs], "MB") for pairs in (few, many)]
    rows.append(amount("difference", growth, "MB", "≤ 30 MB"))
    return Section(f"{SMALL_STREETS.name}, peak memory, 1 worker", rows)


def measure_runs(sets: DataSets) -> Section:
    """Measure what writing a run costs, and what a second look at an unchanged set does."""
    data = sets.get(OBJECTS, 10_000)
    plain = score(data, "--workers", "1")
    run = str(sets.folder / "objects.segeval")
    commands = {
        "segeval score": plain,
        "segeval score -o RUN": [*plain, "-o", run, "--overwrite"],
        "the same again, --resume, nothing changed": [*plain, "-o", run, "--resume"],
        "segeval report RUN": [SEGEVAL, "report", run],
    }
    targets = ["", "≤ 1.05", "≤ 0.10", ""]
    measures = {name: partial(seconds, command) for name, command in commands.items()}
    taken = interleave(measures, RUN_ROUNDS)
    rows = [
        ratio(name, taken[name], taken["segeval score"], target)
        for name, target in zip(commands, targets, strict=True)
    ]
    return Section("run files, 10 000 objects, whole programs", rows)


def measure_sweep(sets: DataSets) -> Section:
    """Measure what every threshold of grey predictions costs beside one."""
    data = sets.grey(OBJECTS, 200)
    measures = {
        "segeval score --threshold 128": partial(seconds, score(data, "--threshold", "128")),
        "segeval sweep, every threshold": partial(seconds, [SEGEVAL, "sweep", *data.paths]),
    }
    taken = interleave(measures, PAIR_ROUNDS)
    one = taken["segeval score --threshold 128"]
    rows = [ratio(name, times, one, "≤ 1.5") for name, times in taken.items()]
    return Section("grey predictions, 200 objects, whole programs", rows)


SECTIONS: Final[Mapping[str, Callable[[DataSets], Section]]] = {
    "streets": lambda sets: measure_pairs(sets, STREETS, 1, "≥ 1.7"),
    "objects": lambda sets: measure_pairs(sets, OBJECTS, 5),
    "start-up": measure_start,
    "memory": measure_memory,
    "runs": measure_runs,
    "sweep": measure_sweep,
}


def try_to_measure(name: str, sets: DataSets) -> Section:
    """Measure a section; one that cannot be measured says why in its place."""
    try:
        return SECTIONS[name](sets)
    except Exception as error:  # noqa: BLE001  # whatever it is, the other sections still count
        return Section(f"{name}: NOT MEASURED", [Row(f"{type(error).__name__}: {error}", "failed")])


def warm_up(sets: DataSets) -> None:
    """Run every program once, so that no first round waits for the disk."""
    for way in WAYS.values():
        seconds(way.command(sets.get(SMALL_STREETS, 4)))


def make_table(sections: Sequence[Section], title: str) -> Table:
    """Lay out all sections as one table."""
    table = Table("ratio of medians", title=title)
    for heading in ("figure", "each round", "target"):
        table.add_column(heading, justify="right", no_wrap=True)
    for section in sections:
        table.add_section()
        table.add_row(f"[bold]{escape(section.title)}[/bold]", "", section.unit)
        for row in section.rows:
            table.add_row(f"  {escape(row.what)}", row.figure, row.spread, row.target)
    return table


def describe_machine() -> str:
    """Say what the figures were measured on, and whether it had other things to do."""
    load = f", load {os.getloadavg()[0]:.1f} at the start" if hasattr(os, "getloadavg") else ""
    return f"segeval: {os.cpu_count()} processors{load}, Python {platform.python_version()}"


def main() -> None:
    """Measure everything in a temporary folder, and print the table."""
    title, speech, sections = describe_machine(), Console(stderr=True), []
    with tempfile.TemporaryDirectory(prefix="segeval-bench-") as folder:
        sets = DataSets(Path(folder))
        for name in sys.argv[1:] or SECTIONS:
            speech.print(f"measuring {name} …", style="dim")
            sections.append(try_to_measure(name, sets))
    Console().print(make_table(sections, title))


if __name__ == "__main__":
    main()
