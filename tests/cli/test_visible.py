"""What data are called is seen, and never obeyed: by no terminal, and by no CI server."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made.runs import BLOCKS
from made.sets import data_set, segeval

from segeval.cli.console import write_stdout
from segeval.cli.github import harmless
from segeval.counting.run import CountedRun, Images
from segeval.counting.runfile import read_run, write_run
from segeval.reports.json import to_json
from segeval.text import HIDDEN, visible, visible_in

HOSTILE = "x\n::error::no\x1b[31m\x9b1m\u202e\u2028##[error]y\r\x7f"
SHOWN = r"x\n::error::no\x1b[31m\x9b1m\u202e\u2028##[error]y\r\x7f"
COMMANDS = re.compile(r"(?m)^\s*::|##\w*\[")


def on_github(*arguments: object, expect: int = 0) -> subprocess.CompletedProcess[str]:
    return segeval(*arguments, expect=expect, GITHUB_ACTIONS="true")


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run whose images, groups, paths and truths without prediction have hostile names."""
    folders = data_set(tmp_path, {"a": (BLOCKS, BLOCKS), "b": (BLOCKS, BLOCKS[::-1])})
    segeval("score", *folders, "-o", tmp_path / "made.segeval", "--missing", "skip")
    made = read_run(tmp_path / "made.segeval")
    images = Images(
        replace(image, name=f"{image.name}{HOSTILE}", group=f"{image.name}{HOSTILE}")
        for image in made.images
    )
    kept = replace(made.provenance, missing=(HOSTILE,), extra=(HOSTILE,))
    path = tmp_path / "hostile.segeval"
    write_run(CountedRun(images=images, counts=made.counts, provenance=kept), path)
    return path


READABLE: list[tuple[list[object], int]] = [
    (["--format", "table"], 0),
    (["--format", "table", "--pooling", "group"], 0),
    (["--format", "table", "--ci", "50"], 0),
    (["--markdown", "-"], 0),
    (["--junit", "-"], 0),
    (["--format", "json"], 0),
    (["--fail-under", f"iou.{HOSTILE}=1"], 2),
    (["--exclude", HOSTILE], 2),
    (["--fail-under", f"miou@b{HOSTILE}=0.99"], 1),
    (["--group-by", f"({HOSTILE}"], 2),
]


@pytest.mark.parametrize(("options", "code"), READABLE)
def test_reports_show_names_and_obey_none(run: Path, options: list[object], code: int) -> None:
    for call in (segeval, on_github):
        done = call("report", run, *options, expect=code)
        for text in (done.stdout, done.stderr):
            assert not HIDDEN.search(text.replace("\n", ""))
            ours = re.sub("(?m)^::(error|warning) title=", "", text)
            assert call is segeval or not COMMANDS.search(ours)
        text = (done.stdout + done.stderr).replace(r"\u003a", ":").replace(r"\\", "\\")
        assert r"\n::error::no\x1b[31m" in text.replace(r"\u001b", r"\x1b")


@pytest.mark.parametrize("command", ["compare", "explain", "check", "overlay", "show"])
def test_other_commands_show_names_too(run: Path, tmp_path: Path, command: str) -> None:
    name = "x\x1b[31m\u202e"
    run = run.rename(tmp_path / f"{name}.segeval")
    for side in ("pred", "truth"):
        (tmp_path / side / "a.png").rename(tmp_path / side / f"{name}.png")
    folders = [tmp_path / "pred", tmp_path / "truth"]
    words: dict[str, list[object]] = {
        "compare": ["compare", run, run, "--format", "table"],
        "explain": ["explain", run],
        "check": ["check", *folders, "--labels", f"no{name}"],
        "overlay": ["overlay", *folders, "-o", tmp_path / f"out{name}", "--worst", "2"],
        "show": ["show", *folders, name, "--colors", "none"],
    }
    done = segeval(*words[command], expect=2 if command == "check" else 0)
    text = done.stdout + done.stderr
    assert not HIDDEN.search(text.replace("\n", ""))
    if command != "explain":  # which names nothing
        assert r"\x1b[31m\u202e" in text


def test_usage_errors_show_what_was_typed() -> None:
    for words in (["--\x1b[31m"], ["scor\x1b[31m\u202e"], ["labels", "a", "\x1b[31m\n::error::"]):
        done = on_github(*words, expect=2)
        assert "\x1b" not in done.stderr
        assert r"\x1b[31m" in done.stderr
        assert done.stderr.count("\n") == 1
        assert done.stderr.startswith("::error title=segeval::")


def test_problems_are_a_line_each(tmp_path: Path) -> None:
    data_set(tmp_path, {"a": (BLOCKS, BLOCKS), "b\n::error::x\x1b": (BLOCKS, BLOCKS)})
    (tmp_path / "pred" / "b\n::error::x\x1b.png").unlink()
    for call in (segeval, on_github):
        done = call("score", tmp_path / "pred", tmp_path / "truth", expect=3)
        assert done.stderr.count("\n") == 2
        assert r"b\n::error::x\x1b.png has no prediction" in done.stderr
        assert "\x1b" not in done.stderr


def test_json_keeps_the_text_and_csv_too(run: Path) -> None:
    document = json.loads(on_github("report", run, "--format", "json").stdout)
    assert document["groups"][0]["name"] == f"a{HOSTILE}"
    assert json.loads(to_json({HOSTILE: HOSTILE})) == {HOSTILE: HOSTILE}
    per_image = segeval("report", run, "--per-image", "-").stdout
    assert HOSTILE.replace("\r", "\n") in per_image


@pytest.mark.parametrize("name", ["=1+2", "+cmd", "-x", "@SUM(A1)", "\tx", "-0.5", "a=1", '="x"'])
def test_spreadsheets_are_given_no_formulas(tmp_path: Path, name: str) -> None:
    folders = data_set(tmp_path, {name: (BLOCKS, BLOCKS), "b": (BLOCKS, BLOCKS[::-1])})
    plain = segeval("score", *folders, "--per-image", "-").stdout
    safe = segeval("score", *folders, "--per-image", "-", "--csv-safe").stdout
    rows, guarded = (list(csv.reader(io.StringIO(text))) for text in (plain, safe))
    is_formula = name not in {"-0.5", "a=1"}
    assert [row[0] for row in guarded] == [
        f"'{row[0]}" if row[0] == name and is_formula else row[0] for row in rows
    ]
    assert [row[1:] for row in guarded] == [row[1:] for row in rows]
    assert is_formula or safe == plain


def test_every_csv_can_be_safe(tmp_path: Path) -> None:
    labels, folders = (
        tmp_path / "labels.csv",
        data_set(tmp_path, dict.fromkeys(("=1", "=10"), (BLOCKS, BLOCKS))),
    )
    labels.write_text("name,value\n=a,0\nb,1\nc,2\nd,3\n")
    classes: list[object] = ["--labels", labels]
    score = ["score", *folders, *classes, "--group-by", "=1"]
    compare = ["compare", folders[0], folders[0], "--truth", folders[1], *classes]
    reports = {"--csv": score, "--per-image": score, "--confusion": score, "--per-group": score}
    for option, command in [*reports.items(), ("--csv", compare), ("--per-image", compare)]:
        text, safe = (segeval(*command, option, "-", *more).stdout for more in ([], ["--csv-safe"]))
        assert re.search(r"(?m)(^|,)=[a1]", text)
        assert not re.search(r"(?m)(^|,)=[a1]", safe)
        assert safe.replace("'=", "=") == text


class Terminal(io.StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_a_terminal_is_shown_data_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", stream := Terminal())
    write_stdout("a\x1b[31m\n")
    write_stdout("\x1b[1mours\x1b[0m\n", drawn=True)
    assert stream.getvalue() == "a\\x1b[31m\n\x1b[1mours\x1b[0m\n"


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("::error::x", r"\u003a:error::x"),
        ("  ::set-output", r"  \u003a:set-output"),
        ("a::b, c: d", "a::b, c: d"),
        ("x ##[error]y", r"x #\u0023[error]y"),
        ("##vso[task.x]", r"#\u0023vso[task.x]"),
        ("##teamcity[x]", r"#\u0023teamcity[x]"),
        ("## heading [x]", "## heading [x]"),
        ("a\n::b\n", "a\n\\u003a:b\n"),
    ],
)
def test_commands_are_data_for_ci_servers(
    monkeypatch: pytest.MonkeyPatch, text: str, written: str
) -> None:
    for server in ("GITHUB_ACTIONS", "TF_BUILD", "TEAMCITY_VERSION"):
        monkeypatch.delenv(server, raising=False)
    assert harmless(text) == text
    monkeypatch.setenv("TF_BUILD", "True")
    assert harmless(text) == written


def test_files_hold_data_as_they_are_on_ci_servers(run: Path, tmp_path: Path) -> None:
    path = tmp_path / "images.csv"
    on_github("report", run, "--per-image", path)
    assert "\n::error::no" in path.read_text("utf-8")


def test_ordinary_names_stay_as_they_are() -> None:
    for name in ("straße", "道路", "a\u00a0b", "e\u0301", "👩\u200d👩", "می\u200cخواهم", "a\\b"):
        assert visible(name) == name
    assert visible(HOSTILE) == SHOWN
    numbers = np.arange(3).tolist()
    assert visible_in({"a\n": [("b\x1b", None, 1.5), numbers]}) == {
        r"a\n": [[r"b\x1b", None, 1.5], numbers]
    }
