"""A conformance suite: small masks at every edge, and what each preset says of them.

Other tools can be held against it: they read the same PNGs and compare their numbers. The masks are
made from the standard library's uniform random numbers, whose sequence Python guarantees.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from segeval.counting.arrays import count_arrays
from segeval.labels.classify import classify
from segeval.labels.labelmap import LabelMap, numbered
from segeval.presets.explain import PresetScorer, explain
from segeval.presets.preset import find_preset
from segeval.text import defined
from segeval.version import __version__

SCHEMA: Final = "segeval.conformance/1"
VOID: Final = 255
BLOCK: Final = 4  # sides of the squares that masks are made of


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """How one pair is drawn: its size in blocks, and the classes on either side."""

    size: tuple[int, int]
    truth: tuple[int, ...]
    prediction: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskSet:
    """A set of pairs, and what is at the edge in it; values 0…K-1 are the classes."""

    name: str
    about: str
    classes: int
    ignore: tuple[int, ...]
    scenes: tuple[Scene, ...]

    @property
    def labels(self) -> LabelMap:
        """The classes as a label map."""
        return numbered("indices", range(self.classes), void=self.ignore)


def _scene(truth: str, prediction: str, rows: int = 5, columns: int = 6) -> Scene:
    """Read classes from digits, with v for void."""
    sides = ([VOID if c == "v" else int(c) for c in side] for side in (truth, prediction))
    first, second = map(tuple, sides)
    return Scene(size=(rows, columns), truth=first, prediction=second)


USUAL: Final = (
    _scene("012", "012"),
    _scene("0123", "0124"),
    _scene("01", "014", 3, 7),
    _scene("0", "0", 2, 2),
    _scene("12", "1", 6, 4),
    _scene("0123", "012", 7, 7),
    _scene("3", "4", 3, 3),
    _scene("02", "01", 1, 9),
)  # class 3 is never predicted, class 4 is in no truth, class 5 is nowhere

SETS: Final = (
    MaskSet(name="plain", about="no void", classes=6, ignore=(), scenes=USUAL),
    MaskSet(
        name="void",
        about="void pixels, one truth of nothing else",
        classes=6,
        ignore=(VOID,),
        scenes=(
            *USUAL,
            _scene("v", "0124", 3, 4),
            _scene("01v", "0124", 6, 6),
            _scene("2v", "2", 4, 5),
        ),
    ),
    MaskSet(
        name="binary",
        about="one foreground; both sides empty, one side empty, all foreground",
        classes=2,
        ignore=(),
        scenes=(
            _scene("01", "01"),
            _scene("0", "0", 4, 4),
            _scene("0", "01", 4, 6),
            _scene("01", "0", 3, 5),
            _scene("1", "1", 2, 3),
            _scene("01", "01", 8, 8),
            _scene("1", "01", 5, 2),
        ),
    ),
    MaskSet(
        name="regular",
        about="every class on both sides of every image",
        classes=3,
        ignore=(VOID,),
        scenes=(_scene("012v", "012", 6, 6), _scene("012", "012", 9, 5), _scene("012", "012")),
    ),
)  # every set of the suite


def make_masks(masks: MaskSet) -> Iterator[tuple[str, NDArray[np.uint8], NDArray[np.uint8]]]:
    """Yield name, truth and prediction of every pair of a set; the same ones each time."""
    random = Random(f"segeval {masks.name}")  # noqa: S311  # shapes, not secrets
    for number, scene in enumerate(masks.scenes):
        truth = _blocks(random, scene.size, scene.truth)
        guess = _blocks(random, scene.size, scene.prediction)
        allowed = np.isin(truth, scene.prediction)
        kept = _blocks(random, scene.size, (0, 1, 1)).astype(bool) & allowed
        prediction = np.roll(np.where(kept, truth, guess), (1, -1), axis=(0, 1))
        yield f"{masks.name}_{number:02d}", truth, prediction


def _blocks(random: Random, size: tuple[int, int], values: Sequence[int]) -> NDArray[np.uint8]:
    """Fill squares with values, each of them at least once if there is room."""
    rows, columns = size
    drawn = [values[int(random.random() * len(values))] for _ in range(rows * columns)]
    for value in values:
        drawn[int(random.random() * len(drawn))] = value
    return np.array(drawn, np.uint8).reshape(size).repeat(BLOCK, axis=0).repeat(BLOCK, axis=1)


def expected_values() -> dict[str, Any]:
    """Return what each preset says of each set, as plain data; undefined is None."""
    return {
        "schema": SCHEMA,
        "version": __version__,
        "sets": [
            {
                "name": masks.name,
                "about": masks.about,
                "classes": masks.classes,
                "ignore": list(masks.ignore),
                "images": [name for name, _, _ in make_masks(masks)],
            }
            for masks in SETS
        ],
        "expected": [record for masks in SETS for record in _records(masks)],
    }


def _records(masks: MaskSet) -> Iterator[dict[str, Any]]:
    names, truth, prediction = zip(*make_masks(masks), strict=True)
    run = count_arrays(truth=truth, prediction=prediction, names=names)
    labels = masks.labels
    case = PresetScorer(counts=classify(run, labels), labels=labels)
    for row in sorted(explain(case), key=lambda row: row.preset):
        preset = find_preset(row.preset)
        yield {
            "set": masks.name,
            "preset": row.preset,
            "tool": preset.tool,
            "version": preset.version,
            "call": preset.call,
            "metric": row.metric,
            "value": defined(row.value),
            "per_class": [defined(value) for value in row.per_class],
        }
