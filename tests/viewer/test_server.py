"""The viewer answers this machine, with the token, from a table of routes, and nothing else."""

from __future__ import annotations

import concurrent.futures
import contextlib
import io
import re
import socket
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from made.viewer import HOSTILE, NAMES, PHOTOGRAPHED, Served, serve
from PIL import Image

from segeval.errors import SettingError
from segeval.pictures.classmaps import read_classes
from segeval.pictures.overlay import Style, draw_picture
from segeval.pictures.palettes import VOIDS, palette_of
from segeval.settings import Reading
from segeval.viewer.cache import WAITING, BusyError, SizedCache, Turns
from segeval.viewer.renderer import KINDS, NO_CARD
from segeval.viewer.server import CONNECTIONS, Viewer

ROUTES = [
    *("", "view.css", "view.js", "list.js", "image.js", "icon.svg"),
    *("api/run", "api/images", "api/image?image=0", "api/layer?image=1&kind=distances"),
]
PICTURES = [f"picture?image=1&kind={k}" for k in KINDS]
SECRET = "the content of a file that nobody may read"
OPENED: list[str] = []
"""Paths that threads of a server open while it is watched; such hooks cannot be taken away."""
WATCHED = [False]


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if WATCHED[0] and event == "open" and "process_request" in threading.current_thread().name:
        OPENED.append(str(arguments[0]))


sys.addaudithook(_watch)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("viewed")
    (folder / "secret.txt").write_text(SECRET, "utf-8")
    (folder / "link").symlink_to(folder / "secret.txt")
    with serve(folder) as running:
        yield running


@pytest.fixture
def opened() -> Iterator[list[str]]:
    OPENED.clear()
    WATCHED[0] = True
    yield OPENED
    WATCHED[0] = False


@pytest.mark.parametrize("route", [*ROUTES, *PICTURES])
def test_every_route_answers_with_the_token_and_only_with_it(served: Served, route: str) -> None:
    status, body, headers = served.get(route)
    assert (status, bool(body)) == (200, True)
    assert int(headers["Content-Length"]) == len(body)
    token = served.server.token
    for wrong in ("", "x", token[:-1], token + "x", token.swapcase(), "ä" + token[1:]):
        status, body, _ = served.send(f"/{wrong}/{route}")
        assert (status, b"segeval view printed" in body) == (403, True)
    assert served.send(f"/{route}")[0] == 403
    assert served.send("/")[0] == 403
    assert served.send(f"/{token}")[0] == 404


@pytest.mark.parametrize("route", [*ROUTES, *PICTURES, "nothing", "api/image?image=x"])
def test_every_answer_forbids_what_the_page_does_not_need(served: Served, route: str) -> None:
    for target, host in ((f"/{served.server.token}/{route}", None), ("/", None), ("/", "evil")):
        headers = served.send(target, host=host)[2]
        policy = headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'")
        assert "unsafe" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cache-Control"] == "no-store"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Server"] == "segeval"
        assert not [name for name in headers if name.lower().startswith("access-control")]


def test_the_token_cannot_be_guessed_and_is_another_one_each_time(served: Served) -> None:
    with Viewer(served.server.routes) as other:
        assert other.token != served.server.token
        assert len(other.token) >= 43
        assert other.server_address[0] == "127.0.0.1"
        assert other.server_port != served.server.server_port
        assert other.url == f"http://127.0.0.1:{other.server_port}/{other.token}/"


def test_only_this_machine_is_a_host(served: Served) -> None:
    port, path = served.server.server_port, f"/{served.server.token}/"
    for host in (f"127.0.0.1:{port}", f"localhost:{port}", f"LOCALHOST:{port}"):
        assert served.send(path, host=host)[0] == 200
    for host in (
        *("evil.example", f"evil.example:{port}", "127.0.0.1", "localhost", " "),
        *(f"127.0.0.1.evil.example:{port}", f"localhost.:{port}", f"0.0.0.0:{port}"),
        *(f"127.0.0.1:{port + 1}", f"[::1]:{port}", f"127.1:{port}"),
        *(f"evil@127.0.0.1:{port}", f"127.0.0.1:{port}, evil"),
    ):
        assert served.send(path, host=host)[0] == 403, host


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "FOO"])
def test_other_methods_are_refused(served: Served, method: str) -> None:
    status, body, headers = served.send(f"/{served.server.token}/", method=method, body="a=1")
    assert (status, headers["Allow"]) == (405, "GET, HEAD")
    assert body == b"Method Not Allowed\n"


@pytest.mark.parametrize("route", [*ROUTES, *PICTURES, "nothing"])
def test_head_is_get_without_the_body(served: Served, route: str) -> None:
    target = f"/{served.server.token}/{route}"
    got, head = served.send(target), served.send(target, method="HEAD")
    assert head[:2] == (got[0], b"")
    assert {**head[2], "Date": ""} == {**got[2], "Date": ""}


TRICKS = [
    *("..", "../", "../secret.txt", "../../secret.txt", "./view.js", "view.js/", "view.js/..", "/"),
    *("%2e%2e/secret.txt", "%2e%2e%2fsecret.txt", "%252e%252e%252fsecret.txt", "..%2fsecret.txt"),
    *("..\\secret.txt", "..%5csecret.txt", "%5c..%5csecret.txt", "....//secret.txt", "link"),
    *("/etc/passwd", "//etc/passwd", "file:///etc/passwd", "C:\\Windows\\win.ini", "~/.ssh/id_rsa"),
    *("view.js%00", "view.js%00.png", "%00", "view%2ejs", "VIEW.JS", "view.js;x", "api", "api/"),
    *("api//images", "api/../view.js", "static/view.js", "__init__.py", "server.py", "page.html"),
    *("%c0%ae%c0%ae/secret.txt", "\u2025/secret.txt", "a" * 8000),
    *("a" * 9000, "picture/0", "picture/../../secret.txt", "truth/perfect.png", "secret.txt", "*"),
]


@pytest.mark.parametrize("trick", TRICKS, ids=lambda trick: trick[:30])
def test_no_path_leads_anywhere(served: Served, opened: list[str], trick: str) -> None:
    status, body, _ = served.get(trick)
    assert (status, body) == (404, b"there is nothing of this name\n")
    assert opened == []


def test_parameters_are_numbers_and_choices_and_never_paths(
    served: Served, opened: list[str]
) -> None:
    name, count = str(served.folder / "secret.txt"), len(NAMES)
    odd = ("", "-1", "9" * 40, "0x1", "1.0", "+1", "1e0", "%D9%A3", "..", "%00", "1%0a", name)
    for value in (str(count), *odd):
        for route in ("picture?image={}", "api/image?image={}", "picture?image=0&class={}"):
            assert served.get(route.format(value))[0] == 404
        for key in ("class", "group", "at", *(["offset", "limit"] if value in odd else [])):
            assert served.get(f"api/images?{key}={value}")[0] == 404
    for kind in ("", "secret", "../truth", "Truth", name):
        assert served.get(f"picture?image=0&kind={kind}")[0] == 404
    for pair in ("", "0", "-", "0-9", "9-0", "0-0-0", "a-b", "0-1-"):
        assert served.get(f"api/images?pair={pair}")[0] == 404
    assert served.get("api/images?order=random")[0] == 404
    assert served.get("api/images?limit=201")[0] == 404
    assert served.get("api/images?q=" + "a" * 1001)[0] == 404
    assert served.get("api/images?" + "&".join(f"x{n}=1" for n in range(17)))[0] == 404
    assert opened == []


@given(st.one_of(st.text(st.characters(max_codepoint=255), max_size=60), st.sampled_from(TRICKS)))
@example("view.js")
def test_whatever_is_asked_for_no_file_is_opened(served: Served, target: str) -> None:
    known = {f"/{served.server.token}/{route.partition('?')[0]}" for route in ROUTES}
    clean = re.sub(r"[\x00-\x20\x7f-\xa0]", "_", target)
    OPENED.clear()
    WATCHED[0] = True
    try:
        for path in (clean, f"/{clean}", f"/{served.server.token}/{clean}"):
            status, body, _ = served.send(path or "/")
            route = path.partition("?")[0]
            assert status in ({200, 404} if route in known else {400, 403, 404}), path
            assert SECRET.encode() not in body
        assert OPENED == []
    finally:
        WATCHED[0] = False


def test_a_file_that_is_opened_is_noticed(served: Served, opened: list[str]) -> None:
    assert served.get("picture?image=5&kind=truth")[0] == 200
    paths = [Path(path) for path in opened if path.endswith(".png")]  # and modules, the first time
    read = {path.relative_to(served.folder).as_posix() for path in paths}
    name = served.catalogue.names[5]
    assert read == {f"truth/{name}.png", f"pred/{name}.png"}


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET\r\n\r\n", 400),
        (b"GET / HTTP/9.9\r\nHost: x\r\n\r\n", 505),
        (b"GET / HTTP/x\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 403),
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 403),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
        (b"GET /" + b"a" * 70000 + b" HTTP/1.1\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\nX: " + b"a" * 70000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\n" + b"X: 1\r\n" * 200 + b"\r\n", 431),
        (b"GET http://evil/ HTTP/1.1\r\nHost: evil\r\n\r\n", 403),
    ],
    ids="cut version-9 version-x no-host two-hosts tls long-line long-field many evil".split(),
)
def test_broken_requests_are_refused(served: Served, sent: bytes, status: int) -> None:
    with socket.create_connection(("127.0.0.1", served.server.server_port), timeout=20) as client:
        client.sendall(sent)
        assert client.recv(4096).startswith(f"HTTP/1.0 {status} ".encode())
    assert served.get("")[0] == 200


def test_slow_requests_are_cut_off(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(served.server, "deadline", 0.3)
    begun, address = time.monotonic(), ("127.0.0.1", served.server.server_port)
    with contextlib.suppress(OSError), socket.create_connection(address, timeout=20) as client:
        while time.monotonic() - begun < 15:  # until a broken pipe or a reset, as it comes
            client.sendall(b"G")
            time.sleep(0.02)
    assert 0.2 < time.monotonic() - begun < 10


@pytest.mark.slow
def test_too_many_connections_are_refused_and_room_is_made_again(served: Served) -> None:
    address = ("127.0.0.1", served.server.server_port)
    idle = [socket.create_connection(address, timeout=20) for _ in range(CONNECTIONS + 8)]
    told = []
    for client in idle:
        client.settimeout(0.05)
        with contextlib.suppress(TimeoutError):
            told.append(client.recv(4096).decode())
    assert [text.split("\r\n")[0] for text in told] == ["HTTP/1.0 503 Service Unavailable"] * 8
    assert all("Retry-After: 1\r\n" in text and "default-src 'none'" in text for text in told)
    for client in idle:
        client.close()
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            assert served.get("")[0] == 200
            break
        except OSError:
            time.sleep(0.05)
    else:
        pytest.fail("no room was made")


def test_many_at_once_get_what_one_gets(served: Served) -> None:
    routes = [*ROUTES, *PICTURES, *(f"picture?image={n}" for n in range(len(NAMES)))] * 3
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        bodies = list(pool.map(lambda route: served.get(route)[:2], routes))
    assert bodies == [served.get(route)[:2] for route in routes]


def test_a_burst_is_served_in_full_to_those_who_come_back(tmp_path: Path) -> None:
    refused = []

    def fetch(served: Served, number: int) -> int:
        route = f"picture?image={number % len(NAMES)}&class={number % 4}"
        while (answer := served.get(route))[0] == 503:
            assert answer[2]["Retry-After"] == "1"
            refused.append(number)
            time.sleep(0.05)
        return answer[0]

    count = 2 * CONNECTIONS
    with serve(tmp_path) as served, concurrent.futures.ThreadPoolExecutor(count) as pool:
        with served.drawer._kept._making.taken():
            answers = [pool.submit(fetch, served, number) for number in range(count)]
            while len(refused) < count - CONNECTIONS:
                time.sleep(0.01)
        assert [answer.result(20) for answer in answers] == [200] * count


def test_pictures_wait_for_their_turn_or_are_asked_for_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("segeval.viewer.cache.WAITING", 0)
    with serve(tmp_path) as served, contextlib.ExitStack() as stack:
        kept = served.get("picture?image=2")[1]
        stack.enter_context(served.drawer._kept._making.taken())
        status, body, headers = served.get("picture?image=2&class=2")
        assert (status, headers["Retry-After"]) == (503, "1")
        assert b"ask again in a second" in body
        assert served.get("picture?image=2")[:2] == (200, kept)
        assert served.get("api/image?image=2")[0] == 200
        stack.close()
        assert served.get("picture?image=2&class=2")[0] == 200


def test_turns_come_in_the_order_of_asking() -> None:
    turns, order = Turns(), []

    def work(number: int) -> None:
        with turns.taken():
            order.append(number)

    with concurrent.futures.ThreadPoolExecutor(WAITING) as pool, turns.taken():
        for number in range(WAITING):
            pool.submit(work, number)
            while turns._given < number + 2:
                time.sleep(0.001)
        with pytest.raises(BusyError), turns.taken():
            pass
    assert order == [*range(WAITING)]


def test_a_port_that_is_taken_is_a_usage_error(served: Served) -> None:
    with pytest.raises(SettingError, match="leave it out for any free port"):
        Viewer(served.server.routes, served.server.server_port)


# ---- pictures


def pixels(content: bytes) -> Any:
    with Image.open(io.BytesIO(content)) as image:
        assert image.format == "PNG"
        return np.asarray(image.convert("RGB"))


@pytest.mark.parametrize("position", [None, 0, 3])
def test_errors_are_what_overlay_draws(served: Served, position: int | None) -> None:
    scores, drawer = served.scores, served.drawer
    chosen = "" if position is None else f"&class={position}"
    for number, image in enumerate(scores.run.images):
        counted, translation = scores.run.image(number), served.catalogue.translation
        sides = read_classes(image.pair, Reading(), translation, counted)
        photograph = None
        if image.name in drawer.photographs:
            grey = np.asarray(Image.open(drawer.photographs[image.name]))
            photograph = np.stack([grey] * 3, axis=-1)
        style = Style(
            scheme=palette_of(scores.labels, position),
            position=position,
            classes=4,
            plain=True,
            opacity=0.6,
        )
        expected = draw_picture(*sides, style, NO_CARD, photograph)
        assert served.get(f"picture?image={number}&kind=errors{chosen}")[1] == expected
    assert len(drawer.photographs) == 2


def test_truth_and_prediction_have_the_colours_of_the_legend(served: Served) -> None:
    for number in range(len(NAMES)):
        legend = served.json(f"api/image?image={number}")["sides"][0]["legend"]
        for kind in ("truth", "prediction"):
            shown = pixels(served.get(f"picture?image={number}&kind={kind}")[1]).reshape(-1, 3)
            colors, counts = np.unique(shown, axis=0, return_counts=True)
            found = {
                "#{:02x}{:02x}{:02x}".format(*color): count
                for color, count in zip(colors.tolist(), counts.tolist(), strict=True)
            }
            void, stripes = ("#{:02x}{:02x}{:02x}".format(*color) for color in VOIDS[0])
            if stripes in found:
                found[void] = found.get(void, 0) + found.pop(stripes)
            listed = {
                row["color"]: int(row["pixels"].replace("\N{NO-BREAK SPACE}", ""))
                for row in legend[kind]
            }
            assert found == listed


def test_photographs_are_shown_as_they_are_or_missing(served: Served) -> None:
    number = served.catalogue.names.index(PHOTOGRAPHED[0])
    shown = pixels(served.get(f"picture?image={number}&kind=photograph")[1])
    assert np.array_equal(shown[:, :, 0].ravel(), np.arange(960) % 251)
    number = served.catalogue.names.index("perfect")
    status, body, _ = served.get(f"picture?image={number}&kind=photograph")
    assert (status, body) == (404, b"There is no photograph of this name.\n")


def test_files_that_are_gone_or_changed_are_said(tmp_path: Path) -> None:
    with serve(tmp_path) as served:
        names = served.catalogue.names
        gone, changed, broken = (
            names.index(n) for n in ("bonn/street 1", "perfect", PHOTOGRAPHED[0])
        )
        (tmp_path / "pred" / "bonn" / "street 1.png").unlink()
        Image.new("L", (40, 24), 77).save(tmp_path / "truth" / "perfect.png")
        status, body, headers = served.get(f"picture?image={gone}")
        assert (status, headers["Content-Type"]) == (404, "text/plain; charset=utf-8")
        assert b"street 1.png: cannot be opened: No such file" in body
        for value in (77, 1):
            Image.new("L", (40, 24), value).save(tmp_path / "truth" / "perfect.png")
            for kind in ("truth", "errors", "boundary", "distances", "thumbnail"):
                shown = served.get(f"picture?image={changed}&kind={kind}")[1]
                assert b"it holds other pixels than were counted" in shown
        assert served.json(f"api/image?image={gone}")["name"] == "bonn/street 1"
        served.drawer.photographs[PHOTOGRAPHED[0]].write_bytes(b"broken")
        assert served.get(f"picture?image={broken}&kind=photograph")[0] == 404
        assert served.get(f"picture?image={broken}&kind=errors")[0] == 200


def test_pictures_are_kept_up_to_a_size() -> None:
    kept: SizedCache[int, bytes] = SizedCache(100, len)
    made = []

    def make(key: int, size: int = 30) -> bytes:
        made.append(key)
        return bytes([key]) * size

    for key in (1, 2, 3, 1, 4, 1, 2):
        assert kept.get(key, lambda key=key: make(key))[0] == key  # type: ignore[misc]
    assert made == [1, 2, 3, 4, 2]
    assert kept.used == 90
    assert len(kept.get(9, lambda: make(9, 1000))) == 1000
    assert kept.used == 0
    with pytest.raises(ZeroDivisionError):
        kept.get(5, lambda: bytes(1 // 0))
    assert kept.get(5, lambda: b"x") == b"x"


def test_hostile_names_are_data(served: Served) -> None:
    rows = served.json("api/images")["rows"]
    assert HOSTILE.replace("/", "∕") in [row["name"] for row in rows]
    assert b"hit=1" not in served.get("")[1]
