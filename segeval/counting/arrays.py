"""Pairs of arrays -> counts of a data set, without any file.

Pairs are counted as they come, and none is kept: a million take the memory of one.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segeval.counting.contingency import count_values
from segeval.counting.run import CountedRun, ImageCounts, ImageInfo
from segeval.errors import DataError, Problem
from segeval.values import LAST_FLOAT, NOT_FINITE, is_float

Masks = ArrayLike | Iterable[ArrayLike]

NUMBERED: Final = "{:06}"  # name of a pair by its number; a million of them sort as they come
END: Final = object()


def count_arrays(
    *,
    truth: Masks,
    prediction: Masks,
    names: str | Iterable[str] | None = None,
    groups: str | Iterable[str] | None = None,
) -> CountedRun:
    """Count one pair of masks, or the pairs that two iterables give in step.

    An array of shape (N, H, W) is an iterable of N masks. Pairs are named by their numbers unless
    they have names. `segeval.score_arrays` says what is raised.
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
        images[name] = _count(name, str(row.get("groups", "")), row["truth"], row["prediction"])
    return CountedRun.of(images.values())


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


def _count(name: str, group: str, truth: Any, prediction: Any) -> ImageCounts:
    true, predicted = _mask(name, "truth", truth), _mask(name, "prediction", prediction)
    if true.shape != predicted.shape:
        detail = f"prediction has shape {predicted.shape}, truth has shape {true.shape}"
        raise _fault(name, "shapes differ", detail)
    try:
        table = count_values(truth=true, prediction=predicted)
    except ValueError as error:
        raise _fault(name, "values out of range", str(error)) from None
    info = ImageInfo(
        name=name,
        group=group,
        height=true.shape[0],
        width=true.shape[1],
        truth_path=f"truth of {name}",
        prediction_path=f"prediction of {name}",
        truth_form=f"array {true.dtype}",
        prediction_form=f"array {predicted.dtype}",
    )
    return ImageCounts(info=info, table=table)


def _mask(name: str, side: str, mask: Any) -> NDArray[Any]:
    array = np.asarray(mask)
    if array.ndim != 2 or not array.size:
        detail = f"{side} has shape {array.shape}; a mask has shape (H, W), and a pixel or more"
        raise _fault(name, "no mask", detail)
    if array.dtype.kind not in "biu":
        detail = (
            f"{side} holds {array.dtype}; a mask holds integers or booleans, one class a pixel: "
            "take argmax over the classes, or compare with a threshold"
        )
        raise _fault(name, "no mask", detail)
    if array.dtype == np.int64 and is_float(array).any():
        detail = f"{side}: integers from {NOT_FINITE} to {LAST_FLOAT} stand for no class"
        raise _fault(name, "values out of range", detail)
    return array


def _fault(name: str, kind: str, detail: str) -> DataError:
    return DataError([Problem(name=name, kind=kind, detail=f"pair {name}: {detail}")])
