"""No page, help text or message names an option that is not there."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import typer

import segeval
from segeval.cli import app

ROOT = Path(__file__).parents[2]
PACKAGE = Path(segeval.__file__).parent
GROUP: Any = typer.main.get_command(app)
OWN = {
    name: {option for parameter in command.params for option in parameter.opts} | {"--help"}
    for name, command in GROUP.commands.items()
}
"""The options of each command."""

KNOWN = set.union(*OWN.values(), *({*parameter.opts} for parameter in GROUP.params))
OTHERS = {
    "--executions", "--group", "--lines", "--megabytes", "--rows", "--segeval-html",
}  # fmt: skip
"""Options of scripts of this project, of pip and of pytest."""

OPTION = re.compile(r"(?<![\w-])--[a-z](?:[\w-]*\w)?")


def codes(text: str) -> list[str]:
    """Return the pieces of code of a page, and its lines, of which some are code."""
    return [*re.findall(r"`([^`\n]+)`", text), *text.replace("\\\n", " ").splitlines()]


def pages() -> dict[str, str]:
    files = [*(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md"), *PACKAGE.rglob("*.md")]
    return {str(path.relative_to(ROOT)): path.read_text("utf-8") for path in files}


def test_no_page_names_an_option_that_is_not_there() -> None:
    named = {
        (option, page)
        for page, text in pages().items()
        for code in codes(text)
        if re.match(r"(\$ |.*\| `)?segeval |\s*--", code)  # no other program
        for option in OPTION.findall(code)
    }
    assert len(named) > 300
    assert sorted(each for each in named if each[0] not in KNOWN | OTHERS) == []


def test_commands_of_pages_have_the_options_that_they_are_typed_with() -> None:
    typed = [
        (command, option, page)
        for page, text in pages().items()
        for code in codes(text)
        for command, rest in re.findall(r"^\s*(?:\$ )?segeval ([a-z]+)\b([^`]*)$", code)
        if command in OWN
        for option in OPTION.findall(rest)
    ]
    assert len(typed) > 200
    assert [each for each in typed if each[1] not in OWN[each[0]]] == []


def test_no_message_names_an_option_that_is_not_there() -> None:
    texts = {path: path.read_text("utf-8") for path in PACKAGE.rglob("*.html")}
    for path in PACKAGE.rglob("*.py"):
        constants = (n for n in ast.walk(ast.parse(path.read_text("utf-8"))))
        strings = (n.value for n in constants if isinstance(n, ast.Constant))
        texts[path] = "\n".join(each for each in strings if isinstance(each, str))
    named = {(option, path.name) for path, text in texts.items() for option in OPTION.findall(text)}
    assert len(named) > 200
    others = OTHERS | {"--force-reinstall"}  # of pip
    assert sorted(each for each in named if each[0] not in KNOWN | others) == []
