"""The tutorial, typed from the first line to the last."""

from __future__ import annotations

import re
import runpy
import shlex
from pathlib import Path
from typing import Final

import pytest
import yaml
from made.sets import segeval

PAGE: Final = Path(__file__).parents[2] / "docs" / "tutorial.md"
STEP: Final = re.compile(r"(?:This is `([^`]+)`[^\n]*\n\n)?```(\w+)\n(.*?)```", re.DOTALL)


def test_the_tutorial_is_what_happens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config
) -> None:
    monkeypatch.chdir(tmp_path)
    page = PAGE.read_text("utf-8")
    shown: dict[str, str] = {}
    for name, language, content in STEP.findall(page):
        if name:
            Path(name).parent.mkdir(parents=True, exist_ok=True)
            Path(name).write_text(content, encoding="utf-8")
        elif language == "console":
            line, _, output = content.partition("\n")
            done = segeval(*shlex.split(line)[2:], expect=int("0.9" in line))
            shown[content] = f"{line}\n{done.stdout}{done.stderr}"
            if not pytestconfig.getoption("--refresh-golden"):
                assert done.stdout + done.stderr == output, "type `make golden`"
        else:
            for line in content.splitlines():
                run(line)
    for old, new in shown.items():
        page = page.replace(f"```console\n{old}```", f"```console\n{new}```")
    if pytestconfig.getoption("--refresh-golden"):
        PAGE.write_text(page, encoding="utf-8")
    assert len(shown) == 4
    assert "</html>" in Path("report.html").read_text("utf-8")
    assert len(list(Path("errors").glob("*.png"))) == 8
    step = yaml.safe_load(Path(".github/workflows/score.yml").read_text("utf-8"))["jobs"]["score"][
        "steps"
    ][-1]
    segeval("score", *shlex.split(step["with"]["args"]))


def run(line: str) -> None:
    """Run a line of the tutorial; what installs is left to the test of the package."""
    program, *words = shlex.split(line)
    if program == "python":
        runpy.run_path(words[0])
    elif program == "segeval":
        segeval(*words)
    else:
        assert line == "pip install segeval-masks"
