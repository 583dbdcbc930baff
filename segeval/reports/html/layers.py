"""What the page draws beside errors: the bands and distances that a run was scored with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import isnan

from segeval.boundaries.scores import BoundaryRules
from segeval.distances.measure import check_scipy
from segeval.distances.result import DistanceScores
from segeval.errors import SettingError
from segeval.inputs.geometry import spacing_of
from segeval.pictures.layers import BandLayer, DistanceLayer
from segeval.pictures.thumbnails import Further
from segeval.reports.distances import score_title, show_distance
from segeval.scoring.metrics import KNOWN
from segeval.scoring.score import Scores, score_images
from segeval.text import defined, show_score


def layers_of(
    scores: Scores,
    distances: DistanceScores | None,
    position: int | None,
    numbers: Sequence[int],
    *,
    percent: bool,
) -> Iterator[Further]:
    """Yield the layers of what was measured, with the scores of some images.

    They are those of the class at a position, or their means over classes.
    """
    for asked in scores.measures:
        if isinstance(asked, BoundaryRules):
            yield _bands(scores, asked, position, numbers, percent=percent)
    if distances is not None:
        yield _distances(scores, distances, position, numbers)


def _bands(
    scores: Scores,
    asked: BoundaryRules,
    position: int | None,
    numbers: Sequence[int],
    *,
    percent: bool,
) -> Further:
    width, metric = asked.widths[0], KNOWN[asked.names[0]]
    name, title = metric.mean, metric.mean_title
    if position is not None:
        name, title = f"{metric.name}.{scores.labels.names[position]}", metric.title
    values = score_images(scores, name)
    return Further(
        layer=BandLayer(width=width),
        meaning=f"errors in bands of {width} along the edges",
        scores={
            scores.run.images[n].name: [(title, show_score(defined(values[n]), percent=percent))]
            for n in numbers
        },
    )


def _distances(
    scores: Scores, distances: DistanceScores, position: int | None, numbers: Sequence[int]
) -> Further:
    images, like = scores.run.images, distances.rules.like
    spacing = {
        images[n].name: distances.spacing_of(n, files=spacing_of(images[n].truth_form))
        for n in numbers
    }
    meaning = "borders, the darker the farther from the other side, and a ring around the farthest"
    own = f"; whatever {like} does, these are pixels" if like else ""
    return Further(
        layer=DistanceLayer(lone="" if like else ": counts the diagonal"),
        meaning=meaning + own,
        trouble=_trouble(),
        spacing=spacing,
        scores={
            name: [*_hausdorff(distances.of_image(n, position), position, spacing[name])]
            for n, name in zip(numbers, spacing, strict=True)
        },
    )


def _hausdorff(
    found: Mapping[str, float], position: int | None, spacing: Sequence[float] | None
) -> Iterator[tuple[str, str]]:
    """Yield the Hausdorff distance and its percentiles, as they are shown."""
    unit, mean = "px" if spacing is None else "mm", "mean " if position is None else ""
    for name, value in found.items():
        if name.startswith("hd"):
            shown = show_distance(None) if isnan(value) else f"{show_distance(value)} {unit}"
            yield f"{mean}{score_title(name, unit)}", shown


def _trouble() -> str:
    """Say why distances are not drawn, if they are not."""
    try:
        check_scipy()
    except SettingError as error:
        return str(error)
    return ""
