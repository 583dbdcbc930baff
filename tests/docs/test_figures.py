"""The figures of the docs are those that their script draws."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from made.sets import segeval
from PIL import Image

DOCS: Final = Path(__file__).parents[2] / "docs"
SCRIPT: Final = DOCS / "figures" / "losses.py"
NAMES: Final = ["dice", "focal", "gradients", "lovasz"]
SVG: Final = "{http://www.w3.org/2000/svg}"
NUMBER: Final = re.compile(r"-?\d+(?:\.\d+)?(?:e-?\d+)?")


def committed(name: str) -> str:
    return (SCRIPT.parent / f"{name}.svg").read_text("utf-8")


def drawn_with(text: str) -> str:
    """Return the version of Matplotlib that a figure was drawn with."""
    found = re.search(r"Matplotlib v([^,]+),", text)
    assert found
    return found[1]


def curves(text: str) -> dict[str, list[float]]:
    """Return the coordinates of every curve, by its name."""
    found = {}
    for group in ET.fromstring(text).iter(f"{SVG}g"):
        name = group.get("id", "")
        if name.startswith("curve-"):
            paths = [path.get("d", "") for path in group.iter(f"{SVG}path")]
            found[name] = [float(number) for number in NUMBER.findall(" ".join(paths))]
    return found


def words(text: str) -> list[str]:
    return sorted(element.text or "" for element in ET.fromstring(text).iter(f"{SVG}text"))


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Draw all figures anew."""
    if find_spec("matplotlib") is None:
        pytest.skip("Matplotlib is not installed")
    folder = tmp_path_factory.mktemp("figures")
    subprocess.run([sys.executable, SCRIPT, folder], check=True)
    return folder


def test_the_folder_holds_the_figures_and_the_pages_show_them() -> None:
    assert sorted(path.stem for path in SCRIPT.parent.glob("*.svg")) == NAMES
    pages = [DOCS / "losses.md", *DOCS.glob("losses/*.md")]
    text = "".join(page.read_text("utf-8") for page in pages)
    shown = re.findall(r"!\[[^]]+\]\((?:\.\./)?figures/(\w+)\.svg\)", text)
    assert sorted(shown) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_figure_is_small_dateless_opaque_and_its_text_is_text(name: str) -> None:
    text = committed(name)
    assert len(text.encode()) < 60_000
    assert "<dc:date>" not in text
    assert "fill: #ffffff" in text
    assert len(words(text)) >= 10
    assert len(curves(text)) >= 3


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_the_script_draws_the_figure_that_is_committed(name: str, drawn: Path) -> None:
    old, new = committed(name), (drawn / f"{name}.svg").read_text("utf-8")
    if drawn_with(old) == version("matplotlib"):
        assert new == old
    assert words(new) == words(old)
    expected, found = curves(old), curves(new)
    assert found.keys() == expected.keys()
    for curve, points in found.items():
        assert points == pytest.approx(expected[curve], abs=0.01), curve


def test_the_script_draws_nothing_else(drawn: Path) -> None:
    assert sorted(path.name for path in drawn.iterdir()) == [f"{name}.svg" for name in NAMES]


OVERLAYS: Final = re.findall(
    r"^segeval (overlay .*) -o docs/figures/(\w+)$",
    (DOCS / "pictures.md").read_text("utf-8"),
    re.MULTILINE,
)


def pixels(path: Path) -> Any:
    """Return the colours of a picture without what is written below, which fonts change."""
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))[:256]


@pytest.mark.parametrize(("command", "name"), OVERLAYS)
def test_the_commands_of_the_page_draw_its_pictures(
    command: str, name: str, tmp_path: Path
) -> None:
    segeval(*shlex.split(command), "-o", tmp_path, cwd=DOCS.parent)
    shown = DOCS / "figures" / name / "street_03.png"
    np.testing.assert_array_equal(pixels(tmp_path / shown.name), pixels(shown))
    assert shown.stat().st_size < 20_000


def test_the_page_shows_what_its_commands_draw() -> None:
    page = (DOCS / "pictures.md").read_text("utf-8")
    names = ["all", "boundary", "distances", "road"]
    assert sorted(name for _, name in OVERLAYS) == names
    assert sorted(re.findall(r"figures/(\w+)/street_03\.png\)", page)) == names


README: Final = DOCS / "figures" / "readme"


def test_the_terminal_shows_what_its_command_prints() -> None:
    text = (README / "terminal.svg").read_text("utf-8")
    shown = [
        word
        for element in ET.fromstring(text).iter(f"{SVG}text")
        for word in (element.text or "").split()
    ]
    end = shown.index("class")
    command = [word for word in shown[3:end] if word != "\\"]
    done = segeval(*command, "--quiet", expect=1, cwd=DOCS.parent)
    assert shown[end:] == f"{done.stdout}{done.stderr}".split(), "type `make figures`"
    assert "http" not in re.sub(r"https?://www\.(w3|textualize)\S+", "", text)


def test_the_page_of_the_readme_is_small() -> None:
    with Image.open(README / "page.png") as image:
        assert image.width >= 1000
    assert (README / "page.png").stat().st_size < 80_000
