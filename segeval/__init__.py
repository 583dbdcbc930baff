"""segeval scores segmentation masks, and says what every number means.

The names below are imported when they are first used, so that ``segeval --help`` need not wait for
NumPy.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from segeval.version import __version__

if TYPE_CHECKING:
    from segeval.api import Result, Run, score
    from segeval.contrasts import Comparison, compare
    from segeval.counting.confusion import ConfusionMatrix, confusion_matrix
    from segeval.counting.contingency import ContingencyTable, count_values
    from segeval.errors import DataError, SegevalError
    from segeval.labels.labelmap import Label, LabelMap
    from segeval.labels.load import load_labels
    from segeval.presets.preset import preset
    from segeval.scoring.convention import Convention

__all__ = [
    "Comparison",
    "ConfusionMatrix",
    "ContingencyTable",
    "Convention",
    "DataError",
    "Label",
    "LabelMap",
    "Result",
    "Run",
    "SegevalError",
    "__version__",
    "compare",
    "confusion_matrix",
    "count_values",
    "load_labels",
    "preset",
    "score",
]

_HOME = {
    "api": ("Result", "Run", "score"),
    "counting.confusion": ("ConfusionMatrix", "confusion_matrix"),
    "counting.contingency": ("ContingencyTable", "count_values"),
    "contrasts": ("Comparison", "compare"),
    "scoring.convention": ("Convention",),
    "errors": ("DataError", "SegevalError"),
    "labels.load": ("load_labels",),
    "labels.labelmap": ("Label", "LabelMap"),
    "presets.preset": ("preset",),
}


def __getattr__(name: str) -> object:
    """Import a public name from its module."""
    if name == "losses":
        return import_module("segeval.losses")
    for module, names in _HOME.items():
        if name in names:
            return getattr(import_module(f"segeval.{module}"), name)
    message = f"module 'segeval' has no attribute {name!r}"
    raise AttributeError(message)
