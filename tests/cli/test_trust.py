"""Files of settings that nobody has named: whose they may be, and where they may write."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from made.runs import BLOCKS
from made.sets import data_set, segeval


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with masks, and an empty folder in it."""
    data_set(tmp_path, {"one": (BLOCKS, BLOCKS[::-1]), "two": (BLOCKS, BLOCKS)})
    (tmp_path / "deep" / "down").mkdir(parents=True)
    return tmp_path


def write(folder: Path, text: str, name: str) -> None:
    (folder / name).write_text(text, encoding="utf-8")


def test_settings_of_other_users_are_refused(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(project, 'pooling = "image"\n', "segeval.toml")
    file, deep = project / "segeval.toml", project / "deep" / "down"
    given = (project / "pred", project / "truth")
    file.chmod(0o666)
    said = segeval("score", *given, cwd=deep, expect=2).stderr
    advice = "--config ../../segeval.toml takes it all the same; --no-config ignores it"
    assert f"../../segeval.toml: every user can write it; {advice}" in said
    file.chmod(0o664)
    assert "pooling:image" in segeval("score", *given, cwd=deep).stdout
    for owner in (os.geteuid() + 1, 0):
        monkeypatch.setattr(os, "geteuid", lambda owner=owner: owner)
        foreign = file.stat().st_uid not in {owner, 0}
        said = segeval("score", *given, cwd=deep, expect=2 if foreign else 0).stderr
        assert ("belongs to another user" in said) == foreign
    file.chmod(0o666)
    for options in (["--config", "../../segeval.toml"], ["--no-config"]):
        segeval("score", *given, *options, cwd=deep)
    write(project, "[tool.other]\nx = 1  # no word of segeval\n", "pyproject.toml")
    (project / "pyproject.toml").chmod(0o666)
    file.unlink()
    segeval("score", *given, cwd=deep)


def test_a_file_of_another_user_is_named(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(project, 'pooling = "image"\n', "segeval.toml")
    status = os.stat

    def owned(path: Any, **how: Any) -> os.stat_result:
        found = status(path, **how)
        if str(path).endswith("segeval.toml"):
            return os.stat_result((*found[:4], os.geteuid() + 7, *found[5:10]))
        return found

    monkeypatch.setattr(os, "stat", owned)
    said = segeval("score", "pred", "truth", cwd=project, expect=2).stderr
    assert "segeval.toml: it belongs to another user; --config segeval.toml takes it" in said


@pytest.mark.parametrize(
    ("setting", "command"),
    [
        ('json = "../x.json"', "score"),
        ('out = "{}/x.segeval"', "score"),
        ('html = "{}/x.html"', "score"),
        ('csv = "inside/link/x.csv"', "score"),
        ('markdown = "inside/../../x.md"', "score"),
        ('[overlay]\nout = "../out"', "overlay"),
        ('[plot]\nout = "../x.svg"', "plot"),
    ],
)
def test_settings_that_were_found_write_below_their_folder(
    project: Path, setting: str, command: str
) -> None:
    work, elsewhere = project / "work", project / "elsewhere"
    for folder in (work / "inside", elsewhere):
        folder.mkdir(parents=True)
    (work / "inside" / "link").symlink_to(elsewhere)
    write(work, setting.format(elsewhere), "segeval.toml")
    before = set(project.rglob("*"))
    given = (command, project / "pred", project / "truth")
    said = segeval(*given, cwd=work, expect=2).stderr
    assert said.startswith("segeval: segeval.toml:")
    assert "a file of settings that was found writes below its own folder only; type --" in said
    assert set(project.rglob("*")) == before
    typed = re.search("; type (.*), or (--config segeval.toml)$", said.strip())
    assert typed
    segeval(*given, *shlex.split(typed[1]), cwd=work)
    again = ["--overwrite"] if "out =" in setting and command != "plot" else []
    segeval(*given, *shlex.split(typed[2]), *again, cwd=work)
    assert set(project.rglob("*")) > before


def test_settings_write_below_their_folder_or_where_a_named_file_says(project: Path) -> None:
    write(project, 'json = "new/x.json"\ncsv = "-"\n', "segeval.toml")
    assert "index,name" in segeval("score", "../pred", "../truth", cwd=project / "deep").stdout
    assert (project / "new" / "x.json").exists()
    write(project / "deep", 'json = "../named.json"\n', "segeval.toml")
    segeval("score", "pred", "truth", "--config", "deep/segeval.toml", cwd=project)
    assert (project / "named.json").exists()
