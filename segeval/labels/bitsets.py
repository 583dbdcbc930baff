"""Classes of masks that hold sets of bits: each is the values that have its bit."""

from __future__ import annotations

from typing import Final

from segeval.counting.run import CountedRun
from segeval.errors import LabelError
from segeval.inputs.forms import names_in
from segeval.labels.infer import values_on_side
from segeval.labels.labelmap import SIDES, Label, LabelMap
from segeval.settings import LabelChoice

NAME: Final = "per-class"  # of the label map


def bit_labels(run: CountedRun, choice: LabelChoice) -> LabelMap | None:
    """Return the classes of a run whose masks are sets of bits; None if they are not."""
    forms = {
        form for side in SIDES for form in set(run.images.column(f"{side}_form")) if form != ""
    }
    stated = {names_in(form) for form in forms}
    if not stated or stated == {()}:
        return None
    if len(stated) > 1:
        raise LabelError(
            "masks of single classes stand beside others, or the classes are not the same in all "
            "images; count all of them with one --per-class that names the classes"
        )
    if choice != LabelChoice():
        raise LabelError(
            "masks of single classes (--per-class) say which class each pixel is of, so leave out "
            "--labels, --classes, --ignore, --level, --objects, thresholds and --pred-offset, and "
            "do not sweep them; where nothing is judged is said by --roi"
        )
    (names,) = stated
    held = sorted(values_on_side(run, "truth") | values_on_side(run, "prediction"))
    labels = []
    for place, name in enumerate(names):
        values = tuple(value for value in held if value >> place & 1)
        labels.append(Label(name=name, truth_values=values, prediction_values=values))
    return LabelMap(name=NAME, labels=tuple(labels), overlap=True)
