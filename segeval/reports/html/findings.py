"""What the page shows beside the document, gathered from the scores."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from segeval.distances.result import DistanceScores
from segeval.pictures.thumbnails import Album
from segeval.scoring.score import Scores

EACH: Final = 3  # worst, median and best images that are shown
CHEAP: Final = 1 << 14  # images up to which every threshold is scored


def make_page(
    scores: Scores,
    document: Mapping[str, Any],
    photographs: Mapping[str, Path],
    distances: DistanceScores | None = None,
    *,
    percent: bool,
) -> str:
    """Gather what a page shows, and write it."""
    from segeval.pictures.caption import image_scores, representative_images, subject_of
    from segeval.pictures.palettes import class_colors
    from segeval.reports.html.page import Findings, to_html
    from segeval.values import hex_color

    chosen = representative_images(scores, scores.foreground, EACH)
    position = subject_of(scores.labels, None)
    findings = Findings(
        document=document,
        values=next(iter(image_scores(scores, scores.foreground).values())),
        colors=[hex_color(color) for color in class_colors(scores.labels)],
        conventions=_conventions(scores),
        sweep=_sweep(scores),
        threshold=scores.labels.prediction_threshold,
        album=album_of(scores, chosen, photographs, distances, position=position, percent=percent),
    )
    return to_html(findings, percent=percent)


def _conventions(scores: Scores) -> dict[str, Any]:
    from segeval.presets.explain import PresetScorer, explain
    from segeval.presets.preset import load_presets
    from segeval.reports.explain import make_document

    exclude = scores.convention.exclude
    case = PresetScorer(counts=scores.counts, labels=scores.labels, exclude=exclude, run=scores.run)
    names = [name for name in load_presets() if ":" not in name]
    return make_document(case, explain(case, names), signature=scores.signature)


def _sweep(scores: Scores) -> dict[str, Any] | None:
    """Return every threshold of grey predictions, if that is what they are and it costs little."""
    from segeval.errors import SettingError
    from segeval.reports.sweep import make_document
    from segeval.scoring.sweep import sweep

    if scores.labels.prediction_threshold is None or len(scores.run) > CHEAP:
        return None
    if scores.run.counts.values("prediction").size < 3:
        return None
    try:
        return make_document(sweep(scores.run, scores.labels, scores.convention))
    except SettingError:  # what a threshold can be laid on, and no grid of them
        return None


def album_of(
    scores: Scores,
    chosen: Mapping[str, Sequence[int]],
    photographs: Mapping[str, Path],
    distances: DistanceScores | None = None,
    *,
    position: int | None,
    percent: bool,
) -> Album:
    """Return the album of some images, by the title of their section, for a class or for all.

    Beside errors it has the layers of what the scores measured, with their scores.
    """
    from segeval.labels.lookups import lookup_of
    from segeval.pictures.caption import describe_images
    from segeval.pictures.classmaps import drawn_labels
    from segeval.pictures.layers import Subject
    from segeval.pictures.overlay import Style
    from segeval.pictures.palettes import palette_of
    from segeval.pictures.thumbnails import Album
    from segeval.reports.html.layers import layers_of

    run, (drawn, place) = scores.run, drawn_labels(scores.labels, position)
    shown = sorted({number for numbers in chosen.values() for number in numbers})
    return Album(
        sections={
            title: describe_images(scores, position, numbers) for title, numbers in chosen.items()
        },
        images={image.info.name: image for image in run.select(shown)},
        photographs=photographs,
        style=Style(
            scheme=palette_of(scores.labels, position),
            position=place,
            classes=len(drawn.labels),
            opacity=0.6,
        ),
        subject=Subject(
            position=place, names=tuple(drawn.names), overlap=bool(scores.labels.overlap)
        ),
        translation=lookup_of(run, drawn, unknown=scores.unknown),
        reading=run.reading(),
        further=[*layers_of(scores, distances, position, shown, percent=percent)],
    )
