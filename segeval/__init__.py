"""segeval scores segmentation masks, and says what every number means."""

from segeval.api import Result, score
from segeval.confusion import ConfusionMatrix, confusion_matrix
from segeval.contingency import ContingencyTable, count_values
from segeval.conventions import Convention
from segeval.errors import DataError, SegevalError
from segeval.labelfiles import load_labels
from segeval.labels import Label, LabelMap
from segeval.version import __version__

__all__ = [
    "ConfusionMatrix",
    "ContingencyTable",
    "Convention",
    "DataError",
    "Label",
    "LabelMap",
    "Result",
    "SegevalError",
    "__version__",
    "confusion_matrix",
    "count_values",
    "load_labels",
    "score",
]
