"""segeval scores segmentation masks, and says what every number means.

The names below are imported when they are first used, so that ``segeval --help`` need not wait for
NumPy.
"""

from importlib import import_module

from segeval.version import __version__

TYPE_CHECKING = False  # as `typing` says; Ctrl-C is not in our hands while that is imported
if TYPE_CHECKING:
    from segeval import losses
    from segeval.api import (
        Comparison,
        Result,
        Run,
        compare,
        count,
        count_arrays,
        open_run,
        score,
        score_arrays,
    )
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
    "count",
    "count_arrays",
    "count_values",
    "load_labels",
    "losses",
    "open_run",
    "preset",
    "score",
    "score_arrays",
]

_HOME = {
    "ConfusionMatrix": "counting.confusion",
    "ContingencyTable": "counting.contingency",
    "Convention": "scoring.convention",
    "DataError": "errors",
    "Label": "labels.labelmap",
    "LabelMap": "labels.labelmap",
    "SegevalError": "errors",
    "confusion_matrix": "counting.confusion",
    "count_values": "counting.contingency",
    "load_labels": "labels.load",
    "preset": "presets.preset",
}  # the module of each public name that is not in `segeval.api`


def __getattr__(name: str) -> object:
    """Import a public name from its module."""
    if name not in __all__:
        message = f"module 'segeval' has no attribute {name!r}"
        raise AttributeError(message)
    if name == "losses":
        return import_module("segeval.losses")
    return getattr(import_module(f"segeval.{_HOME.get(name, 'api')}"), name)


def __dir__() -> list[str]:
    """List the public names, which is what a notebook completes."""
    return __all__
