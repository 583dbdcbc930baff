"""What the forms of masks are called that are no files of their own, as runs state them.

The modules that read such masks are large, and are imported where there are some.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import unquote

from segeval.settings import CHANNELS

TABLE_FORMS: Final = {"kaggle-rle", "tianchi-rle", "table-rle"}
"""Known columns, a name and a tab without a header, columns that the user names."""

COCO_FORMS: Final = {"coco", "coco-results", "coco-panoptic"}
YOLO: Final = "yolo"
ABSENT: Final = "no-text:empty"  # images without a text, in which nothing was found
PART: Final = "part"  # one band or frame of a file
NAMED_NO_DATA: Final = ",nodata:"  # comes before the value of no data, in the form of a TIFF file
CLASS_FILES: Final = "per-class"
BIT_FORMS: Final = {CLASS_FILES, *CHANNELS}


def names_in(form: str, what: str = "classes") -> tuple[str, ...]:
    """Return the names that a form of bit sets states; none if it is another form.

    >>> names_in("per-class,classes:car;road"), names_in("PNG grey 8-bit")
    (('car', 'road'), ())
    """
    kind, *parts = form.split(",")
    stated = dict(part.partition(":")[::2] for part in parts) if kind in BIT_FORMS else {}
    return tuple(unquote(name) for name in stated.get(what, "").split(";") if name)
