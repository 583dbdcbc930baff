"""What a notebook shows: the tables and lines of a report, as HTML that needs nothing else."""

from collections.abc import Iterable
from html import escape

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from segeval.text import printable


def to_html(layout: RenderableType) -> str:
    """Write a layout of tables and lines as HTML, with every text escaped.

    >>> "a &lt; b" in to_html(Text("a < b"))
    True
    """
    parts = layout.renderables if isinstance(layout, Group) else [layout]
    written = (
        _table(part) if isinstance(part, Table) else (text := _plain(part)) and f"<p>{text}</p>"
        for part in parts
    )
    return f'<div style="max-height: 45em; overflow: auto">{"".join(written)}</div>'


def _table(table: Table) -> str:
    columns = table.columns
    rows = zip(*(column.cells for column in columns), strict=True)
    sides = ["right" if column.justify == "right" else "left" for column in columns]
    head = _row((column.header for column in columns), sides, "th") if table.show_header else ""
    foot = _row((column.footer for column in columns), sides, "th") if table.show_footer else ""
    body = "".join(_row(row, sides, "td") for row in rows)
    return f"<table><thead>{head}</thead><tbody>{body}</tbody><tfoot>{foot}</tfoot></table>"


def _row(cells: Iterable[RenderableType], sides: Iterable[str], tag: str) -> str:
    written = (
        f'<{tag} style="text-align: {side}">{_plain(cell)}</{tag}>'
        for cell, side in zip(cells, sides, strict=True)
    )
    return f"<tr>{''.join(written)}</tr>"


def _plain(part: RenderableType) -> str:
    return escape(printable(part.plain if isinstance(part, Text) else str(part)))
