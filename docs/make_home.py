"""Write the home of the project, as pyproject.toml has it, into every page that names it.

``python docs/make_home.py``, or ``make docs``: one change of `Homepage` renews all.
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


def renewed(text: str, old: str, new: str) -> str:
    """Return a page with another home, also where a workflow of GitHub names it without a host."""
    before, after = (urlsplit(address).path.strip("/") for address in (old, new))
    text = re.sub(rf"{re.escape(old)}(?![\w-])", lambda _: new, text)
    return text.replace(f"uses: {before}@", f"uses: {after}@")


if __name__ == "__main__":
    old, new = written(), home()
    for page in PAGES:
        page.write_text(renewed(page.read_text("utf-8"), old, new), encoding="utf-8")
