"""What readers do with a page: sort, switch, point, turn it dark, hold it in a hand, print it.

The browser is started once, and the pages are made once; see `make test-browser`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from made.pages import (
    changes_page,
    compared_page,
    edge_masks,
    grey_masks,
    hostile_page,
    made_page,
    scored_page,
)

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

Open = Callable[..., Any]
PAGES = ["2", "3", "19", "150", "hostile", "grey"]
COMPARISONS = ["comparison", "changes"]
AXE = Path(__file__).parents[2] / ".browser" / "node_modules" / "axe-core" / "axe.min.js"


@pytest.fixture(scope="session")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Pages of 2, 3, 19 and 150 classes, of odd shares and names, and of grey predictions."""
    folder = tmp_path_factory.mktemp("pages")
    edges, grey = folder / "edges", folder / "grey"
    by_classes = {str(k): made_page(folder / str(k), k) for k in (2, 3, 19, 150)}
    return by_classes | {
        "edges": scored_page(edges, *edge_masks(edges)),
        "gates": made_page(folder / "gates", 40, "--fail-under", "iou.*=0"),
        "layers": made_page(folder / "layers", 3, "--boundary", "2px", "--distances"),
        "hostile": hostile_page(folder / "hostile"),
        "grey": scored_page(grey, *grey_masks(grey), "--threshold", 128),
        "comparison": compared_page(folder / "comparison"),
        "changes": changes_page(folder / "changes"),
    }


@pytest.fixture
def visit(browser: Browser, pages: dict[str, Path]) -> Iterator[Open]:
    """Open a page by its name; until the end, it may neither ask for anything nor complain."""
    opened: list[Any] = []
    troubles: list[str] = []

    def open_page(
        name: str, *, width: int = 1280, scheme: Any = "light", silent: bool = True, **more: Any
    ) -> Page:
        page = browser.new_page(
            viewport={"width": width, "height": 900}, color_scheme=scheme, **more
        )
        opened.append(page)
        address = pages[name].as_uri()
        page.on("pageerror", lambda error: troubles.append(f"error: {error}"))
        if silent:
            page.on("console", lambda message: troubles.append(f"console: {message.text}"))
            page.on("request", lambda request: troubles.extend({request.url} - {address}))
        page.goto(address)
        return page

    yield open_page
    for page in opened:
        page.wait_for_load_state("load")
        page.close()
    assert not troubles


@pytest.fixture(scope="session")
def axe() -> str:
    if not AXE.exists():
        pytest.skip("axe-core is not installed")
    return AXE.read_text("utf-8")


def column(page: Page, number: int) -> list[str]:
    """Texts of a column of the classes."""
    cells = page.locator(f"#classes tbody tr > :nth-child({number})")
    return [text.strip() for text in cells.all_inner_texts()]


def test_a_click_sorts_and_another_turns_the_order(visit: Open) -> None:
    page = visit("19")
    header = page.locator("#classes th", has_text="IoU")
    before = column(page, 3)
    header.get_by_role("button").click()
    assert header.get_attribute("aria-sort") == "ascending"
    assert column(page, 3) == sorted(before, key=float) != before
    header.get_by_role("button").click()
    assert header.get_attribute("aria-sort") == "descending"
    assert column(page, 3) == sorted(before, key=float, reverse=True)


def test_comparisons_sort_and_turn_dark(visit: Open) -> None:
    page = visit("comparison")
    header = page.locator("#classes-1 th", has_text="change")
    before = page.locator("#classes-1 tbody td:nth-child(2)").all_inner_texts()
    assert header.get_attribute("aria-sort") == "descending"
    header.get_by_role("button").click()
    assert header.get_attribute("aria-sort") == "ascending"
    after = page.locator("#classes-1 tbody td:nth-child(2)").all_inner_texts()
    assert after == sorted(before, key=float) != before
    page.locator("#theme").click()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert page.evaluate("window.broken") is None


def test_what_changed_stands_side_by_side(visit: Open) -> None:
    page = visit("changes", width=1280)
    shown = "images => images.filter(i => i.offsetParent).map(i => i.dataset.layer)"
    figure = page.locator("figure").first
    figure.scroll_into_view_if_needed()
    assert figure.locator("img").evaluate_all(shown) == ["photograph", "truth", "errors", "errors"]
    tops = figure.locator(".layers").evaluate_all("all => all.map(one => one.offsetTop)")
    assert len({*tops}) == 1
    page.locator("#layers").get_by_label("prediction").check()
    seen = page.locator("figure").last.locator("img").evaluate_all(shown)
    assert seen == ["photograph", "truth", "prediction", "prediction"]


def test_keys_sort_names_as_people_count(visit: Open) -> None:
    page = visit("19")
    button = page.get_by_role("button", name="class", exact=True).first
    button.focus()
    page.keyboard.press("Enter")
    assert column(page, 1) == [f"class {number}" for number in range(19)]
    page.keyboard.press("Space")
    assert column(page, 1)[0] == "class 18"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.locator("#classes [aria-sort]").count() == 1
    assert page.locator("#classes [aria-sort]").inner_text().startswith("true pixels")


def test_undefined_scores_come_last_either_way(visit: Open) -> None:
    page = visit("3")
    page.evaluate(
        "() => { const cell = document.querySelector('#classes tbody td:nth-child(3)');"
        " cell.dataset.value = ''; cell.textContent = '–'; }"
    )
    button = page.locator("#classes th", has_text="IoU").get_by_role("button")
    for _ in range(2):
        button.click()
        assert column(page, 3)[-1] == "–"


@pytest.mark.parametrize("name", ["3", "19"])
def test_cells_switch_between_shares_and_pixels_and_back(visit: Open, name: str) -> None:
    page = visit(name)
    cells = page.locator(".cells tbody td")

    def shown() -> tuple[list[str], list[str]]:
        classes = cells.evaluate_all("cells => cells.map(cell => cell.className)")
        return cells.all_inner_texts(), classes

    first = shown()
    seen = [first]
    for mode in ("% of the predicted class", "pixels"):
        page.get_by_label(mode, exact=True).check()
        assert shown() not in seen
        seen.append(shown())
    assert "pixels" in page.locator("#most").inner_text()
    page.get_by_label("% of the true class", exact=True).check()
    assert shown() == first


@pytest.mark.parametrize("name", ["19", "edges"])
def test_a_script_shows_the_same_cells_as_the_file(visit: Open, name: str) -> None:
    texts = []
    for scripts in (True, False):
        page = visit(name, java_script_enabled=scripts)
        texts.append(page.locator(".cells tbody td").all_text_contents())
    assert texts[0] == texts[1]
    assert name != "edges" or texts[0] == [">99", "<1", "", "", "100", "", "13", "", "88"]


def read_cell(page: Page) -> list[str]:
    """Words of the lines beside the cell that is pointed at, without its titles."""
    titles = ["truth", "prediction", "pixels", "of the true class", "of the predicted class"]
    lines = page.locator("#read div").all_inner_texts()
    assert [line.startswith(title) for line, title in zip(lines, titles, strict=True)] == [True] * 5
    return [
        " ".join(line.removeprefix(title).split())
        for line, title in zip(lines, titles, strict=True)
    ]


def expected_cell(page: Page, row: int, column: int) -> list[str]:
    """What the file says of a cell: names, pixels, and their shares of both sums."""
    data = page.evaluate("JSON.parse(document.getElementById('matrix').textContent)")
    pixels = next((n for r, c, n in data["cells"] if (r, c) == (row, column)), 0)
    shares = [pixels / data["support"][row], pixels / data["predicted"][column]]
    return [
        *(
            page.evaluate("name => name.trim().split(/\\s+/).join(' ')", name)
            for name in (data["truth"][row], data["prediction"][column])
        ),
        f"{pixels:,}".replace(",", " "),
        *(
            "0 %" if not share else "100 %" if share == 1 else f"{100 * share:.2f} %"
            for share in shares
        ),
    ]


@pytest.mark.parametrize("name", PAGES)
def test_cells_are_read_with_the_keys_and_with_the_pointer(visit: Open, name: str) -> None:
    page = visit(name)
    cells = page.locator(".cells")
    assert not page.locator("#read").inner_text()
    cells.focus()
    assert read_cell(page) == expected_cell(page, 0, 0)
    for key in ("ArrowDown", "ArrowRight", "ArrowUp", "ArrowUp"):
        page.keyboard.press(key)
    assert read_cell(page) == expected_cell(page, 0, 1)
    page.keyboard.press("PageDown")
    page.keyboard.press("End")
    last = page.evaluate("JSON.parse(document.getElementById('matrix').textContent).truth.length")
    assert read_cell(page) == expected_cell(page, min(10, last - 1), last - 1)
    page.keyboard.press("Escape")
    assert not page.locator("#read").inner_text()
    corner = page.locator(".cells canvas, .cells tbody tr:last-child td:nth-child(3)")
    corner.hover(position={"x": 7, "y": (corner.bounding_box() or {})["height"] - 3})
    assert read_cell(page) == expected_cell(page, last - 1, 1)
    page.mouse.move(1, 1)
    assert not page.locator("#read").inner_text()


def test_many_gates_fold_and_fit_a_phone(visit: Open) -> None:
    page = visit("gates", width=360)
    said = page.locator("#gates [role=status]")
    assert said.text_content() == "Shown: 20 of 40 gates, failed first."
    room = "document.querySelector('#gates .scroll')"
    assert page.evaluate(f"{room}.scrollWidth <= {room}.clientWidth")
    page.locator("#gates .more").click()
    assert page.locator("#gates tbody tr:visible").count() == 40


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("name", ["19", "150"])
def test_what_is_read_is_beside_its_cell_and_in_the_window(
    visit: Open, name: str, width: int
) -> None:
    page = visit(name, width=width)
    page.locator(".cells").focus()
    for key in ["End", *["PageDown"] * 15, "Home"]:
        page.keyboard.press(key)
        tip = page.locator("#read").bounding_box()
        cell = page.locator(".cursor, td.here").bounding_box()
        assert tip
        assert cell
        assert tip["x"] >= 0
        assert tip["x"] + tip["width"] <= width
        assert 0 <= tip["y"] <= 900 - tip["height"]
        assert not (tip["y"] < cell["y"] + cell["height"] and cell["y"] < tip["y"] + tip["height"])
        assert abs(tip["y"] - cell["y"]) < tip["height"] + 60


@pytest.mark.parametrize("width", [360, 1280])
def test_a_large_matrix_names_what_has_room_and_what_is_pointed_at(visit: Open, width: int) -> None:
    page = visit("150", width=width)
    for strip, side, edge in ((".down", "height", "y"), (".across", "width", "x")):
        names = page.locator(f"{strip} bdi")
        assert names.first.inner_text() == "class 0"
        boxes = [name.bounding_box() for name in names.all()]
        assert len(boxes) == 50
        for one, other in pairwise(boxes):
            assert one
            assert other
            assert one[edge] + one[side] <= other[edge] + 0.5
    page.locator(".cells").focus()
    for key in ("PageDown", "ArrowRight", "ArrowRight", "ArrowRight", "ArrowRight"):
        page.keyboard.press(key)
    marked = page.locator(".names .here")
    assert sorted(marked.all_inner_texts()) == ["class 10", "class 4"]
    strip = page.locator(".down")
    height = (strip.bounding_box() or {})["height"]
    strip.hover(position={"x": 20, "y": height * 76.5 / 150})
    assert marked.all_inner_texts() == ["class 76", "class 76"]
    assert read_cell(page)[:2] == ["class 76", "class 76"]


def test_many_classes_are_the_worst_ones_until_more_are_asked_for(visit: Open) -> None:
    page = visit("150")
    rows, said = page.locator("#classes tbody tr:visible"), page.locator("#classes [role=status]")
    field = page.get_by_label("Filter classes")
    assert rows.count() == 20
    assert said.inner_text() == "Shown: 20 of 150 classes, lowest IoU first."
    scores = [float(score) for score in column(page, 3)]
    assert scores == sorted(scores)
    field.focus()
    page.keyboard.type("CLASS 14")
    assert said.inner_text() == "Shown: 11 of 11 classes with “class 14”, lowest IoU first."
    assert not page.get_by_role("button", name="Show").is_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert rows.locator("th").all_inner_texts() == [
        "class 14",
        *(f"class {k}" for k in range(140, 150)),
    ]
    assert said.inner_text().endswith(", in class order.")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Space")
    assert said.inner_text().endswith(", lowest IoU first.")
    field.fill("no such class")
    assert said.inner_text() == "No classes with “no such class”."
    field.fill("")
    page.get_by_role("button", name="Show all 150").press("Enter")
    assert rows.count() == 150
    page.locator("#classes th", has_text="recall").get_by_role("button").press("Enter")
    assert said.inner_text() == "Shown: 150 of 150 classes, lowest recall first."
    page.get_by_role("button", name="Show the first 20 only").press("Enter")
    assert rows.count() == 20


def test_many_classes_are_all_there_without_a_script_and_on_paper(visit: Open) -> None:
    page = visit("150", java_script_enabled=False)
    assert page.locator("#classes tbody tr:visible").count() == 150
    assert not page.locator(".scripted:visible").count()
    page = visit("150")
    page.emulate_media(media="print")
    assert page.locator("#classes tbody tr:visible").count() == 150
    assert not page.locator("#classes .scripted:visible").count()


def test_a_matrix_of_many_classes_is_drawn_in_all_its_cells(visit: Open) -> None:
    page = visit("150")
    colors = (
        "() => { const c = document.querySelector('canvas');"
        " const t = new OffscreenCanvas(c.width, c.height).getContext('2d');"
        " t.drawImage(c, 0, 0); const d = t.getImageData(0, 0, c.width, c.height).data;"
        " const seen = {}; for (let i = 0; i < d.length; i += 4)"
        " { const k = d.slice(i, i + 3).join(); seen[k] = (seen[k] || 0) + 1; } return seen; }"
    )
    light = page.evaluate(colors)
    assert sum(light.values()) == 150 * 150
    data = page.evaluate("JSON.parse(document.getElementById('matrix').textContent).cells.length")
    assert light["255,255,255"] == 150 * 150 - data
    page.get_by_role("button", name="Dark colours").click()
    assert page.evaluate(colors).keys() != light.keys()


def test_pictures_switch_alone_and_together(visit: Open) -> None:
    page = visit("3")
    shown = "images => images.filter(i => i.offsetParent).map(i => i.dataset.layer)"

    def layers() -> list[str]:
        found: list[str] = page.locator("figure img").evaluate_all(shown)
        return found

    assert layers() == ["errors"] * 9
    page.locator("figure").nth(4).get_by_label("truth").check()
    assert layers() == ["errors"] * 4 + ["truth"] + ["errors"] * 4
    page.locator("#layers").get_by_label("prediction").check()
    assert layers() == ["prediction"] * 9
    page.keyboard.press("ArrowLeft")
    assert layers() == ["truth"] * 9


@pytest.mark.parametrize(("width", "scheme"), [(360, "light"), (1280, "dark")])
def test_layers_come_with_their_ring_and_legend(
    visit: Open, axe: str, width: int, scheme: str
) -> None:
    page = visit("layers", width=width, scheme=scheme)
    figure = page.locator("figure").first
    rings, legend = page.locator(".ring:visible"), figure.locator(".legend:visible")
    errors = legend.inner_text()
    assert rings.count() == 0
    page.locator("#layers").get_by_label("boundary").check()
    assert figure.locator("img:visible").get_attribute("data-layer") == "boundary"
    assert "mBoundary IoU" in figure.inner_text()
    page.keyboard.press("ArrowRight")
    assert figure.locator("img:visible").get_attribute("data-layer") == "distances"
    assert rings.count() > 0
    assert "mean HD95" in figure.inner_text()
    assert "0 px" in legend.inner_text()
    assert page.evaluate("document.documentElement.scrollWidth") == width
    page.evaluate(axe)
    found = page.evaluate('async () => (await axe.run(".pictures")).violations')
    assert not [each["id"] for each in found if each["impact"] in {"serious", "critical"}]
    figure.get_by_label("errors", exact=True).check()
    assert legend.inner_text() == errors


def test_pictures_can_be_seen(visit: Open) -> None:
    page = visit("3")
    page.locator("figure").last.scroll_into_view_if_needed()
    page.wait_for_function(
        "() => [...document.querySelectorAll('figure img')].filter(i => i.offsetParent)"
        ".at(-1).naturalWidth === 80"
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_follows_the_system_until_told_otherwise(visit: Open, scheme: str) -> None:
    page = visit("3", scheme=scheme)
    paper = "getComputedStyle(document.body).backgroundColor"
    papers = {"light": "rgb(255, 255, 255)", "dark": "rgb(20, 22, 26)"}
    other = "dark" if scheme == "light" else "light"
    button = page.get_by_role("button", name="Dark colours")
    assert page.evaluate(paper) == papers[scheme]
    assert button.get_attribute("aria-pressed") == str(scheme == "dark").lower()
    button.click()
    assert page.evaluate(paper) == papers[other]
    page.emulate_media(color_scheme=other)
    button.click()
    assert page.evaluate(paper) == papers[scheme]


def test_paper_is_white_and_holds_the_numbers(visit: Open) -> None:
    page = visit("3", scheme="dark")
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert not page.locator("header").is_visible()
    assert page.locator("#classes table").is_visible()


def test_hostile_names_are_shown_and_nothing_runs(visit: Open) -> None:
    page = visit("hostile")
    assert page.evaluate("window.broken") is None
    assert column(page, 1)[0] == "<script>window.broken = 1</script>"
    page.locator("#classes th").first.get_by_role("button").click()
    page.locator(".cells tbody td").last.hover()
    page.get_by_label("pixels", exact=True).check()
    assert page.evaluate("window.broken") is None
    assert page.locator("img[src=x]").count() == 0


INTRUSION = """() => new Promise(resolve => {
  const seen = new Set();
  document.addEventListener("securitypolicyviolation", e => seen.add(e.effectiveDirective));
  const markup = "<img src=x onerror='window.broken = 4'><b style='color: red'>x</b>";
  document.body.insertAdjacentHTML("beforeend", markup);
  const script = document.createElement("script");
  script.textContent = "window.broken = 5";
  document.body.append(script);
  fetch("page.html").catch(() => 0);
  setTimeout(() => resolve([...seen].sort()), 200);
})"""


def test_what_gets_in_all_the_same_neither_runs_nor_asks(visit: Open) -> None:
    page = visit("3", silent=False)
    blocked = page.evaluate(INTRUSION)
    directives = ["connect-src", "img-src", "script-src-attr", "script-src-elem", "style-src-attr"]
    assert blocked == directives
    assert page.evaluate("window.broken") is None


@pytest.mark.parametrize("name", [*PAGES, *COMPARISONS])
@pytest.mark.parametrize("width", [360, 1280, 1920])
def test_nothing_is_wider_than_the_window(visit: Open, name: str, width: int) -> None:
    page = visit(name, width=width)
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_everything_is_reached_with_the_tab_key(visit: Open) -> None:
    page = visit("3")
    seen = set()
    for _ in range(90):
        page.keyboard.press("Tab")
        seen.add(
            page.evaluate(
                "(() => { const e = document.activeElement;"
                " return e.id || e.getAttribute('aria-label') || e.name || e.textContent; })()"
            )
        )
    wanted = {"theme", "Classes", "IoU", "Scores of the classes", "cells", "layers", "worst1"}
    assert wanted <= seen


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("name", [*PAGES, *COMPARISONS])
def test_no_serious_barrier_is_found(
    visit: Open, axe: str, name: str, width: int, scheme: str
) -> None:
    page = visit(name, width=width, scheme=scheme)
    page.evaluate(axe)
    violations = page.evaluate(
        'async () => (await axe.run({resultTypes: ["violations"]})).violations'
    )
    assert [
        (found["id"], found["nodes"][0]["html"][:200])
        for found in violations
        if found["impact"] in {"serious", "critical"}
    ] == []
