"""The walks of docs/walks.md: what messages say, typed, leads to the right number."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Final

import numpy as np
import pytest
from made.sets import segeval
from made.walks import WALKS

PAGE: Final = Path(__file__).parents[2] / "docs" / "walks.md"
STEP: Final = re.compile(r"```console\n\$ segeval (.*)\n((?:.*\n)*?)```")
SCORED: Final = "mIoU  "
LONG: Final = 40  # lines of an output that is shown in full


def part_of(title: str) -> str:
    """Return what the page says below a title."""
    part = rf"\n## {re.escape(title)}\n((?:.*\n)*?)(?=## |\Z)"
    found: list[str] = re.findall(part, PAGE.read_text("utf-8"))
    return found[0]


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


def test_the_page_has_every_walk() -> None:
    assert re.findall(r"^## (.*)", PAGE.read_text("utf-8"), re.MULTILINE) == list(WALKS)


@pytest.mark.parametrize("title", WALKS)
def test_what_messages_say_leads_to_the_right_number(
    title: str, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    expected, before, said = WALKS[title](tmp_path), "", ""
    part = part_of(title)
    for command, output in STEP.findall(part):
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
            renew(part, part := part.replace(old, new))
        else:
            assert shown(said) == output, "type `make golden`"
    found = json.loads(segeval(*shlex.split(before), "--format", "json", cwd=tmp_path).stdout)
    assert [row["iou"] for row in found["classes"]] == pytest.approx(expected, rel=1e-12)
    assert found["summary"]["miou"] == pytest.approx(np.mean(expected), rel=1e-12)
    assert SCORED in said


def renew(old: str, new: str) -> None:
    PAGE.write_text(PAGE.read_text("utf-8").replace(old, new), "utf-8")
