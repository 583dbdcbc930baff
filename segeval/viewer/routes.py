"""What the viewer answers: a table of fixed routes, and parameters that are numbers or choices.

No part of a request is ever a path; images are named by their position in the run.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any, Final
from urllib.parse import parse_qsl

import numpy as np

from segeval.errors import MaskError
from segeval.pictures.slices import picture_shape
from segeval.viewer.cache import BusyError
from segeval.viewer.catalogue import Catalogue, Query
from segeval.viewer.payloads import (
    ORDERS,
    ORDERS_OF_TWO,
    describe_image,
    describe_layer,
    describe_run,
    list_images,
)
from segeval.viewer.pixels import describe_pixel
from segeval.viewer.renderer import LAYERS, THUMBNAIL, Renderer, Wanted

SCRIPT: Final = "text/javascript; charset=utf-8"
SCRIPTS: Final = ("view", "list", "thumbnails", "image", "pictures", "pixel")
PAGE: Final = {
    "": ("page.html", "text/html; charset=utf-8"),
    "view.css": ("view.css", "text/css; charset=utf-8"),
    **{f"{name}.js": (f"{name}.js", SCRIPT) for name in SCRIPTS},
    "icon.svg": ("icon.svg", "image/svg+xml"),
}  # the files of the page by their route

LONGEST: Final = 200  # rows of the list in one answer
LONGEST_TEXT: Final = 1000  # characters of a filter


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A status, and a body of a kind."""

    body: bytes
    kind: str = "text/plain; charset=utf-8"
    status: int = 200


NOT_FOUND: Final = Answer(body=b"there is nothing of this name\n", status=404)
BUSY: Final = Answer(body=b"too many requests at once; ask again in a second\n", status=503)


class UnknownError(Exception):
    """A parameter names nothing that is there."""


class Routes:
    """The answers for one run, or two; a class may be chosen at first."""

    def __init__(self, catalogue: Catalogue, drawer: Renderer, position: int | None = None) -> None:
        self._catalogue, self._drawer, self._position = catalogue, drawer, position
        folder = resources.files(__package__) / "static"
        self._table: Mapping[str, Callable[[Mapping[str, str]], Answer]] = {
            **{
                route: _constant(Answer(body=folder.joinpath(name).read_bytes(), kind=kind))
                for route, (name, kind) in PAGE.items()
            },
            "api/run": self._run,
            "api/images": self._images,
            "api/image": self._image,
            "api/pixel": self._pixel,
            "api/layer": self._layer,
            "picture": self._picture,
        }

    def answer(self, route: str, query: str) -> Answer:
        """Answer a route, as it was sent and not decoded, with its query."""
        handler = self._table.get(route)
        if handler is None:
            return NOT_FOUND
        try:
            return handler(dict(parse_qsl(query, keep_blank_values=True, max_num_fields=16)))
        except (UnknownError, ValueError):
            return NOT_FOUND
        except MaskError as error:
            words = f"{error}\nFiles are looked for by the paths that the run holds."
            return Answer(body=words.encode("utf-8", "replace"), status=404)
        except BusyError:
            return BUSY

    def _run(self, _: Mapping[str, str]) -> Answer:
        return _json(describe_run(self._catalogue, self._drawer, self._position))

    def _images(self, given: Mapping[str, str]) -> Answer:
        found = self._catalogue.find(self._query(given))
        offset = _number(given.get("offset", "0"), 10**9)
        limit = _number(given.get("limit", "100"), LONGEST + 1)
        rows = found[offset : offset + limit].tolist()
        content: dict[str, Any] = {
            "count": len(found),
            "offset": offset,
            "rows": list_images(self._catalogue, self._query(given), rows),
        }
        if "at" in given:
            ranks = np.flatnonzero(found == self._position_of(given["at"]))
            content["rank"] = int(ranks[0]) if ranks.size else None
        return _json(content)

    def _query(self, given: Mapping[str, str]) -> Query:
        text, pair = given.get("q", ""), None
        if len(text) > LONGEST_TEXT:
            raise UnknownError
        if "pair" in given:
            classes = len(self._catalogue.parts.labels.labels)
            truth, _, predicted = given["pair"].partition("-")
            pair = _number(truth, classes), _number(predicted, classes + 1)
        groups = len(self._catalogue.groups)
        return Query(
            text=text,
            position=self._class(given),
            lowest=given.get("lowest") == "1",
            pair=pair,
            group=_number(given["group"], groups) if "group" in given else None,
            order=_choice(given.get("order", self._orders[0]), self._orders),
        )

    def _image(self, given: Mapping[str, str]) -> Answer:
        number = self._position_of(given.get("image", ""))
        return _json(describe_image(self._catalogue, self._drawer, number, self._class(given)))

    def _pixel(self, given: Mapping[str, str]) -> Answer:
        number = self._position_of(given.get("image", ""))
        infos = [side.scores.run.images[number] for side in self._catalogue.sides]
        rows, columns = (min(size) for size in zip(*map(picture_shape, infos), strict=True))
        x, y = _number(given.get("x", ""), columns), _number(given.get("y", ""), rows)
        return _json(describe_pixel(self._catalogue, self._drawer, number, x, y))

    def _layer(self, given: Mapping[str, str]) -> Answer:
        wanted = self._wanted(given)
        _choice(wanted.kind, [*LAYERS])
        return _json(describe_layer(self._drawer, wanted))

    def _picture(self, given: Mapping[str, str]) -> Answer:
        wanted = self._wanted(given)
        try:
            return Answer(body=self._drawer.draw(wanted).png, kind="image/png")
        except KeyError:
            return Answer(body=b"There is no photograph of this name.\n", status=404)

    def _wanted(self, given: Mapping[str, str]) -> Wanted:
        runs = len(self._catalogue.sides)
        opacity = _number(given["opacity"], 101) / 100 if "opacity" in given else None
        return Wanted(
            image=self._position_of(given.get("image", "")),
            kind=_choice(given.get("kind", "errors"), [*self._drawer.kinds, THUMBNAIL]),
            run=_number(given.get("run", str(runs - 1)), runs),
            position=self._class(given),
            opacity=opacity,
        )

    @property
    def _orders(self) -> Sequence[str]:
        return [*(ORDERS if self._catalogue.baseline is None else ORDERS_OF_TWO)]

    @property
    def _classes(self) -> int:
        return len(self._catalogue.scores.labels.labels)

    def _class(self, given: Mapping[str, str]) -> int | None:
        return _number(given["class"], self._classes) if "class" in given else None

    def _position_of(self, text: str) -> int:
        return _number(text, len(self._catalogue.names))


def _constant(answer: Answer) -> Callable[[Mapping[str, str]], Answer]:
    return lambda _: answer


def _json(content: Any) -> Answer:
    body = json.dumps(content, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace")
    return Answer(body=body, kind="application/json; charset=utf-8")


def _number(text: str, bound: int) -> int:
    if not re.fullmatch("[0-9]{1,10}", text) or int(text) >= bound:
        raise UnknownError
    return int(text)


def _choice(text: str, choices: Sequence[Any]) -> Any:
    if text not in choices:
        raise UnknownError
    return text
