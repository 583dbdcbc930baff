"""A CSV table names the pairs, or says which of its lines does not."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from segeval.errors import SettingError
from segeval.inputs.pairing import Pairing, read_pairs

if TYPE_CHECKING:
    from pathlib import Path


def table_of(tmp_path: Path, text: str | bytes, *files: str) -> Path:
    for name in files:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    table = tmp_path / "pairs.csv"
    table.write_bytes(text.encode() if isinstance(text, str) else text)
    return table


def kinds(pairing: Pairing) -> list[str]:
    return [found.kind for found in pairing.problems]


def test_paths_are_relative_to_the_table_and_names_are_optional(tmp_path: Path) -> None:
    text = "prediction,truth\np/b.png,t/b_gt.png\np/a.png,t/a_gt.png\n"
    pairing = read_pairs(table_of(tmp_path, text, "p/a.png", "p/b.png"))
    assert pairing.problems == ()
    assert [pair.name for pair in pairing.pairs] == ["t/a_gt", "t/b_gt"]
    assert pairing.pairs[0].truth == tmp_path / "t/a_gt.png"
    assert pairing.pairs[0].prediction == tmp_path / "p/a.png"


def test_an_absolute_path_stays_what_it_is(tmp_path: Path) -> None:
    text = f"truth,prediction\n{tmp_path / 't.png'},{tmp_path / 'p.png'}\n"
    (pair,) = read_pairs(table_of(tmp_path / "deep", text, "../p.png")).pairs
    assert pair.prediction == tmp_path / "p.png"


def test_names_groups_spaces_and_a_byte_order_mark_are_read(tmp_path: Path) -> None:
    text = '\ufeffname,group,truth,prediction\r\nfirst one,site 1,"t, 1.png",p é.png\r\n\r\n'
    (pair,) = read_pairs(table_of(tmp_path, text, "p é.png")).pairs
    assert (pair.name, pair.group) == ("first one", "site 1")
    assert pair.truth == tmp_path / "t, 1.png"


def test_one_prediction_may_serve_two_truths(tmp_path: Path) -> None:
    text = "prediction,truth\np.png,t1.png\np.png,t2.png\n"
    assert len(read_pairs(table_of(tmp_path, text, "p.png")).pairs) == 2


@pytest.mark.parametrize(("include", "expected"), [("b*", ["b"]), ("t/1*", ["a"])])
def test_the_glob_looks_at_names_and_truths(
    tmp_path: Path, include: str, expected: list[str]
) -> None:
    text = "prediction,truth,name\np.png,t/1.png,a\np.png,t/2.png,b\n"
    pairing = read_pairs(table_of(tmp_path, text, "p.png"), include=include)
    assert [pair.name for pair in pairing.pairs] == expected


@pytest.mark.parametrize(
    ("missing", "pairs", "left_out", "problems"),
    [
        ("error", ["a"], (), ["missing prediction"]),
        ("skip", ["a"], ("b",), []),
        ("worst", ["a", "b"], ("b",), []),
    ],
)
def test_a_row_without_its_prediction_is_a_problem_or_waived(
    tmp_path: Path, missing: Any, pairs: list[str], left_out: tuple[str, ...], problems: list[str]
) -> None:
    text = "prediction,truth,name,group\ngone.png,b.png,b,g\np.png,a.png,a,g\n"
    pairing = read_pairs(table_of(tmp_path, text, "p.png"), missing=missing)
    assert [pair.name for pair in pairing.pairs] == pairs
    assert pairing.missing == left_out
    assert kinds(pairing) == problems
    assert all((pair.prediction is None) == (pair.name == "b") for pair in pairing.pairs)
    assert {pair.group for pair in pairing.pairs} == {"g"}


@pytest.mark.parametrize("missing", ["error", "skip", "worst"])
def test_a_name_on_two_lines_is_a_problem_of_the_second(tmp_path: Path, missing: Any) -> None:
    text = "prediction,truth\np.png,a.png\n\np.png,a.tif\ngone.png,b.png\ngone.png,b.tif\n"
    pairing = read_pairs(table_of(tmp_path, text, "p.png"), missing=missing)
    twice = [found for found in pairing.problems if found.kind == "two files of one name"]
    assert [found.name for found in twice] == ["a", "b"]
    assert "line 4: name 'a' stands on an earlier line" in twice[0].detail
    assert "line 6: name 'b' stands on an earlier line" in twice[1].detail


@pytest.mark.parametrize("include", [None, "z*"])
def test_a_table_without_pairs_is_a_problem(tmp_path: Path, include: str | None) -> None:
    text = "prediction,truth\n" + ("p.png,a.png\n" if include else "")
    pairing = read_pairs(table_of(tmp_path, text, "p.png"), include=include)
    assert kinds(pairing) == ["no pairs"]
    assert pairing.problems[0].detail == f"{tmp_path / 'pairs.csv'} names no pairs to score"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", ": column prediction and truth is missing; the first line must be"),
        ("pred,truth\na,b\n", ": column prediction is missing"),
        ("prediction;truth\na;b\n", ": column prediction and truth is missing"),
        ("prediction,truth\na.png,b.png\nc.png\n", ": line 3: prediction or truth is empty"),
        ("prediction,truth\n,b.png\n", ": line 2: prediction or truth is empty"),
        (b"\x89PNG\xff", ": cannot be read: it is not UTF-8 text (line 1)"),
    ],
)
def test_a_bad_table_is_refused_with_its_name_and_line(
    tmp_path: Path, text: str | bytes, reason: str
) -> None:
    table = table_of(tmp_path, text)
    with pytest.raises(SettingError, match=f"^{re.escape(str(table) + reason)}"):
        read_pairs(table)


def test_a_missing_table_is_refused_by_name(tmp_path: Path) -> None:
    table = tmp_path / "none.csv"
    with pytest.raises(SettingError, match=f"^{re.escape(str(table))}: cannot be read"):
        read_pairs(table)


@pytest.mark.parametrize("path", [".", "..", "/", "a" * 300, "a/" * 3000, "x\ty"])
def test_paths_that_are_no_file_are_a_problem(tmp_path: Path, path: str) -> None:
    table = table_of(tmp_path, f"prediction,truth\n{'a' * 300},{path}\n")
    assert kinds(read_pairs(table)) == ["missing prediction"]
