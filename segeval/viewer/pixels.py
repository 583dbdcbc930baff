"""What both masks hold at one pixel: the values of the files, and the classes they stand for."""

from typing import Any, Final

import numpy as np

from segeval.errors import MaskError
from segeval.labels.classify import MISSED
from segeval.labels.labelmap import UNKNOWN, VOID
from segeval.labels.lookups import ValueLookup
from segeval.pictures.palettes import part_colors
from segeval.values import OUTSIDE, describe_value, hex_color
from segeval.viewer.catalogue import Catalogue
from segeval.viewer.renderer import Renderer

NO_CLASS: Final = {VOID: "void", UNKNOWN: "no class", MISSED: "no prediction"}


def describe_pixel(catalogue: Catalogue, drawer: Renderer, number: int, x: int, y: int) -> Any:
    """Return truth and prediction of every run at column x and row y, counted from 0."""
    runs = []
    for run, side in enumerate(catalogue.sides):
        truth, prediction = drawer.values_at(run, number, x, y)
        translation = side.translation
        predicted = _cell(side, translation.prediction, prediction)
        if translation.unknown == "ignore" and predicted["class"] == NO_CLASS[UNKNOWN]:
            predicted["class"] += ", not judged"
        runs.append({"truth": _cell(side, translation.truth, truth), "prediction": predicted})
    return {"x": x, "y": y, "runs": runs}


def _cell(side: Catalogue, lookup: ValueLookup, value: int | None) -> dict[str, str]:
    if value is None:
        return {"value": "", "class": NO_CLASS[MISSED], "color": ""}
    if value == OUTSIDE:
        return {"value": "", "class": "outside the field of view", "color": ""}
    try:
        (index,) = lookup.of(np.array([value])).tolist()
    except ValueError as error:
        raise MaskError(f"{describe_value(value)}: {error}") from error
    if index < 0:
        return {"value": describe_value(value), "class": NO_CLASS[index], "color": ""}
    color = hex_color(part_colors(side.scores.labels)[index])
    name = side.parts.labels.names[index]
    return {"value": describe_value(value), "class": name, "color": color}
