"""Masks that are no files of their own: the rows of one image in a table or a file of annotations.

An annotation knows its file and what it is called there, and is sent to workers as it is. It makes
pixels when they are asked for, as a mask file does: in the size that it states, or else in that of
the other side.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from segeval.errors import MaskError, Problem
from segeval.inputs.files import named
from segeval.text import printable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextlib import AbstractContextManager

    from numpy.typing import NDArray

    from segeval.inputs.cocofile import CocoImage
    from segeval.inputs.rle import Runs
    from segeval.settings import RleOrder

Shape = tuple[int, int]  # rows and columns


class RowTexts(NamedTuple):
    """Lines of ``start length`` pairs, with a value each, and how their pixels are counted."""

    order: RleOrder
    base: int
    relative: bool
    delimiter: int  # of cells; a byte
    place: int  # of the cell that holds the pairs
    rows: list[tuple[bytes, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation(ABC):
    """One image of a file that holds many.

    ``form`` names what decides the pixels, e.g. ``"kaggle-rle,order:column,base:1"``. With it and
    ``str(annotation)``, which is ``FILE#KEY``, a run finds the annotation again.
    """

    path: Path
    key: str  # what the file calls the image
    form: str
    size: Shape | None = None
    background: int = 0  # value of pixels without an annotation
    has_objects: ClassVar[bool] = False  # whether the values of `objects` are others

    def __str__(self) -> str:
        """Write file and key, as they stand in a run."""
        return f"{self.path}#{self.key}"

    @property
    def files(self) -> list[Path]:
        """The files that are read."""
        return [self.path]

    def naming(self) -> AbstractContextManager[None]:
        """Tell faults under the name of the file."""
        return named(self.path)

    def stored_form(self) -> str:
        """Return the form as a run keeps it."""
        return self.form

    @abstractmethod
    def content(self) -> bytes:
        """Return the rows of this image as the file holds them; a MaskError if they are gone."""

    @abstractmethod
    def values(self, shape: Shape) -> NDArray[Any]:
        """Return the mask, (H, W); a MaskError names line and image of all that is wrong."""

    def objects(self, shape: Shape) -> NDArray[Any]:
        """Return the mask with a value for each object, as far as objects are told apart."""
        return self.values(shape)

    def runs(self, shape: Shape, *, objects: bool = False) -> Runs | None:
        """Return the mask as run lengths, if it is held as such; see `objects`."""
        del shape, objects
        return None

    def texts(self) -> RowTexts | None:
        """Return the rows as they are written, if they are ``start length`` pairs."""
        return None

    def turned(self) -> Annotation | None:
        """Return the mask that the same run lengths are in the other order, if it is held so."""
        return None

    def beside(self, prediction: Masked) -> Annotation:
        """Return the mask of a truth that knows its prediction, if it makes a difference."""
        del prediction
        return self

    def fingerprint(self) -> str:
        """Return the fingerprint of these rows, written as that of a file without times."""
        content = self.content()
        return f"{len(content)} 0 0 0 {hashlib.sha256(content).hexdigest()[:32]}"

    def shape(self, other: Shape | None) -> Shape:
        """Return the size of the mask: its own, or that of the other side."""
        if (shape := self.size or other) is None:
            raise MaskError(
                "nothing says how large the image is; type --size HEIGHTxWIDTH, e.g. --size 768x768"
            )
        return shape


Masked = Path | Annotation
"""Where a mask is: a file of its own, or rows of another."""

Place = Masked | str
"""The same, where the path of a file may be a text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """The masks of one side by name, its problems, and files that are no masks by their names."""

    files: Mapping[str, Place]
    problems: Sequence[Problem] = ()
    left_out: Sequence[str] = ()
    facts: tuple[str, ...] = ()  # what decides the pixels, for the signature
    names: Mapping[int, str] = field(default_factory=dict)  # what the file calls its values
    background: int | None = None  # value of pixels without an annotation
    nothing: Annotation | None = None  # mask of an image without a file, in which nothing is found
    images: Mapping[int | str, CocoImage] = field(default_factory=dict)  # of COCO, by id
    unread: frozenset[str] = frozenset()  # names whose problem is told before they are read


def threshold_fault(threshold: float, highest: float = 1.0) -> str:
    """Say that a threshold in percent leaves out all that has a score up to 1, or nothing."""
    if threshold <= 1 or highest > 1:
        return ""
    return (
        f"scores are up to {highest:g}, so --score-threshold {threshold:g} leaves out all; did "
        f"you mean {threshold / 100:g}?"
    )


def stored_path(mask: Place | None) -> str:
    """Write where a mask is, as a run keeps it."""
    return printable(str(mask or ""))
