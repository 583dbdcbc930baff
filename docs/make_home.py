"""Write the home and the version of the project into every page that names them.

``python docs/make_home.py``, or ``make docs``: one change of `Homepage` in pyproject.toml, or of
segeval/version.py, renews all. A release is the tag `v` and its version.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

PROJECT: Final = Path(__file__).parents[1]
NAMED: Final = (
    "pyproject.toml", "README.md", "docs/ci.md", "docs/tutorial.md", "CITATION.cff",
    "conda/recipe.yaml", ".github/ISSUE_TEMPLATE/config.yml",
)  # fmt: skip
PAGES: Final = [PROJECT / name for name in NAMED]


def home() -> str:
    """Return the address that the project states."""
    urls = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]["urls"]
    return str(urls["Homepage"])


def written() -> str:
    """Return the address that the links of the README start with."""
    found = re.search(
        r"^\[docs/index\.md\]: (.*)/blob/", (PROJECT / "README.md").read_text("utf-8"), re.MULTILINE
    )
    return found[1] if found else home()


def version() -> str:
    """Return the version that the package states."""
    text = (PROJECT / "segeval" / "version.py").read_text("utf-8")
    (found,) = re.findall(r'__version__ = "(.+)"', text)
    return str(found)


def pinned(text: str, new: str, home: str) -> str:
    """Return a page with another version, where it pins or states that of the project."""
    name = re.escape(urlsplit(home).path.strip("/"))
    where = rf"(?m)(uses: {name}@v|{re.escape(home)}\.git#v|^ *rev: v|^ *version: )\d\S*"
    return re.sub(where, lambda found: found[1] + new, text)


def renewed(text: str, old: str, new: str) -> str:
    """Return a page with another home, also where a workflow of GitHub names it without a host."""
    before, after = (urlsplit(address).path.strip("/") for address in (old, new))
    text = re.sub(rf"{re.escape(old)}(?![\w-])", lambda _: new, text)
    return text.replace(f"uses: {before}@", f"uses: {after}@")


if __name__ == "__main__":
    old, new = written(), home()
    for page in PAGES:
        text = renewed(page.read_text("utf-8"), old, new)
        page.write_text(pinned(text, version(), new), encoding="utf-8")
