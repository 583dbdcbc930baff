"""Small data sets for every combination of options: worlds of classes, images of them, and files.

A mask is kept as it is stored: integers (H, W), floats (H, W), or colours (H, W, 3).
"""

from __future__ import annotations

import io
import json
import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from made.bmp import made_bmp
from made.png import made_png
from made.tiff import made_tiff
from numpy.typing import NDArray
from PIL import Image

Stored = NDArray[Any]
Color = tuple[int, int, int]
Row = Mapping[str, str]

UNSET: Final = ""
NAMES: Final = ("a/one", "a/two", "b/three", "b/ünder_4", "c/five", "six")


@dataclass(frozen=True, kw_only=True)
class Meaning:
    """A class, and all by which files mean it."""

    name: str
    truth: tuple[int, ...]
    prediction: tuple[int, ...]
    colors: tuple[Color, ...] = ()
    group: str = ""


@dataclass(frozen=True, kw_only=True)
class World:
    """Classes, and what is void."""

    classes: tuple[Meaning, ...]
    void: tuple[int, ...] = ()
    void_colors: tuple[Color, ...] = ()


def _class(name: str, truth: tuple[int, ...], *colors: Color, group: str = "") -> Meaning:
    return Meaning(name=name, truth=truth, prediction=truth, colors=colors, group=group)


WORLDS: Final = {
    "plain": World(
        classes=(
            _class("road", (0,), (128, 64, 128), group="flat"),
            _class("car", (1,), (0, 0, 142), group="thing"),
            _class("bus", (2,), (0, 60, 100), group="thing"),
            _class("sky", (3,), (70, 130, 180)),
        ),
        void=(255,),
        void_colors=((0, 0, 0),),
    ),
    "several": World(
        classes=(
            _class("Background", (4,), (9, 9, 9), (1, 2, 3), group="rest"),
            _class("leaf", (0, 7, 255), (0, 255, 0), group="plant"),
            _class("stem", (1, 2), (250, 0, 0), (200, 0, 0), group="plant"),
        ),
        void=(9, 11),
        void_colors=((255, 255, 255), (5, 5, 5)),
    ),
    "binary": World(
        classes=(
            _class("background", (0,), (0, 0, 0)),
            _class("foreground", (1, 255), (255, 255, 255)),
        ),
    ),
    "white": World(
        classes=(
            _class("background", (0,), (0, 0, 0), group="all"),
            _class("cell", (255,), (255, 0, 0), group="all"),
        ),
        void=(128,),
    ),
    "tumour": World(
        classes=(
            _class("edge", (1, 5), (0, 0, 200), group="tumour"),
            _class("core", (2,), (0, 200, 0), group="tumour"),
            _class("tissue", (0,), (7, 7, 7)),
        ),
        void=(255,),
    ),
    "shifted": World(
        classes=(
            Meaning(name="one", truth=(1,), prediction=(0,), colors=((1, 0, 0),), group="x"),
            Meaning(name="two", truth=(2,), prediction=(1,), colors=((2, 0, 0),), group="y"),
            Meaning(name="three", truth=(3,), prediction=(2,), colors=((3, 3, 3),), group="x"),
        ),
        void=(255,),
    ),
    "large": World(
        classes=(
            Meaning(name="far", truth=(1000,), prediction=(300, 7), colors=((0, 0, 9),)),
            Meaning(name="near", truth=(0, 65535), prediction=(0,), colors=((0, 9, 0),), group="n"),
            Meaning(name="gone", truth=(12,), prediction=(12,), colors=((9, 0, 0),), group="n"),
        ),
        void=(40000,),
    ),
}  # classes with one value or several, with and without a background, alike on both sides or not


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A pair of masks as they are stored, and the field of view; broken: its file is cut off."""

    name: str
    truth: Stored
    prediction: Stored | None
    roi: Stored | None
    group: str = ""
    broken: bool = False


MAPS: Final[dict[str, Any]] = {
    "grey map": np.uint8,
    "16-bit map": np.uint16,
    "float32": np.float32,
    "float64": np.float64,
    "float16": np.float16,
    "float tiff": np.float32,
}
DEPTHS: Final = dict.fromkeys(("16-bit", "tiff 16-bit", "16-bit map"), 65535) | {
    "1-bit": 1,
    "nibble": 15,
    "palette 2-bit": 3,
}  # highest value of a form; 255 of the others
ALPHA: Final = {"colour alpha", "grey rgba"}
TURNED: Final = (3, 9, 27)  # unknown: a predicted value, the least of the true ones, a red


def made_pictures(row: Row, seed: int) -> list[Picture]:
    """Draw the images of a combination."""
    source = random.Random(seed)
    world = WORLDS[row["world"]]
    names = source.sample(NAMES, source.randint(2, len(NAMES)))
    pictures = [_picture(name, row, world, source) for name in sorted(names)]
    for what in ("lacking", "sizes", "broken", "roi"):
        at = source.randrange(len(pictures))
        pictures[at] = _spoilt(pictures[at], what, row[what], source)
    if all(picture.prediction is None for picture in pictures):
        pictures[0] = replace(pictures[0], prediction=pictures[0].truth)
    return pictures


def _picture(name: str, row: Row, world: World, source: random.Random) -> Picture:
    shape = (source.randint(1, 9), source.choice((source.randint(1, 9), 40)))
    classes = source.sample(range(len(world.classes)), source.randint(1, len(world.classes)))
    truth = source.choices(classes, k=1)
    while len(truth) < shape[0] * shape[1]:
        truth.append(truth[-1] if source.random() < 0.7 else source.choice(classes))
    meant = [k if source.random() < 0.8 else source.choice(classes) for k in truth]
    strange = row["strange"]
    voids = {
        "truth": source.choice((0.0, 0.0, 0.1, 0.2, 0.2, 1.0)),
        "prediction": 0.1 * (strange == "void predicted"),
    }
    odd = {side: 0.1 * (strange == f"unknown {side}") for side in voids}
    sides = {
        side: _stored(
            k, row[f"{side} form"], world, side, rates=(voids[side], odd[side]), source=source
        )
        for side, k in (("truth", truth), ("prediction", meant))
    }
    if strange == "nan" and sides["prediction"].dtype.kind == "f":
        sides["prediction"][source.randrange(len(truth))] = np.nan
    region = np.array([source.choice((0, 1, 255)) for _ in truth]).reshape(shape)
    flat = {side: _three_channels(samples, row[f"{side} form"]) for side, samples in sides.items()}
    return Picture(
        name=name,
        truth=flat["truth"].reshape(*shape, *flat["truth"].shape[1:]),
        prediction=flat["prediction"].reshape(*shape, *flat["prediction"].shape[1:]),
        roi=None if row["roi"] == UNSET else _three_channels(region, row["roi"]),
        group=f"group {ord(name[0]) % 2}" if source.random() < 0.95 else "",
    )


def _stored(
    classes: list[int],
    form: str,
    world: World,
    side: str,
    *,
    rates: tuple[float, float],
    source: random.Random,
) -> Stored:
    """Choose by which value, colour or level each pixel is stored; rates of void and unknown."""
    if form in MAPS:
        levels = [source.random() * 0.6 + 0.4 * (k > 0) for k in classes]
        levels = [source.choice((level, level, 0.3, 0.5, 1.0, 0.0)) for level in levels]
        whole = form in {"grey map", "16-bit map"}
        return (np.array(levels) * (DEPTHS.get(form, 255) if whole else 1)).astype(MAPS[form])
    colored = form.startswith("colour") or (form == "mixed" and source.random() < 0.5)
    void: tuple[Any, ...] = world.void_colors if colored else world.void
    odd: Any = tuple(TURNED) if colored else source.choice((77, 200, 200 << 20))
    values = []
    for k in classes:
        meaning = world.classes[k]
        spelt: tuple[Any, ...] = meaning.truth if side == "truth" else meaning.prediction
        chance = source.random()
        value = source.choice(meaning.colors if colored else spelt)
        if chance < rates[0] and void:
            value = source.choice(void)
        elif chance > 1 - rates[1]:
            value = odd
        values.append(value)
    return np.array(values, np.uint8 if colored else np.int64)


def _three_channels(samples: Stored, form: str) -> Stored:
    """Return grey levels as colours where they are to be stored so, and can be."""
    if form not in {"grey rgb", "grey rgba"} or samples.max() > 255:
        return samples
    return samples[..., None].astype(np.uint8).repeat(3, axis=-1)


def _spoilt(picture: Picture, what: str, how: str, source: random.Random) -> Picture:
    """Take away or change what a combination asks for, in one image."""
    if what == "lacking" and how == "prediction":
        return replace(picture, prediction=None)
    if what == "sizes" and how == "other" and picture.prediction is not None:
        times = [source.choice((1, 2, 3)) for _ in range(2)]
        larger = picture.prediction.repeat(times[0], 0).repeat(times[1], 1)
        cut = (slice(None, source.randint(1, 9)), slice(None, source.randint(1, 9)))
        return replace(picture, prediction=larger[cut])
    if what == "broken" and how == "prediction":
        return replace(picture, broken=True)
    if what == "roi" and how == "lacks one":
        return replace(picture, roi=None)
    if what == "roi" and how == "other size" and picture.roi is not None:
        return replace(picture, roi=picture.roi.repeat(2, 0))
    return picture


def encoded(samples: Stored, form: str) -> tuple[bytes, str]:
    """Return a mask as a file, and the ending of its name; a form too narrow gives way to ``npy``.

    Nothing is converted: the reader must find the samples as they are here.
    """
    if samples.ndim == 3:
        alpha = np.full((*samples.shape[:2], 1), 255, np.uint8)
        whole = np.concatenate((samples, alpha), axis=2) if form in ALPHA else samples
        return made_png(whole, color_type=2 if whole.shape[2] == 3 else 6, bits=8), ".png"
    if samples.dtype.kind == "f":
        return (made_tiff(samples), ".tif") if form == "float tiff" else (_npy(samples), ".npy")
    if form in {"npy", "mixed"} or samples.max() > DEPTHS.get(form, 255):
        return _array(samples)
    if form in {"tiff", "tiff 16-bit"}:
        return made_tiff(samples.astype(np.uint8 if form == "tiff" else np.uint16)), ".tif"
    return (made_bmp(samples, bits=8), ".bmp") if form == "bmp" else (_png(samples, form), ".png")


def _png(samples: Stored, form: str) -> bytes:
    if form.startswith("pillow"):
        return _with_pillow(samples, palette="palette" in form)
    bits = DEPTHS.get(form, 255).bit_length()
    colors = random.Random(bits).randbytes(3 << bits) if "palette" in form else None
    kind, interlaced = 3 if colors else 0, form == "interlaced"
    return made_png(samples, color_type=kind, bits=bits, interlaced=interlaced, palette=colors)


def _with_pillow(samples: Stored, *, palette: bool) -> bytes:
    """Write with a filter for every row, as most programs do."""
    image = Image.fromarray(samples.astype(np.uint8))
    if palette:
        image.putpalette(random.Random(3).randbytes(768))
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


def _array(samples: Stored) -> tuple[bytes, str]:
    kinds = [t for t in (np.bool_, np.uint8, np.int16, np.int32, np.int64) if _holds(samples, t)]
    return _npy(samples.astype(kinds[samples.size % len(kinds)])), ".npy"


def _holds(samples: Stored, kind: Any) -> bool:
    return bool((samples.astype(kind) == samples).all())


def _npy(samples: Stored) -> bytes:
    stream = io.BytesIO()
    np.save(stream, samples)
    return stream.getvalue()


def label_file(folder: Path, world: World, side: str = "") -> Path:
    """Write the classes as TOML; those of a side alone, in another order, with its values alone."""
    rows = []
    for meaning in sorted(world.classes, key=lambda each: each.name) if side else world.classes:
        values = {"truth_values": meaning.truth, "prediction_values": meaning.prediction}
        stated = {"values": values[f"{side}_values"]} if side else values
        facts = {"name": meaning.name, **stated, "colors": meaning.colors, "group": meaning.group}
        shown = (f"{key} = {json.dumps(value)}" for key, value in facts.items())
        rows.append(f"{{ {', '.join(shown)} }}")
    path = folder / f"{side or 'both'}.toml"
    void = f"void = {list(world.void)}\nvoid_colors = {json.dumps(world.void_colors)}\n"
    path.write_text(f"{void}labels = [{', '.join(rows)}]\n", encoding="utf-8")
    return path
