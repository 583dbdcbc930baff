"""The document as one page of HTML that needs nothing else: no network, no other file.

The page forbids itself every request and every script but its own, by hash, and everything that
comes from outside is escaped. Jinja2 is imported by the functions that write.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from segeval.pictures.thumbnails import Album, draw_album
from segeval.reports.compare import signed
from segeval.reports.distances import distance_lines, distance_table
from segeval.reports.html.charts import lay_out_curve, lay_out_histogram
from segeval.reports.html.matrix import lay_out_matrix, list_confusions
from segeval.reports.objects import object_lines, object_tables
from segeval.reports.wording import (
    foreground_names,
    headlines,
    leading_names,
    metrics_in,
    note_on_absent,
    show_bound,
    verdict,
    with_foreground,
)
from segeval.scoring.metrics import METRICS, title_of
from segeval.text import printable, show_score, unbroken_count

if TYPE_CHECKING:
    import numpy as np
    from jinja2 import Environment
    from numpy.typing import NDArray

LARGEST: Final = 5_000_000  # bytes that a page may have
LONGEST: Final = 120  # characters of a name that are shown
MANY: Final = 30  # rows up to which a table keeps its order and has no filter


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What a page shows; all mappings are documents."""

    document: Mapping[str, Any]
    values: NDArray[np.float64]  # IoU of the foreground or mIoU of every image, NaN if undefined
    colors: Sequence[str]
    conventions: Mapping[str, Any] | None = None
    sweep: Mapping[str, Any] | None = None
    threshold: float | None = None  # the one in force
    album: Album | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much of everything is shown at most: width of pictures, pictures of a kind, rows."""

    width: int
    each: int
    matrix: int
    rows: int


LADDER: Final = (
    Limits(width=480, each=3, matrix=300, rows=2000),
    Limits(width=320, each=3, matrix=300, rows=1000),
    Limits(width=240, each=2, matrix=200, rows=500),
    Limits(width=160, each=1, matrix=100, rows=300),
    Limits(width=80, each=1, matrix=50, rows=100),
)  # from a full page down; the first that is small enough is taken


def to_html(findings: Findings, *, percent: bool = False, largest: int = LARGEST) -> str:
    """Write a page of at most so many bytes, or the smallest: if need be, it shows less."""
    content = partial(_content, findings, percent=percent)
    return write_page("page.html", content, percent=percent, largest=largest)


def write_page(
    template: str, content: Callable[[Limits], Mapping[str, Any]], *, percent: bool, largest: int
) -> str:
    """Fill a template with ever less, until the page is small enough."""
    environment = environment_of(percent=percent)
    page = ""
    for limits in LADDER:
        page = environment.get_template(template).render(content(limits))
        if len(page.encode("utf-8", "backslashreplace")) <= largest:
            break
    return page


def environment_of(*, percent: bool) -> Environment:
    """Return what templates are rendered in: escaping, filters, the one style and script."""
    from jinja2 import Environment, PackageLoader

    environment = Environment(
        loader=PackageLoader(__package__), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {
        "score": partial(show_score, percent=percent),
        "signed": partial(signed, percent=percent),
        "share": show_score,  # of a p-value, which is no score
        "count": unbroken_count,
        "bound": show_bound,
        "named": _named,
        "plain": _plain,
        "title_of": title_of,
    }
    style, *scripts = (
        (files(__package__) / "templates" / name).read_text("utf-8")
        for name in ("page.css", "page.js", "matrix.js")
    )
    script = "".join(scripts)
    environment.globals |= {
        "style": style,
        "script": script,
        "style_hash": _hash(style),
        "script_hash": _hash(script),
        "ranking": METRICS["iou"].mean_title,
        "many": MANY,
    }
    return environment


def _hash(text: str) -> str:
    """Return the hash by which a content security policy knows a style or a script."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _named(text: str) -> str:
    """Make a name fit to be shown: printable, and shortened in its middle.

    >>> _named("a" * 200)[:3], len(_named("a" * 200)), _named(chr(0))
    ('aaa', 120, '�')
    """
    shown = _plain(text)
    if len(shown) <= LONGEST:
        return shown
    return f"{shown[: LONGEST // 2]}…{shown[len(shown) - LONGEST // 2 + 1 :]}"


def _plain(text: str) -> str:
    """Replace what cannot be printed, or turns the direction of what follows."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in printable(text))


def _content(findings: Findings, limits: Limits, *, percent: bool) -> dict[str, Any]:
    document, album = with_foreground(findings.document), findings.album
    classes = _classes(document, findings.colors, limits.rows)
    numbers = list(headlines(document))
    groups = document.get("groups", [])
    verdicts = [{**gate, "verdict": verdict(gate)} for gate in document["gates"]]
    gates = sorted(verdicts, key=lambda gate: gate["passed"])  # failed ones first
    content = {
        "document": document,
        "numbers": numbers,
        "metrics": metrics_in(document, "classes"),
        "ranked": next(iter(foreground_names(document)), METRICS["iou"].mean),
        "kinds": album is not None and album.style.position is not None,
        "further": album.further if album else [],
        "leading": len(leading_names(document)),
        "classes": _worst_first(classes, lambda row: row["iou"]),
        "groups": _worst_first(groups[: limits.rows], lambda row: row["summary"][numbers[0][1]]),
        "gates": gates[: limits.rows],
        "fate": note_on_absent(document),
        **_matrix(document["confusion"], limits.matrix),
        "histogram": lay_out_histogram(findings.values),
        "curve": findings.sweep
        and lay_out_curve(findings.sweep, findings.threshold, document["classes"][1]),
        "conventions": findings.conventions,
        "sections": draw_album(album, width=limits.width, each=limits.each) if album else [],
    }
    if block := document.get("objects"):
        content["object_tables"] = [*object_tables(document, percent=percent)]
        content["object_lines"] = [*object_lines(block, percent=percent)]
    if block := document.get("distances"):
        content["distance_table"] = distance_table(document, percent=percent)
        content["distance_lines"] = [*distance_lines(block, percent=percent)]
    lists = {"classes": document["classes"], "groups": groups, "gates": gates}
    return content | {"cuts": list(_cuts(content, lists, limits))}


def _matrix(confusion: Mapping[str, Any], most: int) -> dict[str, Any]:
    if "undefined" in confusion:
        return {"matrix": None, "confusions": []}
    shown = lay_out_matrix(confusion, _named, most)
    return {"matrix": shown, "confusions": list_confusions(confusion, _named)}


def _classes(document: Mapping[str, Any], colors: Sequence[str], most: int) -> list[dict[str, Any]]:
    """Return the classes with their colours; of too many, those with the most true pixels."""
    rows = [{**row, "color": color} for row, color in zip(document["classes"], colors, strict=True)]
    kept = sorted(sorted(rows, key=lambda row: -row["support"])[:most], key=lambda r: r["index"])
    return kept if len(kept) < len(rows) else rows


def _worst_first(
    rows: Sequence[Mapping[str, Any]], score: Callable[[Mapping[str, Any]], float | None]
) -> list[dict[str, Any]]:
    """Order many rows by a score, undefined ones last; few keep their places."""
    placed = [{**row, "place": place} for place, row in enumerate(rows)]
    if len(placed) <= MANY:
        return placed
    return sorted(placed, key=lambda row: (score(row) is None, score(row)))


def _cuts(
    content: Mapping[str, Any], lists: Mapping[str, Sequence[Any]], limits: Limits
) -> Iterator[str]:
    for name, rows in lists.items():
        shown = len(content[name])
        if shown < len(rows):
            yield f"{unbroken_count(shown)} of {unbroken_count(len(rows))} {name} are listed"
    matrix = content["matrix"]
    if matrix and matrix["shown"] < matrix["of"]:
        yield (
            f"the matrix shows the {matrix['shown']} classes with the most wrong pixels, "
            f"of {unbroken_count(matrix['of'])}"
        )
    full = asdict(LADDER[0])
    if content["sections"] and (limits.width, limits.each) < (full["width"], full["each"]):
        yield f"pictures are at most {limits.width} pixels wide, {limits.each} of a kind"
