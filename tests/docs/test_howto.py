"""The pages of docs/howto: their commands score, and messages lead to the right number."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Final

import numpy as np
import pytest
from made.recipes import RECIPES
from made.sets import segeval
from made.walks import WALKS

HOWTO: Final = Path(__file__).parents[2] / "docs" / "howto"
STEP: Final = re.compile(r"```console\n\$ segeval ((?!.*sample_masks).*)\n((?:.*\n)*?)```")
SCORED: Final = "mIoU  "
LONG: Final = 40  # lines of an output that is shown in full


def blocks(language: str, name: str) -> list[str]:
    text = (HOWTO / f"{name}.md").read_text("utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def test_every_page_is_typed() -> None:
    assert sorted(path.stem for path in HOWTO.iterdir()) == sorted(RECIPES)


@pytest.mark.parametrize("name", RECIPES)
def test_the_commands_of_the_page_score(name: str, tmp_path: Path) -> None:
    RECIPES[name](tmp_path)
    for number, content in enumerate(blocks("toml", name)):
        assert not number
        (tmp_path / ("regions.toml" if name == "regions" else "labels.toml")).write_text(content)
    lines = [
        line for block in blocks("sh", name) for line in block.replace("\\\n", "").splitlines()
    ]
    assert lines
    for line in lines:
        program, *words = shlex.split(line)
        assert program == "segeval"
        done = segeval(*words, cwd=tmp_path)
        if words[0] in {"score", "report"}:
            assert "|segeval:" in done.stdout
            (score,) = re.findall(r"^m(?:IoU|Dice) +(\S+)", done.stdout, re.MULTILINE)[:1]
            assert float(score) > 0.4


def typed(command: str) -> list[str]:
    """Return the options of a command, each with its value, after what comes before them."""
    return re.split(r" (?=--)", command)


def shown(output: str) -> str:
    """Leave out the middle of a long table, as the page does."""
    lines = output.splitlines(keepends=True)
    if len(lines) <= LONG:
        return output
    head = next(n for n, line in enumerate(lines) if line.startswith("class ")) + 4
    mean = next(n for n, line in enumerate(lines) if line.startswith("mean "))
    return "".join([*lines[:head], "…\n", *lines[mean:]])


@pytest.mark.parametrize("name", WALKS)
def test_what_messages_say_leads_to_the_right_number(
    name: str, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    expected, before, said = WALKS[name](tmp_path), "", ""
    page = HOWTO / f"{name}.md"
    for command, output in STEP.findall(page.read_text("utf-8")):
        if not before:
            assert command == "score pred gt"
        for option in typed(command)[1:]:
            assert option in typed(before) or option in said, (option, said)
        if line := re.search(r"labels = \[.*\]$", said, re.MULTILINE):
            (tmp_path / "labels.toml").write_text(line[0], "utf-8")
        done = segeval(*shlex.split(command), expect=0 if SCORED in output else 3, cwd=tmp_path)
        before, said = command, done.stderr + done.stdout
        if pytestconfig.getoption("--refresh-golden"):
            old, new = (f"$ segeval {command}\n{each}```" for each in (output, shown(said)))
            page.write_text(page.read_text("utf-8").replace(old, new), "utf-8")
        else:
            assert shown(said) == output, "type `make golden`"
    found = json.loads(segeval(*shlex.split(before), "--format", "json", cwd=tmp_path).stdout)
    assert [row["iou"] for row in found["classes"]] == pytest.approx(expected, rel=1e-12)
    assert found["summary"]["miou"] == pytest.approx(np.mean(expected), rel=1e-12)
    assert SCORED in said
