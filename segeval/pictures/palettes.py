"""The colours of pictures: of the kinds of error, of classes, and of what is written beside them.

Pictures are arrays of codes, and a `Palette` says which colour each code has. No two codes of a
scheme have the same colour, so that pixels can be counted in a picture that has no photograph.
"""

import colorsys
import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from segeval.labels.labelmap import Label, LabelMap
from segeval.values import read_only

Color = tuple[int, int, int]
OKABE_ITO: Final[dict[str, Color]] = {
    "orange": (230, 159, 0),
    "sky blue": (86, 180, 233),
    "green": (0, 158, 115),
    "yellow": (240, 228, 66),
    "blue": (0, 114, 178),
    "vermillion": (213, 94, 0),
    "purple": (204, 121, 167),
}  # colours that the colour-blind can tell apart: Okabe and Ito 2008, Color Universal Design

TRUE_NEGATIVE: Final[Color] = (96, 96, 96)
VOIDS: Final[tuple[tuple[Color, Color], ...]] = (
    ((16, 16, 16), (56, 56, 56)),
    ((224, 224, 192), (176, 176, 144)),
    ((255, 0, 255), (176, 0, 176)),
)  # colours of void and of its stripes, the best first: black, the cream of Pascal VOC, magenta
APART: Final = 50  # distance in RGB from which void is told apart from a class
FADED: Final = 232  # grey to which correct pixels fade
KEPT: Final = 0.3  # how much of their colour stays
STRIPE: Final = 0.6  # how far stripes of wrong pixels go to white, or to black on bright colours
DISTANCES: Final[tuple[Color, ...]] = (
    (246, 190, 70),
    (240, 145, 50),
    (222, 100, 60),
    (190, 60, 90),
    (150, 35, 110),
    (108, 22, 110),
    (66, 10, 95),
    (20, 6, 50),
)  # near to far: darker at every step, so that they are told apart without their hues
FAR: Final = len(DISTANCES)  # codes after those of void: distances, then these
LONE, GROUND, SHADED = range(FAR, FAR + 3)
HAZE: Final = 0.6  # of a photograph below distances
INKS: Final = 16  # greys from white to black for what is written below a picture


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Palette:
    """What the codes of a picture look like: columns with a row a code, and the code of void.

    The last `INKS` colours are greys from white to black. ``striped`` holds the code that
    stands for each one on the stripes of the hatching, ``veiled`` the same where void alone is
    hatched, ``background`` what shows a photograph, through a ``haze`` of its own colour.
    """

    colors: NDArray[np.uint8]
    striped: NDArray[np.unsignedinteger]
    veiled: NDArray[np.unsignedinteger]
    errors: NDArray[np.bool_]
    background: NDArray[np.bool_]
    void: int
    haze: float = 0.0

    @property
    def paper(self) -> int:
        """Code of white; the darker inks follow it."""
        return len(self.colors) - INKS

    def color(self, code: int) -> Color:
        """Return the colour of a code."""
        red, green, blue = self.colors[code].tolist()
        return red, green, blue


def palette_of(labels: LabelMap, position: int | None) -> Palette:
    """Return the scheme of the class at a position, or of all classes if that is None."""
    return full_palette(labels) if position is None else class_palette()


def class_palette() -> Palette:
    """Return the scheme of one class, whose codes are those of `errormaps.Kind`."""
    kinds = [
        TRUE_NEGATIVE,
        OKABE_ITO["vermillion"],
        OKABE_ITO["yellow"],
        OKABE_ITO["sky blue"],
        *VOIDS[0],
    ]
    return _scheme(kinds, striped={4: 5}, errors=range(1, 3), background=[0], void=4)


def full_palette(labels: LabelMap) -> Palette:
    """Return the scheme of all K classes, or of all parts, for the codes of `all_errors`."""
    own = part_colors(labels)
    count = len(own)
    faded = [_mix(color, (FADED, FADED, FADED), 1 - KEPT) for color in own]
    stripes = [
        _mix(color, (0, 0, 0) if _is_bright(color) else (255, 255, 255), STRIPE) for color in own
    ]
    return _scheme(
        [*faded, *own, *stripes, *_void_colors(own)],
        striped={code: code + count for code in range(count, 2 * count)}
        | {3 * count: 3 * count + 1},
        errors=range(count, 3 * count),
        background=range(count),
        void=3 * count,
    )


def with_distances(scheme: Palette) -> Palette:
    """Return a scheme with the colours of distances after its own, before the inks.

    Then come those of borders without another side, and of the ground: outside and inside the
    class that is drawn. Photographs are hazy, as far borders are dark.
    """
    grounds = [(FADED, FADED, FADED), (FADED - 28,) * 3]
    kinds = [
        *(scheme.color(code) for code in range(scheme.paper)),
        *DISTANCES,
        OKABE_ITO["blue"],
        *grounds,
    ]
    first = scheme.paper
    striped = [code for code in range(first) if scheme.striped[code] != code]
    scheme = _scheme(
        kinds,
        striped={code: int(scheme.striped[code]) for code in striped},
        errors=range(first, first + FAR + 1),
        background=[*np.flatnonzero(scheme.background), first + GROUND, first + SHADED],
        void=scheme.void,
    )
    return replace(scheme, haze=HAZE)


def _void_colors(classes: Sequence[Color]) -> tuple[Color, Color]:
    """Return the first colours of void that no class comes near, or those furthest from all."""
    taken = np.array(classes, np.float64)
    far = [np.linalg.norm(taken - color, axis=1).min() for color, _ in VOIDS]
    return VOIDS[int(np.argmax(np.minimum(far, APART)))]


def _scheme(
    kinds: list[Color],
    *,
    striped: dict[int, int],
    errors: Iterable[int],
    background: Iterable[int],
    void: int,
) -> Palette:
    """Add the inks, make colours distinct, those of errors first, and put the tables together."""
    inks = [(level, level, level) for level in np.linspace(255, 0, INKS).astype(int).tolist()]
    colors, size = [*kinds, *inks], len(kinds) + INKS
    is_error, is_background = np.zeros((2, size), np.bool_)
    is_error[list(errors)] = is_background[list(background)] = True
    order = sorted(range(size), key=lambda code: not is_error[code])
    distinct = np.empty((size, 3), np.uint8)
    distinct[order] = _distinct([colors[code] for code in order])
    lookup = np.arange(size, dtype=np.min_scalar_type(size - 1))
    veiled = lookup.copy()
    veiled[void] = striped[void]
    lookup[list(striped)] = list(striped.values())
    return Palette(
        colors=read_only(distinct),
        striped=read_only(lookup),
        veiled=read_only(veiled),
        errors=read_only(is_error),
        background=read_only(is_background),
        void=void,
    )


def class_colors(labels: LabelMap) -> list[Color]:
    """Return the colour of each class: the first of its label, or one that goes with its value.

    Classes found in the values of a data set so have the colours that they have in any other. A
    foreground beside a background has that of true positives, whatever its label says.

    >>> from segeval.labels.labelmap import numbered
    >>> class_colors(numbered("found", [1, 3])), class_colors(numbered("found", [0, 3]))
    ([(230, 159, 0), (0, 158, 115)], [(96, 96, 96), (86, 180, 233)])
    """
    if labels.foreground is not None:
        colors = [TRUE_NEGATIVE, OKABE_ITO["sky blue"]]
        return colors if labels.foreground == 1 else colors[::-1]
    numbered = enumerate(labels.labels)
    if labels.overlap:  # they share values
        return _distinct(
            [label.colors[0] if label.colors else _nth_color(k + 1) for k, label in numbered]
        )
    return _distinct([_color_of(label, index) for index, label in numbered])


def part_colors(labels: LabelMap) -> list[Color]:
    """Return the colour of each class, or of each of the parts of overlapping ones.

    A part has the colour of the last of its classes, as if they were painted one over the other,
    unless fewer classes have it; then it is the mean of its classes.
    """
    if not labels.overlap:
        return class_colors(labels)
    own, sets = class_colors(labels), labels.sets
    colors: dict[tuple[int, ...], Color] = {(): _nth_color(0)}
    for each in sorted(filter(None, sets), key=len):
        red, green, blue = np.mean([own[k] for k in each], axis=0).round().astype(int).tolist()
        colors[each] = (red, green, blue) if own[each[-1]] in colors.values() else own[each[-1]]
    return _distinct([colors[each] for each in sets])


def _color_of(label: Label, index: int) -> Color:
    if label.colors:
        return label.colors[0]
    value = label.truth_values[0] if label.truth_values else index
    return _nth_color(value if 0 <= value < 1 << 16 else index)


def _nth_color(number: int) -> Color:
    """Return the colour of a value: grey for 0, then Okabe and Ito's, then hues far apart."""
    first = [(153, 153, 153), *OKABE_ITO.values()]
    if number < len(first):
        return first[number]
    hue = number * 0.618034 % 1
    lightness, saturation = (0.38, 0.55, 0.72)[number % 3], (0.85, 0.5)[number % 2]
    red, green, blue = colorsys.hls_to_rgb(hue, lightness, saturation)
    return round(red * 255), round(green * 255), round(blue * 255)


def _mix(color: Color, other: Color, share: float) -> Color:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(color, other, strict=True))
    return red, green, blue


def _is_bright(color: Color) -> bool:
    return 0.299 * color[0] + 0.587 * color[1] + 0.114 * color[2] > 128


def _distinct(colors: Iterable[Color]) -> list[Color]:
    """Move each colour that occurs before by as little as tells them apart.

    >>> _distinct([(0, 0, 0), (0, 0, 0), (0, 0, 1), (255, 255, 255), (255, 255, 255)])
    [(0, 0, 0), (0, 0, 1), (0, 0, 2), (255, 255, 255), (254, 254, 254)]
    """
    seen: dict[Color, None] = {}
    near: dict[Color, Iterator[Color]] = {}
    for color in colors:
        others = near.setdefault(color, _neighbours(color))
        seen[next(other for other in others if other not in seen)] = None
    return list(seen)


def _neighbours(color: Color) -> Iterator[Color]:
    """Yield a colour, and then all others by how far they are from it in any channel."""
    for far in range(256):
        ranges = (range(max(0, c - far), min(255, c + far) + 1) for c in color)
        for red, green, blue in itertools.product(*ranges):
            steps = abs(red - color[0]), abs(green - color[1]), abs(blue - color[2])
            if max(steps) == far:
                yield red, green, blue
