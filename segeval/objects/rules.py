"""What the field disagrees on about objects: thresholds, ties, empty images, means."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Final, Literal

from segeval.errors import SettingError
from segeval.text import quoted

ObjectSource = Literal["ids", "components"]
Connectivity = Literal["4", "8"]
ObjectPooling = Literal["dataset", "image"]
Empty = Literal["skip", "zero", "one"]
Matching = Literal["most", "greedy"]
Aggregated = Literal["best", "assigned"]
WithoutTruth = Literal["scored", "empty"]

DEFAULT: Final = ".5:.05:.95"
MOST_THRESHOLDS: Final = 1000
PANOPTIC: Final = 0.5  # the threshold of PQ, where it is one of those that are asked for


def parse_iou_thresholds(text: str) -> tuple[float, ...]:
    """Parse thresholds: numbers with commas, or ``START:STEP:END`` with both ends.

    >>> parse_iou_thresholds(".5:.2:.9,.95")
    (0.5, 0.7, 0.9, 0.95)
    """
    found: list[Decimal] = []
    for word in text.replace(" ", "").split(","):
        try:
            numbers = [Decimal(part) for part in word.split(":")]
            start, step, end = (
                numbers if len(numbers) == 3 else (numbers[0], Decimal(1), numbers[0])
            )
            fits = len(numbers) in {1, 3} and all(0 < n <= 1 for n in (start, step, end))
        except InvalidOperation:
            fits = False
        if not fits or end < start or (end - start) / step > MOST_THRESHOLDS:
            raise SettingError(
                f"--iou-thresholds {quoted(text)}: {quoted(word)} is neither a number above 0 and "
                f"up to 1 nor START:STEP:END; type e.g. 0.5,0.75 or {DEFAULT}"
            )
        found += [start + step * number for number in range(int((end - start) / step) + 1)]
    return tuple(float(value) for value in sorted(set(found)))


def parse_sizes(text: str) -> tuple[int, ...]:
    """Parse the sizes at which bins of objects begin, in pixels: whole numbers and squares.

    >>> parse_sizes("0,32^2,96²")
    (0, 1024, 9216)
    """
    sizes = []
    for word in text.replace(" ", "").split(","):
        parts = re.fullmatch(r"(\d{1,9})(\^2|²)?", word)
        if parts is None:
            raise SettingError(
                f"--size-bins {quoted(text)}: {quoted(word)} is no number of pixels; "
                "type e.g. 0,32^2,96^2"
            )
        sizes.append(int(parts[1]) ** (2 if parts[2] else 1))
    if sorted(set(sizes)) != sizes:
        raise SettingError(f"--size-bins {quoted(text)}: sizes must rise, e.g. 0,32^2,96^2")
    return tuple(sizes)


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectRules:
    """How objects are matched, and how their scores are averaged.

    Attributes
    ----------
    thresholds : tuple of float
        Least IoU of a match, ascending; above it if ``strict``.
    pooling : {"dataset", "image"}
        Scores of the counts of all images, or means of the scores of single images.
    empty : {"skip", "zero", "one"}
        What is scored where neither side holds an object.
    matching : {"most", "greedy"}
        At or below 0.5: as many matches as can be, then the highest IoU; or the highest IoU first.
    aji : {"best", "assigned"}
        Each true object with the predicted one of the highest IoU, or with its match.
    smallest : int
        True objects of fewer pixels are left out, and what matches them is neither found nor false.
    without_truth : {"scored", "empty"}
        Whether predicted objects count in an image without a true one, or nothing is scored there.
    sizes : tuple of int
        Pixels at which bins of objects begin; empty for none.
    connectivity : {"4", "8"}, optional
        Neighbours that a run of components must have been counted with.
    like, headline : str
        The preset that these rules are of, and the score that its tool reports; empty for none.
    """

    source: ObjectSource = "ids"
    thresholds: tuple[float, ...] = parse_iou_thresholds(DEFAULT)
    strict: bool = False
    pooling: ObjectPooling = "dataset"
    empty: Empty = "skip"
    matching: Matching = "most"
    aji: Aggregated = "best"
    smallest: int = 0
    without_truth: WithoutTruth = "scored"
    sizes: tuple[int, ...] = ()
    connectivity: Connectivity | None = None
    like: str = ""
    headline: str = ""

    @property
    def panoptic(self) -> int:
        """Position of the threshold of PQ: of 0.5, else of the lowest.

        >>> ObjectRules(thresholds=(0.3, 0.5)).panoptic, ObjectRules(thresholds=(0.75,)).panoptic
        (1, 0)
        """
        return self.thresholds.index(PANOPTIC) if PANOPTIC in self.thresholds else 0

    def signature_parts(self) -> list[str]:
        """Return the rules as they stand in a signature."""
        above = ">" if self.strict else ">="
        levels = ",".join(f"{level:g}" for level in self.thresholds)
        facts = [self.source, self.pooling, f"iou{above}{levels}"]
        names = ("empty", "matching", "aji", "smallest", "without_truth")
        stated = {name: str(getattr(self, name)) for name in names}
        facts += [f"{name}={value}" for name, value in stated.items() if value != _plain(name)]
        facts += [f"sizes={','.join(map(str, self.sizes))}"] if self.sizes else []
        return [f"objects:{';'.join(facts)}", *([f"objects-like:{self.like}"] if self.like else [])]


def _plain(name: str) -> str:
    return str(ObjectRules.__dataclass_fields__[name].default)
