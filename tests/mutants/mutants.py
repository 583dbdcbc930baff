"""Change the code of a room in one place, and see whether a test notices; again and again.

``python tests/mutants/mutants.py ROOM... --sample N`` tries N random mutants of each room, always
the same ones, with the tests that reach the changed function; ``make mutants`` runs it, and writes
the scores into ``docs/tested.md``. Changes that no test can notice stand in
``equivalent.txt``, with the reason. Which tests reach a function is kept in ``build/mutants.json``
until the file of the test changes; delete it after larger work.
"""

import argparse
import datetime as dt
import importlib
import math
import os
import re
import sys
from collections import Counter
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
if __name__ == "__main__":
    sys.path[:1] = [str(HERE.parent), str(HERE.parents[1])]
    for library in ("OMP", "OPENBLAS"):  # threads would not survive a fork
        os.environ[f"{library}_NUM_THREADS"] = "1"

from mutants.changes import Mutant, mutants_of  # noqa: E402
from mutants.trials import ROOT, Tests, outcome, reach_of_tests, tests_of  # noqa: E402

ROOMS: Final = {  # the code, where the tests that are asked first stand
    "gates": (["scoring/gates.py", "scoring/baseline.py"], ["scoring/test_gates.py", "cli"]),
    "scoring": (["scoring"], ["scoring", "properties"]),
    "counting": (["counting"], ["counting", "runs", "inputs/test_geotiff", "inputs/test_tables"]),
    "labels": (
        ["labels"],
        ["labels", "inputs/test_geotiff", "cli/test_compare", "cli/test_problems"],
    ),
    "objects": (["objects", "objectdistances"], ["objects", "objectdistances"]),
    "boundaries": (["boundaries", "topology"], ["boundaries", "topology"]),
    "distances": (["distances"], ["distances"]),
    "presets": (["presets"], ["presets", "parity"]),
    "losses": (["losses"], ["losses"]),
}
HEAVY: Final = (  # what is imported once, before the forks
    "numpy pandas PIL.Image hypothesis.strategies typer.testing rich.table jsonschema yaml jinja2 "
    "scipy.spatial kornia_rs deflate cc3d nibabel SimpleITK skimage.measure"
).split()
LISTED: Final = HERE / "equivalent.txt"
PAGE: Final = ROOT / "docs" / "tested.md"
HEAD: Final = "| room | on | mutants tried | killed | too slow | survived | equivalent | score |"


def modules_of(room: str) -> list[str]:
    """Return the modules of a room; those of a room inside it are not of it."""
    paths = [ROOT / "segeval" / path for path in ROOMS[room][0]]
    files = {f for path in paths for f in (path.rglob("*.py") if path.is_dir() else [path])}
    if room == "scoring":
        files -= {ROOT / "segeval" / path for path in ROOMS["gates"][0]}
    return sorted(str(file.relative_to(ROOT)) for file in files)


def equivalent(text: str) -> set[Mutant]:
    """Return the mutants that are listed as equivalent; what is listed must be one."""
    known: dict[str, dict[tuple[str, str], list[Mutant]]] = {}
    found: set[Mutant] = set()
    for entry in re.split(r"\n\n+", text.strip())[1:]:
        place, change, *reason = entry.split("\n")
        path, _, function = place.partition(" ")
        if path not in known:
            known[path] = {}
            for mutant in mutants_of(ROOT, path) if (ROOT / path).exists() else ():
                known[path].setdefault((mutant.function, mutant.change), []).append(mutant)
        if (function, change) not in known[path] or not reason:
            raise SystemExit(f"{LISTED.name}: there is no such change, or no reason:\n{entry}")
        found.update(known[path][function, change])
    return found


def share(killed: int, tried: int) -> str:
    """Return a share in percent with its Wilson interval of 95 %."""
    if not tried:
        return "–"
    part, z = killed / tried, 1.96
    middle = (part + z * z / (2 * tried)) / (1 + z * z / tried)
    half = z / (1 + z * z / tried) * math.sqrt(part * (1 - part) / tried + (z / tried / 2) ** 2)
    return f"{part:.1%} ({middle - half:.0%} to {middle + half:.0%})".replace("%", " %")


def try_room(room: str, mutants: list[Mutant], skipped: set[Mutant], reach: Tests) -> Counter[str]:
    """Try mutants, tell those that no test notices, and count what came of them."""
    near = (*(f"tests/{p}" for p in ROOMS[room][1]), *(f"segeval/{p}" for p in ROOMS[room][0]))
    counts: Counter[str] = Counter()
    for mutant in mutants:
        stages = tests_of(mutant, reach, near)
        if not counts and outcome(None, stages, reach) != "survived":
            raise SystemExit(f"{room}: its tests fail without any change")
        found = "equivalent" if mutant in skipped else outcome(mutant, stages, reach)
        counts[found] += 1
        if found in ("survived", "timeout"):
            tests = sum(map(len, stages))
            print(f"{found} ({tests} tests) {mutant.path}:{mutant.line} {mutant.function}")
            print(f"    {mutant.change}", flush=True)
    return counts


def row(room: str, every: int, counts: Counter[str]) -> str:
    """Return the row of a room in the table of scores."""
    tried = counts.total() - counts["equivalent"]
    cells = [
        room,
        f"{dt.datetime.now(dt.UTC):%Y-%m-%d}",
        f"{counts.total()} of {every}",
    ]
    cells += [str(counts[found]) for found in ("killed", "timeout", "survived", "equivalent")]
    return f"| {' | '.join([*cells, share(counts['killed'] + counts['timeout'], tried)])} |"


def write(room: str, line: str) -> None:
    """Put the row of a room in its place in the page."""
    before, head, after = PAGE.read_text("utf-8").partition(HEAD)
    table, blank, rest = after.partition("\n\n")
    rows = {text.split(" | ")[0].strip("| "): text for text in table.split("\n")[2:]}
    rows[room] = line
    order = [rows[name] for name in ROOMS if name in rows]
    rule = table.split("\n")[1]
    PAGE.write_text(f"{before}{head}\n" + "\n".join([rule, *order]) + blank + rest, "utf-8")


def main() -> None:
    """Try mutants of some rooms."""
    parser = argparse.ArgumentParser(description="change code, and see whether a test notices")
    parser.add_argument("rooms", nargs="*", choices=[[], *ROOMS], metavar="ROOM")
    parser.add_argument("--sample", type=int, default=60, help="mutants of a room; 0 for all")
    parser.add_argument("--like", default="", help="only mutants whose place or change has this")
    asked = parser.parse_args()
    every = {room: [m for p in modules_of(room) for m in mutants_of(ROOT, p)] for room in ROOMS}
    skipped = equivalent(LISTED.read_text("utf-8"))
    for name in HEAVY:
        importlib.import_module(name)
    reach = reach_of_tests()
    for room in asked.rooms or ROOMS:
        mutants = sorted(every[room], key=lambda mutant: mutant.rank)[: asked.sample or None]
        chosen = [m for m in mutants if asked.like in f"{m.path} {m.function} {m.change}"]
        line = row(room, len(every[room]), try_room(room, chosen, skipped, reach))
        print(HEAD, line, sep="\n", flush=True)
        if not asked.like:
            write(room, line)


if __name__ == "__main__":
    main()
