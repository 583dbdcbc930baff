"""How the pages become a site; ``make docs-site`` builds it, without network.

The pages are plain Markdown, as a code host shows them. The contents of the site are read from the
tables of ``index.md``; the pages in a folder come below the page of its name, in the order of its
links. Links that leave the docs lead to the repository. Links that show the name of a page, as a
code host needs it, show its title.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from segeval.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable

ROOT: Final = Path(__file__).parents[1]
HOME: Final = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["urls"][
    "Homepage"
]

project = "segeval"
author = "The authors of segeval"
project_copyright = author
version = release = __version__
extensions = ["myst_parser", "numpydoc", "sphinx.ext.autodoc"]
myst_heading_anchors = 4
myst_enable_extensions = ["dollarmath"]
default_role = "literal"
smartquotes = False  # they would make dashes of the two hyphens of options
html_theme = "furo"
html_title = f"segeval {__version__}"
html_show_sourcelink = False
html_copy_source = False
html_static_path = ["_static"]
html_css_files = ["site.css"]
exclude_patterns = ["_build", "figures"]
numpydoc_show_class_members = False
autodoc_typehints = "none"  # the docstrings say types, with shapes


def contents(text: str) -> str:
    """Return hidden tables of contents: a caption and its pages, as the page of pages has them."""
    parts = re.split(r"^\*\*(.+?)\.?\*\*", text, flags=re.MULTILINE)[1:]
    return "\n\n".join(
        tree(dict.fromkeys(re.findall(r"\]\(([\w-]+)\.(?:md|rst)\)", part)), caption)
        for caption, part in zip(parts[::2], parts[1::2], strict=True)
    )


def children(name: str, text: str) -> str:
    """Return the hidden contents of the folder of a page, if it has one: the pages it links to."""
    pages = dict.fromkeys(re.findall(rf"\]\(({re.escape(name)}/[\w-]+)\.md\)", text))
    return tree(pages) if pages else ""


def tree(pages: Iterable[str], caption: str = "") -> str:
    """Return a hidden table of contents."""
    entries = "\n".join(f"/{page}" for page in pages)
    options = f":hidden:\n:caption: {caption}\n" if caption else ":hidden:\n"
    return f"```{{toctree}}\n{options}\n{entries}\n```"


def prepare(app: Any, name: str, source: list[str]) -> None:
    """Turn a page as a code host shows it into one of the site."""
    del app
    up = r"\.\./" * (name.count("/") + 1)
    source[0] = re.sub(rf"\]\({up}([^)]+)\)", rf"]({HOME}/blob/main/\1)", source[0])
    source[0] = re.sub(r"\[[\w/-]+\.(?:md|rst)\](?=\((?!https:))", "[]", source[0])
    trees = contents(source[0]) if name == "index" else children(name, source[0])
    source[0] += f"\n{trees}\n"


def setup(app: Any) -> None:
    """Hand the pages through `prepare`."""
    app.connect("source-read", prepare)
