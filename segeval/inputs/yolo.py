"""YOLO: a text an image, a line an object: its class, then x1 y1 … xn yn as shares of the image.

A prediction may end its lines with a confidence. Later lines lie upon earlier ones, and those of a
higher confidence upon those of a lower one.
"""

import itertools
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from segeval.errors import MaskError, Problem
from segeval.inputs.annotations import Annotation, Index, Masked, Shape, threshold_fault
from segeval.inputs.cocorle import Counts, lay
from segeval.inputs.folders import index_folder, masks_below
from segeval.inputs.forms import YOLO
from segeval.inputs.photographs import size_of_photograph
from segeval.inputs.polygons import FILL, check_polygon, fill, require_library
from segeval.inputs.rle import Runs
from segeval.settings import AnnotationChoice
from segeval.storage.path import located
from segeval.text import listed, quoted
from segeval.textfiles import TextError, lines_of, read_text
from segeval.values import UNANNOTATED, object_values

MOST_TEXT: Final = 64 << 20  # bytes
MOST_CLASSES: Final = 1 << 16
MOST_TOLD: Final = 5  # faults of a text
TRIED: Final = 1000  # texts whose first line is looked at
PHOTOGRAPHS: Final = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".JPG", ".JPEG")
ASIDE: Final = {"classes.txt", "obj.names", "requirements.txt", "readme.txt"}
NO_SIZE: Final = (
    "nothing says how large the image is: there is no image of its name beside the text, nor under "
    "`images` for `labels`; add it, or type --size HEIGHTxWIDTH, e.g. --size 480x640"
)
BOX: Final = (
    "it is a box (class, x, y, width, height), which is no mask: export polygons, or predict with "
    "a segmentation model"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class YoloMask(Annotation):
    """The polygons of a text; all other pixels are `UNANNOTATED`."""

    has_objects = True
    absent: bool = False  # whether there is no text, as nothing was found
    partner: Path | None = None  # text of the other side, beside which the image may lie

    def __str__(self) -> str:
        """Write the path of the text, which holds nothing else."""
        return str(self.path)

    def beside(self, prediction: Masked) -> Annotation:
        """Return the truth; the image of two texts may lie beside either."""
        if not isinstance(prediction, YoloMask):
            return self
        return replace(self, partner=prediction.path)

    def content(self) -> bytes:
        """Return the text."""
        return self._text().encode()

    def shape(self, other: Shape | None) -> Shape:
        """Return the size of the mask, of the other side, or of the image that lies beside it."""
        if self.size is None and other is None:
            for text in (self.path, self.partner or self.path):
                if (image := image_of(text)) is not None:
                    return size_of_photograph(image)
            raise MaskError(NO_SIZE)
        return Annotation.shape(self, other)

    def values(self, shape: Shape) -> NDArray[Any]:
        """Return classes, (H, W); a MaskError tells what is wrong with which lines."""
        return self.runs(shape).mask()

    def objects(self, shape: Shape) -> NDArray[Any]:
        """Return classes and the numbers of the polygons, (H, W)."""
        return self.runs(shape, objects=True).mask()

    def runs(self, shape: Shape, *, objects: bool = False) -> Runs:
        """Return either as run lengths; a MaskError tells what is wrong with which lines."""
        pieces = self._pieces(shape)
        values = np.array([category for _, category in pieces], np.int64)
        if objects:
            values = object_values(values, np.arange(1, len(pieces) + 1))
        counts = [counts for counts, _ in pieces]
        return lay(zip(counts, values.tolist(), strict=True), shape, UNANNOTATED)

    def _pieces(self, shape: Shape) -> list[tuple[Counts, int]]:
        """Return the polygons in the order in which they are painted, with their classes."""
        facts = self.form.split(",")
        least = next((float(fact[6:]) for fact in facts if fact.startswith("score:")), None)
        scored = "overlap:score" in facts
        found, faults = [], defaultdict[str, list[str]](list)
        for number, line in enumerate(lines_of(self._text()), 1):
            try:
                if words := line.split():
                    category, shares, score = parse_line(words, scored=scored)
                    corners = (shares * [shape[1], shape[0]]).ravel().tolist()
                    found.append((score, category, check_polygon(corners, shape)))
            except MaskError as error:
                faults[str(error)].append(str(number))
        if faults:
            raise MaskError(_told(faults, alone=not found))
        if scored:
            found.sort(key=lambda each: each[0])
        kept = [each for each in found if least is None or each[0] >= least]
        counts = fill([corners for _, _, corners in kept], shape) if kept else []
        return [*zip(counts, (category for _, category, _ in kept), strict=True)]

    def _text(self) -> str:
        if not self.path.exists() and self.absent:
            return ""
        try:
            return read_text(self.path, MOST_TEXT)
        except TextError as error:
            raise MaskError(str(error)) from error


def _told(faults: Mapping[str, list[str]], *, alone: bool) -> str:
    """Tell faults with their lines; one of every line without these, so that texts are alike."""
    if alone and len(faults) == 1 and len(next(iter(faults.values()))) > 1:
        return f"each line: {next(iter(faults))}"
    told = [
        f"line{'s' * (len(numbers) > 1)} {listed(numbers, MOST_TOLD)}: {fault}"
        for fault, numbers in faults.items()
    ]
    return listed(told, MOST_TOLD, " and {} more")


def parse_line(words: list[str], *, scored: bool) -> tuple[int, NDArray[np.float64], float]:
    """Return class, corners (N, 2) and confidence of a line; a MaskError if it is none."""
    try:
        numbers = np.array(words, np.float64)
    except ValueError:
        odd = next(word for word in words if not _is_number(word))
        raise MaskError(f"{quoted(odd)} is no number") from None
    if numbers.size in {5, 6}:
        raise MaskError(BOX)
    if not (np.isfinite(numbers).all() and numbers[0] in range(MOST_CLASSES)):
        raise MaskError(f"its class is {quoted(words[0])}; expected a whole number from 0 on")
    corners, score = numbers[1:], np.nan
    if scored != (numbers.size % 2 == 0):
        swapped = not scored and 0 <= numbers[-1] <= 1
        more = ", and the confidence" if scored else ""
        more = "; if the last is a confidence, are PRED and TRUTH swapped?" if swapped else more
        raise MaskError(
            f"it has {numbers.size - 1} numbers behind the class; expected x and y of each "
            f"corner{more}"
        )
    if scored:
        corners, score = numbers[1:-1], numbers[-1]
    if corners.size and (corners.min() < -1 or corners.max() > 2):
        far = corners[np.argmax(np.abs(corners))]
        raise MaskError(f"a coordinate is {far:g}; expected shares of width and height, 0 to 1")
    return int(numbers[0]), corners.reshape(-1, 2), float(score)


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def is_text(relative: str) -> bool:
    """Whether the name of a file is that of a text of polygons."""
    name = relative.rpartition("/")[2].lower()
    return name.endswith(".txt") and not name.startswith(".") and name not in ASIDE


def holds_texts(folder: Path) -> bool:
    """Whether a folder holds texts of numbers."""
    return _first_line(folder) is not None


def _first_line(folder: Path) -> list[str] | None:
    """Return the words of the first line in the texts of a folder; None if these are no numbers."""
    words: list[str] = []
    for path in itertools.islice(masks_below(folder, is_text), TRIED):
        try:
            words = read_text(path, MOST_TEXT).split("\n", 1)[0].split()
        except TextError:
            return None
        if words:
            break
    return words if words and all(map(_is_number, words)) else None


def index_texts(
    folder: Path, side: str, choice: AnnotationChoice, suffix: str = "", include: str | None = None
) -> Index:
    """Find the texts below a folder, and say what decides their pixels."""
    index = index_folder(folder, side, suffix, include, wanted=is_text)
    try:
        require_library()
    except MaskError as error:
        fault = Problem(name=str(folder), kind="no library", detail=f"{folder}: {error}")
        return Index(files=index.files, problems=[fault])
    words = _first_line(folder) or []
    scored = side == "prediction" and len(words) % 2 == 0 and len(words) > 6
    facts = [FILL, "overlap:score" if scored else "overlap:later"]
    if side == "prediction" and choice.score_threshold is not None:
        none = "its lines have no confidence; leave out --score-threshold"
        if reason := threshold_fault(choice.score_threshold) if scored else none:
            detail = f"{folder}: {reason}"
            index.problems.append(Problem(name=str(folder), kind="no scores", detail=detail))
        facts.append(f"score:{choice.score_threshold!r}")
    size = [choice.said_size] if choice.size else []
    nothing = YoloMask(
        path=folder,
        key="",
        form=",".join([YOLO, *facts]),
        size=choice.size,
        background=UNANNOTATED,
        absent=True,
    )
    return Index(
        files={
            name: replace(nothing, path=path, key=name, absent=False)
            for name, path in index.files.items()
        },
        problems=index.problems,
        facts=(f"format:{YOLO}", *facts, *size),
        background=UNANNOTATED,
        nothing=nothing if side == "prediction" else None,
    )


def image_of(text: Path) -> Path | None:
    """Return the image that belongs to a text: under ``images`` for ``labels``, or beside it."""
    parts = list(text.parts)
    places = [text]
    if "labels" in parts[:-1]:
        last = len(parts) - 2 - parts[:-1][::-1].index("labels")
        places.insert(0, located(Path(*parts[:last], "images", *parts[last + 1 :])))
    found = (place.with_suffix(end) for place in places for end in PHOTOGRAPHS)
    return next((path for path in found if path.is_file()), None)
