"""What masks are written as: rows of a table of run lengths, or annotations of COCO."""

from __future__ import annotations

import csv
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import IO, Any, Final

import numpy as np

from segeval.errors import MaskError
from segeval.inputs.cocorle import bounding_box
from segeval.inputs.folders import normal, pair_name
from segeval.inputs.layouts import JOINED, plain_name
from segeval.inputs.rle import Runs, text_of_counts
from segeval.settings import MAX_PIXELS, AnnotationChoice
from segeval.text import listed, quoted

KAGGLE: Final = {"image": "ImageId", "rle": "EncodedPixels"}  # columns, if the user names no others
SHOWN: Final = 5  # values that an error lists


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoding:
    """How masks are written as run lengths.

    ``classes`` are those that every image has a row of, in a table with classes; without them, rows
    are of what a mask holds. ``ending`` is added to names, e.g. ``".jpg"``; ``nothing`` stands for
    a mask without any pixel. ``void`` is the value that void pixels become, 0 to leave them out,
    None to refuse them.
    """

    choice: AnnotationChoice = field(default_factory=AnnotationChoice)
    names: Mapping[int, str] = field(default_factory=dict)  # of classes
    classes: tuple[int, ...] | None = None
    ending: str = ""
    nothing: str = ""
    void: int | None = None
    max_pixels: int = MAX_PIXELS


class Writer(ABC):
    """What writes the masks of images, one after the other, into a file of text."""

    usual_ending = ""  # of names

    def __init__(self, file: IO[str], encoding: Encoding) -> None:
        self.file, self.encoding = file, encoding

    @abstractmethod
    def add(self, name: str, runs: Runs) -> None:
        """Write the mask of an image; a MaskError if this form cannot hold it."""

    def named(self, name: str) -> str:
        """Return the name with its ending; a MaskError if it would be read as another one."""
        ending = self.encoding.ending or self.usual_ending
        text = f"{name}{ending}"
        again = pair_name(normal(text.strip()), "")
        if again != name and pair_name(text, ending) != name:
            raise MaskError(
                f"its name {quoted(name)} would be read as {quoted(again)}; add what masks are "
                "called, e.g. --ending .png, or rename it"
            )
        return text

    def pairs(self, runs: Runs) -> str:
        """Write runs as pairs of numbers, as the user wants them."""
        choice = self.encoding.choice
        pairs = runs.pairs(choice.rle_base, relative=choice.rle_starts == "relative")
        return pairs or self.encoding.nothing

    def finish(self) -> None:
        """Write what stands at the end."""
        self.file.flush()


class KaggleWriter(Writer):
    """A table with a header; a row a class of an image, if it has a column of classes."""

    def __init__(self, file: IO[str], encoding: Encoding) -> None:
        super().__init__(file, encoding)
        given = {what: name for what, name in encoding.choice.columns if name}
        self.columns = given if KAGGLE.keys() <= given.keys() else KAGGLE | given
        self.joined = "class" not in given and plain_name(self.columns["image"]) in JOINED
        self.rows = csv.writer(file, lineterminator="\n")
        self.rows.writerow(self.columns.values())

    def add(self, name: str, runs: Runs) -> None:
        """Write the rows of an image; one without any pixel has a row as well."""
        name = self.named(name)
        classes = self.joined or "class" in self.columns
        if not classes and self.encoding.choice.rle_rows == "mask":
            self._write(name, _foreground(runs), "")
            return
        held: list[int] = np.unique(runs.values).tolist()
        if (stated := self.encoding.classes) is not None:
            if beyond := sorted(set(held) - set(stated)):
                known = listed([*map(str, stated)], SHOWN)
                raise MaskError(f"it holds {beyond[0]}, and the classes are {known}")
            held = [*stated]
        for value in held:
            self._write(name, runs.only(value), self._label(value) if classes else "")
        if not held:
            self._write(name, runs, "")

    def _label(self, value: int) -> str:
        label = self.encoding.names.get(value, str(value))
        if label == "0":
            raise MaskError(
                "its class 0 has no name, and classes of tables are numbered from 1 on; name the "
                "classes with --labels FILE"
            )
        if self.joined and "_" in label:
            raise MaskError(
                f"its class {quoted(label)} holds _, which parts images and classes in a column "
                f"{self.columns['image']}; type --columns class=ClassId for a column of its own"
            )
        return label

    def _write(self, name: str, runs: Runs, label: str) -> None:
        cells = {
            "image": f"{name}_{label}" if self.joined else name,
            "rle": self.pairs(runs),
            "class": label,
            "height": runs.shape[0],
            "width": runs.shape[1],
        }
        self.rows.writerow([cells[what] for what in self.columns])


class TianchiWriter(Writer):
    """A row an image, without a header: its name, a tab, and its run lengths."""

    usual_ending = ".jpg"

    def add(self, name: str, runs: Runs) -> None:
        """Write the row of an image."""
        if {'"', "\t"} & set(name):
            raise MaskError(f"its name {quoted(name)} holds a quote or a tab, which part cells")
        pairs = self.pairs(_foreground(runs))
        self.file.write(f"{self.named(name)}\t{pairs}\n")


class CocoWriter(Writer):
    """JSON of COCO: an annotation a class of an image; its runs always go down the columns."""

    usual_ending = ".png"
    compressed = True

    def __init__(self, file: IO[str], encoding: Encoding) -> None:
        super().__init__(file, encoding)
        self.images: list[str] = []
        self.values: set[int] = set()
        self.written = 0
        file.write('{"annotations": [')

    def add(self, name: str, runs: Runs) -> None:
        """Write the annotations of an image."""
        height, width = runs.shape
        image = {"id": len(self.images) + 1, "file_name": self.named(name)}
        self.images.append(json.dumps(image | {"height": height, "width": width}))
        for value in np.unique(runs.values).tolist():
            self.values.add(value)
            self.written += 1
            stated = {"id": self.written, "image_id": len(self.images), "category_id": value}
            entry = json.dumps(stated | self._segment(runs.only(value)))
            self.file.write(("," if self.written > 1 else "") + "\n" + entry)

    def _segment(self, runs: Runs) -> dict[str, Any]:
        counts = runs.counts()
        text = text_of_counts(counts).decode() if self.compressed else counts.tolist()
        return {
            "segmentation": {"size": [*runs.shape], "counts": text},
            "area": int((runs.ends - runs.starts).sum()),
            "bbox": bounding_box(runs),
            "iscrowd": 0,
        }

    def finish(self) -> None:
        """Write images and categories."""
        names = self.encoding.names
        listed = sorted(self.values | set(names))
        categories = [json.dumps({"id": v, "name": names.get(v, str(v))}) for v in listed]
        for key, entries in (("images", self.images), ("categories", categories)):
            self.file.write(f'\n],\n"{key}": [\n' + ",\n".join(entries))
        self.file.write("\n]}\n")


class UncompressedWriter(CocoWriter):
    """The same, with counts as numbers."""

    compressed = False


WRITERS: Final[Mapping[str, Callable[[IO[str], Encoding], Writer]]] = {
    "kaggle": KaggleWriter,
    "tianchi": TianchiWriter,
    "coco": CocoWriter,
    "coco-uncompressed": UncompressedWriter,
}


def _foreground(runs: Runs) -> Runs:
    """Return the only value of a mask beside the background; a MaskError if there are several."""
    values = np.unique(runs.values).tolist()
    if len(values) > 1:
        raise MaskError(
            f"it holds {listed([*map(str, values)], SHOWN)}, and a table without classes holds one "
            "value beside the background; type --columns class=ClassId to write a row a class, or "
            "--rle-rows objects for a row an object without one"
        )
    return runs.only()
