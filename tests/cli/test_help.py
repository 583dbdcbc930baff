"""What helps at the prompt: groups of commands, colours on a terminal, completion."""

from __future__ import annotations

import sys

import pytest
from made.sets import segeval
from typer.testing import CliRunner

from segeval.cli.console import notify
from segeval.cli.program import COMMANDS, app


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
