"""A comparison as one page of HTML that needs nothing else; see `segeval.reports.html`."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from segeval.reports.comparison import parts_of
from segeval.reports.contrast import signed
from segeval.reports.html import environment_of
from segeval.reports.wording import title_of

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["comparison_page"]


def comparison_page(document: Mapping[str, Any], *, percent: bool = False) -> str:
    """Write a document of schema ``segeval.comparison/1`` as a page."""
    environment = environment_of(percent=percent)
    environment.filters |= {"signed": partial(signed, percent=percent), "titled": title_of}
    template = environment.get_template("comparison.html")
    return template.render(document=document, parts=parts_of(document))
