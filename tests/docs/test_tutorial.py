"""The tutorial, typed from the first line to the last."""

from __future__ import annotations

import runpy
import shlex
from pathlib import Path

import pytest
import yaml
from made.sets import segeval
from made.tutorial import PAGE, fails, written_and_typed


def test_the_tutorial_is_what_happens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config
) -> None:
    monkeypatch.chdir(tmp_path)
    page, shown = PAGE.read_text("utf-8"), 0
    for line, output in written_and_typed(tmp_path):
        said = run(line)
        if output is not None:
            shown += 1
            page = page.replace(f"$ {line}\n{output}```", f"$ {line}\n{said}```")
            assert said == output or pytestconfig.getoption("--refresh-golden"), "`make golden`"
    if pytestconfig.getoption("--refresh-golden"):
        PAGE.write_text(page, encoding="utf-8")
    assert shown == 4
    assert "</html>" in Path("report.html").read_text("utf-8")
    assert len(list(Path("errors").glob("*.png"))) == 8
    workflow = yaml.safe_load(Path(".github/workflows/score.yml").read_text("utf-8"))
    segeval("score", *shlex.split(workflow["jobs"]["score"]["steps"][-1]["with"]["args"]))


def run(line: str) -> str:
    """Run a line of the tutorial; what installs is left to the test of the package."""
    program, *words = shlex.split(line)
    if program == "segeval":
        done = segeval(*words, expect=int(fails(line)))
        return done.stdout + done.stderr
    if program == "python":
        runpy.run_path(words[0])
    else:
        assert line == "pip install segeval-masks"
    return ""
