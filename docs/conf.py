"""How the pages become a site; ``make docs-site`` builds it, without network.

The pages are plain Markdown, as a code host shows them. The contents of the site are read from the
tables of ``index.md``, and links that leave this folder lead to the repository.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any, Final

from segeval.version import __version__

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
html_theme = "furo"
html_title = f"segeval {__version__}"
html_show_sourcelink = False
html_copy_source = False
exclude_patterns = ["_build", "figures"]
numpydoc_show_class_members = False
autodoc_typehints = "none"  # the docstrings say types, with shapes


def contents(text: str) -> str:
    """Return hidden tables of contents: a caption and its pages, as the page of pages has them."""
    parts = re.split(r"^\*\*(.+?)\.?\*\*", text, flags=re.MULTILINE)[1:]
    blocks = []
    for caption, part in zip(parts[::2], parts[1::2], strict=True):
        pages = dict.fromkeys(re.findall(r"\]\(([\w-]+)\.(?:md|rst)\)", part))
        entries = "\n".join(pages)
        blocks.append(f"```{{toctree}}\n:hidden:\n:caption: {caption}\n\n{entries}\n```")
    return "\n\n".join(blocks)


def prepare(app: Any, name: str, source: list[str]) -> None:
    """Turn a page as a code host shows it into one of the site."""
    del app
    source[0] = re.sub(r"\]\(\.\./([^)]+)\)", rf"]({HOME}/blob/main/\1)", source[0])
    if name == "index":
        source[0] += f"\n{contents(source[0])}\n"


def setup(app: Any) -> None:
    """Hand the pages through `prepare`."""
    app.connect("source-read", prepare)
