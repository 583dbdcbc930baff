"""Every pair of options, on small data sets, against a plain count of their pixels.

``python tests/properties/options.py --cases N --seed S`` prints how many combinations were scored
and refused, and exits 1 if any differs from `made.plain`; the tests do a few dozen.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any, Final
from unittest.mock import patch

sys.path.insert(0, str(Path(__file__).parents[1]))

from made.option_rows import all_pairs, pairs_of, rows
from made.option_sets import UNSET, WORLDS, Picture, Row, encoded, label_file, made_pictures
from made.plain import PATTERNS, Refused, find
from made.plain_scores import expected
from made.sets import segeval
from typer.main import get_command

from segeval.cli import app
from segeval.counting.kernel import KERNEL

CLOSE: Final = 1e-12
SUFFIXES: Final = {"truth": "_gt", "pred": "_pred", "roi": "_fov"}
COMMAND: Final = get_command(app)  # which Typer makes anew for every call, at half of its time
WRITTEN: Final = {"altered", "deleted", "added", "report", "merge"}  # routes through a run file


class Case:
    """A combination of options, its data set, and where they are."""

    def __init__(self, folder: Path, row: Row, seed: int) -> None:
        self.folder, self.row, self.seed = folder, row, seed
        self.pictures = made_pictures(row, seed)
        self.names: list[str] = []
        folder.mkdir(parents=True, exist_ok=True)

    def write(self, pictures: Sequence[Picture]) -> None:
        """Write the masks of all images, and nothing else."""
        for side in SUFFIXES:
            shutil.rmtree(self.folder / side, ignore_errors=True)
            (self.folder / side).mkdir(parents=True)
        table = ["prediction,truth,name,group"]
        for picture in pictures:
            row, roi = self.row, self.row["roi"]
            region = "grey rgb" if roi in {"lacks one", "other size"} else roi
            truth = self._save("truth", picture, picture.truth, row["truth form"])
            prediction = self.folder / "pred" / "absent.png"
            if picture.prediction is not None:
                form = row["prediction form"]
                prediction = self._save("pred", picture, picture.prediction, form)
            if picture.broken and picture.prediction is not None:
                prediction.write_bytes(prediction.read_bytes()[:-9])
            if picture.roi is not None:
                shown = (picture.roi > 0).astype(int) if roi == "1-bit" else picture.roi
                self._save("roi", picture, shown, region)
            table.append(f"{prediction},{truth},{picture.name},{picture.group}")
        (self.folder / "pairs.csv").write_text("\n".join(table) + "\n", encoding="utf-8")

    def _save(self, side: str, picture: Picture, samples: Any, form: str) -> Path:
        content, ending = encoded(samples, form)
        name = picture.name
        if self.row["source"] == "stem" and side == "pred":
            name = name.rpartition("/")[2]
        if self.row["source"] == "suffix":
            name += SUFFIXES[side]
        path = self.folder / side / f"{name}{ending}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def counting(self) -> list[str]:
        """Return the options that say what is counted."""
        row, source = self.row, self.row["source"]
        folders = [str(self.folder / side) for side in ("pred", "truth")]
        given = ["--pairs", str(self.folder / "pairs.csv")] if source == "pairs" else folders
        if source == "suffix":
            given += ["--truth-suffix", SUFFIXES["truth"], "--pred-suffix", SUFFIXES["pred"]]
        given += ["--match", "stem"] if source == "stem" else []
        given += ["--resize-prediction"] if row["resize"] else []
        given += ["--roi", str(self.folder / "roi")] if row["roi"] else []
        given += ["--roi-suffix", SUFFIXES["roi"]] if row["roi"] and source == "suffix" else []
        return [*given, *self._set("missing", "on-error"), "--workers", "1"]

    def scoring(self) -> list[str]:
        """Return the options that say how counts are scored."""
        row, labels = self.row, self.row["labels"]
        world, files = WORLDS[row["world"]], {"file", "file and classes"}
        given = ["--labels", str(label_file(self.folder, world))] if labels in files else []
        given += ["--classes", str(len(world.classes))] if labels.endswith("classes") else []
        given += ["--labels", "binary"] if labels == "binary" else []
        if labels == "both files":
            given += ["--labels", str(label_file(self.folder, world, "truth"))]
        if labels in {"both files", "prediction alone"}:
            given += ["--pred-labels", str(label_file(self.folder, world, "prediction"))]
        given += [f"--pred-offset={row['offset']}"] if row["offset"] else []
        given += ["--group-by", PATTERNS[row["groups"]]] if row["groups"] else []
        named = {"first": self.names[:1], "last": self.names[-1:], "nonsense": ["nonsense"]}
        given += [word for name in named.get(row["exclude"], []) for word in ("--exclude", name)]
        options = ("ignore", "unknown", "threshold", "truth-threshold", "level", "pooling")
        return [*given, *self._set(*options, "absent"), "--format", "json", "-q"]

    def _set(self, *options: str) -> list[str]:
        return [f"--{name}={self.row[name]}" for name in options if self.row[name] != UNSET]


@contextmanager
def counting_by(code: str) -> Iterator[None]:
    """Count by the kernel, or by NumPy as under SEGEVAL_COUNTING=numpy."""
    kernel = KERNEL if code == "native" else None
    with (
        patch("segeval.counting.native.KERNEL", kernel),
        patch("segeval.counting.kernel.KERNEL", kernel),
        patch("made.sets.app", COMMAND),
    ):
        yield


def run_case(case: Case) -> CompletedProcess[str]:
    """Take the route of a combination to its document."""
    route, count, score = case.row["route"], case.counting(), case.scoring()
    run, how = case.folder / "counted.segeval", dict[str, Any](expect=None)
    if route in {"altered", "deleted", "added"}:
        case.write(earlier(case))
        segeval("score", *count, *score, "-o", run, **how)
    case.write(case.pictures)
    if route == "shard":
        return segeval("score", *count, *score, "--shard", "2/2", **how)
    if route == "merge":
        shards = [case.folder / f"{number}.segeval" for number in (1, 2, 3)]
        for number, shard in enumerate(shards, 1):
            done = segeval("score", *count, *score, "--shard", f"{number}/3", "-o", shard, **how)
            if not shard.exists():
                return done
        if (done := segeval("merge", *shards, "-o", run, "-q", **how)).returncode:
            return done
    if (
        route == "report"
        and (done := segeval("score", *count, *score, "-o", run, **how)).returncode
    ):
        return done
    if route in {"report", "merge"}:
        return segeval("report", run, *score, **how)
    more = ["-o", run, "--resume"] if route in WRITTEN else []
    return segeval("score", *count, *score, *more, **how)


def earlier(case: Case) -> list[Picture]:
    """Return the data set as it was when it was counted first."""
    first, *others = case.pictures
    if case.row["route"] == "added":
        return others
    if case.row["route"] == "deleted":
        return [*case.pictures, replace(first, name="d/later")]
    prediction = None if first.prediction is None else first.prediction[::-1]
    return [replace(first, truth=first.truth[::-1, ::-1], prediction=prediction), *others]


def differences(found: Any, wanted: Any, where: str = "") -> list[str]:
    """Say where a document holds anything else than is wanted; scores may differ by rounding."""
    if isinstance(wanted, dict):
        return [d for k, w in wanted.items() for d in differences(found.get(k), w, f"{where}.{k}")]
    if isinstance(wanted, list) and isinstance(found, list) and len(found) == len(wanted):
        pairs = enumerate(zip(found, wanted, strict=True))
        return [d for n, (f, w) in pairs for d in differences(f, w, f"{where}[{n}]")]
    if isinstance(wanted, float) and isinstance(found, (int, float)):
        return [] if abs(found - wanted) <= CLOSE else [f"{where}: {found!r}, not {wanted!r}"]
    return [] if found == wanted else [f"{where}: {found!r}, not {wanted!r}"]


def check(case: Case) -> tuple[str, list[str]]:
    """Return what became of a combination, and all differences."""
    refused, wanted, doubt = None, {}, []
    try:
        found = find(case.pictures, case.row)
        case.names, wanted = found.names, expected(found, case.row)
        doubt = [(3, "the classes may be others")] if found.doubtful else []
    except Refused as reasons:
        refused = reasons.reasons
    with counting_by(case.row["counting"]):
        done = run_case(case)
        if refused is not None:
            return "refused", refusal_faults(done, refused)
        if doubt and done.returncode:
            return "doubtful", refusal_faults(done, doubt)
        if done.returncode:
            return "scored", [f"exit {done.returncode}: {done.stderr}"]
        faults = differences(listed(done.stdout), wanted)
        if case.row["route"] in WRITTEN:
            fresh = segeval("score", *case.counting(), *case.scoring(), expect=None)
            if fresh.stdout != done.stdout:
                faults.append("the document is not that of a fresh count")
    return "scored", faults


def listed(document: str) -> dict[str, Any]:
    """Return the parts of a document that are compared, by the names of what is wanted."""
    content: dict[str, Any] = json.loads(document)
    matrix = content["confusion"]
    return {
        **content,
        "counts": matrix["counts"],
        "unknown": matrix["unknown"],
        "groups": content.get("groups", []),
    }


def refusal_faults(done: CompletedProcess[str], reasons: Sequence[tuple[int, str]]) -> list[str]:
    """Say what is wrong about a refusal: its code, a document all the same, or no words."""
    shown = f"{reasons}: exit {done.returncode}: {done.stderr}{done.stdout}"
    if done.returncode not in {code for code, _ in reasons}:
        return [f"not refused as it should be, {shown}"]
    told = done.stderr.startswith("segeval: ") and "Traceback" not in done.stderr
    return [] if told and not done.stdout else [f"not refused in words, {shown}"]


def fits(row: Row, seed: int) -> bool:
    """Whether a combination is scored."""
    try:
        find(made_pictures(row, seed), row)
    except Refused:
        return False
    return True


def cases(number: int, seed: int, folder: Path) -> Iterator[Case]:
    """Yield cases, each in a folder of its own that is gone with the next."""
    for position, (row, own_seed) in enumerate(islice(rows(seed, fits), number)):
        place = folder / str(position)
        yield Case(place, row, own_seed)
        shutil.rmtree(place, ignore_errors=True)


def main() -> int:
    """Check as many combinations as are asked for, and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    ends: Counter[str] = Counter()
    met: dict[bool, set[Any]] = {True: set(), False: set()}
    wrong, number = 0, len(all_pairs())
    with tempfile.TemporaryDirectory() as folder:
        for position, case in enumerate(cases(given.cases, given.seed, Path(folder))):
            try:
                end, faults = check(case)
            except Exception as error:  # noqa: BLE001 - what nobody expected is a difference
                end, faults = "crashed", [repr(error)]
            ends[end] += 1
            met[end == "scored"].update(pairs_of(case.row))
            if faults:
                wrong += 1
                stated = {name: value for name, value in case.row.items() if value}
                print(f"case {position} {stated}", *faults[:6], sep="\n  ")
    told = ", ".join(f"{count} {end}" for end, count in sorted(ends.items()))
    print(f"{given.cases} combinations: {told}; {wrong} differ")
    print(
        f"{number} pairs of values: {len(met[True])} scored, {len(met[False] - met[True])} refused "
        "only"
    )
    return min(wrong, 1)


if __name__ == "__main__":
    sys.exit(main())
