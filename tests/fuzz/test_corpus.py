"""Small inputs that fuzzing made are read again, and so are files with a flipped bit or cut off."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fuzz import faults, fuzz
from fuzz.target import FindingError, Target
from fuzz.targets import TARGETS

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).parent


@pytest.mark.parametrize("name", TARGETS)
def test_inputs_that_were_found_are_read_or_refused(tmp_path: Path, name: str) -> None:
    inputs = sorted((HERE / "corpus" / name).iterdir())
    assert inputs
    for path in inputs:
        assert fuzz.outcome(TARGETS[name], tmp_path / "input", path.read_bytes())[1] == "", path


@pytest.mark.parametrize("name", TARGETS)
def test_every_valid_input_is_read(tmp_path: Path, name: str) -> None:
    for seed, data in TARGETS[name].seeds().items():
        what, reason = fuzz.outcome(TARGETS[name], tmp_path / "input", data)
        assert what in {"accepted", "confirmed"}, (seed, reason)


def fail(error: Exception) -> Callable[[Path, bytes], str]:
    def read(path: Path, data: bytes) -> str:
        del path, data
        raise error

    return read


@pytest.mark.parametrize("error", [ValueError("odd"), FindingError("odd")])
def test_what_may_not_be_is_a_finding(tmp_path: Path, error: Exception) -> None:
    target = Target(seeds=dict, mutators=(), read=fail(error))
    what, reason = fuzz.outcome(target, tmp_path / "input", b"x")
    assert what == "finding"
    assert "odd" in reason


def test_the_fuzzer_prints_counts_and_makes_the_same_inputs_again() -> None:
    program = str(HERE / "fuzz.py")
    command = [sys.executable, program, "gif", "--executions", "40", "--seed", "3"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    assert (found["target"], found["executions"], found["findings"]) == ("gif", 40, [])
    assert found["refused"] + found["confirmed"] == 40
    seeds = TARGETS["gif"].seeds()
    one, other = (
        [fuzz.made_input(TARGETS["gif"], sorted(seeds), seeds, f"gif 3 {at}") for at in range(40)]
        for _ in range(2)
    )
    assert one == other


SUMMED = {"PNG, grey", "PNG, palette", "PNG, RGB", "`.npz`", "TIFF, Deflate"}


def test_damage_is_noticed_or_changes_values_where_there_is_no_checksum() -> None:
    found = faults.count(flipped=60, step=11)
    assert found.keys() >= SUMMED
    for name, (flips, cuts) in found.items():
        assert flips["another shape"] == 0, name
        assert name not in SUMMED or flips["other values"] == 0, name
        assert cuts.keys() == {"refused"}, name
