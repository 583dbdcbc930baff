"""Pairs of arrays -> counts of a data set, without any file.

Pairs are counted as they come, and none is kept: a million take the memory of one.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segeval.counting.contingency import count_values
from segeval.counting.numbering import Numbering
from segeval.counting.run import CountedRun, ImageCounts, ImageInfo, Provenance
from segeval.errors import DataError, Problem
from segeval.inputs.masks import Mask
from segeval.values import float_values, integer_fault

Masks = ArrayLike | Iterable[ArrayLike]

NUMBERED: Final = "{:06}"  # name of a pair by its number; a million of them sort as they come
END: Final = object()
FLOATS: Final = {"truth": "truth_threshold", "prediction": "threshold"}  # what decides floats


def count_arrays(
    *,
    truth: Masks,
    prediction: Masks,
    names: str | Iterable[str] | None = None,
    groups: str | Iterable[str] | None = None,
    floats: Collection[str] = tuple(FLOATS),
    numbering: Numbering | None = None,
    kept: dict[str, tuple[NDArray[Any], NDArray[Any]]] | None = None,
) -> CountedRun:
    """Count one pair of masks, or pairs from two iterables in step; see `segeval.score_arrays`.

    ``floats`` names the sides that may hold floats of the foreground; a numbering tells objects
    apart. Who measures masks as well has them ``kept``, by name.
    """
    given = {"truth": _each(truth), "prediction": _each(prediction)}
    for what, texts in (("names", names), ("groups", groups)):
        if texts is not None:
            given[what] = [texts] if isinstance(texts, str) else texts
    images: dict[str, ImageCounts] = {}
    for number, row in enumerate(_in_step(given)):
        name = str(row.get("names", NUMBERED.format(number)))
        if name in images:
            raise _fault(name, "two pairs of one name", "give each pair a name of its own")
        sides = [_mask(name, side, row[side], floats=side in floats) for side in FLOATS]
        if kept is not None:
            kept[name] = sides[0].values, sides[1].values
        images[name] = _count(name, str(row.get("groups", "")), *sides, numbering=numbering)
    facts = () if numbering is None else (numbering.fact,)
    return CountedRun.of(images.values(), Provenance(waivers=facts))


def _each(masks: Masks) -> Iterable[Any]:
    """Yield masks one by one: a mask alone is the only one."""
    single = getattr(masks, "ndim", None) == 2 or not isinstance(masks, Iterable)
    return [masks] if single else masks  # type: ignore[return-value]  # a mask is iterable


def _in_step(columns: dict[str, Iterable[Any]]) -> Iterator[dict[str, Any]]:
    """Yield the next item of every iterable; all must end together."""
    for number, row in enumerate(itertools.zip_longest(*columns.values(), fillvalue=END)):
        ended = [what for what, item in zip(columns, row, strict=True) if item is END]
        if ended:
            longer = ", ".join(what for what in columns if what not in ended)
            detail = f"{' and '.join(ended)} end after {number}, {longer} hold more"
            raise _fault(NUMBERED.format(number), "sides of unequal length", detail)
        yield dict(zip(columns, row, strict=True))


def _count(
    name: str, group: str, truth: Mask, prediction: Mask, *, numbering: Numbering | None
) -> ImageCounts:
    shape, other = truth.values.shape, prediction.values.shape
    if shape != other:
        detail = f"prediction has shape {other}, truth has shape {shape}"
        raise _fault(name, "shapes differ", detail)
    info = ImageInfo(
        name=name,
        group=group,
        height=shape[0],
        width=shape[1],
        truth_path=f"truth of {name}",
        prediction_path=f"prediction of {name}",
        truth_form=truth.form,
        prediction_form=prediction.form,
    )
    true, predicted = truth.values, prediction.values
    if numbering is not None:
        true, predicted = numbering(true, "truth"), numbering(predicted, "prediction")
    table = count_values(truth=true, prediction=predicted)
    return ImageCounts(info=info, table=table)


def _mask(name: str, side: str, mask: Any, *, floats: bool) -> Mask:
    """Check one side of a pair; floats become levels, as those of files do."""
    array = np.asarray(mask)
    if array.ndim != 2 or not array.size:
        detail = f"{side} has shape {array.shape}; a mask has shape (H, W), and a pixel or more"
        raise _fault(name, "no mask", detail)
    form = f"array {array.dtype}"
    if floats and array.dtype.kind == "f":
        return Mask(values=float_values(array), form=form)
    if array.dtype.kind not in "biu":
        detail = (
            f"{side} holds {array.dtype}; a mask holds integers or booleans, one class a pixel: "
            f"take argmax over the classes, or say {FLOATS[side]}=0.5 for floats of the foreground"
        )
        raise _fault(name, "no mask", detail)
    if array.itemsize == 8 and (fault := integer_fault(int(array.min()), int(array.max()))):
        raise _fault(name, "values out of range", f"{side}: {fault}; number the classes from 0")
    return Mask(values=array, form=form)


def _fault(name: str, kind: str, detail: str) -> DataError:
    return DataError([Problem(name=name, kind=kind, detail=f"pair {name}: {detail}")])
