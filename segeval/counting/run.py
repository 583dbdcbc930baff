"""A run: contingency tables of the images of a data set, and what happened while counting.

A run knows values, not classes; every score is a view of it. Runs add.
"""

from __future__ import annotations

import itertools
import math
import operator
from array import array
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, Final, overload

import numpy as np
from numpy.typing import NDArray

from segeval.counting.contingency import ContingencyTable, tabulate
from segeval.counting.counts import Counts
from segeval.counting.measures import Measured, by_name
from segeval.errors import Problem, RunError
from segeval.inputs.annotations import stored_path
from segeval.inputs.fingerprints import same_files
from segeval.inputs.pairing import Pair
from segeval.inputs.sides import mask_at
from segeval.settings import Reading
from segeval.storage.path import located

TABLES: Final = 1 << 10  # tables that wait to become columns
RESIZED: Final = "resize:nearest"  # waiver: predictions were brought to the size of truths
ANYWHERE: Final = "geometry:ignored"  # waiver: volumes may lie elsewhere than their truths


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageInfo:
    """What is known of one counted pair; a path may say in words what a mask is.

    ``fingerprints`` holds a line a file, where a run file asks for it.
    """

    name: str
    height: int
    width: int
    truth_path: str
    prediction_path: str
    truth_form: str
    prediction_form: str
    group: str = ""
    roi_path: str = ""
    fingerprints: str = field(default="", compare=False)
    origin: object = field(default_factory=object, compare=False, repr=False)  # what read it

    @classmethod
    def of(
        cls, pair: Pair, shape: tuple[int, ...], forms: tuple[str, str], fingerprints: str
    ) -> ImageInfo:
        """Return what is known of a pair of one shape, and of its truth and prediction in turn.

        The slices of a volume, (slices, rows, columns), are one below the other.
        """
        *rows, columns = shape
        return cls(
            name=pair.name,
            group=pair.group,
            height=math.prod(rows),
            width=columns,
            truth_path=stored_path(pair.truth),
            prediction_path=stored_path(pair.prediction),
            roi_path=stored_path(pair.roi),
            truth_form=forms[0],
            prediction_form=forms[1],
            fingerprints=fingerprints,
        )

    @property
    def pair(self) -> Pair:
        """The masks where they were when they were counted."""
        size = self.height, self.width
        return Pair(
            name=self.name,
            truth=mask_at(self.truth_path, self.truth_form, size),
            prediction=mask_at(self.prediction_path, self.prediction_form, size)
            if self.prediction_path
            else None,
            roi=located(self.roi_path) if self.roi_path else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageCounts:
    """One counted pair."""

    info: ImageInfo
    table: ContingencyTable

    def __reduce__(self) -> tuple[Any, ...]:
        """Go from a worker to its parent as texts and packed integers, a third of the work."""
        columns = self.table.truth, self.table.prediction, self.table.pixels
        return _received, (np.concatenate(columns).tobytes(), *_known(self.info))


def _received(columns: bytes, *known: Any) -> ImageCounts:
    truth, prediction, pixels = np.frombuffer(columns, np.int64).reshape(3, -1)
    return ImageCounts(
        info=ImageInfo(**dict(zip(FIELDS, known, strict=False))),
        table=ContingencyTable(truth=truth, prediction=prediction, pixels=pixels),
    )


FIELDS: Final = tuple(each.name for each in fields(ImageInfo))
_cells = operator.attrgetter(*FIELDS)
_known = operator.attrgetter(*FIELDS[:-1])  # all but what it was read with
NUMBERS: Final = {"height", "width"}
REPEATED: Final = {"group", "truth_form", "prediction_form", "roi_path"}  # mostly the same texts


class Images(Sequence[ImageInfo]):
    """What is known of all images of a run, as columns; each is an object when it is asked for."""

    __slots__ = ("_columns", "_texts")

    def __init__(self, images: Iterable[ImageInfo] = ()) -> None:
        self._columns: dict[str, Any] = {n: array("q") if n in NUMBERS else [] for n in FIELDS}
        self._texts: dict[str, str] = {}
        for image in images:
            self.append(image)

    def append(self, image: ImageInfo) -> None:
        """Add an image at the end."""
        cells = _cells(image)
        for (name, column), cell in zip(self._columns.items(), cells, strict=True):
            column.append(self._texts.setdefault(cell, cell) if name in REPEATED else cell)

    def join(self, other: Images) -> None:
        """Add the images of another run at the end."""
        self.extend({name: other.column(name) for name in FIELDS})

    def extend(self, columns: Mapping[str, Collection[Any]]) -> None:
        """Add images at the end, given as a column for each field."""
        for name, column in self._columns.items():
            cells = columns[name]
            column.extend(map(self._texts.setdefault, cells, cells) if name in REPEATED else cells)

    def column(self, name: str) -> Sequence[Any]:
        """Return one field of all images."""
        column: Sequence[Any] = self._columns[name]
        return column

    @property
    def names(self) -> Sequence[str]:
        """The names of all images."""
        return self.column("name")

    def with_column(self, name: str, cells: Iterable[Any]) -> Images:
        """Return the images with another field; none is added to either any more."""
        changed = Images()
        changed._columns = self._columns | {name: [*cells]}
        return changed

    def take(self, positions: Iterable[int]) -> Images:
        """Return some of the images."""
        chosen, some = [*positions], Images()
        some.extend({name: [c[at] for at in chosen] for name, c in self._columns.items()})
        return some

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.names)

    @overload
    def __getitem__(self, place: int) -> ImageInfo: ...

    @overload
    def __getitem__(self, place: slice) -> Images: ...

    def __getitem__(self, place: int | slice) -> ImageInfo | Images:
        """Return one image, or some of them."""
        if isinstance(place, slice):
            return self.take(range(len(self))[place])
        return ImageInfo(**{name: column[place] for name, column in self._columns.items()})

    def __iter__(self) -> Iterator[ImageInfo]:
        """Yield every image."""
        return (self[place] for place in range(len(self)))

    def __eq__(self, other: object) -> bool:
        """Compare image by image."""
        if not isinstance(other, Sequence):
            return NotImplemented
        return len(self) == len(other) and all(map(operator.eq, self, other))

    __hash__ = None  # type: ignore[assignment]  # compared by content

    def __repr__(self) -> str:
        """Say how many there are."""
        return f"Images({len(self)})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """What happened while a run was counted."""

    problems: tuple[Problem, ...] = ()  # could not be counted, and not waived
    missing: tuple[str, ...] = ()  # truths without a prediction, waived
    skipped: tuple[str, ...] = ()  # unreadable pairs, waived
    extra: tuple[str, ...] = ()  # predictions without a truth
    left_out: tuple[str, ...] = ()  # files that are no masks by their names
    waivers: tuple[str, ...] = ()  # what can move a score, for the signature, e.g. missing:skip
    shards: tuple[str, ...] = ()  # e.g. "1/4"; empty for all of the data set
    source: Mapping[str, str] = field(default_factory=dict)  # where the masks came from
    names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # of values, by side


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CountedRun:
    """The counted images of a data set, in ascending order of their names."""

    images: Images
    counts: Counts
    provenance: Provenance = field(default_factory=Provenance)
    objects: Counts | None = None  # the counts by object, where classes have any
    measured: Mapping[str, Measured] = field(default_factory=dict)  # by kind of measure

    @classmethod
    def assembled(
        cls,
        images: Images,
        counts: Counts,
        provenance: Provenance | None = None,
        measured: Mapping[str, Measured] | None = None,
    ) -> CountedRun:
        """Make a run of counts, which may be by object."""
        of_classes = counts.of_classes()
        return cls(
            images=images,
            counts=counts if of_classes is None else of_classes,
            provenance=provenance or Provenance(),
            objects=None if of_classes is None else counts,
            measured=measured or {},
        )

    @property
    def finest(self) -> Counts:
        """The counts by object, where classes have any."""
        return self.counts if self.objects is None else self.objects

    @classmethod
    def of(cls, images: Iterable[ImageCounts], provenance: Provenance | None = None) -> CountedRun:
        """Put counted images together."""
        gathered = Gathering()
        for image in images:
            gathered.add(image)
        return gathered.run(provenance or Provenance())

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.images)

    def __iter__(self) -> Iterator[ImageCounts]:
        """Yield every image with its table."""
        return self._tables(self.counts)

    def by_object(self) -> Iterator[ImageCounts]:
        """Yield every image with its table by object, as run files hold it."""
        return self._tables(self.finest)

    def _tables(self, counts: Counts) -> Iterator[ImageCounts]:
        starts = counts.starts(len(self.images))
        for number, info in enumerate(self.images):
            table = counts.table_of(slice(*starts[number : number + 2].tolist()))
            yield ImageCounts(info=info, table=table)

    def image(self, position: int) -> ImageCounts:
        """Return one image with its table."""
        return ImageCounts(info=self.images[position], table=self.counts.table(position))

    def __add__(self, other: CountedRun) -> CountedRun:
        """Add two runs of disjoint images, read alike; an image of both must be the same."""
        if not isinstance(other, CountedRun):
            return NotImplemented
        return self.united([other])

    def united(self, others: Sequence[CountedRun]) -> CountedRun:
        """Add several runs in one step; as ``+``."""
        runs = (self, *others)
        provenance = united_provenance([run.provenance for run in runs])
        images: dict[str, ImageCounts] = {}
        for image in itertools.chain.from_iterable(run.by_object() for run in runs):
            check_same(images.setdefault(image.info.name, image), image)
        united = type(self).of(images.values(), provenance)
        measured = by_name(((r.images.names, r.measured) for r in runs), united.images.names)
        return replace(united, measured=measured)

    def reading(self) -> Reading:
        """Return how the masks are read once more, e.g. for their pictures."""
        return Reading(resize_prediction=RESIZED in self.provenance.waivers)

    def total(self) -> ContingencyTable:
        """Return the sum of the tables of all images."""
        blocks = self.counts.blocks()
        tables = (tabulate(block.truth, block.prediction, block.pixels) for block in blocks)
        nothing = np.empty(0, np.int64)
        return sum(tables, start=tabulate(nothing, nothing, nothing))

    def with_groups(self, names: Sequence[str]) -> CountedRun:
        """Return the run with another group of every image."""
        return replace(self, images=self.images.with_column("group", names))

    def select(self, positions: Sequence[int]) -> CountedRun:
        """Return the run of some of the images only, given in ascending order."""
        places = np.full(len(self.images), -1)
        places[list(positions)] = np.arange(len(positions))
        known = self.provenance
        kept = Provenance(waivers=known.waivers, source=known.source, names=known.names)
        return type(self)(
            images=self.images.take(positions),
            counts=self.counts.renumbered(places),
            provenance=kept,
            objects=None if self.objects is None else self.objects.renumbered(places),
            measured={kind: each.take(positions) for kind, each in self.measured.items()},
        )


class Gathering:
    """A run in the making: images come one by one, in any order."""

    def __init__(self, begun: CountedRun | None = None) -> None:
        self._images = Images()
        self._parts: list[Counts] = []
        self._tables: list[ContingencyTable] = []
        self._begun = begun
        if begun is not None:
            self._images, self._parts = begun.images.take(range(len(begun))), [begun.finest]

    def add(self, image: ImageCounts) -> None:
        """Add one image."""
        self._images.append(image.info)
        self._tables.append(image.table)
        if len(self._tables) == TABLES:
            self._pack()

    def _pack(self) -> None:
        """Make columns of the tables that wait."""
        tables, end = self._tables, len(self._images)
        places = np.arange(end - len(tables), end)
        counts = Counts(
            image=np.repeat(places, [table.pixels.size for table in tables]),
            truth=_join([table.truth for table in tables]),
            prediction=_join([table.prediction for table in tables]),
            pixels=_join([table.pixels for table in tables]),
        )
        self._parts.append(counts)
        tables.clear()

    def run(self, provenance: Provenance) -> CountedRun:
        """Return the run, in the order of the names, and be empty again."""
        self._pack()
        images, parts = self._images, self._parts
        self._images, self._parts = Images(), []
        counts = Counts.joined(parts.pop(0) for _ in range(len(parts)))
        names = images.names
        if not all(map(operator.le, names, itertools.islice(names, 1, None))):
            order = sorted(range(len(names)), key=names.__getitem__)
            places = np.empty(len(order), np.intp)
            places[order] = np.arange(len(order))
            images, counts = images.take(order), counts.renumbered(places)
        known = [] if self._begun is None else [(self._begun.images.names, self._begun.measured)]
        measured = by_name(known, images.names)
        return CountedRun.assembled(images, counts, provenance, measured)


def check_same(one: ImageCounts, other: ImageCounts) -> None:
    """Refuse two images of one name, but those that run files show to be the same."""
    if one.info.origin is other.info.origin:
        return
    name, files = one.info.name, (one.info.pair.files, other.info.pair.files)
    if one.table != other.table:
        raise RunError(f"image {name} is in two runs with different counts")
    if files[0] != files[1] or not same_files(one.info.fingerprints, other.info.fingerprints):
        paths = " and ".join(", ".join(map(str, each)) for each in files)
        raise RunError(
            f"image {name} is in two runs, and nothing shows that they were counted from the same "
            f"files, unchanged ({paths}); give other images other names (column name of --pairs, "
            "names= of arrays), and count the same images once, or into run files"
        )


def _join(arrays: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    return np.concatenate(arrays) if arrays else np.empty(0, np.int64)


def united_provenance(parts: Sequence[Provenance]) -> Provenance:
    """Put together what happened in runs read alike; all shards of a set are the whole set."""
    waivers = [part.waivers for part in parts]
    for other in waivers:
        if other != waivers[0]:
            ours, theirs = (" ".join(stated) or "none" for stated in (waivers[0], other))
            raise RunError(f"runs of different reading settings do not add: {ours}, {theirs}")

    def union(lists: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
        return tuple(sorted(set().union(*lists)))

    shards, sources = union(part.shards for part in parts), [part.source for part in parts]
    if {shard.partition("/")[2] for shard in shards} == {str(len(shards))}:
        shards = ()
    return Provenance(
        problems=tuple(dict.fromkeys(problem for part in parts for problem in part.problems)),
        missing=union(part.missing for part in parts),
        skipped=union(part.skipped for part in parts),
        extra=union(part.extra for part in parts),
        left_out=union(part.left_out for part in parts),
        waivers=parts[0].waivers,
        shards=shards,
        names=parts[0].names,
        source=sources[0] if all(source == sources[0] for source in sources) else {},
    )
