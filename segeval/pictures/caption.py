"""What a picture of an image needs: its masks as classes, and what is written beside it.

Every number is taken from the scores of the run; nothing is counted in a picture.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from segeval.labels.classify import classify
from segeval.labels.labelmap import LabelMap
from segeval.pictures.errormaps import Kind
from segeval.scoring.metrics import METRICS, mean_titles, shown
from segeval.scoring.score import Scores, score_images


@dataclass(frozen=True, slots=True, kw_only=True)
class Caption:
    """What is written beside the picture of an image; no subject stands for all classes."""

    name: str
    subject: str
    note: str
    scores: tuple[tuple[str, float], ...]  # titles and values
    legend: tuple[tuple[int, str, int], ...]  # code, meaning, pixels
    lead: str = ""  # what comes before the legend, unless it is of errors

    @property
    def names(self) -> list[str]:
        """What is written and comes from files: names of the image and of classes."""
        return [self.name, self.subject, *(meaning for _, meaning, _ in self.legend)]

    def noted(self, note: str) -> "Caption":
        """Return the caption with one more note, if that says anything."""
        return replace(self, note="; ".join(filter(None, (self.note, note))))


def position_of(labels: LabelMap, name: str | None) -> int | None:
    """Return the index of the class of a name, or None for all classes."""
    return None if name is None else labels.positions([name])[0]


def subject_of(labels: LabelMap, position: int | None) -> int | None:
    """Return the class whose errors are drawn: a chosen one, or the foreground of two classes.

    None stands for the errors of all classes.
    """
    return labels.foreground if position is None else position


def image_scores(scores: Scores, position: int | None) -> Mapping[str, NDArray[np.float64]]:
    """Score every image for one class (IoU first), or over all classes (mIoU first), by title."""
    if position is None:
        names = mean_titles("brief")
    else:
        label = scores.labels.names[position]
        names = {f"{m.name}.{label}": m.title for m in shown(METRICS, "classes")}
    return {title: score_images(scores, name) for name, title in names.items()}


def ranked_images(scores: Scores, position: int | None) -> list[int]:
    """Return the positions of images with an IoU of a class, or mIoU; lowest first, by name."""
    ranked = next(iter(image_scores(scores, position).values()))
    order = np.argsort(ranked, kind="stable")
    defined: list[int] = order[~np.isnan(ranked[order])].tolist()
    return defined


def representative_images(scores: Scores, position: int | None, count: int) -> dict[str, list[int]]:
    """Return the images of lowest, middle and highest score, so many of each or a third of all.

    The lowest and those in the middle are in ascending order, the highest in descending order.
    """
    ranked = ranked_images(scores, position)
    if len(ranked) < 3:
        return {"worst": ranked[:1], "median": [], "best": ranked[1:]}
    each = min(count, len(ranked) // 3)
    middle = (len(ranked) - 1) // 2
    first = middle - (each - 1) // 2
    return {
        "worst": ranked[:each],
        "median": ranked[first : first + each],
        "best": ranked[::-1][:each],
    }


def describe_images(
    scores: Scores,
    position: int | None,
    chosen: Sequence[int] | None = None,
    *,
    parts: Scores | None = None,
) -> list[Caption]:
    """Return what is written beside the pictures of images, all of them by default.

    ``parts`` are the scores of `in_parts`, where they are known.
    """
    drawn = scores if position is not None else parts or in_parts(scores)
    table = image_scores(scores, position)
    numbers = range(len(scores.run.images)) if chosen is None else chosen
    subject = "" if position is None else scores.labels.names[position]
    return [
        Caption(
            name=scores.run.images[number].name,
            subject=subject,
            note="" if scores.run.images[number].prediction_path else "no prediction: all missed",
            scores=tuple((title, float(column[number])) for title, column in table.items()),
            legend=tuple(_legend(drawn, position, number)),
        )
        for number in numbers
    ]


def in_parts(scores: Scores) -> Scores:
    """Return the scores with the classes that pictures of all of them are drawn in."""
    if not scores.labels.overlap:
        return scores
    parts = scores.labels.parts
    return replace(scores, labels=parts, counts=classify(scores.run, parts, unknown=scores.unknown))


def _legend(scores: Scores, position: int | None, number: int) -> list[tuple[int, str, int]]:
    """List what the colours of a picture mean; of all classes, those that are wrong somewhere."""
    counts, classes = scores.counts.images, len(scores.labels.names)
    void = int(scores.counts.pixels[number] - counts.total[number])
    if position is None:
        wrong = counts.fn[number]
        order = np.argsort(-wrong, kind="stable").tolist()
        names = scores.labels.names
        shown = [(classes + k, names[k], int(wrong[k])) for k in order if wrong[k]]
        return [*shown, *([(3 * classes, "void", void)] if void else [])]
    return [
        (Kind.TRUE_POSITIVE, "true positive", int(counts.tp[number, position])),
        (Kind.FALSE_POSITIVE, "false positive", int(counts.fp[number, position])),
        (Kind.FALSE_NEGATIVE, "false negative", int(counts.fn[number, position])),
        *([(Kind.VOID, "void", void)] if void else []),
    ]
