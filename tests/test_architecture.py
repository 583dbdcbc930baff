"""The structure of the package, as a test: who may import whom, and how large things grow."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import segeval

PACKAGE = Path(segeval.__file__).parent
LAYERS = [
    {"errors", "memory", "values", "text", "version"},
    {"storage"},
    {"settings", "files", "textfiles", "keywords"},
    {"jsonfiles"},
    {"inputs"},
    {"counting"},
    {"labels"},
    {"scoring"},
    {"objects", "boundaries", "distances", "topology"},
    {"objectdistances"},
    {"presets", "losses", "pictures"},
    {"reports"},
    {"viewer", "api"},
    {"cli", "testing"},
    {"__init__", "__main__", "pytest_plugin"},
]
"""The rooms, from the ground up: each imports from those below it, and from itself."""

ONLY_ABOVE = {
    "rich": "reports",
    "typer": "cli",
    "tqdm": "cli",
    "pandas": "reports",
    "jinja2": "reports",
}
"""Libraries, and the lowest layer that may import them."""

PUBLIC_TYPER = {"typer", "typer.core", "typer.core.TyperCommand", "typer.core.TyperGroup"}
"""All that is used of Typer: its versions differ in the rest."""


def room(path: Path) -> str:
    """Return the room that a file stands in: its package, or itself."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def layer(name: str) -> int:
    """Return the number of the layer that a room belongs to."""
    return next(number for number, rooms in enumerate(LAYERS) if name in rooms)


MODULES = sorted(
    path for path in PACKAGE.rglob("*.py") if any(room(path) in rooms for rooms in LAYERS)
)


def imported(path: Path) -> set[str]:
    """List the modules that a file imports anywhere, except for type checking only."""
    tree = ast.parse(path.read_text("utf-8"))
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    names: set[str] = set()
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


def rooms_imported(path: Path) -> set[str]:
    """List the other rooms that a file imports from."""
    inside = (name.split(".") for name in imported(path) if name.startswith("segeval."))
    known = set().union(*LAYERS)
    return {words[1] for words in inside if words[1] in known} - {room(path)}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_downward_only(path: Path) -> None:
    own = layer(room(path))
    assert not {other for other in rooms_imported(path) if layer(other) >= own}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_libraries_stay_in_their_layer(path: Path) -> None:
    own = layer(room(path))
    roots = {name.split(".")[0] for name in imported(path)}
    assert "click" not in roots
    assert {name for name in imported(path) if name.startswith("typer")} <= PUBLIC_TYPER
    assert not {
        library for library in roots & ONLY_ABOVE.keys() if layer(ONLY_ABOVE[library]) > own
    }


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_only_the_command_line_prints_and_exits(path: Path) -> None:
    if room(path) == "cli":
        return
    calls = {
        ast.unparse(node.func)
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call)
    }
    assert not calls & {"print", "sys.exit", "exit", "quit"}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_modules_and_functions_stay_small(path: Path) -> None:
    text = path.read_text("utf-8")
    assert text.count("\n") <= 500
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            first = node.body[0]
            said = ast.get_docstring(node) is not None
            documented = (first.end_lineno or 0) - first.lineno + 1 if said else 0
            assert (node.end_lineno or 0) - node.lineno + 1 - documented <= 40, node.name


COSTLY = {"pandas", "scipy", "dask", "matplotlib", "yaml", "jinja2"}
RARE = {
    f"segeval.{name}"
    for name in "cli.commands.losses inputs.formats.tiff inputs.coco inputs.tables inputs.perclass "
    "inputs.yolo scoring.baseline objects.result labels.measuring boundaries.scores".split()
}  # what a score of two folders of PNG files has no use for


@pytest.mark.parametrize(
    "command",
    [["--help"], ["score", "sample_masks/pred", "sample_masks/truth", "--workers", "1"]],
    ids=["help", "score"],
)
def test_starting_up_imports_no_costly_library(command: list[str]) -> None:
    program = (
        "import os, sys\nfrom segeval.cli import main\n"
        f"sys.argv[1:] = {command!r}\n"
        "try: main()\nexcept SystemExit: pass\n"
        "print(os.environ['OPENBLAS_NUM_THREADS'], *sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        cwd=PACKAGE.parent,
        env={name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"},
    )
    threads, *modules = done.stdout.splitlines()[-1].split()
    unwanted = COSTLY | ({"numpy", "tomllib"} if command == ["--help"] else RARE)
    assert not unwanted.intersection(modules)
    assert threads == "1"


def test_public_names_are_what_they_say() -> None:
    for name in segeval.__all__:
        assert getattr(segeval, name).__doc__, name
    with pytest.raises(AttributeError, match="no attribute 'scores'"):
        segeval.scores  # noqa: B018 - looking it up is the test
