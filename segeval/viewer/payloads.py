"""What the page says of a run, of the images in its list, and of one image: plain data.

Numbers are rounded here, by the same rules as on the terminal; an undefined one is a dash. Beside a
baseline there are both numbers and their difference.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from segeval.inputs.geometry import said_size
from segeval.labels.labelmap import NO_CLASS
from segeval.pictures.caption import Caption, describe_images, subject_of
from segeval.pictures.errormaps import side_codes
from segeval.pictures.palettes import Palette, class_colors
from segeval.pictures.slices import say_shown
from segeval.reports.compare import signed
from segeval.scoring.compare import without_rounding
from segeval.scoring.metrics import METRICS, Place, class_scores, mean_titles, shown, title_of
from segeval.scoring.score import Scores
from segeval.text import defined, show_score, unbroken_count
from segeval.values import hex_color
from segeval.viewer.catalogue import Catalogue, Query
from segeval.viewer.renderer import Renderer, Wanted

PAIRS_LISTED: Final = 200  # confusions of the whole run that can be chosen
CONFUSIONS_LISTED: Final = 8  # confusions of one image that are put into words
ORDERS: Final = {"worst": "worst first", "best": "best first", "name": "by name"}
ORDERS_OF_TWO: Final = {
    "lost": "largest loss first",
    "gained": "largest gain first",
    "worst": "worst of B first",
    "best": "best of B first",
    "name": "by name",
}
ORDERS_OF_PAIR: Final = {
    "worst": "most confused pixels{} first",
    "best": "fewest confused pixels{} first",
}  # what the same orders are where a confusion is chosen

Table = Mapping[str, NDArray[np.float64]]


def describe_run(catalogue: Catalogue, drawer: Renderer, position: int | None) -> Any:
    """Return what is known before an image is chosen."""
    scores, baseline = catalogue.scores, catalogue.baseline
    orders, side = (ORDERS, "") if baseline is None else (ORDERS_OF_TWO, " of B")
    of_pair = {order: title.format(side) for order, title in ORDERS_OF_PAIR.items()}
    sides = [side.scores for side in catalogue.sides]
    support = scores.counts.classes.support
    colors = [hex_color(color) for color in class_colors(scores.labels)]
    rows = _class_rows([side.class_scores for side in sides], "breakdown")
    summaries = [_summary(side) for side in sides]
    columns = {
        "run": _columns("breakdown", len(sides)) | {"pixels": "pixels"},
        "image": _columns("classes", len(sides)) | {"pixels": "pixels"},
    }
    if baseline is None:
        columns["image"]["predicted"] = "predicted"
    return {
        "images": len(catalogue.names),
        "signature": scores.signature,
        "runs": [] if baseline is None else list(baseline.names),
        "notes": [] if baseline is None else list(baseline.notes),
        "orders": list(orders.items()),
        "orders_of_pair": list((orders | of_pair).items()),
        "summary": [
            [title, _contrast([summary[title] for summary in summaries])] for title in summaries[0]
        ],
        "columns": columns,
        "classes": [
            {"name": name, "color": color, "pixels": unbroken_count(int(pixels))} | row
            for name, color, pixels, row in zip(
                scores.labels.names, colors, support, rows, strict=True
            )
        ],
        "groups": [[name, len(members)] for name, members in catalogue.groups.items()],
        "confusions": _confusions(catalogue, None, PAIRS_LISTED),
        "photographs": bool(drawer.photographs),
        "opacity": drawer.opacity,
        "kinds": drawer.kinds,
        "lacking": drawer.lacking,
        "class": position,
    }


def _summary(scores: Scores) -> dict[str, float]:
    """Return the scores of the whole run by title, those of the foreground of two classes first."""
    labels, summary = scores.labels, {}
    if scores.foreground is not None:
        for name in class_scores(labels.names[scores.foreground]):
            metric = name.partition(".")[0]
            summary[title_of(name)] = float(scores.class_scores[metric][scores.foreground])
    return summary | {title: scores.summary[name] for name, title in mean_titles("brief").items()}


def list_images(catalogue: Catalogue, query: Query, rows: Iterable[int]) -> list[Any]:
    """Return the rows of the list for the positions of some images."""
    values = [side.values(query.position) for side in catalogue.sides]
    pixels = [side.pixels_of(query.pair) for side in catalogue.sides if query.pair is not None]
    groups = list(catalogue.groups)
    return [
        {
            "position": number,
            "name": catalogue.names[number],
            "score": defined(float(values[-1][number])),
            "shown": _arrow(_shown(side[number]) for side in values),
            "difference": _difference([float(side[number]) for side in values]),
            "pixels": _arrow(unbroken_count(int(side[number])) for side in pixels),
            "group": groups[catalogue.member[number]] if catalogue.member[number] >= 0 else "",
        }
        for number in rows
    ]


def describe_image(
    catalogue: Catalogue, drawer: Renderer, number: int, position: int | None
) -> Any:
    """Return the scores of one image, its confusions in words, and what the colours mean."""
    sides = [scores_of_image(side.scores, number) for side in catalogue.sides]
    subject = subject_of(catalogue.scores.labels, position)
    parts = [scores_of_image(side.parts, number) for side in catalogue.sides]
    cards = [
        describe_images(scores, subject, parts=each)[0]
        for scores, each in zip(sides, parts, strict=True)
    ]
    info = sides[-1].run.images[0]
    return {
        "position": number,
        "name": info.name,
        "size": said_size(info.truth_form, info.height, info.width),
        "subject": cards[-1].subject,
        "notes": [*_notes(catalogue, number, cards), *filter(None, [say_shown(info)])],
        "scores": [
            [title, _contrast([dict(card.scores)[title] for card in cards])]
            for title, _ in cards[-1].scores
        ],
        "classes": _classes(sides),
        "confusions": _confusions(catalogue, number, CONFUSIONS_LISTED),
        "sides": [
            {
                "scores": [f"{title} {_shown(value)}" for title, value in card.scores[:1]],
                "legend": {
                    **_sides(each, drawer.scheme(None)),
                    "errors": _entries(drawer.scheme(position), card.legend),
                },
            }
            for each, card in zip(parts, cards, strict=True)
        ],
        "photograph": info.name in drawer.photographs,
    }


def describe_layer(drawer: Renderer, wanted: Wanted) -> Any:
    """Return what is said below a layer: its colours, scores, and column and row of the peak."""
    drawn = drawer.draw(wanted)
    card, scheme = drawn.card, drawer.scheme(wanted.position, wanted.kind)
    return {
        "lead": card.lead,
        "legend": _entries(scheme, card.legend),
        "scores": [f"{title} {_shown(value)}" for title, value in card.scores],
        "note": card.note,
        "peak": drawn.peak and {"x": drawn.peak[1], "y": drawn.peak[0]},
    }


def _notes(catalogue: Catalogue, number: int, cards: Sequence[Caption]) -> list[str]:
    """Return what is odd about an image."""
    if catalogue.baseline is None:
        return [card.note for card in cards if card.note]
    notes = [
        f"{letter}: {card.note}" for letter, card in zip("AB", cards, strict=True) if card.note
    ]
    differ = number in catalogue.baseline.other_truths
    return [*notes, *(["the truths of A and B differ"] if differ else [])]


def scores_of_image(scores: Scores, number: int) -> Scores:
    """Return the scores of a run with the counts of one image only; its means stay as they are."""
    chosen = slice(number, number + 1)
    images = scores.counts.images.map(lambda part: part[chosen])
    run = replace(
        scores.run, images=scores.run.images[chosen], counts=scores.run.counts.select(slice(0))
    )
    classified = replace(scores.counts, images=images, pixels=scores.counts.pixels[chosen])
    return replace(scores, run=run, counts=classified, groups={})


def _columns(place: Place, runs: int) -> dict[str, str]:
    """Return the titles of a table of classes: all scores of one run, or the IoU of two."""
    title = METRICS["iou"].title
    if runs == 2:
        return {"before": f"{title} A", "after": f"{title} B", "difference": "B − A"}
    return {metric.name: metric.title for metric in shown(METRICS, place)}


def _class_rows(tables: Sequence[Table], place: Place) -> list[dict[str, str]]:
    """Return the cells of every class, for the columns of one run or two."""
    if len(tables) == 2:
        before, after = (table["iou"].tolist() for table in tables)
        return [
            {"before": _shown(a), "after": _shown(b), "difference": _difference([a, b])}
            for a, b in zip(before, after, strict=True)
        ]
    columns = {name: tables[0][name].tolist() for name in _columns(place, 1)}
    rows = zip(*columns.values(), strict=True)
    return [dict(zip(columns, map(_shown, row), strict=True)) for row in rows]


def _classes(sides: Sequence[Scores]) -> list[Any]:
    """Score every class that the image holds: the lowest IoU first, or the largest loss."""
    counts, names = sides[-1].counts.images, sides[-1].labels.names
    tables = [
        {
            metric.name: scores.convention.score_classes(metric, scores.counts.images)[0]
            for metric in shown(METRICS, "classes")
        }
        for scores in sides
    ]
    rows = _class_rows(tables, "classes")
    held = [scores.counts.images.support + scores.counts.images.predicted for scores in sides]
    there = np.flatnonzero(np.sum(held, axis=0))
    ranks = tables[-1]["iou"] - (tables[0]["iou"] if len(sides) == 2 else 0)
    order = there[np.argsort(without_rounding(ranks[there]), kind="stable")].tolist()
    return [
        {"index": k, "name": names[k], **rows[k]}
        | {
            "pixels": unbroken_count(int(counts.support[0, k])),
            "predicted": unbroken_count(int(counts.predicted[0, k])),
        }
        for k in order
    ]


def _confusions(catalogue: Catalogue, number: int | None, most: int) -> list[Any]:
    """Put the largest confusions of an image, or of all, into words; of either run."""
    tables = [side.confusions(number) for side in catalogue.sides]
    counts = [side.parts.counts for side in catalogue.sides]
    supports = [
        each.classes.support if number is None else each.images.support[number] for each in counts
    ]
    names = catalogue.parts.labels.names
    columns = [*names, NO_CLASS]

    def largest(pair: tuple[int, int]) -> tuple[int, tuple[int, int]]:
        return -max(table.get(pair, 0) for table in tables), pair

    return [
        {
            "pair": list(pair),
            "truth": names[pair[0]],
            "prediction": columns[pair[1]],
            "pixels": _arrow(unbroken_count(table.get(pair, 0)) for table in tables),
            "share": _arrow(
                _percent(table.get(pair, 0), int(support[pair[0]]))
                for table, support in zip(tables, supports, strict=True)
            ),
        }
        for pair in sorted(set().union(*tables), key=largest)[:most]
    ]


def _percent(part: int, whole: int) -> str:
    """Write a share in percent, never as none or all of it if it is not.

    >>> [_percent(*of).split()[-2] for of in ((1, 9999), (1, 3), (9999, 10000), (3, 3))]
    ['0.1', '33.3', '99.9', '100']
    """
    if part in (0, whole):
        return "100\N{NO-BREAK SPACE}%" if part else "0\N{NO-BREAK SPACE}%"
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
    return show_score(defined(float(value)))


def _arrow(texts: Iterable[str]) -> str:
    """Write what one run or two have, the baseline first."""
    return " → ".join(texts)


def _difference(values: Sequence[float]) -> str:
    """Write how much higher the second value is; nothing if there is one value only."""
    if len(values) == 1:
        return ""
    (delta,) = without_rounding(np.array([values[1] - values[0]])).tolist()
    return signed(defined(delta), percent=False)


def _contrast(values: Sequence[float]) -> str:
    """Write the score of one run, or those of two with their difference."""
    difference = _difference(values)
    return _arrow(map(_shown, values)) + (f" ({difference})" if difference else "")
