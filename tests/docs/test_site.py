"""The pages as a site: every page is in the contents, every public name has a place."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

import segeval
from segeval import losses

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PACKAGE = Path(segeval.__file__).parent
PAGES = {
    path.relative_to(DOCS).with_suffix("").as_posix(): path.read_text("utf-8")
    for kind in ("md", "rst")
    for path in DOCS.rglob(f"*.{kind}")
}
LONGEST = 1500
"""Words of a page: all that stands between blanks, in tables and examples too."""


def test_every_page_is_in_the_contents_once() -> None:
    conf = runpy.run_path(str(DOCS / "conf.py"))
    blocks = conf["contents"](PAGES["index"])
    captions = re.findall(r":caption: (.*)", blocks)
    assert captions == ["Tutorial", "How to", "Reference", "Explanation"]
    blocks += "".join(conf["children"](name, text) for name, text in PAGES.items())
    entries = re.findall(r"^/([\w/-]+)$", blocks, re.MULTILINE)
    assert sorted(entries) == sorted(PAGES.keys() - {"index"})


@pytest.mark.parametrize("name", PAGES)
def test_pages_are_short(name: str) -> None:
    assert len(PAGES[name].split()) <= LONGEST


def test_every_public_name_is_described() -> None:
    described = set(re.findall(r":: (segeval[\w.]+)", (DOCS / "api.rst").read_text("utf-8")))
    public = {f"segeval.{name}" for name in segeval.__all__ if name != "__version__"}
    assert public | {f"segeval.losses.{name}" for name in losses.__all__} <= described


def test_the_design_names_rooms_and_files_that_are_there() -> None:
    text = "".join(page for name, page in PAGES.items() if name.startswith("design"))
    rooms = {path.stem for path in PACKAGE.iterdir() if re.match("[a-z]", path.stem)}
    assert [room for room in rooms - {"py", "schemas"} if f"`{room}" not in text] == []
    files = re.findall(r"`([\w/]+\.(?:py|c|h))\b(?:: (\w+))?", text)
    assert len(files) > 40
    for path, name in files:
        (found,) = [each / path for each in (PACKAGE, ROOT) if (each / path).exists()]
        assert name in found.read_text("utf-8"), (path, name)
