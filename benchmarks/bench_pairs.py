"""What a pair of masks costs beside decoding both of its files, by kind of mask."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from made_masks import HALF_STREETS, NOISE, OBJECTS, STREETS, THINGS, TINY
from measuring import Took, Worker, interleave
from tables import add_ratio, ratios, times

if TYPE_CHECKING:
    from collections.abc import Sequence

    from data_sets import DataSet, DataSets
    from rich.table import Table

ROUNDS: Final = 5
FEW: Final = 8

KINDS: Final = (
    ("2048×1024 grey, 19 classes", STREETS, 56, "≤ 0.30"),
    ("854×480 grey, binary", OBJECTS, 408, "≤ 1.0"),
    ("512×512 palette, 21 classes", THINGS, 308, "≤ 1.4"),
    ("160×160 grey, binary", TINY, 2008, "≤ 1.4"),
    ("1024×512 RGB colours", HALF_STREETS.stored_as("RGB"), 56, "≤ 0.35"),
    ("1024×512 16-bit ids", HALF_STREETS.stored_as("16-bit"), 108, "≤ 0.30"),
    ("512×512 noise", NOISE, 56, "≤ 1.75"),
)
"""What stands in the table, kinds, how many pairs one round takes, and targets."""

STORED: Final = ("1-bit", "4-bit palette", "grey and alpha")


def question(data: DataSet) -> dict[str, Any]:
    """Return what a worker is asked."""
    kind = data.kind
    return {
        "prediction": str(data.prediction),
        "truth": str(data.truth),
        "form": kind.form,
        "classes": kind.classes,
        "shape": [kind.height, kind.width],
        "options": data.options,
    }


def per_pair(many: Sequence[Took], few: Sequence[Took], pairs: int) -> list[Took]:
    """Return what a pair takes more, so that no start-up is in it."""
    return [
        Took((long.processor - short.processor) / pairs, (long.clock - short.clock) / pairs)
        for long, short in zip(many, few, strict=True)
    ]


def measure_kinds(sets: DataSets) -> Table:
    """Measure whole scores beside decoding with the fastest decoder known, and that twice."""
    table = ratios("segeval score, 1 worker, beside kornia-rs decoding both masks", "a pair")
    with ExitStack() as stack:
        ours, floor = (stack.enter_context(Worker(way)) for way in ("segeval", "kornia-rs decodes"))
        for title, kind, pairs, target in KINDS:
            many, few = (question(sets.get(kind, number)) for number in (pairs, FEW))
            measures = {
                "floor": partial(floor.ask, many),
                "ours": partial(ours.ask, many),
                "few": partial(ours.ask, few),
                "floor again": partial(floor.ask, many),
            }
            interleave(measures, 1)
            taken = interleave(measures, ROUNDS)
            nothing = [Took(0, 0)] * ROUNDS
            unit = per_pair(taken["floor"], nothing, pairs)
            milliseconds = 1000 * median(times(unit, "processor"))
            each = per_pair(taken["ours"], taken["few"], pairs - FEW)
            add_ratio(table, f"{title} (1 = {milliseconds:.3f} ms)", each, unit, target)
            again = per_pair(taken["floor again"], nothing, pairs)
            add_ratio(table, "  control: decoding, measured again", again, unit)
    return table


def measure_storage(sets: DataSets) -> Table:
    """Measure the same binary masks in other forms beside 8-bit grey."""
    table = ratios("The same masks of 854×480 stored in other ways, beside 8-bit grey", "a pair")
    with Worker("segeval") as ours:
        measures, pairs = {}, 408
        for form in ("grey", *STORED, "grey again"):
            kind = OBJECTS if "again" in form or form == "grey" else OBJECTS.stored_as(form)
            for number in (pairs, FEW):
                measures[form, number] = partial(ours.ask, question(sets.get(kind, number)))
        interleave(measures, 1)
        taken = interleave(measures, ROUNDS)
    each = {
        form: per_pair(taken[form, pairs], taken[form, FEW], pairs - FEW)
        for form in ("grey", *STORED, "grey again")
    }
    for form in STORED:
        add_ratio(table, form, each[form], each["grey"], "≤ 1.2")
    add_ratio(table, "  control: 8-bit grey, measured again", each["grey again"], each["grey"])
    return table
