"""Class maps and values of an image -> the distances of all objects that overlap, as bytes."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from segeval.counting.measures import Layer, Values
from segeval.counting.numbering import Numbering, Side
from segeval.counting.run import CountedRun
from segeval.distances.kept import DistanceTable, encode
from segeval.distances.measure import DistanceMeasure, check_scipy
from segeval.distances.rules import DistanceRules
from segeval.errors import RunError
from segeval.objects.components import numbered_as
from segeval.objects.rules import ObjectRules
from segeval.settings import LabelChoice
from segeval.values import FLOAT, STEPS, are_levels, is_object, object_ids

HEAD: Final = struct.Struct("<I")  # pairs of objects
FOUND, VOID, REST = range(3)  # codes around one pair of objects


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectDistanceMeasure:
    """What is measured of every two objects of one class that have a pixel in common."""

    distances: DistanceMeasure
    numbering: Numbering | None = None  # of components; else every value but 0 is an object

    @property
    def kind(self) -> str:
        """The name of the measure in a run."""
        return f"objects:{self.distances.kind}"

    @property
    def definition(self) -> Mapping[str, Any]:
        """All that changes its numbers."""
        objects = "ids" if self.numbering is None else self.numbering.fact
        return {**self.distances.definition, "objects": objects}

    def of_values(
        self, layers: Sequence[Layer], values: Values, spacing: tuple[float, ...] | None
    ) -> bytes:
        """Measure an image: its pairs of ids, and the distances of each."""
        check_scipy()
        truth, prediction, count = layers[0]
        void = truth == count
        sides = self._ids(values[0], "truth"), self._ids(values[1], "prediction", truth.shape)
        for ids, classes in zip(sides, (truth, prediction), strict=True):
            ids[classes >= count] = 0
        pairs = _overlapping(*sides, truth == prediction)
        steps = self.distances.steps(spacing, truth.ndim)
        boxes = [_boxes(ids) for ids in sides]
        found = []
        for n, (one, two) in enumerate(pairs.tolist()):
            box = _around(boxes[0][one], boxes[1][two], truth.shape)
            maps = [
                _apart(ids[box] == held, void[box])
                for ids, held in zip(sides, (one, two), strict=True)
            ]
            measured = self.distances.classes((maps[0], maps[1], 1), steps)
            found += [replace(each, index=n) for each in measured]
        kept = encode(
            found,
            truth.shape,
            steps,
            cut=bool(void.any()),
            spaced=self.distances.is_spaced(spacing),
        )
        return HEAD.pack(len(pairs)) + pairs.astype("<i8").tobytes() + kept

    def _ids(
        self, values: NDArray[Any] | None, side: Side, shape: tuple[int, ...] = ()
    ) -> NDArray[np.int64]:
        """Return the id of the object of each pixel, as tables of objects have it, or 0."""
        if values is None:
            return np.zeros(shape, np.int64)
        if self.numbering is None:
            ids = values.astype(np.int64)
            levels = are_levels(ids)  # of floats, which are whole numbers
            return np.where(levels, (ids - FLOAT) // STEPS, ids) if levels.any() else ids
        numbered = self.numbering(values, side)
        return np.where(is_object(numbered), object_ids(numbered), 0)


def _overlapping(
    truth: NDArray[np.int64], prediction: NDArray[np.int64], alike: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Return the pairs of ids with a pixel of one class in common, (P, 2) in ascending order."""
    both = (truth != 0) & (prediction != 0) & alike
    one, two = truth[both], prediction[both]
    starts = _starts(one) | _starts(two)
    return np.unique(np.stack((one[starts], two[starts]), axis=1), axis=0)


def _boxes(ids: NDArray[np.int64]) -> dict[int, tuple[slice, ...]]:
    """Return the box of every object by its id."""
    from scipy.ndimage import find_objects

    flat = ids.ravel()
    starts = np.flatnonzero(_starts(flat))
    held, which = np.unique(flat[starts], return_inverse=True)
    places = np.repeat(which.astype(np.int32) + 1, np.diff(starts, append=flat.size))
    return dict(zip(held.tolist(), find_objects(places.reshape(ids.shape)), strict=True))


def _starts(flat: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Say of each id whether it is another than the one before it."""
    return np.concatenate((np.ones(min(1, flat.size), np.bool_), flat[1:] != flat[:-1]))


def _around(
    one: tuple[slice, ...], two: tuple[slice, ...], shape: tuple[int, ...]
) -> tuple[slice, ...]:
    """Return the box of both, and one pixel more to see what is beside them."""
    return tuple(
        slice(max(min(a.start, b.start) - 1, 0), min(max(a.stop, b.stop) + 1, extent))
        for a, b, extent in zip(one, two, shape, strict=True)
    )


def _apart(inside: NDArray[np.bool_], void: NDArray[np.bool_]) -> NDArray[np.uint8]:
    return np.where(inside, FOUND, np.where(void, VOID, REST)).astype(np.uint8)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ObjectDistanceTable:
    """The distances of N images: a row for each pair of objects, and which these are."""

    pairs: Mapping[tuple[int, int, int], int]  # image, id in truth and prediction -> row
    table: DistanceTable

    @classmethod
    def of(cls, blobs: Sequence[bytes]) -> ObjectDistanceTable:
        """Read what is kept of every image."""
        pairs: list[tuple[int, int, int]] = []
        rest = []
        for image, blob in enumerate(blobs):
            try:
                (number,) = HEAD.unpack_from(blob)
                ids = np.frombuffer(blob, "<i8", 2 * number, HEAD.size).reshape(-1, 2)
            except (ValueError, struct.error) as error:
                raise RunError(
                    "the distances of the run are damaged; score the masks again"
                ) from error
            pairs += [(image, one, two) for one, two in ids.tolist()]
            rest.append(blob[HEAD.size + ids.nbytes :])
        table = DistanceTable.of(rest, 1)
        return cls(pairs={pair: row for row, pair in enumerate(pairs)}, table=table)

    def rows(self, pairs: Sequence[tuple[int, int, int]]) -> NDArray[np.int64]:
        """Return the row of each pair: image, and ids in truth and prediction."""
        found = [self.pairs.get(pair, -1) for pair in pairs]
        if -1 in found:
            raise RunError(
                "the distances of objects are those of other masks than were counted; "
                "score the masks again into a new run"
            )
        return np.array(found, np.int64)


def object_measures(
    run: CountedRun, choice: LabelChoice, objects: ObjectRules, distances: DistanceRules
) -> list[ObjectDistanceMeasure]:
    """Return what is measured of the objects of a run: of label images, and of components."""
    if not has_pixels(run, objects):
        return []
    numbering = numbered_as(run, choice) if objects.source == "components" else None
    return [
        ObjectDistanceMeasure(distances=each, numbering=numbering)
        for each in distances.of_objects().measures
    ]


def has_pixels(run: CountedRun, objects: ObjectRules) -> bool:
    """Whether masks tell objects apart: annotations are painted by class."""
    return objects.source == "components" or run.objects is None
