"""A comparison as a page: whole, escaped, with a verdict that claims what was computed, no more."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made.html import Reader, read
from made.pages import HOSTILE, blocks, changed_runs, changes_page, compared_page
from made.sets import Mask, made_run, save, segeval

from segeval.labels.labelmap import numbered
from segeval.reports.compare import make_document
from segeval.reports.html.comparison import make_page
from segeval.reports.html.differences import lay_out_differences
from segeval.reports.html.verdict import chance
from segeval.scoring.compare import compare_runs
from segeval.scoring.convention import Convention
from segeval.scoring.resampling import Resampling
from segeval.settings import LabelChoice

FACTS = {"level": 0.95, "resamples": 1000, "units": 50, "unit": "images"}


def page_of(
    truths: list[Mask], *sides: list[Mask], exclude: tuple[str, ...] = (), **more: Any
) -> str:
    """Compare masks in memory, of classes 0 to 2 unless told otherwise, as a page."""
    runs = [made_run(*zip(truths, side, strict=True)) for side in sides]
    choice = LabelChoice(labels=numbered("numbers", range(more.pop("classes", 3))))
    resampling = Resampling(rounds=more.pop("rounds", 20))
    comparisons = compare_runs(runs, choice, Convention(exclude=exclude), resampling=resampling)
    names = ["a & b.segeval", *(f"run {number}" for number in range(1, len(sides)))]
    return make_page(comparisons, make_document(comparisons, names), {}, **more)


def text_of(page: str) -> str:
    """Return what is read on a page, in one line."""
    return " ".join(Reader(page).words).replace("\N{NO-BREAK SPACE}", " ")


def masks(*rows: list[int]) -> list[Mask]:
    return [np.array([row], np.uint8) for row in rows]


def test_the_bars_of_certain_differences_are_filled() -> None:
    right, wrong = masks(*[[0, 0, 1, 1, 2, 2]] * 12), masks(*[[0, 1, 1, 0, 2, 2]] * 12)
    page = Reader(page_of(right, wrong, right, rounds=200))
    bars = [rect.get("class") for rect in page.all("rect") if rect.get("height") == "60%"]
    assert bars == ["certain", "certain"]


def test_names_are_escaped(tmp_path: Path) -> None:
    page = compared_page(tmp_path).read_text("utf-8")
    assert "<script>window" not in page
    assert html.escape(HOSTILE[0], quote=False) in page
    assert "worse &amp; &lt;b&gt;" in page
    assert page.count("default-src 'none'") == 1


@pytest.mark.parametrize("classes", [2, 3, 19, 150])
def test_a_page_is_whole_and_has_a_bar_a_class(classes: int) -> None:
    truths, before = zip(*(blocks(classes, seed, 0.3) for seed in range(4)), strict=True)
    after = [blocks(classes, seed, 0.2)[1] for seed in range(4)]
    page = Reader(page_of([*truths], [*before], after, classes=classes))
    for tag, attributes in page.tags:
        assert not attributes.keys() & {"style", "srcset", "action", "onclick"}, tag
        for name in attributes.keys() & {"src", "href"}:
            assert str(attributes[name]).startswith(("data:", "#"))
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(set(ids)) == len(ids)
    bars = [svg for svg in page.all("svg") if str(svg.get("class")).startswith("difference")]
    assert len(bars) == classes


@pytest.mark.parametrize(
    ("after", "said"),
    [
        ([0, 0, 1, 1], "run 1 is better than a & b.segeval on these images: mIoU +0.4167"),
        ([1, 1, 0, 0], "run 1 is worse than a & b.segeval on these images: mIoU -0.5833"),
        ([0, 0, 0, 1], "run 1 and a & b.segeval have the same mIoU"),
    ],
)
def test_the_verdict_comes_first(after: list[int], said: str) -> None:
    text = text_of(
        page_of(masks(*[[0, 0, 1, 1]] * 3), masks(*[[0, 0, 0, 1]] * 3), masks(*[after] * 3))
    )
    assert text.index(said) < text.index("Classes by IoU:") < text.index("IoU of the classes")
    assert "exactly 0.5833333333333333" in text
    assert "Only 3 images: intervals of less than 20 are unreliable." in text


@pytest.mark.parametrize(
    ("low", "high", "p", "lead"),
    [
        (0.1, 0.3, 0.001, "More than chance."),
        (-0.3, -0.1, 0.049, "More than chance."),
        (-0.1, 0.5, 0.2, "Chance alone may do this."),
        (0.0, 0.5, 0.05, "Chance alone may do this."),
        (0.1, 0.3, 0.05, "Not settled."),
        (-0.1, 0.3, 0.01, "Not settled."),
        (None, None, 0.01, "Nothing is known of chance."),
        (0.1, 0.3, None, "Nothing is known of chance."),
    ],
)
def test_significance_needs_interval_and_p(
    low: float | None, high: float | None, p: float | None, lead: str
) -> None:
    figures = {"delta": 0.2, "low": low, "high": high, "p": p}
    assert chance(figures, FACTS, percent=False)[0] == lead
    assert chance(figures | {"delta": None}, FACTS, percent=False) == ("", "")
    assert chance(figures | {"delta": 0.0, "low": 0.0, "p": 1.0}, FACTS, percent=False)[0] in {
        "No difference.",
        "Nothing is known of chance.",
    }


def test_a_sentence_gives_the_interval_the_p_and_the_doubts() -> None:
    figures = {"delta": 0.2, "low": 0.1, "high": 0.3, "p": 0.0625, "undefined": 7}
    sentence = chance(figures, FACTS | {"units": 4}, percent=True)[1]
    assert sentence.replace("\N{NO-BREAK SPACE}", " ") == (
        "The middle 95 % of 1 000 paired resamples of 4 images lie between +10.00 and +30.00, "
        "which excludes 0, but p = 0.0625 is not below 0.05. It is undefined in 7 resamples, which "
        "are left out. Only 4 images: intervals of less than 20 are unreliable."
    )


def test_what_is_defined_on_one_side_is_no_win_and_no_loss() -> None:
    truths = masks([0, 0, 1], [0, 0, 0])
    text = text_of(page_of(truths, masks([0, 0, 1], [0, 0, 2]), truths, exclude=("0",)))
    assert "Classes by IoU: 1 better, 0 worse, 1 the same, 1 defined in the baseline only." in text
    assert (
        "Classes with a score in a & b.segeval only, which there is nothing to compare with: 2"
        in text
    )
    assert "Images by mIoU: 0 better, 0 worse, 1 the same, 1 defined in the baseline only." in text


@pytest.mark.parametrize(
    ("sides", "said"),
    [
        (([0, 2], [0, 0]), "mIoU is defined for a & b.segeval only, so it compares nothing"),
        (([0, 0], [0, 2]), "mIoU is defined for run 1 only, so it compares nothing"),
        (([0, 0], [0, 0]), "mIoU is undefined for both run 1 and a & b.segeval"),
    ],
)
def test_an_undefined_headline_decides_nothing(
    sides: tuple[list[int], list[int]], said: str
) -> None:
    truths, *both = (masks(row, row) for row in ([0, 0], *sides))
    text = text_of(page_of(truths, *both, exclude=("0",)))
    assert said in text
    assert "than chance" not in text.lower()
    assert "Chance alone" not in text


def test_two_classes_are_judged_by_the_foreground() -> None:
    truths = masks([0, 0, 0, 1], [0, 0, 1, 1])
    page = page_of(truths, masks([0, 1, 1, 1], [1, 1, 1, 1]), truths, classes=2)
    text = text_of(page)
    assert "run 1 is better than a & b.segeval on these images: IoU of class 1 +0.5714" in text
    assert "true positive : 1 → 1" in text
    assert "false positive : 2 → 0" in text


def test_bars_are_sorted_and_share_a_scale() -> None:
    deltas = {"a": -0.1, "b": 0.3, "c": None, "d": 0.0, "e": -0.2}
    rows: list[Mapping[str, Any]] = [
        {"name": name, "iou": {"delta": delta, "low": delta, "high": delta, "p_holm": delta}}
        for name, delta in deltas.items()
    ]
    chart = lay_out_differences(rows, "iou", 10)
    assert [row["name"] for row in chart["rows"]] == ["b", "d", "a", "e", "c"]
    bars = {row["name"]: row for row in chart["rows"]}
    assert chart["zero"] == pytest.approx(100 * 0.25 / 0.6)
    assert bars["b"]["left"] == bars["b"]["from"] - bars["b"]["width"] == chart["zero"]
    assert bars["e"]["left"] + bars["e"]["width"] == pytest.approx(chart["zero"])
    assert [bars[name]["way"] for name in "abc"] == ["worse", "better", None]
    assert [bars[name]["certain"] for name in "ab"] == [True, False]
    assert [tick for _, tick in chart["ticks"]] == [-0.2, 0.0, 0.2]
    alike = [{"name": "a", "iou": dict.fromkeys(("delta", "low", "high", "p_holm"), 0.0)}]
    assert lay_out_differences(alike, "iou", 10)["ticks"] == [(50, 0)]
    few = lay_out_differences(rows, "iou", 2)
    assert ([row["name"] for row in few["rows"]], few["of"]) == (["b", "e"], 5)


def test_pictures_show_the_truth_before_and_after(tmp_path: Path) -> None:
    page = changes_page(tmp_path)
    figures = page.read_text("utf-8").split("<figure")[1:]
    names = [re.findall(r"<bdi>(.*?)</bdi>", figure)[0] for figure in figures]
    assert names == ["better_2", "better_1", "worse_2", "worse_1"]
    for figure in figures:
        alts = re.findall(r'alt="(.*?) of', figure)
        assert alts == ["photograph", "truth"] + [
            f"{kind} {when}"
            for when in ("before", "after")
            for kind in ("errors", "prediction", "boundary", "distances")
        ]
        near = [float(n) for n in re.findall(r"<p>mBoundary IoU ([\d.]+)<", figure)]
        assert (near[0] < near[1]) == ("better" in figure.partition("</bdi>")[0])
        far = re.findall(r"<p>mean HD ([\d.]+) px, mean HD95 [\d.]+ px; ring at", figure)
        assert len(far) == 2


def test_masks_that_changed_or_are_gone_are_said_in_place_of_their_picture(tmp_path: Path) -> None:
    runs = changed_runs(tmp_path)
    page = tmp_path / "page.html"
    (tmp_path / "a" / "better_1.png").unlink()
    save(tmp_path / "b" / "worse_2.png", np.roll(blocks(3, 3, 0.0)[0], 3))
    segeval("compare", *runs, "--quiet", "--html", page)
    figures = page.read_text("utf-8").split("<figure")[1:]
    said = [re.findall(r"no picture: (.*?)</p>", figure) for figure in figures]
    assert list(map(len, said)) == [0, 1, 1, 0]
    assert "better_1" in said[1][0]
    assert "it holds other pixels than were counted" in said[2][0]
    assert 'alt="errors after of better_1"' in figures[1]
    assert 'alt="errors before of worse_2"' in figures[2]
    for file in (tmp_path / "truth").glob("*.png"):
        file.unlink()
    segeval("compare", *runs, "--quiet", "--html", page)
    reader = read(page)
    assert not reader.all("img")
    assert len([words for words in reader.words if words.startswith("There are no pictures")]) == 1


def test_photographs_need_a_page(tmp_path: Path) -> None:
    done = segeval("compare", "a.segeval", "b.segeval", "--images", tmp_path, expect=2)
    assert "--images needs a page to be shown on; name it with --html" in done.stderr


def test_a_page_that_is_too_large_is_made_with_less_and_says_so() -> None:
    truths, before = zip(*(blocks(150, seed, 0.3) for seed in range(3)), strict=True)
    sides = [*truths], [*before], [blocks(150, seed, 0.2)[1] for seed in range(3)]
    whole, small = page_of(*sides, classes=150), page_of(*sides, classes=150, largest=1)
    assert "To keep this page small" not in whole
    assert "the 100 classes that changed most are listed, of 150" in text_of(small)
    assert len(small) < len(whole)


def test_more_runs_have_a_verdict_each() -> None:
    truths = masks([0, 1, 2], [0, 1, 1])
    page = page_of(truths, masks([0, 1, 1], [0, 1, 1]), truths, masks([0, 0, 0], [0, 1, 1]))
    text = text_of(page)
    assert "2 runs against a & b.segeval" in text
    assert "The p-values are not corrected for the number of runs." in text
    assert text.index("run 1 is better than") < text.index("run 2 is worse than")


def test_shares_are_times_100_and_p_values_are_not() -> None:
    truths = masks([0, 1, 2], [0, 1, 1])
    page = page_of(truths, masks([0, 1, 1], [0, 1, 1]), truths, percent=True)
    p = re.findall(r'data-value="([\d.e-]+)">([\d.]+)</td>\s*</tr>', page)
    assert p
    assert all(float(value) == pytest.approx(float(shown), abs=1e-4) for value, shown in p)
    assert "mIoU +41.67" in text_of(page)
