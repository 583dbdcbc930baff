"""Folders of made masks, of any number of pairs: a few distinct files under many names."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np
from made_masks import VOID, make_pair
from PIL import Image, ImageFilter

if TYPE_CHECKING:
    from pathlib import Path

    from made_masks import Kind, Mask

DISTINCT: Final = 8
"""Pairs of a kind that differ."""

COLORS: Final = np.random.default_rng(7).integers(0, 256, (256, 3), np.uint8)
LABEL_IDS: Final = np.zeros(256, np.uint8)  # of Cityscapes, in the place of its train ids
LABEL_IDS[:19] = [7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33]


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

    @property
    def options(self) -> list[str]:
        """What segeval has to be told: the classes of colours."""
        if self.kind.form != "RGB":
            return []
        file = self.folder / "labels.toml"
        rows = [
            f'{{name = "{number}", color = {COLORS[number].tolist()}}},'
            for number in range(self.kind.classes)
        ]
        void = "#" + COLORS[VOID].tobytes().hex()
        file.write_text("\n".join([f'void_colors = ["{void}"]', "labels = [", *rows, "]"]))
        return ["--labels", str(file)]


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
                save(mask, kind.form, side / _name(number))
        return made

    def _link(self, kind: Kind, pairs: int) -> DataSet:
        """Give the distinct pairs as many names as are needed."""
        distinct, made = self.get(kind, 0), self._empty(kind, str(pairs))
        for number in range(pairs):
            source = _name(number % DISTINCT)
            os.link(distinct.prediction / source, made.prediction / _name(number))
            os.link(distinct.truth / source, made.truth / _name(number))
        return made


def save(mask: Mask, form: str, path: Path) -> None:
    """Write a mask in a form that masks are found in."""
    image = Image.fromarray(mask)
    match form:
        case "palette" | "4-bit palette":
            image = Image.fromarray(np.minimum(mask, 15) if form == "4-bit palette" else mask)
            image.putpalette(COLORS.tobytes())
        case "RGB":
            image = Image.fromarray(COLORS[mask])
        case "16-bit":
            image = Image.fromarray(mask.astype(np.uint16))
        case "1-bit":
            image = image.convert("1", dither=Image.Dither.NONE)
        case "grey and alpha":
            image.putalpha(255)
        case "label ids":
            image = Image.fromarray(LABEL_IDS[mask])
    image.save(path, bits=4 if form == "4-bit palette" else 8)


def _name(number: int) -> str:
    return f"scene_{number:05d}.png"
