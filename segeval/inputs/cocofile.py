"""What a COCO file holds and where: images, categories, and the place of every annotation.

A file is read once, entry by entry; what polygons and run lengths hold is read again when the mask
of an image is wanted. So memory does not grow with them.
"""

from array import array
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Literal, TypeGuard

import numpy as np
from numpy.typing import NDArray

from segeval.errors import MaskError
from segeval.inputs.annotations import Shape
from segeval.inputs.files import Stamp, read_parts
from segeval.jsonfiles import Member, members
from segeval.text import counted, quoted
from segeval.textfiles import LARGEST, TextError

Id = int | str  # of an image
Kind = Literal["coco", "coco-results", "coco-panoptic"]

MOST_FAULTS: Final = 100  # that are told one by one
NOT_COCO: Final = (
    "it is no COCO file: expected an object with `images`, `annotations` and `categories`, or a "
    "list of results with image_id, category_id and segmentation"
)
NO_LIST: Final = (
    "it is a list of panoptic annotations; name the whole file, an object with `annotations` and "
    "`categories`"
)
ROW: Final = ("image", "start", "size", "category", "crowd", "id")  # or less its place, from 1 on
Row = np.dtype([(name, np.int64) for name in ROW])  # an annotation


@dataclass(frozen=True, slots=True, kw_only=True)
class CocoImage:
    """What a file says of an image."""

    name: str
    size: Shape | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CocoFile:
    """What a file of annotations holds.

    Attributes
    ----------
    images : dict
        Images by id; those of results have no size.
    categories : dict
        Names of categories; of results, which do not name them, empty ones.
    rows : dict
        The annotations of each image, in the order of the file.
    scores : dict
        Their scores, NaN where there is none.
    """

    kind: Kind
    stamp: Stamp
    images: Mapping[Id, CocoImage]
    categories: Mapping[int, str]
    rows: Mapping[Id, NDArray[Any]]
    scores: Mapping[Id, NDArray[np.float64]]
    polygons: bool
    faults: tuple[str, ...]


def read_entries(path: Path, stamp: Stamp, rows: NDArray[Any]) -> list[bytes]:
    """Read annotations again; a MaskError if the file has changed meanwhile."""
    return read_parts(path, stamp, zip(rows["start"].tolist(), rows["size"].tolist(), strict=True))


@lru_cache(maxsize=4)
def read_coco(path: str, stamp: Stamp) -> CocoFile:
    """Find what a file holds; it is read once a process, as long as it is the same."""
    scan = _Scan()
    try:
        for member in members(path):
            scan.take(member)
    except TextError as error:
        raise MaskError(str(error)) from error
    return scan.whole(stamp)


def name_of(entry: Mapping[str, Any]) -> str:
    """Say which annotation an entry is."""
    if "id" in entry:
        return f"annotation {quoted(entry['id'], 30)}"
    return f"result of image {quoted(entry.get('image_id'), 30)}"


@dataclass(slots=True, kw_only=True)
class _Scan:
    """What has been found in a file so far."""

    images: dict[Id, CocoImage] = field(default_factory=dict)
    categories: dict[int, str] = field(default_factory=dict)
    annotated: dict[Id, int] = field(default_factory=dict)  # number of each image, by its id
    columns: "array[int]" = field(default_factory=lambda: array("q"))  # as `Row`, end to end
    scores: "array[float]" = field(default_factory=lambda: array("d"))
    first: dict[tuple[str, Id], str] = field(default_factory=dict)  # annotation of an image, …
    keys: set[str] = field(default_factory=set)
    pngs: dict[Id, str] = field(default_factory=dict)  # of panoptic annotations, by image
    polygons: bool = False
    boxes: list[str] = field(default_factory=list)  # annotations that have no segmentation
    empty: int = 0  # annotations of which it is empty
    faults: list[str] = field(default_factory=list)

    def take(self, member: Member) -> None:
        """Take up one member of the file."""
        self.keys.add(member.key)
        takes = {
            "images": self._image,
            "categories": self._category,
            "annotations": self._annotation,
            "": self._annotation,
        }
        if not member.entry or member.key not in takes:
            return
        if not isinstance(member.value, dict):
            where = f" of `{member.key}`" if member.key else ""
            self.faults.append(f"an entry{where} is {quoted(member.value, 40)}, no object")
            return
        try:
            takes[member.key](member)
        except MaskError as error:
            self.faults.append(str(error))

    def _image(self, member: Member) -> None:
        entry, number = member.value, _id(member.value, "id", "image")
        name = entry.get("file_name")
        if not isinstance(name, str) or not name:
            name = str(number)
        if not name.isprintable():
            raise MaskError(f"image {quoted(number)}: its name {quoted(name)} cannot be printed")
        sides = entry.get("height"), entry.get("width")
        if not all(type(side) is int and 0 < side < LARGEST for side in sides):
            raise MaskError(f"image {quoted(number)}: its height and width are {quoted(sides)}")
        if number in self.images:
            raise MaskError(f"image {quoted(number)} stands twice in `images`")
        self.images[number] = CocoImage(name=name, size=(int(sides[0]), int(sides[1])))

    def _category(self, member: Member) -> None:
        number, name = member.value.get("id"), member.value.get("name")
        if not _is_whole(number) or not isinstance(name, str) or not name.isprintable():
            raise MaskError(f"category {quoted(member.value)} has no whole id, or no plain name")
        if number in self.categories:
            raise MaskError(f"category {number} stands twice in `categories`")
        self.categories[number] = name

    def _annotation(self, member: Member) -> None:
        entry = member.value
        image = _id(entry, "image_id", name_of(entry))
        number = self.annotated.get(image)
        if number is None:
            number = self.annotated[image] = len(self.annotated)
            self.first["image", image] = name_of(entry)
        if "segments_info" in entry:
            category, crowd = 0, self._panoptic(entry, image)
        elif "bbox" in entry and not isinstance(entry.get("segmentation"), (list, dict)):
            self.boxes.append(name_of(entry))
            return
        else:
            category, crowd = self._segment(entry)
        self.scores.append(_score(entry))
        own = entry.get("id")
        mark = own if _is_whole(own) and own >= 0 else -len(self.scores)
        self.columns.extend((number, member.start, member.size, category, crowd, mark))

    def _segment(self, entry: dict[str, Any]) -> tuple[int, int]:
        """Check an annotation, and return its category and whether it is a crowd."""
        stated = entry.get("segmentation")
        if not isinstance(stated, (list, dict)):
            raise MaskError(f"{name_of(entry)} has no segmentation")
        self.empty += stated == []
        self.polygons = self.polygons or isinstance(stated, list)
        return self._class(entry, name_of(entry))

    def _panoptic(self, entry: dict[str, Any], image: Id) -> int:
        """Check the segments of an image, and return whether one is a crowd."""
        name = f"annotation of image {quoted(image, 30)}"
        png, segments = entry.get("file_name"), entry["segments_info"]
        if not isinstance(png, str) or not png or not png.isprintable():
            raise MaskError(f"{name}: its file_name is {quoted(png)}; expected that of a PNG")
        if not isinstance(segments, list):
            raise MaskError(f"{name}: its segments_info is {quoted(segments)}")
        crowd = 0
        for segment in segments:
            number = segment.get("id") if isinstance(segment, dict) else None
            if not _is_whole(number):
                raise MaskError(f"{name}: segment {quoted(segment, 40)} has no whole number as id")
            crowd |= self._class(segment, f"{name}, segment {number}")[1]
        if image in self.pngs:
            raise MaskError(f"{name} stands there twice")
        self.pngs[image] = png
        return crowd

    def _class(self, entry: dict[str, Any], name: str) -> tuple[int, int]:
        category, crowd = entry.get("category_id"), entry.get("iscrowd", 0)
        if not _is_whole(category):
            raise MaskError(f"{name}: its category_id is {quoted(category)}")
        if crowd not in (0, 1):
            raise MaskError(f"{name}: its iscrowd is {quoted(crowd)}; expected 0 or 1")
        self.first.setdefault(("category", category), name)
        return category, int(crowd)

    def whole(self, stamp: Stamp) -> CocoFile:
        """Check the file as a whole, and part its annotations by image."""
        kind: Kind = "coco-results" if "" in self.keys else "coco"
        if kind == "coco-results" and self.pngs:
            raise MaskError(NO_LIST)
        if kind == "coco" and self.pngs:
            kind = "coco-panoptic"
        wanted = {"annotations"} if self.pngs else {"images", "annotations"}
        if kind != "coco-results" and not wanted <= self.keys:
            raise MaskError(NOT_COCO)
        images, categories = self.images, self.categories
        if "images" not in self.keys:
            images = {key: CocoImage(name=self.pngs.get(key, str(key))) for key in self.annotated}
        if "categories" not in self.keys:
            used = sorted(int(category) for what, category in self.first if what == "category")
            categories = dict.fromkeys(used, "")
        rows = np.frombuffer(self.columns, np.int64).view(Row)
        order = np.argsort(rows["image"], kind="stable")
        cuts = np.cumsum(np.bincount(rows["image"], minlength=len(self.annotated)))[:-1]
        scores = np.split(np.frombuffer(self.scores)[order], cuts)
        return CocoFile(
            kind=kind,
            stamp=stamp,
            images=images,
            categories=categories,
            rows=dict(zip(self.annotated, np.split(rows[order], cuts), strict=False)),
            scores=dict(zip(self.annotated, scores, strict=False)),
            polygons=self.polygons,
            faults=_shortened([*self.faults, *self._boxes(), *self._strays(), *_twice(rows["id"])]),
        )

    def _boxes(self) -> Iterator[str]:
        """Say at once that annotations are boxes; an empty mask among others is none."""
        if self.boxes:
            more = f" and {len(self.boxes) - 1} more have" if len(self.boxes) > 1 else " has"
            yield f"{self.boxes[0]}{more} no segmentation, but a box, which is no mask"
        if self.empty and self.empty == len(self.scores):
            yield f"every segmentation ({self.empty}) is empty; are there boxes alone?"

    def _strays(self) -> Iterator[str]:
        """Name annotations of images and categories that the file does not list."""
        lists: dict[str, tuple[str, Collection[Id]]] = {
            "image": ("images", self.images),
            "category": ("categories", self.categories),
        }
        for (what, key), annotation in self.first.items():
            listed, known = lists[what]
            if listed in self.keys and key not in known:
                yield f"{annotation}: {what} {quoted(key)} is not among the `{listed}` of the file"


def _shortened(faults: list[str]) -> tuple[str, ...]:
    more = len(faults) - MOST_FAULTS
    rest = [f"and {more} more such faults"] if more > 0 else []
    return (*faults[:MOST_FAULTS], *rest)


def _twice(ids: NDArray[np.int64]) -> list[str]:
    """Say which ids several annotations have."""
    found, times = np.unique(ids[ids >= 0], return_counts=True)
    more = zip(found[times > 1].tolist(), times[times > 1].tolist(), strict=True)
    return [f"annotation {each} stands there {counted(n, 'time')}" for each, n in more]


def _id(entry: Mapping[str, Any], key: str, what: str) -> Id:
    found = entry.get(key)
    if _is_whole(found):
        return found
    if isinstance(found, str) and found and found.isprintable():
        return found
    raise MaskError(f"{what}: its {key} is {quoted(found)}; expected a whole number or a text")


def _score(entry: Mapping[str, Any]) -> float:
    score = entry.get("score", np.nan)
    if type(score) not in (int, float) or abs(score) > LARGEST:
        raise MaskError(f"{name_of(entry)}: its score is {quoted(score)}")
    return float(score)


def _is_whole(value: object) -> TypeGuard[int]:
    return type(value) is int and -LARGEST <= value <= LARGEST
