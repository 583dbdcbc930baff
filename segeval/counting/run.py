"""A run: contingency tables of the images of a data set, and what happened while counting.

A run knows values, not classes; every score is a view of it. Runs add.
"""

from __future__ import annotations

import itertools
import operator
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from segeval.counting.contingency import ContingencyTable, tabulate
from segeval.errors import Problem, RunError
from segeval.inputs.fingerprints import same_files
from segeval.inputs.pairing import Pair, mask_at
from segeval.settings import Reading

BLOCK: Final = 1 << 14  # rows of counts that are added up at a time
RESIZED: Final = "resize:nearest"  # waiver: predictions were brought to the size of truths


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
            roi=Path(self.roi_path) if self.roi_path else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageCounts:
    """One counted pair."""

    info: ImageInfo
    table: ContingencyTable


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Counts:
    """The tables of all images of a run, end to end, as four columns of equal length N."""

    image: NDArray[np.int64]  # position in ``CountedRun.images``, ascending
    truth: NDArray[np.int64]
    prediction: NDArray[np.int64]
    pixels: NDArray[np.int64]

    def table_of(self, rows: slice) -> ContingencyTable:
        """Return the rows of one image as its table."""
        return ContingencyTable(
            truth=self.truth[rows], prediction=self.prediction[rows], pixels=self.pixels[rows]
        )

    def select(self, chosen: NDArray[Any] | slice) -> Counts:
        """Return the rows that are chosen by a mask, by their positions, or by a slice."""
        return Counts(
            image=self.image[chosen],
            truth=self.truth[chosen],
            prediction=self.prediction[chosen],
            pixels=self.pixels[chosen],
        )


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

    images: tuple[ImageInfo, ...]
    counts: Counts
    provenance: Provenance = field(default_factory=Provenance)

    @classmethod
    def of(cls, images: Iterable[ImageCounts], provenance: Provenance | None = None) -> CountedRun:
        """Put counted images together."""
        ordered = sorted(images, key=operator.attrgetter("info.name"))
        sizes = [image.table.pixels.size for image in ordered]
        counts = Counts(
            image=np.repeat(np.arange(len(sizes)), sizes),
            truth=_join([image.table.truth for image in ordered]),
            prediction=_join([image.table.prediction for image in ordered]),
            pixels=_join([image.table.pixels for image in ordered]),
        )
        infos = tuple(image.info for image in ordered)
        return cls(images=infos, counts=counts, provenance=provenance or Provenance())

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.images)

    def __iter__(self) -> Iterator[ImageCounts]:
        """Yield every image with its table."""
        starts = np.searchsorted(self.counts.image, np.arange(len(self.images) + 1)).tolist()
        for number, info in enumerate(self.images):
            table = self.counts.table_of(slice(starts[number], starts[number + 1]))
            yield ImageCounts(info=info, table=table)

    def image(self, position: int) -> ImageCounts:
        """Return one image with its table."""
        first, end = np.searchsorted(self.counts.image, (position, position + 1)).tolist()
        return ImageCounts(
            info=self.images[position], table=self.counts.table_of(slice(first, end))
        )

    def __add__(self, other: CountedRun) -> CountedRun:
        """Add two runs of disjoint images, read alike; an image of both must be the same."""
        if not isinstance(other, CountedRun):
            return NotImplemented
        return self.united([other])

    def united(self, others: Sequence[CountedRun]) -> CountedRun:
        """Add several runs in one step; as ``+``."""
        runs = (self, *others)
        waivers = [run.provenance.waivers for run in runs]
        for other in waivers:
            if other != waivers[0]:
                ours, theirs = (" ".join(stated) or "none" for stated in (waivers[0], other))
                raise RunError(f"runs of different reading settings do not add: {ours}, {theirs}")
        images: dict[str, ImageCounts] = {}
        for image in itertools.chain.from_iterable(runs):
            _check_same(images.setdefault(image.info.name, image), image)
        return type(self).of(images.values(), _united([run.provenance for run in runs]))

    def reading(self) -> Reading:
        """Return how the masks are read once more, e.g. for their pictures."""
        return Reading(resize_prediction=RESIZED in self.provenance.waivers)

    def total(self) -> ContingencyTable:
        """Return the sum of the tables of all images."""
        starts = range(0, self.counts.image.size, BLOCK)
        blocks = (self.counts.select(slice(start, start + BLOCK)) for start in starts)
        tables = (tabulate(block.truth, block.prediction, block.pixels) for block in blocks)
        nothing = np.empty(0, np.int64)
        return sum(tables, start=tabulate(nothing, nothing, nothing))

    def with_groups(self, names: Sequence[str]) -> CountedRun:
        """Return the run with another group of every image."""
        named = zip(self.images, names, strict=True)
        return replace(self, images=tuple(replace(image, group=name) for image, name in named))

    def select(self, positions: Sequence[int]) -> CountedRun:
        """Return the run of some of the images only, given in ascending order."""
        new = np.full(len(self.images), -1)
        new[list(positions)] = np.arange(len(positions))
        image = new[self.counts.image]
        counts = replace(self.counts, image=image).select(image >= 0)
        images = tuple(self.images[position] for position in positions)
        known = self.provenance
        kept = Provenance(waivers=known.waivers, source=known.source, names=known.names)
        return type(self)(images=images, counts=counts, provenance=kept)


def _check_same(one: ImageCounts, other: ImageCounts) -> None:
    """Refuse two images of one name, but those that run files show to be the same."""
    if one.info is other.info:
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


def _united(parts: Sequence[Provenance]) -> Provenance:
    """Put together what happened in several runs; all shards of a set are the whole set."""

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
