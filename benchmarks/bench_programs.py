"""What whole programs take: start-up, workers, run files, memory, sweeps, and two other ways."""

from __future__ import annotations

import json
import sys
from functools import partial
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from bench_pairs import FEW, per_pair, question
from made_masks import OBJECTS, SMALL_STREETS, STREETS, THINGS
from measuring import (
    SEGEVAL,
    WAYS,
    Unavailable,
    Worker,
    interleave,
    output,
    peak_memory,
    seconds_together,
    whole_program,
)
from tables import add_ratio, ratio, ratios, section, spread, times

if TYPE_CHECKING:
    from data_sets import DataSet, DataSets
    from rich.table import Table

PYTHON: Final = sys.executable
ROUNDS: Final = 3
PLAIN_WORK: Final = (PYTHON, "-I", "-c", "for _ in range(20_000_000): pass")

COSTLY: Final = ("pandas", "scipy", "sklearn", "dask", "matplotlib")
SCORE_AND_LOOK: Final = f"""
import sys
from segeval.cli import app
app(["score", *sys.argv[1:], "--quiet", "--format", "total"], standalone_mode=False)
print(", ".join(sys.modules.keys() & {set(COSTLY)}) or "none")
"""


def score(data: DataSet, *options: str) -> list[str]:
    """Return the command that scores a data set."""
    return [*SEGEVAL, "score", *data.paths, *options]


def measure_programs(sets: DataSets) -> Table:
    """Measure segeval beside hotcoco and the usual script, start-up included."""
    data = sets.get(STREETS, 200)
    asked = json.dumps(question(data))
    base = "segeval score, 1 worker"
    commands = {
        base: (score(data, "--workers", "1"), ""),
        "segeval score": (score(data), ""),
        "hotcoco": ([PYTHON, WAYS, "hotcoco", asked], "≥ 4"),
        "usual script": ([PYTHON, WAYS, "usual script", asked], "≥ 20"),
    }
    table = ratios("200 pairs of 2048×1024, whole programs", "program")
    try:
        Worker("hotcoco").__exit__()
    except Unavailable as reason:
        del commands["hotcoco"]
        table.add_row("hotcoco", f"skipped: {reason}")
    measures = {name: partial(whole_program, command) for name, (command, _) in commands.items()}
    taken = interleave(measures, ROUNDS)
    for name, (_, target) in commands.items():
        seconds = median(times(taken[name], "processor"))
        add_ratio(table, f"{name} ({seconds:.2f} s)", taken[name], taken[base], target)
    return table


def measure_workers(sets: DataSets) -> Table:
    """Measure how much faster two workers are by the clock, and two plain processes beside them.

    Where the control is far below 2, others kept the processors busy, and nothing is said.
    """
    data = sets.get(STREETS, 400)
    measures = {
        "two": partial(seconds_together, score(data, "--workers", "2", "--quiet"), 1),
        "one": partial(seconds_together, score(data, "--workers", "1", "--quiet"), 1),
        "plain, two": partial(seconds_together, PLAIN_WORK, 2),
        "plain, one": partial(seconds_together, PLAIN_WORK, 1),
    }
    taken = interleave(measures, ROUNDS)
    in_turn = [2 * alone for alone in taken["plain, one"]]
    table = section(
        "Times as fast by the clock", "400 pairs of 2048×1024", "figure", "each round", "target"
    )
    for name, slow, fast, target in (
        ("segeval score, 2 workers beside 1", taken["one"], taken["two"], "≥ 1.8"),
        ("control: plain Python, 2 at once", in_turn, taken["plain, two"], "1.9 and more"),
    ):
        table.add_row(name, f"{ratio(slow, fast):.2f}", spread(slow, fast), target)
    return table


def measure_start(sets: DataSets) -> Table:
    """Measure how long the program takes to do next to nothing."""
    four = sets.get(SMALL_STREETS, 4)
    base = 'python -c "import numpy"'
    commands: dict[str, tuple[list[str], str]] = {
        base: ([PYTHON, "-c", "import numpy"], ""),
        "segeval --help": ([*SEGEVAL, "--help"], "≤ 2.5"),
        "segeval score, four small pairs": (score(four), "≤ 4"),
        "  control: NumPy again": ([PYTHON, "-c", "import numpy"], ""),
    }
    measures = {name: partial(whole_program, command) for name, (command, _) in commands.items()}
    taken = interleave(measures, 7)
    milliseconds = 1000 * median(times(taken[base], "processor"))
    table = ratios("Start-up, whole programs", f"1 = {milliseconds:.0f} ms")
    for name, (_, target) in commands.items():
        add_ratio(table, name, taken[name], taken[base], target)
    loaded = output([PYTHON, "-c", SCORE_AND_LOOK, *four.paths]).splitlines()[-1]
    table.add_row("pandas, SciPy and the like that it loads", loaded, "", "", "none")
    return table


def measure_memory(sets: DataSets) -> Table:
    """Measure whether memory grows with the number of pairs."""
    few, many = 200, 2000
    measures = {
        pairs: partial(peak_memory, score(sets.get(SMALL_STREETS, pairs), "--workers", "1"))
        for pairs in (few, many)
    }
    peaks = interleave(measures, ROUNDS)
    table = section("Peak memory, masks of 256×128, 1 worker", "pairs", "MB", "target")
    for pairs in (few, many):
        table.add_row(str(pairs), f"{median(peaks[pairs]):.1f}", "")
    growth = median(peaks[many]) - median(peaks[few])
    table.add_row("difference", f"{growth:.1f}", "≤ 30")
    return table


def measure_runs(sets: DataSets) -> Table:
    """Measure what writing a run costs, and what a second look at an unchanged set does."""
    base = "segeval score"
    rows: dict[str, tuple[list[str], str]] = {
        base: ([], ""),
        "segeval score -o RUN": (["-o", "RUN", "--overwrite"], "≤ 1.10"),
        "the same again, --resume, nothing changed": (["-o", "RUN", "--resume"], "≤ 0.15"),
        "  control: segeval score again": ([], ""),
    }
    pairs = 2000
    with Worker("segeval") as ours:
        measures = {}
        for number in (pairs, FEW):
            asked = question(sets.get(THINGS, number))
            run = str(sets.folder / f"{number}.segeval")
            for name, (options, _) in rows.items():
                given = [option.replace("RUN", run) for option in options]
                measures[name, number] = partial(ours.ask, {**asked, "options": given})
        interleave(measures, 1)
        taken = interleave(measures, ROUNDS)
    each = {name: per_pair(taken[name, pairs], taken[name, FEW], pairs - FEW) for name in rows}
    milliseconds = 1000 * median(times(each[base], "processor"))
    title = "Run files, palette masks of 512×512, 21 classes, 1 worker, start-up left out"
    table = ratios(title, f"a pair; 1 = {milliseconds:.3f} ms")
    for name, (_, target) in rows.items():
        add_ratio(table, name, each[name], each[base], target)
    return table


def measure_sweep(sets: DataSets) -> Table:
    """Measure what every threshold of grey predictions costs beside one."""
    data = sets.grey(OBJECTS, 200)
    commands: dict[str, list[Any]] = {
        "segeval score --threshold 128": score(data, "--threshold", "128"),
        "segeval sweep, every threshold": [*SEGEVAL, "sweep", *data.paths],
    }
    measures = {name: partial(whole_program, command) for name, command in commands.items()}
    taken = interleave(measures, ROUNDS)
    table = ratios("Grey predictions, 200 objects, whole programs", "program")
    for name in commands:
        add_ratio(table, name, taken[name], taken["segeval score --threshold 128"], "≤ 1.5")
    return table
