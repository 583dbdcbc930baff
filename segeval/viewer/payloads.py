"""What the page says of a run, of the images in its list, and of one image: plain data.

Numbers are rounded here, by the same rules as on the terminal; an undefined one is a dash.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from segeval.pictures.caption import describe_images, subject_of
from segeval.pictures.errormaps import side_codes
from segeval.pictures.palettes import Palette, class_colors
from segeval.scoring.metrics import METRICS, Place, class_scores, mean_titles, shown, title_of
from segeval.scoring.score import Scores
from segeval.text import show_score, unbroken_count
from segeval.values import hex_color
from segeval.viewer.catalogue import Catalogue, Query
from segeval.viewer.renderer import Renderer

PAIRS_LISTED: Final = 200  # confusions of the whole run that can be chosen
CONFUSIONS_LISTED: Final = 8  # confusions of one image that are put into words


def describe_run(catalogue: Catalogue, *, position: int | None, photographs: bool) -> Any:
    """Return what is known before an image is chosen."""
    scores = catalogue.scores
    confusion, names = scores.counts.confusion, scores.labels.names
    cells = catalogue.confusions(None, PAIRS_LISTED)
    support, columns = confusion.classes.support, _columns("breakdown")
    colors = [hex_color(color) for color in class_colors(scores.labels)]
    return {
        "images": len(catalogue.names),
        "signature": scores.signature,
        "summary": [[title, _shown(value)] for title, value in _summary(scores).items()],
        "columns": {"run": columns, "image": _columns("classes")},
        "classes": [
            {"name": name, "color": color}
            | {metric: _shown(scores.class_scores[metric][k]) for metric in columns}
            | {"pixels": unbroken_count(int(support[k]))}
            for k, (name, color) in enumerate(zip(names, colors, strict=True))
        ],
        "groups": [[name, len(members)] for name, members in catalogue.groups.items()],
        "confusions": _confusions(cells, support, names),
        "photographs": photographs,
        "class": position,
    }


def _summary(scores: Scores) -> dict[str, float]:
    """Return the scores of the whole run by title, those of the foreground of two classes first."""
    summary = {}
    if scores.foreground is not None:
        position = scores.labels.names.index(scores.foreground)
        for name in class_scores(scores.foreground):
            values = scores.class_scores[name.partition(".")[0]]
            summary[title_of(name)] = float(values[position])
    return summary | {title: scores.summary[name] for name, title in mean_titles("brief").items()}


def _columns(place: Place) -> dict[str, str]:
    return {metric.name: metric.title for metric in shown(METRICS, place)}


def list_images(catalogue: Catalogue, query: Query, rows: Iterable[int]) -> list[Any]:
    """Return the rows of the list for the positions of some images."""
    values = catalogue.values(query.position)
    pixels = None if query.pair is None else catalogue.pixels_of(query.pair)
    groups = list(catalogue.groups)
    return [
        {
            "position": number,
            "name": catalogue.names[number],
            "score": None if np.isnan(values[number]) else float(values[number]),
            "shown": _shown(values[number]),
            "pixels": None if pixels is None else unbroken_count(int(pixels[number])),
            "group": groups[catalogue.member[number]] if catalogue.member[number] >= 0 else "",
        }
        for number in rows
    ]


def describe_image(
    catalogue: Catalogue, drawer: Renderer, number: int, position: int | None
) -> Any:
    """Return the scores of one image, its confusions in words, and what the colours mean."""
    scores = scores_of_image(catalogue.scores, number)
    (card,) = describe_images(scores, subject_of(scores.labels, position))
    info, names = scores.run.images[0], scores.labels.names
    cells = catalogue.confusions(number, CONFUSIONS_LISTED)
    return {
        "position": number,
        "name": info.name,
        "size": f"{info.width}×{info.height} pixels",
        "subject": card.subject,
        "note": card.note,
        "scores": [[title, _shown(value)] for title, value in card.scores],
        "classes": _classes(scores),
        "confusions": _confusions(cells, scores.counts.images.support[0], names),
        "legend": {
            **_sides(scores, drawer.scheme(None)),
            "errors": _entries(drawer.scheme(position), card.legend),
        },
        "photograph": info.name in drawer.photographs,
    }


def scores_of_image(scores: Scores, number: int) -> Scores:
    """Return the scores of a run with the counts of one image only; its means stay as they are."""
    chosen = slice(number, number + 1)
    images = scores.counts.images.map(lambda part: part[chosen])
    run = replace(
        scores.run, images=scores.run.images[chosen], counts=scores.run.counts.select(slice(0))
    )
    classified = replace(scores.counts, images=images, pixels=scores.counts.pixels[chosen])
    return replace(scores, run=run, counts=classified, groups={})


def _classes(scores: Scores) -> list[Any]:
    """Score every class that the image holds, the lowest IoU first."""
    counts, names = scores.counts.images, scores.labels.names
    table = {
        metric.name: scores.convention.score_classes(metric, counts)[0]
        for metric in shown(METRICS, "classes")
    }
    there = np.flatnonzero(counts.support[0] + counts.predicted[0])
    order = there[np.argsort(table["iou"][there], kind="stable")].tolist()
    return [
        {
            "index": k,
            "name": names[k],
            **{name: _shown(column[k]) for name, column in table.items()},
            "pixels": unbroken_count(int(counts.support[0, k])),
            "predicted": unbroken_count(int(counts.predicted[0, k])),
        }
        for k in order
    ]


def _confusions(
    cells: Iterable[tuple[int, int, int]], support: NDArray[np.int64], names: Sequence[str]
) -> list[Any]:
    columns = [*names, "no class"]
    return [
        {
            "pair": [truth, predicted],
            "truth": names[truth],
            "prediction": columns[predicted],
            "pixels": unbroken_count(pixels),
            "share": _percent(pixels, int(support[truth])),
        }
        for truth, predicted, pixels in cells
    ]


def _percent(part: int, whole: int) -> str:
    """Write a share in percent, never as none or all of it if it is not.

    >>> [_percent(*of).split()[-2] for of in ((1, 9999), (1, 3), (9999, 10000), (3, 3))]
    ['0.1', '33.3', '99.9', '100']
    """
    if part == whole:
        return "100\N{NO-BREAK SPACE}%"
    share = 100 * part / whole
    shown = "< 0.1" if share < 0.1 else f"{min(share, 99.9):.1f}"
    return f"{shown}\N{NO-BREAK SPACE}%"


def _sides(scores: Scores, scheme: Palette) -> dict[str, Any]:
    counts, names = scores.counts.images, scores.labels.names
    subject, sides = subject_of(scores.labels, None), np.arange(len(names))
    codes = side_codes(sides, subject, len(names), scheme.striped.dtype).tolist()
    total, judged = int(scores.counts.pixels[0]), int(counts.total[0])
    legends = {}
    for kind, pixels in (("truth", counts.support[0]), ("prediction", counts.predicted[0])):
        order = np.argsort(-pixels, kind="stable").tolist()
        shown = [(codes[k], names[k], int(pixels[k])) for k in order if pixels[k]]
        rest = total - int(pixels.sum())
        words = "void" if rest == total - judged else "void or no class"
        legends[kind] = _entries(scheme, [*shown, *([(scheme.void, words, rest)] if rest else [])])
    return legends


def _entries(scheme: Palette, legend: Iterable[tuple[int, str, int]]) -> list[Any]:
    return [
        {"color": hex_color(scheme.color(code)), "name": name, "pixels": unbroken_count(count)}
        for code, name, count in legend
    ]


def _shown(value: float) -> str:
    return show_score(None if np.isnan(value) else float(value))
