"""What the project says of itself to installers."""

from __future__ import annotations

import re
import runpy
import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
PROJECT: dict[str, Any] = PYPROJECT["project"]
REQUIRED = {need.name: need for need in map(Requirement, PROJECT["dependencies"])}
PINNED = dict(
    re.findall(r"^([\w-]+)==(\S+)", (ROOT / "constraints.txt").read_text("utf-8"), re.MULTILINE)
)


def plain(name: str) -> str:
    return name.lower().replace("_", "-")


def test_no_release_of_typer_is_too_new_but_the_tested_one_starts_fast() -> None:
    assert {bound.operator for bound in REQUIRED["typer"].specifier} == {">="}
    assert tuple(map(int, PINNED["typer"].split("."))) < (0, 29)


@pytest.mark.parametrize(
    ("machine", "implementation", "python", "wanted"),
    [
        ("x86_64", "cpython", "3.11", True),
        ("AMD64", "cpython", "3.14", True),
        ("aarch64", "cpython", "3.12", True),
        ("arm64", "cpython", "3.13", True),
        ("ARM64", "cpython", "3.13", True),
        ("x86", "cpython", "3.12", False),
        ("i686", "cpython", "3.12", False),
        ("armv7l", "cpython", "3.11", False),
        ("riscv64", "cpython", "3.13", False),
        ("x86_64", "pypy", "3.11", False),
        ("x86_64", "cpython", "3.15", False),
    ],
)
def test_kornia_rs_is_asked_for_where_it_has_wheels(
    machine: str, implementation: str, python: str, *, wanted: bool
) -> None:
    marker = REQUIRED["kornia-rs"].marker
    assert marker is not None
    here = {"platform_machine": machine, "implementation_name": implementation}
    assert marker.evaluate(here | {"python_version": python}) is wanted
    inflater = REQUIRED["deflate"].marker  # its wheels are for every later Python as well
    assert inflater is not None
    assert inflater.evaluate(here) is (wanted or python == "3.15")


def test_what_is_needed_is_pinned_within_its_bounds() -> None:
    groups = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["report"]]
    groups += [need for group in PYPROJECT["dependency-groups"].values() for need in group]
    pins = {plain(name): version for name, version in PINNED.items()}
    assert len(groups) > 15
    for need in map(Requirement, groups):
        assert need.specifier.contains(pins[plain(need.name)]), need


SCRIPT = Path("docs") / "make_home.py"
VERSION = Path("segeval") / "version.py"
HOME: str = PROJECT["urls"]["Homepage"]
README = (ROOT / "README.md").read_text("utf-8")


def test_the_addresses_are_those_of_the_docs() -> None:
    ci = (ROOT / "docs" / "ci.md").read_text("utf-8")
    assert set(re.findall(r"https://github\.com/[\w.-]+/segeval", ci)) == {HOME}
    assert all(url.startswith(HOME) for url in PROJECT["urls"].values())


def test_links_of_the_readme_are_absolute_and_lead_to_files() -> None:
    assert not re.findall(r"\]\((?!https://)", README)
    named = set(re.findall(r"(?<!\])\[(docs/[\w.-]+)\](?![:(])", README))
    defined = dict(re.findall(r"^\[(.+)\]: (.+)$", README, re.MULTILINE))
    assert len(named) >= 15
    assert named == defined.keys()
    addresses = [*defined.values(), *re.findall(r"\]\((https://[^)]+)\)", README)]
    for address in addresses:
        kind, _, path = address.removeprefix(f"{HOME}/").partition("/main/")
        assert kind in {"blob", "raw"}, address
        assert (ROOT / path).is_file(), address


@pytest.fixture
def pages(tmp_path: Path) -> tuple[str, ...]:
    """Copy the pages that name the home and the version, which the script leaves as they are."""
    named: tuple[str, ...] = runpy.run_path(str(ROOT / SCRIPT))["NAMED"]
    for name in (*named, str(SCRIPT), str(VERSION)):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    runpy.run_path(str(tmp_path / SCRIPT), run_name="__main__")
    for name in named:
        assert (tmp_path / name).read_bytes() == (ROOT / name).read_bytes(), "type `make docs`"
    return named


@pytest.mark.parametrize("new", ["https://forge.example/team/tool", f"{HOME}-masks"])
def test_one_change_of_the_home_renews_every_page(
    tmp_path: Path, pages: tuple[str, ...], new: str
) -> None:
    stated = tmp_path / "pyproject.toml"
    line = f'Homepage = "{HOME}"'
    stated.write_text(stated.read_text("utf-8").replace(line, line.replace(HOME, new)), "utf-8")
    runpy.run_path(str(tmp_path / SCRIPT), run_name="__main__")
    for name in pages:
        before, after = ((folder / name).read_text("utf-8") for folder in (ROOT, tmp_path))
        assert after.count(new) == before.count(HOME)
        assert after != before
        assert not re.search(rf"{HOME}(?!-masks)|uses: OWNER/segeval@", after)


def test_one_change_of_the_version_renews_every_pin(tmp_path: Path, pages: tuple[str, ...]) -> None:
    (tmp_path / VERSION).write_text('__version__ = "31.4.15"\n', "utf-8")
    runpy.run_path(str(tmp_path / SCRIPT), run_name="__main__")
    texts = {name: (tmp_path / name).read_text("utf-8") for name in pages}
    counts = {name: text.count("31.4.15") for name, text in texts.items() if "31.4.15" in text}
    assert counts == {
        "docs/ci.md": 3,
        "docs/tutorial.md": 1,
        "CITATION.cff": 1,
        "conda/recipe.yaml": 1,
    }
