"""Values that the files of a truth name as no data, as GDAL does in a TIFF file."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from segeval.counting.run import CountedRun
from segeval.errors import LabelError
from segeval.inputs.parts import no_data_of
from segeval.labels.infer import values_on_side
from segeval.settings import LabelChoice
from segeval.values import LIMIT, NO_DATA, describe_values, float_values

BEYOND_ALL: Final = 1e30  # numbers of either kind of float that are all cut alike


def no_data_on_truth(run: CountedRun) -> set[int]:
    """Return the values of a truth that its files name as no data, where it holds them."""
    forms = set(run.images.column("truth_form"))
    numbers = {number for form in forms if (number := no_data_of(form)) is not None}
    stored = np.clip(sorted(numbers), -BEYOND_ALL, BEYOND_ALL)
    values = {v for kind in ("f4", "f8") for v in float_values(stored.astype(kind)).tolist()}
    values |= {int(number) for number in numbers if abs(number) <= LIMIT and not number % 1}
    return values & values_on_side(run, "truth")


def with_no_data(choice: LabelChoice, run: CountedRun) -> LabelChoice:
    """Return the choice in which what the files name as no data is void, if that is asked for."""
    if NO_DATA not in (choice.ignore or ()):
        return choice
    named = {no_data_of(form) for form in run.images.column("truth_form")}
    stated = {number for number in named if number is not None and not np.isnan(number)}
    if named == {None}:
        raise LabelError(
            "--ignore nodata: no file of the truth names such a value; type the value, e.g. "
            "--ignore 255"
        )
    if len(stated) > 1:
        values = ",".join(f"{number:g}" for number in sorted(stated))
        raise LabelError(
            f"--ignore nodata: the files of the truth name {values}, each another value; type "
            f"--ignore {values} if none of them is a class, or write them with one"
        )
    kept = [value for value in choice.ignore or () if value != NO_DATA]
    return replace(choice, ignore=tuple(dict.fromkeys([*kept, *sorted(no_data_on_truth(run))])))


def propose_no_data(run: CountedRun, void: set[int]) -> str:
    """Say that a truth holds what its files name as no data, if it is not void; or nothing."""
    held = no_data_on_truth(run) - void
    if not held:
        return ""
    return (
        f"the files of the truth name {describe_values(held)} as nodata; type --ignore nodata if "
        "these pixels are not judged"
    )
