"""Pages read as a browser would read them, strictly."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

VOID = {"meta", "link", "img", "input", "br"}


class Reader(HTMLParser):
    """Reads a page, and fails where a tag is not closed or an attribute is given twice."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.scripts: dict[str, str] = {}
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(dict(attrs)) == len(attrs), (tag, attrs)
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in {"script", "style"}:
            kind = self.tags[-1][1].get("type") or self.open[-1]
            self.scripts[kind] = data
        elif data.strip():
            self.words.append(" ".join(data.split()))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]

    def outline(self) -> str:
        """Parts, titles and controls of the page, a line each, without any number."""
        shown = "id class aria-label role href name value data-layer loading tabindex".split()
        tags = "header nav main section h1 h2 h3 a button fieldset input table canvas img".split()
        lines = [
            " ".join(
                [tag, *(f'{name}="{attributes[name]}"' for name in shown if name in attributes)]
            )
            for tag, attributes in self.tags
            if tag in tags or "role" in attributes
        ]
        return "\n".join(lines) + "\n"


def read(page: Path) -> Reader:
    return Reader(page.read_text("utf-8"))
