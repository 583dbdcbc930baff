"""What readers do with a page: sort, switch, point, turn it dark, hold it in a hand, print it.

The browser is started once, and the pages are made once; see `make test-browser`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
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
PAGES = ["3", "19", "150", "hostile", "grey"]
COMPARISONS = ["comparison", "changes"]
AXE = Path(__file__).parents[2] / ".browser" / "node_modules" / "axe-core" / "axe.min.js"


@pytest.fixture(scope="session")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Pages of 3, 19 and 150 classes, of odd shares and names, and of grey predictions."""
    folder = tmp_path_factory.mktemp("pages")
    edges, grey = folder / "edges", folder / "grey"
    by_classes = {str(k): made_page(folder / str(k), k) for k in (3, 19, 150)}
    return by_classes | {
        "edges": scored_page(edges, *edge_masks(edges)),
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


@pytest.mark.parametrize("name", PAGES)
def test_cells_are_read_with_the_keys_and_with_the_pointer(visit: Open, name: str) -> None:
    page = visit(name)
    cells = page.locator(".cells")
    cells.focus()
    for key in ("ArrowDown", "ArrowDown", "ArrowRight", "ArrowUp"):
        page.keyboard.press(key)
    read = page.locator("#read").inner_text()
    names = page.evaluate("JSON.parse(document.getElementById('matrix').textContent).truth")
    shown = [page.evaluate("name => name.trim()", names[k]) for k in (0, 1)]
    assert "% of truth " + " ".join(shown[0].split()) in " ".join(read.split())
    assert "is predicted as " + " ".join(shown[1].split()) in " ".join(read.split())
    page.locator(".cells canvas, .cells tbody tr:last-child td:last-child").hover()
    assert page.locator("#read").inner_text() != read


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
