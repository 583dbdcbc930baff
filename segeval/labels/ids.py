"""Label images: every value is an object, 0 is background."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from segeval.counting.run import CountedRun
from segeval.errors import LabelError, SettingError
from segeval.inputs.forms import COCO_FORMS, TABLE_FORMS, YOLO
from segeval.labels.labelmap import SIDES, WHITE, Label, LabelMap, Side
from segeval.labels.nodata import with_no_data
from segeval.settings import LabelChoice
from segeval.values import (
    COLOR,
    NO_PREDICTION,
    as_numbers,
    describe_values,
    is_float,
    plain_values,
)

BYTE: Final = 0xFF
OF_ROWS: Final = re.compile(",rows:objects(,|$)")  # form of a table whose rows are objects


def object_labels(void: Collection[int] = ()) -> LabelMap:
    """Return the map of label images: 0 is background, all else is an object, but for void."""
    names = ("background", "object")
    stated = [() if value in void else (value,) for value in (0, 1)]
    return LabelMap(
        name="ids",
        labels=tuple(
            Label(name=name, truth_values=values, prediction_values=(value,))
            for name, values, value in zip(names, stated, (0, 1), strict=True)
        ),
        void=tuple(sorted(set(void))),
        truth_threshold=1,
        prediction_threshold=1,
    )


def of_objects(choice: LabelChoice) -> LabelChoice:
    """Return the choice of classes in which all but 0 is an object, unless classes are named."""
    named = (choice.labels, choice.classes, choice.threshold, choice.truth_threshold)
    if any(value is not None for value in named):
        return choice
    return replace(choice, labels=object_labels(choice.ignore or ()))


def as_objects(
    run: CountedRun, choice: LabelChoice, source: str = "ids"
) -> tuple[CountedRun, LabelChoice]:
    """Return a run of label images with its ids, and classes for them; see `of_objects`.

    Where classes have objects of their own, or are to have components, both stay as they are.
    """
    if run.objects is not None or source != "ids":
        if source == "ids":
            _refuse_classes(run)
        return run, choice
    return with_ids(run, choice.ignore), of_objects(choice)


def as_measured(run: CountedRun, choice: LabelChoice, source: str | None) -> LabelChoice:
    """Return the classes in which masks are measured, whose values may be ids; see `as_objects`."""
    if source != "ids" or run.objects is not None:
        return choice
    if any((run.counts.values(side) >= COLOR).any() for side in SIDES):
        raise SettingError(
            "what is near edges is not measured in ids that are stored as colours; leave out "
            "--objects ids, or save the ids as numbers"
        )
    return of_objects(with_no_data(choice, run))


def _refuse_classes(run: CountedRun) -> None:
    """Stop where one side has objects of classes, and the masks of the other classes alone."""
    sides: tuple[Side, ...] = ("truth", "prediction")
    kinds = {
        side: {form.partition(",")[0] for form in run.images.column(f"{side}_form") if form}
        for side in sides
    }
    plain = [side for side in sides if kinds[side] and not kinds[side] & {YOLO, *COCO_FORMS}]
    if len(plain) == 1:
        raise LabelError(
            f"the masks of the {plain[0]} say of each pixel which class it is of, and not which "
            "object, as the annotations of the other side do: name annotations on both sides, or "
            "leave out --objects"
        )


def with_ids(run: CountedRun, ignore: Collection[int] | None) -> CountedRun:
    """Read colours as ids, as COCO panoptic does, and refuse what is no id: a `LabelError`.

    An id of three channels is red + 256 green + 65536 blue; three equal channels over a whole side
    are one.
    """
    if run.provenance.problems:
        return run
    _refuse_painted(run)
    columns: dict[Side, NDArray[np.int64]] = {
        "truth": _ids(run.counts.truth),
        "prediction": _ids(run.counts.prediction),
    }
    for side, values in columns.items():
        void = set(ignore or ()) if side == "truth" else set()
        held = np.array(sorted(set(np.unique(values).tolist()) - void - {NO_PREDICTION}), np.int64)
        if doubt := _doubt(held, side, ignore):
            raise LabelError(f"{side} holds {describe_values(held.tolist())}: {doubt}")
    counts = run.counts.with_values(**columns)
    return replace(run, counts=counts)


def _refuse_painted(run: CountedRun) -> None:
    """Stop where a side holds what is painted by class, so that its objects are lost in it."""
    sides: dict[Side, NDArray[np.int64]] = {
        "truth": run.counts.truth,
        "prediction": run.counts.prediction,
    }
    for side, values in sides.items():
        forms = set(run.images.column(f"{side}_form"))
        kinds = {form.partition(",")[0] for form in forms}
        if kinds & {YOLO, *COCO_FORMS} and np.unique(values).size > 1:
            raise LabelError(
                f"the annotations of the {side} were counted by class, before runs kept which "
                "object a pixel is of; score them again for --objects ids"
            )
        if (
            kinds & TABLE_FORMS
            and values.max(initial=0) <= 1
            and not any(map(OF_ROWS.search, forms))
        ):
            raise LabelError(
                f"the table of the {side} makes one mask of the rows of an image; for --objects "
                "ids, type --rle-rows objects if each row is an object"
            )


def _ids(values: NDArray[np.int64]) -> NDArray[np.int64]:
    if not ((values >= COLOR) | is_float(values)).any():
        return values
    distinct, position = np.unique(values, return_inverse=True)
    plain = plain_values(distinct)
    color = plain - COLOR
    ids = (color >> 16 & BYTE) + ((color >> 8 & BYTE) << 8) + ((color & BYTE) << 16)
    return np.where(plain >= COLOR, ids, plain)[position]


def _doubt(values: NDArray[np.int64], side: Side, ignore: Collection[int] | None) -> str:
    """Say why values are no ids of objects, or return nothing."""
    if is_float(values).any():
        return (
            f"floats as {as_numbers(values[is_float(values)])[0]:g} are no ids of objects; save "
            "label images as integers"
        )
    if values.size and values[0] < 0:
        void = f"; type --ignore {values[0]} if it is void" if side == "truth" else ""
        return f"{values[0]} is no id of an object: ids are 1 and more, 0 is background{void}"
    if side == "truth" and ignore is None and values.tolist() == [0, 1, WHITE]:
        return (
            "is 255 void or an object in the truth? Type --ignore 255 if it is void, "
            "--ignore none if it is an object"
        )
    return ""
