"""The kinds of error are told apart by everybody, and classes have lasting colours."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from made.sets import Mask

from segeval.labels.labelmap import numbered
from segeval.labels.load import builtin_names, load_labels
from segeval.pictures.palettes import class_colors, class_palette, full_palette

SIGHT = {
    "normal": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
"""What is seen of linear RGB: Machado et al. 2009, doi:10.1109/TVCG.2009.113, severity 1."""

TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
WHITE = np.array([0.95047, 1, 1.08883])


def seen(color: Mask, sight: object) -> Mask:
    """Return what is seen of a colour, in CIE L*a*b*."""
    part = color / 255
    linear = np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)
    xyz = TO_XYZ @ np.clip(np.asarray(sight) @ linear, 0, 1) / WHITE
    x, y, z = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("sight", SIGHT)
def test_kinds_of_error_look_different_to_everybody(sight: str) -> None:
    kinds = [seen(color, SIGHT[sight]) for color in class_palette().colors[:5]]
    for one, other in itertools.combinations(kinds, 2):
        assert np.linalg.norm(one - other) > 30


@pytest.mark.parametrize("name", builtin_names())
def test_every_built_in_map_has_a_colour_a_meaning(name: str) -> None:
    labels = load_labels(name)
    scheme = full_palette(labels)
    assert len(np.unique(scheme.colors, axis=0)) == len(scheme.colors)
    stated = [label.colors[0] if label.colors else None for label in labels.labels]
    for color, wanted in zip(class_colors(labels), stated, strict=True):
        assert wanted is None or np.abs(np.subtract(color, wanted)).max() <= 2 or name == "binary"


@pytest.mark.parametrize("name", [name for name in builtin_names() if name != "binary"])
def test_void_is_told_apart_from_every_class(name: str) -> None:
    labels = load_labels(name)
    scheme, classes = full_palette(labels), len(labels.labels)
    void = seen(scheme.colors[scheme.void], SIGHT["normal"])
    for color in scheme.colors[classes : 2 * classes]:
        assert np.linalg.norm(seen(color, SIGHT["normal"]) - void) > 10


def test_void_is_cream_where_the_background_is_black() -> None:
    for name, shown in (("voc", (224, 224, 192)), ("cityscapes", (16, 16, 16))):
        scheme = full_palette(load_labels(name))
        assert scheme.color(scheme.void) == shown


def test_a_found_class_has_its_colour_in_any_company() -> None:
    few, many = class_colors(numbered("found", [3, 9])), class_colors(numbered("found", range(12)))
    assert few == [many[3], many[9]]
    assert len(set(class_colors(numbered("found", range(256))))) == 256
