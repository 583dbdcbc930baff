"""A comparison as a page: whole, escaped, and with what the document says."""

from __future__ import annotations

import html
import sys
from pathlib import Path

import pytest
from made.pages import HOSTILE, compared_page
from made.sets import segeval


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


def test_a_page_needs_its_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    done = segeval("compare", tmp_path, tmp_path, "--html", tmp_path / "page.html", expect=2)
    assert "[report]" in done.stderr
