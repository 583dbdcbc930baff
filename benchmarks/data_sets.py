"""Folders of made masks, of any number of pairs: a few distinct files under many names."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from made_masks import make_pair
from PIL import Image, ImageFilter

if TYPE_CHECKING:
    from pathlib import Path

    from made_masks import Kind

__all__ = ["DataSet", "DataSets"]

DISTINCT: Final = 8
"""Pairs of a kind that differ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSet:
    """Two folders of masks whose names match."""

    kind: Kind
    folder: Path

    @property
    def prediction(self) -> Path:
        """The folder of predictions."""
        return self.folder / "pred"

    @property
    def truth(self) -> Path:
        """The folder of truths."""
        return self.folder / "truth"

    @property
    def paths(self) -> list[str]:
        """Both folders, as arguments of a program."""
        return [str(self.prediction), str(self.truth)]


@dataclass(frozen=True, slots=True)
class DataSets:
    """The data sets below a folder; each is made when it is first asked for."""

    folder: Path
    made: dict[tuple[str, int], DataSet] = field(default_factory=dict)

    def get(self, kind: Kind, pairs: int) -> DataSet:
        """Return a data set of so many pairs."""
        key = kind.name, pairs
        if key not in self.made:
            self.made[key] = self._link(kind, pairs) if pairs else self._write(kind)
        return self.made[key]

    def grey(self, kind: Kind, pairs: int) -> DataSet:
        """Return a data set of so many pairs whose predictions are grey: truths, blurred."""
        sharp, made = self.get(kind, pairs), self._empty(kind, f"grey-{pairs}")
        for number in range(pairs):
            name = _name(number)
            os.link(sharp.truth / name, made.truth / name)
            first = _name(number % DISTINCT)
            if name == first:
                image = Image.open(sharp.prediction / name).filter(ImageFilter.GaussianBlur(6))
                image.save(made.prediction / name)
            else:
                os.link(made.prediction / first, made.prediction / name)
        return made

    def _empty(self, kind: Kind, name: str) -> DataSet:
        made = DataSet(kind=kind, folder=self.folder / f"{kind.name}-{name}")
        for side in (made.prediction, made.truth):
            side.mkdir(parents=True)
        return made

    def _write(self, kind: Kind) -> DataSet:
        """Make the distinct pairs."""
        made = self._empty(kind, "distinct")
        for number in range(DISTINCT):
            for mask, side in zip(
                make_pair(kind, number), (made.prediction, made.truth), strict=True
            ):
                Image.fromarray(mask).save(side / _name(number))
        return made

    def _link(self, kind: Kind, pairs: int) -> DataSet:
        """Give the distinct pairs as many names as are needed."""
        distinct, made = self.get(kind, 0), self._empty(kind, str(pairs))
        for number in range(pairs):
            source = _name(number % DISTINCT)
            os.link(distinct.prediction / source, made.prediction / _name(number))
            os.link(distinct.truth / source, made.truth / _name(number))
        return made


def _name(number: int) -> str:
    return f"scene_{number:05d}.png"
