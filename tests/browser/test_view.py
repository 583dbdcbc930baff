"""The page of `segeval view` in a browser; left out where there is none."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made.sets import made_run
from made.viewer import (
    HOSTILE,
    MASKS,
    NAMES,
    PHOTOGRAPHED,
    Served,
    make_pairs,
    serve,
    serve_run,
    serve_two,
)

from segeval.counting.run import CountedRun

WIDE = {"width": 1280, "height": 800}
PHONE = {"width": 360, "height": 740}

Open = Callable[..., Any]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serve(tmp_path_factory.mktemp("browsed")) as running:
        yield running


@pytest.fixture
def opened(browser: Any) -> Iterator[Open]:
    """Open pages; at the end, none may have complained or asked another host for anything."""
    pages, complaints, hosts, wanted = [], [], set(), set()

    def go(server: Served, size: dict[str, int] = WIDE, *, hash_: str = "", **context: Any) -> Any:
        page = browser.new_page(viewport=size, **context)
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: hosts.add("/".join(request.url.split("/")[:3])))
        wanted.add(server.server.url.rsplit("/", 2)[0])
        page.goto(server.server.url + hash_)
        page.locator(".row").first.wait_for()
        pages.append(page)
        return page

    go.expected = ""  # type: ignore[attr-defined]
    yield go
    for page in pages:
        page.close()
    expected = go.expected  # type: ignore[attr-defined]
    assert [text for text in complaints if not expected or expected not in text] == []
    assert {host for host in hosts if not host.startswith("blob:")} <= wanted


def script(page: Any, expression: str) -> Any:
    """Evaluate in the page what its own policy would forbid to evaluate."""
    session = page.context.new_cdp_session(page)
    result = session.send("Runtime.evaluate", {"expression": expression, "returnByValue": True})
    assert "exceptionDetails" not in result, result
    return result["result"].get("value")


def see(page: Any, selector: str, text: str) -> None:
    """Wait until an element holds a text, and nothing else."""
    deadline = time.monotonic() + 10
    while text not in (found := page.locator(selector).all_text_contents()):
        assert time.monotonic() < deadline, f"{selector}: {found} instead of {text}"
        time.sleep(0.02)


def see_picture(page: Any, kind: str, image: int) -> None:
    page.locator(f'#picture.{kind}[data-of="image={image}&kind={kind}"]').wait_for()
    assert script(page, "document.getElementById('picture').naturalWidth") == 40


def names_in(page: Any) -> list[str]:
    rows: list[str] = page.locator(".row .title").all_text_contents()
    return rows


def worst_first(served: Served) -> list[str]:
    return [row["name"] for row in served.json("api/images")["rows"]]


def test_arrow_keys_step_through_the_list(opened: Open, served: Served) -> None:
    page, names = opened(served), worst_first(served)
    see(page, "#status", f"{len(NAMES)} images")
    assert names_in(page)[:8] == names[:8]
    for name in names[:3]:
        page.keyboard.press("ArrowRight")
        see(page, "#name", name)
    see_picture(page, "errors", served.catalogue.names.index(names[2]))
    see(page, "#rank", f"3 of {len(names)}")
    page.keyboard.press("ArrowLeft")
    see(page, "#name", names[1])
    assert page.locator(".row[aria-current]").get_attribute("title") == names[1]
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    see(page, "#name", names[0])
    page.keyboard.press("Escape")
    page.locator("#overview").wait_for()
    assert script(page, "document.activeElement.title") == names[0]
    page.go_forward()
    page.go_back()


def test_all_images_can_be_stepped_through_quickly(opened: Open, served: Served) -> None:
    page, names = opened(served), worst_first(served)
    for _ in range(len(names) + 3):
        page.keyboard.press("ArrowRight")
    see(page, "#name", names[-1])
    see_picture(page, "errors", served.catalogue.names.index(names[-1]))
    assert page.locator("#next").is_disabled()


def test_keys_switch_the_picture(opened: Open, served: Served) -> None:
    number = 1
    page = opened(served, hash_=f"#image={number}")
    see_picture(page, "errors", number)
    for key, kind in (("1", "photograph"), ("2", "truth"), ("3", "prediction"), ("4", "errors")):
        page.keyboard.press(key)
        see_picture(page, kind, number)
        assert page.locator('#kinds [aria-pressed="true"]').text_content() == f"{kind} {key}"
    page.keyboard.press("2")
    expected = served.json(f"api/image?image={number}")["sides"][0]["legend"]["truth"]
    see(page, "#legend li", expected[0]["name"] + expected[0]["pixels"])
    page.keyboard.press("z")
    assert page.locator("#stage.large").count() == 1
    page.keyboard.press("z")
    assert page.locator("#stage.large").count() == 0


def test_the_filter_is_a_key_away(opened: Open, served: Served) -> None:
    page = opened(served)
    page.keyboard.press("/")
    page.keyboard.type("KÖLN/street")
    see(page, "#status", f"6 of {len(NAMES)} images")
    assert all(name.startswith("köln/") for name in names_in(page))
    page.keyboard.press("Escape")
    page.keyboard.press("ArrowRight")
    see(page, "#rank", "1 of 6")
    page.keyboard.press("/")
    page.keyboard.type("nothing like it")
    see(page, "#status", f"0 of {len(NAMES)} images")
    see(page, "#rank", "not in the list")


def test_classes_groups_orders_and_confusions_choose_images(opened: Open, served: Served) -> None:
    page = opened(served)
    for control, value, query in (
        ("class", "3", "class=3"),
        ("lowest", "1", "class=3&lowest=1"),
        ("group", "1", "class=3&lowest=1&group=1"),
        ("order", "best", "class=3&lowest=1&group=1&order=best"),
    ):
        page.select_option(f"#{control}", value)
        rows = served.json(f"api/images?{query}")["rows"]
        see(page, "#status", f"{len(rows)} of {len(NAMES)} images")
        page.locator(".row").first.wait_for()
        page.wait_for_timeout(50)
        assert names_in(page)[:8] == [row["name"] for row in rows][:8]
    page = opened(served)
    page.locator("#run-confusions button").first.click()
    pair = served.json("api/run")["confusions"][0]["pair"]
    rows = served.json(f"api/images?pair={pair[0]}-{pair[1]}")["rows"]
    see(page, "#status", f"{len(rows)} of {len(NAMES)} images")
    assert page.locator(".row .value").first.text_content().startswith(f"{rows[0]['pixels']} px")
    see(page, "#order option:checked", "most confused pixels first")
    page.go_back()
    see(page, "#order option:checked", "worst first")


def test_the_address_holds_what_is_shown(opened: Open, served: Served) -> None:
    page = opened(served)
    page.select_option("#class", "1")
    page.keyboard.press("Escape")
    page.keyboard.press("ArrowRight")
    name = served.json("api/images?class=1")["rows"][0]["name"]
    see(page, "#name", name)
    page.keyboard.press("3")
    page.locator("#picture.prediction").wait_for()
    again = opened(served, hash_=page.url.partition("#")[2].join(["#", ""]))
    see(again, "#name", name)
    again.locator("#picture.prediction").wait_for()
    assert again.locator("#class").input_value() == "1"
    page.keyboard.press("Escape")
    page.go_back()
    see(page, "#name", name)


@pytest.mark.parametrize(
    "hash_",
    [
        "#image=99999&class=77&pair=9-9&group=x&order=y&kind=z",
        "#image=-1&class=__proto__&group=constructor&kind=toString",
        "#%00%ff&image=<script>&q=",
    ],
)
def test_addresses_that_make_no_sense_show_the_list(
    opened: Open, served: Served, hash_: str
) -> None:
    page = opened(served, hash_=hash_)
    see(page, "#status", f"{len(NAMES)} images")
    assert page.locator("#overview").is_visible()


def test_hostile_names_are_shown_and_not_run(opened: Open, served: Served) -> None:
    name = HOSTILE.replace("/", "∕")
    page = opened(served, hash_=f"#image={served.catalogue.names.index(name)}")
    see(page, "#name", name)
    see(page, ".row .title", name)
    page.keyboard.press("1")
    page.locator("#picture.photograph").wait_for()
    assert script(page, "typeof window.hit") == "undefined"
    assert page.locator("#detail script, #list script, #list :not(.frame) > img").count() == 0
    assert page.title() == f"{name} · segeval view"


@pytest.mark.parametrize("size", [PHONE, WIDE, {"width": 1920, "height": 1080}], ids=str)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_width_and_scheme_fits_and_can_be_read(
    opened: Open, served: Served, size: dict[str, int], scheme: str
) -> None:
    page = opened(served, size, color_scheme=scheme)
    fits = "document.documentElement.scrollWidth <= innerWidth && document.body.scrollWidth"
    assert script(page, fits) <= size["width"]
    page.locator(".row").first.click()
    page.locator("#picture[alt*=errors]").wait_for()
    page.locator("#classes tbody tr").first.wait_for()
    assert script(page, fits) <= size["width"]
    for element in ("body", "#facts", "#kinds [aria-pressed=true]", "#confusions button"):
        ratio = contrast(
            page, element, "#kinds [aria-pressed=true]" if "kinds" in element else "body"
        )
        assert ratio >= 4.5, element
    dark = sum(color(page, "body", "backgroundColor")) < 200
    assert dark == (scheme == "dark")


def color(page: Any, selector: str, name: str) -> list[int]:
    text = script(page, f"getComputedStyle(document.querySelector({selector!r})).{name}")
    return [int(part) for part in re.findall(r"\d+", text)[:3]]


def contrast(page: Any, ink: str, paper: str) -> float:
    """Contrast of two colours, as WCAG 2 defines it."""

    def luminance(rgb: list[int]) -> float:
        shares = [c / 255 for c in rgb]
        linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in shares]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    both = sorted(
        luminance(c) for c in (color(page, ink, "color"), color(page, paper, "backgroundColor"))
    )
    return (both[1] + 0.05) / (both[0] + 0.05)


def test_a_phone_shows_the_list_or_an_image(opened: Open, served: Served) -> None:
    page = opened(served, PHONE)
    assert not page.locator("main").is_visible()
    page.locator(".row").nth(2).click()
    see(page, "#name", worst_first(served)[2])
    assert not page.locator("#browse").is_visible()
    page.locator("#next").click()
    see(page, "#name", worst_first(served)[3])
    page.locator("#back").click()
    assert page.locator("#browse").is_visible()
    page.keyboard.press("ArrowRight")
    page.locator("#name").wait_for()
    page.keyboard.press("/")
    assert page.locator("#browse").is_visible()


def test_masks_that_are_gone_are_said_and_stepped_over(opened: Open, tmp_path: Path) -> None:
    opened.expected = "404 (Not Found)"  # type: ignore[attr-defined]
    with serve(tmp_path) as served:
        names = worst_first(served)
        (tmp_path / "truth" / f"{names[1]}.png").unlink()
        page = opened(served, hash_=f"#image={served.catalogue.names.index(names[0])}")
        see_picture(page, "errors", served.catalogue.names.index(names[0]))
        page.keyboard.press("ArrowRight")
        page.locator("#message", has_text="cannot be opened: No such file").wait_for()
        see(page, "#name", names[1])
        assert not page.locator("#picture").is_visible()
        page.keyboard.press("ArrowRight")
        see_picture(page, "errors", served.catalogue.names.index(names[2]))
        assert not page.locator("#message").is_visible()
        page.close()


def place(page: Any, x: int, y: int, selector: str = "#picture") -> tuple[float, float]:
    """Where a pixel of a mask of 40×24 pixels is in the window."""
    box = page.locator(selector).bounding_box()
    scale = min(box["width"] / 40, box["height"] / 24)
    left, top = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    return left + (x + 0.5 - 20) * scale, top + (y + 0.5 - 12) * scale


def test_values_are_read_by_pointer_touch_and_keys(opened: Open, served: Served) -> None:
    name = "bonn/street 5"
    number = served.catalogue.names.index(name)
    sides = [np.asarray(side) for side in make_pairs()[name]]

    def see_pixel(x: int, y: int) -> None:
        truth, prediction = (int(side[y, x]) for side in sides)
        shown = "void (255)" if truth == 255 else truth
        see(page, "#pixel", f"x {x}, y {y} truth  {shown} prediction  {prediction} ")

    page = opened(served, hash_=f"#image={number}", has_touch=True)
    see_picture(page, "errors", number)
    for x, y in ((0, 0), (39, 23), (12, 7)):
        page.mouse.move(*place(page, x, y))
        see_pixel(x, y)
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Shift+ArrowUp")
    see_pixel(13, 6)
    see(page, "#name", name)
    page.keyboard.press("z")
    page.mouse.move(*place(page, 20, 11))
    see_pixel(20, 11)
    page.keyboard.press("z")
    page.touchscreen.tap(*place(page, 3, 0))
    see_pixel(3, 0)
    assert page.locator("#stage.large").count() == 0
    page.mouse.move(5, 5)
    assert "Point at" in page.locator("#pixel").text_content()


def test_layers_are_reached_by_keys_and_by_address(opened: Open, served: Served) -> None:
    number = served.catalogue.names.index(worst_first(served)[0])
    page = opened(served, hash_=f"#image={number}")
    see_picture(page, "errors", number)
    page.keyboard.press("5")
    see_picture(page, "boundary", number)
    see(page, "#legend li", "wrong in bands of 1 px, by true class:")
    page.keyboard.press("6")
    see_picture(page, "distances", number)
    see(page, "#legend li", "borders, by the distance to the other side:")
    page.reload()
    see_picture(page, "distances", number)
    peak = served.json(f"api/layer?image={number}&kind=distances")["peak"]
    page.get_by_role("button", name="farthest pixel").press("Enter")
    see(page, "#pixel .number", f"x {peak['x']}, y {peak['y']}")
    page.locator(".marker").wait_for()


def test_opacity_is_set_by_keys_and_remembered(opened: Open, served: Served) -> None:
    number = served.catalogue.names.index(PHOTOGRAPHED[0])
    page = opened(served, hash_=f"#image={number}")
    see_picture(page, "errors", number)
    page.locator("#opacity").focus()
    for shown in ("65", "70"):
        page.keyboard.press("ArrowRight")
        see(page, "#opacity-shown", f"{shown}\N{NO-BREAK SPACE}%")
        page.locator(f'#picture[data-of$="&opacity={shown}"]').wait_for()
    page.reload()
    page.locator('#picture[data-of$="&opacity=70"]').wait_for()
    see(page, "#opacity-shown", "70\N{NO-BREAK SPACE}%")
    page.keyboard.press("2")
    page.locator("#picture.truth").wait_for()
    assert page.locator("#opacity").is_disabled()


def test_the_page_comes_back_to_a_busy_server(
    opened: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened.expected = "503 (Service Unavailable)"  # type: ignore[attr-defined]
    monkeypatch.setattr("segeval.viewer.cache.WAITING", 0)
    with serve(tmp_path) as served:
        with served.drawer._kept._making.taken():
            page = opened(served, hash_="#image=4")
            see(page, "#name", served.catalogue.names[4])
            page.wait_for_timeout(200)
            assert page.locator("#picture[data-of]").count() == 0
        see_picture(page, "errors", 4)
        page.close()


def test_rows_have_thumbnails(opened: Open, served: Served) -> None:
    page = opened(served)
    widths = "[...document.querySelectorAll('.thumbnail')].map((node) => node.naturalWidth)"
    deadline = time.monotonic() + 10
    while set(script(page, widths)) != {40}:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_two_runs_stand_side_by_side(opened: Open, tmp_path: Path) -> None:
    with serve_two(tmp_path) as served:
        page = opened(served)
        see(page, "#runs li", "A a.segeval")
        see(page, "#notes li", "1 image of B only, left out: only in B")
        row = served.json("api/images")["rows"][0]
        see(page, ".row .value", f"{row['shown']} {row['difference']}")
        page.keyboard.press("ArrowRight")
        see(page, "#name", row["name"])
        for run, picture in enumerate(("#picture-A", "#picture")):
            of = f"image={row['position']}&kind=errors&run={run}"
            page.locator(f'{picture}[data-of="{of}"]').wait_for()
        page.mouse.move(*place(page, 12, 7, "#picture-A"))
        values = [int(MASKS[letter][row["name"]][1][7, 12]) for letter in "AB"]
        truth = int(MASKS["B"][row["name"]][0][7, 12])
        see(page, "#pixel", f"x 12, y 7 truth  {truth} A  {values[0]} B  {values[1]} ")
        assert page.locator(".marker:not([hidden])").count() == 1
        page.keyboard.press("z")
        script(page, "document.getElementById('stage-A').scrollTo(60, 40)")
        page.wait_for_timeout(100)
        places = "[...document.querySelectorAll('.stage')].map((n) => [n.scrollLeft, n.scrollTop])"
        first, second = script(page, places)
        assert first == second
        assert first[0] == 60
        assert first[1] > 0
        page.set_viewport_size(PHONE)
        assert script(page, "document.documentElement.scrollWidth <= innerWidth")
        page.close()


def test_ten_thousand_images_scroll(opened: Open, tmp_path: Path) -> None:
    opened.expected = "404 (Not Found)"  # type: ignore[attr-defined]  # they have no masks
    random = np.random.default_rng(5)
    pairs = [tuple(random.integers(0, 3, (2, 8, 8)).astype(np.uint8)) for _ in range(20)]
    images = [
        replace(image, info=replace(image.info, name=f"city/{number:05}"))
        for number, image in enumerate(list(made_run(*pairs)) * 500)
    ]
    with serve_run(CountedRun.of(images), tmp_path, {}) as served:
        page = opened(served, hash_="#order=name")
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        see(page, "#status", "10\N{NO-BREAK SPACE}000 images")
        script(page, "document.getElementById('scroll').scrollTop = 1e9")
        see(page, ".row .title", "city/09999")
        script(page, "document.getElementById('scroll').scrollTop = 280000")
        see(page, ".row .title", "city/05003")
        assert page.locator(".row").count() < 60
        script(page, "document.getElementById('scroll').scrollTop -= 300")
        see(page, ".row .title", "city/04993")
        assert names_in(page) == sorted(names_in(page))
        page.locator(".row", has_text="city/05003").click()
        see(page, "#rank", "5\N{NO-BREAK SPACE}004 of 10\N{NO-BREAK SPACE}000")
        page.keyboard.press("ArrowRight")
        see(page, "#name", "city/05004")
        assert 0 < sum("thumbnail" in url for url in asked) < 150
        page.close()
