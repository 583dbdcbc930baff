import ast
from collections import Counter
from pathlib import Path

import pytest
from mutants.changes import changes, mutants_of, mutated
from mutants.mutants import HEAD, equivalent, row, share, write

CODE = '''
"""A module."""
import math
LEAST: int = 3

class Box:
    def fits(self, n: "1") -> bool:
        """Tell if 1 fits."""
        if n < LEAST and not self.full:
            raise ValueError(f"{n + 1} is too few")
        return math.isclose(n, 2.5, strict=True)
'''


def told(code: str) -> list[str]:
    return [f"{function}: {old} => {new}" for function, _, old, new in changes(ast.parse(code))]


def test_a_tree_is_changed_in_one_place_at_a_time() -> None:
    condition = "n < LEAST and (not self.full)"
    raised = "raise ValueError(f'{n + 1} is too few')"
    value = "return math.isclose(n, 2.5, strict=True)"
    assert told(CODE) == [
        "<module>: LEAST: int = 3 => LEAST: int = 4",
        f"Box.fits: {condition} => n < LEAST or not self.full",
        f"Box.fits: {condition} => n <= LEAST and (not self.full)",
        f"Box.fits: {condition} => n < LEAST and self.full",
        f"Box.fits: {raised} => pass",
        f"Box.fits: {value} => return None",
        "Box.fits: math.isclose(n, 2.5, strict=True) => math.isclose(n, 3.5, strict=True)",
    ]


def test_a_change_is_compiled_and_its_place_in_the_order_is_its_own(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text("def f(a):\n    return a + 1\n")
    found = {m.change: m for m in mutants_of(tmp_path, "m.py")}
    module: dict[str, int] = {}
    exec(mutated(tmp_path, found["return a + 1  =>  return a - 1"]), module)
    assert module["f"](5) == 4  # type: ignore[operator]
    (tmp_path / "m.py").write_text("X = 1\n\ndef f(a):\n    return a + 1\n")
    moved = {m.change: m.rank for m in mutants_of(tmp_path, "m.py")}
    assert {change: moved[change] for change in found} == {c: m.rank for c, m in found.items()}


def test_what_is_listed_as_equivalent_must_be_a_change() -> None:
    kept = "segeval/scoring/gates.py DropGate.passed\nreturn False  =>  return True\nNo reason.\n"
    assert [mutant.after for mutant in equivalent(f"Head.\n\n{kept}")] == ["return True"]
    gone = "segeval/text.py f\n1 => 2"
    with pytest.raises(SystemExit, match=f"there is no such change, or no reason:\n{gone}"):
        equivalent(f"Head.\n\n{kept}\n{gone}\nIt is gone.\n")


def test_a_share_has_its_wilson_interval() -> None:
    assert share(54, 60) == "90.0 % (80 % to 95 %)"
    assert share(0, 0) == "–"


def test_the_score_of_a_room_takes_its_place_in_the_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"Text.\n\n{HEAD}\n|---|\n| gates | old |\n| labels | old |\n\nMore.\n")
    monkeypatch.setattr("mutants.mutants.PAGE", page)
    write("scoring", "| scoring | new |")
    write("gates", "| gates | new |")
    table = f"{HEAD}\n|---|\n| gates | new |\n| scoring | new |\n| labels | old |"
    assert page.read_text() == f"Text.\n\n{table}\n\nMore.\n"
    counts = Counter(killed=5, timeout=1, survived=2, equivalent=2)
    cells = row("gates", 99, counts).split(" | ")
    assert cells[2:] == ["10 of 99", "5", "1", "2", "2", "75.0 % (41 % to 93 %) |"]
