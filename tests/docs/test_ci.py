"""The recipes for CI systems work, and the page of options is the program's own."""

from __future__ import annotations

import json
import os
import re
import runpy
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from made.sets import segeval

from segeval.cli import app
from segeval.reports.badge import COLORS

PROJECT = Path(__file__).parents[2]
CI = (PROJECT / "docs" / "ci.md").read_text("utf-8")
CONFIGURATION = (PROJECT / "docs" / "configuration.md").read_text("utf-8")
PLUGIN = ["-p", "no:cacheprovider", "-p", "no:segeval", "-p", "segeval.pytest_plugin"]
GROUP: Any = typer.main.get_command(app)


def blocks(language: str, page: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page, re.DOTALL)


def check_command(line: str) -> None:
    """Fail if a command line names a command or an option that is not there."""
    words = shlex.split(line)
    command = GROUP.commands[words[1]]
    known = {name for parameter in command.params for name in parameter.opts}
    assert {word for word in words if word.startswith("-")} <= known


def test_the_pages_of_options_are_up_to_date() -> None:
    docs = PROJECT / "docs"
    pages = runpy.run_path(str(docs / "make_cli.py"))["pages"]()
    there = {"cli.md", *(path.relative_to(docs).as_posix() for path in docs.glob("cli/*.md"))}
    assert {name: (docs / name).read_text("utf-8") for name in there} == pages, "type `make docs`"
    for name, command in GROUP.commands.items():
        page = pages[f"cli/{name}.md"]
        assert f"](cli/{name}.md)" in pages["cli.md"]
        for parameter in command.params:
            assert all(f"`{option}`" in page for option in parameter.opts if option[0] == "-")


@pytest.mark.slow
def test_the_recipe_for_pytest_passes_and_fails(tmp_path: Path) -> None:
    (recipe,) = blocks("python", CI)
    for name, text, code in (
        ("good", recipe, 0),
        ("bad", recipe.replace("miou=0.75", "miou=0.99"), 1),
    ):
        file = tmp_path / f"test_{name}.py"
        file.write_text(text, encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", *PLUGIN, file],
            capture_output=True,
            text=True,
            check=False,
            cwd=PROJECT,
        )
        assert done.returncode == code, done.stdout


def test_the_snippets_are_yaml_and_name_what_there_is() -> None:
    github, gitlab, hooks = map(yaml.safe_load, blocks("yaml", CI))
    action = yaml.safe_load((PROJECT / "action.yml").read_text("utf-8"))
    *_, step, echo = github["jobs"]["score"]["steps"]
    assert step["with"].keys() <= action["inputs"].keys()
    check_command(f"segeval score {step['with']['args']}")
    for output in re.findall(r"outputs\.(\w+)", echo["run"]):
        assert output in action["outputs"]
    check_command(gitlab["segeval"]["script"][-1])
    assert gitlab["segeval"]["artifacts"]["reports"]["junit"] in gitlab["segeval"]["script"][-1]
    offered = yaml.safe_load((PROJECT / ".pre-commit-hooks.yaml").read_text("utf-8"))
    assert {hook["id"] for hook in hooks["repos"][0]["hooks"]} <= {hook["id"] for hook in offered}


def test_the_hooks_are_commands() -> None:
    for hook in yaml.safe_load((PROJECT / ".pre-commit-hooks.yaml").read_text("utf-8")):
        assert {"id", "name", "entry", "language"} <= hook.keys()
        assert not hook["pass_filenames"]
        assert re.search(hook["files"], "masks/a.png")
        assert not re.search(hook["files"], "code.py")
        check_command(hook["entry"])


@pytest.mark.parametrize(
    ("gate", "code"), [("0.8", 0), ("0.9", 1), ("x", 2)], ids=["passed", "failed", "mistyped"]
)
def test_the_action_hands_on_the_score_and_the_exit_code(
    tmp_path: Path, gate: str, code: int
) -> None:
    action = yaml.safe_load((PROJECT / "action.yml").read_text("utf-8"))
    (step,) = (step for step in action["runs"]["steps"] if step.get("id") == "score")
    given = {
        "inputs.prediction": "sample_masks/pred",
        "inputs.truth": "sample_masks/truth",
        "inputs.args": f"--labels 'sample_masks/labels.toml' --fail-under {gate}",
    }
    values = {name: given[value.strip("${} ")] for name, value in step["env"].items()}
    output = tmp_path / "output"
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [sys.executable, "-c", step["run"]],
        env={"PATH": path, "RUNNER_TEMP": str(tmp_path), "GITHUB_OUTPUT": str(output)} | values,
        capture_output=True,
        text=True,
        check=False,
        cwd=PROJECT,
    )
    assert done.returncode == code, done.stderr
    if code == 2:
        assert not output.exists()
        return
    outputs = dict(line.split("=", 1) for line in output.read_text("utf-8").splitlines())
    assert outputs.keys() == action["outputs"].keys()
    document = json.loads(Path(outputs["document"]).read_text("utf-8"))
    assert float(outputs["miou"]) == document["summary"]["miou"]


def test_the_settings_of_the_docs_are_understood(tmp_path: Path) -> None:
    (example,) = blocks("toml", CONFIGURATION)
    (tmp_path / "pyproject.toml").write_text(example, encoding="utf-8")
    content = json.loads(segeval("config", "--format", "json", cwd=tmp_path).stdout)
    score = content["commands"]["score"]
    assert score["labels"]["value"] == "labels/street.toml"
    assert score["truth"]["table"] == "tool.segeval.score"
    assert content["commands"]["sweep"]["format"]["value"] == "json"
    assert "junit" not in content["commands"]["report"]


def test_the_colours_of_badges_are_those_of_the_docs() -> None:
    (row,) = re.findall(r"\| colour \| (.*) \|", CI)
    assert row.split(" | ") == [*COLORS.values(), "lightgrey"]
    (bounds,) = re.findall(r"\| mIoU \| at least (.*) \| below", CI)
    assert list(map(float, bounds.split(" | "))) == list(COLORS)[:-1]


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("segeval sco", "score"),
        ("segeval score --pool", "--pooling"),
        ("segeval score --pooling im", "image"),
    ],
)
def test_shells_complete(tmp_path: Path, line: str, offered: str) -> None:
    (tmp_path / "segeval.toml").write_text("= broken", encoding="utf-8")
    done = subprocess.run(
        [Path(sys.executable).with_name("segeval")],
        env=os.environ
        | {
            "_SEGEVAL_COMPLETE": "complete_bash",
            "COMP_WORDS": line,
            "COMP_CWORD": str(len(line.split()) - 1),
        },
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    assert offered in done.stdout.split()
    assert not done.stderr


def test_completion_is_shown_and_installed(tmp_path: Path) -> None:
    for option, shown in (("--show-completion", "complete_bash"), ("--install-completion", "bash")):
        done = subprocess.run(
            ["bash", "-c", f"{Path(sys.executable).with_name('segeval')} {option}; exit $?"],
            env=os.environ | {"HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            check=True,
        )
        assert shown in done.stdout
    (script,) = tmp_path.rglob("segeval.sh")
    assert "_SEGEVAL_COMPLETE=complete_bash" in script.read_text("utf-8")
    assert str(script) in (tmp_path / ".bashrc").read_text("utf-8")
