"""A small data set in the viewer, served in a thread, for tests."""

from __future__ import annotations

import contextlib
import http.client
import json
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from made.sets import data_set, save

from segeval.counting.dataset import count_dataset
from segeval.scoring.convention import Convention
from segeval.scoring.score import label_and_score
from segeval.settings import MAX_PIXELS, LabelChoice, Source
from segeval.viewer.catalogue import Catalogue
from segeval.viewer.renderer import Renderer
from segeval.viewer.routes import Routes
from segeval.viewer.server import Viewer
from segeval.viewer.versus import side_by_side

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from segeval.counting.run import CountedRun
    from segeval.scoring.score import Scores

HOSTILE = """<script>window.hit=1</script>"'&amp; <img src=x onerror=window.hit=1>"""
NAMES = [
    *(f"{city}/street {number}" for city in ("köln", "bonn", "ulm") for number in range(6)),
    HOSTILE.replace("/", "∕"),
    "perfect",
]
PHOTOGRAPHED = sorted(NAMES)[:2]


def make_pairs(size: tuple[int, int] = (24, 40)) -> dict[str, tuple[object, object]]:
    """Return masks of four classes, of which some images lack some, with void at the top."""
    random = np.random.default_rng(11)
    pairs: dict[str, tuple[object, object]] = {}
    for number, name in enumerate(NAMES):
        truth = random.integers(0, 2 + number % 3, (6, 10)).repeat(4, axis=0).repeat(4, axis=1)
        truth = truth[: size[0], : size[1]]
        truth[0, : number % 4] = 255
        wrong = random.random(truth.shape) < 0.03 * (number % 7)
        moved = random.integers(0, 4, truth.shape)
        prediction = np.where(wrong | (truth == 255), moved, truth)
        pairs[name] = (truth, truth % 255 if name == "perfect" else prediction)
    return pairs


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A viewer that answers, and what it shows."""

    server: Viewer
    scores: Scores
    catalogue: Catalogue
    drawer: Renderer
    folder: Path

    def send(
        self, target: str, *, method: str = "GET", host: str | None = None, body: str | None = None
    ) -> tuple[int, bytes, http.client.HTTPMessage]:
        """Send a request whose target goes out as it is."""
        connection = http.client.HTTPConnection("127.0.0.1", self.server.server_port, timeout=20)
        connection.__dict__["_validate_path"] = lambda _: None
        connection.__dict__["_encode_request"] = str.encode
        with contextlib.closing(connection):
            connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
            connection.putheader("Host", host or f"127.0.0.1:{self.server.server_port}")
            if body is not None:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(None if body is None else body.encode())
            answer = connection.getresponse()
            return answer.status, answer.read(), answer.headers

    def get(self, route: str) -> tuple[int, bytes, http.client.HTTPMessage]:
        """Get a route with the token."""
        return self.send(f"/{self.server.token}/{route}")

    def json(self, route: str) -> Any:
        """Get a route that must answer with JSON."""
        status, body, headers = self.get(route)
        assert (status, headers["Content-Type"]) == (200, "application/json; charset=utf-8"), body
        return json.loads(body)


@contextlib.contextmanager
def serve(folder: Path, *, position: int | None = None) -> Iterator[Served]:
    """Write masks, and two photographs, score them and serve them; grouped by city."""
    prediction, truth = data_set(folder, make_pairs())
    ramp = np.arange(24 * 40).reshape(24, 40) % 251
    shots = {name: save(folder / "photos" / f"{name}.png", ramp) for name in PHOTOGRAPHED}
    run = count_dataset(Source(prediction=prediction, truth=truth))
    with serve_run(run, folder, shots, position=position) as served:
        yield served


@contextlib.contextmanager
def serve_run(
    run: CountedRun,
    folder: Path,
    photographs: dict[str, Path],
    *,
    position: int | None = None,
    choice: LabelChoice | None = None,
) -> Iterator[Served]:
    """Score a run and serve it; grouped by city."""
    scores = label_and_score(run, choice or LabelChoice())
    with serve_catalogue(
        Catalogue(scores, "^([^/]+)/"), folder, photographs, position=position
    ) as served:
        yield served


@contextlib.contextmanager
def serve_catalogue(
    catalogue: Catalogue, folder: Path, photographs: dict[str, Path], *, position: int | None = None
) -> Iterator[Served]:
    """Serve one run or two."""
    drawer = Renderer(
        [(side.scores, side.translation) for side in catalogue.sides],
        photographs,
        opacity=0.6,
        max_pixels=MAX_PIXELS,
    )
    with Viewer(Routes(catalogue, drawer, position)) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield Served(
                server=server,
                scores=catalogue.scores,
                catalogue=catalogue,
                drawer=drawer,
                folder=folder,
            )
        finally:
            server.shutdown()
            thread.join()


OTHER = "ulm/street 2"
"""The image whose truths differ."""


def masks_of(letter: str) -> dict[str, tuple[Any, Any]]:
    """Return the truths and predictions of a run by name."""
    pairs = {name: (np.asarray(t), np.asarray(p)) for name, (t, p) in make_pairs().items()}
    if letter == "A":
        return {"only in A": pairs["perfect"], **pairs}
    random = np.random.default_rng(3)
    for number, (name, (truth, prediction)) in enumerate(sorted(pairs.items())):
        fewer = np.where(random.random(truth.shape) < number / 20, truth % 255, prediction)
        pairs[name] = (truth, fewer if number % 3 else np.roll(prediction, number % 5, axis=1))
    truth, prediction = pairs[OTHER]
    pairs[OTHER] = ((truth + (truth == 0)).astype(truth.dtype), prediction)
    del pairs["perfect"]
    return {"only in B": (truth, truth), **pairs}


MASKS = {letter: masks_of(letter) for letter in "AB"}
SHARED = sorted(MASKS["A"].keys() & MASKS["B"].keys())


@contextlib.contextmanager
def serve_two(folder: Path) -> Iterator[Served]:
    """Write the masks of two runs, and one photograph, and serve them side by side."""
    sides = [data_set(folder / letter, masks) for letter, masks in MASKS.items()]
    first, second = (count_dataset(Source(prediction=p, truth=t)) for p, t in sides)
    catalogue = side_by_side(
        (first, second), ("a.segeval", "b.segeval"), LabelChoice(), Convention(), group_by="^(.)"
    )
    photograph = {SHARED[0]: sides[0][1] / f"{SHARED[0]}.png"}
    with serve_catalogue(catalogue, folder, photograph) as served:
        yield served
