"""What is typed to install: the name of the distribution, never that of its namesake."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from pathlib import Path
from typing import Final

import pytest
from made.sets import segeval
from packaging.requirements import Requirement

PROJECT: Final = Path(__file__).parents[1]
SETUP: Final = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]
NAMESAKE: Final = "the unrelated package `segeval` is installed as well"
COMMAND: Final = re.compile(r"pip install ([^`;\n]+)")


def texts() -> dict[str, str]:
    """Read all that people read: strings of the source, templates, pages and the action."""
    pages = [*PROJECT.glob("*.md"), *(PROJECT / "docs").rglob("*.md"), PROJECT / "action.yml"]
    pages += [path for kind in ("html", "js") for path in (PROJECT / "segeval").rglob(f"*.{kind}")]
    found = {str(path): path.read_text("utf-8") for path in pages}
    for path in (PROJECT / "segeval").rglob("*.py"):
        nodes = ast.walk(ast.parse(path.read_text("utf-8")))
        strings = (n.value for n in nodes if isinstance(n, ast.Constant))
        found[str(path)] = "\n".join(text for text in strings if isinstance(text, str))
    return found


def test_no_message_installs_the_namesake() -> None:
    typed = []
    for name, text in texts().items():
        assert not re.search(r"\bsegeval\[[a-z]|[^\"]segeval-masks\[", text), name
        for command in COMMAND.findall(text):
            words = [word.strip("\"'") for word in command.split()]
            wanted = [Requirement(word) for word in words if re.match("segeval", word)]
            typed += wanted
            assert all(each.name == "segeval-masks" for each in wanted), (name, command)
            extras = {extra for each in wanted for extra in each.extras}
            assert extras <= set(SETUP["optional-dependencies"]), (name, command)
    assert any(each.extras == {"report"} for each in typed)


def test_the_commands_are_named_after_the_distribution_and_the_import() -> None:
    assert SETUP["scripts"] == {SETUP["name"]: "segeval.cli:main", "segeval": "segeval.cli:main"}


def test_pages_need_no_extra() -> None:
    assert any(Requirement(text).name == "jinja2" for text in SETUP["dependencies"])


@pytest.mark.parametrize("end", ["dist-info", "egg-info"])
def test_the_namesake_is_named_where_it_is_installed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, end: str
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / f"segeval_masks-0.1.0.{end}").mkdir()
    assert NAMESAKE not in segeval("presets", "sklearn").stderr
    (tmp_path / f"segeval-2.0.11.{end}").mkdir()
    assert str(tmp_path) in sys.path
    assert segeval("presets", "sklearn").stderr.count(NAMESAKE) == 1
