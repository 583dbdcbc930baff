"""Make believable masks to measure with; the same ones come out every time.

Truths are drawn from simple shapes: large smooth regions and thin objects. Predictions are the
truths with shifted, wavy borders, patches confused with another class, and small blobs.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Mask: TypeAlias = NDArray[np.uint8]

(ROAD, SIDEWALK, BUILDING, WALL, FENCE, POLE, LIGHT, SIGN, VEGETATION, TERRAIN) = range(10)
(SKY, PERSON, RIDER, CAR, TRUCK, BUS, TRAIN, MOTORCYCLE, BICYCLE) = range(10, 19)
VOID: Final = 255
FOREGROUND: Final = 255

VEHICLES: Final = (CAR, CAR, CAR, CAR, TRUCK, BUS, TRAIN, MOTORCYCLE, BICYCLE)
CIRCLE: Final = np.stack([np.cos(np.arange(12) * np.pi / 6), np.sin(np.arange(12) * np.pi / 6)], 1)
CONFUSED: Final = {
    ROAD: SIDEWALK,
    SIDEWALK: ROAD,
    BUILDING: WALL,
    WALL: FENCE,
    FENCE: VEGETATION,
    VEGETATION: TERRAIN,
    TERRAIN: VEGETATION,
    PERSON: RIDER,
    CAR: TRUCK,
    TRUCK: BUS,
    BUS: TRAIN,
    BICYCLE: MOTORCYCLE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of masks: its size, its classes, how a truth is drawn, how a model errs.

    ``confused`` says which value is taken for which in places, ``void`` what is predicted wherever
    the truth is void, ``form`` how files store a mask.
    """

    name: str
    height: int
    width: int
    classes: int
    draw: Callable[[Scene], None]
    confused: Mapping[int, int]
    void: Mapping[int, int] = field(default_factory=dict)
    form: str = "grey"

    @property
    def title(self) -> str:
        """Name, size and number of classes in words."""
        return f"{self.name} {self.width}×{self.height}, {self.classes} classes"

    def stored_as(self, form: str) -> Kind:
        """Return the same masks in another form."""
        return replace(self, name=f"{self.name} as {form}", form=form)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A truth that is being drawn: its canvas, its size, and chance."""

    canvas: ImageDraw.ImageDraw
    height: int
    width: int
    random: np.random.Generator

    @property
    def unit(self) -> float:
        """A pixel of a scene that is 1024 pixels high."""
        return self.height / 1024

    def lump(self, x: float, y: float, r: float, fill: int) -> None:
        """Draw a crown, a bush, a bag: overlapping ellipses around a point."""
        for dx, dy, size in self.random.uniform((-0.7, -0.7, 0.3), (0.7, 0.7, 0.8), (9, 3)) * r:
            u, v = x + dx, y + dy
            self.canvas.ellipse((u - size, v - size, u + size, v + size), fill=fill)

    def vehicle(self, x: float, y: float, s: float, fill: int) -> None:
        """Draw a vehicle that stands on a point: a body, a slanted cabin and two wheels."""
        high, slope = s * self.random.uniform((0.45, 0.1), (0.8, 0.4))
        self.canvas.rounded_rectangle((x - s, y - 0.6 * high, x + s, y), radius=s / 6, fill=fill)
        roof = [(x - s, y - high / 2), (x - s + slope, y - high), (x + s - slope, y - high)]
        self.canvas.polygon([*roof, (x + s, y - high / 2)], fill=fill)
        for wheel in (x - 0.6 * s, x + 0.6 * s):
            corners = (wheel - s / 5, y - s / 5, wheel + s / 5, y + s / 5)
            self.canvas.ellipse(corners, fill=fill)

    def figure(self, x: float, y: float, s: float, fill: int) -> None:
        """Draw a person whose feet are at a point: head, body, thin arms and legs."""
        self.canvas.ellipse((x - s / 9, y - s, x + s / 9, y - 0.78 * s), fill=fill)
        trunk = (x - s / 6, y - 0.8 * s, x + s / 6, y - 0.4 * s)
        self.canvas.rounded_rectangle(trunk, radius=s / 12, fill=fill)
        thin = max(1, round(s / 12))
        for side in (-s, s):
            foot, hand = self.random.uniform((0.03, 0.18), (0.25, 0.4)) * side
            self.canvas.line((x + side / 10, y - s / 2, x + foot, y), fill=fill, width=thin)
            shoulder = (x + side / 7, y - 0.75 * s)
            self.canvas.line((*shoulder, x + hand, y - 0.35 * s), fill=fill, width=thin)


def draw_street(scene: Scene) -> None:
    """Draw a street as a camera in a car sees it; the car's own bonnet is void."""
    random, unit, height, width = scene.random, scene.unit, scene.height, scene.width
    horizon = height * random.uniform(0.4, 0.48)
    _draw_backdrop(scene, horizon)
    _draw_ground(scene, horizon)
    for y in np.sort(random.uniform(horizon, height * 0.75, 10)):
        size = (y - horizon) * 0.45 + 25 * unit
        scene.vehicle(random.uniform(0, width), y, size, int(random.choice(VEHICLES)))
    for _ in range(8):
        x, far = random.uniform(0, width), random.uniform(20, 200) * unit
        fill = int(random.choice((PERSON, PERSON, RIDER)))
        scene.figure(x, horizon + far, far * 0.8 + 50 * unit, fill)
    for x in random.uniform(0, width, 9):
        top, thick = horizon - random.uniform(150, 400) * unit, random.uniform(3, 10) * unit
        scene.canvas.rectangle((x, top, x + thick, horizon + 60 * unit), fill=POLE)
        plate = (x - 14 * unit, top, x + 20 * unit, top + 50 * unit)
        scene.canvas.rectangle(plate, fill=int(random.choice((LIGHT, SIGN))))
    scene.canvas.ellipse((-width / 8, height * 0.9, width * 1.125, height * 1.2), fill=VOID)


def _draw_backdrop(scene: Scene, horizon: float) -> None:
    """Draw the sky, and houses and trees with walls, fences and hedges at their feet."""
    random, unit = scene.random, scene.unit
    scene.canvas.rectangle((0, 0, scene.width, scene.height), fill=SKY)
    left = 0.0
    while left < scene.width:
        wide, top, roof = random.uniform((120, 0, 0), (420, 260, 60)) * unit
        right, eaves = left + wide, top + roof
        if random.random() < 0.6:
            walls = [(left, horizon), (left, eaves), (left + wide / 2, top), (right, eaves)]
            scene.canvas.polygon([*walls, (right, horizon)], fill=BUILDING)
        else:
            scene.lump(left + wide / 2, horizon - wide / 2, wide / 1.6, VEGETATION)
        base = horizon - random.uniform(30, 80) * unit
        foot = int(random.choice((WALL, FENCE, TERRAIN, VEGETATION, BUILDING)))
        scene.canvas.rectangle((left, base, right, horizon), fill=foot)
        left += wide * random.uniform(0.7, 1.0)


def _draw_ground(scene: Scene, horizon: float) -> None:
    """Draw pavements, and a road that widens towards the camera."""
    scene.canvas.rectangle((0, horizon, scene.width, scene.height), fill=SIDEWALK)
    middle = scene.width * scene.random.uniform(0.4, 0.6)
    far, near = 60 * scene.unit, scene.width * 0.42
    away = [(middle - far, horizon), (middle + far, horizon)]
    here = [(middle + near, scene.height), (middle - near, scene.height)]
    scene.canvas.polygon([*away, *here], fill=ROAD)


def draw_objects(scene: Scene) -> None:
    """Draw a person, and mostly a second thing on a thin line."""
    random = scene.random
    x, y = scene.width * random.uniform(0.25, 0.6), scene.height * random.uniform(0.7, 0.95)
    size = scene.height * random.uniform(0.4, 0.7)
    scene.figure(x, y, size, FOREGROUND)
    if random.random() < 0.7:
        other = x + size * random.uniform(0.4, 0.8)
        scene.lump(other, y - size / 6, size / 5, FOREGROUND)
        line = (x + size / 5, y - size / 2, other, y - size / 6)
        scene.canvas.line(line, fill=FOREGROUND, width=2)


def draw_things(scene: Scene) -> None:
    """Draw one to three things of the 20 classes of Pascal VOC, each within a rim of void."""
    random = scene.random
    for fill in random.integers(1, 21, random.integers(1, 4)):
        x, y = random.uniform(0.15, 0.85, 2) * (scene.width, scene.height)
        size = scene.height * random.uniform(0.1, 0.35)
        outline = random.uniform(0.6, 1.0, 12)[:, None] * size * CIRCLE + (x, y)
        points = [(float(u), float(v)) for u, v in outline]
        scene.canvas.polygon(points, fill=int(fill), outline=VOID, width=5)


def draw_noise(scene: Scene) -> None:
    """Give every pixel a class of its own."""
    noise = scene.random.integers(0, 19, (scene.height, scene.width))
    for value in range(1, 19):
        rows, columns = np.nonzero(noise == value)
        scene.canvas.point(np.column_stack([columns, rows]).ravel().tolist(), fill=value)


def make_pair(kind: Kind, number: int) -> tuple[Mask, Mask]:
    """Make the prediction and the truth of one pair."""
    random = np.random.default_rng([2048, kind.width, number])
    image = Image.new("L", (kind.width, kind.height))
    canvas = ImageDraw.Draw(image)
    scene = Scene(canvas=canvas, height=kind.height, width=kind.width, random=random)
    kind.draw(scene)
    truth = _bend(np.asarray(image), 4 * scene.unit, random)
    return predict(truth, kind, random), truth


def predict(truth: Mask, kind: Kind, random: np.random.Generator) -> Mask:
    """Err as a model does: wavy borders, confused patches, small blobs."""
    unit = kind.height / 1024
    prediction = _replace(_bend(truth, 6 * unit, random), kind.void)
    for _ in range(12):
        box, inside = _ellipse(prediction, 40 * unit, random)
        box[inside] = _replace(box[inside], kind.confused)
    values = np.unique(prediction)
    for _ in range(12):
        box, inside = _ellipse(prediction, 8 * unit, random)
        box[inside] = random.choice(values)
    return prediction


def _bend(mask: Mask, scale: float, random: np.random.Generator) -> Mask:
    """Give all borders a wave of about so many pixels."""
    height, width = mask.shape
    rows = np.arange(height)[:, None] + _waves(width, scale, random)[None, :]
    columns = np.arange(width)[None, :] + _waves(height, scale, random)[:, None]
    bent: Mask = mask[rows.clip(0, height - 1), columns.clip(0, width - 1)]
    return bent


def _waves(length: int, scale: float, random: np.random.Generator) -> NDArray[np.intp]:
    """Return shifts along an axis: a slow wave, a quick one and a small one."""
    where, shift = np.arange(length), np.zeros(length)
    for period, height in ((97, 0.6), (23, 0.3), (7, 0.2)):
        shift += height * scale * np.sin(where / period + random.uniform(0, 6.28))
    return np.rint(shift).astype(np.intp)


def _replace(mask: Mask, values: Mapping[int, int]) -> Mask:
    """Replace values by others, all at once."""
    table = np.arange(256, dtype=np.uint8)
    table[list(values)] = list(values.values())
    replaced: Mask = table[mask]
    return replaced


def _ellipse(
    mask: Mask, size: float, random: np.random.Generator
) -> tuple[Mask, NDArray[np.bool_]]:
    """Pick an ellipse at a random place: a view of its box, and which of its pixels are inside."""
    a, b = random.uniform(0.5, 1.5, 2) * size + 1
    y, x = (random.uniform((0, 0), np.subtract(mask.shape, (2 * a, 2 * b)))).astype(int)
    box = mask[y : int(y + 2 * a), x : int(x + 2 * b)]
    rows, columns = (np.linspace(-1, 1, length) for length in box.shape)
    return box, rows[:, None] ** 2 + columns[None, :] ** 2 < 1


STREETS: Final = Kind(
    name="streets",
    height=1024,
    width=2048,
    classes=19,
    draw=draw_street,
    confused=CONFUSED,
    void={VOID: ROAD},
)
SMALL_STREETS: Final = replace(STREETS, name="small streets", height=128, width=256)
HALF_STREETS: Final = replace(STREETS, name="half streets", height=512, width=1024)
THINGS: Final = Kind(
    name="things",
    height=512,
    width=512,
    classes=21,
    draw=draw_things,
    confused={value: value % 20 + 1 for value in range(1, 21)},
    void={VOID: 0},
    form="palette",
)
NOISE: Final = replace(HALF_STREETS, name="noise", width=512, draw=draw_noise)
OBJECTS: Final = Kind(
    name="objects",
    height=480,
    width=854,
    classes=2,
    draw=draw_objects,
    confused={0: FOREGROUND, FOREGROUND: 0},
)
TINY: Final = replace(OBJECTS, name="tiny objects", height=160, width=160)
