"""The second pass: masks are read once more, as class maps, and measured."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from segeval.counting.dataset import map_pairs, resize
from segeval.counting.measures import AnyMeasure, Layer, Measured, ValueMeasure, Values
from segeval.counting.native import class_map
from segeval.counting.run import CountedRun
from segeval.counting.runfile import RunFile
from segeval.counting.workers import SMALL
from segeval.errors import DataError, MaskError, Problem
from segeval.inputs.geometry import spacing_of
from segeval.inputs.pairing import Pair
from segeval.inputs.regions import read_pair
from segeval.labels.classify import ClassifiedRun, classify
from segeval.labels.labelmap import LabelMap
from segeval.labels.layers import LayerLookup, layers_of
from segeval.labels.measured import facts_of
from segeval.settings import Cluster, Reading, Unknown

Counted = tuple[Layer, NDArray[np.int64]]
"""A layer, and the pixels of each of its classes, in the truth and in the prediction."""

Masks = Mapping[str, tuple[NDArray[Any], NDArray[Any]]]
"""Truth and prediction of arrays, by the names of the images."""

_Read = tuple[list[Counted] | None, Values, tuple[float, ...] | None]
NO_VALUES: Final[Values] = (np.empty(0), None)  # where no measure asks for them
CHANGED: Final = "mask changed"


def measure_run(
    run: CountedRun,
    labels: LabelMap,
    measures: Sequence[AnyMeasure],
    *,
    unknown: Unknown = "error",
    reading: Reading | None = None,
    masks: Masks | None = None,
    workers: int | None = None,
    cluster: Cluster | None = None,
    progress: Callable[[int, int], None] | None = None,
    file: RunFile | None = None,
) -> CountedRun:
    """Return a run with what is measured in all of its images, as far as it is not there yet.

    Masks are read again from where the run says they are, or are the arrays that were counted. One
    that is not there any more, or holds other pixels of its classes than were counted, is a
    problem; a `DataError` lists them all. A file gets what is measured as it comes.
    """
    counts = classify(run, labels, unknown=unknown)
    if problems := (*run.provenance.problems, *counts.problems):
        raise DataError(problems)
    facts = {each.kind: facts_of(each, labels, unknown) for each in measures}
    gathered = _Gathering(run, counts, facts, file)
    work = _Work(
        lookups=layers_of(run, labels, unknown),
        measures=tuple(measures),
        reading=reading or run.reading(),
        masks=masks,
    )
    pairs = [run.images[place].pair for place in gathered.lacking]
    map_pairs(
        work,
        pairs,
        gathered.keep,
        workers=workers if masks is None else 1,
        cluster=cluster if masks is None else None,
        progress=progress,
        threads=len(pairs) < SMALL,
    )
    return gathered.run()


class _Gathering:
    """What is measured, image by image, in the order of those that a run lacks it of."""

    def __init__(
        self,
        run: CountedRun,
        counts: ClassifiedRun,
        facts: Mapping[str, Mapping[str, Any]],
        file: RunFile | None,
    ) -> None:
        self._run, self._counts, self._facts, self._file = run, counts, facts, file
        self._columns = {kind: self._known(kind) for kind in facts}
        self._faults: list[Problem] = []
        rows = zip(*self._columns.values(), strict=True)
        self.lacking = [place for place, row in enumerate(rows) if None in row]
        self._next = iter(self.lacking)
        if file is not None:
            file.measuring(facts)

    def _known(self, kind: str) -> list[bytes | None]:
        """Return what the run holds of a measure already, if it is the same one."""
        measured = self._run.measured.get(kind)
        if measured is None or measured.facts != self._facts[kind]:
            return [None] * len(self._run)
        return [*measured.data]

    def keep(self, outcome: _Outcome) -> None:
        """Keep what was measured in the next image, or what stood in the way."""
        place, name = next(self._next), outcome.name
        if problem := outcome.differs(self._run, self._counts, place):
            self._faults.append(problem)
            return
        for kind, data in outcome.data.items():
            self._columns[kind][place] = data
            if self._file is not None:
                self._file.add_measure(name, kind, self._facts[kind], data)

    def run(self) -> CountedRun:
        """Return the run with all that is measured; a `DataError` if something stood in the way."""
        if self._file is not None:
            self._file.flush()
        if self._faults:
            raise DataError(self._faults)
        columns = {
            kind: Measured(facts=self._facts[kind], data=tuple(column))
            for kind, column in self._columns.items()
        }
        return replace(self._run, measured={**self._run.measured, **columns})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outcome:
    """What is measured in one image, and the pixels of every class, or what stood in the way."""

    name: str
    problem: Problem | None = None
    totals: tuple[NDArray[np.int64], ...] = ()  # in the truth, and in the prediction
    data: Mapping[str, bytes] = field(default_factory=dict)

    def differs(self, run: CountedRun, counts: ClassifiedRun, place: int) -> Problem | None:
        """Say that these are not the masks that were counted, if they are not."""
        if self.problem is not None:
            return self.problem
        counted = counts.images.support[place], counts.images.predicted[place]
        same = all(map(np.array_equal, self.totals, counted))
        return None if same else _changed(run.images[place].pair)


def _changed(pair: Pair) -> Problem:
    detail = (
        f"{pair.truth} or {pair.prediction} holds other pixels than were counted: it changed "
        "meanwhile; count again"
    )
    return Problem(name=pair.name, kind=CHANGED, detail=detail)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Work:
    """All that is needed to measure an image, wherever that is done."""

    lookups: tuple[LayerLookup, ...]
    measures: tuple[AnyMeasure, ...]
    reading: Reading
    masks: Masks | None

    def __call__(self, pair: Pair) -> _Outcome:
        try:
            found, values, spacing = self._layers(pair)
        except MaskError as error:
            problem = Problem(name=pair.name, kind="unreadable mask", detail=str(error))
            return _Outcome(name=pair.name, problem=problem)
        if found is None:
            return _Outcome(name=pair.name, problem=_changed(pair))
        layers = [layer for layer, _ in found]
        totals = np.concatenate([each for _, each in found], axis=1)
        data = {
            each.kind: each.of_values(layers, values, spacing)
            if isinstance(each, ValueMeasure)
            else each(layers, spacing)
            for each in self.measures
        }
        return _Outcome(name=pair.name, totals=(totals[0], totals[1]), data=data)

    def _layers(self, pair: Pair) -> _Read:
        """Read both masks; no layers, if their sizes do not fit any more."""
        if (layer := self._natively(pair)) is not None:
            return [layer], NO_VALUES, None
        truth: NDArray[Any]
        prediction: NDArray[Any] | None
        if self.masks is not None:
            truth, prediction = self.masks[pair.name]
            spacing = None
        else:
            how: dict[str, Any] = {"max_pixels": self.reading.max_pixels}
            true, predicted = read_pair(pair, **how, lossy=True, volumes=True)
            truth, prediction = true.values, None if predicted is None else predicted.values
            spacing = spacing_of(true.form)
        if prediction is not None and self.reading.resize_prediction:
            prediction = resize(prediction, truth.shape)
        if prediction is not None and prediction.shape != truth.shape:
            return None, NO_VALUES, None
        codes = (
            (each.truth.of(truth), None if prediction is None else each.prediction.of(prediction))
            for each in self.lookups
        )
        layers = [each.layer(*both) for each, both in zip(self.lookups, codes, strict=True)]
        return layers, (truth, prediction), None if spacing is None else spacing[::-1]

    def _natively(self, pair: Pair) -> Counted | None:
        """Read two plain PNG files as the codes of their values, without these."""
        only = self.lookups[0]
        plain = self.masks is None and len(self.lookups) == 1 and only.truth.index.dtype == np.uint8
        asked = any(isinstance(each, ValueMeasure) for each in self.measures)
        if not plain or asked or pair.roi is not None:
            return None
        truth, prediction = (
            class_map(mask, side.values, side.index, max_pixels=self.reading.max_pixels)
            if isinstance(mask, Path)
            else None
            for mask, side in ((pair.truth, only.truth), (pair.prediction, only.prediction))
        )
        if truth is None or prediction is None or truth.shape != prediction.shape:
            return None
        return only.layer(truth, prediction)
