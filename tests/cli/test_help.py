"""What helps at the prompt: short pages with examples, one style of errors, completion."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
import shutil
import sys
import webbrowser
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pytest
import typer
from made.maps import save_map
from made.sets import data_set, save, segeval
from typer.main import get_command
from typer.testing import CliRunner

from segeval.cli.console import notify
from segeval.cli.help import panels_of
from segeval.cli.hints import refusal
from segeval.cli.program import COMMANDS, app
from segeval.viewer.server import Viewer

NAMES = " ".join(COMMANDS.values()).split()
LONG = [
    name for name in NAMES if name not in {"presets", "conformance", "labels", "merge", "config"}
]


def options_in(page: str) -> list[str]:
    """Return the options that have a row on a page of help."""
    return re.findall(r"^│ (?:-\w, )?(--[\w-]+)", page, re.MULTILINE)


def examples_of(command: str) -> list[list[str]]:
    """Return the examples that the help of a command shows, without `segeval`."""
    lines = segeval(command, "--help").stdout.splitlines()
    return [shlex.split(line)[1:] for line in lines if line.startswith("  segeval ")]


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make whatever the examples name: masks of Cityscapes, photographs, maps, and saved runs."""
    folder = tmp_path_factory.mktemp("workplace")
    truth = np.repeat([7, 7, 8, 8, 11, 11, 12, 12], 8).reshape(8, 8)
    prediction = np.where(np.eye(8) == 1, 7, truth)
    pairs = {f"city_0{number}": (truth, np.roll(prediction, number, 1)) for number in range(1, 4)}
    data_set(folder, dict(pairs))
    for name, (true, predicted) in pairs.items():
        for other in ("photos", "maps"):
            save(folder / other / f"{name}.png", predicted * 9)
        save(folder / "masks" / f"{name}.png", (true > 8) * 255)
        chances = np.where(np.arange(21)[:, None, None] == true, 0.9, 0.005)
        save_map(folder / "probs" / f"{name}.npy", chances)
    for copy in ("old", "new"):
        shutil.copytree(folder / "pred", folder / copy)
    measured = ("--boundary", "2%", "--distances")
    segeval("score", "pred", "truth", *measured, "-o", "old.segeval", cwd=folder)
    for copy in ("new", "first", "second"):
        shutil.copy(folder / "old.segeval", folder / f"{copy}.segeval")
    return folder


def run_examples(command: str, folder: Path) -> int:
    """Run each example of a command; the run that they name is there, or will be written."""
    run = folder / "run.segeval"
    run.unlink(missing_ok=True)
    if command != "score":
        shutil.copy(folder / "old.segeval", run)
    examples = examples_of(command)
    for words in examples:
        segeval(*words, cwd=folder)
    return len(examples)


def test_the_examples_of_score_run(workplace: Path) -> None:
    assert run_examples("score", workplace) == 6


@pytest.mark.slow
@pytest.mark.parametrize("command", [name for name in NAMES if name != "score"])
def test_the_examples_of_a_command_run(
    command: str, workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Viewer, "serve_forever", lambda _: None)
    monkeypatch.setattr(webbrowser, "open", lambda _: True)
    assert run_examples(command, workplace) >= (2 if command in LONG else 1)


def test_a_short_page_shows_examples_then_a_dozen_options_and_where_the_rest_is() -> None:
    page, whole = (segeval("score", shown).stdout for shown in ("--help", "--help-all"))
    assert page.index("\nExamples\n") < page.index("╭─ Arguments") < page.index("╭─ Options")
    assert page.rstrip().splitlines()[-1].endswith(" score --help-all")
    assert 12 <= len(options_in(page)) <= 18
    assert "--fail-under" in options_in(page)
    assert "--max-pixels" not in page
    assert set(options_in(page)) < set(options_in(whole))
    assert {"--max-pixels", "--no-config", "--help"} < set(options_in(whole))
    assert "╭─ Pairing and reading ─" in whole
    assert "All options" not in whole


@pytest.mark.parametrize("name", NAMES)
def test_every_large_command_shows_less_than_all(name: str) -> None:
    group: Any = get_command(app)
    ctx = typer.Context(group.commands[name], info_name=name)
    short, whole = (
        [each for panel in panels_of(ctx, everything=all_).values() for each in panel]
        for all_ in (False, True)
    )
    assert {each.name for each in whole} == {each.name for each in ctx.command.get_params(ctx)}
    assert "\n    segeval " in (ctx.command.help or "")
    if name in LONG:
        assert 8 <= len(short) <= 20 < len(whole)
    else:
        assert short == whole
        assert "help_all" not in {each.name for each in whole}


def test_defaults_are_shown_as_they_are_typed() -> None:
    page = segeval("score", "--help-all", COLUMNS="200").stdout
    for default in ("dataset", "skip", "12345", "table", "error"):
        assert f"[default: {default}]" in page
    assert "[one of: skip, zero, one, undefined] [default: skip]" in page
    assert "[1 or more]" in page
    assert not re.search(r"default: [(<]|repeatable\. \[", page)


@pytest.mark.parametrize("columns", [60, 80, 110, 120])
def test_pages_fit_terminals_of_any_width(columns: int) -> None:
    page = segeval("score", "--help-all", COLUMNS=str(columns)).stdout
    assert "[default: dataset]" in page
    boxed = [line for line in page.splitlines() if line.startswith(("│", "╭", "╰"))]
    assert {len(line) for line in boxed} == {columns}
    assert set(options_in(page)) == set(options_in(segeval("score", "--help-all").stdout))
    assert "  segeval score pred/ truth/ -o run.segeval --html page.html\n" in page


def test_pages_are_coloured_on_terminals_and_plain_where_letters_are_few(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[36m--labels" in segeval("check", "--help", FORCE_COLOR="1").stdout
    assert "\x1b[36m" not in segeval("check", "--help", FORCE_COLOR="1", NO_COLOR="1").stdout
    assert "\x1b" not in segeval("check", "--help").stdout
    few = io.TextIOWrapper(io.BytesIO(), "ascii")
    with contextlib.redirect_stdout(few), contextlib.suppress(SystemExit):
        app(["check", "--help"])
    few.seek(0)
    assert "+- Options ---" in few.read()


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("score --treshold 3", "no such option: --treshold; did you mean --threshold?"),
        ("score -labels voc", "no such option: -l; did you mean --labels?"),
        ("score --per", "no such option: --per; did you mean --percent?"),
        ("check --html a", "no such option: --html; segeval score, report, compare have it"),
        ("score a b c d", "too many arguments: 'c' 'd'"),
        ("score --workers x", "--workers 'x' is not a whole number, 1 or more"),
        ("overlay a b -o c --opacity 3", "--opacity '3' is not a number, 0 to 1"),
        ("score --missing x", "--missing 'x' is not one of 'error', 'skip', 'worst'"),
        ("score --labels", "option '--labels' requires an argument"),
        ("score --quiet=1", "option '--quiet' does not take a value"),
        ("report", "missing argument RUN: run file made with score -o"),
        ("overlay a b", "missing option -o DIR: folder for the pictures; made if need be"),
    ],
)
def test_errors_of_usage_are_one_line_with_what_to_type_next(typed: str, said: str) -> None:
    done = segeval(*typed.split(), expect=2)
    command, *_ = typed.split()
    assert done.stdout == ""
    assert re.fullmatch(rf"segeval: {re.escape(said)} \(see .+ {command} --help\)\n", done.stderr)


def test_errors_before_a_command_are_said_alike() -> None:
    for typed, said in (
        ("scroe", "no such command 'scroe'; did you mean 'score'?"),
        ("--verson", "no such option: --verson; did you mean --version?"),
        ("--", "missing command"),
    ):
        done = segeval(typed, expect=2)
        assert re.fullmatch(rf"segeval: {re.escape(said)} \(see .+ --help\)\n", done.stderr)
    done = segeval(expect=2)
    assert "╭─ Score ─" in done.stdout
    assert not done.stderr


def test_commands_stand_in_groups() -> None:
    said = segeval("--help").stdout
    places = [said.index(f"{group} ─") for group in COMMANDS]
    assert places == sorted(places)
    assert places[0] < said.index("\n│ score ") < places[1] < said.index("\n│ view ") < places[2]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("score --labels city", "cityscapes"),
        ("sweep --labels bin", "binary"),
        ("score --like mms", "mmseg"),
        ("score --fail-under mi", "miou="),
    ],
)
def test_completion_knows_names(typed: str, meant: str) -> None:
    words = f"segeval {typed}"
    asked = {"COMP_WORDS": words, "COMP_CWORD": str(len(words.split()) - 1)}
    done = CliRunner().invoke(app, [], env={"_SEGEVAL_COMPLETE": "complete_bash", **asked})
    assert meant in done.stdout.splitlines()


def test_speech_is_coloured_on_a_terminal_only(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    notify("segeval: no")
    assert capsys.readouterr().err == "segeval: no\n"
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    notify("segeval: no")
    notify("notice: yes")
    assert capsys.readouterr().err.count("\x1b[1m") == 2
    monkeypatch.setenv("NO_COLOR", "1")
    notify("segeval: no")
    assert "\x1b" not in capsys.readouterr().err


def test_a_path_that_cannot_be_read_is_no_matter_of_its_type() -> None:
    said = "'odd/masks' cannot be read; look at its permissions"
    assert refusal("odd/masks", Annotated[Path | None, None]) == said
    assert refusal("x", Annotated[int | None, None]) == "'x' is not a whole number"
