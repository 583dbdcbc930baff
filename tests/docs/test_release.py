"""What a release promises, and the files that it is made with, say the same."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import yaml
from packaging.requirements import Requirement

import segeval
from segeval import losses, testing

ROOT = Path(__file__).parents[2]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
WORKFLOWS = {
    path.stem: yaml.safe_load(path.read_text("utf-8"))
    for path in (ROOT / ".github" / "workflows").glob("*.yml")
}
PYTHONS = ["3.11", "3.12", "3.13", "3.14"]


def load(name: str) -> Any:
    return yaml.safe_load((ROOT / name).read_text("utf-8"))


def test_the_public_names_are_those_of_the_page() -> None:
    page = (ROOT / "docs" / "stability.md").read_text("utf-8")
    rows = dict(re.findall(r"^\| `(segeval[.\w]*)` \| (.*) \|$", page, re.MULTILINE))
    listed = {module: set(re.findall(r"`(\w+)`", names)) for module, names in rows.items()}
    assert listed["segeval"] == set(segeval.__all__)
    assert listed["segeval.losses"] == set(losses.__all__)
    assert listed["segeval.testing"] == {"assert_segmentation"}
    assert callable(testing.assert_segmentation)


def test_the_version_is_one() -> None:
    version = segeval.__version__
    assert load("CITATION.cff")["version"] == version
    assert load("conda/recipe.yaml")["package"]["version"] == version
    page = "".join((ROOT / "docs" / name).read_text("utf-8") for name in ("ci.md", "tutorial.md"))
    assert set(re.findall(r"(?:segeval@|rev: |segeval\.git#)(\S+)", page)) == {f"v{version}"}


def test_the_recipe_needs_what_the_package_needs() -> None:
    recipe = load("conda/recipe.yaml")
    needed = {need.split()[0]: need.partition(" ")[2] for need in recipe["requirements"]["run"]}
    assert needed.pop("python") == PROJECT["requires-python"]
    wanted = {
        need.name: ",".join(sorted(map(str, need.specifier), reverse=True))
        for need in map(Requirement, PROJECT["dependencies"])
        if need.marker is None
    }
    assert needed == wanted
    assert recipe["about"]["summary"] == PROJECT["description"]
    assert recipe["about"]["license"] == PROJECT["license"]


def test_actions_are_pinned_and_tokens_are_narrow() -> None:
    for workflow in WORKFLOWS.values():
        assert workflow["permissions"] == {"contents": "read"}
        steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
        used = [step["uses"] for step in steps if "uses" in step]
        assert used
        assert all(re.fullmatch(r"[\w/-]+@v\d+(\.\d+)*", name) for name in used)


def test_every_python_is_tested_on_every_system() -> None:
    matrix = WORKFLOWS["ci"]["jobs"]["tests"]["strategy"]["matrix"]
    assert matrix["python"] == PYTHONS
    assert [name.partition("-")[0] for name in matrix["os"]] == ["ubuntu", "macos", "windows"]
    stated = [name.rpartition(" ")[2] for name in PROJECT["classifiers"] if "3." in name]
    assert stated == PYTHONS


def test_a_release_is_signed_and_asks_for_no_password() -> None:
    job = WORKFLOWS["release"]["jobs"]["publish"]
    assert job["permissions"] == {"attestations": "write", "id-token": "write"}
    assert set(job["needs"]) == {"wheels", "source"}
    assert not any("password" in step.get("with", {}) for step in job["steps"])
    assert WORKFLOWS["release"][True] == {"push": {"tags": ["v*"]}}  # YAML reads "on" as a truth


def test_issues_ask_for_what_is_needed() -> None:
    forms = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))
    assert len(forms) == 4
    for form in forms:
        content = load(str(form.relative_to(ROOT)))
        if form.stem == "config":
            assert content["contact_links"][0]["url"] == PROJECT["urls"]["Documentation"]
            continue
        assert {"name", "description", "labels", "body"} <= content.keys()
        assert any(part.get("validations", {}).get("required") for part in content["body"])


def test_the_image_is_not_run_by_root_and_holds_what_is_needed() -> None:
    lines = (ROOT / "Dockerfile").read_text("utf-8").splitlines()
    (user,) = (line.split()[1] for line in lines if line.startswith("USER"))
    assert not user.startswith(("0", "root"))
    kept = [
        line[1:] for line in (ROOT / ".dockerignore").read_text("utf-8").split() if line[0] == "!"
    ]
    assert all((ROOT / name).exists() for name in kept)
    (extras,) = re.findall(r"/src\[([\w,]+)\]", "\n".join(lines))
    assert {"objects", "report"} < set(extras.split(",")) <= PROJECT["optional-dependencies"].keys()
