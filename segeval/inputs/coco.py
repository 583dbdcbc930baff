"""COCO: instances, "stuff", panoptic segmentation and results; an image is a mask of category ids.

Later annotations lie upon earlier ones, and results of a higher score upon those of a lower one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from segeval.errors import MaskError, Problem
from segeval.inputs.annotations import Annotation, Index, Shape, threshold_fault
from segeval.inputs.cocofile import (
    CocoFile,
    CocoImage,
    Id,
    Row,
    name_of,
    read_coco,
    read_entries,
)
from segeval.inputs.cocorle import Counts, lay, parse_counts
from segeval.inputs.files import Stamp, stamp_of
from segeval.inputs.panoptic import PanopticMask, folder_of_pngs
from segeval.inputs.polygons import FILL, check_polygon, fill, require_library
from segeval.inputs.rle import Runs
from segeval.jsonfiles import parse_entry
from segeval.settings import AnnotationChoice
from segeval.text import counted, listed, quoted, reason_of
from segeval.values import UNANNOTATED, class_values, describe_values, object_values

BACKGROUND: Final = ("background", "bg", "unlabeled background")
NONE: Final = "none"  # no category is the background
MOST_TOLD: Final = 5  # faults of an image


@dataclass(frozen=True, slots=True, kw_only=True)
class CocoMask(Annotation):
    """The annotations of one image in a COCO file, in the order in which they are painted."""

    rows: NDArray[Any]
    stamp: Stamp
    crowd_is_void: bool
    has_objects = True

    def content(self) -> bytes:
        """Return the entries of this image; a MaskError if the file has changed meanwhile."""
        return b"\n".join(read_entries(self.path, self.stamp, self.rows))

    def values(self, shape: Shape) -> NDArray[Any]:
        """Return category ids, (H, W); a MaskError tells what is wrong with the annotations."""
        return self.runs(shape).mask()

    def objects(self, shape: Shape) -> NDArray[Any]:
        """Return category ids and the numbers of the annotations, (H, W)."""
        return self.runs(shape, objects=True).mask()

    def runs(self, shape: Shape, *, objects: bool = False) -> Runs:
        """Return either as run lengths; a MaskError tells what is wrong with the annotations."""
        crowd = (self.rows["crowd"] == 1) & self.crowd_is_void
        numbers = np.arange(1, len(self.rows) + 1)
        values = object_values(self.rows["category"].astype(np.int64), numbers, crowd)
        values = values if objects else class_values(values)
        pieces: list[tuple[Counts, int]] = []
        faults = []
        entries = read_entries(self.path, self.stamp, self.rows)
        rows = zip(entries, values.tolist(), self.rows["id"].tolist(), strict=True)
        for data, value, mark in rows:
            entry = parse_entry(data)
            try:
                pieces += [(counts, value) for counts in _masks(entry["segmentation"], shape)]
            except MaskError as error:
                name = name_of(entry) if "id" in entry else f"entry {-mark} of the list"
                faults.append(f"{name}: {error}")
        if faults:
            raise MaskError(f"image {self.key}: {listed(faults, MOST_TOLD, ' and {} more')}")
        return lay(pieces, shape, self.background)


def _masks(stated: Any, shape: Shape) -> list[Counts]:
    """Return the run lengths of a segmentation: one mask, or one for each of its polygons."""
    if isinstance(stated, list):
        polygons = [check_polygon(polygon, shape) for polygon in stated]
        return fill(polygons, shape) if polygons else []
    if stated.get("size") != [*shape]:
        raise MaskError(
            f"its size is {quoted(stated.get('size'))} (rows, columns), the image's {[*shape]}"
        )
    return [parse_counts(stated.get("counts"), shape)]


def index_coco(path: Path, side: str, choice: AnnotationChoice, truth: Index | None) -> Index:
    """Find the images of a COCO file; results are named and sized by the truth."""
    try:
        file = read_coco(str(path), stamp_of(path))
        if file.kind == "coco-results":
            if truth is not None and truth.problems and not truth.files:
                return Index(files={})  # nothing can be said beside a truth that is not understood
            file = _with_images(file, truth)
        facts = _facts(file, side, choice, truth)
        keys = file.rows if file.kind == "coco-panoptic" else file.images
        masks = {key: _mask(path, key, file, facts) for key in keys if key in file.images}
    except MaskError as error:
        return Index(files={}, problems=[_problem(path, str(error))])
    except (OSError, ValueError) as error:
        return Index(files={}, problems=[_problem(path, f"cannot be read: {reason_of(error)}")])
    faults = [*file.faults, *_same_names(file.images)]
    faults += [f"image {quoted(key)} has no annotation" for key in file.images if key not in keys]
    return Index(
        files={file.images[key].name: mask for key, mask in masks.items()},
        problems=[_problem(path, fault) for fault in faults],
        facts=(f"format:{file.kind}", *facts[1:]),
        names={key: name for key, name in file.categories.items() if name},
        background=_background(facts),
        images=file.images,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCoco(Annotation):
    """An image of a COCO file that a run tells of; it is looked for when it is wanted."""

    has_objects = True

    def _found(self) -> Annotation:
        kind, *facts = self.form.split(",")
        try:
            file = read_coco(str(self.path), stamp_of(self.path))
        except OSError as error:
            raise MaskError(f"cannot be read: {reason_of(error)}") from error
        ids = {str(number): number for number in [*file.images, *file.rows]}
        if file.kind != kind or (kind != "coco-results" and self.key not in ids):
            raise MaskError(f"it holds no image {quoted(self.key)} any more")
        return _mask(self.path, ids.get(self.key, self.key), file, facts)

    def content(self) -> bytes:
        """Return the entries of this image."""
        return self._found().content()

    def values(self, shape: Shape) -> NDArray[Any]:
        """Return category ids, (H, W)."""
        return self._found().values(shape)

    def objects(self, shape: Shape) -> NDArray[Any]:
        """Return category ids and what tells objects apart, (H, W)."""
        return self._found().objects(shape)

    def runs(self, shape: Shape, *, objects: bool = False) -> Runs | None:
        """Return either as run lengths, unless they stand in a PNG."""
        return self._found().runs(shape, objects=objects)


def _problem(path: Path, fault: str) -> Problem:
    return Problem(name=str(path), kind="bad annotations", detail=f"{path}: {fault}")


def _same_names(images: Mapping[Id, CocoImage]) -> list[str]:
    """Say which images share the name of their file."""
    first: dict[str, Id] = {}
    for key, image in images.items():
        if first.setdefault(image.name, key) != key:
            both = f"{quoted(first[image.name])} and {quoted(key)}"
            return [f"images {both} have the same file_name {quoted(image.name)}"]
    return []


def _facts(file: CocoFile, side: str, choice: AnnotationChoice, truth: Index | None) -> list[str]:
    """Return what decides the pixels beside the annotations: the background, then facts to say."""
    results = file.kind == "coco-results"
    background = background_of(file.categories)
    if results and truth is not None and truth.background is not None:
        background = truth.background
    facts = [f"background:{NONE if background == UNANNOTATED else background}"]
    if file.polygons:
        require_library()
        facts.append(FILL)
    if file.kind != "coco-panoptic":
        facts.append("overlap:score" if results else "overlap:later")
    if side == "truth" and any(rows["crowd"].any() for rows in file.rows.values()):
        facts.append("crowd:void")
    if side == "prediction" and choice.score_threshold is not None:
        if any(np.isnan(scores).any() for scores in file.scores.values()):
            raise MaskError("not all of its annotations have a score; leave out --score-threshold")
        scores = [*file.scores.values(), np.zeros(1)]
        if fault := threshold_fault(choice.score_threshold, max(each.max() for each in scores)):
            raise MaskError(fault)
        facts.append(f"score:{choice.score_threshold!r}")
    return facts


def background_of(categories: Mapping[int, str]) -> int:
    """Return the value of pixels without an annotation, by the ids and names of categories."""
    named_so = [key for key, name in categories.items() if name.lower() in BACKGROUND]
    return named_so[0] if named_so else UNANNOTATED if 0 in categories else 0


def _background(facts: list[str]) -> int:
    stated = facts[0].removeprefix("background:")
    return UNANNOTATED if stated == NONE else int(stated)


def _mask(path: Path, key: Id, file: CocoFile, facts: list[str]) -> Annotation:
    """Return the mask of one image, as the facts say."""
    rows = file.rows.get(key, np.empty(0, Row))
    stated: dict[str, Any] = {
        "path": path,
        "key": str(key),
        "form": ",".join([file.kind, *facts]),
        "size": file.images[key].size if key in file.images else None,
        "stamp": file.stamp,
        "crowd_is_void": "crowd:void" in facts,
    }
    if file.kind == "coco-panoptic":
        return PanopticMask(**stated, rows=rows, folder=folder_of_pngs(path))
    rows = _painted(rows, file.scores.get(key, np.empty(0)), facts)
    return CocoMask(**stated, rows=rows, background=_background(facts))


def _painted(rows: NDArray[Any], scores: NDArray[np.float64], facts: list[str]) -> NDArray[Any]:
    """Return the annotations that are painted, in their order."""
    least = next((float(fact[6:]) for fact in facts if fact.startswith("score:")), None)
    if "overlap:score" in facts:
        order = np.argsort(scores, kind="stable")
        rows, scores = rows[order], scores[order]
    return rows if least is None else rows[scores >= least]


def _with_images(file: CocoFile, truth: Index | None) -> CocoFile:
    """Name the images of results as the truth does: by their ids, or by those in names of files."""
    if truth is None:
        raise MaskError(
            "it is a list of results, which are no truth; name it first, as PRED, and the "
            "annotations second"
        )
    images = dict(truth.images)
    if not images:
        for name, mask in truth.files.items():
            stem = name.rpartition("/")[2]
            known = stem in file.rows or not (stem.isascii() and stem.isdigit() and len(stem) < 19)
            size = mask.size if isinstance(mask, Annotation) else None
            images[stem if known else int(stem)] = CocoImage(name=name, size=size)
    strange = [key for key in file.rows if key not in images]
    if strange and len(strange) == len(file.rows):
        raise MaskError(
            f"none of its image_ids, such as {quoted(strange[0])}, is that of an image of the "
            f"truth, such as {quoted(next(iter(images), None))}{_advice(strange[0], images, truth)}"
        )
    more = f" and {counted(len(strange) - 1, 'more image')}" if len(strange) > 1 else ""
    faults = [f"image {quoted(strange[0])}{more}: not in the truth"] if strange else []
    if any(np.isnan(scores).any() for scores in file.scores.values()):
        faults.append(
            "not all of its results have a score, which decides where they overlap; if there are "
            "none, write 1 into all: later results then lie upon earlier ones"
        )
    if truth.names and truth.background in file.categories.keys() - truth.names.keys():
        faults.append(
            f"category {truth.background} is the background of the truth, whose categories are "
            f"{describe_values(truth.names)}; write these ids into the results"
        )
    return replace(file, images=images, faults=(*file.faults, *faults))


def _advice(image: Id, images: Mapping[Id, CocoImage], truth: Index) -> str:
    """Say what makes results find their images."""
    if str(image) in map(str, images):
        kinds = ("texts", "numbers") if isinstance(image, str) else ("numbers", "texts")
        return f"; they are {kinds[0]} here and {kinds[1]} there, write both alike"
    if truth.images:
        return ""
    return "; name the JSON of the truth, or call its masks by these ids"
