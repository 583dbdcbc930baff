"""A comparison as a page: whole, escaped, and with what the document says."""

from __future__ import annotations

import html
from pathlib import Path

from made.pages import HOSTILE, compared_page


def test_names_are_escaped(tmp_path: Path) -> None:
    page = compared_page(tmp_path).read_text("utf-8")
    assert "<script>window" not in page
    assert html.escape(HOSTILE[0], quote=False) in page
    assert "worse &amp; &lt;b&gt;" in page


def test_the_page_says_what_the_document_says(tmp_path: Path) -> None:
    page = compared_page(tmp_path).read_text("utf-8")
    assert "0 better, 0 equal, 2 worse" in page
    assert page.count("<tbody>") == 2
    assert page.count("default-src 'none'") == 1
